"""Volatility's malware plugins see a hollowed process, and only it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("volatility3")

from ntos.hook import Call
from ntos.machine import Machine
from tests.guest.conftest import SAMPLES
from tests.oracle.truth import SHOWN
from tests.oracle.volatility import SYMBOLS, Volatility

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(not SYMBOLS.is_dir(), reason=f"no symbols at {SYMBOLS}"),
    pytest.mark.filterwarnings("ignore"),  # other people's code warns of what it likes
]


class Scene(NamedTuple):
    """A dump, and which processes are the injector and its victim."""

    volatility: Volatility
    injector: int
    victim: int
    base: int


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A dump from the moment when the foreign program in the hollowed process writes its line."""
    dump = tmp_path_factory.mktemp("dump") / "memory.raw"
    found: list[tuple[int, int]] = []
    with Path(os.devnull).open("r+b") as nothing:
        null = nothing.fileno()
        with Machine(memory=128 << 20, drives={"D": SAMPLES / "bin"}, stdin=null, stdout=null, stderr=null) as machine:
            injector = machine.create_process("D:\\inject.exe", ["hollow"])

            @machine.hook("kernel32!WriteFile", process="victim.exe")
            def writes(call: Call) -> None:
                if not found:
                    found.append((call.process.id, int(call.process.eprocess.SectionBaseAddress)))
                    with dump.open("wb") as file:
                        machine.dump(file)

            assert machine.run(timeout=120) == "finished"
    (victim, base), *_ = found
    yield Scene(Volatility(dump, tmp_path_factory.mktemp("cache")), injector.id, victim, base & SHOWN)
    dump.unlink()


def test_malfind_flags_the_foreign_program(scene: Scene) -> None:
    """windows.malfind shows private, executable and writable memory with a PE header where the program was."""
    rows = scene.volatility.rows("windows.malware.malfind.Malfind")
    flagged = {(row["PID"], row["Start VPN"]) for row in rows}
    assert (scene.victim, scene.base) in flagged
    assert scene.injector not in {process for process, _ in flagged}


def test_ldrmodules_misses_the_program(scene: Scene) -> None:
    """windows.ldrmodules finds no mapped file behind the hollowed process's program, and one behind the injector's."""
    names: dict[int, set[str]] = {}
    for row in scene.volatility.rows("windows.malware.ldrmodules.LdrModules"):
        if row["InLoad"]:
            names.setdefault(row["Pid"], set()).add((row["MappedPath"] or "").rpartition("\\")[2])
    assert "inject.exe" in names[scene.injector]
    assert "ntdll.dll" in names[scene.victim]
    assert "victim.exe" not in names[scene.victim]
