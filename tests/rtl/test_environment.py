from __future__ import annotations

import pytest

from ntos.rtl.environment import Environment, expand, format_block, parse_block


def test_block_is_sorted_without_case() -> None:
    """CreateProcess wants the strings sorted by upper-case name; drive directories come first."""
    block = format_block({"b": "2", "A": "1", "=C:": "C:\\x"})
    assert block.decode("utf-16-le") == "=C:=C:\\x\0A=1\0b=2\0\0"
    assert dict(parse_block(block)) == {"=C:": "C:\\x", "A": "1", "b": "2"}


def test_empty_block() -> None:
    """An empty environment is two NULs."""
    assert format_block({}) == b"\0\0\0\0"
    assert len(parse_block(b"\0\0\0\0")) == 0


def test_names_ignore_case_and_keep_spelling() -> None:
    """Setting PATH changes the variable named Path."""
    environment = Environment({"Path": "a"})
    environment["PATH"] = "b"
    assert list(environment.items()) == [("Path", "b")]
    environment.set("path", None)
    assert not environment


def test_equals_sign_in_a_name_is_refused() -> None:
    """A name may hold `=` only in front."""
    with pytest.raises(ValueError, match="a=b"):
        Environment()["a=b"] = ""


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("%A%", "1"),
        ("x%A%y", "x1y"),
        ("%NONE%", "%NONE%"),
        ("%NONE%A%", "%NONE1"),
        ("50%", "50%"),
        ("%%A%", "%1"),
        ("", ""),
    ],
)
def test_expand(text: str, result: str) -> None:
    """An unknown variable stays as it was written."""
    assert expand(text, {"A": "1"}.get) == result
