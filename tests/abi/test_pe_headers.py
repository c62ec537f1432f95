"""Image headers: what is refused with which status, and agreement with pefile on real programs."""

from __future__ import annotations

import contextlib
import struct
import sys
from pathlib import Path
from typing import Any

import pefile
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ntos.abi.pe import directories, exports, image, relocations, resources
from ntos.abi.pe.build import CODE, READ_WRITE, ImageBuilder
from ntos.abi.pe.headers import Directory, Machine, parse_headers
from ntos.abi.pe.parts import ExportEntry
from ntos.abi.pe.reader import reader_of
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import NTSTATUS

SITE = [Path(folder) for folder in sys.path if folder.endswith("site-packages")]
PROGRAMS = sorted(
    path
    for folder in SITE
    for path in folder.rglob("*.exe")
    if path.name.startswith(("t", "w", "cli", "gui"))
)


def small_image() -> bytes:
    builder = ImageBuilder()
    text = builder.section(".text", b"\xc3" * 32, CODE)
    builder.section(".data", bytes(32), READ_WRITE, virtual_size=0x1800)
    builder.imports([("ntdll.dll", ["NtClose", 7])])
    builder.tls(b"tls", callbacks=[text])
    builder.exports("small.dll", [ExportEntry("F", text), ExportEntry("G", forwarder="NTDLL.RtlG")])
    builder.manifest(b"<assembly/>")
    return builder.build()


SMALL = small_image()


def old_format(signature: bytes, executable_type: int = 0) -> bytes:
    data = bytearray(0x200)
    data[:2] = b"MZ"
    struct.pack_into("<I", data, 0x3C, 0x80)
    data[0x80 : 0x80 + len(signature)] = signature
    data[0x80 + 0x36] = executable_type
    return bytes(data)


def changed(offset: int, layout: str, value: int) -> bytes:
    data = bytearray(SMALL)
    struct.pack_into(layout, data, offset, value)
    return bytes(data)


def read_everything(data: bytes) -> None:
    headers = parse_headers(data, len(data))
    if headers.size_of_image > 1 << 24:
        return
    mapped = image.map_image(data, headers)
    read = reader_of(mapped)
    for reader in (directories.imports, directories.delay_imports, directories.bound_imports):
        try_reading(lambda reader=reader: reader(read, headers))
    try_reading(lambda: list(exports.exports(read, headers) or ()))
    try_reading(lambda: list(resources.resources(read, headers)))
    try_reading(lambda: directories.load_config(read, headers))
    try_reading(lambda: directories.debug_record(read, headers))
    try_reading(lambda: relocations.apply(mapped, relocations.relocation_table(read, headers), 0x10000))
    tls = None
    try:
        tls = directories.tls_directory(read, headers)
    except NtError:
        return
    if tls:
        try_reading(lambda: directories.tls_callbacks(read, headers, tls, headers.image_base))


def try_reading(action: object) -> None:
    assert callable(action)
    with contextlib.suppress(NtError):
        action()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", STATUS.INVALID_FILE_FOR_SECTION),
        (b"#!/bin/sh\n", STATUS.INVALID_IMAGE_NOT_MZ),
        (b"M", STATUS.INVALID_IMAGE_NOT_MZ),
        (b"MZ" + bytes(0x100), STATUS.INVALID_IMAGE_PROTECT),
        (old_format(b"NE", 2), STATUS.INVALID_IMAGE_WIN_16),
        (old_format(b"NE", 1), STATUS.INVALID_IMAGE_NE_FORMAT),
        (old_format(b"LE"), STATUS.INVALID_IMAGE_LE_FORMAT),
        (old_format(b"LX"), STATUS.INVALID_IMAGE_LE_FORMAT),
        (old_format(b"PE\0\0"), STATUS.INVALID_IMAGE_FORMAT),
        (SMALL[:0x300], STATUS.INVALID_IMAGE_FORMAT),
        (SMALL[:-1], STATUS.INVALID_IMAGE_FORMAT),
        (changed(0x80 + 4, "<H", 0x1234), STATUS.INVALID_IMAGE_FORMAT),
        (changed(0x98 + 32, "<I", 0x1001), STATUS.INVALID_IMAGE_FORMAT),
        (changed(0x98 + 36, "<I", 0x100), STATUS.INVALID_IMAGE_FORMAT),
        (changed(0x98 + 56, "<I", 0x1000), STATUS.INVALID_IMAGE_FORMAT),
        (changed(0x98 + 240 + 40 + 12, "<I", 0x1000), STATUS.INVALID_IMAGE_FORMAT),
        (changed(0x98 + 240 + 40 + 20, "<I", 0x7FFF0000), STATUS.INVALID_IMAGE_FORMAT),
    ],
)
def test_refused_file(data: bytes, status: NTSTATUS) -> None:
    """A file that is no image is refused with the status that tells which kind of file it is."""
    with pytest.raises(NtError) as caught:
        parse_headers(data, len(data))
    assert caught.value.status == status


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_real_program_agrees_with_pefile(path: Path) -> None:
    """Headers, layout, imports, exports and relocations of a real program read as pefile reads them."""
    data = path.read_bytes()
    theirs: Any = pefile.PE(data=data)
    ours = parse_headers(data, len(data))
    optional = theirs.OPTIONAL_HEADER
    assert ours.machine == theirs.FILE_HEADER.Machine
    assert ours.image_base == optional.ImageBase
    assert ours.entry_point == optional.AddressOfEntryPoint
    assert ours.size_of_image == optional.SizeOfImage
    assert ours.stack_reserve == optional.SizeOfStackReserve
    assert ours.loader_flags == optional.LoaderFlags
    assert ours.checksum == optional.CheckSum
    rows = [(row.VirtualAddress, row.Misc_VirtualSize, row.PointerToRawData) for row in theirs.sections]
    assert [(row.virtual_address, row.virtual_size, row.raw_offset) for row in ours.sections] == rows
    assert list(ours.directories) == [(row.VirtualAddress, row.Size) for row in optional.DATA_DIRECTORY]
    mapped = image.map_image(data, ours)
    flat = theirs.get_memory_mapped_image()
    for section in ours.sections:
        start, size = section.virtual_address, min(section.virtual_size, section.raw_size)
        assert mapped[start : start + size] == flat[start : start + size]
    read = reader_of(mapped)
    slots = [
        (entry.address - ours.image_base) for dll in theirs.DIRECTORY_ENTRY_IMPORT for entry in dll.imports
    ]
    names = [entry.name for dll in theirs.DIRECTORY_ENTRY_IMPORT for entry in dll.imports]
    found = [function for module in directories.imports(read, ours) for function in module.functions]
    assert [function.slot_rva for function in found] == slots
    assert [function.name and function.name.encode() for function in found] == names
    entry = getattr(theirs, "DIRECTORY_ENTRY_RESOURCE", None)
    types = {row.id for row in entry.entries if row.name is None} if entry else set()
    found_types = {row.type for row in resources.resources(read, ours)}
    assert {kind for kind in found_types if isinstance(kind, int)} == types
    if ours.machine == Machine.AMD64:
        theirs.relocate_image(0x1_5000_0000)
        table = relocations.relocation_table(read, ours)
        relocations.apply(mapped, table, 0x1_5000_0000 - ours.image_base)
        after = theirs.get_memory_mapped_image()
        for kind, rva in relocations.targets(table):
            assert kind == relocations.DIR64
            assert mapped[rva : rva + 8] == after[rva : rva + 8]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=0x400))
@example(b"MZ" + bytes(0x3A) + b"\xff\xff\xff\xff")
def test_arbitrary_bytes_raise_only_nt_errors(data: bytes) -> None:
    """Whatever the bytes, only an NtError comes out of the parser."""
    try:
        read_everything(data)
    except NtError:
        return


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), min_size=1, max_size=12))
def test_corrupted_image_raises_only_nt_errors(changes: list[tuple[int, int]]) -> None:
    """An image with damaged bytes is read, or refused with an image status."""
    data = bytearray(SMALL)
    for offset, value in changes:
        data[offset] = value
    try:
        read_everything(bytes(data))
    except NtError:
        return


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(list(Directory)), st.integers(0, 0x9000), st.integers(0, 0x9000))
def test_misplaced_directory_raises_only_nt_errors(index: Directory, rva: int, size: int) -> None:
    """A directory that points anywhere in the image is read, or refused with an image status."""
    data = bytearray(SMALL)
    struct.pack_into("<II", data, 0x98 + 112 + 8 * index, rva, size)
    try:
        read_everything(bytes(data))
    except NtError:
        return
