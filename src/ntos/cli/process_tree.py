"""The processes of a machine as a tree: what `ntos boot` shows of each, as text and as JSON."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from io import StringIO
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ntos.abi.layout.peb import PEB
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.etw import event as events
from ntos.ex.handle import HandleTable
from ntos.ps import protection
from ntos.se.account import Accounts
from ntos.se.token import primary_token

if TYPE_CHECKING:
    from ntos.etw.event import Event
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread
    from ntos.machine import Machine

COLUMNS = ("process", "pid", "parent", "session", "user", "protection", "threads", "handles", "private", "CPU",
           "command line")  # fmt: skip
RIGHT = frozenset(("pid", "session", "threads", "handles", "private", "CPU"))
WIDE = 1000
"""Columns of a line in a pipe: nothing is cut there."""


@dataclass(slots=True)
class Cost:
    """Host time, in seconds."""

    cpu: float = 0.0
    wall: float = 0.0

    def in_milliseconds(self) -> dict[str, float]:
        """As JSON has it."""
        return {"cpu_ms": round(1000 * self.cpu, 2), "wall_ms": round(1000 * self.wall, 2)}


@dataclass(slots=True)
class Row:
    """A process; of one that has ended only what events told."""

    id: int
    name: str
    parent: int
    command_line: str = ""
    ended: bool = False
    session: int | None = None
    user: str = ""
    protection: str = "None"
    critical: bool = False
    base_priority: int = 0
    threads: int = 0
    handles: int = 0
    private: int = 0
    """Committed bytes."""
    cost: Cost = field(default_factory=Cost)
    children: list[Row] = field(default_factory=list)


class Watch:
    """Listens from before the boot: who comes and goes, and what each costs the host."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.costs: dict[int, Cost] = {}
        """By process id; what is in none of them is the kernel's own start."""
        self.gone: dict[int, Row] = {}
        self._created: dict[int, events.ProcessCreated] = {}
        self._running = 0
        self._since = (0.0, 0.0)
        machine.log.subscribe(self._note, events.ProcessCreated, events.ProcessExited)
        machine.kernel.scheduler.on_switch = self._switched

    def _note(self, event: Event) -> None:
        if isinstance(event, events.ProcessCreated):
            self._created[event.id] = event
        elif isinstance(event, events.ProcessExited):
            made = self._created.pop(event.id)
            self.gone[event.id] = Row(event.id, event.image, made.parent, made.command_line, ended=True)

    def _switched(self, thread: Thread | None) -> None:
        cpu, wall = time.process_time(), time.perf_counter()
        if self._running:
            cost = self.costs.setdefault(self._running, Cost())
            cost.cpu += cpu - self._since[0]
            cost.wall += wall - self._since[1]
        self._running = thread.process.id if thread is not None else 0
        self._since = cpu, wall

    def rows(self) -> list[Row]:
        """All processes, and those that have ended and left children, by id."""
        living = [self._row(process) for process in self.machine.processes()]
        found = {row.id: row for row in (*self.gone.values(), *living)}
        for row in found.values():
            row.cost = self.costs.get(row.id, row.cost)
        return sorted(found.values(), key=lambda row: row.id)

    def _row(self, process: Process) -> Row:
        eprocess, token = process.eprocess, primary_token(process)
        known = self.machine.kernel.part(Accounts).lookup(token.claims.groups[0].sid)
        line = ""
        if int(eprocess.Peb):
            parameters = int(PEB(process.memory, int(eprocess.Peb)).ProcessParameters)
            line = RTL_USER_PROCESS_PARAMETERS(process.memory, parameters).CommandLine.text
        return Row(
            process.id, process.name, int(eprocess.InheritedFromUniqueProcessId), line,
            session=token.session if eprocess.ProcessInSession else None,
            user=known.name if known is not None else token.claims.groups[0].text,
            protection=protection.name(int(eprocess.Protection.Level)),
            critical=bool(eprocess.BreakOnTermination), base_priority=int(process.pcb.BasePriority),
            threads=len(process.threads), handles=process[HandleTable].count if process.has(HandleTable) else 0,
            private=int(eprocess.CommitCharge) << 12,
        )  # fmt: skip


def tree(rows: list[Row]) -> list[Row]:
    """The same rows below their parents; gives those without one. Who ended without children is left out."""
    by_id = {row.id: row for row in rows}
    for row in rows:
        row.children = []
    tops: list[Row] = []
    for row in rows:
        parent = by_id.get(row.parent)
        (parent.children if parent is not None and parent is not row else tops).append(row)
    _prune(tops)
    return tops


def _prune(level: list[Row]) -> None:
    for row in level:
        _prune(row.children)
    level[:] = [row for row in level if row.children or not row.ended]


def as_json(row: Row) -> dict[str, object]:
    """A process without its children: its `parent` says where it belongs."""
    base = {"id": row.id, "name": row.name, "parent": row.parent, "ended": row.ended,
            "command_line": row.command_line, **row.cost.in_milliseconds()}  # fmt: skip
    if row.ended:
        return base
    return base | {
        "session": row.session, "user": row.user, "protection": row.protection, "critical": row.critical,
        "base_priority": row.base_priority, "threads": row.threads, "handles": row.handles,
        "private_bytes": row.private,
    }  # fmt: skip


def show(tops: list[Row], out: TextIO) -> None:
    """Print them: a table with the tree in its first column; in a pipe nothing is cut or coloured."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for name in COLUMNS:
        table.add_column(name, justify="right" if name in RIGHT else "left", no_wrap=True,
                         overflow="ellipsis" if name == COLUMNS[-1] else "fold")  # fmt: skip
    for position, row in enumerate(tops):
        _add(table, row, "", last=position == len(tops) - 1, top=True, dead=frozenset())
    if out.isatty():
        Console(file=out, highlight=False).print(table)
        return
    plain = Console(file=StringIO(), width=WIDE)
    with plain.capture() as kept:
        plain.print(table)
    out.writelines(line.rstrip() + "\n" for line in kept.get().splitlines())


def _add(table: Table, row: Row, indent: str, *, last: bool, top: bool, dead: frozenset[int]) -> None:
    branch = "" if top else indent + ("└ " if last else "├ ")
    cpu = f"{1000 * row.cost.cpu:.1f} ms"
    parent = f"{row.parent} (ended)" if row.parent in dead else str(row.parent)
    if row.ended:
        table.add_row(f"{branch}{row.name} (ended)", str(row.id), parent, *[""] * 6, cpu, Text(row.command_line),
                      style="dim")  # fmt: skip
    else:
        session = "-" if row.session is None else str(row.session)
        level = "" if row.protection == "None" else row.protection
        private = f"{row.private >> 10} KiB"
        table.add_row(f"{branch}{row.name}", str(row.id), parent, session, row.user, level, str(row.threads),
                      str(row.handles), private, cpu, Text(row.command_line))  # fmt: skip
    below = "" if top else indent + ("  " if last else "│ ")
    gone = dead | {row.id} if row.ended else dead
    for position, child in enumerate(row.children):
        _add(table, child, below, last=position == len(row.children) - 1, top=False, dead=gone)
