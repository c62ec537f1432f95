r"""\KnownDlls: what the session manager makes, and that the loader takes known DLLs from there."""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from ntos.abi.layout.section import SECTION
from ntos.abi.pe import directories
from ntos.abi.pe.headers import parse_headers
from ntos.abi.pe.image import map_image
from ntos.abi.pe.reader import reader_of
from ntos.deps.builtin import KNOWN_DLLS
from ntos.etw.event import ImageLoaded
from ntos.machine import Machine
from ntos.mm.section import Section
from ntos.ob.boot import directory
from ntos.ob.directory import name_of
from ntos.ob.object import header_of
from ntos.ob.symlink import SymbolicLink
from ntos.um import images

SAMPLES = Path(__file__).resolve().parents[3] / "samples" / "bin"
LIST = "MACHINE\\SYSTEM\\ControlSet001\\Control\\Session Manager\\KnownDLLs"
NOT_NATIVE = {"wow64cpu.dll", "wow64.dll", "wow64win.dll"}


def _listed() -> set[str]:
    data = tomllib.loads((files("ntos.cm") / "data" / "system.toml").read_text())
    return {value.lower() for value in data[LIST].values() if isinstance(value, str)} - NOT_NATIVE


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine with an empty folder as D:."""
    silence = os.open(os.devnull, os.O_RDWR)
    with Machine(drives={"D": tmp_path}, stdin=silence, stdout=silence, stderr=silence) as made:
        yield made
    os.close(silence)


def _sections(machine: Machine) -> dict[str, Section]:
    found = directory(machine.kernel, "KnownDlls").entries()
    return {name_of(each).lower(): each for each in found if isinstance(each, Section)}


def test_every_listed_file_that_is_there_and_what_it_needs_has_a_section(machine: Machine) -> None:
    r"""One permanent section for each file of Session Manager\KnownDLLs and its dependants (MSDN, DLL search order)."""
    expected = {name for name in _listed() if images.available(name)}
    pending = list(expected)
    while pending:
        data = images.build(pending.pop().removesuffix(".dll")).data
        headers = parse_headers(data, len(data))
        for module in directories.imports(reader_of(map_image(data, headers)), headers):
            if module.name.lower() not in expected:
                expected.add(module.name.lower())
                pending.append(module.name.lower())
    sections = _sections(machine)
    assert set(sections) == expected
    assert {"kernelbase.dll", "ntdll.dll"} <= expected - _listed()
    assert all(header_of(section).PermanentObject for section in sections.values())
    link = directory(machine.kernel, "KnownDlls").find("KnownDllPath")
    assert isinstance(link, SymbolicLink)
    assert link.view.LinkTarget.text.lower() == "c:\\windows\\system32"


def test_the_static_list_holds_what_the_session_manager_makes(machine: Machine) -> None:
    """`ntos deps` knows the same known DLLs as a running machine."""
    assert set(_sections(machine)) | _listed() <= KNOWN_DLLS


def test_a_section_nobody_has_mapped_leads_to_its_file(machine: Machine) -> None:
    """SECTION.u1 is a control area once somebody has looked, and a file object marked RemoteImage before."""
    sections = _sections(machine)
    used, unused = sections["kernel32.dll"], sections["ole32.dll"]
    assert not used.view.u1.RemoteImageFileObject
    view = SECTION(machine.kernel.memory, unused.address)
    assert view.u1.RemoteImageFileObject
    assert int(view.SizeOfSection) == 0
    assert unused.size == unused.area.pages * 0x1000
    assert int(view.u1.ControlArea) == unused.area.address
    assert int(view.SizeOfSection) == unused.size
    assert unused.is_image


def test_a_known_dll_is_not_looked_for_beside_the_program(machine: Machine, tmp_path: Path) -> None:
    """A DLL of a known name in the program's own directory is never taken."""
    shutil.copy(SAMPLES / "winsock.exe", tmp_path)
    shutil.copy(SAMPLES / "plugin.dll", tmp_path / "ws2_32.dll")
    loaded: list[Any] = []
    machine.log.subscribe(loaded.append, ImageLoaded)
    machine.create_process("D:\\winsock.exe")
    assert machine.run(timeout=60) == "finished"
    found = {event.path.lower(): event.source for event in loaded}
    assert found["c:\\windows\\system32\\ws2_32.dll"] == "KnownDLLs"
    assert "d:\\ws2_32.dll" not in found
