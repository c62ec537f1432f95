"""The floating-point unit's modes and marks: `_controlfp` and fenv.h over the thread's MXCSR."""

from __future__ import annotations

from ntos.abi.pointer import Ptr
from ntos.abi.types import INT, UINT
from ntos.dll.ucrtbase.crt import crt
from ntos.um.thread import UserThread

MASKS = ((0x10, 0x80), (0x8, 0x200), (0x4, 0x400), (0x2, 0x800), (0x1, 0x1000), (0x8_0000, 0x100))
"""_EM_INVALID, _EM_ZERODIVIDE, _EM_OVERFLOW, _EM_UNDERFLOW, _EM_INEXACT, _EM_DENORMAL and their bits in
MXCSR."""
STATUS_BITS = ((0x10, 0x1), (0x8, 0x4), (0x4, 0x8), (0x2, 0x10), (0x1, 0x20), (0x8_0000, 0x2))
ROUNDING = {0: 0, 0x100: 0x2000, 0x200: 0x4000, 0x300: 0x6000}
FLUSH = 0x0100_0000


def control_word(mxcsr: int) -> int:
    """MXCSR as `_controlfp` spells it."""
    word = sum(ours for ours, theirs in MASKS if mxcsr & theirs)
    word |= (mxcsr >> 5 & 0x300) | (FLUSH if mxcsr & 0x8000 else 0)
    return word


def _changed(thread: UserThread, value: int, mask: int) -> int:
    mxcsr = int(thread.context.mxcsr)
    word = control_word(mxcsr) & ~mask | value & mask
    bits = sum(theirs for ours, theirs in MASKS if word & ours)
    bits |= ROUNDING[word & 0x300] | (0x8000 if word & FLUSH else 0)
    thread.context.mxcsr = mxcsr & 0x3F | bits | mxcsr & 0x40
    return control_word(int(thread.context.mxcsr))


@crt
def _controlfp(thread: UserThread, value: UINT, mask: UINT) -> UINT:
    """Change the control word (never the denormal mask); gives it."""
    return UINT(_changed(thread, value, mask & ~0x8_0000))


@crt
def _control87(thread: UserThread, value: UINT, mask: UINT) -> UINT:
    """Change the control word; gives it."""
    return UINT(_changed(thread, value, mask))


@crt(dlls=("ucrtbase",))
def _controlfp_s(thread: UserThread, current: Ptr[UINT] | None, value: UINT, mask: UINT) -> INT:
    """Change the control word; it by pointer."""
    word = _changed(thread, value, mask & ~0x8_0000)
    if current is not None:
        current.write(word)
    return INT(0)


@crt
def _set_controlfp(thread: UserThread, value: UINT, mask: UINT) -> None:
    """Change the control word."""
    _changed(thread, value, mask & ~0x8_0000)


def _status(thread: UserThread) -> int:
    mxcsr = int(thread.context.mxcsr)
    return sum(ours for ours, theirs in STATUS_BITS if mxcsr & theirs)


@crt
def _statusfp(thread: UserThread) -> UINT:
    """Which exceptions have happened."""
    return UINT(_status(thread))


@crt
def _clearfp(thread: UserThread) -> UINT:
    """Which exceptions have happened; none from now on."""
    former = _status(thread)
    thread.context.mxcsr = int(thread.context.mxcsr) & ~0x3F
    return UINT(former)


@crt(dlls=("ucrtbase",))
def __fpe_flt_rounds(thread: UserThread) -> INT:
    """FLT_ROUNDS."""
    return INT({0: 1, 0x2000: 3, 0x4000: 2, 0x6000: 0}[int(thread.context.mxcsr) & 0x6000])


@crt
def fegetround(thread: UserThread) -> INT:
    """The rounding mode."""
    return INT(int(thread.context.mxcsr) >> 5 & 0x300)


@crt
def fesetround(thread: UserThread, mode: INT) -> INT:
    """Set the rounding mode."""
    if mode not in ROUNDING:
        return INT(1)
    thread.context.mxcsr = int(thread.context.mxcsr) & ~0x6000 | ROUNDING[mode]
    return INT(0)


@crt
def feclearexcept(thread: UserThread, flags: INT) -> INT:
    """Forget exceptions."""
    bits = sum(theirs for ours, theirs in STATUS_BITS if flags & ours)
    thread.context.mxcsr = int(thread.context.mxcsr) & ~bits
    return INT(0)


@crt
def fetestexcept(thread: UserThread, flags: INT) -> INT:
    """Which of the exceptions have happened."""
    return INT(_status(thread) & flags)


@crt
def _fpreset(thread: UserThread) -> None:
    """The floating-point unit as at start."""
    thread.context.mxcsr = 0x1F80
