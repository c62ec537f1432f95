"""How one system process starts another: process parameters, then RtlCreateUserProcess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.layout.api import RTL_USER_PROCESS_INFORMATION
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.layout.win32 import PROCESS_INFORMATION, STARTUPINFOW
from ntos.abi.ob import CURRENT_PROCESS
from ntos.abi.se import SE_PRIVILEGE
from ntos.abi.status import NtError
from ntos.abi.types import NTSTATUS, PVOID
from ntos.um import alpc, nt
from ntos.um.modules import find_export
from ntos.um.ntdll import rtl_status

if TYPE_CHECKING:
    from ntos.um.thread import Frame, UserThread

NORMALIZED = 1
SYSTEM32 = "\\SystemRoot\\System32\\"
EVENT_ALL_ACCESS = 0x1F0003
SYNCHRONIZATION_EVENT = 1
OPEN_IF = 0x80
PROCESS_BASE_PRIORITY = 5


@dataclass(frozen=True, slots=True)
class Child:
    """A process just made, its first thread suspended."""

    process: int
    thread: int
    id: int
    information: bytes
    """RTL_USER_PROCESS_INFORMATION, for who must be told of it."""


async def settle(thread: UserThread, priority: int, *, critical: bool = True) -> None:
    """A base priority of its own and, for what nothing goes on without, that its end is the machine's."""
    with thread.frame() as frame:
        place = frame.bytes(priority.to_bytes(4, "little"))
        nt.NtSetInformationProcess(thread, CURRENT_PROCESS, PROCESS_BASE_PRIORITY, place, 4)
        if critical:
            await rtl_status(thread, "RtlAdjustPrivilege", SE_PRIVILEGE.DEBUG, 1, 0, place)
            await rtl_status(thread, "RtlSetProcessIsCritical", 1, 0, 0)


def parameters(thread: UserThread) -> RTL_USER_PROCESS_PARAMETERS:
    """The process parameters of the calling process."""
    return RTL_USER_PROCESS_PARAMETERS(thread.memory, int(thread.peb.ProcessParameters))


async def start(
    thread: UserThread, program: str, arguments: str = "", *, called: str = "", token: int = 0, desktop: str = "",
    environment: int = 0,
) -> Child:  # fmt: skip
    """A program of System32 (or a native path) as a child of this process; `resume` lets it run.

    `called` is what its command line calls it.
    """
    path = program if program.startswith("\\") else f"{SYSTEM32}{program}"
    shown = path.replace("\\SystemRoot", "C:\\Windows", 1).removeprefix("\\??\\")
    line = f"{called or (shown if program.startswith(chr(92)) else program)} {arguments}".rstrip()
    with thread.frame() as frame:
        block = frame.new(PVOID)
        await rtl_status(
            thread, "RtlCreateProcessParametersEx", block.address, frame.unicode_string(shown), 0,
            frame.unicode_string("C:\\Windows\\System32\\"), frame.unicode_string(line), environment,
            frame.unicode_string(shown), frame.unicode_string(desktop) if desktop else 0, 0, 0, NORMALIZED,
        )  # fmt: skip
        made = frame.new(RTL_USER_PROCESS_INFORMATION)
        try:
            await rtl_status(
                thread, "RtlCreateUserProcess", frame.unicode_string(path), 0, int(block.read()), 0, 0, 0, 0, 0,
                token, made.address,
            )  # fmt: skip
        finally:
            await rtl_status(thread, "RtlDestroyProcessParameters", int(block.read()))
        return Child(
            int(made.ProcessHandle), int(made.ThreadHandle), int(made.ClientId.UniqueProcess), bytes(made)
        )


def resume(thread: UserThread, child: Child) -> None:
    """Let it run, and keep no handles of it."""
    nt.NtResumeThread(thread, child.thread, 0)
    close(thread, child.thread, child.process)


def close(thread: UserThread, *handles: int) -> None:
    """Close handles."""
    for handle in handles:
        nt.NtClose(thread, handle)


def event(thread: UserThread, frame: Frame, name: str) -> int:
    """A handle of a named event that wakes one waiter at a time, made if nobody has made it."""
    place = frame.new(PVOID)
    where = alpc.object_attributes(frame, name, attributes=OPEN_IF)
    nt.NtCreateEvent(thread, place.address, EVENT_ALL_ACCESS, where, SYNCHRONIZATION_EVENT, 0)
    return int(place.read())


async def program(thread: UserThread, path: str, arguments: str = "", *, desktop: str = "", token: int = 0) -> int:
    """A Windows program by CreateProcess, as whoever has `token` (else as this process); gives its id."""
    with thread.frame() as frame:
        startup, made = frame.new(STARTUPINFOW), frame.new(PROCESS_INFORMATION)
        startup.cb = STARTUPINFOW.size
        startup.lpDesktop = frame.wide(desktop) if desktop else 0
        line = frame.wide(f"{path} {arguments}".rstrip())
        arguments_of_both = (frame.wide(path), line, 0, 0, 0, 0, 0, 0, startup.address, made.address)
        name, arguments_of_one = ("CreateProcessAsUserW", (token,)) if token else ("CreateProcessW", ())
        create = find_export(thread, "kernelbase.dll", name)
        if not await thread.call(create, *arguments_of_one, *arguments_of_both):
            raise NtError(NTSTATUS(int(thread.teb.LastStatusValue)))
        close(thread, int(made.hThread), int(made.hProcess))
        return int(made.dwProcessId)


async def stay(thread: UserThread) -> None:
    """Wait for ever."""
    await nt.NtWaitForSingleObject(thread, CURRENT_PROCESS, 0, 0)
