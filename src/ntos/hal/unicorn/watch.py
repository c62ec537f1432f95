"""DR0 to DR3: breakpoints the engine knows nothing of, found by looking at each instruction before it is stepped over.

Intel SDM vol. 3, 17.2: DR7 says which of the four addresses count, for what, and how many bytes each covers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.memory import PAGE_MASK
from ntos.hal.cpu import Access
from ntos.hal.decode import read_bytes
from ntos.hal.paging import FRAME_MASK

if TYPE_CHECKING:
    from ntos.hal.cpu import Context
    from ntos.hal.paging import PageTables

REGISTERS = range(4)
ENABLED = 0xFF
"""Local and global enable bits, two for each address."""
ON_EXECUTION, ON_WRITE, ON_ACCESS = 0, 1, 3
LENGTHS = (1, 2, 8, 4)
RESUME_FLAG = 0x1_0000
"""EFLAGS.RF: the next instruction is executed whatever breakpoint is on it."""
SINGLE_STEPPED = 0x4000
"""DR6.BS."""


PUSHF, POPF, OPERAND_SIZE = 0x9C, 0x9D, 0x66
TRAP_FLAG = 0x100


def first_opcode(context: Context, tables: PageTables) -> int:
    """The first byte of the instruction at RIP that is not the operand size prefix."""
    code = read_bytes(tables, context.rip).lstrip(bytes((OPERAND_SIZE,)))
    return code[0] if code else -1


def popped_trap_flag(context: Context, tables: PageTables) -> int:
    """The trap flag that a POPF here would set."""
    return int.from_bytes(read_bytes(tables, context.rsp, data=True)[:2], "little") & TRAP_FLAG


def hide_trap_flag(context: Context, tables: PageTables) -> None:
    """Take the trap flag out of what a PUSHF has just pushed: it was ours, not the thread's."""
    address = context.rsp + 1
    place = tables.entry(address) & FRAME_MASK | address & PAGE_MASK
    tables.physical.buffer[place] &= ~(TRAP_FLAG >> 8) & 0xFF


class Watch:
    """What a thread's debug registers wait for."""

    def __init__(self, context: Context) -> None:
        control = context.debug_register(7)
        self.code: dict[int, int] = {}
        """Address of an instruction to the bit of DR6 that tells of it."""
        self.data: list[tuple[int, int, Access, int]] = []
        """(first address, end, the access that counts, bit of DR6)."""
        for number in REGISTERS:
            if not control >> 2 * number & 3:
                continue
            kind, length = control >> 16 + 4 * number & 3, LENGTHS[control >> 18 + 4 * number & 3]
            address, bit = context.debug_register(number), 1 << number
            if kind == ON_EXECUTION:
                self.code[address] = self.code.get(address, 0) | bit
            elif kind in (ON_WRITE, ON_ACCESS):
                wanted = Access.WRITE if kind == ON_WRITE else Access.READ | Access.WRITE
                self.data.append((address & -length, (address & -length) + length, wanted, bit))

    def touched(self, accesses: list[tuple[int, int, Access]]) -> int:
        """The bits of DR6 for what an instruction reads and writes."""
        hit = 0
        for start, end, wanted, bit in self.data:
            if any(address < end and address + size > start and access & wanted for address, size, access in accesses):
                hit |= bit
        return hit
