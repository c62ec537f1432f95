r"""Window stations and desktops: names become paths below `\Sessions\N\Windows\WindowStations`."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from ntos.abi.errors import ERROR
from ntos.abi.memory import read_wide
from ntos.abi.pointer import Code, Ptr
from ntos.abi.types import ACCESS_MASK, BOOL, CHAR, DWORD, HANDLE, INT, LONG_PTR, PVOID, WCHAR
from ntos.dll.kernelbase.text import export_both, text_of
from ntos.rtl.nls.codepage import to_ansi
from ntos.um import nt
from ntos.um.export import WinError, export
from ntos.um.thread import Frame, UserThread

OBJ_INHERIT, OBJ_CASE_INSENSITIVE, OBJ_OPENIF = 0x2, 0x40, 0x80
UOI_NAME, UOI_TYPE = 2, 3
CWF_CREATE_ONLY = 1
BUFFER_TOO_SMALL = 0xC000_0023
ROOM = 0x400


def _attributes(frame: Frame, name: str | None, root: int, flags: int, descriptor: int = 0) -> int:
    text = frame.unicode_string(name) if name is not None else 0
    return frame.bytes(struct.pack("<I4xQQI4xQQ", 0x30, root, text, OBJ_CASE_INSENSITIVE | flags, descriptor, 0))


def _station_path(thread: UserThread, name: str) -> str:
    session = int(thread.peb.SessionId)
    root = f"\\Sessions\\{session}" if session else ""
    return f"{root}\\Windows\\WindowStations\\{name}"


def _security(thread: UserThread, place: int) -> tuple[int, int]:
    """(descriptor, OBJ_INHERIT or 0) of SECURITY_ATTRIBUTES."""
    if not place:
        return 0, 0
    _, descriptor, inherit = struct.unpack("<I4xQI", thread.memory.read(place, 20))
    return descriptor, OBJ_INHERIT if inherit else 0


# ------------------------------------------------------------------ window stations


@export_both()
def OpenWindowStationW(
    thread: UserThread, lpszWinSta: Ptr[WCHAR], fInherit: BOOL, dwDesiredAccess: ACCESS_MASK
) -> HANDLE:
    """Open a window station of the session."""
    with thread.frame() as frame:
        path = _station_path(thread, text_of(lpszWinSta))
        place = _attributes(frame, path, 0, OBJ_INHERIT if fInherit else 0)
        return HANDLE(int(nt.NtUserOpenWindowStation(thread, place, dwDesiredAccess)))


@export_both(partial="a name must be given")
def CreateWindowStationW(
    thread: UserThread, lpwinsta: Ptr[WCHAR] | None, dwFlags: DWORD, dwDesiredAccess: ACCESS_MASK, lpsa: PVOID
) -> HANDLE:
    """Create a window station, or open the one of that name."""
    name = text_of(lpwinsta)
    if not name:
        raise WinError(ERROR.CALL_NOT_IMPLEMENTED)
    descriptor, inherit = _security(thread, lpsa)
    flags = inherit | (0 if dwFlags & CWF_CREATE_ONLY else OBJ_OPENIF)
    with thread.frame() as frame:
        place = _attributes(frame, _station_path(thread, name), 0, flags, descriptor)
        return HANDLE(int(nt.NtUserCreateWindowStation(thread, place, dwDesiredAccess, 0, 0, 0, 0, 0)))


@export
def CloseWindowStation(thread: UserThread, hWinSta: HANDLE) -> BOOL:
    """Close a window station's handle."""
    return BOOL(int(nt.NtUserCloseWindowStation(thread, hWinSta)))


@export
def GetProcessWindowStation(thread: UserThread) -> HANDLE:
    """The process's window station."""
    return HANDLE(int(nt.NtUserGetProcessWindowStation(thread)))


@export
def SetProcessWindowStation(thread: UserThread, hWinSta: HANDLE) -> BOOL:
    """Belong to another window station."""
    return BOOL(int(nt.NtUserSetProcessWindowStation(thread, hWinSta)))


# ------------------------------------------------------------------ desktops


@export_both()
def OpenDesktopW(
    thread: UserThread, lpszDesktop: Ptr[WCHAR], dwFlags: DWORD, fInherit: BOOL, dwDesiredAccess: ACCESS_MASK
) -> HANDLE:
    """Open a desktop of the process's window station."""
    station = int(nt.NtUserGetProcessWindowStation(thread))
    with thread.frame() as frame:
        place = _attributes(frame, text_of(lpszDesktop), station, OBJ_INHERIT if fInherit else 0)
        return HANDLE(int(nt.NtUserOpenDesktop(thread, place, dwFlags, dwDesiredAccess)))


@export_both(partial="the device says nothing")
def CreateDesktopW(
    thread: UserThread, lpszDesktop: Ptr[WCHAR], lpszDevice: PVOID, pDevmode: PVOID, dwFlags: DWORD,
    dwDesiredAccess: ACCESS_MASK, lpsa: PVOID,
) -> HANDLE:  # fmt: skip
    """Create a desktop in the process's window station, or open the one of that name."""
    if pDevmode:
        raise WinError(ERROR.INVALID_PARAMETER)
    station = int(nt.NtUserGetProcessWindowStation(thread))
    descriptor, inherit = _security(thread, lpsa)
    with thread.frame() as frame:
        place = _attributes(frame, text_of(lpszDesktop), station, OBJ_OPENIF | inherit, descriptor)
        return HANDLE(int(nt.NtUserCreateDesktopEx(thread, place, 0, 0, dwFlags, dwDesiredAccess, 0)))


@export
def OpenInputDesktop(thread: UserThread, dwFlags: DWORD, fInherit: BOOL, dwDesiredAccess: ACCESS_MASK) -> HANDLE:
    """Open the desktop that has the input."""
    return HANDLE(int(nt.NtUserOpenInputDesktop(thread, dwFlags, fInherit, dwDesiredAccess)))


@export
def CloseDesktop(thread: UserThread, hDesktop: HANDLE) -> BOOL:
    """Close a desktop's handle."""
    return BOOL(int(nt.NtUserCloseDesktop(thread, hDesktop)))


@export
def GetThreadDesktop(thread: UserThread, dwThreadId: DWORD) -> HANDLE:
    """The desktop a thread stands on."""
    return HANDLE(int(nt.NtUserGetThreadDesktop(thread, dwThreadId, 0)))


@export
def SetThreadDesktop(thread: UserThread, hDesktop: HANDLE) -> BOOL:
    """Stand on another desktop."""
    return BOOL(int(nt.NtUserSetThreadDesktop(thread, hDesktop)))


# ------------------------------------------------------------------ facts


def _names(thread: UserThread, station: int) -> list[str]:
    room = ROOM
    while True:
        with thread.frame() as frame:
            needed, place = frame.allocate(8), frame.allocate(room)
            status = int(nt.NtUserBuildNameList(thread, station, room, place, needed))
            if status == 0:
                data = thread.memory.read(place, int.from_bytes(thread.memory.read(place, 4), "little"))
                return data[8:].decode("utf-16-le", "surrogatepass").split("\0")[:-1]
            if status != BUFFER_TOO_SMALL:
                raise WinError(ERROR.INVALID_HANDLE)
            room = int.from_bytes(thread.memory.read(needed, 4), "little")


async def _tell(thread: UserThread, names: Sequence[str], code: int, parameter: int, *, narrow: bool) -> BOOL:
    for name in names:
        with thread.frame() as frame:
            place = frame.bytes(to_ansi(name) + b"\0") if narrow else frame.wide(name)
            if not await thread.call(code, place, parameter) & 0xFFFF_FFFF:
                return BOOL(0)
    return BOOL(1)


@export
async def EnumWindowStationsW(thread: UserThread, lpEnumFunc: Code, lParam: LONG_PTR) -> BOOL:
    """Call a function with the name of each window station of the session."""
    return await _tell(thread, _names(thread, 0), lpEnumFunc, lParam, narrow=False)


@export
async def EnumWindowStationsA(thread: UserThread, lpEnumFunc: Code, lParam: LONG_PTR) -> BOOL:
    """The same with ANSI texts."""
    return await _tell(thread, _names(thread, 0), lpEnumFunc, lParam, narrow=True)


@export
async def EnumDesktopsW(thread: UserThread, hwinsta: HANDLE, lpEnumFunc: Code, lParam: LONG_PTR) -> BOOL:
    """Call a function with the name of each desktop of a window station."""
    station = hwinsta or int(nt.NtUserGetProcessWindowStation(thread))
    return await _tell(thread, _names(thread, station), lpEnumFunc, lParam, narrow=False)


@export
async def EnumDesktopsA(thread: UserThread, hwinsta: HANDLE, lpEnumFunc: Code, lParam: LONG_PTR) -> BOOL:
    """The same with ANSI texts."""
    station = hwinsta or int(nt.NtUserGetProcessWindowStation(thread))
    return await _tell(thread, _names(thread, station), lpEnumFunc, lParam, narrow=True)


@export
def GetUserObjectInformationW(
    thread: UserThread, hObj: HANDLE, nIndex: INT, pvInfo: PVOID, nLength: DWORD, lpnLengthNeeded: Ptr[DWORD] | None
) -> BOOL:
    """A fact about a window station or desktop."""
    needed = lpnLengthNeeded.address if lpnLengthNeeded is not None else 0
    return BOOL(int(nt.NtUserGetObjectInformation(thread, hObj, nIndex, pvInfo, nLength, needed)))


@export
def GetUserObjectInformationA(
    thread: UserThread, hObj: HANDLE, nIndex: INT, pvInfo: PVOID, nLength: DWORD, lpnLengthNeeded: Ptr[DWORD] | None
) -> BOOL:
    """The same with ANSI texts."""
    if nIndex not in (UOI_NAME, UOI_TYPE):
        return GetUserObjectInformationW(thread, hObj, nIndex, pvInfo, nLength, lpnLengthNeeded)
    with thread.frame() as frame:
        place = frame.allocate(ROOM)
        if not nt.NtUserGetObjectInformation(thread, hObj, nIndex, place, ROOM, 0):
            return BOOL(0)
        text = to_ansi(read_wide(thread.memory, place)) + b"\0"
    if lpnLengthNeeded is not None:
        lpnLengthNeeded.write(len(text))
    if len(text) > nLength:
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    Ptr[CHAR](thread.memory, pvInfo).write_bytes(text)
    return BOOL(1)
