"""The run-time library's random numbers: Lehmer's generator, and a shuffle table over it."""

from __future__ import annotations

_MODULUS = 0x7FFFFFFF


def uniform(seed: int) -> int:
    """The next seed, which is also the result, below 2**31 (RtlUniform).

    `seed * 0x7FFFFFED + 0x7FFFFFC3` in 32 bits, then modulo `2**31 - 1`.
    """
    return ((seed * 0x7FFFFFED + 0x7FFFFFC3) & 0xFFFFFFFF) % _MODULUS


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
