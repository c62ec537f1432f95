"""NtCreateUserProcess and NtCreateProcessEx on a whole machine: what is asked, what is refused, what is left over."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from ntos import mm, ob
from ntos.abi.layout.api import PS_CREATE_INFO
from ntos.abi.layout.peb import PEB
from ntos.abi.status import STATUS
from ntos.cm import Registry
from ntos.hal.scripted import ScriptedBackend
from ntos.ke.process import Process
from ntos.ke.thread import Thread
from ntos.machine import Machine
from ntos.ps.image_options import OPTIONS
from ntos.ps.manager import ProcessManager
from ntos.se.token import primary_token
from tests.guest.conftest import SAMPLES
from tests.ke.test_boundary import Lab

EVERYTHING = 0x0200_0000
IMAGE = "\\??\\D:\\brood.exe"
UNMAPPED, KERNEL = 0x1000, 0xFFFF_F780_0000_0000
NAME, CLIENT, PARENT, TOKEN, PRIORITY = 0x20005, 0x10003, 0x60000, 0x60002, 0x20008
HANDLES, MITIGATION, PROTECTION, JOBS, CHILDREN = 0x2000B, 0x20010, 0x60011, 0x20013, 0x20014


class Yard(Lab):
    """A process that creates others."""

    def attribute_list(self, *entries: tuple[int, int, int], image: str = IMAGE) -> int:
        """PS_ATTRIBUTE_LIST: the image, then these (attribute, size, value)."""
        name = image.encode("utf-16-le")
        place = self.room(len(name))
        self.memory.write(place, name)
        body = b"".join(struct.pack("<4Q", *entry, 0) for entry in ((NAME, len(name), place), *entries))
        listing = self.room(8 + len(body))
        self.memory.write(listing, struct.pack("<Q", 8 + len(body)) + body)
        return listing

    def data(self, content: bytes) -> int:
        """The address of these bytes."""
        place = self.room(len(content))
        self.memory.write(place, content)
        return place

    def create(self, listing: int, flags: int = 0, *, init: int = 1, security: int = 0) -> int | str:
        """NtCreateUserProcess, first thread suspended; the handles are in `process` and `first`."""
        self.places = self.room(16)
        info = PS_CREATE_INFO(self.memory, self.room(PS_CREATE_INFO.size))
        info.Size, info.InitState.InitFlags = PS_CREATE_INFO.size, init
        self.info = info
        return self.status(
            "NtCreateUserProcess", self.places, self.places + 8, EVERYTHING, EVERYTHING, security, 0, flags, 1, 0,
            info.address, listing,
        )  # fmt: skip

    @property
    def child(self) -> Process:
        """The process just made."""
        made = ob.by_handle(self.thread, self.word(self.places), 0)
        assert isinstance(made, Process)
        return made

    def word(self, address: int) -> int:
        """A 64-bit word."""
        return int.from_bytes(self.memory.read(address, 8), "little")

    def forget(self) -> None:
        """End the child, let its thread go, close all handles of the creation."""
        child = self.child
        assert self.status("NtTerminateProcess", self.word(self.places), 0) == 0
        for thread in list(child.threads):
            if thread.coroutine is not None:
                with pytest.raises(StopIteration):
                    thread.coroutine.send(None)
        success = self.info.SuccessState
        for handle in (self.word(self.places), self.word(self.places + 8), success.FileHandle, success.SectionHandle):
            assert self.status("NtClose", int(handle)) == 0


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """One machine for all."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    with Machine(
        memory=96 << 20, drives={"D": SAMPLES / "bin"}, stdin=nowhere, stdout=nowhere, stderr=nowhere,
        backend=ScriptedBackend(),
    ) as made:  # fmt: skip
        yield made
        for thread in list(made.kernel.threads.values()):
            if thread.coroutine is not None:
                thread.coroutine.close()
    os.close(nowhere)


@pytest.fixture
def yard(machine: Machine) -> Iterator[Yard]:
    """A fresh creator."""
    made = Yard(machine)
    yield made
    machine.kernel.scheduler.current = None


def _refused(yard: Yard, listing: int, status: int, flags: int = 0, **options: int) -> None:
    """The status, twice: after the first, nothing more may be in use."""
    assert yard.create(listing, flags, **options) == status
    before = yard.held(), len(yard.kernel.processes), len(yard.kernel.threads)
    assert yard.create(listing, flags, **options) == status
    assert (yard.held(), len(yard.kernel.processes), len(yard.kernel.threads)) == before


def test_a_child_made_and_ended_leaves_nothing(yard: Yard) -> None:
    """After exit and the last close a process has given everything back, suspended from birth as it was."""
    for _ in range(2):
        assert yard.create(yard.attribute_list()) == 0
        yard.forget()
    before = yard.held(), len(yard.kernel.processes), len(yard.kernel.threads)
    assert yard.create(yard.attribute_list()) == 0
    yard.forget()
    assert (yard.held(), len(yard.kernel.processes), len(yard.kernel.threads)) == before


@pytest.mark.parametrize(
    ("entry", "status"),
    [
        ((HANDLES, 8, UNMAPPED), STATUS.ACCESS_VIOLATION),
        ((HANDLES, 0x7FFF_FFFF, UNMAPPED), STATUS.INVALID_PARAMETER),
        ((CLIENT, 16, KERNEL), STATUS.ACCESS_VIOLATION),
        ((CLIENT, 16, UNMAPPED), STATUS.ACCESS_VIOLATION),
        ((PARENT, 8, 0xDEAD0), STATUS.INVALID_HANDLE),
        ((TOKEN, 8, 0xDEAD0), STATUS.INVALID_HANDLE),
        ((NAME, 2, UNMAPPED), STATUS.INVALID_PARAMETER),
        ((0x2001F, 8, UNMAPPED), STATUS.INVALID_PARAMETER),
        ((0x20012, 8, UNMAPPED), STATUS.NOT_SUPPORTED),
    ],
)
def test_bad_attributes(yard: Yard, entry: tuple[int, int, int], status: int) -> None:
    """Pointers to nowhere, huge sizes, forged handles, repeated and unknown attributes have NT's statuses."""
    _refused(yard, yard.attribute_list(entry), status)


def test_bad_contents_of_attributes(yard: Yard) -> None:
    """What an attribute points at is checked, too."""
    event = yard.data(struct.pack("<Q", yard.handles["Event"]))
    _refused(yard, yard.attribute_list((JOBS, 8, event)), STATUS.OBJECT_TYPE_MISMATCH)
    _refused(yard, yard.attribute_list((HANDLES, 8, event)), STATUS.INVALID_PARAMETER, flags=4)
    _refused(yard, yard.attribute_list((HANDLES, 7, event)), STATUS.INVALID_PARAMETER, flags=4)
    _refused(yard, yard.attribute_list((PRIORITY, 1, yard.data(b"\x63"))), STATUS.INVALID_PARAMETER)
    _refused(yard, yard.attribute_list((PROTECTION, 1, 0x61)), STATUS.INVALID_IMAGE_HASH, flags=0x40)
    _refused(yard, yard.attribute_list((CHILDREN, 4, yard.data(b"\x08\0\0\0"))), STATUS.INVALID_PARAMETER)
    strict_handles = bytes(3) + b"\x01" + bytes(20)
    _refused(yard, yard.attribute_list((MITIGATION, 24, yard.data(strict_handles))), STATUS.NOT_SUPPORTED)
    _refused(yard, yard.attribute_list((MITIGATION, 5, yard.data(bytes(5)))), STATUS.INVALID_PARAMETER)


def test_a_strangers_token_needs_a_privilege(yard: Yard) -> None:
    """A token that is neither the creator's own nor made from it: PRIVILEGE_NOT_HELD, and its count is as before."""
    system = primary_token(yard.kernel[ProcessManager].system)
    handle = ob.insert_handle(yard.process, system, 0xF01FF)
    _refused(yard, yard.attribute_list((TOKEN, 8, handle)), STATUS.PRIVILEGE_NOT_HELD)
    assert yard.status("NtClose", handle) == 0


def test_failures_say_how_far_they_came(yard: Yard) -> None:
    """No file is state 1, no image state 2, and neither leaves anything."""
    _refused(yard, yard.attribute_list(image="\\??\\D:\\absent.exe"), STATUS.OBJECT_NAME_NOT_FOUND)
    assert int(yard.info.State) == 1
    _refused(yard, yard.attribute_list(image="\\??\\D:\\plugin.dll"), STATUS.INVALID_IMAGE_FORMAT, init=0x2000_0001)
    assert int(yard.info.State) == 3


def test_names_and_bad_descriptors_are_refused(yard: Yard) -> None:
    """A process has no name, and a descriptor that cannot be read stops its creation without residue."""
    _refused(yard, yard.attribute_list(), STATUS.INVALID_PARAMETER, security=yard.attributes("\\Named"))
    said = yard.data(struct.pack("<I4xQQI4xQQ", 0x30, 0, 0, 0, UNMAPPED, 0))
    _refused(yard, yard.attribute_list(), STATUS.ACCESS_VIOLATION, security=said)


def test_a_job_that_is_full_ends_the_child_unborn(yard: Yard) -> None:
    """JOB_LIST with a job that has no room: QUOTA_EXCEEDED, and nothing of the child stays."""
    job = yard._made("NtCreateJobObject", 0x1F003F, 0)
    limits = struct.pack("<QQI4xQQI4xQII", 0, 0, 8, 0, 0, 0, 0, 0, 0)
    assert yard.status("NtSetInformationJobObject", job, 2, yard.data(limits), len(limits)) == 0
    listing = yard.attribute_list((JOBS, 8, yard.data(struct.pack("<Q", job))))
    _refused(yard, listing, STATUS.QUOTA_EXCEEDED)


def test_mitigation_and_child_policy_reach_their_fields(yard: Yard) -> None:
    """The map sets EPROCESS.MitigationFlags, the policy a flag of the token."""
    options = bytes(2) + b"\x10" + bytes(1) + b"\x01" + bytes(19)
    listing = yard.attribute_list((MITIGATION, 24, yard.data(options)), (CHILDREN, 4, yard.data(b"\x01\0\0\0")))
    assert yard.create(listing) == 0
    values = yard.child.eprocess.MitigationFlagsValues
    assert (values.HighEntropyASLREnabled, values.ExtensionPointDisable, values.DisableDynamicCode) == (1, 1, 0)
    assert int(primary_token(yard.child).body.TokenFlags) & 0x8_0000
    assert not int(primary_token(yard.process).body.TokenFlags) & 0x8_0000
    yard.forget()


def test_image_file_execution_options(yard: Yard) -> None:
    """A Debugger stops creation in state 5 with the key's handle, unless skipped; GlobalFlag reaches the PEB."""
    registry = yard.kernel[Registry]
    registry.set(f"{OPTIONS}\\brood.exe", "GlobalFlag", "0x70")
    assert yard.create(yard.attribute_list()) == 0
    assert int(PEB(yard.child.memory, int(yard.child.eprocess.Peb)).NtGlobalFlag) == 0x70
    yard.forget()
    registry.set(f"{OPTIONS}\\brood.exe", "Debugger", "other.exe")
    try:
        assert yard.create(yard.attribute_list()) == STATUS.OBJECT_NAME_INVALID
        assert int(yard.info.State) == 5
        assert yard.status("NtClose", int(yard.info.IFEOKey)) == 0
        assert yard.create(yard.attribute_list(), init=5) == 0
        yard.forget()
    finally:
        registry.delete(registry.key(f"{OPTIONS}\\brood.exe"))


def test_notifications_come_in_order(yard: Yard) -> None:
    """The process is announced before its thread, images before its first instruction; the thread leaves first."""
    manager, told = yard.kernel[ProcessManager], list[str]()

    def process(_: Process, born: bool) -> None:
        told.append("process" if born else "process ends")

    def thread(_: Thread, born: bool) -> None:
        told.append("thread" if born else "thread ends")

    manager.process_notify.append(process)
    manager.thread_notify.append(thread)
    try:
        assert yard.create(yard.attribute_list()) == 0
        yard.forget()
    finally:
        manager.process_notify.remove(process)
        manager.thread_notify.remove(thread)
    assert told == ["process", "thread", "thread ends", "process ends"]


def _section(yard: Yard) -> int:
    name = yard.attributes(IMAGE)
    file = yard._made("NtCreateFile", 0x1200A9, name, yard.room(16), 0, 0x80, 5, 1, 0x60, 0, 0)
    section = yard._made("NtCreateSection", 0xF001F, 0, 0, 0x10, 0x100_0000, file)
    assert yard.status("NtClose", file) == 0
    return section


def test_a_process_without_threads_goes_with_its_handle(yard: Yard) -> None:
    """NtCreateProcessEx makes a process that lives by its handle alone, and gives everything back with it."""
    section = _section(yard)
    before = 0
    for turn in range(3):
        held = yard.held()
        handle = yard._made("NtCreateProcessEx", 0x1FFFFF, 0, 0xFFFF_FFFF_FFFF_FFFF, 4, section, 0, 0, 0)
        made = ob.by_handle(yard.thread, handle, 0)
        assert isinstance(made, Process)
        assert (made.threads, int(made.eprocess.ActiveThreads)) == ([], 0)
        assert made.id
        assert mm.space_of(made)
        assert yard.status("NtClose", handle) == 0
        assert made.address not in yard.kernel.processes
        before = turn and yard.held() == held
    assert before


def test_bad_input_to_the_old_door(yard: Yard) -> None:
    """Forged and wrong handles, unknown flags, no section: the status, and no residue."""
    own, section, event = 0xFFFF_FFFF_FFFF_FFFF, _section(yard), yard.handles["Event"]
    data = yard.handles["SectionHandle"]
    cases = (
        ((0xDEAD0, 0, section, 0, 0, 0), STATUS.INVALID_HANDLE),
        ((event, 0, section, 0, 0, 0), STATUS.OBJECT_TYPE_MISMATCH),
        ((own, 0, 0xDEAD0, 0, 0, 0), STATUS.INVALID_HANDLE),
        ((own, 0, event, 0, 0, 0), STATUS.OBJECT_TYPE_MISMATCH),
        ((own, 0, data, 0, 0, 0), STATUS.SECTION_NOT_IMAGE),
        ((own, 0x8000_0000, section, 0, 0, 0), STATUS.INVALID_PARAMETER),
        ((own, 0, section, 0, 0xDEAD0, 0), STATUS.INVALID_HANDLE),
        ((own, 0, section, event, 0, 0), STATUS.OBJECT_TYPE_MISMATCH),
        ((own, 0, section, 0, 0, 9), STATUS.INVALID_PARAMETER),
    )
    place = yard.room(8)
    for arguments, status in cases:
        before = yard.held(), len(yard.kernel.processes)
        assert yard.status("NtCreateProcessEx", place, 0x1FFFFF, 0, *arguments) == status, arguments
        assert (yard.held(), len(yard.kernel.processes)) == before, arguments


def test_native_images(tmp_path: Path) -> None:
    """An image of subsystem 1 (native) is created like any other here; only CreateProcess will not have it."""
    image = bytearray((SAMPLES / "bin" / "brood.exe").read_bytes())
    subsystem = int.from_bytes(image[0x3C:0x40], "little") + 24 + 0x44
    image[subsystem : subsystem + 2] = b"\1\0"
    (tmp_path / "native.exe").write_bytes(image)
    (tmp_path / "exitcode.exe").write_bytes((SAMPLES / "bin" / "exitcode.exe").read_bytes())
    with Machine(memory=64 << 20, drives={"D": tmp_path}, backend=ScriptedBackend()) as machine:
        yard = Yard(machine)
        name = "\\??\\D:\\native.exe".encode("utf-16-le")
        place = yard.data(name)
        assert yard.create(yard.data(struct.pack("<5Q", 0x28, NAME, len(name), place, 0))) == 0
        child = yard.child
        assert int(PEB(child.memory, int(child.eprocess.Peb)).ImageSubsystem) == 1
        file = ob.at_address(machine.kernel, int(child.eprocess.ImageFilePointer))
        assert file.path.endswith("native.exe")
        for thread in list(machine.kernel.threads.values()):
            if thread.coroutine is not None:
                thread.coroutine.close()
