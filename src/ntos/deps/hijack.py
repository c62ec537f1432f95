"""Places where a planted DLL would be taken before the real one, and who may write there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.deps import search
from ntos.deps.acl import Writers, on_host, writers
from ntos.deps.search import Outcome, Result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ntos.deps.graph import Edge, Graph
    from ntos.deps.walk import Analysis


@dataclass(frozen=True, slots=True)
class Opening:
    """One path; a file put there is loaded."""

    dll: str
    path: str
    rule: str
    importer: str
    kind: str
    instead_of: str
    """The file that is taken now; empty where none is."""
    writers: Writers


def openings(analysis: Analysis, graph: Graph) -> list[Opening]:
    """Every opening, each path once, in the order in which the loader comes to them."""
    found: dict[str, Opening] = {}
    for edge in graph.edges:
        for opening in _of_edge(analysis, graph, edge):
            found.setdefault(opening.path, opening)
    manifest = _manifest(analysis, graph)
    return [*found.values(), *([manifest] if manifest else [])]


def _of_edge(analysis: Analysis, graph: Graph, edge: Edge) -> Iterator[Opening]:
    decision = edge.decision
    if decision is None or decision.result in {Result.LOADED, Result.NOT_HOSTED}:
        return
    importer, kind = graph.modules[edge.importer].name, str(edge.kind)
    taken = decision.located.path if decision.located else ""
    for step in decision.steps:
        if step.outcome is Outcome.TAKEN and step.place == taken:
            return
        if step.rule == search.LOCAL and step.folder is None:
            yield from _local(analysis, edge, importer, taken)
        elif step.outcome is Outcome.NOT_THERE and step.folder is not None and step.member:
            name = step.member
            yield Opening(name, step.place, step.rule, importer, kind, taken, writers(step.folder))


def _local(analysis: Analysis, edge: Edge, importer: str, taken: str) -> Iterator[Opening]:
    """A `.local` directory could be made, unless a manifest or KnownDLLs forbid it."""
    assert edge.decision is not None
    name = edge.decision.resolved.rpartition("\\")[2]
    if analysis.searcher.has_manifest or analysis.windows.is_known_dll(name):
        return
    program = analysis.program
    path = f"{program}.local/{name}"
    yield Opening(name, path, search.LOCAL, importer, str(edge.kind), taken, on_host(program.parent))


def _manifest(analysis: Analysis, graph: Graph) -> Opening | None:
    """Where the program has no manifest, one put beside it redirects any DLL, known ones too."""
    if analysis.searcher.has_manifest or analysis.image.no_isolation or analysis.image.headers.is_dll:
        return None
    path = f"{analysis.program}.manifest"
    place = on_host(analysis.program.parent)
    return Opening("any DLL", path, search.SIDE_BY_SIDE, graph.root.name, "manifest", "", place)
