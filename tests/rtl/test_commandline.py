from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntos.rtl.commandline import join, split_command_line, split_crt


@pytest.mark.parametrize(
    ("tail", "arguments"),
    [
        ('"abc" d e', ["abc", "d", "e"]),
        ('a\\\\b d"e f"g h', ["a\\\\b", "de fg", "h"]),
        ('a\\\\\\"b c d', ['a\\"b', "c", "d"]),
        ('a\\\\\\\\"b c" d e', ["a\\\\b c", "d", "e"]),
        ('"a b', ["a b"]),
        ('""', [""]),
        ("  \t", []),
    ],
)
def test_documented_cases(tail: str, arguments: list[str]) -> None:
    """Both parsers give the results of Microsoft's table "Parsing C command-line arguments"."""
    assert split_command_line("p " + tail)[1:] == arguments
    assert split_crt("p " + tail)[1:] == arguments


def test_pair_of_quotes_inside_quotes() -> None:
    """After `""` inside quotes the C runtime is still inside, CommandLineToArgvW is not."""
    assert split_crt('p a"b"" c d')[1:] == ['ab" c d']
    assert split_command_line('p a"b"" c d')[1:] == ['ab"', "c", "d"]


def test_program_name() -> None:
    """Backslashes in the program's path escape nothing."""
    assert split_command_line('"C:\\dir\\" x') == ["C:\\dir\\", "x"]
    assert split_crt('"C:\\a b"\\c x') == ["C:\\a b\\c", "x"]
    assert split_command_line(" x") == ["", "x"]


@given(st.lists(st.text(alphabet='ab \t"\\', max_size=8), max_size=5))
def test_join_is_undone_by_both(arguments: list[str]) -> None:
    """What `join` writes, both parsers read back."""
    line = join(["p", *arguments])
    assert split_command_line(line)[1:] == arguments
    assert split_crt(line)[1:] == arguments
