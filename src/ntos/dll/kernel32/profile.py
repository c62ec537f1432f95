"""Initialization files (winbase.h, GetPrivateProfile… and their kin); the text is `rtl.profile`'s.

A name without a folder is a file of the Windows directory, and no name is win.ini there. The mapping of such files
into the registry (IniFileMapping) is not looked at: no key of ours asks for one.
"""

from __future__ import annotations

import re

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, DWORD, INT, PVOID, UINT, WCHAR
from ntos.dll.kernel32.profile_file import load, store
from ntos.dll.kernelbase.text import encoded, export_both, is_narrow, optional_text, put_cut, text_of
from ntos.rtl.profile import unquoted
from ntos.um.export import WinError, set_last_error
from ntos.um.thread import UserThread

NUMBER = re.compile(r"\s*([+-]?)(0[xX][0-9A-Fa-f]+|[0-9]+)")
WIN_INI = "win.ini"


def _put_list(pointer: Ptr[WCHAR], size: int, texts: list[str]) -> int:
    """Texts, each with its NUL, and one more NUL; a list that is too long ends in two NULs: size - 2."""
    unit = 1 if is_narrow(pointer) else 2
    data = encoded(pointer, "".join(text + "\0" for text in texts) or "\0")
    length = len(data) // unit
    if length < size:
        pointer.write_bytes(data + bytes(unit))
        return length if texts else 0
    if size < 2:
        return put_cut(pointer, size, "")
    pointer.write_bytes(data[: (size - 2) * unit] + bytes(2 * unit))
    return size - 2


async def _string(
    thread: UserThread, section: str | None, key: str | None, default: str, buffer: Ptr[WCHAR], size: int, file: str
) -> DWORD:
    profile = await load(thread, file)
    if section is None or key is None:
        names = profile.sections() if section is None else profile.keys(section)
        return DWORD(_put_list(buffer, size, names))
    value = profile.value(section, key)
    set_last_error(thread, ERROR.FILE_NOT_FOUND if value is None else ERROR.SUCCESS)
    return DWORD(put_cut(buffer, size, default.rstrip(" ") if value is None else unquoted(value)))


async def _integer(thread: UserThread, section: str, key: str, default: int, file: str) -> UINT:
    value = (await load(thread, file)).value(section, key)
    if value is None:
        return UINT(default & 0xFFFF_FFFF)
    found = NUMBER.match(unquoted(value))
    number = int(found[2], 16 if found[2][:2].lower() == "0x" else 10) if found else 0
    return UINT((-number if found and found[1] == "-" else number) & 0xFFFF_FFFF)


async def _write(thread: UserThread, section: str | None, key: str | None, value: str | None, file: str) -> BOOL:
    if section is None:
        return BOOL(0)  # all NULL: the cache is flushed, and that is told as failure
    profile = await load(thread, file)
    if key is None:
        profile.replace(section, None)
    else:
        profile.set(section, key, value)
    await store(thread, file, profile)
    return BOOL(1)


@export_both()
async def GetPrivateProfileStringW(
    thread: UserThread,
    lpAppName: Ptr[WCHAR] | None,
    lpKeyName: Ptr[WCHAR] | None,
    lpDefault: Ptr[WCHAR] | None,
    lpReturnedString: Ptr[WCHAR],
    nSize: DWORD,
    lpFileName: Ptr[WCHAR] | None,
) -> DWORD:
    """An entry's value, or the names of a section's entries, or of all sections."""
    section, key = optional_text(lpAppName), optional_text(lpKeyName)
    file = optional_text(lpFileName) or WIN_INI
    return await _string(thread, section, key, text_of(lpDefault), lpReturnedString, nSize, file)


@export_both()
async def GetProfileStringW(
    thread: UserThread,
    lpAppName: Ptr[WCHAR] | None,
    lpKeyName: Ptr[WCHAR] | None,
    lpDefault: Ptr[WCHAR] | None,
    lpReturnedString: Ptr[WCHAR],
    nSize: DWORD,
) -> DWORD:
    """The same from win.ini."""
    section, key = optional_text(lpAppName), optional_text(lpKeyName)
    return await _string(thread, section, key, text_of(lpDefault), lpReturnedString, nSize, WIN_INI)


@export_both()
async def GetPrivateProfileIntW(
    thread: UserThread, lpAppName: Ptr[WCHAR], lpKeyName: Ptr[WCHAR], nDefault: INT, lpFileName: Ptr[WCHAR] | None
) -> UINT:
    """An entry's value as a number; 0 where it does not begin with one."""
    file = optional_text(lpFileName) or WIN_INI
    return await _integer(thread, text_of(lpAppName), text_of(lpKeyName), nDefault, file)


@export_both()
async def GetProfileIntW(thread: UserThread, lpAppName: Ptr[WCHAR], lpKeyName: Ptr[WCHAR], nDefault: INT) -> UINT:
    """The same from win.ini."""
    return await _integer(thread, text_of(lpAppName), text_of(lpKeyName), nDefault, WIN_INI)


@export_both()
async def GetPrivateProfileSectionW(
    thread: UserThread,
    lpAppName: Ptr[WCHAR],
    lpReturnedString: Ptr[WCHAR],
    nSize: DWORD,
    lpFileName: Ptr[WCHAR] | None,
) -> DWORD:
    """All `key=value` lines of a section."""
    profile = await load(thread, optional_text(lpFileName) or WIN_INI)
    return DWORD(_put_list(lpReturnedString, nSize, profile.entries(text_of(lpAppName))))


@export_both()
async def GetPrivateProfileSectionNamesW(
    thread: UserThread, lpszReturnBuffer: Ptr[WCHAR], nSize: DWORD, lpFileName: Ptr[WCHAR] | None
) -> DWORD:
    """The names of all sections."""
    profile = await load(thread, optional_text(lpFileName) or WIN_INI)
    return DWORD(_put_list(lpszReturnBuffer, nSize, profile.sections()))


@export_both()
async def WritePrivateProfileStringW(
    thread: UserThread,
    lpAppName: Ptr[WCHAR] | None,
    lpKeyName: Ptr[WCHAR] | None,
    lpString: Ptr[WCHAR] | None,
    lpFileName: Ptr[WCHAR] | None,
) -> BOOL:
    """Set an entry; without a value take it away, without a key the whole section."""
    section, key, value = optional_text(lpAppName), optional_text(lpKeyName), optional_text(lpString)
    return await _write(thread, section, key, value, optional_text(lpFileName) or WIN_INI)


@export_both()
async def WriteProfileStringW(
    thread: UserThread, lpAppName: Ptr[WCHAR] | None, lpKeyName: Ptr[WCHAR] | None, lpString: Ptr[WCHAR] | None
) -> BOOL:
    """The same in win.ini."""
    return await _write(thread, optional_text(lpAppName), optional_text(lpKeyName), optional_text(lpString), WIN_INI)


@export_both()
async def WritePrivateProfileSectionW(
    thread: UserThread, lpAppName: Ptr[WCHAR], lpString: Ptr[WCHAR] | None, lpFileName: Ptr[WCHAR] | None
) -> BOOL:
    """Replace a section by a list of `key=value` texts; without a list take it away."""
    file = optional_text(lpFileName) or WIN_INI
    profile = await load(thread, file)
    entries = None if not lpString else _list_of(lpString)
    profile.replace(text_of(lpAppName), entries)
    await store(thread, file, profile)
    return BOOL(1)


def _list_of(pointer: Ptr[WCHAR]) -> list[str]:
    """NUL-terminated texts up to an empty one."""
    found: list[str] = []
    at = pointer
    while text := text_of(at):
        found.append(text)
        at = type(pointer)(pointer.memory, at.address + len(encoded(pointer, text + "\0")))
    return found


@export_both()
async def GetPrivateProfileStructW(
    thread: UserThread,
    lpszSection: Ptr[WCHAR],
    lpszKey: Ptr[WCHAR],
    lpStruct: PVOID,
    uSizeStruct: UINT,
    szFile: Ptr[WCHAR] | None,
) -> BOOL:
    """Bytes kept as hexadecimal digits, with one more for their sum."""
    profile = await load(thread, optional_text(szFile) or WIN_INI)
    value = profile.value(text_of(lpszSection), text_of(lpszKey)) or ""
    if len(value) != 2 * uSizeStruct + 2:
        raise WinError(ERROR.BAD_LENGTH)
    try:
        data = bytes.fromhex(value)
    except ValueError:
        raise WinError(ERROR.INVALID_DATA) from None
    if sum(data[:-1]) & 0xFF != data[-1]:
        raise WinError(ERROR.INVALID_DATA)
    thread.memory.write(lpStruct, data[:-1])
    return BOOL(1)


@export_both()
async def WritePrivateProfileStructW(
    thread: UserThread,
    lpszSection: Ptr[WCHAR],
    lpszKey: Ptr[WCHAR] | None,
    lpStruct: PVOID,
    uSizeStruct: UINT,
    szFile: Ptr[WCHAR] | None,
) -> BOOL:
    """Keep bytes in an entry; without bytes take it away."""
    value = None
    if lpStruct:
        data = thread.memory.read(lpStruct, uSizeStruct)
        value = (data + bytes([sum(data) & 0xFF])).hex().upper()
    file = optional_text(szFile) or WIN_INI
    return await _write(thread, text_of(lpszSection), optional_text(lpszKey), value, file)
