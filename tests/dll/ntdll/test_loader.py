"""The loader in a real machine: what it maps and why, what it tells when it cannot, and the bytes it leaves."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.peb import PEB
from ntos.abi.layout.user import LDR_DATA_TABLE_ENTRY, LDR_DDAG_NODE, PEB_LDR_DATA
from ntos.cm.registry import Registry
from ntos.etw.event import ExceptionRaised, HardError, ImageLoaded, ImageUnloaded, Missing, Refused
from ntos.machine import Machine
from ntos.rtl.text import hash_unicode_string

SAMPLES = Path(__file__).resolve().parents[3] / "samples" / "bin"
DLL_NOT_FOUND, ENTRYPOINT_NOT_FOUND = 0xC000_0135, 0xC000_0139


class Run:
    """One machine, the events of one program in it."""

    def __init__(self, folder: Path = SAMPLES) -> None:
        self.silence = os.open(os.devnull, os.O_RDWR)
        self.machine = Machine(drives={"D": folder}, stdin=self.silence, stdout=self.silence, stderr=self.silence)
        self.events: list[Any] = []
        kinds = (ImageLoaded, ImageUnloaded, Refused, Missing, HardError, ExceptionRaised)
        self.machine.log.subscribe(self.events.append, *kinds)

    def program(self, name: str, *arguments: str) -> int | None:
        """Run a sample to its end."""
        process = self.machine.create_process(f"D:\\{name}", arguments)
        assert self.machine.run(timeout=60) == "finished"
        return process.exit_code

    def of(self, kind: type) -> list[Any]:
        """The events of a kind."""
        return [event for event in self.events if type(event) is kind]


@pytest.fixture
def run() -> Iterator[Run]:
    """A machine with the samples on D:."""
    made = Run()
    yield made
    made.machine.close()
    os.close(made.silence)


def test_each_image_says_by_which_rule_it_was_found(run: Run) -> None:
    """API-set names resolve to their hosts, kernel32 comes before what the program imports."""
    assert run.program("hello_printf.exe") == 7
    sources = {event.path.rpartition("\\")[2].lower(): event.source for event in run.of(ImageLoaded)}
    assert sources["hello_printf.exe"] == "program"
    assert sources["kernel32.dll"] == "KnownDLLs"
    assert sources["ucrtbase.dll"].startswith("API set api-ms-win-crt-")
    order = [event.path.rpartition("\\")[2].lower() for event in run.of(ImageLoaded) if event.source]
    assert order[:3] == ["hello_printf.exe", "ntdll.dll", "kernel32.dll"]


def test_missing_dll_names_every_place_that_was_tried(run: Run) -> None:
    """The process ends with DLL_NOT_FOUND; the refusal holds importer, search order and what would help."""
    assert run.program("missing_import.exe") == DLL_NOT_FOUND
    refusal = next(event for event in run.of(Refused) if event.name == "LdrpInitializeProcess")
    assert (refusal.rule, refusal.inputs["dll"], refusal.inputs["importer"]) == (
        "DLL search order",
        "ntos_absent_dependency.dll",
        "missing_import.exe",
    )
    assert [line.partition(":")[0] for line in refusal.inputs["tried"]][:5] == [
        "application directory",
        "System32 directory",
        "16-bit system directory",
        "Windows directory",
        "current directory",
    ]
    assert refusal.flip == "put ntos_absent_dependency.dll into D:\\"
    assert [error.status for error in run.of(HardError)] == [DLL_NOT_FOUND]


def test_missing_function_names_function_library_and_importer(run: Run) -> None:
    """ENTRYPOINT_NOT_FOUND carries what is wanted of whom by whom."""
    assert run.program("missing_function.exe") == ENTRYPOINT_NOT_FOUND
    refusal = next(event for event in run.of(Refused) if event.name == "LdrpInitializeProcess")
    assert refusal.inputs["function"] == "NtosAbsentFunction"
    assert refusal.inputs["dll"].lower().endswith("\\kernel32.dll")
    assert refusal.inputs["importer"] == "D:\\missing_function.exe"
    assert [event.name for event in run.of(Missing)] == ["NtosAbsentFunction"]


def _names(memory: Any, head: LIST_ENTRY, offset: int) -> list[str]:
    entries = (LDR_DATA_TABLE_ENTRY(memory, link - offset) for link in head.iterate())
    return [entry.BaseDllName.text.lower() for entry in entries]


def _watch_unload(run: Run, look: Callable[[Any], None]) -> None:
    def unloaded(event: Any) -> None:
        process = next(each for each in run.machine.processes() if each.id == event.process)
        look(process.memory)

    run.machine.log.subscribe(unloaded, ImageUnloaded)


def test_module_lists_are_true_bytes(run: Run) -> None:
    """PEB.Ldr's three lists, the hash table links and the nodes are consistent in guest memory."""
    seen: dict[str, Any] = {}

    def look(memory: Any) -> None:
        process = next(each for each in run.machine.processes() if each.memory is memory)
        peb = PEB(memory, int(process.eprocess.Peb))
        ldr = PEB_LDR_DATA(memory, int(peb.Ldr))
        seen["load"] = _names(memory, ldr.InLoadOrderModuleList, 0)
        seen["memory"] = _names(memory, ldr.InMemoryOrderModuleList, 0x10)
        seen["init"] = _names(memory, ldr.InInitializationOrderModuleList, 0x20)
        first = LDR_DATA_TABLE_ENTRY(memory, int(ldr.InLoadOrderModuleList.Flink))
        seen["hash"] = int(first.BaseNameHashValue) == hash_unicode_string("tls.exe", ignore_case=True)
        node = LDR_DDAG_NODE(memory, int(first.DdagNode))
        seen["pinned"], seen["state"] = int(node.LoadCount), int(node.State)
        seen["header"] = (int(ldr.Length), int(ldr.Initialized))

    _watch_unload(run, look)
    assert run.program("tls.exe") == 0
    assert seen["load"][:3] == ["tls.exe", "ntdll.dll", "kernel32.dll"]
    assert seen["memory"] == seen["load"]
    assert seen["init"][0] == "ntdll.dll"
    assert "tls.exe" not in seen["init"]
    assert seen["init"].index("kernelbase.dll") < seen["init"].index("kernel32.dll")
    assert (seen["hash"], seen["pinned"], seen["state"], seen["header"]) == (True, 0xFFFF_FFFF, 9, (0x58, 1))


def test_dll_goes_with_its_last_reference(run: Run) -> None:
    """FreeLibrary of the only reference unmaps the DLL; static imports stay."""
    assert run.program("tls.exe") == 0
    assert [event.path for event in run.of(ImageUnloaded)] == ["D:\\tlsplugin.dll"]


def _in_order(memory: Any, node: int) -> list[int]:
    if not node:
        return []
    left, right = (int.from_bytes(memory.read(node + at, 8), "little") for at in (0, 8))
    return [*_in_order(memory, left), node, *_in_order(memory, right)]


def test_index_trees_hold_every_module_in_order(run: Run) -> None:
    """BaseAddressIndexNode is ordered by DllBase, MappingInfoIndexNode by TimeDateStamp and SizeOfImage."""
    seen: list[tuple[set[int], list[int], list[int], list[tuple[int, int]]]] = []

    def look(memory: Any) -> None:
        process = next(each for each in run.machine.processes() if each.memory is memory)
        ldr = PEB_LDR_DATA(memory, int(PEB(memory, int(process.eprocess.Peb)).Ldr))
        listed = [LDR_DATA_TABLE_ENTRY(memory, link) for link in ldr.InLoadOrderModuleList.iterate()]
        roots = []
        for offset in (0xC8, 0xE0):
            node = listed[-1].address + offset
            while above := int.from_bytes(memory.read(node + 0x10, 8), "little") & ~3:
                node = above
            roots.append([LDR_DATA_TABLE_ENTRY(memory, each - offset) for each in _in_order(memory, node)])
        by_base, by_mapping = roots
        assert {each.address for each in by_base} == {each.address for each in by_mapping}
        bases = [int(each.DllBase) for each in by_base]
        keys = [(int(each.TimeDateStamp), int(each.SizeOfImage)) for each in by_mapping]
        seen.append(({int(each.DllBase) for each in listed}, bases, sorted(bases), keys))

    _watch_unload(run, look)
    assert run.program("tls.exe") == 0
    (listed, bases, ordered, keys), *_ = seen
    assert set(bases) == listed
    assert bases == ordered
    assert keys == sorted(keys)


SESSION_MANAGER = "\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager"
FIRST, SECOND = "current directory (SafeDllSearchMode off)", "current directory"


@pytest.mark.parametrize(
    ("name", "value", "position"),
    [
        ("SafeDllSearchMode", 1, 4),
        ("SafeDllSearchMode", 0, 1),
        ("CWDIllegalInDLLSearch", 2, 4),
        ("CWDIllegalInDLLSearch", 0xFFFF_FFFF, None),
    ],
)
def test_registry_says_when_the_current_directory_is_searched(
    run: Run, name: str, value: int, position: int | None
) -> None:
    """Safe search puts it behind the Windows directory, else it comes second; CWDIllegalInDLLSearch takes it away."""
    registry = run.machine.kernel[Registry]
    registry.set_value(registry.key(SESSION_MANAGER), name, 4, value.to_bytes(4, "little"))
    assert run.program("missing_import.exe") == DLL_NOT_FOUND
    refusal = next(event for event in run.of(Refused) if event.name == "LdrpInitializeProcess")
    rules = [line.partition(":")[0] for line in refusal.inputs["tried"]]
    at = next((index for index, rule in enumerate(rules) if rule in (FIRST, SECOND)), None)
    assert at == position
