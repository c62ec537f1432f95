"""W32PROCESS, THREADINFO and DXGPROCESS: when they come, what they say, when they go."""

from __future__ import annotations

from ntos import ob
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.layout.win32k import DXGPROCESS, PROCESSINFO, THREADINFO, WND
from ntos.abi.services import number_of
from ntos.abi.status import STATUS
from ntos.machine import Machine
from ntos.win32k.memory import PAGED_SESSION_IN_USE, SESSION_POOL
from ntos.win32k.process import ProcessInfo
from tests.ke.test_boundary import Lab
from tests.win32k.conftest import end

INPUT_STATE = 5
ERROR_ACCESS_DENIED = 5


def gui(lab: Lab) -> None:
    """Make the calling thread's first win32k call."""
    assert lab.status("NtUserGetThreadState", INPUT_STATE) == 0


def test_a_process_is_a_stranger_to_win32k_until_its_first_call(lab: Lab) -> None:
    """EPROCESS.Win32Process and KTHREAD.Win32Thread are NULL for a process that has called table 0 only."""
    eprocess, tcb = lab.process.eprocess, lab.thread.tcb
    assert (int(eprocess.Win32Process), int(eprocess.Win32WindowStation), int(tcb.Win32Thread)) == (0, 0, 0)
    assert not tcb.GuiThread
    gui(lab)
    assert int(eprocess.Win32Process)
    assert int(tcb.Win32Thread)
    assert tcb.GuiThread


def test_the_first_call_makes_a_w32process_in_session_pool(lab: Lab) -> None:
    """W32PROCESS says whose it is, has an input-idle event, its station and desktop, and its thread."""
    gui(lab)
    kernel = lab.kernel
    address = int(lab.process.eprocess.Win32Process)
    view = PROCESSINFO(kernel.memory, address)
    assert (int(view.W32.Process), int(view.W32.W32Pid), int(view.W32.RefCount)) == (
        lab.process.address, lab.process.id, 1,
    )  # fmt: skip
    assert int(view.W32.InputIdleEvent)
    assert int(view.cThreads) == 1
    assert int(view.ptiList) == int(lab.thread.tcb.Win32Thread) == int(view.ptiMainThread)
    assert int(lab.process.eprocess.Win32WindowStation) == int(view.hwinsta)
    assert ob.full_name(ob.at_address(kernel, int(view.rpwinsta))) == "\\Sessions\\1\\Windows\\WindowStations\\WinSta0"
    assert ob.name_of(ob.at_address(kernel, int(view.rpdeskStartup))) == "Default"
    assert address >> 32 == SESSION_POOL >> 32
    header = kernel.memory.read(address - 16, 8)
    assert (header[3], header[4:]) == (PAGED_SESSION_IN_USE, b"Uspi")


def test_a_gui_thread_has_a_threadinfo(lab: Lab) -> None:
    """THREADINFO leads to thread, process and desktop, and the TEB to it."""
    gui(lab)
    view = THREADINFO(lab.kernel.memory, int(lab.thread.tcb.Win32Thread))
    assert int(view.W32.pEThread) == lab.thread.address
    assert int(view.ppi) == int(lab.process.eprocess.Win32Process)
    assert int(lab.thread.teb.Win32ThreadInfo) == view.address
    desktop = ob.at_address(lab.kernel, int(view.rpdesk))
    assert [entry - THREADINFO.offset("PtiLink") for entry in desktop.view.PtiList.iterate()] == [view.address]


def test_both_go_with_their_owner(lab: Lab) -> None:
    """At exit the thread's and the process's structures are freed and the pointers cleared."""
    gui(lab)
    handle = lab.status("NtUserCreateWindowEx", 0, class_name(lab), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    assert handle
    session = lab.process[ProcessInfo].session
    end(lab)
    assert int(lab.process.eprocess.Win32Process) == 0
    assert int(lab.thread.tcb.Win32Thread) == 0
    assert session.objects.find(int(handle), 1) is None
    assert all(obj.owner_thread is None for obj in session.objects.by_address.values())


def class_name(lab: Lab) -> int:
    """A LARGE_STRING for the system class that needs no drawing."""
    data = "Static".encode("utf-16-le")
    buffer = lab.room(len(data) + 2)
    lab.memory.write(buffer, data)
    place = lab.room(16)
    lab.memory.write(place, len(data).to_bytes(4, "little") * 2 + buffer.to_bytes(8, "little"))
    return place


def test_a_process_without_win32k_calls_is_refused(lab: Lab) -> None:
    """ProcessSystemCallDisablePolicy: the call fails, says why, and nothing is made."""
    lab.process.eprocess.MitigationFlagsValues.DisallowWin32kSystemCalls = 1
    assert lab.status("NtUserGetForegroundWindow") == 0
    assert int(lab.process.eprocess.Win32Process) == 0
    assert not lab.thread.tcb.GuiThread
    assert int(lab.thread.teb.LastErrorValue) == ERROR_ACCESS_DENIED
    assert lab.thread.refusal is not None
    assert "win32k" in lab.thread.refusal.rule


def test_a_desktop_that_is_not_there_is_refused(lab: Lab) -> None:
    """A process whose DesktopInfo names no desktop of its session cannot become a GUI one."""
    parameters = RTL_USER_PROCESS_PARAMETERS(lab.memory, int(lab.thread.peb.ProcessParameters))
    wrong = "WinSta0\\Nowhere".encode("utf-16-le")
    buffer = lab.room(len(wrong))
    lab.memory.write(buffer, wrong)
    parameters.DesktopInfo.Buffer, parameters.DesktopInfo.Length = buffer, len(wrong)
    place = lab.room(0x30)
    assert lab.status("NtUserProcessConnect", 0xFFFF_FFFF_FFFF_FFFF, 0x30, place) == STATUS.OBJECT_NAME_NOT_FOUND
    assert not lab.thread.tcb.GuiThread
    assert int(lab.process.eprocess.Win32WindowStation) == 0


def test_directx_gives_the_process_a_dxgprocess(lab: Lab) -> None:
    """The first D3DKMT call makes it, after the W32PROCESS; an adapter is not found."""
    gui(lab)
    assert int(lab.process.eprocess.DxgProcess) == 0
    request = lab.room(16)
    lab.memory.write(request, b"\x05")
    assert lab.status("NtGdiDdDDIEnumAdapters2", request) == 0
    assert lab.memory.read(request, 4) == bytes(4)
    address = int(lab.process.eprocess.DxgProcess)
    view = DXGPROCESS(lab.kernel.memory, address)
    assert int(view.Process) == lab.process.address
    assert int(PROCESSINFO(lab.kernel.memory, int(lab.process.eprocess.Win32Process)).W32.DxProcess) == address
    assert lab.status("NtGdiDdDDIOpenAdapterFromLuid", request) == STATUS.INVALID_PARAMETER
    assert lab.status("NtGdiDdDDICloseAdapter", request) == STATUS.INVALID_PARAMETER
    end(lab)
    assert int(lab.process.eprocess.DxgProcess) == 0


def test_user_mode_reads_windows_in_the_shared_heap(lab: Lab) -> None:
    """A window's WND is at its kernel address less ulSharedDelta, readable and not writable."""
    gui(lab)
    place = lab.room(0x30)
    assert lab.status("NtUserProcessConnect", 0xFFFF_FFFF_FFFF_FFFF, 0x30, place) == 0
    delta = int.from_bytes(lab.memory.read(place + 0x28, 8), "little")
    window = lab.status("NtUserCreateWindowEx", 0, class_name(lab), 0, 0, 0x1234, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    assert isinstance(window, int)
    seen = next(
        WND(lab.memory, address - delta & 0xFFFF_FFFF_FFFF_FFFF)
        for address, obj in lab.process[ProcessInfo].session.objects.by_address.items()
        if obj.handle == window
    )
    assert int(seen.head.h) == window
    assert int(seen.style) & 0xFFFF == 0x1234
    assert lab.status("NtUserDestroyWindow", window) == 1
    assert int(seen.head.h) == window  # the block is free, but still there to be read


def test_the_driver_comes_with_the_first_call(fresh_machine: Machine) -> None:
    """A syscall number of table 1 leads to win32k also when nothing has asked for it before."""
    machine, lab = fresh_machine, Lab(fresh_machine)
    number = number_of("NtUserGetForegroundWindow")
    assert number is not None
    lab.thread.context.rax = number
    door = machine.kernel.doors[number]
    assert door.name == "win32k"
    assert door.enter(lab.thread) is None
    assert lab.thread.context.rax == 0
    assert int(lab.process.eprocess.Win32Process)
    assert machine.kernel.doors[number].name == "NtUserGetForegroundWindow"
    assert 0x1FFF not in machine.kernel.doors
    end(lab)
    machine.kernel.scheduler.current = None
