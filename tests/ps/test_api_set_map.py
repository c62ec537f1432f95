"""Every process finds the API-set schema through its PEB."""

from __future__ import annotations

import struct
from pathlib import Path

from ntos.abi.apiset import SCHEMA_SIZE, build_schema
from ntos.abi.layout.peb import PEB
from ntos.machine import Machine

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "bin"


def test_the_size_is_what_building_gives() -> None:
    """The size known beforehand is the schema's."""
    assert len(build_schema()) == SCHEMA_SIZE


def test_a_process_reads_the_schema_of_the_reference_build() -> None:
    """PEB.ApiSetMap leads to a version 6 map whose bytes are the schema's; it cannot be written."""
    with Machine(drives={"D": SAMPLES}) as machine:
        process = machine.create_process("D:\\hello_printf.exe").kernel_process
        address = int(PEB(process.memory, int(process.eprocess.Peb)).ApiSetMap)
        assert struct.unpack("<II", process.memory.read(address, 8)) == (6, SCHEMA_SIZE)
        assert process.memory.read(address, SCHEMA_SIZE) == build_schema()
        other = machine.create_process("D:\\hello_printf.exe").kernel_process
        frames = [each.tables.entry(int(PEB(each.memory, int(each.eprocess.Peb)).ApiSetMap)) for each in (process,)]
        assert other.memory.read(int(PEB(other.memory, int(other.eprocess.Peb)).ApiSetMap), 4) == b"\6\0\0\0"
        again = other.tables.entry(int(PEB(other.memory, int(other.eprocess.Peb)).ApiSetMap))
        assert frames[0] & 0xFFFFFFFFFF000 == again & 0xFFFFFFFFFF000, "both see the same page"
