"""What the instruction at RIP touches: the exact address of a fault, and why a division failed."""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING, Any

from ntos.abi.memory import PAGE_MASK, PAGE_SIZE
from ntos.hal.cpu import Access
from ntos.hal.paging import FRAME_MASK, NO_EXECUTE, USER_LIMIT

if TYPE_CHECKING:
    from ntos.hal.cpu import Context
    from ntos.hal.paging import PageTables

LONGEST_INSTRUCTION = 15


@cache
def _iced() -> Any:
    """The disassembler: 8 ms to import, and only faults need it."""
    return importlib.import_module("iced_x86")


def faulting_access(context: Context, tables: PageTables, page: int = -1) -> tuple[int, Access] | None:
    """(address, access) of the first byte the instruction at RIP may not use that way; None if all are allowed.

    With `page` given, only an access in that page counts.
    """
    code = read_bytes(tables, context.rip)
    if len(code) < LONGEST_INSTRUCTION:
        missing = context.rip + len(code)
        if not code or page == missing:
            return (missing, Access.EXECUTE)
    for address, size, access in _accesses(context, code):
        for byte in (address, *([((address + size - 1) | PAGE_MASK) - PAGE_MASK] if _straddles(address, size) else [])):
            if page >= 0 and byte & ~PAGE_MASK != page:
                continue
            if not _allowed(tables, byte, access):
                return byte, access
    return None


def accesses(context: Context, tables: PageTables) -> list[tuple[int, int, Access]]:
    """(address, size, access) of everything the instruction at RIP reads and writes."""
    return _accesses(context, read_bytes(tables, context.rip))


def divisor(context: Context, tables: PageTables) -> int | None:
    """What the `div` or `idiv` at RIP divides by; None where it cannot be told."""
    iced = _iced()
    instruction = iced.Decoder(64, read_bytes(tables, context.rip), ip=context.rip).decode()
    if not instruction or instruction.mnemonic not in (iced.Mnemonic.DIV, iced.Mnemonic.IDIV):
        return None
    if instruction.op0_kind == iced.OpKind.REGISTER:
        return _part(context, instruction.op0_register)
    address, size, _ = _accesses(context, read_bytes(tables, context.rip))[0]
    data = b"".join(read_bytes(tables, address + index, data=True)[:1] for index in range(size))
    return int.from_bytes(data, "little") if len(data) == size else None


def _part(context: Context, register: int) -> int:
    """A general register or a part of one."""
    iced = _iced()
    full = _register_values(context)[iced.RegisterExt.full_register(register)]
    size = iced.RegisterExt.size(register)
    high = register in (iced.Register.AH, iced.Register.BH, iced.Register.CH, iced.Register.DH)
    return int((full >> 8 if high else full) & ((1 << 8 * size) - 1))


def _straddles(address: int, size: int) -> bool:
    return (address & PAGE_MASK) + size > PAGE_SIZE


def _allowed(tables: PageTables, address: int, access: Access) -> bool:
    if address >= USER_LIMIT:
        return False
    entry = tables.entry(address)
    if entry & 5 != 5:
        return False
    return not (access & Access.WRITE and not entry & 2)


def read_bytes(tables: PageTables, address: int, *, data: bool = False) -> bytes:
    """The bytes of an instruction, as far as they can be executed (or, of `data`, be read)."""
    code = b""
    while len(code) < LONGEST_INSTRUCTION:
        at = address + len(code)
        entry = tables.entry(at) if at < USER_LIMIT else 0
        if entry & 5 != 5 or (entry & NO_EXECUTE and not data):
            break
        size = min(LONGEST_INSTRUCTION - len(code), PAGE_SIZE - (at & PAGE_MASK))
        offset = entry & FRAME_MASK | at & PAGE_MASK
        code += bytes(tables.physical.buffer[offset : offset + size])
    return code


def _accesses(context: Context, code: bytes) -> list[tuple[int, int, Access]]:
    instruction = _iced().Decoder(64, code, ip=context.rip).decode()
    if not instruction:
        return []
    values = _register_values(context)
    found = []
    for memory in _iced().InstructionInfoFactory().info(instruction).used_memory():
        access = _kind(memory.access)
        if not access:
            continue
        address = memory.displacement
        if memory.base != _iced().Register.NONE:
            address += _value(values, memory.base)
        if memory.index != _iced().Register.NONE:
            address += _value(values, memory.index) * memory.scale
        if memory.segment == _iced().Register.GS:
            address += context.gs_base
        size = max(1, _iced().MemorySizeInfo(memory.memory_size).size)
        found.append((address & 0xFFFF_FFFF_FFFF_FFFF, size, access))
    return found


def _kind(access: int) -> Access | None:
    op = _iced().OpAccess
    if access in (op.WRITE, op.COND_WRITE):
        return Access.WRITE
    if access in (op.READ_WRITE, op.READ_COND_WRITE):
        return Access.WRITE | Access.READ
    return Access.READ if access in (op.READ, op.COND_READ) else None


def _register_values(context: Context) -> dict[int, int]:
    register = _iced().Register
    values: dict[int, int] = {register.RIP: 0, register.EIP: 0}
    for name in ("rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", *(f"r{n}" for n in range(8, 16))):
        values[getattr(register, name.upper())] = getattr(context, name)
    return values


def _value(values: dict[int, int], register: int) -> int:
    if register in values:
        return values[register]
    full = _iced().RegisterExt.full_register(register)
    return values.get(full, 0) & 0xFFFF_FFFF
