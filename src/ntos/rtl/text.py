"""Unicode strings as NT compares them: one code unit at a time, by a simple case table."""

from __future__ import annotations

import functools

HASH_ALGORITHM_X65599 = 1
"""HASH_STRING_ALGORITHM_X65599, which HASH_STRING_ALGORITHM_DEFAULT also selects."""


def from_utf16(data: bytes | bytearray | memoryview) -> str:
    """The text that little-endian UTF-16 bytes hold; lone surrogates survive, an odd last byte is dropped."""
    raw = bytes(data)
    return raw[: len(raw) & ~1].decode("utf-16-le", "surrogatepass")


def to_utf16(text: str) -> bytes:
    """The UTF-16 bytes of a text, lone surrogates included."""
    return text.encode("utf-16-le", "surrogatepass")


def unit_count(text: str) -> int:
    """How many WCHARs the text takes in memory: a character above U+FFFF takes two."""
    return len(text) + sum(character > "\uffff" for character in text)


def upcase(text: str) -> str:
    """The text in upper case, unit for unit (RtlUpcaseUnicodeString, towupper)."""
    return text.upper() if text.isascii() else text.translate(_upcase_table())


def downcase(text: str) -> str:
    """The text in lower case, unit for unit (RtlDowncaseUnicodeString)."""
    return text.lower() if text.isascii() else text.translate(_downcase_table())


def equal_insensitive(left: str, right: str) -> bool:
    """Whether two names are the same to NT (RtlEqualUnicodeString, case insensitive)."""
    return left == right or upcase(left) == upcase(right)


def compare(left: str, right: str, *, ignore_case: bool = False) -> int:
    """Negative, zero or positive: the difference of the first unlike units, else of the lengths.

    RtlCompareUnicodeString.
    """
    if ignore_case:
        left, right = upcase(left), upcase(right)
    if left == right:
        return 0
    first, second = _units(left), _units(right)
    for one, other in zip(first, second, strict=False):
        if one != other:
            return one - other
    return len(first) - len(second)


def compare_insensitive(left: str, right: str) -> int:
    """Compare without regard to case; see `compare`."""
    return compare(left, right, ignore_case=True)


def is_prefix(prefix: str, text: str, *, ignore_case: bool = False) -> bool:
    """Whether a text begins so (RtlPrefixUnicodeString)."""
    if ignore_case:
        return upcase(text).startswith(upcase(prefix))
    return text.startswith(prefix)


def hash_unicode_string(text: str, *, ignore_case: bool = False) -> int:
    """The x65599 hash that loader and object manager tables use (RtlHashUnicodeString)."""
    value = 0
    for unit in _units(upcase(text) if ignore_case else text):
        value = (value * 65599 + unit) & 0xFFFFFFFF
    return value


def case_key(text: str) -> str:
    """A key under which names that NT holds equal are equal, for dictionaries."""
    return upcase(text)


def _units(text: str) -> memoryview:
    return memoryview(to_utf16(text)).cast("H")


def _single(text: str, otherwise: int) -> int:
    return ord(text) if len(text) == 1 and text <= "\uffff" else otherwise


def _upper(code: int) -> int:
    text = chr(code)
    # Greek letters with iota subscript grow under full mapping; their simple upper case is the title form.
    return _single(text.upper(), _single(text.title(), code))


def _lower(code: int) -> int:
    return _single(chr(code).lower(), code)


# l_intl.nls keeps only pairs that lead back: U+0131, U+017F and U+00B5 have no upper case.
@functools.cache
def _upcase_table() -> dict[int, int]:
    pairs = ((code, _upper(code)) for code in range(0x10000))
    return {code: upper for code, upper in pairs if upper != code and _lower(upper) == code}


@functools.cache
def _downcase_table() -> dict[int, int]:
    pairs = ((code, _lower(code)) for code in range(0x10000))
    return {code: lower for code, lower in pairs if lower != code and _upper(lower) == code}
