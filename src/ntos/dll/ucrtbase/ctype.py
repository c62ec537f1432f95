"""Character classes beyond the leaf's C locale: wide characters, `_l` forms, tables, collation (ctype.h,
wctype.h).
"""

from __future__ import annotations

import struct

from ntos.abi.types import INT, PVOID, SIZE_T, USHORT
from ntos.dll.ucrtbase import locale as locales
from ntos.dll.ucrtbase.crt import crt, process_data
from ntos.dll.ucrtbase.strings import UNLIMITED, ascii_lower, load
from ntos.rtl.nls.characters import type1
from ntos.rtl.nls.collation import compare_string, sort_key
from ntos.rtl.text import downcase, upcase
from ntos.um.thread import UserThread

UPPER, LOWER, DIGIT, SPACE, PUNCT, CONTROL, BLANK, HEX, ALPHA = 1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x100
LETTER = ALPHA | UPPER | LOWER
DEFINED = UPPER | LOWER | DIGIT | SPACE | PUNCT | CONTROL | BLANK | HEX | ALPHA
CLASSES = {
    "upper": UPPER, "lower": LOWER, "digit": DIGIT, "space": SPACE, "punct": PUNCT, "cntrl": CONTROL,
    "xdigit": HEX, "alpha": LETTER, "alnum": LETTER | DIGIT, "graph": LETTER | DIGIT | PUNCT,
    "print": LETTER | DIGIT | PUNCT | BLANK,
}  # fmt: skip
"""Masks of `_isctype` (corecrt_wctype.h)."""
WEOF = 0xFFFF
IGNORE_CASE = 1


def class_of(unit: int) -> int:
    """The class bits of a wide character."""
    return 0 if unit == WEOF else type1(chr(unit)) & DEFINED


def narrow_class(page: int, character: int) -> int:
    """The class bits of a byte: ASCII's in the C locale, the code page's otherwise."""
    if not 0 <= character < 256 or (page in {0, locales.UTF8} and character >= 0x80):
        return 0
    text = locales.decode_with(page, bytes([character]))
    return class_of(ord(text)) if len(text) == 1 else 0


def _declare_wide(name: str, mask: int) -> None:
    def plain(thread: UserThread, character: USHORT) -> INT:
        """Whether a wide character is of the class."""
        return INT(class_of(character) & mask)

    def local(thread: UserThread, character: USHORT, locale: PVOID) -> INT:
        """The same in a locale."""
        return INT(class_of(character) & mask)

    def narrow_local(thread: UserThread, character: INT, locale: PVOID) -> INT:
        """Whether a byte is of the class in a locale."""
        return INT(narrow_class(locales.page_of_object(thread, locale), character) & mask)

    crt(name=f"isw{name}")(plain)
    crt(name=f"_isw{name}_l")(local)
    crt(name=f"_is{name}_l")(narrow_local)


for _name, _mask in CLASSES.items():
    _declare_wide(_name, _mask)


@crt(aliases=("is_wctype",))
def iswctype(thread: UserThread, character: USHORT, mask: USHORT) -> INT:
    """Whether a wide character has one of the classes."""
    return INT(class_of(character) & mask)


@crt
def _iswctype_l(thread: UserThread, character: USHORT, mask: USHORT, locale: PVOID) -> INT:
    """Iswctype in a locale."""
    return INT(class_of(character) & mask)


@crt
def _isctype(thread: UserThread, character: INT, mask: INT) -> INT:
    """Whether a byte has one of the classes."""
    return INT(narrow_class(locales.code_page(thread), character) & mask)


@crt
def _isctype_l(thread: UserThread, character: INT, mask: INT, locale: PVOID) -> INT:
    """_isctype in a locale."""
    return INT(narrow_class(locales.page_of_object(thread, locale), character) & mask)


@crt(dlls=("ucrtbase",))
def iswblank(thread: UserThread, character: USHORT) -> INT:
    """A blank or a tab."""
    return INT(BLANK if character == 9 else class_of(character) & BLANK)


@crt
def iswascii(thread: UserThread, character: USHORT) -> INT:
    """Whether it is below 0x80."""
    return INT(character < 0x80)


@crt
def isleadbyte(thread: UserThread, character: INT) -> INT:
    """Whether a byte begins a double-byte character: never in a single-byte page."""
    return INT(0)


@crt
def _isleadbyte_l(thread: UserThread, character: INT, locale: PVOID) -> INT:
    """Isleadbyte in a locale."""
    return INT(0)


@crt(dlls=("ucrtbase",))
def wctype(thread: UserThread, name: PVOID) -> USHORT:
    """The mask of a class by name."""
    return USHORT(CLASSES.get(load(thread, name, 1).decode("latin-1"), 0))


@crt
def towlower(thread: UserThread, character: USHORT) -> USHORT:
    """Lower case: ASCII's in the C locale."""
    return USHORT(_folded(thread, character, upper=False))


@crt
def towupper(thread: UserThread, character: USHORT) -> USHORT:
    """Upper case: ASCII's in the C locale."""
    return USHORT(_folded(thread, character, upper=True))


@crt
def _towlower_l(thread: UserThread, character: USHORT, locale: PVOID) -> USHORT:
    """Towlower in a locale."""
    return USHORT(_folded(thread, character, upper=False))


@crt
def _towupper_l(thread: UserThread, character: USHORT, locale: PVOID) -> USHORT:
    """Towupper in a locale."""
    return USHORT(_folded(thread, character, upper=True))


def _folded(thread: UserThread, character: int, *, upper: bool) -> int:
    if (character >= 0x80 and locales.code_page(thread) == 0) or character == WEOF:
        return character
    result = (upcase if upper else downcase)(chr(character))
    return ord(result)


@crt
def _tolower_l(thread: UserThread, character: INT, locale: PVOID) -> INT:
    """Tolower in a locale."""
    return INT(character + 32 if 65 <= character <= 90 else character)


@crt
def _toupper_l(thread: UserThread, character: INT, locale: PVOID) -> INT:
    """Toupper in a locale."""
    return INT(character - 32 if 97 <= character <= 122 else character)


def class_table(thread: UserThread) -> int:
    """The class table: one word for EOF, 256 for the bytes."""
    data = process_data(thread)
    place = data.address + data.offset("pctype")
    page = locales.code_page(thread)
    words = [0] + [narrow_class(page, byte) for byte in range(256)]
    thread.memory.write(place, struct.pack("<257H", *words))
    return place + 2


@crt
def __pctype_func(thread: UserThread) -> PVOID:
    """The class table that the header's macros look into."""
    return PVOID(class_table(thread))


@crt
def __pwctype_func(thread: UserThread) -> PVOID:
    """The class table of wide characters (its first 256)."""
    return PVOID(class_table(thread))


# ------------------------------------------------------------------------------ collation


def collate(thread: UserThread, left: int, right: int, unit: int, count: int, *, ignore_case: bool) -> int:
    """The order of two strings: by value in the C locale, by the language's rules otherwise."""
    state = thread.state(locales.Locale)
    a, b = (load(thread, address, unit, count) for address in (left, right))
    if unit == 1:
        page = locales.code_page_of(state.names[locales.LC_COLLATE])
        texts = [locales.decode_with(page, data) for data in (a, b)]
    else:
        texts = [data.decode("utf-16-le", "surrogatepass") for data in (a, b)]
    if state.names[locales.LC_COLLATE] == locales.C:
        if ignore_case:
            texts = [ascii_lower(text) for text in texts]
        return (texts[0] > texts[1]) - (texts[0] < texts[1])
    return compare_string(texts[0], texts[1], IGNORE_CASE if ignore_case else 0)


def _declare_collation(names: tuple[str, ...], unit: int, *, ignore_case: bool) -> None:
    def plain(thread: UserThread, left: PVOID, right: PVOID) -> INT:
        """The order of two strings in the locale."""
        return INT(collate(thread, left, right, unit, UNLIMITED, ignore_case=ignore_case))

    def counted(thread: UserThread, left: PVOID, right: PVOID, count: SIZE_T) -> INT:
        """The order of so many characters in the locale."""
        return INT(collate(thread, left, right, unit, count, ignore_case=ignore_case))

    crt(name=names[0], aliases=names[1:-2])(plain)
    crt(name=names[-2], aliases=names[-1:])(counted)


_declare_collation(("strcoll", "_strcoll_l", "_strncoll", "_strncoll_l"), 1, ignore_case=False)
_declare_collation(("wcscoll", "_wcscoll_l", "_wcsncoll", "_wcsncoll_l"), 2, ignore_case=False)
_declare_collation(("_stricoll", "_stricoll_l", "_strnicoll", "_strnicoll_l"), 1, ignore_case=True)
_declare_collation(("_wcsicoll", "_wcsicoll_l", "_wcsnicoll", "_wcsnicoll_l"), 2, ignore_case=True)


def _declare_folding(names: tuple[str, str], unit: int) -> None:
    def plain(thread: UserThread, left: PVOID, right: PVOID, locale: PVOID) -> INT:
        """The order of two strings, case ignored."""
        return INT(_folded_order(thread, left, right, unit, UNLIMITED))

    def counted(thread: UserThread, left: PVOID, right: PVOID, count: SIZE_T, locale: PVOID) -> INT:
        """The order of so many characters, case ignored."""
        return INT(_folded_order(thread, left, right, unit, count))

    crt(name=names[0])(plain)
    crt(name=names[1])(counted)


def _folded_order(thread: UserThread, left: int, right: int, unit: int, count: int) -> int:
    encoding = "latin-1" if unit == 1 else "utf-16-be"
    order = []
    for address in (left, right):
        data = load(thread, address, unit, count)
        text = data.decode("latin-1") if unit == 1 else data.decode("utf-16-le", "surrogatepass")
        order.append(ascii_lower(text).encode(encoding, "surrogatepass"))
    return (order[0] > order[1]) - (order[0] < order[1])


_declare_folding(("_stricmp_l", "_strnicmp_l"), 1)
_declare_folding(("_wcsicmp_l", "_wcsnicmp_l"), 2)


def _transformed(thread: UserThread, target: int, source: int, count: int, unit: int) -> int:
    data = load(thread, source, unit)
    if thread.state(locales.Locale).names[locales.LC_COLLATE] != locales.C:
        text = locales.decode(thread, data) if unit == 1 else data.decode("utf-16-le", "surrogatepass")
        key = sort_key(text).rstrip(b"\0")
        data = key if unit == 1 else b"".join(bytes([byte, 0]) for byte in key)
    length = len(data) // unit
    if target and count > length:
        thread.memory.write(target, data + bytes(unit))
    elif target and count:
        thread.memory.write(target, bytes(unit))
    return length


@crt(aliases=("_strxfrm_l",))
def strxfrm(thread: UserThread, target: PVOID, source: PVOID, count: SIZE_T) -> SIZE_T:
    """A key that strcmp orders as strcoll orders the string."""
    return SIZE_T(_transformed(thread, target, source, count, 1))


@crt(aliases=("_wcsxfrm_l",))
def wcsxfrm(thread: UserThread, target: PVOID, source: PVOID, count: SIZE_T) -> SIZE_T:
    """A key that wcscmp orders as wcscoll orders the string."""
    return SIZE_T(_transformed(thread, target, source, count, 2))
