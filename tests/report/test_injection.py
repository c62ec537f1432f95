"""Injection techniques are recognised in the event stream as what they are, and ordinary work is not."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from ntos.etw.event import ApcQueued, ContextSet, Event, Injection, MemoryProtected, MemoryUnmapped, ThreadCreated
from ntos.etw.log import Log
from ntos.machine import Machine
from ntos.report.injection import InjectionWatch
from tests.guest.conftest import SAMPLES

TECHNIQUES = {
    "classic": "remote-thread-load-library", "apc": "apc-load-library", "early": "early-bird-apc",
    "hijack": "thread-hijack", "section": "section-mapping", "manual": "manual-mapping", "hollow": "process-hollowing",
}  # fmt: skip
DECISIVE = {
    "classic": "thread-create", "apc": "apc-queue", "early": "apc-queue", "hijack": "context-set",
    "section": "thread-create", "manual": "thread-create", "hollow": "context-set",
}  # fmt: skip
SOURCE, TARGET = 100, 200
CODE = 0x5000


def injections(program: str, arguments: Sequence[str] = ()) -> list[Injection]:
    """What is recognised while a sample runs."""
    found: list[Event] = []
    with Path(os.devnull).open("r+b") as nothing:
        null = nothing.fileno()
        with Machine(drives={"D": SAMPLES / "bin"}, stdin=null, stdout=null, stderr=null) as machine:
            machine.watch_injections()
            machine.log.subscribe(found.append, Injection)
            machine.create_process(f"D:\\{program}.exe", arguments)
            assert machine.run(timeout=100) == "finished"
    return [event for event in found if isinstance(event, Injection)]


@pytest.mark.parametrize("way", TECHNIQUES)
def test_a_technique_is_recognised(way: str) -> None:
    """Each way into another process is told once, as what it is, with the events it is made of."""
    told = injections("inject", [way])
    assert [event.technique for event in told] == [TECHNIQUES[way]]
    assert told[0].source != told[0].target
    assert told[0].evidence[-1]["event"] == DECISIVE[way]
    assert {each["event"] for each in told[0].evidence} & {"memory-write", "memory-protect"}


@pytest.mark.parametrize(("program", "arguments"), [("parent", ["3"]), ("debugger", []), ("create_startup", [])])
def test_ordinary_work_on_other_processes_is_none(program: str, arguments: list[str]) -> None:
    """CreateProcess writes into the child and csrss into its clients, debuggers change memory: no injection."""
    assert injections(program, arguments) == []


class Scripted:
    """A look at processes that are not there."""

    def __init__(self, *, begun: bool = True, function: str = "", kind: str = "private") -> None:
        self._begun, self._function, self._kind = begun, function, kind

    def kind(self, process: int, address: int) -> str:
        """What a test says lies there."""
        return self._kind

    def function(self, process: int, address: int) -> str:
        """What a test says stands there."""
        return self._function

    def read(self, process: int, address: int, size: int) -> bytes:
        """Nothing."""
        return bytes(size)

    def begun(self, process: int) -> bool:
        """As a test says."""
        return self._begun


def concluded(look: Scripted, *facts: Event) -> list[str]:
    """What a watch concludes of some facts."""
    log, found = Log(), list[Event]()
    log.where = lambda: (1, SOURCE, 1)
    InjectionWatch(log, look)
    log.subscribe(found.append, Injection)
    for fact in facts:
        log.emit(fact)
    return [event.technique for event in found if isinstance(event, Injection)]


ALLOCATED = MemoryProtected(target=TARGET, address=CODE, size=0x1000, protection=0x40, kind="allocate")


def test_a_thread_in_memory_the_source_did_not_bring() -> None:
    """A remote thread in code the process made itself, or in an image, is nobody's injection."""
    began = ThreadCreated(id=4, owner=TARGET, start=CODE, remote=True)
    assert concluded(Scripted(), began) == []
    assert concluded(Scripted(), ALLOCATED, began) == ["remote-thread"]
    assert concluded(Scripted(kind="image", function="DbgUiRemoteBreakin"), began) == []


def test_queued_code() -> None:
    """An APC into memory the source allocated is one; before the loader ran it is the early bird."""
    queued = ApcQueued(id=4, target=TARGET, routine=CODE)
    assert concluded(Scripted(), queued) == []
    assert concluded(Scripted(), ALLOCATED, queued) == ["apc"]
    assert concluded(Scripted(begun=False), ALLOCATED, queued) == ["early-bird-apc"]


def test_a_new_processes_start_routine() -> None:
    """A start routine outside images is hollowing once the program was unmapped, else a hijacked thread."""
    started = ContextSet(id=4, target=TARGET, address=1, start=CODE)
    unmapped = MemoryUnmapped(target=TARGET, address=CODE, program=True)
    assert concluded(Scripted(begun=False), unmapped, started) == ["process-hollowing"]
    assert concluded(Scripted(begun=False), ALLOCATED, started) == ["thread-hijack"]
    assert concluded(Scripted(begun=False, kind="image"), unmapped, started) == []
