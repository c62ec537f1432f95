"""Every service, with bad pointers and bad handles made from its signature: a status comes back, and nothing is left.

A real machine over the scripted processor; services are called as user-mode code would call them, in a process that
has a token, an address space, a PEB and handles. Nothing here knows what a service does: only what its parameters are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from ntos import mm
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.services import number_of
from ntos.abi.signature import Kind, Parameter
from ntos.abi.status import STATUS
from ntos.ex.handle import HandleTable
from ntos.ex.pool import PagedAndNonpagedPool
from ntos.hal.scripted import ScriptedBackend
from ntos.init.services import load_service_modules
from ntos.ke.service import ServiceDoor, registry
from ntos.ke.thread import Thread, ThreadTerminated
from ntos.machine import Machine
from ntos.ob.manager import ObjectManager
from ntos.ps.exit import exit_thread
from ntos.se.token import primary_token
from tests.guest.conftest import SAMPLES

load_service_modules()

SELF, SELF_THREAD = 0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFE
BAD_POINTERS = {"unmapped": 0x1000, "kernel": 0xFFFF_F780_0000_0000, "non-canonical": 0x1234_5678_9ABC_DEF0}
NEVER_OPEN = 0xDEAD0
BLOCKED = "blocked"
ENDED = "ended"
PAGE_READONLY = 2
MEMORY = 96 << 20

ENDS_THE_CALLER = {
    "NtTerminateProcess": "NULL and -1 mean the calling process",
    "NtTerminateThread": "NULL and -2 mean the calling thread",
    "NtTerminateJobObject": "the calling process may be in the job",
    "NtRaiseException": "an exception nobody can take up ends the process",
    "NtContinue": "a context from nowhere cannot be continued in",
    "NtContinueEx": "as NtContinue",
}
"""Services that may end the thread instead of answering, and why."""
WAITS = {
    "NtWaitForSingleObject", "NtWaitForMultipleObjects", "NtSignalAndWaitForSingleObject", "NtDelayExecution",
    "NtYieldExecution", "NtWaitForAlertByThreadId", "NtWaitForKeyedEvent", "NtReleaseKeyedEvent",
    "NtRemoveIoCompletion", "NtRemoveIoCompletionEx", "NtReadFile", "NtWriteFile", "NtReadFileScatter",
    "NtWriteFileGather", "NtFsControlFile", "NtDeviceIoControlFile", "NtNotifyChangeDirectoryFile",
    "NtNotifyChangeKey", "NtLockFile", "NtQueryDirectoryFile", "NtQueryDirectoryFileEx", "NtUnlockFile",
    "NtFlushBuffersFile", "NtFlushBuffersFileEx", "NtWaitForDebugEvent",
}  # fmt: skip
"""Services that may block; a call that does is taken back as thread termination takes it back."""


class Held(NamedTuple):
    """What is in use: a refused call must not change it."""

    handles: int
    objects: int
    blocks: int
    frames: int


class Lab:
    """A process that calls services, and the things it calls them with."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.kernel = machine.kernel
        made = machine.create_process("D:\\exitcode.exe")
        self.process = made.kernel_process
        self.thread: Thread = self.process.threads[0]
        self.kernel.scheduler.current = self.thread
        self.memory = self.process.memory
        self._next = mm.allocate(self.process, 0x40000)
        self.read_only = mm.allocate(self.process, 0x1000, protection=PAGE_READONLY)
        self.memory.read(self.read_only, 1)
        self.thread.context.rsp = self.room(0x2000) + 0x1000
        self.handles = self._open_everything()
        self.closed = self._made("NtCreateEvent", 0x1F0003, 0, 0, 0)
        assert self.status("NtClose", self.closed) == 0

    def room(self, size: int) -> int:
        """Zeroed user memory."""
        address = self._next
        self._next += (size + 15) & ~15
        self.memory.write(address, bytes(size))
        return address

    def attributes(self, name: str = "") -> int:
        """OBJECT_ATTRIBUTES with that name."""
        view = OBJECT_ATTRIBUTES(self.memory, self.room(OBJECT_ATTRIBUTES.size))
        view.Length, view.Attributes = OBJECT_ATTRIBUTES.size, 0x40
        view.ObjectName = self.string(name) if name else 0
        return view.address

    def string(self, text: str) -> int:
        """A UNICODE_STRING."""
        data = text.encode("utf-16-le")
        buffer, head = self.room(len(data) + 2), self.room(16)
        self.memory.write(buffer, data)
        self.memory.write(head, len(data).to_bytes(2, "little") * 2 + bytes(4) + buffer.to_bytes(8, "little"))
        return head

    def _made(self, name: str, *arguments: int) -> int:
        place = self.room(8)
        status = self.status(name, place, *arguments)
        assert isinstance(status, int), name
        assert status < 0x8000_0000, f"{name}: 0x{status:08X}"
        return int.from_bytes(self.memory.read(place, 8), "little")

    def _open_everything(self) -> dict[str, int]:
        """A handle for each kind of thing that a parameter's name asks for."""
        named = self.attributes
        size = self.room(8)
        self.memory.write(size, (0x3000).to_bytes(8, "little"))
        file_name = named("\\??\\C:\\Users\\Public\\boundary.txt")
        key_name = named(f"\\Registry\\User\\{primary_token(self.process).claims.groups[0].text}\\Boundary")
        event = self._made("NtCreateEvent", 0x1F0003, 0, 0, 0)
        token = self._made_last("NtOpenProcessToken", SELF, 0xF01FF)
        return {
            "ProcessHandle": SELF, "SourceProcessHandle": SELF, "TargetProcessHandle": SELF,
            "ThreadHandle": SELF_THREAD, "Event": event, "EventHandle": event, "Handle": event,
            "SourceHandle": event, "SignalHandle": event, "WaitHandle": event, "FirstObjectHandle": event,
            "SecondObjectHandle": event, "ReserveHandle": 0, "ThreadId": self.thread.id,
            "TokenHandle": token, "ClientToken": token, "ExistingTokenHandle": token,
            "FileHandle": self._made("NtCreateFile", 0x1F01FF, file_name, self.room(16), 0, 0x80, 7, 3, 0x60, 0, 0),
            "KeyHandle": self._made("NtCreateKey", 0xF003F, key_name, 0, 0, 1, 0),
            "DebugObjectHandle": self._made("NtCreateDebugObject", 0x1F000F, 0, 0),
            "JobHandle": self._made("NtCreateJobObject", 0x1F003F, 0),
            "TimerHandle": self._made("NtCreateTimer", 0x1F0003, 0, 0),
            "SectionHandle": self._made("NtCreateSection", 0xF001F, 0, size, 4, 0x800_0000, 0),
            "IoCompletionHandle": self._made("NtCreateIoCompletion", 0x1F0003, 0, 1),
            "MutantHandle": self._made("NtCreateMutant", 0x1F0001, 0, 0),
            "SemaphoreHandle": self._made("NtCreateSemaphore", 0x1F0003, 0, 1, 2),
            "KeyedEventHandle": self._made("NtCreateKeyedEvent", 0x1F0003, 0, 0),
            "DirectoryHandle": self._made("NtOpenDirectoryObject", 3, named("\\KnownDlls")),
            "ShadowDirectoryHandle": self._made("NtOpenDirectoryObject", 3, named("\\KnownDlls")),
            "LinkHandle": self._made("NtOpenSymbolicLinkObject", 1, named("\\GLOBAL??\\C:")),
        }  # fmt: skip

    def _made_last(self, name: str, *arguments: int) -> int:
        place = self.room(8)
        assert self.status(name, *arguments, place) == 0
        return int.from_bytes(self.memory.read(place, 8), "little")

    # ------------------------------------------------------------ calling

    def status(self, name: str, *arguments: int) -> int | str:
        """Call through the door as a `syscall` does; the status, BLOCKED, or ENDED."""
        door, context = registry[name], self.thread.context
        values = (*arguments, 0, 0, 0, 0)
        context.r10, context.rdx, context.r8, context.r9 = values[:4]
        if len(arguments) > 4:
            stack = b"".join(value.to_bytes(8, "little") for value in arguments[4:])
            self.memory.write(context.rsp + 0x28, stack)
        context.rax = 0x1_0000_0000
        try:
            pending = door.enter(self.thread)
            if pending is not None and not self._drive(pending):
                return BLOCKED
        except ThreadTerminated:
            return ENDED
        answered = 0 <= context.rax <= 0xFFFF_FFFF or door.table != "nt"
        assert answered or name in ENDS_THE_CALLER, f"{name} answered nothing"
        return context.rax

    def _drive(self, coroutine: Any) -> bool:
        """Run to the end; where it blocks, take it back."""
        try:
            coroutine.send(None)
        except StopIteration:
            return True
        assert self.thread.waiting is not None or self.thread.tcb.State is not None
        if self.thread.waiting is not None:
            self.thread.waiting.finish(STATUS.THREAD_IS_TERMINATING)
        with pytest.raises((ThreadTerminated, StopIteration)):
            coroutine.throw(ThreadTerminated(0))
        return False

    def held(self) -> Held:
        """What is in use now."""
        pool = self.kernel.pool
        assert isinstance(pool, PagedAndNonpagedPool)
        blocks = sum(usage.allocations - usage.frees for _, _, usage in pool.tags())
        return Held(
            self.process[HandleTable].count,
            len(self.kernel[ObjectManager].objects),
            blocks,
            self.machine.platform.physical.used,
        )

    # ------------------------------------------------------------ arguments

    def sound(self, parameter: Parameter) -> int:
        """A value that means no harm."""
        match parameter.kind:
            case Kind.VALUE if parameter.type.__name__ == "HANDLE":
                return self.handles.get(parameter.name, 0)
            case Kind.IN if parameter.type is OBJECT_ATTRIBUTES:
                return self.attributes()
            case Kind.IN if parameter.type.__name__ == "UNICODE_STRING":
                return self.string("x")
            case Kind.VALUE if parameter.type.__name__ == "PVOID":
                return 0
            case Kind.VALUE:
                return 0
        return self.room(max(parameter.type.size, 8))


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """One machine for all."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    with Machine(
        memory=MEMORY, drives={"D": SAMPLES / "bin"}, stdin=nowhere, stdout=nowhere, stderr=nowhere,
        backend=ScriptedBackend(),
    ) as made:  # fmt: skip
        yield made
        for thread in list(made.kernel.threads.values()):
            if thread.coroutine is not None:
                thread.coroutine.close()
    os.close(nowhere)


@pytest.fixture
def lab(machine: Machine) -> Iterator[Lab]:
    """A fresh process."""
    made = Lab(machine)
    yield made
    for thread in list(made.process.threads):
        if thread.coroutine is not None:
            thread.coroutine.close()
        exit_thread(thread, 0)
    machine.kernel.scheduler.current = None


def is_pointer(parameter: Parameter) -> bool:
    """Whether the guest passes an address there, typed or not."""
    return parameter.kind in (Kind.IN, Kind.OUT, Kind.POINTER) or (
        parameter.kind is Kind.VALUE and parameter.type.__name__ == "PVOID"
    )


def check(lab: Lab, door: ServiceDoor, arguments: list[int], case: str) -> int | str:
    """Call three times: a status each time; where it is an error, the later calls leave nothing behind."""
    first = lab.status(door.name, *arguments)
    before = lab.held()
    second = lab.status(door.name, *arguments)
    third = lab.status(door.name, *arguments)
    assert second in (BLOCKED, ENDED) or isinstance(second, int), case
    assert second != BLOCKED or door.name in WAITS, f"{case}: blocked"
    assert second != ENDED or door.name in ENDS_THE_CALLER, f"{case}: ended the caller"
    refused = all(isinstance(one, int) and one >= 0xC000_0000 for one in (second, third))
    if refused or BLOCKED in (second, third):
        assert lab.held() == before, f"{case}: left behind after 0x{second:08X}" if refused else f"{case}: left behind"
    return first


SERVICES = sorted(name for name, door in registry.items() if door.table == "nt" and number_of(name) is not None)
"""Those of win32k are tested in tests/win32k."""


@pytest.mark.parametrize("name", SERVICES)
def test_null_everywhere(lab: Lab, name: str) -> None:
    """A service called with nothing but zeroes answers with a status."""
    door = registry[name]
    check(lab, door, [0] * door.signature.count, f"{name}, all zero")


@pytest.mark.parametrize("name", SERVICES)
def test_bad_pointers(lab: Lab, name: str) -> None:
    """A pointer that cannot be used is refused: typed ones with ACCESS_VIOLATION, before anything has happened."""
    door = registry[name]
    parameters = door.signature.parameters
    for index, parameter in enumerate(parameters):
        if not is_pointer(parameter):
            continue
        for what, address in BAD_POINTERS.items():
            arguments = [lab.sound(other) for other in parameters]
            arguments[index] = address
            case = f"{name}, {parameter.name} {what}"
            status = check(lab, door, arguments, case)
            if parameter.kind in (Kind.IN, Kind.OUT):
                assert status == STATUS.ACCESS_VIOLATION, f"{case}: {status}"


@pytest.mark.parametrize("name", SERVICES)
def test_read_only_results(lab: Lab, name: str) -> None:
    """A place for a result that cannot be written is refused with ACCESS_VIOLATION, before anything has happened."""
    door = registry[name]
    parameters = door.signature.parameters
    for index, parameter in enumerate(parameters):
        if parameter.kind is not Kind.OUT:
            continue
        arguments = [lab.sound(other) for other in parameters]
        arguments[index] = lab.read_only
        case = f"{name}, {parameter.name} read-only"
        assert check(lab, door, arguments, case) == STATUS.ACCESS_VIOLATION, case


@pytest.mark.parametrize("name", SERVICES)
def test_bad_handles(lab: Lab, name: str) -> None:
    """A handle that is 0, was never open, is closed, or leads to another kind of object does no harm."""
    door = registry[name]
    parameters = door.signature.parameters
    for index, parameter in enumerate(parameters):
        if parameter.kind is not Kind.VALUE or parameter.type.__name__ != "HANDLE":
            continue
        other_kind = lab.handles["DirectoryHandle" if parameter.name != "DirectoryHandle" else "EventHandle"]
        for what, value in (("0", 0), ("never open", NEVER_OPEN), ("closed", lab.closed), ("wrong", other_kind)):
            arguments = [lab.sound(other) for other in parameters]
            arguments[index] = value
            check(lab, door, arguments, f"{name}, {parameter.name} {what}")


CLASSES = [
    name
    for name in SERVICES
    if any(each.name.endswith("InformationClass") for each in registry[name].signature.parameters)
]
SIZES = (0, 1, 4, 8, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38, 0x40, 0x48, 0x58, 0x68, 0x70, 0x80, 0x90, 0x1000)
LAST_CLASS = 0x78


@pytest.mark.parametrize("name", CLASSES)
def test_information_classes(lab: Lab, name: str) -> None:
    """Each information class, at many lengths, with a buffer that cannot be used or not be written."""
    door = registry[name]
    parameters = door.signature.parameters
    arguments = [lab.sound(each) for each in parameters]
    place = {each.name: index for index, each in enumerate(parameters)}
    chosen = next(index for key, index in place.items() if key.endswith("InformationClass"))
    length = next((index for key, index in place.items() if key.endswith("Length")), None)
    buffers = [index for index, each in enumerate(parameters) if is_pointer(each) and each.kind is Kind.VALUE]
    for number in range(LAST_CLASS):
        for size in SIZES if length is not None else (0,):
            for what, address in (("unmapped", 0x1000), ("read-only", lab.read_only)):
                arguments[chosen] = number
                if length is not None:
                    arguments[length] = size
                for index in buffers:
                    arguments[index] = address
                check(lab, door, arguments, f"{name}, class {number}, {size} bytes, {what}")
