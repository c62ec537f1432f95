"""The run-time library's random numbers: Lehmer's generator, and a shuffle table over it."""

from __future__ import annotations

_MAXIMUM = 0x7FFFFFFF


def uniform(seed: int) -> int:
    """The next seed, which is also the result, below 2**31 (RtlUniform).

    `seed * 0x7FFFFFED + 0x7FFFFFC3` modulo `2**31 - 1`, folded as the routine folds its 32-bit product.
    """
    value = (seed * 0x7FFFFFED + 0x7FFFFFC3) & 0xFFFFFFFF
    if value in {0xFFFFFFFF, 0x7FFFFFFE}:
        return (value + 2) & _MAXIMUM
    if value == _MAXIMUM:
        return 0
    if not value & 0x80000000:
        return value + (~value & 1)
    return (value + (value & 1)) & _MAXIMUM


class ShuffledRandom:
    """RtlRandom's table of 128 earlier results, from which each call takes one and replaces it."""

    def __init__(self, seed: int = 1) -> None:
        self._table: list[int] = []
        for _ in range(128):
            seed = uniform(seed)
            self._table.append(seed)

    def next(self, seed: int) -> tuple[int, int]:
        """The result and the caller's new seed."""
        first = uniform(seed)
        second = uniform(first)
        index = second & 0x7F
        result, self._table[index] = self._table[index], first
        return result, second


def crt_rand(state: int) -> tuple[int, int]:
    """The C runtime's rand: a result of 15 bits, and the new state."""
    state = (state * 214013 + 2531011) & 0xFFFFFFFF
    return (state >> 16) & 0x7FFF, state
