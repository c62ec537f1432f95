"""CONTEXT records: a thread's registers as user code sees and edits them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.layout.context import CONTEXT

if TYPE_CHECKING:
    from ntos.hal.cpu import Context

CONTEXT_AMD64 = 0x0010_0000
CONTEXT_CONTROL = CONTEXT_AMD64 | 1
CONTEXT_INTEGER = CONTEXT_AMD64 | 2
CONTEXT_SEGMENTS = CONTEXT_AMD64 | 4
CONTEXT_FLOATING_POINT = CONTEXT_AMD64 | 8
CONTEXT_DEBUG_REGISTERS = CONTEXT_AMD64 | 0x10
CONTEXT_FULL = CONTEXT_CONTROL | CONTEXT_INTEGER | CONTEXT_FLOATING_POINT
CONTEXT_ALL = CONTEXT_FULL | CONTEXT_SEGMENTS | CONTEXT_DEBUG_REGISTERS
CONTEXT_SIZE = 0x4D0

GENERAL = ("rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", *(f"r{n}" for n in range(8, 16)), "rip")
_SEGMENTS = struct.pack("<6H", 0x33, 0x2B, 0x2B, 0x53, 0x2B, 0x2B)
FLAGS_USER_MAY_SET = 0x0021_0DD5
"""CF PF AF ZF SF TF DF OF RF ID; interrupts stay enabled and the always-one bit stays one."""
INTEGER_REGISTERS = tuple(name for name in GENERAL if name not in ("rsp", "rip"))
_OFFSETS = {name: 0x78 + 8 * index for index, name in enumerate(GENERAL)}
MXCSR_MASK = 0xFFFF


def capture(context: Context, flags: int = CONTEXT_ALL) -> bytearray:
    """The 0x4D0 bytes of a CONTEXT holding the parts `flags` names."""
    record = bytearray(CONTEXT_SIZE)
    struct.pack_into("<I", record, 0x30, flags)
    if flags & 1:
        record[0x38:0x44] = _SEGMENTS
        struct.pack_into("<I", record, 0x44, context.rflags)
    if flags & 3:
        for name, offset in _OFFSETS.items():
            if flags & (1 if name in ("rsp", "rip") else 2):
                struct.pack_into("<Q", record, offset, getattr(context, name))
    if flags & 8:
        mxcsr = context.mxcsr
        struct.pack_into("<I", record, 0x34, mxcsr)
        state = context.x87_state()
        record[0x100 : 0x100 + len(state)] = state
        struct.pack_into("<II", record, 0x118, mxcsr, MXCSR_MASK)
        for index in range(16):
            record[0x1A0 + 16 * index : 0x1B0 + 16 * index] = context.xmm(index)
    if flags & 0x10:
        for position, register in enumerate((0, 1, 2, 3, 6, 7)):
            struct.pack_into("<Q", record, 0x48 + 8 * position, context.debug_register(register))
    return record


def apply(context: Context, record: bytes | bytearray, flags: int | None = None) -> None:
    """Load the parts a CONTEXT names (or `flags`) into the registers; privileged flag bits are ignored."""
    if flags is None:
        flags = struct.unpack_from("<I", record, 0x30)[0]
    if flags & 1:
        asked: int = struct.unpack_from("<I", record, 0x44)[0]
        context.rflags = asked & FLAGS_USER_MAY_SET | 0x202
    for name, offset in _OFFSETS.items():
        if flags & (1 if name in ("rsp", "rip") else 2):
            setattr(context, name, struct.unpack_from("<Q", record, offset)[0])
    if flags & 8:
        context.mxcsr = struct.unpack_from("<I", record, 0x34)[0] & MXCSR_MASK
        context.set_x87_state(bytes(record[0x100:0x1A0]))
        for index in range(16):
            context.set_xmm(index, bytes(record[0x1A0 + 16 * index : 0x1B0 + 16 * index]))
    if flags & 0x10:
        for position, register in enumerate((0, 1, 2, 3, 6, 7)):
            context.set_debug_register(register, struct.unpack_from("<Q", record, 0x48 + 8 * position)[0])


def offset_of(register: str) -> int:
    """Where a general register stands in a CONTEXT."""
    return _OFFSETS[register]


assert CONTEXT.size == CONTEXT_SIZE
