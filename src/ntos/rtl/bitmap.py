"""Bitmaps as RTL_BITMAP has them: bit 0 is the lowest of the first byte."""

from __future__ import annotations

NOT_FOUND = 0xFFFFFFFF


class Bitmap:
    """A bitmap over bytes that the caller owns; changes are written back into them."""

    def __init__(self, buffer: bytearray | memoryview, size: int) -> None:
        self.buffer = buffer
        self.size = size

    def _load(self) -> int:
        count = (self.size + 7) // 8
        return int.from_bytes(self.buffer[:count], "little") & ((1 << self.size) - 1)

    def _change(self, start: int, count: int, *, to: bool) -> None:
        first, last = start // 8, (start + count + 7) // 8
        mask = ((1 << count) - 1) << (start - first * 8)
        value = int.from_bytes(self.buffer[first:last], "little")
        value = value | mask if to else value & ~mask
        self.buffer[first:last] = value.to_bytes(last - first, "little")

    def test(self, index: int) -> bool:
        """Whether a bit is set (RtlTestBit)."""
        return bool(self.buffer[index // 8] >> (index % 8) & 1)

    def set(self, start: int, count: int = 1) -> None:
        """Set a run of bits (RtlSetBits)."""
        self._change(start, count, to=True)

    def clear(self, start: int, count: int = 1) -> None:
        """Clear a run of bits (RtlClearBits)."""
        self._change(start, count, to=False)

    def count_set(self) -> int:
        """How many bits are set (RtlNumberOfSetBits)."""
        return self._load().bit_count()

    def are_set(self, start: int, count: int) -> bool:
        """Whether a whole run is set (RtlAreBitsSet); no run is, when it is empty or leaves the bitmap."""
        mask = (1 << count) - 1
        return 0 < count <= self.size - start and self._load() >> start & mask == mask

    def are_clear(self, start: int, count: int) -> bool:
        """Whether a whole run is clear (RtlAreBitsClear)."""
        return 0 < count <= self.size - start and not self._load() >> start & ((1 << count) - 1)

    def find_clear(self, count: int, hint: int = 0) -> int:
        """Where a clear run of so many bits begins, searched from a hint and then from 0, or NOT_FOUND.

        RtlFindClearBits.
        """
        return _find(self._load() ^ ((1 << self.size) - 1), count, hint, self.size)

    def find_set(self, count: int, hint: int = 0) -> int:
        """Where a set run of so many bits begins, or NOT_FOUND (RtlFindSetBits)."""
        return _find(self._load(), count, hint, self.size)

    def find_clear_and_set(self, count: int, hint: int = 0) -> int:
        """Find a clear run and set it (RtlFindClearBitsAndSet)."""
        start = self.find_clear(count, hint)
        if start != NOT_FOUND:
            self.set(start, count)
        return start

    def clear_runs(self) -> list[tuple[int, int]]:
        """Every clear run as (start, length), in order (RtlFindClearRuns without the sorting)."""
        runs: list[tuple[int, int]] = []
        value, position = self._load() ^ ((1 << self.size) - 1), 0
        while value:
            skipped = (value & -value).bit_length() - 1
            value >>= skipped
            length = (~value & (value + 1)).bit_length() - 1
            runs.append((position + skipped, length))
            position += skipped + length
            value >>= length
        return runs

    def longest_clear_run(self) -> tuple[int, int]:
        """The first of the longest clear runs as (start, length); (0, 0) if none (RtlFindLongestRunClear)."""
        return max(self.clear_runs(), key=lambda run: run[1], default=(0, 0))


def _find(candidates: int, count: int, hint: int, size: int) -> int:
    if count == 0:
        return hint & ~7 if hint < size else 0
    width = 1
    while width < count:  # after each step a bit stands where `width` candidates begin
        step = min(width, count - width)
        candidates &= candidates >> step
        width += step
    start = hint if hint < size else 0
    later = candidates >> start
    if later:
        return start + (later & -later).bit_length() - 1
    return (candidates & -candidates).bit_length() - 1 if candidates else NOT_FOUND
