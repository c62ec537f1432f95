"""The seam to whatever runs guest code: a backend is `new_space()`, `new_context()` and `run()`.

A run returns a `Trap`: the reason it stopped. That is the whole interface; everything else is memory.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Any, Protocol

from ntos.abi.registers import Context

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.hal.paging import PageTables


__all__ = ["PREEMPTED", "SYSCALL", "Access", "Backend", "Context", "Fault", "HardwareException", "Trap", "Vector"]


class Access(IntFlag):
    """What an instruction wanted of a page."""

    READ = 1
    WRITE = 2
    EXECUTE = 4

    @property
    def information(self) -> int:
        """EXCEPTION_RECORD.ExceptionInformation[0]: 0 read, 1 write, 8 execute."""
        return 8 if self & Access.EXECUTE else 1 if self & Access.WRITE else 0


class Vector(IntEnum):
    """Hardware exception and interrupt numbers a trap can carry (Intel SDM vol. 3, table 6-1)."""

    DIVIDE = 0
    DEBUG = 1
    BREAKPOINT = 3
    OVERFLOW = 4
    BOUND = 5
    INVALID_OPCODE = 6
    DEVICE_NOT_AVAILABLE = 7
    DOUBLE_FAULT = 8
    STACK = 12
    GENERAL_PROTECTION = 13
    PAGE = 14
    X87 = 16
    ALIGNMENT = 17
    SIMD = 19
    FAST_FAIL = 0x29
    ASSERTION = 0x2C
    DEBUG_SERVICE = 0x2D
    SYSTEM_SERVICE = 0x2E


class Trap:
    """Why guest code stopped running."""

    __slots__ = ()


class Syscall(Trap):
    """The guest executed `syscall`; the number is in RAX, RIP is past the instruction."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Syscall()"


class Fault(Trap):
    """A page could not be used. `address` is exact where `exact`, else the start of the page."""

    __slots__ = ("access", "address", "exact")
    __match_args__ = ("address", "access")

    def __init__(self, address: int, access: Access, *, exact: bool = True) -> None:
        self.address = address
        self.access = access
        self.exact = exact

    def __repr__(self) -> str:
        return f"Fault(0x{self.address:X}, {self.access!r})"


class HardwareException(Trap):
    """A processor exception or `int n`; RIP is at the instruction for faults, past it for traps."""

    __slots__ = ("vector",)
    __match_args__ = ("vector",)

    def __init__(self, vector: int) -> None:
        self.vector = vector

    def __repr__(self) -> str:
        return f"HardwareException({self.vector})"


class Preempted(Trap):
    """The time slice ended while the guest was still running."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Preempted()"


SYSCALL = Syscall()
PREEMPTED = Preempted()


class Backend(Protocol):
    """Something that runs guest code at CPL 3 in an address space.

    A backend is only ever given contexts it made itself, hence `Any` where it takes one.
    """

    spinning: Callable[[float], bool]
    """Asked from another host thread about a run that lasts long: (seconds more) -> whether to stop it."""

    def new_context(self) -> Context:
        """Registers as they are at the first instruction of a user thread: zero, CS 0x33, IF set."""

    def run(self, context: Any, tables: PageTables, *, step: bool = False) -> Trap:
        """Run until something happens; `context` then holds the registers."""

    def exact_fault(self, context: Any, tables: PageTables, fault: Fault) -> Fault:
        """The same fault with the exact address, where only the page is known yet."""

    def forget_translations(self, tables: PageTables) -> None:
        """Page-table entries of `tables` were withdrawn or changed."""

    def forget_code(self, physical: int, size: int) -> None:
        """Bytes of an executable page changed under the engine."""

    def stop(self) -> None:
        """End the current run from another host thread; it returns `Preempted`."""

    def close(self) -> None: ...
