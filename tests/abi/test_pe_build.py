"""Images that we write: pefile, LIEF and our own readers agree on them."""

from __future__ import annotations

import struct
import time
import uuid
from typing import Any

import lief
import pefile
import pytest

from ntos.abi.pe import directories, exports, image, relocations, resources
from ntos.abi.pe.build import CODE, READ_WRITE, ImageBuilder
from ntos.abi.pe.headers import ImageHeaders, parse_headers
from ntos.abi.pe.parts import ExportEntry, VersionInfo
from ntos.abi.pe.reader import Read, reader_of

pytestmark = pytest.mark.oracle
GUID = uuid.UUID("12345678-9abc-def0-1234-56789abcdef0")
COUNT = 700


def build(*, flat: bool, dll: bool = True) -> bytes:
    builder = ImageBuilder(flat=flat, dll=dll, entry_point=0x1000)
    text = builder.section(".text", b"\xc3" + b"\xcc" * 16 * COUNT, CODE)
    data = builder.section(".data", bytes(64), READ_WRITE, rva=text + 0x8000, virtual_size=0x2100)
    builder.imports([("ntdll.dll", ["NtClose", "RtlAllocateHeap"]), ("ws2_32.dll", [115])])
    builder.tls(b"template", zero_fill=16, callbacks=[text])
    names = [ExportEntry(f"Function{index * 331 % COUNT}", text + 16 * index) for index in range(COUNT)]
    names += [
        ExportEntry("HeapAlloc", forwarder="NTDLL.RtlAllocateHeap"),
        ExportEntry(None, text, ordinal=900),
    ]
    builder.exports("kernel32.dll", [*names, ExportEntry("Fixed", text, ordinal=13)], ordinal_base=10)
    unwind = builder.section(".xdata", b"\x01\0\0\0", READ_WRITE)
    builder.function_table([(text, text + 1, unwind)])
    builder.debug(GUID, "kernel32.pdb")
    config = bytearray(0x140)
    struct.pack_into("<I", config, 0, 0x140)
    struct.pack_into("<Q", config, 0x58, data)
    builder.load_config(bytes(config), pointers=[0x58])
    builder.version_info(VersionInfo((10, 0, 19041, 1), {"FileDescription": "NT BASE API"}))
    builder.manifest(b"<assembly/>")
    return builder.build()


def open_image(data: bytes) -> tuple[ImageHeaders, bytearray, Read]:
    headers = parse_headers(data, len(data))
    mapped = image.map_image(data, headers)
    return headers, mapped, reader_of(mapped)


@pytest.mark.parametrize("flat", [False, True])
def test_pefile_reads_what_we_wrote(flat: bool) -> None:
    """The exports, imports, version and checksum that were asked for are what pefile finds."""
    data = build(flat=flat)
    theirs: Any = pefile.PE(data=data)
    headers, _, read = open_image(data)
    assert theirs.verify_checksum()
    ours = exports.exports(read, headers)
    assert ours is not None
    rows = theirs.DIRECTORY_ENTRY_EXPORT.symbols
    expected = {(row.name and row.name.decode(), row.ordinal, row.address) for row in rows if row.address}
    assert {(export.name, export.ordinal, export.rva) for export in ours} == expected
    assert [dll.dll for dll in theirs.DIRECTORY_ENTRY_IMPORT] == [b"ntdll.dll", b"ws2_32.dll"]
    assert theirs.DIRECTORY_ENTRY_DEBUG[0].entry.PdbFileName.rstrip(b"\0") == b"kernel32.pdb"
    assert theirs.VS_FIXEDFILEINFO[0].FileVersionLS == 19041 << 16 | 1
    infos = [info for info in theirs.FileInfo[0] if hasattr(info, "StringTable")]
    strings = [table.entries for info in infos for table in info.StringTable]
    assert strings == [{b"FileDescription": b"NT BASE API"}]


@pytest.mark.parametrize("dll", [False, True])
def test_lief_reads_what_we_wrote(dll: bool) -> None:
    """LIEF finds the same image complete: exports, TLS, load configuration, debug record, resources."""
    theirs: Any = lief.PE.parse(list(build(flat=False, dll=dll)))
    assert theirs is not None
    assert theirs.compute_checksum() == theirs.optional_header.checksum
    assert len([entry for entry in theirs.get_export().entries if entry.name]) == COUNT + 2
    assert theirs.tls.callbacks == [0x1_8000_1000]
    assert theirs.load_configuration.security_cookie == 0x1_8000_9000
    assert theirs.codeview_pdb.filename == "kernel32.pdb"
    assert theirs.resources_manager.manifest == "<assembly/>"
    assert bool(theirs.header.characteristics & 0x2000) is dll


def test_our_readers_read_what_we_wrote() -> None:
    """Lookup by name, hint and ordinal, forwarders and all the other directories come back."""
    headers, _, read = open_image(build(flat=False))
    table = exports.exports(read, headers)
    assert table is not None
    forwarded = table.find("HeapAlloc")
    assert forwarded is not None
    assert forwarded.forwarder is not None
    assert exports.split_forwarder(forwarded.forwarder) == ("NTDLL", "RtlAllocateHeap")
    for hint in (0, 5, 99999):
        found = table.find("Function331", hint)
        assert found is not None
        assert found.rva == 0x1010
    assert table.find("Missing") is None
    by_ordinal = table.by_ordinal(900)
    assert by_ordinal is not None
    assert by_ordinal.rva == 0x1000
    assert table.by_ordinal(9) is None
    tls = directories.tls_directory(read, headers)
    assert tls is not None
    assert directories.tls_callbacks(read, headers, tls, headers.image_base) == (0x1000,)
    config = directories.load_config(read, headers)
    assert config is not None
    assert config.security_cookie == headers.image_base + 0x9000
    record = directories.debug_record(read, headers)
    assert record == directories.DebugRecord(GUID, 1, "kernel32.pdb")
    manifest = resources.find_resource(read, headers, resources.ResourceType.MANIFEST, 2)
    assert manifest is not None
    assert read(manifest.rva, manifest.size) == b"<assembly/>"
    assert directories.exception_table(headers)[1] == 1


def test_flat_file_is_its_own_memory_image() -> None:
    """With ``flat`` the file lies in memory exactly as on disk."""
    data = build(flat=True)
    assert open_image(data)[1] == data


def test_output_is_deterministic() -> None:
    """The same calls give the same bytes."""
    assert build(flat=False) == build(flat=False)


def test_relocation_moves_every_pointer_and_back() -> None:
    """Relocating by a distance and back again restores the image; every named field moves by the distance."""
    headers, mapped, read = open_image(build(flat=False))
    before = bytes(mapped)
    table = relocations.relocation_table(read, headers)
    relocations.apply(mapped, table, 0x7FF6_0000_0000)
    for kind, rva in relocations.targets(table):
        assert kind == relocations.DIR64
        (old,), (new,) = struct.unpack_from("<Q", before, rva), struct.unpack_from("<Q", mapped, rva)
        assert new - old == 0x7FF6_0000_0000
    relocations.apply(mapped, table, -0x7FF6_0000_0000)
    assert mapped == before


def test_section_protections_follow_the_characteristics() -> None:
    """Code is execute-read, private writable data is copied on write, headers are read-only."""
    headers = open_image(build(flat=False))[0]
    protections = {region.name: region.protection for region in image.regions(headers)}
    assert protections[""] == image.PAGE_READONLY
    assert protections[".text"] == image.PAGE_EXECUTE_READ
    assert protections[".data"] == image.PAGE_WRITECOPY
    assert image.section_protection(0xD000_0000) == image.PAGE_READWRITE
    assert image.section_protection(0xE000_0000) == image.PAGE_EXECUTE_WRITECOPY
    assert image.section_protection(0) == image.PAGE_NOACCESS


def test_large_export_table_is_quick() -> None:
    """An image with 2400 exports is written in a few milliseconds (a generous bound for busy machines)."""
    entries = [ExportEntry(f"Function{index}", 0x1000 + index) for index in range(2400)]
    best = 1.0
    for _ in range(5):
        start = time.perf_counter()
        builder = ImageBuilder(flat=True)
        builder.section(".text", bytes(0x4000), CODE)
        builder.exports("big.dll", entries)
        builder.build()
        best = min(best, time.perf_counter() - start)
    assert best < 0.05
