"""Every structure of `abi.layout` stands where the reference build's public symbols put it."""

from __future__ import annotations

import importlib
import json
import pkgutil
from pathlib import Path
from typing import Any

import pytest

import ntos.abi.layout
from ntos.abi.struct import BitField, Field, Struct

ROOT = Path(__file__).resolve().parents[2]
SYMBOLS = ROOT.parent / "shared" / "reference" / "nt-19041-structs.json"
INTEGERS = {"u8": 1, "i8": 1, "u16": 2, "i16": 2, "wchar": 2, "u32": 4, "i32": 4}
INTEGERS |= dict.fromkeys(("u64", "i64", "f64", "ptr"), 8)


def structures() -> dict[str, type[Struct]]:
    """Every structure class below `abi.layout`, by name."""
    found: dict[str, type[Struct]] = {}
    for module in pkgutil.iter_modules(ntos.abi.layout.__path__, "ntos.abi.layout."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, type) and issubclass(value, Struct) and value.__module__ == module.name:
                assert value is found.setdefault(value.__name__, value), f"{name} is defined twice"
    return found


def symbols() -> dict[str, Any]:
    """The reference build's structures, under the names our classes bear."""
    if not SYMBOLS.exists():
        pytest.skip("the reference symbol table is not beside this checkout")
    table: dict[str, Any] = json.loads(SYMBOLS.read_text())["structs"]
    return {name.lstrip("_").replace("::", "_"): value for name, value in table.items()}


def size_of(kind: str, table: dict[str, Any]) -> int:
    """How many bytes a type of the symbol table takes."""
    base, *counts = kind.replace("]", "").split("[")
    if base.startswith("*"):
        size = 8
    elif base.startswith("enum:"):
        size = 4
    else:
        size = INTEGERS.get(base) or table.get(base.lstrip("_").replace("::", "_"), {}).get("size", 0)
    for count in counts:
        size *= int(count)
    return size


def field_difference(cls: type[Struct], wanted: list[Any], table: dict[str, Any]) -> str | None:
    """What is wrong with one field, or None."""
    name, offset, kind, *position = wanted
    field = vars(cls).get(name)
    if not isinstance(field, Field):
        return f"{cls.__name__}.{name} is missing"
    if field.offset != offset:
        return f"{cls.__name__}.{name} is at 0x{field.offset:X}, not 0x{offset:X}"
    if position:
        if not isinstance(field, BitField) or [field.first, field.width] != position:
            return f"{cls.__name__}.{name} is not bits {position}"
        return None
    size = size_of(kind, table)
    actual = getattr(field.kind, "size", size)
    return f"{cls.__name__}.{name} has size {actual}, not {size}" if size and actual != size else None


def test_every_offset_agrees_with_the_public_symbols() -> None:
    """Offsets, bit positions and sizes equal those of the reference build's symbol table."""
    table = symbols()
    differences: list[str] = []
    compared = 0
    for name, cls in structures().items():
        wanted = table.get(name)
        if wanted is None:
            continue
        compared += 1
        if cls.size != wanted["size"]:
            differences.append(f"{name} has size 0x{cls.size:X}, not 0x{wanted['size']:X}")
        reports = (field_difference(cls, field, table) for field in wanted["fields"])
        differences.extend(report for report in reports if report)
    assert not differences, "\n".join(differences)
    assert compared > 300


def test_every_field_lies_inside_its_structure() -> None:
    """No field reaches beyond the end of the structure that holds it."""
    outside = [
        f"{cls.__name__}.{name}"
        for cls in structures().values()
        for name, field in vars(cls).items()
        if isinstance(field, Field) and field.offset + getattr(field.kind, "size", 0) > cls.size
    ]
    assert outside == []
