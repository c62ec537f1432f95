"""Guest code on the real engine: faults between its instructions that it never notices, and those it does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ntos import mm
from ntos.abi.mm import PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE, PAGE_READONLY, PAGE_READWRITE
from ntos.abi.status import STATUS, GuestFault
from ntos.hal.cpu import SYSCALL, Access, Fault
from ntos.hal.unicorn.engine import UnicornBackend
from tests.mm.test_image import DATA, image

LOOP = bytes.fromhex("48 89 c8 c6 00 01 48 05 00 10 00 00 48 ff ca 75 f2 0f 05")
"""mov rax, rcx; again: mov byte [rax], 1; add rax, 0x1000; dec rdx; jnz again; syscall"""


class Guest:
    """A process on Unicorn with one page of code."""

    def __init__(self, memory: Any) -> None:
        self.memory = memory
        self.platform = memory.kernel.platform
        self.backend = UnicornBackend(self.platform.physical)
        self.platform.attach(self.backend)
        self.process = memory.new_process()
        self.code = mm.allocate(self.process, 0x1000, protection=PAGE_EXECUTE_READWRITE)
        self.faults = 0

    def run(self, code: bytes, **registers: int) -> Any:
        """Run until `syscall`, serving faults; gives the context. GuestFault where one stays."""
        self.process.memory.write(self.code, code)
        context: Any = self.backend.new_context()
        context.rip = self.code
        for name, value in registers.items():
            setattr(context, name, value)
        while True:
            trap = self.backend.run(context, self.process.tables)
            if trap is SYSCALL:
                return context
            assert isinstance(trap, Fault), trap
            self.faults += 1
            self.process.memory.fault(trap.address, Access(trap.access).information)


@pytest.fixture
def guest(memory: Any) -> Iterator[Guest]:
    """Such a process."""
    made = Guest(memory)
    yield made
    made.backend.close()


def test_demand_zero_pages_come_as_the_guest_writes(guest: Guest) -> None:
    """A loop over untouched pages runs through, one fault for each."""
    base = mm.allocate(guest.process, 0x20000)
    guest.run(LOOP, rcx=base, rdx=32)
    assert [guest.process.memory.read(base + page * 0x1000, 1) for page in range(32)] == [b"\1"] * 32
    assert guest.faults >= 32


def test_a_guests_write_to_an_image_is_its_own(guest: Guest) -> None:
    """Copy-on-write works for the guest's instructions, also after it has read the shared page."""
    section = mm.create_image_section(guest.memory.kernel, mm.BytesBacking(image()))
    base, _, _ = mm.map_view(guest.process, section)
    other = guest.memory.new_process()
    mm.map_view(other, section)
    guest.run(bytes.fromhex("8a01c601070f05"), rcx=base + DATA + 8)
    assert guest.process.memory.read(base + DATA + 8, 1) == b"\7"
    assert other.memory.read(base + DATA + 8, 1) == b"d"


def test_protection_changes_take_effect_at_once(guest: Guest) -> None:
    """A page the guest has just written is read-only for its next instruction after VirtualProtect."""
    base = mm.allocate(guest.process, 0x1000)
    guest.run(LOOP, rcx=base, rdx=1)
    mm.protect(guest.process, base, 0x1000, PAGE_READONLY)
    with pytest.raises(GuestFault) as fault:
        guest.run(LOOP, rcx=base, rdx=1)
    assert (fault.value.access, fault.value.status) == (1, STATUS.ACCESS_VIOLATION)
    mm.protect(guest.process, base, 0x1000, PAGE_READWRITE)
    guest.run(LOOP, rcx=base, rdx=1)


def test_data_cannot_be_executed(guest: Guest) -> None:
    """Jumping to a page without execute permission is an access violation of kind 8."""
    base = mm.allocate(guest.process, 0x1000)
    guest.process.memory.write(base, b"\x0f\x05")
    with pytest.raises(GuestFault) as fault:
        guest.run(b"\xff\xe1", rcx=base)
    assert fault.value.access == 8
    mm.protect(guest.process, base, 0x1000, PAGE_EXECUTE_READ)
    guest.run(b"\xff\xe1", rcx=base)


def test_code_in_a_freed_frame_is_forgotten(guest: Guest) -> None:
    """New code in a frame that held other code before is what runs."""
    for value in range(1, 6):
        base = mm.allocate(guest.process, 0x1000, protection=PAGE_EXECUTE_READWRITE)
        guest.process.memory.write(base, b"\xb8" + value.to_bytes(4, "little") + b"\x0f\x05")
        assert guest.run(b"\xff\xe1", rcx=base).rax == value
        mm.free(guest.process, base)


def test_a_clean_file_page_becomes_dirty_by_the_guests_write(guest: Guest) -> None:
    """Reading leaves a mapped file's page clean; the guest's write reaches the file at unmap."""
    backing = mm.BytesBacking(bytes(0x1000))
    section = mm.create_section(guest.memory.kernel, backing)
    base, _, _ = mm.map_view(guest.process, section)
    guest.run(bytes.fromhex("8a010f05"), rcx=base)
    mm.unmap_view(guest.process, base)
    assert backing.version == 0
    base, _, _ = mm.map_view(guest.process, section)
    guest.run(bytes.fromhex("8a01c601070f05"), rcx=base)
    mm.unmap_view(guest.process, base)
    assert backing.data[0] == 7
