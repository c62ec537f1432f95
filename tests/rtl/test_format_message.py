from __future__ import annotations

import pytest

from ntos.abi.status import NtError
from ntos.rtl.format_message import format_message


class Words:
    """Inserts from a Python list; a text's address is its index plus 0x1000."""

    def __init__(self, *values: int | str | bytes) -> None:
        self.values = values

    def value(self, index: int) -> int:
        value = self.values[index]
        return value if isinstance(value, int) else 0x1000 + index

    def read_string(self, address: int, limit: int) -> bytes:
        value = self.values[address - 0x1000]
        assert isinstance(value, bytes)
        return value if limit < 0 else value[:limit]

    def read_wide(self, address: int, limit: int) -> str:
        value = self.values[address - 0x1000]
        assert isinstance(value, str)
        return value if limit < 0 else value[:limit]


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("%1 and %2", ("a", "b"), "a and b"),
        ("%2 %1", ("a", "b"), "b a"),
        ("%1!d! %2!05u! %3!x!", (-1 & 0xFFFFFFFF, 42, 255), "-1 00042 ff"),
        ("%1!*d!|", (5, 7), "    7|"),
        ("%1!*.*s!|", (4, 2, "abc"), "  ab|"),
        ("%1!I64d!", (1 << 40,), "1099511627776"),
        ("%1!hs!", (b"narrow",), "narrow"),
        ("a%nb%%c%!d%.", (), "a\r\nb%c!d."),
        ("stop%0here", (), "stop"),
        ("line\r\nnext\nlast", (), "line\r\nnext\r\nlast"),
        ("a% b", (), "a b"),
    ],
)
def test_inserts_and_escapes(template: str, values: tuple[int | str | bytes, ...], text: str) -> None:
    """`%n!format!` is a printf conversion over the n-th insert."""
    assert format_message(template, Words(*values)) == text


def test_ansi_inserts_are_narrow() -> None:
    """FormatMessageA reads `%1` as bytes."""
    assert format_message("<%1>", Words(b"x"), ansi=True) == "<x>"


def test_ignore_inserts() -> None:
    """FORMAT_MESSAGE_IGNORE_INSERTS passes inserts through unchanged."""
    assert format_message("%1 %2!d! x%n", ignore_inserts=True) == "%1 %2!d! x\r\n"


def test_width() -> None:
    """A width turns the message's own line breaks into blanks and makes new ones."""
    assert format_message("one two\r\nthree", width=255) == "one two three"
    assert format_message("one two three", width=8) == "one two\r\nthree"


def test_missing_inserts_are_refused() -> None:
    """A message that wants inserts is ERROR_INVALID_PARAMETER without them."""
    with pytest.raises(NtError):
        format_message("%1")
    with pytest.raises(NtError):
        format_message("trailing %")
