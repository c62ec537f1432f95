"""Service numbers, export names and API sets of the reference build."""

from __future__ import annotations

import struct

import pytest

from ntos.abi import apiset, exports, services
from ntos.abi.pe.exports import split_forwarder


@pytest.mark.parametrize(
    ("name", "number"),
    [("NtClose", 0x0F), ("NtCreateUserProcess", 0xC8), ("NtCreateFile", 0x55), ("NtWaitForSingleObject", 4)],
)
def test_service_numbers(name: str, number: int) -> None:
    """Services bear the numbers of build 19041."""
    assert services.number_of(name) == number
    assert services.name_of(number) == name


def test_service_tables_are_dense() -> None:
    """Numbers run without holes from 0, and for win32k from 0x1000."""
    assert [services.number_of(name) for name in services.names()] == list(range(len(services.names())))
    numbers = [services.number_of(name) for name in services.win32k_names()]
    assert numbers == list(range(0x1000, 0x1000 + len(numbers)))
    assert services.number_of("NtNoSuchThing") is None
    assert services.name_of(0xFFF) is None


@pytest.mark.parametrize("dll", exports.known_dlls())
def test_export_names_are_sorted_and_unique(dll: str) -> None:
    """Names stand in the loader's bytewise order, once each; ordinals are unique."""
    rows = exports.export_names(dll)
    names = [row.name.encode() for row in rows]
    assert names == sorted(set(names))
    ordinals = [row.ordinal for row in rows if row.ordinal]
    assert len(ordinals) == len(set(ordinals))


@pytest.mark.parametrize("dll", exports.known_dlls())
def test_forwarders_lead_to_exports(dll: str) -> None:
    """A forwarder's target, through an API set if need be, is exported by the module it names."""
    for row in exports.export_names(dll):
        if row.forwarder is None:
            continue
        module, function = split_forwarder(row.forwarder)
        host = apiset.resolve(module, f"{dll}.dll") or module
        assert function in {target.name for target in exports.export_names(host)}, row


def test_well_known_exports() -> None:
    """Forwarders and ordinals are those of Windows 10."""
    kernel32 = {row.name: row for row in exports.export_names("KERNEL32.DLL")}
    assert kernel32["HeapAlloc"].forwarder == "NTDLL.RtlAllocateHeap"
    assert kernel32["HeapFree"].forwarder is None
    assert {row.name: row.ordinal for row in exports.export_names("ws2_32")}["WSAStartup"] == 115
    assert exports.export_names("nosuch") == ()


@pytest.mark.parametrize(
    ("contract", "importer", "host"),
    [
        ("api-ms-win-core-file-l1-2-99.dll", None, "kernelbase.dll"),
        ("API-MS-WIN-CRT-RUNTIME-L1-1-0", None, "ucrtbase.dll"),
        ("api-ms-win-core-processthreads-l1-1-0", "kernel32.dll", "kernelbase.dll"),
        ("api-ms-win-core-processthreads-l1-1-0", "foo.dll", "kernel32.dll"),
        ("api-ms-win-no-such-contract-l1-1-0", None, None),
        ("kernel32.dll", None, None),
        ("api", None, None),
    ],
)
def test_api_set_resolution(contract: str, importer: str | None, host: str | None) -> None:
    """A contract resolves by the text before its last hyphen, and by importer where the schema says so."""
    assert apiset.resolve(contract, importer) == host


def lookup(schema: bytes, name: str, importer: str) -> str | None:
    """The published lookup over the binary map: by hash, then per-importer values."""
    _, _, _, count, entries, hashes, factor = struct.unpack_from("<7I", schema)
    key = name[: name.rfind("-")].lower()
    value = 0
    for character in key:
        value = (value * factor + ord(character)) & 0xFFFF_FFFF
    rows = dict(struct.iter_unpack("<II", schema[hashes : hashes + 8 * count]))
    if value not in rows:
        return None
    _, offset, _, hashed, values, value_count = struct.unpack_from("<6I", schema, entries + 24 * rows[value])
    assert schema[offset : offset + hashed].decode("utf-16-le") == key
    found = ""
    for index in range(value_count):
        _, at, size, host_at, host_size = struct.unpack_from("<5I", schema, values + 20 * index)
        if index == 0 or schema[at : at + size].decode("utf-16-le") == importer:
            found = schema[host_at : host_at + host_size].decode("utf-16-le")
    return found


@pytest.mark.parametrize("importer", ["", "kernel32.dll"])
def test_schema_answers_as_resolve_does(importer: str) -> None:
    """Every contract, looked up in the map as the loader does, has the host that ``resolve`` gives."""
    schema = apiset.build_schema()
    assert struct.unpack_from("<2I", schema) == (6, len(schema))
    for contract in apiset.contracts():
        assert lookup(schema, contract.name, importer) == apiset.resolve(contract.name, importer)


def test_schema_hash_table_is_sorted() -> None:
    """The loader searches the hash table by halves."""
    schema = apiset.build_schema()
    _, _, _, count, _, hashes, _ = struct.unpack_from("<7I", schema)
    values = [row[0] for row in struct.iter_unpack("<II", schema[hashes : hashes + 8 * count])]
    assert values == sorted(values)
