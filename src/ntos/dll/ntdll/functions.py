"""Where a code address belongs: its image, its RUNTIME_FUNCTION, and tables that programs add for code they
make.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ntos.abi.memory import PAGE_SIZE
from ntos.abi.pe.headers import Directory
from ntos.dll.ntdll.ldr.state import Loader
from ntos.dll.ntdll.unwind import (
    CHAIN_LIMIT,
    RSP,
    RUNTIME_FUNCTION_SIZE,
    Recipe,
    RuntimeFunction,
    Step,
    prepare,
    read_function,
    search_table,
)

if TYPE_CHECKING:
    from ntos.abi.memory import Memory
    from ntos.dll.ntdll.registers import Registers
    from ntos.um.thread import UserThread

INDIRECT = 1
RIP = 16
_WORD = struct.Struct("<Q")


@dataclass(slots=True)
class DynamicTable:
    """A table of RtlAddFunctionTable, RtlInstallFunctionTableCallback or RtlAddGrowableFunctionTable."""

    identifier: int
    base: int
    start: int
    end: int
    table: int = 0
    count: int = 0
    callback: int = 0
    context: int = 0


@dataclass(slots=True)
class DynamicTables:
    """All of a process."""

    tables: list[DynamicTable] = field(default_factory=list)
    next_identifier: int = 0x1000

    def covering(self, pc: int) -> DynamicTable | None:
        """The table for an address."""
        return next((table for table in self.tables if table.start <= pc < table.end), None)


async def lookup(thread: UserThread, pc: int) -> tuple[int, RuntimeFunction | None]:
    """(image base, function entry) for an address; (0, None) outside all code, no entry for a leaf.

    RtlLookupFunctionEntry.
    """
    memory = thread.memory
    module = thread.state(Loader).containing(pc)
    if module is not None:
        table, size = module.headers.directory(Directory.EXCEPTION)
        count = size // RUNTIME_FUNCTION_SIZE if table else 0
        found = search_table(memory, module.base + table, count, pc - module.base)
        return module.base, _direct(memory, module.base, found)
    dynamic = thread.state(DynamicTables).covering(pc)
    if dynamic is None:
        return 0, None
    if dynamic.callback:
        address = await thread.call(dynamic.callback, pc, dynamic.context)
        return dynamic.base, _direct(memory, dynamic.base, read_function(memory, address) if address else None)
    found = search_table(memory, dynamic.table, dynamic.count, pc - dynamic.base)
    if found is None:  # RtlAddFunctionTable does not demand a sorted table
        found = _search_all(memory, dynamic, pc - dynamic.base)
    return dynamic.base, _direct(memory, dynamic.base, found)


class Walk:
    """A walk over a stack: what an address means is looked up once, as recursion meets it often."""

    def __init__(self, thread: UserThread) -> None:
        self._thread = thread
        self._known: dict[int, tuple[int, RuntimeFunction | None, Step | None]] = {}
        self._plain: dict[int, Recipe] = {}
        """Recipes of the frames that have no handler and save no XMM register."""

    def forget(self) -> None:
        """Guest code has run: tables may be others now."""
        self._known.clear()
        self._plain.clear()

    def over(self, registers: Registers, low: int, high: int, stop: int) -> None:
        """Go back over plain frames met before, up to an establisher frame at `stop`; `low` and `high` bound the stack.

        0.7 µs a frame where one by one takes 7: a stack overflow has a quarter of a million. Whatever is not
        plain (a frame across two pages, a return address of 0) is left to who goes one by one.
        """
        recipe = self._plain.get(registers.rip)
        if recipe is None:
            return
        memory, values = self._thread.memory, registers.general()
        page, block = -1, b""
        while recipe is not None:
            stack, base = values[RSP], values[recipe.register] - recipe.offset
            top = base + recipe.size
            if not low <= stack <= base < stop or top + 8 >= high or base & 7 or base >> 12 != top >> 12:
                break
            if base >> 12 != page:
                page = base >> 12
                block = memory.read(page << 12, PAGE_SIZE)
            (rip,) = _WORD.unpack_from(block, top & 0xFFF)
            if not rip:
                break
            for register, place in recipe.saves:
                (values[register],) = _WORD.unpack_from(block, (base & 0xFFF) + place)
            values[RSP], values[RIP] = top + 8, rip
            recipe = self._plain.get(rip)
        registers.set_general(values)

    async def at(self, pc: int) -> tuple[int, RuntimeFunction | None, Step | None]:
        """Image base, function entry and prepared step for an address; no entry for a leaf."""
        known = self._known.get(pc)
        if known is None:
            image, function = await lookup(self._thread, pc)
            step = prepare(self._thread.memory, image, pc, function) if function is not None else None
            known = self._known[pc] = image, function, step
            if step is not None and step.recipe is not None and not step.recipe.xmm and not step.info.flags:
                self._plain[pc] = step.recipe
        return known


def _search_all(memory: Memory, dynamic: DynamicTable, rva: int) -> RuntimeFunction | None:
    for index in range(dynamic.count):
        function = read_function(memory, dynamic.table + RUNTIME_FUNCTION_SIZE * index)
        if function.begin <= rva < function.end:
            return function
    return None


def _direct(memory: Memory, image: int, function: RuntimeFunction | None) -> RuntimeFunction | None:
    """An entry whose unwind data is another entry (RUNTIME_FUNCTION_INDIRECT) stands for that one."""
    for _ in range(CHAIN_LIMIT):
        if function is None or not function.unwind & INDIRECT:
            break
        function = read_function(memory, image + function.unwind - INDIRECT)
    return function
