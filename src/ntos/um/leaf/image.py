"""The committed leaf images, as the image synthesiser wants them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
_EXPORT_DIRECTORY = 0


@dataclass(frozen=True)
class Leaf:
    """One leaf image: the PE file, and where each routine lies relative to its base."""

    data: bytes
    exports: dict[str, int]


@cache
def load(dll_name: str) -> Leaf | None:
    """The leaf of a DLL ("ntdll", "ntdll.dll", any case), or None when it has none."""
    path = HERE / (dll_name.lower().removesuffix(".dll") + ".dll")
    if not path.is_file():
        return None
    data = path.read_bytes()
    return Leaf(data, _exports(data))


def _exports(data: bytes) -> dict[str, int]:
    """Names and relative addresses out of the export directory (PE format, "Export Directory Table")."""
    pe = struct.unpack_from("<I", data, 0x3C)[0]
    count, optional_size = struct.unpack_from("<H12xH", data, pe + 6)
    directory = struct.unpack_from("<I", data, pe + 24 + 112 + 8 * _EXPORT_DIRECTORY)[0]
    sections = [struct.unpack_from("<4I", data, pe + 24 + optional_size + 40 * i + 8) for i in range(count)]

    def offset(rva: int) -> int:
        for _, start, raw_size, raw in sections:
            if start <= rva < start + raw_size:
                return int(rva - start + raw)
        raise ValueError(f"no section holds {rva:#x}")

    names, functions, name_table, ordinals = struct.unpack_from("<4I", data, offset(directory) + 24)
    found: dict[str, int] = {}
    for index in range(names):
        start = offset(struct.unpack_from("<I", data, offset(name_table) + 4 * index)[0])
        ordinal = struct.unpack_from("<H", data, offset(ordinals) + 2 * index)[0]
        name = data[start : data.index(0, start)].decode("ascii")
        found[name] = struct.unpack_from("<I", data, offset(functions) + 4 * ordinal)[0]
    return found
