from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntos.rtl import short_name
from ntos.rtl.pattern import dos_expression, is_name_in_expression, match_pattern


@pytest.mark.parametrize(
    ("pattern", "name", "found"),
    [
        ("*", "anything", True),
        ("*.*", "noextension", True),
        ("*.", "noextension", True),
        ("*.", "a.b", False),
        ("*.txt", "A.TXT", True),
        ("*.txt", "a.txt.bak", False),
        ("*.txt", "a.b.txt", True),
        ("a?.txt", "a.txt", True),
        ("a?.txt", "ab.txt", True),
        ("a?.txt", "abc.txt", False),
        ("???", "ab", True),
        ("???", "abcd", False),
        ("a.?", "a", True),
        ("a.*", "a", True),
        ("foo", "FOO", True),
        ("[a]", "[a]", True),
        ("*a*", "bab", True),
    ],
)
def test_find_first_file_patterns(pattern: str, name: str, found: bool) -> None:
    """FindFirstFile keeps the habits of DOS: `?` may match nothing before a dot or at the end."""
    assert match_pattern(pattern, name) is found


@pytest.mark.parametrize(
    ("expression", "name", "found"),
    [
        ("<.b", "a.x.b", True),
        ("<", "a.b", False),
        ("<", "ab", True),
        (">>>", "a", True),
        ('a"', "a", True),
        ('a"b', "a.b", True),
        ("?", "", False),
        ("a*b?", "aXbb", True),
    ],
)
def test_file_system_wildcards(expression: str, name: str, found: bool) -> None:
    """DOS_STAR stops at the last dot, DOS_QM gives way to a dot, DOS_DOT to the end."""
    assert is_name_in_expression(expression, name) is found


def test_translation() -> None:
    """The Win32 layer writes the DOS wildcards into the pattern it hands down."""
    assert dos_expression("*.txt") == "<.txt"
    assert dos_expression("a?b") == "a>b"
    assert dos_expression("a.*") == 'a"*'


@given(st.text(alphabet="ab.", min_size=1, max_size=8))
def test_a_name_matches_itself(name: str) -> None:
    """A pattern without wildcards finds just its own name."""
    assert is_name_in_expression(name, name)


def test_short_names() -> None:
    """The fifth name of a kind carries a checksum in place of its letters."""
    taken: set[str] = set()
    for expected in ("PROGRA~1", "PROGRA~2", "PROGRA~3", "PROGRA~4"):
        name = short_name.generate("Program Files", taken.__contains__)
        assert name == expected
        taken.add(name)
    fifth = short_name.generate("Program Files", taken.__contains__)
    assert fifth.startswith("PR")
    assert fifth.endswith("~1")
    assert len(fifth) == 8
    assert short_name.generate("a+b.jpeg", set().__contains__) == "A_B~1.JPE"


def test_short_name_legality() -> None:
    """An 8.3 name has at most eight and three legal characters around one dot."""
    assert short_name.is_legal("README.TXT")
    assert short_name.is_legal("a")
    for name in ("toolongname", "a.b.c", "a.long", "a+b", ".x", "a b", "x."):
        assert not short_name.is_legal(name)
