"""Which names the DLLs of Windows 10 (19041) export; ordinals and forwarders where programs depend on them.

The files in ``data/exports`` are made by ``tools/make_exports.py``: one line an export,
``name[ @ordinal][ = module.function]``, sorted as the loader's binary search demands.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple


class ExportName(NamedTuple):
    """One exported name; ``ordinal`` is zero where none is known, ``forwarder`` None for own code."""

    name: str
    ordinal: int = 0
    forwarder: str | None = None


def _stem(dll: str) -> str:
    return dll.lower().removesuffix(".dll")


def _parse(line: str) -> ExportName:
    if " " not in line:
        return ExportName(line)
    head, _, forwarder = line.partition(" = ")
    name, _, ordinal = head.partition(" @")
    return ExportName(name, int(ordinal or 0), forwarder or None)


@cache
def _read(stem: str) -> tuple[ExportName, ...]:
    path = files("ntos.abi") / "data" / "exports" / f"{stem}.txt"
    if not path.is_file():
        return ()
    return tuple(map(_parse, path.read_text(encoding="utf-8").splitlines()))


def export_names(dll: str) -> tuple[ExportName, ...]:
    """The exports of ``dll`` (``kernel32`` or ``KERNEL32.DLL``) in bytewise order; () if unknown."""
    return _read(_stem(dll))


@cache
def known_dlls() -> tuple[str, ...]:
    """The DLLs whose exports are known, lower case without extension."""
    folder = files("ntos.abi") / "data" / "exports"
    return tuple(
        sorted(entry.name.removesuffix(".txt") for entry in folder.iterdir() if entry.name.endswith(".txt"))
    )
