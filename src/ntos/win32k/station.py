r"""Window stations and desktops: objects below `\Sessions\N\Windows\WindowStations`, and who may open them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import access as rights
from ntos.abi.layout.object import OBJECT_HEADER_NAME_INFO
from ntos.abi.layout.win32k import DESKTOP, WINDOWSTATION
from ntos.abi.ob import OB_INFOMASK_NAME
from ntos.abi.status import STATUS, NtError
from ntos.ob.directory import set_name_text
from ntos.ob.object import add_name_header, optional_header
from ntos.rtl.text import equal_insensitive
from ntos.se import security
from ntos.win32k.session import Session, Sessions

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread
    from ntos.win32k.window import Window

STATION_DIRECTORY = "\\Sessions\\{}\\Windows\\WindowStations"
SERVICE_DIRECTORY = "\\Windows\\WindowStations"
WSF_NOIO = 1
INTERACTIVE = "O:BAG:SYD:(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;IU)(A;;GRGX;;;RC)S:(ML;;NW;;;LW)"
"""Who works at the console; on Windows the DACL names that logon's own SID."""
SECURE = "O:BAG:SYD:(A;;GA;;;SY)(A;;RCWD;;;BA)"
"""The logon screen's desktop is nobody else's."""
SERVICE = "O:BAG:SYD:(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;SU)"


class WindowStation(ob.Body):
    """WINDOWSTATION at `address`."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        super().__init__(kernel, address)
        self.view = WINDOWSTATION(kernel.memory, address)
        self.desktops: list[Desktop] = []
        self.session: Session

    @property
    def name(self) -> str:
        """`WinSta0`, or `Service-0x…$`."""
        return ob.name_of(self)

    @property
    def interactive(self) -> bool:
        """Whether it has display and input: WinSta0 only."""
        return not int(self.view.dwWSF_Flags) & WSF_NOIO

    def find(self, name: str) -> Desktop | None:
        """The desktop of that name (any case)."""
        return next((each for each in self.desktops if equal_insensitive(each.name, name)), None)

    def link(self) -> None:
        """Write the chain of desktops (rpdeskList)."""
        chain = [each.address for each in self.desktops]
        self.view.rpdeskList = chain[0] if chain else 0
        for each, following in zip(self.desktops, [*chain[1:], 0], strict=False):
            each.view.rpdeskNext = following


class Desktop(ob.Body):
    """DESKTOP at `address`."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        super().__init__(kernel, address)
        self.view = DESKTOP(kernel.memory, address)
        self.view.PtiList.initialize()
        self.station: WindowStation
        self.root: Window | None = None
        """The desktop window, made when the first thread comes."""
        self.messages: Window | None = None
        """Parent of message-only windows."""

    @property
    def name(self) -> str:
        """`Default`, `Winlogon` and so on."""
        return ob.name_of(self)


STATION_TYPE: ob.ObjectType[WindowStation] = ob.ObjectType(
    "WindowStation", WINDOWSTATION.size, WindowStation, valid_access=0xF0000 | rights.WINSTA_ALL_ACCESS, tag=b"Wind",
    generic_mapping=(0x20303, 0x2001C, 0x20060, 0xF0000 | rights.WINSTA_ALL_ACCESS), security_required=True,
)  # fmt: skip
DESKTOP_TYPE: ob.ObjectType[Desktop] = ob.ObjectType(
    "Desktop", DESKTOP.size, Desktop, valid_access=0xF0000 | rights.DESKTOP_ALL_ACCESS, tag=b"Desk",
    generic_mapping=(0x20041, 0x200BE, 0x20100, 0xF0000 | rights.DESKTOP_ALL_ACCESS), security_required=True,
)  # fmt: skip


def _parse(
    who: Thread | Kernel, station: WindowStation, rest: str, request: ob.ParseRequest
) -> ob.KernelObject | ob.Reparse:
    """A name goes on behind a window station: its desktop."""
    found: ob.KernelObject | None = station.find(rest.removeprefix("\\")) if rest else station
    if found is None:
        raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
    ob.reference(found)
    return found


def _delete_station(station: WindowStation) -> None:
    station.session.stations.remove(station)


def _delete_desktop(desktop: Desktop) -> None:
    """No thread is on it and no handle leads to it any more."""
    station = desktop.station
    station.desktops.remove(desktop)
    station.link()
    for window in (desktop.root, desktop.messages):
        if window is not None:
            window.release()
    if desktop.view.pDeskInfo:
        station.session.heap.free(int(desktop.view.pDeskInfo))
    header = optional_header(desktop.kernel, desktop.address, OB_INFOMASK_NAME)
    desktop.kernel.pool.free(int(OBJECT_HEADER_NAME_INFO(desktop.kernel.memory, header).Name.Buffer))
    ob.dereference(station)


def _desktop_name(desktop: Desktop) -> str:
    return "\\" + desktop.name


STATION_TYPE.parse = _parse
STATION_TYPE.delete = _delete_station
DESKTOP_TYPE.delete = _delete_desktop
DESKTOP_TYPE.query_name = _desktop_name


def directory_path(session: Session) -> str:
    """Where the session's window stations are named."""
    return STATION_DIRECTORY.format(session.number) if session.number else SERVICE_DIRECTORY


def make_station(session: Session, *, interactive: bool) -> WindowStation:
    """A window station without a name."""
    station = ob.create(session.kernel, STATION_TYPE)
    station.session = session
    station.view.dwSessionId = session.number
    station.view.dwWSF_Flags = 0 if interactive else WSF_NOIO
    session.stations.append(station)
    return station


def make_desktop(station: WindowStation, name: str) -> Desktop:
    """A desktop with one reference, named in its station."""
    desktop = ob.create(station.kernel, DESKTOP_TYPE)
    desktop.station = station
    ob.reference(station)
    name_header = OBJECT_HEADER_NAME_INFO(station.kernel.memory, add_name_header(desktop))
    name_header.ReferenceCount = 1
    set_name_text(station.kernel, name_header, name)
    desktop.view.dwSessionId = station.view.dwSessionId
    desktop.view.rpwinstaParent = station.address
    station.desktops.insert(0, desktop)
    station.link()
    return desktop


def permanent_station(session: Session, name: str, descriptor: str, desktops: dict[str, str]) -> WindowStation:
    """A station of the system's own, with its desktops and their descriptors (SDDL)."""
    station = make_station(session, interactive=name == "WinSta0")
    ob.add_permanent(session.kernel, f"{directory_path(session)}\\{name}", station)
    security.set_sddl(station, descriptor)
    for desktop_name, text in desktops.items():
        desktop = make_desktop(station, desktop_name)
        security.set_sddl(desktop, text)
    return station


def create_stations(kernel: Kernel, number: int) -> None:
    """What csrss and winlogon make when a session begins; session 0 also has that of its services."""
    session = kernel.part(Sessions).get(kernel, number)
    desktops = {"Winlogon": SECURE, "Disconnect": SECURE, "Default": INTERACTIVE}
    permanent_station(session, "WinSta0", INTERACTIVE, desktops)
    if not number:
        permanent_station(session, "Service-0x0-3e7$", SERVICE, {"Default": SERVICE})
