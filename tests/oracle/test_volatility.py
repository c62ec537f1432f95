"""Unmodified Volatility reads a dump taken while ninja and its children live, and sees what the machine knows."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("volatility3")

from ntos.etw.event import FileOpened, ImageLoaded, KeyOpened
from ntos.machine import Machine
from ntos.mm.protect import PROTECT_TO_VALUE
from tests.guest.conftest import SAMPLES
from tests.oracle.truth import SHOWN, ProcessTruth, take
from tests.oracle.volatility import SYMBOLS, Row, Volatility
from tests.real import fetch

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(not SYMBOLS.is_dir(), reason=f"no symbols at {SYMBOLS}"),
    pytest.mark.filterwarnings("ignore"),  # other people's code warns of what it likes
]

MEMORY = 128 << 20
BUILD = """\
rule run
  command = $in.exe $out
build one: run timers
build two: run threads
build three: run registry
build four: run timers
build timers: phony
build threads: phony
build registry: phony
"""
"""Programs that sleep, start threads and open keys, side by side."""
CHILDREN = {"timers.exe", "threads.exe", "registry.exe"}
KERNEL_ONLY = {"System", "Registry"}
"""Processes without a user part that live as long as the machine."""
TIMEOUT = 120
PROTECTIONS = {
    0x01: "PAGE_NOACCESS", 0x02: "PAGE_READONLY", 0x04: "PAGE_READWRITE", 0x08: "PAGE_WRITECOPY",
    0x10: "PAGE_EXECUTE", 0x20: "PAGE_EXECUTE_READ", 0x40: "PAGE_EXECUTE_READWRITE",
    0x80: "PAGE_EXECUTE_WRITECOPY", 0x100: "PAGE_GUARD", 0x200: "PAGE_NOCACHE", 0x400: "PAGE_WRITECOMBINE",
}  # fmt: skip


class Scene(NamedTuple):
    """A dump, who reads it, and what the machine knew when it was taken."""

    volatility: Volatility
    truth: dict[int, ProcessTruth]
    kernel_base: int

    @property
    def living(self) -> dict[int, ProcessTruth]:
        """Processes with threads and a user half."""
        return {number: each for number, each in self.truth.items() if each.has_user_part}


class Camera:
    """Takes the dump at the first moment when enough children are alive and well begun."""

    def __init__(self, machine: Machine, dump: Path) -> None:
        self.machine = machine
        self.dump = dump
        self.truth: dict[int, ProcessTruth] = {}
        machine.log.subscribe(self.look, ImageLoaded, FileOpened, KeyOpened)

    def look(self, event: object) -> None:
        """Take the picture if this is the moment."""
        if self.truth:
            return
        taken = take(self.machine)
        well_begun = [each for each in taken.values() if each.name in CHILDREN and len(each.modules) > 3]
        if len(well_begun) < 3:
            return
        self.truth = taken
        with self.dump.open("wb") as file:
            self.machine.dump(file)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A real build, four commands at a time, photographed."""
    try:
        ninja = fetch.program(fetch.NINJA)
    except fetch.Unavailable as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("build")
    shutil.copy(ninja, folder / "ninja.exe")
    for name in ("timers.exe", "threads.exe", "registry.exe"):
        shutil.copy(SAMPLES / "bin" / name, folder / name)
    (folder / "build.ninja").write_text(BUILD, encoding="utf-8")
    dump = tmp_path_factory.mktemp("dump") / "memory.raw"
    with Machine(memory=MEMORY, drives={"D": folder}, stdout=_nowhere(), stderr=_nowhere()) as machine:
        camera = Camera(machine, dump)
        process = machine.create_process("D:\\ninja.exe", ["-j4"])
        assert machine.run(timeout=TIMEOUT) == "finished"
        assert process.exit_code == 0
        base = machine.kernel.image_base
        assert camera.truth, "no moment with enough children alive"
    yield Scene(Volatility(dump, tmp_path_factory.mktemp("cache")), camera.truth, base)
    dump.unlink()


def _nowhere() -> int:
    """A host descriptor for output nobody wants."""
    return os.open(os.devnull, os.O_WRONLY)


def by_process(rows: list[Row], key: str = "PID") -> dict[int, list[Row]]:
    """Rows by process, in their order."""
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found


def moment(filetime: int) -> datetime:
    """A FILETIME as Volatility shows it: whole seconds."""
    return datetime(1601, 1, 1, tzinfo=UTC) + timedelta(seconds=filetime // 10_000_000)


def test_info(scene: Scene) -> None:
    """windows.info names the kernel, its base, its build and its processors."""
    told = {row["Variable"]: row["Value"] for row in scene.volatility.rows("windows.info.Info")}
    assert int(told["Kernel Base"], 16) & SHOWN == scene.kernel_base & SHOWN
    assert (told["Is64Bit"], told["NtMajorVersion"], told["NtMinorVersion"]) == ("True", "10", "0")
    assert (told["MachineType"], told["KeNumberProcessors"]) == ("34404", "1")
    assert told["Major/Minor"] == "15.19041"
    assert told["NtSystemRoot"] == "C:\\Windows"


def test_pslist(scene: Scene) -> None:
    """windows.pslist shows every process: id, parent, name, threads, session, when it began, whether it ended."""
    for row in scene.volatility.rows("windows.pslist.PsList"):
        known = scene.truth[row["PID"]]
        assert row["PPID"] == known.parent
        assert row["ImageFileName"] == known.name
        assert row["Offset(V)"] == known.address
        assert row["Threads"] == len(known.threads)
        assert (row["SessionId"] or 0) == known.session
        assert row["CreateTime"] == moment(known.create_time)
        assert (row["ExitTime"] is None) == (known.has_user_part or known.name in KERNEL_ONLY)


def test_pslist_is_complete(scene: Scene) -> None:
    """No process is missing from the list, and they stand in the order they were made in."""
    assert [row["PID"] for row in scene.volatility.rows("windows.pslist.PsList")] == list(scene.truth)


def test_pool_scan_finds_the_same_processes(scene: Scene) -> None:
    """windows.psscan finds by their pool tags what the list leads to."""
    found = {row["PID"]: row["ImageFileName"] for row in scene.volatility.rows("windows.psscan.PsScan")}
    assert found == {each.id: each.name for each in scene.truth.values()}


def test_pstree(scene: Scene) -> None:
    """windows.pstree hangs each process below its parent, with image path and command line."""
    rows = {row["PID"]: row for row in scene.volatility.rows("windows.pstree.PsTree")}
    assert rows.keys() == scene.truth.keys()
    for number, known in scene.truth.items():
        above = rows[known.parent]["depth"] if known.parent in rows else 0
        assert rows[number]["depth"] == above + 1
        assert (rows[number]["Audit"] or "") == known.audit
        if known.has_user_part:
            assert rows[number]["Cmd"] == known.command_line
            assert rows[number]["Path"] == known.image_path


def test_command_lines(scene: Scene) -> None:
    """windows.cmdline shows the command line of each living process."""
    told = {row["PID"]: row["Args"] for row in scene.volatility.rows("windows.cmdline.CmdLine")}
    assert {number: told[number] for number in scene.living} == {
        number: each.command_line for number, each in scene.living.items()
    }


def test_modules(scene: Scene) -> None:
    """windows.dlllist shows each module's base, size and path, in load order."""
    told = by_process(scene.volatility.rows("windows.dlllist.DllList"))
    for number, known in scene.living.items():
        shown = [(row["Base"], row["Size"], row["Path"]) for row in told.get(number, ())]
        assert shown == known.modules, known.name
        assert [row["Name"] for row in told.get(number, ())] == [
            path.rpartition("\\")[2] for _, _, path in known.modules
        ]


def test_modules_in_all_three_lists(scene: Scene) -> None:
    """Every mapped image is in the loader's lists, in init order once its turn to be initialised has come."""
    told = by_process(scene.volatility.rows("windows.malware.ldrmodules.LdrModules"), "Pid")
    for number, known in scene.living.items():
        rows = {row["Base"]: row for row in told.get(number, ())}
        assert rows.keys() >= {base for base, _, _ in known.modules}
        listed = {base for base, row in rows.items() if row["InLoad"] and row["InMem"]}
        assert listed == {base for base, _, _ in known.modules}
        assert {base for base, row in rows.items() if row["InInit"]} == known.initialised


def test_handles(scene: Scene) -> None:
    """windows.handles shows each handle's value, type, access and the object's name."""
    told = by_process(scene.volatility.rows("windows.handles.Handles"))
    for number, known in scene.truth.items():
        shown = [
            (row["HandleValue"], row["Type"], row["GrantedAccess"], row["Name"] or "") for row in told.get(number, ())
        ]
        assert shown == known.handles, known.name


def test_address_ranges(scene: Scene) -> None:
    """windows.vadinfo shows each range: where, how protected, whether private, how much committed, which file."""
    told = by_process(scene.volatility.rows("windows.vadinfo.VadInfo"))
    for number, known in scene.truth.items():
        shown = sorted(
            (row["Start VPN"], row["End VPN"], row["Protection"], bool(row["PrivateMemory"]), row["CommitCharge"],
             row["File"] or "")
            for row in told.get(number, ())
        )  # fmt: skip
        expected = [
            (first, last, protection_name(bits), private, charge, file)
            for first, last, bits, private, charge, file in known.ranges
        ]
        assert shown == expected, known.name


def protection_name(bits: int) -> str:
    """Five bits of protection as Volatility spells them."""
    value = PROTECT_TO_VALUE[bits]
    return " | ".join(name for flag, name in PROTECTIONS.items() if value & flag)


def test_threads(scene: Scene) -> None:
    """windows.threads shows each thread's id and where it began."""
    told = by_process(scene.volatility.rows("windows.threads.Threads"))
    for number, known in scene.truth.items():
        shown = [(row["TID"], row["StartAddress"], row["Win32StartAddress"]) for row in told.get(number, ())]
        assert shown == known.threads, known.name


def test_thread_starts_lie_in_files(scene: Scene) -> None:
    """Threads begin in ntdll, and the first one's Win32 start address lies in the program."""
    for number, rows in by_process(scene.volatility.rows("windows.threads.Threads")).items():
        assert rows[0]["StartPath"] == "\\Windows\\System32\\ntdll.dll"
        if scene.truth[number].name == "csrss.exe":
            continue  # its first thread ends when the server's own run
        assert rows[0]["Win32StartPath"].rpartition("\\")[2] == scene.truth[number].name


def test_environments(scene: Scene) -> None:
    """windows.envars shows each process's variables."""
    told = by_process(scene.volatility.rows("windows.envars.Envars"))
    for number, known in scene.living.items():
        assert {row["Variable"]: row["Value"] for row in told[number]} == known.environment


def test_security_identifiers(scene: Scene) -> None:
    """windows.getsids shows the user and the groups of each token."""
    told = by_process(scene.volatility.rows("windows.getsids.GetSIDs"))
    for number, known in scene.truth.items():
        assert [row["SID"] for row in told[number]] == known.groups, known.name


def test_privileges(scene: Scene) -> None:
    """windows.privileges shows which privileges each token has, and which of them are enabled."""
    told = by_process(scene.volatility.rows("windows.privileges.Privs"))
    for number, known in scene.truth.items():
        rows = told[number]
        present = sum(1 << row["Value"] for row in rows if "Present" in row["Attributes"])
        enabled = sum(1 << row["Value"] for row in rows if "Enabled" in row["Attributes"])
        assert (present, enabled) == (known.present, known.enabled), known.name
