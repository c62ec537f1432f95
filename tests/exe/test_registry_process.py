"""The Registry process: minimal, the configuration manager's (Windows 10, 1803 and later; Windows Internals)."""

from __future__ import annotations

from ntos.abi.layout.system_info import SYSTEM_PROCESS_INFORMATION
from ntos.ex import system_lists
from ntos.ex.handle import HandleTable
from ntos.machine import Machine
from ntos.mm import space_of
from ntos.ps import protection
from ntos.ps.allocate import audit_name
from ntos.ps.manager import ProcessManager
from ntos.ps.minimal import create_minimal_process


def test_the_registry_process(booted: Machine) -> None:
    """It follows System, whose child it is, and has neither image nor PEB nor user memory nor session."""
    system, registry = booted.processes()[:2]
    eprocess = registry.eprocess
    assert (registry.name, audit_name(registry)) == ("Registry", "Registry")
    assert int(eprocess.InheritedFromUniqueProcessId) == system.id
    assert registry.id == system.id + 4
    assert int(eprocess.Minimal) == 1
    assert not int(eprocess.Peb)
    assert not int(eprocess.SectionObject)
    assert not eprocess.ProcessInSession
    assert protection.name(int(eprocess.Protection.Level)) == "WinSystem"
    assert not space_of(registry).vads.vads
    assert registry[HandleTable].count == 0
    assert not registry.threads


def test_others_are_not_minimal(booted: Machine) -> None:
    """A process with a PEB is none."""
    assert [each.name for each in booted.processes() if each.eprocess.Minimal] == ["Registry"]


def test_it_is_in_the_list_of_processes(booted: Machine) -> None:
    """NtQuerySystemInformation names it as it does every process."""
    data = system_lists.processes(booted.kernel, 0)
    offset, found = 0, []
    while True:
        row = SYSTEM_PROCESS_INFORMATION.parse(data[offset : offset + SYSTEM_PROCESS_INFORMATION.size])
        name = int(row.ImageName.Buffer)
        found.append((int(row.UniqueProcessId), data[name : name + int(row.ImageName.Length)].decode("utf-16-le")))
        if not int(row.NextEntryOffset):
            break
        offset += int(row.NextEntryOffset)
    assert found[:3] == [(0, ""), (4, "System"), (8, "Registry")]


def test_minimal_processes_by_name(machine: Machine) -> None:
    """The kernel names a minimal process itself; it is a child of whom the kernel says."""
    parent = next(each for each in machine.processes() if each.name == "services.exe")
    made = create_minimal_process(machine.kernel, "MemCompression", parent=parent)
    assert machine.kernel[ProcessManager].process_by_id(made.id) is made
    assert made.name == "MemCompression"
    assert int(made.eprocess.InheritedFromUniqueProcessId) == parent.id
    assert protection.name(int(made.eprocess.Protection.Level)) == "None"
