"""A thread's registers while it is not running, whoever runs it: what backends provide and doors read."""

from __future__ import annotations

from typing import Protocol


class Context(Protocol):
    """General registers as attributes, the rest by method."""

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
    rflags: int
    mxcsr: int

    def xmm(self, index: int) -> bytes:
        """The sixteen bytes of XMM`index`."""

    def set_xmm(self, index: int, value: bytes) -> None:
        """Sixteen bytes into XMM`index`."""

    def x87_state(self) -> bytes:
        """The 32 + 128 bytes FXSAVE writes before the XMM registers."""

    def set_x87_state(self, state: bytes) -> None:
        """The inverse of `x87_state`."""

    def debug_register(self, index: int) -> int:
        """DR`index`."""

    def set_debug_register(self, index: int, value: int) -> None:
        """DR`index` = `value`."""
