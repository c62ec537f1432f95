"""Code brought into another process, recognised by the events it is made of.

The facts come first: memory allocated, mapped, written or unmapped in another process, threads begun and calls queued
in it, registers set. A conclusion is drawn where one of the last three leads into what the same process put there, or
to LoadLibrary. What CreateProcess, debuggers and csrss do in other processes ends at ntdll's or the program's own code,
and so is never taken for one. Names of techniques: MITRE ATT&CK T1055 and its sub-techniques.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ntos.etw import event as events

if TYPE_CHECKING:
    from ntos.etw.event import Event
    from ntos.etw.log import Log

REMOTE_THREAD, LOAD_LIBRARY = "remote-thread", "remote-thread-load-library"
APC, APC_LOAD_LIBRARY, EARLY_BIRD = "apc", "apc-load-library", "early-bird-apc"
HIJACK, HOLLOWING = "thread-hijack", "process-hollowing"
MANUAL_MAPPING, SECTION_MAPPING = "manual-mapping", "section-mapping"
LOADERS = ("LoadLibrary", "LdrLoadDll")
HEADER = b"MZ"
MOST_EVIDENCE = 64
"""Events kept about one process's work on another."""


class Look(Protocol):
    """What can be asked about a process at the moment of an event."""

    def kind(self, process: int, address: int) -> str:
        """`private`, `mapped`, `image`, or nothing."""

    def function(self, process: int, address: int) -> str:
        """The export that begins there."""

    def read(self, process: int, address: int, size: int) -> bytes:
        """Bytes, or none."""

    def begun(self, process: int) -> bool:
        """Whether its loader has been at work."""


class Ledger:
    """What one process did to another."""

    def __init__(self) -> None:
        self.facts: list[Event] = []
        self.told: set[str] = set()

    def note(self, fact: Event) -> None:
        """Keep a fact; the oldest go."""
        self.facts.append(fact)
        del self.facts[:-MOST_EVIDENCE]

    def brought(self, address: int) -> str:
        """How what lies at an address was put there: `allocate`, `map`, `write`, or not at all."""
        for fact in reversed(self.facts):
            match fact:
                case events.MemoryProtected(kind="allocate" | "map") | events.MemoryWritten():
                    if fact.address <= address < fact.address + fact.size:
                        return fact.kind if isinstance(fact, events.MemoryProtected) else "write"
        return ""

    @property
    def unmapped_program(self) -> bool:
        """Whether the program's image was taken away."""
        return any(isinstance(fact, events.MemoryUnmapped) and fact.program for fact in self.facts)


class InjectionWatch:
    """Listens for the facts and tells the conclusion, as an event of its own."""

    def __init__(self, log: Log, look: Look) -> None:
        self._log = log
        self._look = look
        self._ledgers: dict[tuple[int, int], Ledger] = {}
        log.subscribe(
            self._fact, events.MemoryProtected, events.MemoryWritten, events.MemoryUnmapped, events.ThreadCreated,
            events.ApcQueued, events.ContextSet,
        )  # fmt: skip
        log.subscribe(self._ended, events.ProcessExited)

    def _ended(self, event: Event) -> None:
        assert isinstance(event, events.ProcessExited)
        for pair in [pair for pair in self._ledgers if event.id in pair]:
            del self._ledgers[pair]

    def _fact(self, event: Event) -> None:
        match event:
            case events.ThreadCreated():
                if event.remote:
                    self._note(event, event.owner, self._of_thread)
            case events.ApcQueued():
                self._note(event, event.target, self._of_apc)
            case events.ContextSet():
                self._note(event, event.target, self._of_context)
            case events.MemoryProtected() | events.MemoryWritten() | events.MemoryUnmapped():
                if event.target != event.process:
                    self._note(event, event.target, None)

    def _note(self, event: Event, target: int, conclude: Any) -> None:
        ledger = self._ledgers.setdefault((event.process, target), Ledger())
        ledger.note(event)
        technique = conclude(event, ledger) if conclude is not None else ""
        if technique and technique not in ledger.told:
            ledger.told.add(technique)
            evidence = [_plain(fact) for fact in ledger.facts]
            self._log.emit(
                events.Injection(technique=technique, source=event.process, target=target, evidence=evidence)
            )

    # ------------------------------------------------------------ conclusions

    def _loads(self, target: int, source: int, address: int) -> bool:
        """Whether LoadLibrary stands there; it may not be mapped yet, but it is where the source has it."""
        where = target if self._look.kind(target, address) else source
        return self._look.function(where, address).startswith(LOADERS)

    def _of_thread(self, event: events.ThreadCreated, ledger: Ledger) -> str:
        if self._loads(event.owner, event.process, event.start):
            return LOAD_LIBRARY
        kind = self._look.kind(event.owner, event.start)
        if kind == "image" or not ledger.brought(event.start):
            return ""
        if kind == "mapped":
            return SECTION_MAPPING
        return MANUAL_MAPPING if self._image_written(event.owner, ledger) else REMOTE_THREAD

    def _image_written(self, process: int, ledger: Ledger) -> bool:
        """Whether private memory was filled with something that begins as an image does."""
        return any(
            isinstance(fact, events.MemoryWritten)
            and self._look.kind(process, fact.address) == "private"
            and self._look.read(process, fact.address, len(HEADER)) == HEADER
            for fact in ledger.facts
        )

    def _of_apc(self, event: events.ApcQueued, ledger: Ledger) -> str:
        loads = self._loads(event.target, event.process, event.routine)
        foreign = self._look.kind(event.target, event.routine) != "image" and ledger.brought(event.routine)
        if not loads and not foreign:
            return ""
        if not self._look.begun(event.target):
            return EARLY_BIRD
        return APC_LOAD_LIBRARY if loads else APC

    def _of_context(self, event: events.ContextSet, ledger: Ledger) -> str:
        if not self._look.begun(event.target) and self._look.kind(event.target, event.start) != "image":
            if ledger.unmapped_program or self._image_written(event.target, ledger):
                return HOLLOWING
            return HIJACK if ledger.brought(event.start) else ""
        foreign = self._look.kind(event.target, event.address) != "image"
        return HIJACK if foreign and ledger.brought(event.address) else ""


def _plain(event: Event) -> dict[str, Any]:
    """An event as evidence: its kind, its moment, and its fields that say something."""
    told: dict[str, Any] = {"event": type(event).__struct_config__.tag, "time": event.time}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if name not in ("time", "process", "thread") and value:
            told[name] = value
    return told
