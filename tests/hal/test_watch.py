"""Breakpoints in the debug registers: what stops a thread, where, and what DR6 then says (Intel SDM vol. 3, 17.2)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ntos.hal.cpu import SYSCALL, HardwareException, Vector
from ntos.hal.paging import NO_EXECUTE, USER, WRITABLE, PageTables
from ntos.hal.platform import Platform
from ntos.hal.unicorn.engine import UnicornBackend

CODE, DATA = 0x10000, 0x20000
PROGRAM = bytes.fromhex(
    "90"  # 0  nop
    "48890425 00000200"  # 1  mov [20000h], rax
    "488b0c25 08000200"  # 9  mov rcx, [20008h]
    "90"  # 11 nop
    "0f05"  # 12 syscall
)
STORE, LOAD, LAST, END = CODE + 1, CODE + 9, CODE + 0x11, CODE + 0x14
WRITE_8, ACCESS_8 = 0x9_0001, 0xB_0001
"""DR7: DR0, eight bytes."""
RESUME, TRAP = 0x1_0000, 0x100


class Core:
    """A thread with a program, on the engine."""

    def __init__(self) -> None:
        self.platform = Platform(64 << 20, 0)
        self.backend = UnicornBackend(self.platform.physical)
        self.platform.attach(self.backend)
        self.tables = PageTables(self.platform.physical, self.backend)
        code, data = self.platform.physical.allocate(), self.platform.physical.allocate()
        self.tables.map(CODE, code, USER)
        self.tables.map(DATA, data, USER | WRITABLE | NO_EXECUTE)
        self.code = code
        self.load(PROGRAM)
        self.context = self.backend.new_context()
        self.context.rip = CODE

    def load(self, program: bytes) -> None:
        """Another program, before the first has run."""
        self.platform.physical.buffer[self.code : self.code + len(program)] = program

    def watch(self, address: int, control: int) -> None:
        """DR0 and DR7."""
        self.context.set_debug_register(0, address)
        self.context.set_debug_register(7, control)

    def stops(self) -> tuple[int, int] | None:
        """(RIP, DR6) of the next stop; None at the program's end."""
        trap = self.backend.run(self.context, self.tables)
        if trap is SYSCALL:
            return None
        assert isinstance(trap, HardwareException)
        assert trap.vector == Vector.DEBUG
        return self.context.rip, self.context.debug_register(6)


@pytest.fixture
def core() -> Iterator[Core]:
    """A fresh machine."""
    made = Core()
    yield made
    made.platform.close()


def test_an_instruction_is_stopped_before_it_runs_until_it_is_resumed(core: Core) -> None:
    """An execution breakpoint is a fault; with EFLAGS.RF the instruction runs once."""
    core.watch(LAST, 1)
    assert core.stops() == (LAST, 1)
    assert core.stops() == (LAST, 1)
    core.context.rflags |= RESUME
    core.context.set_debug_register(6, 0)
    assert core.stops() is None
    assert (core.context.rip, core.context.rflags & (RESUME | TRAP), core.context.debug_register(6)) == (END, 0, 0)


@pytest.mark.parametrize(
    ("address", "control", "stop"),
    [
        (DATA, WRITE_8, LOAD), (DATA, ACCESS_8, LOAD), (DATA + 8, ACCESS_8, LAST), (DATA + 8, WRITE_8, None),
        (DATA + 7, 0x1_0001, LOAD), (DATA, 0, None),
    ],
)  # fmt: skip
def test_data_is_watched_for_writes_or_for_any_access(core: Core, address: int, control: int, stop: int | None) -> None:
    """A data breakpoint is a trap: it comes behind the instruction, if that did what is waited for."""
    core.watch(address, control)
    assert core.stops() == (None if stop is None else (stop, 1))
    if stop is not None:
        assert core.stops() is None


def test_a_system_call_is_not_stepped_over(core: Core) -> None:
    """`syscall` clears the trap flag for the kernel: the call is made, and the flag is still set when it returns."""
    core.context.rip = LAST + 1
    core.context.rflags |= TRAP
    assert core.stops() is None
    assert (core.context.rip, core.context.rflags & TRAP) == (END, TRAP)


def test_the_trap_flag_under_watch_is_the_programs_own(core: Core) -> None:
    """PUSHF shows it as the program has set it, and POPF sets it: the stop comes behind the next instruction."""
    core.load(bytes.fromhex("9c 58 9d 90 90 0f05"))  # pushfq; pop rax; popfq; nop; nop; syscall
    core.context.rsp = DATA + 0x100
    core.watch(CODE + 3, 1)
    core.platform.physical.buffer[core.tables.entry(DATA) & 0xF_FFFF_F000 | 0x100] = 2
    core.platform.physical.buffer[core.tables.entry(DATA) & 0xF_FFFF_F000 | 0x101] = 1
    assert core.stops() == (CODE + 3, 1)
    assert core.context.rax & TRAP == 0
    core.context.rflags |= RESUME
    assert core.stops() == (CODE + 4, 0x4000)


def test_a_step_is_told_from_a_breakpoint(core: Core) -> None:
    """DR6.BS says that the trap flag stopped the thread, the low bits which breakpoints did; both can be."""
    core.context.rflags |= TRAP
    assert core.stops() == (STORE, 0x4000)
    core.context.rflags |= TRAP
    core.watch(DATA, WRITE_8)
    assert core.stops() == (LOAD, 0x4001)
