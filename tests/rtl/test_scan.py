from __future__ import annotations

import pytest

from ntos.rtl.scan import EOF, ScanOptions, TextSource, scan

type_of_store = int | float | bytes


class Store:
    """A target whose n-th pointer is n; what was stored stands in order."""

    def __init__(self, *sizes: int) -> None:
        self.sizes = list(sizes)
        self.stored: list[type_of_store] = []

    def next_pointer(self) -> int:
        return len(self.stored)

    def next_integer(self, size: int) -> int:
        return self.sizes.pop(0)

    def write_integer(self, address: int, size: int, value: int) -> None:
        self.stored.append(value - (1 << 8 * size) if value >> (8 * size - 1) else value)

    def write_double(self, address: int, size: int, value: float) -> None:
        self.stored.append(value)

    def write_bytes(self, address: int, data: bytes) -> None:
        self.stored.append(data)


@pytest.mark.parametrize(
    ("text", "template", "result", "stored"),
    [
        ("12 -5 0x1f 077", "%d %d %i %i", 4, [12, -5, 31, 63]),
        ("ff 17", "%x%o", 2, [255, 15]),
        ("abc def", "%s %s", 2, [b"abc\0", b"def\0"]),
        ("abcdef", "%3s%n%s", 2, [b"abc\0", 3, b"def\0"]),
        ("abcdef", "%2c%c", 2, [b"ab", b"c"]),
        ("key=value;", "%[^=]=%[a-z]", 2, [b"key\0", b"value\0"]),
        ("12345", "%2d%*1d%d", 2, [12, 45]),
        ("1.5e3x", "%lf%c", 2, [1500.0, b"x"]),
        ("-inf 0x1p4", "%lf %lf", 2, [float("-inf"), 16.0]),
        ("x", "%d", 0, []),
        ("", "%d", EOF, []),
        ("  ", "%s", EOF, []),
        ("5", "%d %d", 1, [5]),
        ("50%", "%d%%", 1, [50]),
        ("99999999999", "%lld", 1, [99999999999]),
        ("00007FF612340000", "%p", 1, [0x7FF612340000]),
        ("w", "%S", 1, [b"w\0\0\0"]),
        ("]a", "%[]a]", 1, [b"]a\0"]),
    ],
)
def test_sscanf(text: str, template: str, result: int, stored: list[type_of_store]) -> None:
    """Conversions stop at what does not fit; EOF only when nothing was read."""
    store = Store()
    assert scan(template, TextSource(text), store) == result
    assert store.stored == stored


def test_secure_forms_take_a_size() -> None:
    """A text too long for its buffer ends the call and leaves an empty string."""
    store = Store(4, 3)
    assert scan("%s %s", TextSource("abc def"), store, options=ScanOptions.SECURECRT) == 1
    assert store.stored == [b"abc\0", b"\0"]


def test_wide_forms() -> None:
    """In a wide function `%s` stores a wide string by Windows' habit."""
    store = Store()
    assert scan("%s %hs", TextSource("é b"), store, wide=True) == 2
    assert store.stored == ["é\0".encode("utf-16-le"), b"b\0"]
