"""Names of privileges (winbase.h, LookupPrivilegeValue)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Ptr
from ntos.abi.se import PRIVILEGE_NAMES
from ntos.abi.types import BOOL, DWORD, ULONGLONG, WCHAR
from ntos.dll.kernelbase.text import encoded, export_both, is_narrow, text_of
from ntos.um.export import WinError
from ntos.um.thread import UserThread

_NUMBERS = {name.lower(): number for number, name in PRIVILEGE_NAMES.items()}


@export_both()
def LookupPrivilegeValueW(
    thread: UserThread, lpSystemName: Ptr[WCHAR] | None, lpName: Ptr[WCHAR], lpLuid: Ptr[ULONGLONG]
) -> BOOL:
    """The LUID of a privilege by name."""
    number = _NUMBERS.get(text_of(lpName).lower())
    if number is None:
        raise WinError(ERROR.NO_SUCH_PRIVILEGE)
    lpLuid.write(number)
    return BOOL(1)


@export_both()
def LookupPrivilegeNameW(
    thread: UserThread, lpSystemName: Ptr[WCHAR] | None, lpLuid: Ptr[ULONGLONG], lpName: Ptr[WCHAR], cchName: Ptr[DWORD]
) -> BOOL:
    """The name of a privilege by LUID."""
    name = PRIVILEGE_NAMES.get(int(lpLuid.read()))
    if name is None:
        raise WinError(ERROR.NO_SUCH_PRIVILEGE)
    data, unit = encoded(lpName, name), 1 if is_narrow(lpName) else 2
    if int(cchName.read()) <= len(name):
        cchName.write(len(name) + 1)
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    lpName.write_bytes(data + bytes(unit))
    cchName.write(len(name))
    return BOOL(1)
