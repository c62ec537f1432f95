"""Window stations and desktops in the object namespace, and who may open them."""

from __future__ import annotations

import pytest

from ntos import ob
from ntos.abi.status import STATUS, NtError
from ntos.ke.service import registry
from ntos.ke.thread import Thread
from ntos.machine import Machine
from ntos.ps.allocate import Creation
from ntos.ps.create import create_process
from ntos.ps.exit import exit_thread
from ntos.ps.manager import ProcessManager
from ntos.win32k.process import ThreadInfo
from ntos.win32k.station import DESKTOP_TYPE, STATION_TYPE
from tests.ke.test_boundary import Lab

MAXIMUM_ALLOWED = 0x0200_0000
ERROR_ACCESS_DENIED = 5
ROOT = "\\Sessions\\1\\Windows\\WindowStations"


def test_each_session_has_its_stations(machine: Machine) -> None:
    """WinSta0 with three desktops in both sessions; the services' station in session 0 only."""
    kernel = machine.kernel
    for path in (ROOT, "\\Windows\\WindowStations"):
        station = ob.lookup(kernel, f"{path}\\WinSta0", kind=STATION_TYPE)
        assert {each.name for each in station.desktops} == {"Default", "Winlogon", "Disconnect"}
        ob.dereference(station)
    ob.dereference(ob.lookup(kernel, "\\Windows\\WindowStations\\Service-0x0-3e7$\\Default", kind=DESKTOP_TYPE))
    with pytest.raises(NtError) as failure:
        ob.lookup(kernel, f"{ROOT}\\Service-0x0-3e7$", kind=STATION_TYPE)
    assert failure.value.status == STATUS.OBJECT_NAME_NOT_FOUND


def test_desktops_are_chained_from_their_station(machine: Machine) -> None:
    """WINDOWSTATION.rpdeskList and DESKTOP.rpdeskNext lead through all of them."""
    kernel = machine.kernel
    station = ob.lookup(kernel, f"{ROOT}\\WinSta0", kind=STATION_TYPE)
    found, address = [], int(station.view.rpdeskList)
    while address:
        desktop = ob.at_address(kernel, address)
        found.append(desktop.name)
        assert int(desktop.view.rpwinstaParent) == station.address
        address = int(desktop.view.rpdeskNext)
    assert found == ["Default", "Disconnect", "Winlogon"]
    ob.dereference(station)


def test_a_desktop_is_named_after_its_station(machine: Machine) -> None:
    """NtQueryObject's name of a desktop is its own, behind a backslash."""
    desktop = ob.lookup(machine.kernel, f"{ROOT}\\WinSta0\\Default", kind=DESKTOP_TYPE)
    assert ob.full_name(desktop) == "\\Default"
    ob.dereference(desktop)


def test_the_logon_desktop_is_for_system_only(lab: Lab) -> None:
    """A user who opens Winlogon's desktop is refused; the one of his programs is open to him."""
    attributes = lab.attributes(f"{ROOT}\\WinSta0")
    station = lab.status("NtUserOpenWindowStation", attributes, MAXIMUM_ALLOWED)
    assert isinstance(station, int)
    assert station
    for name, opens in (("Winlogon", False), ("Default", True)):
        place = lab.attributes(name)
        lab.memory.write(place + 8, station.to_bytes(8, "little"))
        assert bool(lab.status("NtUserOpenDesktop", place, 0, MAXIMUM_ALLOWED)) is opens
        if not opens:
            assert int(lab.thread.teb.LastErrorValue) == ERROR_ACCESS_DENIED


def test_a_desktop_goes_with_its_last_handle(lab: Lab) -> None:
    """One that a program made is in its station's list as long as somebody has it open."""
    station = lab.status("NtUserOpenWindowStation", lab.attributes(f"{ROOT}\\WinSta0"), MAXIMUM_ALLOWED)
    assert isinstance(station, int)
    place = lab.attributes("mine")
    lab.memory.write(place + 8, station.to_bytes(8, "little"))
    handle = lab.status("NtUserCreateDesktopEx", place, 0, 0, 0, MAXIMUM_ALLOWED, 0)
    assert isinstance(handle, int)
    found = ob.lookup(lab.kernel, f"{ROOT}\\WinSta0\\MINE", kind=DESKTOP_TYPE)
    ob.dereference(found)
    assert lab.status("NtUserCloseDesktop", handle) == 1
    with pytest.raises(NtError):
        ob.lookup(lab.kernel, f"{ROOT}\\WinSta0\\mine", kind=DESKTOP_TYPE)


def test_a_service_gets_the_station_of_its_logon(machine: Machine) -> None:
    """A process of LocalSystem in session 0 without a wish stands on Service-0x0-3e7$'s desktop."""
    kernel = machine.kernel
    manager = kernel[ProcessManager]
    parameters = machine._parameters("D:\\exitcode.exe", "exitcode", "D:\\", {})
    parameters.texts["DesktopInfo"] = b""
    creation = Creation(manager.system, manager.system, subsystems=(3,))
    made = create_process(kernel, creation, "\\??\\D:\\exitcode.exe", parameters, None, 0x2000)
    info = process_info_of(made.thread)
    assert (info.desktop.station.name, info.desktop.name) == ("Service-0x0-3e7$", "Default")
    assert made.thread.coroutine is not None
    made.thread.coroutine.close()
    exit_thread(made.thread, 0)


def process_info_of(thread: Thread) -> ThreadInfo:
    """What win32k keeps of a thread after its first call."""
    assert registry["NtUserGetThreadState"].invoke(thread, (5,)) == 0
    return thread[ThreadInfo]
