"""RTL_BITMAP in guest memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.string import RTL_BITMAP
from ntos.abi.pointer import In, Ptr
from ntos.abi.types import BOOLEAN, PVOID, ULONG
from ntos.rtl.bitmap import Bitmap
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread


def _load(header: RTL_BITMAP) -> tuple[Bitmap, int]:
    """A copy of the bits, in whole ULONGs, and where they stand."""
    size, place = int(header.SizeOfBitMap), int(header.Buffer)
    data = bytearray(header.memory.origin.read(place, (size + 31) // 32 * 4))
    return Bitmap(data, size), place


def _store(thread: UserThread, bitmap: Bitmap, place: int) -> None:
    thread.memory.write(place, bytes(bitmap.buffer))


@export
def RtlInitializeBitMap(
    thread: UserThread, BitMapHeader: Ptr[RTL_BITMAP], BitMapBuffer: PVOID, SizeOfBitMap: ULONG
) -> None:
    """Make a header for bits."""
    header = BitMapHeader.read()
    header.SizeOfBitMap = SizeOfBitMap
    header.Buffer = BitMapBuffer


@export
def RtlClearAllBits(thread: UserThread, BitMapHeader: In[RTL_BITMAP]) -> None:
    """Clear every bit."""
    bitmap, place = _load(BitMapHeader)
    thread.memory.write(place, bytes(len(bitmap.buffer)))


@export
def RtlSetAllBits(thread: UserThread, BitMapHeader: In[RTL_BITMAP]) -> None:
    """Set every bit."""
    bitmap, place = _load(BitMapHeader)
    thread.memory.write(place, b"\xff" * len(bitmap.buffer))


@export
def RtlSetBits(thread: UserThread, BitMapHeader: In[RTL_BITMAP], StartingIndex: ULONG, NumberToSet: ULONG) -> None:
    """Set a run."""
    bitmap, place = _load(BitMapHeader)
    if NumberToSet:
        bitmap.set(StartingIndex, NumberToSet)
        _store(thread, bitmap, place)


@export
def RtlClearBits(thread: UserThread, BitMapHeader: In[RTL_BITMAP], StartingIndex: ULONG, NumberToClear: ULONG) -> None:
    """Clear a run."""
    bitmap, place = _load(BitMapHeader)
    if NumberToClear:
        bitmap.clear(StartingIndex, NumberToClear)
        _store(thread, bitmap, place)


@export
def RtlSetBit(thread: UserThread, BitMapHeader: In[RTL_BITMAP], BitNumber: ULONG) -> None:
    """Set a bit."""
    bitmap, place = _load(BitMapHeader)
    bitmap.set(BitNumber)
    _store(thread, bitmap, place)


@export
def RtlClearBit(thread: UserThread, BitMapHeader: In[RTL_BITMAP], BitNumber: ULONG) -> None:
    """Clear a bit."""
    bitmap, place = _load(BitMapHeader)
    bitmap.clear(BitNumber)
    _store(thread, bitmap, place)


@export
def RtlTestBit(thread: UserThread, BitMapHeader: In[RTL_BITMAP], BitNumber: ULONG) -> BOOLEAN:
    """Whether a bit is set."""
    return BOOLEAN(_load(BitMapHeader)[0].test(BitNumber))


@export
def RtlAreBitsSet(thread: UserThread, BitMapHeader: In[RTL_BITMAP], StartingIndex: ULONG, Length: ULONG) -> BOOLEAN:
    """Whether a whole run is set."""
    return BOOLEAN(_load(BitMapHeader)[0].are_set(StartingIndex, Length))


@export
def RtlAreBitsClear(thread: UserThread, BitMapHeader: In[RTL_BITMAP], StartingIndex: ULONG, Length: ULONG) -> BOOLEAN:
    """Whether a whole run is clear."""
    return BOOLEAN(_load(BitMapHeader)[0].are_clear(StartingIndex, Length))


@export
def RtlNumberOfSetBits(thread: UserThread, BitMapHeader: In[RTL_BITMAP]) -> ULONG:
    """How many bits are set."""
    return ULONG(_load(BitMapHeader)[0].count_set())


@export
def RtlNumberOfClearBits(thread: UserThread, BitMapHeader: In[RTL_BITMAP]) -> ULONG:
    """How many bits are clear."""
    bitmap, _ = _load(BitMapHeader)
    return ULONG(bitmap.size - bitmap.count_set())


@export
def RtlFindClearBits(thread: UserThread, BitMapHeader: In[RTL_BITMAP], NumberToFind: ULONG, HintIndex: ULONG) -> ULONG:
    """Where a clear run begins; all ones when there is none."""
    return ULONG(_load(BitMapHeader)[0].find_clear(NumberToFind, HintIndex))


@export
def RtlFindSetBits(thread: UserThread, BitMapHeader: In[RTL_BITMAP], NumberToFind: ULONG, HintIndex: ULONG) -> ULONG:
    """Where a set run begins; all ones when there is none."""
    return ULONG(_load(BitMapHeader)[0].find_set(NumberToFind, HintIndex))


@export
def RtlFindClearBitsAndSet(
    thread: UserThread, BitMapHeader: In[RTL_BITMAP], NumberToFind: ULONG, HintIndex: ULONG
) -> ULONG:
    """Find a clear run and set it."""
    bitmap, place = _load(BitMapHeader)
    start = bitmap.find_clear_and_set(NumberToFind, HintIndex)
    _store(thread, bitmap, place)
    return ULONG(start)
