"""What came out: modules, edges with the functions they carry, and what is missing."""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ntos.abi import exports as known_exports
from ntos.abi.status import NtError
from ntos.deps.image import Image
from ntos.deps.search import Decision, Result


class Kind(enum.StrEnum):
    """How one module comes to need another."""

    STATIC = "static"
    DELAY = "delay"
    FORWARDER = "forwarder"
    BOUND = "bound"


class State(enum.StrEnum):
    """Whether a function is there; `unknown` where the module's exports are not known."""

    FOUND = "found"
    MISSING = "missing"
    UNKNOWN = "unknown"


class Symbol(NamedTuple):
    """An export looked up."""

    state: State
    forwarder: str | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """One imported function, by name or by ordinal."""

    name: str | None
    ordinal: int | None
    state: State
    forwarded: tuple[str, ...] = ()
    """Each `module.function` on the way, where the export is a forwarder."""

    def __str__(self) -> str:
        return self.name if self.name is not None else f"#{self.ordinal}"


@dataclass(slots=True)
class Module:
    """One module of the process as it would be."""

    index: int
    name: str
    path: str
    rule: str
    depth: int
    machine: int
    host: Path | None = None
    image: Image | None = None
    delayed: bool = False
    """Whether only a delay load brings it in."""
    in_windows: bool = False
    status: str = ""
    """Why it cannot be loaded, with the status's name; empty where it can."""
    note: str = ""

    @property
    def dependent_load_flags(self) -> int:
        """The load configuration's DependentLoadFlags."""
        return self.image.dependent_load_flags if self.image else 0

    @property
    def exports_known(self) -> bool:
        """Whether a missing function would be noticed."""
        return self.image is not None or bool(known_exports.export_names(self.name))

    def lookup(self, wanted: str | int, hint: int, *, exact: bool) -> Symbol:
        """The export of that name or ordinal; `exact`: the built-in lists are those of this machine type."""
        if self.image is not None:
            return _in_image(self.image, wanted, hint)
        if isinstance(wanted, int):
            row = _ordinals(self.name).get(wanted)
            return row if row is not None else Symbol(State.UNKNOWN)
        names = _names(self.name)
        known = names.get(wanted)
        if known is not None:
            return known
        return Symbol(State.MISSING if names and exact else State.UNKNOWN)


@cache
def _names(dll: str) -> dict[str, Symbol]:
    return {row.name: Symbol(State.FOUND, row.forwarder) for row in known_exports.export_names(dll)}


@cache
def _ordinals(dll: str) -> dict[int, Symbol]:
    rows = known_exports.export_names(dll)
    return {row.ordinal: Symbol(State.FOUND, row.forwarder) for row in rows if row.ordinal}


def _in_image(image: Image, wanted: str | int, hint: int) -> Symbol:
    table = image.exports
    if table is None:
        return Symbol(State.MISSING)
    try:
        found = table.find(wanted, hint) if isinstance(wanted, str) else table.by_ordinal(wanted)
    except (NtError, struct.error, OSError, ValueError):
        return Symbol(State.UNKNOWN)
    return Symbol(State.FOUND, found.forwarder) if found is not None else Symbol(State.MISSING)


@dataclass(slots=True)
class Edge:
    """One need: who, of whom, how, and how it was decided."""

    kind: Kind
    importer: int
    name: str
    decision: Decision | None = None
    target: int | None = None
    functions: list[Function] = field(default_factory=list)
    note: str = ""
    delayed: bool = False
    """Whether it matters only after a delay load."""


class Missing(NamedTuple):
    """Something that is not there."""

    what: str
    """`dll`, `function`, `image` or `assembly`."""
    importer: str
    dll: str
    function: str
    kind: str
    status: str
    counts: bool
    """Whether it makes the exit code 1."""

    def __str__(self) -> str:
        if self.what == "function":
            return f"{self.dll}!{self.function}, needed by {self.importer} ({self.kind}): {self.status}"
        if self.what == "assembly":
            return f"assembly {self.dll}, needed by {self.importer}: {self.status}"
        return f"{self.dll}, needed by {self.importer} ({self.kind}): {self.status}"


@dataclass(slots=True)
class Graph:
    """Everything about one program."""

    program: Path
    machine: int
    modules: list[Module] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    assemblies: list[str] = field(default_factory=list)
    """Assemblies that the program's manifest needs and that are nowhere."""
    problems: list[str] = field(default_factory=list)

    @property
    def root(self) -> Module:
        """The program."""
        return self.modules[0]

    def out(self, module: Module) -> Iterator[Edge]:
        """The edges that leave a module."""
        return (edge for edge in self.edges if edge.importer == module.index)

    def outgoing(self) -> dict[int, list[Edge]]:
        """All edges by importer."""
        found: dict[int, list[Edge]] = {}
        for edge in self.edges:
            found.setdefault(edge.importer, []).append(edge)
        return found

    def missing(self) -> list[Missing]:
        """Everything that is not there, in the order in which the loader would come to it."""
        found = [
            Missing("assembly", self.root.name, each, "", "manifest", "STATUS_SXS_CANT_GEN_ACTCTX", counts=True)
            for each in self.assemblies
        ]
        for edge in self.edges:
            found += self._missing_of(edge)
        return found

    def _missing_of(self, edge: Edge) -> Iterator[Missing]:
        importer = self.modules[edge.importer].name
        if edge.decision is None:
            return
        kind = f"{edge.kind}, after a delay load" if edge.delayed and edge.kind is not Kind.DELAY else str(edge.kind)
        result = edge.decision.result
        if edge.target is None:
            counts = not (edge.delayed and result is Result.NOT_HOSTED)
            yield Missing("dll", importer, edge.name, "", kind, result.value, counts)
            return
        target = self.modules[edge.target]
        if target.status:
            yield Missing("image", importer, target.path, "", kind, target.status, counts=True)
            return
        for function in edge.functions:
            if function.state is State.MISSING:
                by_name = function.name is not None
                status = "STATUS_ENTRYPOINT_NOT_FOUND" if by_name else "STATUS_ORDINAL_NOT_FOUND"
                yield Missing("function", importer, target.name, str(function), kind, status, counts=True)

    @property
    def complete(self) -> bool:
        """Whether nothing that counts is missing."""
        return not any(each.counts for each in self.missing())
