"""A thread's registers: one saved engine context, read and written in place.

A general register is one word of the saved block, found once at start-up by writing marks (the block's layout is
the engine's business and changes between releases) and then made a `ctypes` field: reading it costs 0.015 µs, a
Python property 0.043.
"""

from __future__ import annotations

import ctypes

from ntos.hal.unicorn import library as uc
from ntos.hal.unicorn.watch import ENABLED

GENERAL = {
    "rax": uc.REG_RAX, "rcx": uc.REG_RCX, "rdx": uc.REG_RDX, "rbx": uc.REG_RBX,
    "rsp": uc.REG_RSP, "rbp": uc.REG_RBP, "rsi": uc.REG_RSI, "rdi": uc.REG_RDI,
    **{f"r{8 + index}": uc.REG_R8 + index for index in range(8)},
    "rip": uc.REG_RIP, "gs_base": uc.REG_GS_BASE,
}  # fmt: skip


CONTROL = 7
"""DR7."""


class Layout:
    """Where things are in a saved context of the loaded engine."""

    def __init__(self, engine: ctypes.CDLL, pointer: int, size: int) -> None:
        self.engine = engine
        self.size = size
        self.words: dict[str, int] = {}
        block = (ctypes.c_uint64 * (size // 8)).from_address(pointer)
        before = list(block)
        for number, (name, register) in enumerate(GENERAL.items()):
            mark = 0x0123_4567_89AB_0000 + number
            engine.uc_context_reg_write(pointer, register, ctypes.byref(ctypes.c_uint64(mark)))
            # Some registers stand twice (a segment base and its cache); the first hit is the live one.
            self.words[name] = next(index for index, word in enumerate(block) if word == mark)
        block[:] = before
        self.exception_index = -1
        """Index of QEMU's `old_exception` as a 32-bit word; found by the engine at start-up."""


class UnicornContext(ctypes.Structure):
    """Registers as fields of the saved block; `bind` says where they are. Made by the engine, one a thread."""

    rax: int
    rcx: int
    rdx: int
    rbx: int
    rsp: int
    rbp: int
    rsi: int
    rdi: int
    r8: int
    r9: int
    r10: int
    r11: int
    r12: int
    r13: int
    r14: int
    r15: int
    rip: int
    gs_base: int
    watched = False
    """DR7 enables a breakpoint."""

    def __init__(self, layout: Layout, template: bytes) -> None:
        super().__init__()
        self._layout = layout
        self.pointer = ctypes.addressof(self)
        ctypes.memmove(self.pointer, template, layout.size)
        self.words = (ctypes.c_uint64 * (layout.size // 8)).from_buffer(self)
        self.halves = (ctypes.c_int32 * (layout.size // 4)).from_buffer(self)

    def _read(self, register: int, size: int) -> bytes:
        value = ctypes.create_string_buffer(size)
        self._layout.engine.uc_context_reg_read(self.pointer, register, value)
        return value.raw

    def _write(self, register: int, value: bytes) -> None:
        self._layout.engine.uc_context_reg_write(self.pointer, register, value)

    @property
    def rflags(self) -> int:
        """EFLAGS; the engine computes the condition bits from its last operation."""
        return int.from_bytes(self._read(uc.REG_EFLAGS, 8)[:4], "little")

    @rflags.setter
    def rflags(self, value: int) -> None:
        self._write(uc.REG_EFLAGS, (value & 0xFFFFFFFF).to_bytes(8, "little"))

    @property
    def mxcsr(self) -> int:
        return int.from_bytes(self._read(uc.REG_MXCSR, 4), "little")

    @mxcsr.setter
    def mxcsr(self, value: int) -> None:
        self._write(uc.REG_MXCSR, (value & 0xFFFFFFFF).to_bytes(4, "little"))

    def xmm(self, index: int) -> bytes:
        """The sixteen bytes of XMM`index`."""
        return self._read(uc.REG_XMM0 + index, 16)

    def set_xmm(self, index: int, value: bytes) -> None:
        """Sixteen bytes into XMM`index`."""
        self._write(uc.REG_XMM0 + index, bytes(value[:16].ljust(16, b"\0")))

    def x87_state(self) -> bytes:
        """FXSAVE's first 160 bytes: control, status and tag words, then ST0-7 in sixteen bytes each."""
        control, status = self._read(uc.REG_FPCW, 2), self._read(uc.REG_FPSW, 2)
        tags = int.from_bytes(self._read(uc.REG_FPTAG, 2), "little")
        # FXSAVE keeps one "not empty" bit a register; the engine hands out the full two-bit tags.
        short = sum(1 << index for index in range(8) if tags >> 2 * index & 3 != 3)
        head = control + status + bytes((short, 0)) + bytes(26)
        return head + b"".join(self._read(uc.REG_FP0 + index, 10) + bytes(6) for index in range(8))

    def set_x87_state(self, state: bytes) -> None:
        """The inverse of `x87_state`."""
        self._write(uc.REG_FPCW, state[0:2])
        self._write(uc.REG_FPSW, state[2:4])
        tags = sum((0 if state[4] >> index & 1 else 3) << 2 * index for index in range(8))
        self._write(uc.REG_FPTAG, tags.to_bytes(2, "little"))
        for index in range(8):
            self._write(uc.REG_FP0 + index, state[32 + 16 * index : 42 + 16 * index])

    def debug_register(self, index: int) -> int:
        """DR`index`."""
        return int.from_bytes(self._read(uc.REG_DR0 + index, 8), "little")

    def set_debug_register(self, index: int, value: int) -> None:
        """DR`index` = `value`."""
        if index == CONTROL:
            self.watched = value & ENABLED != 0
        self._write(uc.REG_DR0 + index, value.to_bytes(8, "little"))


def bind(layout: Layout) -> None:
    """Give `UnicornContext` its fields, once a host process: a loaded engine has one layout."""
    if hasattr(UnicornContext, "_fields_"):
        return
    fields: list[tuple[str, type]] = []
    end = 0
    for name, index in sorted(layout.words.items(), key=lambda item: item[1]):
        if index > end:
            fields.append((f"_before_{name}", ctypes.c_uint64 * (index - end)))
        fields.append((name, ctypes.c_uint64))
        end = index + 1
    fields.append(("_rest", ctypes.c_uint64 * (layout.size // 8 - end)))
    UnicornContext._fields_ = fields
