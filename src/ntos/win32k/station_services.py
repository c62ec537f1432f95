"""Services on window stations and desktops."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.errors import ERROR
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.ob import OBJ_INHERIT
from ntos.abi.pointer import In, Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import ACCESS_MASK, BOOL, DWORD, HANDLE, INT, NTSTATUS, PVOID, ULONG
from ntos.ke.win32_service import UserError, user_service
from ntos.ob.manager import grant_all
from ntos.ps.manager import ProcessManager
from ntos.rtl.text import to_utf16
from ntos.win32k.process import ThreadInfo, current
from ntos.win32k.station import DESKTOP_TYPE, STATION_TYPE, Desktop, WindowStation, make_desktop, make_station
from ntos.win32k.window import make_desktop_windows

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

WINSTA_ENUMDESKTOPS, WINSTA_CREATEDESKTOP = 0x1, 0x8
UOI_FLAGS, UOI_NAME, UOI_TYPE, UOI_USER_SID, UOI_HEAPSIZE, UOI_IO = 1, 2, 3, 4, 5, 6
HEAP_KILOBYTES = 20480
"""SharedSection's second number: an interactive desktop's heap."""
WSF_VISIBLE = 1


# ------------------------------------------------------------------ window stations


@user_service()
def NtUserOpenWindowStation(
    thread: Thread, ObjectAttributes: In[OBJECT_ATTRIBUTES], DesiredAccess: ACCESS_MASK
) -> HANDLE:
    """Open a window station by name."""
    return HANDLE(ob.open_by_name(thread, STATION_TYPE, ObjectAttributes, DesiredAccess))


@user_service(partial="no keyboard layout")
def NtUserCreateWindowStation(
    thread: Thread,
    ObjectAttributes: In[OBJECT_ATTRIBUTES],
    DesiredAccess: ACCESS_MASK,
    hKbdLayoutFile: HANDLE,
    offTable: PVOID,
    pkbdTable: PVOID,
    pustrKbd: PVOID,
    KbdInputLocale: ULONG,
) -> HANDLE:
    """Create a window station without display, or open the one of that name."""
    session = current(thread).session
    handle, _ = ob.create_or_open(
        thread, STATION_TYPE, ObjectAttributes, DesiredAccess, lambda: make_station(session, interactive=False)
    )
    return HANDLE(handle)


@user_service()
def NtUserCloseWindowStation(thread: Thread, hWinSta: HANDLE) -> BOOL:
    """Close a handle to a window station other than the process's own."""
    ob.by_handle(thread, hWinSta, 0, STATION_TYPE)
    if hWinSta == int(thread.process.eprocess.Win32WindowStation):
        raise UserError(ERROR.ACCESS_DENIED)
    ob.close(thread, hWinSta)
    return BOOL(1)


@user_service()
def NtUserGetProcessWindowStation(thread: Thread) -> HANDLE:
    """The process's window station: the handle it was given."""
    return HANDLE(int(thread.process.eprocess.Win32WindowStation))


@user_service()
def NtUserSetProcessWindowStation(thread: Thread, hWinSta: HANDLE) -> BOOL:
    """Let the process belong to another window station."""
    station = ob.by_handle(thread, hWinSta, 0, STATION_TYPE)
    view = current(thread).owner.view
    view.rpwinsta, view.hwinsta = station.address, hWinSta
    thread.process.eprocess.Win32WindowStation = hWinSta
    return BOOL(1)


# ------------------------------------------------------------------ desktops


@user_service()
def NtUserOpenDesktop(
    thread: Thread, ObjectAttributes: In[OBJECT_ATTRIBUTES], dwFlags: DWORD, DesiredAccess: ACCESS_MASK
) -> HANDLE:
    """Open a desktop of the window station that RootDirectory names."""
    station, name, said = _named(thread, ObjectAttributes)
    desktop = station.find(name)
    if desktop is None:
        raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
    return HANDLE(ob.open_by_pointer(thread, desktop, DesiredAccess, said.flags))


@user_service(partial="the device and the heap's size say nothing")
def NtUserCreateDesktopEx(
    thread: Thread,
    ObjectAttributes: In[OBJECT_ATTRIBUTES],
    pustrDevice: PVOID,
    pDevmode: PVOID,
    dwFlags: DWORD,
    DesiredAccess: ACCESS_MASK,
    ulHeapSize: ULONG,
) -> HANDLE:
    """Create a desktop in a window station, or open the one of that name."""
    info = current(thread)
    station, name, said = _named(thread, ObjectAttributes)
    if not name or "\\" in name:
        raise UserError(ERROR.INVALID_PARAMETER)
    existing = station.find(name)
    if existing is not None:
        return HANDLE(ob.open_by_pointer(thread, existing, DesiredAccess, said.flags))
    ob.by_handle(thread, said.root, WINSTA_CREATEDESKTOP, STATION_TYPE)
    desktop = make_desktop(station, name)
    try:
        manager = thread.kernel[ob.ObjectManager]
        manager.assign_security(thread, desktop, None, said.security_descriptor)
        make_desktop_windows(info.session, desktop)
        access = grant_all(thread, desktop, DesiredAccess)
        return HANDLE(ob.insert_handle(thread.process, desktop, access, said.flags & OBJ_INHERIT))
    finally:
        ob.dereference(desktop)


def _named(thread: Thread, attributes: OBJECT_ATTRIBUTES) -> tuple[WindowStation, str, ob.Attributes]:
    said = ob.capture(attributes, DESKTOP_TYPE)
    station = ob.by_handle(thread, said.root, 0, STATION_TYPE)
    return station, said.name or "", said


@user_service()
def NtUserOpenInputDesktop(thread: Thread, dwFlags: DWORD, fInherit: BOOL, DesiredAccess: ACCESS_MASK) -> HANDLE:
    """Open the desktop that has the input: WinSta0's Default."""
    info = current(thread)
    station = info.desktop.station
    if not station.interactive:
        raise UserError(ERROR.INVALID_FUNCTION)
    desktop = station.find("Default")
    if desktop is None:
        raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
    return HANDLE(ob.open_by_pointer(thread, desktop, DesiredAccess, OBJ_INHERIT if fInherit else 0))


@user_service()
def NtUserCloseDesktop(thread: Thread, hDesktop: HANDLE) -> BOOL:
    """Close a handle to a desktop that no thread of the process uses."""
    ob.by_handle(thread, hDesktop, 0, DESKTOP_TYPE)
    owner = current(thread).owner
    if any(int(info.view.hdesk) == hDesktop for info in owner.threads):
        raise UserError(ERROR.BUSY)
    ob.close(thread, hDesktop)
    return BOOL(1)


@user_service()
def NtUserGetThreadDesktop(thread: Thread, dwThreadId: DWORD, hdeskConsole: HANDLE) -> HANDLE:
    """The desktop a GUI thread stands on: its process's handle; one of the caller's for another process's."""
    target = thread.kernel[ProcessManager].thread_by_id(dwThreadId)
    if target is None or not target.has(ThreadInfo):
        raise UserError(ERROR.INVALID_PARAMETER)
    info = target[ThreadInfo]
    if info.owner is current(thread).owner:
        return HANDLE(int(info.view.hdesk))
    return HANDLE(ob.open_by_pointer(thread, info.desktop, 0x0200_0000))


@user_service()
def NtUserSetThreadDesktop(thread: Thread, hDesktop: HANDLE) -> BOOL:
    """Stand on another desktop: only for a thread without windows."""
    info = current(thread)
    desktop = ob.by_handle(thread, hDesktop, 0, DESKTOP_TYPE)
    if info.windows:
        raise UserError(ERROR.BUSY)
    make_desktop_windows(info.session, desktop)
    ob.reference(desktop)
    info.leave()
    info.join(desktop, hDesktop)
    return BOOL(1)


# ------------------------------------------------------------------ facts


@user_service()
def NtUserBuildNameList(
    thread: Thread, hWinSta: HANDLE, cbNameList: ULONG, pNameList: PVOID, pcbNeeded: Out[ULONG]
) -> NTSTATUS:
    """The names of a window station's desktops; without one, of the session's window stations."""
    if hWinSta:
        station = ob.by_handle(thread, hWinSta, WINSTA_ENUMDESKTOPS, STATION_TYPE)
        names = [desktop.name for desktop in station.desktops]
    else:
        names = [station.name for station in current(thread).session.stations]
    texts = b"".join(to_utf16(name) + b"\0\0" for name in names)
    data = struct.pack("<II", 8 + len(texts), len(names)) + texts
    pcbNeeded.write(len(data))
    if len(data) > cbNameList:
        raise NtError(STATUS.BUFFER_TOO_SMALL)
    thread.memory.write(pNameList, data)
    return STATUS.SUCCESS


@user_service(partial="no security identifier of a user")
def NtUserGetObjectInformation(
    thread: Thread,
    hObject: HANDLE,
    nIndex: INT,
    pvInformation: PVOID,
    nLength: DWORD,
    pnLengthNeeded: Out[DWORD] | None,
) -> BOOL:
    """A fact about a window station or a desktop."""
    obj = ob.by_handle(thread, hObject, 0)
    if not isinstance(obj, WindowStation | Desktop):
        raise NtError(STATUS.OBJECT_TYPE_MISMATCH)
    data = _information(thread, obj, hObject, nIndex)
    if pnLengthNeeded is not None:
        pnLengthNeeded.write(len(data))
    if len(data) > nLength:
        raise UserError(ERROR.INSUFFICIENT_BUFFER)
    thread.memory.write(pvInformation, data)
    return BOOL(1)


def _information(thread: Thread, obj: WindowStation | Desktop, handle: int, index: int) -> bytes:
    station = obj if isinstance(obj, WindowStation) else obj.station
    if index == UOI_NAME:
        return to_utf16(obj.name) + b"\0\0"
    if index == UOI_TYPE:
        return to_utf16("WindowStation" if isinstance(obj, WindowStation) else "Desktop") + b"\0\0"
    if index == UOI_FLAGS:
        entry = ob.granted(thread, handle)
        inherit = bool(entry is not None and entry.attributes & OBJ_INHERIT)
        visible = WSF_VISIBLE if isinstance(obj, WindowStation) and obj.interactive else 0
        return struct.pack("<III", inherit, 0, visible)
    if index == UOI_HEAPSIZE and isinstance(obj, Desktop):
        return struct.pack("<I", HEAP_KILOBYTES)
    if index == UOI_IO and isinstance(obj, Desktop):
        return struct.pack("<I", station.interactive and obj.name == "Default")
    raise UserError(ERROR.INVALID_PARAMETER)
