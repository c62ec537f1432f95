"""timeBeginPeriod, timeGetTime and their like (timeapi.h)."""

from __future__ import annotations

from ntos.abi.pointer import Ptr
from ntos.abi.types import UINT, ULONG
from ntos.dll.kernelbase.services import nt
from ntos.um.export import export
from ntos.um.thread import UserThread

TIMERR_NOERROR, TIMERR_NOCANDO = 0, 97
LARGEST_PERIOD = 1_000_000
TICKS_PER_MILLISECOND = 10_000
INTERRUPT_TIME = 0x7FFE_0008


class Periods:
    """Which periods are asked for, and how often."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}


async def _ask(thread: UserThread, period: int, wanted: int) -> None:
    with thread.frame() as frame:
        actual: Ptr[ULONG] = frame.new(ULONG)
        await nt.NtSetTimerResolution(thread, period * TICKS_PER_MILLISECOND, wanted, actual.address)


@export
async def timeBeginPeriod(thread: UserThread, uPeriod: UINT) -> UINT:
    """Ask for a clock that ticks every so many milliseconds."""
    if not 0 < uPeriod <= LARGEST_PERIOD:
        return UINT(TIMERR_NOCANDO)
    counts = thread.state(Periods).counts
    counts[uPeriod] = counts.get(uPeriod, 0) + 1
    await _ask(thread, min(counts), 1)
    return UINT(TIMERR_NOERROR)


@export
async def timeEndPeriod(thread: UserThread, uPeriod: UINT) -> UINT:
    """Take the wish back."""
    counts = thread.state(Periods).counts
    if uPeriod not in counts:
        return UINT(TIMERR_NOCANDO)
    counts[uPeriod] -= 1
    if not counts[uPeriod]:
        del counts[uPeriod]
    await _ask(thread, min(counts, default=uPeriod), int(bool(counts)))
    return UINT(TIMERR_NOERROR)


@export
def timeGetTime(thread: UserThread) -> UINT:
    """Milliseconds since the machine started."""
    return UINT(int.from_bytes(thread.memory.read(INTERRUPT_TIME, 8), "little") // TICKS_PER_MILLISECOND & 0xFFFF_FFFF)


@export
def timeGetDevCaps(thread: UserThread, ptc: Ptr[UINT], cbtc: UINT) -> UINT:
    """The periods a timer may have, in milliseconds: 1 to a million."""
    if cbtc < UINT.size * 2:
        return UINT(TIMERR_NOCANDO)
    ptc[0], ptc[1] = UINT(1), UINT(LARGEST_PERIOD)
    return UINT(TIMERR_NOERROR)
