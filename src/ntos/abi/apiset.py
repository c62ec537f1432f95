"""API sets: virtual DLL names (``api-ms-win-…``) and the modules that host them.

The contracts are those of Windows 10 22H2 x64 (build 19045), schema version 6. Every process sees the schema
as a read-only mapping (``PEB.ApiSetMap``); ``build_schema`` gives its bytes, and ``resolve`` answers from the
same data.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

_VERSION: Final = 6
_HASH_FACTOR: Final = 31
_HEADER: Final = struct.Struct("<7I")
_ENTRY: Final = struct.Struct("<6I")
_VALUE: Final = struct.Struct("<5I")
_HASH: Final = struct.Struct("<II")
_PREFIXES: Final = ("api-", "ext-")
_SEALED: Final = 1
SCHEMA_SIZE: Final = 115488
"""Bytes of `build_schema()`: known without building it."""


class Contract(NamedTuple):
    """One contract; an empty ``host`` means known to the schema but not hosted on this edition."""

    name: str
    host: str
    exceptions: Mapping[str, str]
    sealed: bool


@cache
def contracts() -> tuple[Contract, ...]:
    """Every contract of the schema, sorted by name."""
    text = (files("ntos.abi") / "data" / "apisets-19041.json").read_text(encoding="utf-8")
    return tuple(
        Contract(row["name"], row["host"], row.get("exceptions", {}), row.get("sealed", True))
        for row in json.loads(text)["contracts"]
    )


@cache
def _by_key() -> dict[str, Contract]:
    return {_key(contract.name): contract for contract in contracts()}


def _key(name: str) -> str:
    """What is compared: everything up to the last hyphen, lower case."""
    return name[: name.rfind("-")].lower()


def resolve(contract: str, importer: str | None = None) -> str | None:
    """The host of a contract as ``importer`` (a base name) sees it; "" if not hosted, None if no API set.

    ApiSetResolveToHost.
    """
    if contract[:4].lower() not in _PREFIXES:
        return None
    found = _by_key().get(_key(contract))
    if found is None:
        return None
    return found.exceptions.get((importer or "").lower(), found.host)


def is_implemented(contract: str) -> bool:
    """Whether the contract is present and hosted (IsApiSetImplemented)."""
    return bool(resolve(contract))


def hash_of(key: str) -> int:
    """The schema's hash of a name's compared part."""
    value = 0
    for character in key.lower():
        value = (value * _HASH_FACTOR + ord(character)) & 0xFFFF_FFFF
    return value


class _Strings:
    """The schema's string area: each text once."""

    def __init__(self, base: int) -> None:
        self._base = base
        self._known: dict[str, tuple[int, int]] = {"": (0, 0)}
        self.data = bytearray()

    def place(self, text: str) -> tuple[int, int]:
        """Offset and length in bytes of ``text``."""
        place = self._known.get(text)
        if place is None:
            encoded = text.encode("utf-16-le")
            place = self._known[text] = (self._base + len(self.data), len(encoded))
            self.data += encoded
        return place


@cache
def build_schema() -> bytes:
    """The schema map in the version 6 binary format."""
    rows = sorted(contracts(), key=lambda contract: contract.name)
    values_at = _HEADER.size + _ENTRY.size * len(rows)
    strings = _Strings(values_at + _VALUE.size * sum(1 + len(row.exceptions) for row in rows))
    entries: list[bytes] = []
    values: list[bytes] = []
    hashes: list[tuple[int, int]] = []
    for index, row in enumerate(rows):
        key = _key(row.name)
        flags = _SEALED if row.sealed else 0
        value_offset = values_at + _VALUE.size * len(values)
        hosts = [("", row.host), *sorted(row.exceptions.items())]
        entries.append(_ENTRY.pack(flags, *strings.place(row.name), 2 * len(key), value_offset, len(hosts)))
        values += [_VALUE.pack(0, *strings.place(importer), *strings.place(host)) for importer, host in hosts]
        hashes.append((hash_of(key), index))
    strings.data += bytes(-len(strings.data) % 4)
    hash_at = values_at + _VALUE.size * len(values) + len(strings.data)
    table = b"".join(_HASH.pack(*row) for row in sorted(hashes))
    size = hash_at + len(table)
    header = _HEADER.pack(_VERSION, size, 0, len(rows), _HEADER.size, hash_at, _HASH_FACTOR)
    return b"".join((header, *entries, *values, strings.data, table))
