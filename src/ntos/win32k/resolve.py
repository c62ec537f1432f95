r"""Which window station and desktop a process comes to (xxxResolveDesktop).

ProcessParameters.DesktopInfo says it, `station\desktop`; a station without a name is WinSta0 for who may use it, else
the one of the logon session, `Service-0x…-…$`, made when its first process comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.status import STATUS, Denied, NtError
from ntos.se.token import primary_token
from ntos.win32k.station import (
    SERVICE,
    STATION_TYPE,
    Desktop,
    WindowStation,
    create_stations,
    directory_path,
    permanent_station,
)
from ntos.win32k.window import make_desktop_windows

if TYPE_CHECKING:
    from ntos.ke.thread import Thread
    from ntos.win32k.process import ProcessInfo, ThreadInfo
    from ntos.win32k.session import Session

MAXIMUM_ALLOWED = 0x0200_0000
DEFAULT = "Default"


def desktop_for(info: ThreadInfo) -> tuple[Desktop, int]:
    """(desktop with a reference, handle in the process): where a new GUI thread stands."""
    owner = info.owner
    handle = int(owner.view.hdeskStartup)
    if not handle:
        handle = _start_process(info.thread, owner)
    desktop = ob.at_address(info.thread.kernel, int(owner.view.rpdeskStartup))
    assert isinstance(desktop, Desktop)
    make_desktop_windows(owner.session, desktop)
    ob.reference(desktop)
    return desktop, handle


def _start_process(thread: Thread, owner: ProcessInfo) -> int:
    station_name, _, desktop_name = _wanted(thread).rpartition("\\")
    station = _station(thread, owner.session, station_name)
    desktop = station.find(desktop_name or DEFAULT)
    if desktop is None:
        raise NtError(
            STATUS.OBJECT_NAME_NOT_FOUND,
            because=Denied(
                "a GUI process needs a desktop that exists",
                {"station": station.name, "desktop": desktop_name or DEFAULT},
                "name an existing desktop in STARTUPINFO.lpDesktop, or make it with CreateDesktop",
            ),
        )
    station_handle = ob.open_by_pointer(thread, station, MAXIMUM_ALLOWED)
    try:
        handle = ob.open_by_pointer(thread, desktop, MAXIMUM_ALLOWED)
    except NtError:
        ob.close(thread, station_handle)
        raise
    view = owner.view
    view.rpwinsta, view.hwinsta = station.address, station_handle
    view.rpdeskStartup, view.hdeskStartup = desktop.address, handle
    thread.process.eprocess.Win32WindowStation = station_handle
    return handle


def _wanted(thread: Thread) -> str:
    """DesktopInfo of the process parameters; what has none has no wish."""
    if not int(thread.process.eprocess.Peb):
        return ""
    parameters = int(thread.peb.ProcessParameters)
    return RTL_USER_PROCESS_PARAMETERS(thread.memory, parameters).DesktopInfo.text if parameters else ""


def _station(thread: Thread, session: Session, name: str) -> WindowStation:
    if not session.stations:
        create_stations(session.kernel, session.number)
    path = directory_path(session)
    if name:
        found = ob.lookup(thread, f"{path}\\{name}", kind=STATION_TYPE)
        ob.dereference(found)
        assert isinstance(found, WindowStation)
        return found
    interactive = next(station for station in session.stations if station.interactive)
    if session.number:
        return interactive
    logon = primary_token(thread.process).authentication_id
    own = f"Service-0x{logon >> 32:x}-{logon & 0xFFFF_FFFF:x}$"
    for station in session.stations:
        if station.name == own:
            return station
    return permanent_station(session, own, SERVICE, {DEFAULT: SERVICE})
