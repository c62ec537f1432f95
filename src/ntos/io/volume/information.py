"""What a volume answers about its files and about itself."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.io import (
    FILE_ATTRIBUTE_REPARSE_POINT,
    FILE_ATTRIBUTE_VALID_FLAGS,
    FILE_CASE_PRESERVED_NAMES,
    FILE_CASE_SENSITIVE_SEARCH,
    FILE_DEVICE_DISK,
    FILE_DEVICE_IS_MOUNTED,
    FILE_INFORMATION_CLASS,
    FILE_READ_ONLY_VOLUME,
    FILE_SUPPORTS_HARD_LINKS,
    FILE_SUPPORTS_OPEN_BY_FILE_ID,
    FILE_SUPPORTS_SPARSE_FILES,
    FILE_UNICODE_ON_DISK,
    FS_INFORMATION_CLASS,
)
from ntos.abi.layout.file_info import FILE_BASIC_INFORMATION, FILE_STAT_INFORMATION
from ntos.abi.status import STATUS, NtError
from ntos.io.volume.listing import shown_attributes
from ntos.io.volume.node import CLUSTER, MAXIMUM_COMPONENT, SECTOR, Basic, Facts, Node, Volume
from ntos.rtl.text import to_utf16

if TYPE_CHECKING:
    from ntos.io.volume.open import VolumeOpen

_C = FILE_INFORMATION_CLASS
_V = FS_INFORMATION_CLASS
_DATA_STREAM = to_utf16("::$DATA")
SYMBOLIC_LINK_TAG = 0xA000_000C
KEEP_TIME = -1
RESUME_TIME = -2
ID_EXTENDED = struct.Struct("<QQQ")
COMPONENT_ABILITIES = (
    FILE_CASE_SENSITIVE_SEARCH | FILE_CASE_PRESERVED_NAMES | FILE_UNICODE_ON_DISK | FILE_SUPPORTS_SPARSE_FILES
    | FILE_SUPPORTS_HARD_LINKS | FILE_SUPPORTS_OPEN_BY_FILE_ID
)  # fmt: skip


def query(opened: VolumeOpen, kind: int) -> bytes:
    """The whole answer to an information class."""
    facts = opened.node.facts()
    match kind:
        case _C.FileBasicInformation:
            return basic(facts)
        case _C.FileStandardInformation:
            return _standard(opened, facts)
        case _C.FileInternalInformation:
            return struct.pack("<Q", facts.number)
        case _C.FileEaInformation:
            return bytes(4)
        case _C.FileNameInformation | _C.FileNormalizedNameInformation:
            name = to_utf16(opened.link.path)
            return struct.pack("<I", len(name)) + name
        case _C.FileNetworkOpenInformation:
            return network_open(facts)
        case _C.FileAttributeTagInformation:
            tag = SYMBOLIC_LINK_TAG if facts.attributes & FILE_ATTRIBUTE_REPARSE_POINT else 0
            return struct.pack("<II", shown_attributes(facts), tag)
        case _C.FileStreamInformation:
            return _streams(opened.node, facts)
        case _C.FileCompressionInformation:
            return struct.pack("<qHBBB3x", facts.size, 0, 0, 0, 0)
        case _C.FileStandardLinkInformation:
            pending = opened.link.delete_pending or opened.link.removed
            return struct.pack("<IIBB2x", facts.links, facts.links, pending, opened.node.is_directory)
        case _C.FileIdInformation:
            return ID_EXTENDED.pack(opened.node.volume.serial, facts.number, 0)
        case _C.FileStatInformation:
            return _stat(opened, facts)
        case _C.FileCaseSensitiveInformation:
            return bytes(4)
        case _C.FileAlternateNameInformation:
            # This volume keeps no 8.3 names (as after `fsutil 8dot3name set 1`).
            raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
        case _:
            raise NtError(STATUS.INVALID_PARAMETER)


def basic(facts: Facts) -> bytes:
    """FILE_BASIC_INFORMATION."""
    return struct.pack(
        "<4qI4x", facts.creation, facts.access, facts.write, facts.change, shown_attributes(facts)
    )


def network_open(facts: Facts) -> bytes:
    """FILE_NETWORK_OPEN_INFORMATION."""
    times = (facts.creation, facts.access, facts.write, facts.change)
    return struct.pack("<6qI4x", *times, facts.allocation, facts.size, shown_attributes(facts))


def _standard(opened: VolumeOpen, facts: Facts) -> bytes:
    pending = opened.link.delete_pending or opened.link.removed
    links = max(facts.links - pending, 0)
    return struct.pack("<qqIBB2x", facts.allocation, facts.size, links, pending, opened.node.is_directory)


def _streams(node: Node, facts: Facts) -> bytes:
    if node.is_directory:
        return b""
    return struct.pack("<IIqq", 0, len(_DATA_STREAM), facts.size, facts.allocation) + _DATA_STREAM


def _stat(opened: VolumeOpen, facts: Facts) -> bytes:
    answer = FILE_STAT_INFORMATION.new()
    answer.FileId = facts.number
    answer.CreationTime, answer.LastAccessTime = facts.creation, facts.access
    answer.LastWriteTime, answer.ChangeTime = facts.write, facts.change
    answer.AllocationSize, answer.EndOfFile = facts.allocation, facts.size
    answer.FileAttributes = shown_attributes(facts)
    answer.NumberOfLinks = facts.links
    answer.EffectiveAccess = opened.access
    return bytes(answer)


def parse_basic(node: Node, data: bytes) -> Basic:
    """What FILE_BASIC_INFORMATION asks to be changed: 0 and -1 leave a time as it is."""
    view = FILE_BASIC_INFORMATION.parse(data)
    creation, access = _time(view.CreationTime), _time(view.LastAccessTime)
    write, change = _time(view.LastWriteTime), _time(view.ChangeTime)
    attributes = int(view.FileAttributes)
    if not attributes:
        return Basic(creation, access, write, change)
    directory = node.is_directory
    if attributes & ~FILE_ATTRIBUTE_VALID_FLAGS or (attributes & 0x10 and not directory):
        raise NtError(STATUS.INVALID_PARAMETER)
    if attributes & 0x100 and directory:
        raise NtError(STATUS.INVALID_PARAMETER)
    return Basic(creation, access, write, change, attributes)


def _time(value: int) -> int | None:
    if value < RESUME_TIME:
        raise NtError(STATUS.INVALID_PARAMETER)
    return None if value in {0, KEEP_TIME, RESUME_TIME} else int(value)


def query_volume(volume: Volume, kind: int) -> bytes:
    """The whole answer to a volume information class."""
    match kind:
        case _V.FileFsVolumeInformation:
            label = to_utf16(volume.label)
            return struct.pack("<qIIBx", volume.created, volume.serial, len(label), 0) + label
        case _V.FileFsSizeInformation:
            total, free = (size // CLUSTER for size in volume.space())
            return struct.pack("<qqII", total, free, CLUSTER // SECTOR, SECTOR)
        case _V.FileFsFullSizeInformation:
            total, free = (size // CLUSTER for size in volume.space())
            return struct.pack("<qqqII", total, free, free, CLUSTER // SECTOR, SECTOR)
        case _V.FileFsDeviceInformation:
            return struct.pack("<II", FILE_DEVICE_DISK, FILE_DEVICE_IS_MOUNTED)
        case _V.FileFsAttributeInformation:
            name = to_utf16(volume.file_system)
            abilities = COMPONENT_ABILITIES | (FILE_READ_ONLY_VOLUME if volume.read_only else 0)
            return struct.pack("<IiI", abilities, MAXIMUM_COMPONENT, len(name)) + name
        case _V.FileFsSectorSizeInformation:
            # Logical, physical for atomicity, for performance, effective; aligned device and partition.
            return struct.pack("<7I", SECTOR, CLUSTER, CLUSTER, CLUSTER, 3, 0, 0)
        case _:
            raise NtError(STATUS.INVALID_PARAMETER)
