"""One DLL's decision, told: every rule, every place, the result, and the smallest change that would alter it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ntos.deps import search
from ntos.deps.search import Decision, Outcome, Result, Step

if TYPE_CHECKING:
    from ntos.deps.graph import Graph
    from ntos.deps.walk import Analysis


@dataclass(frozen=True, slots=True)
class Chain:
    """One decision with its result in words."""

    decision: Decision
    kind: str
    result: str
    change: str


def why(analysis: Analysis, graph: Graph, dll: str) -> list[Chain]:
    """Every decision about the DLL; where nobody imports it, that of `LoadLibrary` by the program after start."""
    wanted = {dll.lower(), search.with_extension(dll).lower()}
    chains = []
    for edge in graph.edges:
        if edge.decision is None:
            continue
        names = {edge.name.lower(), edge.decision.resolved.lower()}
        if edge.target is not None:
            names.add(graph.modules[edge.target].name.lower())
        if names & wanted:
            chains.append(tell(analysis, graph, edge.decision, str(edge.kind)))
    if not chains:
        decision = analysis.searcher.search(dll, "")
        chains.append(tell(analysis, graph, decision, "nobody imports it; as LoadLibrary after start"))
    return chains


def tell(analysis: Analysis, graph: Graph, decision: Decision, kind: str) -> Chain:
    """The chain of one decision."""
    located = decision.located
    if located is None:
        result = f"not found: {decision.result}"
    elif decision.result is Result.LOADED:
        module = next((each for each in graph.modules if each.path == located.path), None)
        result = f"{located.path}, loaded before" + (f" by rule: {module.rule}" if module else "")
    else:
        result = f"{located.path} by rule: {decision.rule}"
    bad = next((each.status for each in graph.modules if located and each.path == located.path and each.status), "")
    return Chain(decision, kind, result + (f", which fails: {bad}" if bad else ""), _change(analysis, decision))


def _change(analysis: Analysis, decision: Decision) -> str:
    name = decision.resolved.rpartition("\\")[2]
    located = decision.located
    earlier = next((step for step in decision.steps if _is_open(step)), None)
    if decision.result is Result.NOT_HOSTED:
        return "an edition of Windows whose API-set schema hosts the contract"
    if located is None:
        refused = next((step for step in decision.steps if step.outcome is Outcome.REFUSED), None)
        if refused is not None:
            return f"put the file at {refused.place}, or take it out of the manifest"
        return f"put {name} into {earlier.folder.shown}" if earlier and earlier.folder else "give it a place to be in"
    if decision.result is Result.LOADED:
        return "none here: the decision that loaded it first would have to change"
    if any(step.rule == search.API_SET and step.outcome is Outcome.RENAMED for step in decision.steps):
        return "none outside Windows: the schema names the host, and the host comes from System32"
    if decision.rule == search.KNOWN:
        return f"a side-by-side manifest that names {name}, or {name} in Session Manager\\ExcludeFromKnownDlls"
    if decision.rule == search.SIDE_BY_SIDE:
        return "another manifest: side-by-side comes before every directory"
    if earlier is not None and earlier.folder is not None:
        return f"put {name} into {earlier.folder.shown}: that one would be taken"
    return f"take {located.path} away: {_without(analysis, decision, located.path)}"


def _is_open(step: Step) -> bool:
    """Whether a file put there would have been taken."""
    return step.outcome is Outcome.NOT_THERE and step.folder is not None and step.rule != search.SIDE_BY_SIDE


def _without(analysis: Analysis, decision: Decision, path: str) -> str:
    """What would be taken if the file at `path` were not there."""
    searcher = replace(analysis.searcher, ignored=frozenset((path,)), loaded=lambda _: None)
    again = searcher.search(decision.name, decision.importer, flags=decision.flags)
    if again.located is None:
        return f"nothing else is found ({again.result})"
    return f"{again.located.path} would be taken ({again.rule})"
