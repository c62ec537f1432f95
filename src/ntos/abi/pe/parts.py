"""The bytes of single directories, each placed at an RVA the caller chose: what ``build`` assembles."""

from __future__ import annotations

import struct
import uuid
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from ntos.abi.pe.headers import align_up
from ntos.abi.pe.relocations import DIR64


class ExportEntry(NamedTuple):
    """An export to write: at ``rva``, or elsewhere (``forwarder``); ``ordinal`` 0 takes the next free one."""

    name: str | None
    rva: int = 0
    forwarder: str | None = None
    ordinal: int = 0


class VersionInfo(NamedTuple):
    """What a VERSIONINFO resource says."""

    version: tuple[int, int, int, int]
    strings: Mapping[str, str]
    is_dll: bool = True


def export_directory(
    rva: int, module: str, entries: Sequence[ExportEntry], *, base: int = 1, time_date_stamp: int = 0
) -> bytes:
    """An export directory at ``rva``; names sorted bytewise as the loader's binary search needs them."""
    named = sorted((entry.name.encode("latin-1"), entry) for entry in entries if entry.name is not None)
    taken = {entry.ordinal for entry in entries if entry.ordinal}
    free = iter(ordinal for ordinal in range(base, base + len(entries) + len(taken)) if ordinal not in taken)
    slots = [(entry.ordinal or next(free)) - base for _, entry in named]
    placed = list(zip(slots, (entry for _, entry in named), strict=True))
    placed += [((entry.ordinal or next(free)) - base, entry) for entry in entries if entry.name is None]
    count = max((slot for slot, _ in placed), default=-1) + 1

    functions_rva = rva + 40
    names_rva = functions_rva + 4 * count
    ordinals_rva = names_rva + 4 * len(named)
    text_rva = ordinals_rva + 2 * len(named)
    module_text = module.encode("latin-1") + b"\0"
    texts = [name for name, _ in named]
    first = text_rva + len(module_text)
    offsets = list(accumulate((len(name) + 1 for name in texts), initial=first))
    forwarders_rva = offsets.pop()

    functions = array("I", bytes(4 * count))
    forwarder_texts: list[bytes] = []
    for slot, entry in placed:
        if entry.forwarder is None:
            functions[slot] = entry.rva
        else:
            functions[slot] = forwarders_rva
            text = entry.forwarder.encode("latin-1") + b"\0"
            forwarder_texts.append(text)
            forwarders_rva += len(text)
    header = struct.pack(
        "<IIHHIIIIIII",
        0, time_date_stamp, 0, 0, text_rva, base, count, len(named), functions_rva, names_rva, ordinals_rva,
    )  # fmt: skip
    name_text = b"\0".join(texts) + b"\0" if texts else b""
    tables = (functions.tobytes(), array("I", offsets).tobytes(), array("H", slots).tobytes())
    return b"".join((header, *tables, module_text, name_text, *forwarder_texts))


class ImportTable(NamedTuple):
    """An import directory's bytes, where its parts are, and the IAT slot of each function."""

    data: bytes
    descriptors: tuple[int, int]
    address_table: tuple[int, int]
    slots: dict[tuple[str, str | int], int]


def import_directory(rva: int, modules: Sequence[tuple[str, Sequence[str | int]]]) -> ImportTable:
    """Descriptors, lookup tables, address tables and names for ``(module, functions)`` rows, at ``rva``."""
    descriptors_size = 20 * (len(modules) + 1)
    thunk_count = sum(len(functions) + 1 for _, functions in modules)
    addresses_rva = rva
    descriptors_rva = rva + 8 * thunk_count
    lookups_rva = align_up(descriptors_rva + descriptors_size, 8)
    text_rva = lookups_rva + 8 * thunk_count
    text = bytearray()
    descriptors: list[bytes] = []
    thunks: list[int] = []
    slots: dict[tuple[str, str | int], int] = {}
    for module, functions in modules:
        start = 8 * len(thunks)
        for function in functions:
            slots[module, function] = addresses_rva + 8 * len(thunks)
            if isinstance(function, int):
                thunks.append(1 << 63 | function)
            else:
                thunks.append(text_rva + len(text))
                text += b"\0\0" + function.encode("latin-1") + b"\0"
                text += b"\0" * (len(text) % 2)
        thunks.append(0)
        row = (lookups_rva + start, 0, 0, text_rva + len(text), addresses_rva + start)
        descriptors.append(struct.pack("<5I", *row))
        text += module.encode("latin-1") + b"\0"
        text += b"\0" * (len(text) % 2)
    table = array("Q", thunks).tobytes()
    rows = b"".join(descriptors) + bytes(20)
    gap = bytes(lookups_rva - descriptors_rva - descriptors_size)
    data = b"".join((table, rows, gap, table, bytes(text)))
    return ImportTable(data, (descriptors_rva, descriptors_size), (addresses_rva, len(table)), slots)


def relocation_directory(rvas: Iterable[int]) -> bytes:
    """``IMAGE_REL_BASED_DIR64`` blocks, one a page, for the 64-bit pointers at ``rvas``."""
    pages: dict[int, list[int]] = {}
    for rva in sorted(set(rvas)):
        pages.setdefault(rva & ~0xFFF, []).append(DIR64 << 12 | rva & 0xFFF)
    blocks: list[bytes] = []
    for page, entries in pages.items():
        if len(entries) % 2:
            entries.append(0)
        blocks.append(struct.pack("<II", page, 8 + 2 * len(entries)) + array("H", entries).tobytes())
    return b"".join(blocks)


def rsds_record(guid: uuid.UUID, age: int, path: str) -> bytes:
    """A CodeView record naming a symbol file."""
    return b"RSDS" + guid.bytes_le + struct.pack("<I", age) + path.encode() + b"\0"


def resource_directory(rva: int, leaves: Sequence[tuple[int, int, int, bytes]]) -> bytes:
    """A resource tree at ``rva`` for ``(type, name, language, data)`` rows with numeric identifiers."""
    tree: dict[int, dict[int, dict[int, bytes]]] = {}
    for kind, name, language, data in sorted(leaves, key=lambda leaf: leaf[:3]):
        tree.setdefault(kind, {}).setdefault(name, {})[language] = data
    names = [(kind, name) for kind, rows in tree.items() for name in rows]
    types_at = 16 + 8 * len(tree)
    names_at = types_at + sum(16 + 8 * len(rows) for rows in tree.values())
    entries_at = names_at + sum(16 + 8 * len(tree[kind][name]) for kind, name in names)
    place = align_up(entries_at + 16 * sum(len(tree[kind][name]) for kind, name in names), 8)
    top, middle, bottom, entries, contents = [_table(tree)], [], [], [], []
    start = place
    for kind, rows in tree.items():
        top.append(struct.pack("<II", kind, types_at | 0x8000_0000))
        types_at += 16 + 8 * len(rows)
        middle.append(_table(rows))
        for name, languages in rows.items():
            middle.append(struct.pack("<II", name, names_at | 0x8000_0000))
            names_at += 16 + 8 * len(languages)
            bottom.append(_table(languages))
            for language, data in languages.items():
                bottom.append(struct.pack("<II", language, entries_at))
                entries_at += 16
                entries.append(struct.pack("<IIII", rva + place, len(data), 0, 0))
                padded = data + bytes(-len(data) % 8)
                contents.append(padded)
                place += len(padded)
    head = b"".join(top + middle + bottom + entries)
    return head + bytes(start - len(head)) + b"".join(contents)


def _table(rows: Mapping[int, object]) -> bytes:
    return struct.pack("<IIHHHH", 0, 0, 0, 0, 0, len(rows))


_FIXED_FILE_INFO_SIGNATURE: Final = 0xFEEF04BD


def version_resource(info: VersionInfo) -> bytes:
    """The data of an ``RT_VERSION`` resource: fixed part, US English strings in Unicode, translation."""
    major, minor, build, revision = info.version
    high, low = major << 16 | minor, build << 16 | revision
    kind = 2 if info.is_dll else 1
    fixed = struct.pack(
        "<13I", _FIXED_FILE_INFO_SIGNATURE, 0x10000, high, low, high, low, 0x3F, 0, 0x40004, kind, 0, 0, 0
    )
    strings = [_version_node(key, _wide(value), text=True) for key, value in info.strings.items()]
    table = _version_node("040904B0", b"", strings, text=True)
    translation = _version_node("Translation", struct.pack("<HH", 0x409, 0x4B0))
    children = [
        _version_node("StringFileInfo", b"", [table], text=True),
        _version_node("VarFileInfo", b"", [translation], text=True),
    ]
    return _version_node("VS_VERSION_INFO", fixed, children)


def _wide(text: str) -> bytes:
    return text.encode("utf-16-le") + b"\0\0"


def _version_node(key: str, value: bytes, children: Sequence[bytes] = (), *, text: bool = False) -> bytes:
    """One node of the version tree: header, key, value and children, each on a DWORD boundary."""
    key_bytes = _wide(key)
    body = key_bytes + bytes(-(6 + len(key_bytes)) % 4) + value
    for child in children:
        body += bytes(-(6 + len(body)) % 4) + child
    length = len(value) // 2 if text else len(value)
    return struct.pack("<HHH", 6 + len(body), length, int(text)) + body
