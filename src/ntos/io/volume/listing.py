"""NtQueryDirectoryFile on a volume: the snapshot of a directory, its pattern, and entries in each class's
shape.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.io import (
    FILE_ATTRIBUTE_NORMAL,
    FILE_INFORMATION_CLASS,
    SL_INDEX_SPECIFIED,
    SL_RESTART_SCAN,
    SL_RETURN_SINGLE_ENTRY,
)
from ntos.abi.layout import file_info
from ntos.abi.status import STATUS, NtError
from ntos.io.volume.node import Facts, Listed
from ntos.rtl.pattern import is_name_in_expression
from ntos.rtl.text import to_utf16

if TYPE_CHECKING:
    from ntos.abi.struct import Struct
    from ntos.abi.types import NTSTATUS
    from ntos.io.request import Request
    from ntos.io.volume.open import VolumeOpen

_C = FILE_INFORMATION_CLASS
SHAPES: dict[int, type[Struct]] = {
    _C.FileDirectoryInformation: file_info.FILE_DIRECTORY_INFORMATION,
    _C.FileFullDirectoryInformation: file_info.FILE_FULL_DIR_INFORMATION,
    _C.FileBothDirectoryInformation: file_info.FILE_BOTH_DIR_INFORMATION,
    _C.FileNamesInformation: file_info.FILE_NAMES_INFORMATION,
    _C.FileIdBothDirectoryInformation: file_info.FILE_ID_BOTH_DIR_INFORMATION,
    _C.FileIdFullDirectoryInformation: file_info.FILE_ID_FULL_DIR_INFORMATION,
    _C.FileIdExtdDirectoryInformation: file_info.FILE_ID_EXTD_DIR_INFORMATION,
}
NAME_OFFSETS = {kind: shape.offset("FileName") for kind, shape in SHAPES.items()}
_PARTICULARS = struct.Struct("<6qI")
_FILE_ID = {
    _C.FileIdBothDirectoryInformation: file_info.FILE_ID_BOTH_DIR_INFORMATION.offset("FileId"),
    _C.FileIdFullDirectoryInformation: file_info.FILE_ID_FULL_DIR_INFORMATION.offset("FileId"),
    _C.FileIdExtdDirectoryInformation: file_info.FILE_ID_EXTD_DIR_INFORMATION.offset("FileId"),
}
ENTRY_ALIGNMENT = 8


def query(request: Request, opened: VolumeOpen, kind: int, pattern: str | None, flags: int) -> None:
    """Fill the caller's buffer with the next entries."""
    if not opened.node.is_directory:
        raise NtError(STATUS.INVALID_PARAMETER)
    if kind not in NAME_OFFSETS:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    if request.length < SHAPES[kind].size:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    first = opened.scan is None
    if opened.scan is None or flags & SL_RESTART_SCAN:
        if opened.pattern is None or (pattern and flags & SL_RESTART_SCAN):
            opened.pattern = pattern or "*"
        opened.scan = snapshot(opened)
        opened.position = 0
    if flags & SL_INDEX_SPECIFIED:
        raise NtError(STATUS.NOT_IMPLEMENTED)
    status, output = _fill(
        request.length, opened, opened.scan, kind, single=bool(flags & SL_RETURN_SINGLE_ENTRY)
    )
    if not output:
        # Nothing matched at all: the first call says so differently from those that reached the end.
        raise NtError(STATUS.NO_SUCH_FILE if first else STATUS.NO_MORE_FILES)
    request.complete(status, len(output), output)


def snapshot(opened: VolumeOpen) -> list[Listed]:
    """The entries that fit the pattern, `.` and `..` first (the root has neither)."""
    link, pattern = opened.link, opened.pattern or "*"
    found: list[Listed] = []
    if link.parent is not None:
        found = [Listed(".", link.node.facts()), Listed("..", link.parent.node.facts())]
    return [
        listed for listed in (*found, *link.node.listing()) if is_name_in_expression(pattern, listed.name)
    ]


def _fill(
    room: int, opened: VolumeOpen, scan: list[Listed], kind: int, *, single: bool
) -> tuple[NTSTATUS, bytes]:
    output = bytearray()
    last = 0
    while opened.position < len(scan):
        start = len(output) + -len(output) % ENTRY_ALIGNMENT
        entry = render(scan[opened.position], kind)
        if start + len(entry) > room:
            if output:
                break
            opened.position += 1
            return STATUS.BUFFER_OVERFLOW, bytes(entry[:room])
        output.extend(bytes(start - len(output)))
        if start:
            struct.pack_into("<I", output, last, start - last)
        output += entry
        last = start
        opened.position += 1
        if single:
            break
    return STATUS.SUCCESS, bytes(output)


def render(listed: Listed, kind: int) -> bytearray:
    """One entry in a class's shape, its name at the end."""
    name = to_utf16(listed.name)
    offset = NAME_OFFSETS[FILE_INFORMATION_CLASS(kind)]
    entry = bytearray(offset + len(name))
    entry[offset:] = name
    facts = listed.facts
    if kind == _C.FileNamesInformation:
        struct.pack_into("<I", entry, 8, len(name))
        return entry
    _PARTICULARS.pack_into(
        entry, 8, facts.creation, facts.access, facts.write, facts.change, facts.size, facts.allocation,
        shown_attributes(facts),
    )  # fmt: skip
    struct.pack_into("<I", entry, 0x3C, len(name))
    place = _FILE_ID.get(FILE_INFORMATION_CLASS(kind))
    if place is not None:
        struct.pack_into("<Q", entry, place, facts.number)
    return entry


def shown_attributes(facts: Facts) -> int:
    """The attributes, or NORMAL where there are none."""
    return facts.attributes or FILE_ATTRIBUTE_NORMAL
