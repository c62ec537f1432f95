"""Where a code address belongs: its image, its RUNTIME_FUNCTION, and tables that programs add for code they
make.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ntos.abi.pe.headers import Directory
from ntos.dll.ntdll.ldr.state import Loader
from ntos.dll.ntdll.unwind import (
    CHAIN_LIMIT,
    RUNTIME_FUNCTION_SIZE,
    RuntimeFunction,
    Step,
    prepare,
    read_function,
    search_table,
)

if TYPE_CHECKING:
    from ntos.abi.memory import Memory
    from ntos.um.thread import UserThread

INDIRECT = 1


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

    def forget(self) -> None:
        """Guest code has run: tables may be others now."""
        self._known.clear()

    async def at(self, pc: int) -> tuple[int, RuntimeFunction | None, Step | None]:
        """Image base, function entry and prepared step for an address; no entry for a leaf."""
        known = self._known.get(pc)
        if known is None:
            image, function = await lookup(self._thread, pc)
            step = prepare(self._thread.memory, image, pc, function) if function is not None else None
            known = self._known[pc] = image, function, step
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
