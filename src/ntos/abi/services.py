"""Numbers and names of system services: kernel (table 0) and win32k (table 1, numbers from 0x1000).

Facts of Windows 10 x64 build 19041 as published in j00ru's system call tables.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

WIN32K_BASE: Final = 0x1000
_FILES: Final = ("services-19041.txt", "services-win32k-19041.txt")


@cache
def _table(file: str) -> dict[str, int]:
    """Name to number, in order of number; the file has a ``number name`` line for each service."""
    text = (files("ntos.abi") / "data" / file).read_text(encoding="ascii")
    words = text.split()
    return dict(zip(words[1::2], map(int, words[::2]), strict=True))


@cache
def _names(file: str) -> dict[int, str]:
    return {number: name for name, number in _table(file).items()}


def number_of(name: str) -> int | None:
    """The number that ``eax`` carries for a service, or None when this build has no such service."""
    for file in _FILES:
        number = _table(file).get(name)
        if number is not None:
            return number
    return None


def name_of(number: int) -> str | None:
    """The service with that number, or None."""
    return _names(_FILES[number >= WIN32K_BASE]).get(number)


def names() -> tuple[str, ...]:
    """Every kernel service (``Nt…``), in order of number."""
    return tuple(_table(_FILES[0]))


def win32k_names() -> tuple[str, ...]:
    """Every win32k service, in order of number."""
    return tuple(_table(_FILES[1]))
