"""The walk over a program's needs, in the loader's order: map breadth first, then snap, then what is delayed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ntos.abi.pe.exports import split_forwarder
from ntos.abi.pe.headers import Subsystem
from ntos.abi.status import NtError, status_name
from ntos.deps import builtin, search
from ntos.deps.graph import Edge, Function, Graph, Kind, Module, State
from ntos.deps.image import Image
from ntos.deps.search import Decision, Result, Searcher, Settings
from ntos.deps.sxs import Binder, Context
from ntos.deps.windows import WIDTH_32, Files, Located, Windows, machine_name

if TYPE_CHECKING:
    from pathlib import Path

    from ntos.abi.pe.directories import ImportedFunction

CHAIN_LIMIT: Final = 32
MODULE_LIMIT: Final = 20_000
PRELOADED: Final = ("ntdll.dll", "kernel32.dll", "kernelbase.dll")


@dataclass
class Analysis:
    """One program's walk; `graph()` makes it. `searcher` afterwards answers "what if" questions."""

    program: Path
    image: Image
    files: Files
    windows: Windows
    settings: Settings
    searcher: Searcher = field(init=False)
    binder: Binder = field(init=False)
    _graph: Graph = field(init=False)
    _by_name: dict[str, Module] = field(default_factory=dict)
    _by_path: dict[str, Module] = field(default_factory=dict)
    _contexts: dict[int, Context | None] = field(default_factory=dict)
    _forwards: dict[tuple[int, str], Edge] = field(default_factory=dict)
    _delayed: bool = False

    def __post_init__(self) -> None:
        machine = self.image.headers.machine
        self.binder = Binder(self.files, self.windows, self.program.parent, machine)
        context = self.binder.of_program(self.image)
        self.searcher = Searcher(
            self.files, self.windows, self.program, machine, self.settings, context,
            has_manifest=bool(context.source), loaded=self._loaded,
        )  # fmt: skip
        self._graph = Graph(self.program, machine, assemblies=list(context.missing))
        if context.problem and context.source:
            self._graph.problems.append(f"{context.source}: {context.problem}")

    def graph(self) -> Graph:
        """Walk."""
        root = self._add(self.program.name, Located(str(self.program), self.program), "the program", 0)
        if self.image.headers.subsystem != Subsystem.NATIVE:
            for name in PRELOADED:
                decision = self.searcher.search(name, "", flags=search.SYSTEM32)
                if decision.located is not None and decision.result is Result.FOUND:
                    self._add(name, decision.located, decision.rule, 1)
        done = self._map_and_snap(0)
        self._delayed = True
        done = self._delay_loads(root, done)
        for module in self._graph.modules[1:]:
            if not module.in_windows:
                done = self._delay_loads(module, done)
        self._bound()
        self._graph.problems += [
            f"{module.path}: {problem}"
            for module in self._graph.modules
            if module.image
            for problem in module.image.problems
        ]
        return self._graph

    # ------------------------------------------------------------------------------------------ modules

    def _loaded(self, name: str) -> Located | None:
        module = self._by_path.get(name) or self._by_name.get(name.lower())
        return Located(module.path, module.host) if module is not None else None

    def _add(self, name: str, located: Located, rule: str, depth: int) -> Module:
        """A module of the file that was found; where it is no image for this program, its status says so."""
        index = len(self._graph.modules)
        name = located.path.rpartition("/" if located.host else "\\")[2] or name
        module = Module(index, name, located.path, rule, depth, self._graph.machine, located.host)
        module.delayed, module.note = self._delayed, located.note
        module.in_windows = located.path.startswith((builtin.ROOT + "\\", self.windows.root + "/"))
        if located.host is not None:
            self._read(module, located.host)
        self._graph.modules.append(module)
        if not module.status:
            self._by_name.setdefault(name.lower(), module)
        self._by_path[module.path] = module
        return module

    def _read(self, module: Module, path: Path) -> None:
        image = self.image if path == self.program else self.files.image(path)
        if isinstance(image, Image):
            module.image, module.machine = image, image.headers.machine
            if module.machine != self._graph.machine:
                wants, has = machine_name(self._graph.machine), machine_name(module.machine)
                module.status = f"STATUS_INVALID_IMAGE_FORMAT ({has} image in an {wants} process)"
        elif isinstance(image, NtError):
            module.status = status_name(image.status)
        else:
            module.status = f"STATUS_ACCESS_DENIED ({image.strerror})"

    def _context(self, module: Module) -> Context | None:
        if module.index not in self._contexts:
            own = None
            if module.index and module.image is not None:
                own = self.binder.of_dll(module.image)
            self._contexts[module.index] = own
        return self._contexts[module.index]

    def _need(self, module: Module, name: str, kind: Kind, depth: int, *, flags: int) -> Edge:
        """Decide one name and enter the edge."""
        context = self._context(module)
        decision = self.searcher.search(name, module.name if module.index else "", flags=flags, context=context)
        if not module.index:
            decision.importer = module.name
        edge = Edge(kind, module.index, name, decision, delayed=self._delayed)
        if decision.located is not None and len(self._graph.modules) < MODULE_LIMIT:
            known = self._by_path.get(decision.located.path)
            target = known or self._add(name, decision.located, decision.rule, depth)
            edge.target = target.index
        self._graph.edges.append(edge)
        return edge

    # ------------------------------------------------------------------------------------------ phases

    def _map_and_snap(self, first: int) -> int:
        """Map what the modules from `first` on need, then snap them; gives the number of modules done."""
        modules = self._graph.modules
        while first < len(modules):
            edges: list[tuple[Edge, tuple[ImportedFunction, ...]]] = []
            index = first
            while index < len(modules):  # grows while it is walked
                edges += self._map(modules[index])
                index += 1
            first = index
            for edge, functions in edges:
                self._snap(edge, functions)
        return first

    def _map(self, module: Module) -> list[tuple[Edge, tuple[ImportedFunction, ...]]]:
        if module.status:
            return []
        if module.image is None:
            names = builtin.IMPORTS.get(module.name.lower(), ())
            return [(self._need(module, name, Kind.STATIC, module.depth + 1, flags=0), ()) for name in names]
        flags = module.dependent_load_flags
        return [
            (self._need(module, row.name, Kind.STATIC, module.depth + 1, flags=flags), row.functions)
            for row in module.image.imports
        ]

    def _delay_loads(self, module: Module, done: int) -> int:
        if module.image is None or module.status:
            return done
        for row in module.image.delay:
            edge = self._need(module, row.name, Kind.DELAY, module.depth + 1, flags=0)
            done = self._map_and_snap(done)
            self._snap(edge, row.functions)
            done = self._map_and_snap(done)
        return done

    def _bound(self) -> None:
        for module in list(self._graph.modules):
            for row in module.image.bound if module.image else ():
                target = self._by_name.get(row.name.lower())
                edge = Edge(Kind.BOUND, module.index, row.name, target=target.index if target else None)
                stamp = target.image.headers.time_date_stamp if target and target.image else None
                fits = "unknown" if stamp is None else "fits" if stamp == row.time_date_stamp else "stale"
                edge.note = f"stamp 0x{row.time_date_stamp:08X}: {fits}; Windows 10 snaps anew all the same"
                self._graph.edges.append(edge)

    # ------------------------------------------------------------------------------------------ functions

    def _snap(self, edge: Edge, functions: tuple[ImportedFunction, ...]) -> None:
        target = self._graph.modules[edge.target] if edge.target is not None else None
        for row in functions:
            wanted: str | int = row.name if row.name is not None else int(row.ordinal or 0)
            if target is None or target.status:
                edge.functions.append(Function(row.name, row.ordinal, State.UNKNOWN))
                continue
            trail: list[str] = []
            state = self._resolve(target, wanted, row.hint, trail)
            edge.functions.append(Function(row.name, row.ordinal, state, tuple(trail)))

    def _resolve(self, module: Module, wanted: str | int, hint: int, trail: list[str]) -> State:
        """Follow forwarders to the function (LdrpResolveProcedureAddress)."""
        exact = self._graph.machine not in WIDTH_32
        for _ in range(CHAIN_LIMIT):
            state, forwarder = module.lookup(wanted, hint, exact=exact)
            if state is not State.FOUND or forwarder is None:
                return state
            trail.append(forwarder)
            try:
                name, wanted = split_forwarder(forwarder)
            except NtError:
                return State.MISSING
            edge = self._forward(module, name)
            if edge.target is None or self._graph.modules[edge.target].status:
                return State.MISSING
            module = self._graph.modules[edge.target]
            step = Function(wanted, None, State.FOUND) if isinstance(wanted, str) else Function(
                None, wanted, State.FOUND
            )  # fmt: skip
            if step not in edge.functions:
                edge.functions.append(step)
            hint = 0
        return State.MISSING

    def _forward(self, module: Module, name: str) -> Edge:
        """The edge of a forwarder: its module is named without extension, and dots are part of the name."""
        key = (module.index, name.lower())
        edge = self._forwards.get(key)
        if edge is None:
            flags = module.dependent_load_flags
            edge = self._need(module, name + ".dll", Kind.FORWARDER, module.depth + 1, flags=flags)
            self._forwards[key] = edge
        return edge


def decide(analysis: Analysis, name: str) -> Decision:
    """How LoadLibrary of a name nothing imports would be decided after start."""
    return analysis.searcher.search(name, "")
