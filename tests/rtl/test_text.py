from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ntos.rtl import text

WIDE = st.text(alphabet=st.characters(exclude_categories=()), max_size=20)


def test_case_table_is_one_to_one() -> None:
    """Letters whose case pair does not lead back have no upper case to NT."""
    assert text.upcase("aß\u0131\u017fµÿǆ") == "Aß\u0131\u017fµŸǄ"
    assert text.upcase("\u1f80") == "\u1f88"
    assert text.downcase("\u0130\u0391\u03a3") == "\u0130\u03b1\u03c3"


def test_compare_is_by_code_unit() -> None:
    """A surrogate sorts below U+FFFD, as units do and code points do not."""
    assert text.compare("\U0001f600", "\ufffd") < 0
    assert text.compare_insensitive("ABC", "abd") == -1
    assert text.compare("ab", "abc") == -1


def test_hash() -> None:
    """RtlHashUnicodeString is x65599 over the (upper case) units."""
    assert text.hash_unicode_string("ab") == (0x61 * 65599 + 0x62) & 0xFFFFFFFF
    assert text.hash_unicode_string("Ab", ignore_case=True) == text.hash_unicode_string("AB")


@given(WIDE)
def test_lone_surrogates_survive(value: str) -> None:
    """Text goes to UTF-16 and back unit for unit."""
    data = text.to_utf16(value)
    assert text.to_utf16(text.from_utf16(data)) == data
    assert text.unit_count(value) * 2 == len(data)


@given(WIDE)
def test_upcase_is_idempotent(value: str) -> None:
    """Upper case has no further upper case, and the length never changes."""
    upper = text.upcase(value)
    assert text.upcase(upper) == upper
    assert len(upper) == len(value)
    assert text.equal_insensitive(value, upper)
