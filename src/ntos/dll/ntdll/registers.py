"""CONTEXT records as the unwinder works on them, and the way from one into the thread's registers."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ntos.abi.memory import Memory
    from ntos.um.thread import UserThread

CONTEXT_SIZE = 0x4D0
CONTEXT_ALL = 0x0010_001F
CONTEXT_FULL = 0x0010_000B
FLAGS_OFFSET, MXCSR_OFFSET, EFLAGS_OFFSET = 0x30, 0x34, 0x44
GENERAL_OFFSET, RIP_OFFSET, RSP_OFFSET, XMM_OFFSET = 0x78, 0xF8, 0x98, 0x1A0
LEGACY_SIZE = 0xA0
NAMES = ("rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", *(f"r{number}" for number in range(8, 16)))
SEGMENTS = struct.pack("<6H", 0x33, 0x2B, 0x2B, 0x53, 0x2B, 0x2B)
FLAGS_USER_MAY_SET = 0x0021_0DD5
MASK = 0xFFFF_FFFF_FFFF_FFFF
RAX, RSP = 0, 4
_Q = struct.Struct("<Q")
_GENERAL = struct.Struct("<17Q")


class Registers:
    """The bytes of a CONTEXT; registers by their number in unwind codes."""

    __slots__ = ("data",)

    def __init__(self, data: bytes | bytearray) -> None:
        self.data = bytearray(data)

    @classmethod
    def at(cls, memory: Memory, address: int) -> Registers:
        """A copy of the CONTEXT at `address`."""
        return cls(memory.read(address, CONTEXT_SIZE))

    @classmethod
    def of(cls, thread: UserThread) -> Registers:
        """The thread's registers as they are."""
        context, data = thread.context, bytearray(CONTEXT_SIZE)
        struct.pack_into("<II", data, FLAGS_OFFSET, CONTEXT_FULL | 4, context.mxcsr)
        data[0x38:0x44] = SEGMENTS
        struct.pack_into("<I", data, EFLAGS_OFFSET, context.rflags)
        struct.pack_into("<17Q", data, GENERAL_OFFSET, *(getattr(context, name) for name in NAMES), context.rip)
        legacy = context.x87_state()
        data[0x100 : 0x100 + len(legacy)] = legacy
        struct.pack_into("<II", data, 0x118, context.mxcsr, 0xFFFF)
        for index in range(16):
            place = XMM_OFFSET + 16 * index
            data[place : place + 16] = context.xmm(index)
        return cls(data)

    @classmethod
    def of_caller(cls, thread: UserThread) -> Registers:
        """The registers as the caller of the running export has them right after its `call`."""
        registers = cls.of(thread)
        registers.leave_leaf(thread.memory)
        return registers

    def copy(self) -> Registers:
        """Another record with the same registers."""
        return Registers(self.data)

    def __getitem__(self, register: int) -> int:
        value: int = _Q.unpack_from(self.data, GENERAL_OFFSET + 8 * register)[0]
        return value

    def __setitem__(self, register: int, value: int) -> None:
        _Q.pack_into(self.data, GENERAL_OFFSET + 8 * register, value & MASK)

    def general(self) -> list[int]:
        """RAX to R15 by number, then RIP."""
        return list(_GENERAL.unpack_from(self.data, GENERAL_OFFSET))

    def set_general(self, values: list[int]) -> None:
        """The inverse of `general`."""
        _GENERAL.pack_into(self.data, GENERAL_OFFSET, *values)

    @property
    def rip(self) -> int:
        """The instruction pointer."""
        value: int = _Q.unpack_from(self.data, RIP_OFFSET)[0]
        return value

    @rip.setter
    def rip(self, value: int) -> None:
        _Q.pack_into(self.data, RIP_OFFSET, value & MASK)

    @property
    def rsp(self) -> int:
        """The stack pointer."""
        value: int = _Q.unpack_from(self.data, RSP_OFFSET)[0]
        return value

    @rsp.setter
    def rsp(self, value: int) -> None:
        _Q.pack_into(self.data, RSP_OFFSET, value & MASK)

    def copy_register(self, register: int, source: bytes, place: int) -> None:
        """Take a register's eight bytes out of a block of stack."""
        at = GENERAL_OFFSET + 8 * register
        self.data[at : at + 8] = source[place : place + 8]

    def copy_rip(self, source: bytes, place: int) -> None:
        """Take the return address out of a block of stack."""
        self.data[RIP_OFFSET : RIP_OFFSET + 8] = source[place : place + 8]

    def set_xmm(self, register: int, value: bytes) -> None:
        """Store a 128-bit register."""
        place = XMM_OFFSET + 16 * register
        self.data[place : place + 16] = value

    def leave_leaf(self, memory: Memory) -> None:
        """Step out of a function without frame: the return address is at RSP."""
        stack = self.rsp
        self.rip = int.from_bytes(memory.read(stack, 8), "little")
        self.rsp = stack + 8

    def write(self, memory: Memory, address: int) -> None:
        """Put the CONTEXT at `address`."""
        memory.write(address, self.data)

    def load_into(self, thread: UserThread) -> None:
        """Make these the thread's registers, as far as ContextFlags says (RtlRestoreContext)."""
        context, data = thread.context, self.data
        flags: int = struct.unpack_from("<I", data, FLAGS_OFFSET)[0]
        values = struct.unpack_from("<17Q", data, GENERAL_OFFSET)
        for number, name in enumerate(NAMES):
            if flags & (1 if number == RSP else 2):
                setattr(context, name, values[number])
        if flags & 1:
            context.rip = values[16]
            asked: int = struct.unpack_from("<I", data, EFLAGS_OFFSET)[0]
            context.rflags = asked & FLAGS_USER_MAY_SET | 0x202
        if flags & 8:
            context.mxcsr = struct.unpack_from("<I", data, MXCSR_OFFSET)[0] & 0xFFFF
            context.set_x87_state(bytes(data[0x100 : 0x100 + LEGACY_SIZE]))
            for index in range(16):
                place = XMM_OFFSET + 16 * index
                context.set_xmm(index, bytes(data[place : place + 16]))
        if flags & 0x10:
            for position, number in enumerate((0, 1, 2, 3, 6, 7)):
                value = struct.unpack_from("<Q", data, 0x48 + 8 * position)[0]
                context.set_debug_register(number, value)
