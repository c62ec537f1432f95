"""Locales: setlocale, localeconv, and the code page that narrow text is in (locale.h).

The "C" locale maps bytes to the first 256 characters; a named locale takes its code page. Case and collation
of the named locales come from `rtl.nls`. `_locale_t` objects are heap blocks that hold the name.
"""

from __future__ import annotations

import re
import struct

from ntos.abi.memory import read_string
from ntos.abi.pointer import Ptr
from ntos.abi.types import CHAR, INT, PVOID, UINT, WCHAR
from ntos.dll.ucrtbase.crt import CrtError, allocate, crt, narrow, process_data, release, wide
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.rtl.nls import codepage
from ntos.rtl.nls import locale as nls
from ntos.um.thread import UserThread

LC_ALL, LC_COLLATE, LC_CTYPE, LC_MONETARY, LC_NUMERIC, LC_TIME = range(6)
CATEGORIES = ("LC_COLLATE", "LC_CTYPE", "LC_MONETARY", "LC_NUMERIC", "LC_TIME")
C = "C"
UTF8 = 65001
DEFAULT_NAME = "English_United States.1252"


class Locale:
    """The process's locale: one name a category."""

    def __init__(self) -> None:
        self.names = dict.fromkeys(range(1, 6), C)

    @property
    def code_page(self) -> int:
        """LC_CTYPE's code page, 0 for "C"."""
        return code_page_of(self.names[LC_CTYPE])


def code_page_of(name: str) -> int:
    """The code page a locale's name says."""
    if name == C:
        return 0
    page = name.rpartition(".")[2] if "." in name else ""
    if page.lower() in {"utf8", "utf-8"}:
        return UTF8
    if page.upper() in {"ACP", ""}:
        return codepage.ANSI
    if page.upper() == "OCP":
        return codepage.OEM
    return int(page) if page.isdigit() else codepage.ANSI


def code_page(thread: UserThread) -> int:
    """LC_CTYPE's code page, 0 for "C"."""
    return thread.state(Locale).code_page


def encode_with(page: int, text: str) -> bytes | None:
    """The bytes of a text in a code page; None where it has none."""
    if page == 0:
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError:
            return None
    encoded = codepage.to_multi(text, page) if page != UTF8 else None
    if encoded is None:
        return text.encode("utf-8", "surrogatepass")
    return None if encoded.used_default else encoded.data


def decode_with(page: int, data: bytes) -> str:
    """The text of bytes in a code page."""
    return data.decode("latin-1") if page == 0 else codepage.to_wide(data, page)


def encode(thread: UserThread, text: str) -> bytes | None:
    """The bytes of a text in the process's locale."""
    return encode_with(code_page(thread), text)


def decode(thread: UserThread, data: bytes) -> str:
    """The text of bytes in the process's locale."""
    return decode_with(code_page(thread), data)


def maximum_bytes(page: int) -> int:
    """MB_CUR_MAX."""
    return 4 if page == UTF8 else 1 if page == 0 else codepage.information(page).maximum_size


def _resolved(name: str) -> str:
    """A locale's full name as setlocale gives it back; CrtError where there is none of that name."""
    if name in {C, "POSIX"}:
        return C
    if not name:
        return DEFAULT_NAME
    if name.startswith("."):
        page = name[1:]
        if page.lower() in {"utf8", "utf-8"} or page.upper() in {"ACP", "OCP"} or page.isdigit():
            page = {"ACP": str(codepage.ANSI), "OCP": str(codepage.OEM)}.get(page.upper(), page)
            return f"English_United States.{page}"
    base, _, page = name.partition(".")
    if re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,4})*", base) and "_" not in base:
        if not nls.locale_text(base, 0x5C):
            raise CrtError(ERRNO.EINVAL)
        return name
    known = {"english", "english_united states", "english_us", "american", "usa", "us", "enu", "en_us"}
    if base.lower().replace("-", "_") in known:
        return f"English_United States.{page or codepage.ANSI}"
    raise CrtError(ERRNO.EINVAL)


def _description(state: Locale, category: int) -> str:
    if category != LC_ALL:
        return state.names[category]
    if len(set(state.names.values())) == 1:
        return state.names[1]
    return ";".join(f"{label}={state.names[index]}" for index, label in enumerate(CATEGORIES, 1))


def change(thread: UserThread, category: int, name: str | None) -> str:
    """Set a category's locale (None only asks); gives its name."""
    state = thread.state(Locale)
    if not LC_ALL <= category <= LC_TIME:
        raise CrtError(ERRNO.EINVAL)
    if name is None:
        return _description(state, category)
    if category == LC_ALL and "=" in name:
        parts = dict(part.partition("=")[::2] for part in name.split(";"))
        chosen = {index: _resolved(parts[label]) for index, label in enumerate(CATEGORIES, 1) if label in parts}
    else:
        targets = range(1, 6) if category == LC_ALL else (category,)
        chosen = dict.fromkeys(targets, _resolved(name))
    state.names.update(chosen)
    return _description(state, category)


@crt(fails=0)
def setlocale(thread: UserThread, category: INT, locale: Ptr[CHAR] | None) -> PVOID:
    """Set or ask for a locale; its name, or NULL where there is none such."""
    name = change(thread, category, None if locale is None else narrow(locale).decode("latin-1"))
    data = process_data(thread)
    place = data.address + data.offset("locale_name")
    thread.memory.write(place, name.encode("latin-1")[:255] + b"\0")
    return PVOID(place)


@crt(fails=0)
def _wsetlocale(thread: UserThread, category: INT, locale: Ptr[WCHAR] | None) -> PVOID:
    """Set or ask for a locale; its name, or NULL where there is none such."""
    name = change(thread, category, None if locale is None else wide(locale))
    data = process_data(thread)
    place = data.address + data.offset("wide_locale_name")
    thread.memory.write(place, name.encode("utf-16-le")[:510] + b"\0\0")
    return PVOID(place)


@crt
def localeconv(thread: UserThread) -> PVOID:
    """Numeric and monetary conventions: `struct lconv`, narrow members then wide ones."""
    data = process_data(thread)
    place, text = data.address + data.offset("lconv"), data.address + data.offset("lconv_text")
    state = thread.state(Locale)
    named, money = state.names[LC_NUMERIC] != C, state.names[LC_MONETARY] != C
    narrow_texts = [".", "," if named else "", "\3" if named else "", *_money_texts(money=money)]
    content, pointers = bytearray(), []
    for item in narrow_texts:
        pointers.append(text + len(content))
        content += item.encode("latin-1") + b"\0"
    content += bytes(len(content) % 2)
    wide_pointers = []
    for index in (0, 1, 3, 4, 5, 6, 8, 9):
        wide_pointers.append(text + len(content))
        content += narrow_texts[index].encode("utf-16-le") + b"\0\0"
    numbers = bytes([2, 2, 1, 0, 1, 0, 0, 0] if money else [127] * 8)
    thread.memory.write(text, bytes(content))
    thread.memory.write(place, struct.pack("<10Q8s8Q", *pointers, numbers, *wide_pointers))
    return PVOID(place)


def _money_texts(*, money: bool) -> list[str]:
    """int_curr_symbol, currency_symbol, mon_decimal_point, mon_thousands_sep, mon_grouping, signs."""
    return ["USD", "$", ".", ",", "\3", "", "-"] if money else [""] * 7


@crt
def ___lc_codepage_func(thread: UserThread) -> UINT:
    """The code page of LC_CTYPE."""
    return UINT(code_page(thread))


@crt
def ___lc_collate_cp_func(thread: UserThread) -> UINT:
    """The code page of LC_COLLATE."""
    return UINT(code_page_of(thread.state(Locale).names[LC_COLLATE]))


@crt
def ___mb_cur_max_func(thread: UserThread) -> INT:
    """MB_CUR_MAX."""
    return INT(maximum_bytes(code_page(thread)))


@crt
def ___mb_cur_max_l_func(thread: UserThread, locale: PVOID) -> INT:
    """MB_CUR_MAX of a locale."""
    return INT(maximum_bytes(page_of_object(thread, locale)))


def page_of_object(thread: UserThread, locale: int) -> int:
    """The code page of a `_locale_t`; the process's where it is NULL."""
    if not locale:
        return code_page(thread)
    return code_page_of(read_string(thread.memory, locale + 0x20, 256).decode("latin-1"))


@crt(fails=0)
async def _create_locale(thread: UserThread, category: INT, locale: Ptr[CHAR]) -> PVOID:
    """A locale object of that name."""
    name = _resolved(narrow(locale).decode("latin-1"))
    block = await allocate(thread, 0x120)
    thread.memory.write(block + 0x20, name.encode("latin-1")[:254] + b"\0")
    return PVOID(block)


@crt(fails=0)
async def _wcreate_locale(thread: UserThread, category: INT, locale: Ptr[WCHAR]) -> PVOID:
    """A locale object of that name."""
    name = _resolved(wide(locale))
    block = await allocate(thread, 0x120)
    thread.memory.write(block + 0x20, name.encode("latin-1")[:254] + b"\0")
    return PVOID(block)


@crt
async def _get_current_locale(thread: UserThread) -> PVOID:
    """A locale object for what setlocale set."""
    block = await allocate(thread, 0x120)
    name = thread.state(Locale).names[LC_CTYPE]
    thread.memory.write(block + 0x20, name.encode("latin-1")[:254] + b"\0")
    return PVOID(block)


@crt
async def _free_locale(thread: UserThread, locale: PVOID) -> None:
    """Free a locale object."""
    await release(thread, locale)


@crt
def _lock_locales(thread: UserThread) -> None:
    """The lock on locales: one Python call changes them, so there is nothing to wait for."""


@crt
def _unlock_locales(thread: UserThread) -> None:
    """The lock on locales, given back."""


@crt
def _getmbcp(thread: UserThread) -> INT:
    """The multibyte code page: 0, a single-byte one."""
    return INT(0)


@crt(partial="only single-byte code pages")
def _setmbcp(thread: UserThread, codepage: INT) -> INT:
    """Choose the multibyte code page."""
    return INT(0 if codepage in {0, -2, -3, -4, 1252, 437, 850} else -1)
