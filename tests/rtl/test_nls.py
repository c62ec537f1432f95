from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntos.abi.status import NtError
from ntos.rtl.error import nt_status_to_dos_error
from ntos.rtl.nls import codepage, collation, locale, mapping, pictures
from ntos.rtl.nls.characters import string_type
from ntos.rtl.nls.pictures import NumberFormat
from ntos.rtl.time import Fields

MOMENT = Fields(2024, 3, 5, 14, 7, 9)


def failure(error: NtError) -> int:
    return nt_status_to_dos_error(int(error.status))


def test_every_byte_of_1252_has_a_character() -> None:
    """The five holes of code page 1252 are C1 controls, both ways."""
    data = bytes(range(256))
    text = codepage.to_wide(data, 1252, codepage.MB_ERR_INVALID_CHARS)
    assert text[0x80] == "\u20ac"
    assert text[0x81] == "\x81"
    assert codepage.to_multi(text, 1252) == (data, False)


def test_best_fit() -> None:
    """A near character stands in unless the caller forbids it, and does not count as the default."""
    assert codepage.to_multi("Ā\uff21∞", 1252) == (b"AA8", False)
    assert codepage.to_multi("Ā", 1252, codepage.WC_NO_BEST_FIT_CHARS) == (b"?", True)
    assert codepage.to_multi("a\u4e00", 1252, 0, b"!") == (b"a!", True)
    assert codepage.to_multi("\U0001f600", 1252) == (b"??", True)


def test_utf8() -> None:
    """Ill-formed UTF-8 becomes U+FFFD, or ERROR_NO_UNICODE_TRANSLATION when asked for."""
    assert codepage.to_wide(b"a\xffb\xe2\x82", codepage.CP_UTF8) == "a\ufffdb\ufffd"
    assert codepage.to_multi("\ud800x", codepage.CP_UTF8).data == b"\xef\xbf\xbdx"
    with pytest.raises(NtError) as caught:
        codepage.to_wide(b"\xff", codepage.CP_UTF8, codepage.MB_ERR_INVALID_CHARS)
    assert failure(caught.value) == 1113
    with pytest.raises(NtError) as caught:
        codepage.to_multi("x", codepage.CP_UTF8, 0, b"?")
    assert failure(caught.value) == 87
    with pytest.raises(NtError) as caught:
        codepage.to_wide(b"x", codepage.CP_UTF8, codepage.MB_PRECOMPOSED)
    assert failure(caught.value) == 1004


def test_double_byte_pages() -> None:
    """A lead byte takes its trail byte with it."""
    assert codepage.to_wide(b"\x83\x65a", 932) == "テa"
    assert codepage.is_lead_byte(0x83, 932)
    assert not codepage.is_lead_byte(0xB1, 932)
    assert codepage.information(936).lead_bytes == b"\x81\xfe"
    assert codepage.to_wide(b"\x81\x00a", 932) == "・a"


@pytest.mark.parametrize("page", [1200, 12345])
def test_unknown_pages(page: int) -> None:
    """UTF-16 is no code page for conversions, nor is an unknown number."""
    assert not codepage.is_valid(page)
    with pytest.raises(NtError):
        codepage.to_wide(b"", page)


@given(st.binary(max_size=20), st.sampled_from([437, 1252, 1251, 28591, 850]))
def test_single_byte_round_trip(data: bytes, page: int) -> None:
    """Bytes survive the way to UTF-16 and back."""
    assert codepage.to_multi(codepage.to_wide(data, page), page).data == data


@given(
    st.text(alphabet=st.characters(exclude_categories=()), max_size=10), st.sampled_from([1252, 932, 65001])
)
def test_every_text_has_bytes(text: str, page: int) -> None:
    """No text makes a conversion fail unless the flags ask for it."""
    codepage.to_multi(text, page)


def test_character_types() -> None:
    """CT_CTYPE1 of ASCII is what isupper and its like are made of."""
    assert string_type(1, "A1 \tz$é\u4e00") == [
        0x381, 0x284, 0x248, 0x268, 0x302, 0x210, 0x302, 0x300,
    ]  # fmt: skip
    assert string_type(2, "a1 א") == [1, 3, 10, 2]
    assert string_type(4, "\U0001f600") == [0x800, 0x1000]


def test_linguistic_order() -> None:
    """Symbols, digits, letters; then accents, then case; hyphens last."""
    words = ["co-op", "COOP", "coop", "cop", "résumé", "resume", "Resume", "1", "a", "A", "_", "b", "ab"]
    assert sorted(words, key=collation.sort_key) == [
        "_", "1", "a", "A", "ab", "b", "coop", "co-op", "COOP", "cop", "resume", "Resume", "résumé",
    ]  # fmt: skip


def test_compare_flags() -> None:
    """Each flag leaves one level out."""
    assert collation.compare_string("ABC", "abc", 1) == 2
    assert collation.compare_string("ABC", "abc") == 3
    assert collation.compare_string("résumé", "resume", 2) == 2
    assert collation.compare_string("a b", "ab", 4) == 2
    assert collation.compare_string("co-op", "coop") == 3
    assert collation.compare_string("co-op", "coop", 0x1000) == 1
    assert collation.compare_string("file10", "file9") == 1
    assert collation.compare_string("file10", "file9", 8) == 3
    assert collation.compare_ordinal("a", "B") == 3
    assert collation.compare_ordinal("a", "B", ignore_case=True) == 1
    assert collation.find_string("xRésumé", "resume", 3) == (1, 6)


@given(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8))
def test_order_is_transitive(one: str, two: str, three: str) -> None:
    """Sort keys order as CompareString does."""
    ranked = sorted((one, two, three), key=collation.sort_key)
    assert collation.compare_string(ranked[0], ranked[2]) <= 2


def test_map_string() -> None:
    """LCMapString changes case, width and kana."""
    assert mapping.map_string("straße", mapping.MapFlags.UPPERCASE) == "STRAßE"
    assert mapping.map_string("o'neil ab", mapping.MapFlags.TITLECASE) == "O'neil Ab"
    assert mapping.map_string("a 1", mapping.MapFlags.FULLWIDTH) == "\uff41\u3000\uff11"
    assert mapping.map_string("\uff41ア", mapping.MapFlags.HALFWIDTH) == "aｱ"
    assert mapping.map_string("あ", mapping.MapFlags.KATAKANA) == "ア"
    assert mapping.map_string("a", mapping.MapFlags.SORTKEY) == collation.sort_key("a")
    with pytest.raises(NtError):
        mapping.map_string("a", 0)


def test_locale_information() -> None:
    """The user's locale is en-US, and numbers come as text or as numbers."""
    assert locale.locale_text(None, 0x5C) == "en-US"
    assert locale.locale_text("", 0x1F) == "MM/dd/yyyy"
    assert locale.locale_number("en-us", 0x1004 | locale.LOCALE_RETURN_NUMBER) == 1252
    assert locale.locale_number(None, 1) == 0x409
    assert locale.locale_text(None, 0x2A) == "Monday"
    assert locale.name_of_lcid(0x400) == "en-US"
    with pytest.raises(NtError):
        locale.locale_text("xx-YY", 0x5C)


def test_dates_and_times() -> None:
    """Pictures are filled in; flags take parts of the time away."""
    assert pictures.format_date(MOMENT) == "3/5/2024"
    assert pictures.format_date(MOMENT, flags=pictures.DATE_LONGDATE) == "Tuesday, March 5, 2024"
    assert pictures.format_date(MOMENT, "dd'of' MMM yy ddd") == "05of Mar 24 Tue"
    assert pictures.format_time(MOMENT) == "2:07:09 PM"
    assert pictures.format_time(MOMENT, flags=pictures.TIME_NOSECONDS) == "2:07 PM"
    assert pictures.format_time(MOMENT, flags=pictures.TIME_FORCE24HOURFORMAT) == "14:07:09"
    assert pictures.format_time(MOMENT, "HH.mm.ss t") == "14.07.09 P"
    with pytest.raises(NtError):
        pictures.format_date(Fields(2023, 2, 29))


def test_numbers() -> None:
    """Numbers are rounded, grouped and signed by the locale."""
    assert pictures.format_number("-1234567.895") == "-1,234,567.90"
    assert pictures.format_number("0.5", NumberFormat(digits=1, leading_zero=False)) == ".5"
    assert pictures.format_number("123456789", NumberFormat(digits=0, grouping=32)) == "12,34,56,789"
    assert pictures.format_number("1234567", NumberFormat(digits=0, grouping=30)) == "1234,567"
    assert pictures.format_currency("-1234.5") == "($1,234.50)"
