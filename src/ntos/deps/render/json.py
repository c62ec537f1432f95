"""The stable JSON form; docs/deps.md describes it. A changed meaning gets a new `schema` number."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from ntos.deps.windows import machine_name

if TYPE_CHECKING:
    from ntos.deps.graph import Edge, Graph, Module
    from ntos.deps.hijack import Opening
    from ntos.deps.search import Decision
    from ntos.deps.why import Chain

SCHEMA: Final = 1


def document(programs: list[dict[str, object]]) -> str:
    """The whole output for one call."""
    return json.dumps({"schema": SCHEMA, "programs": programs}, indent=1, ensure_ascii=False) + "\n"


def program(
    graph: Graph, *, depth: int | None = None, chains: list[Chain] | None = None, rows: list[Opening] | None = None
) -> dict[str, object]:
    """One program."""
    kept = {each.index for each in graph.modules if depth is None or each.depth <= depth}
    found: dict[str, object] = {
        "program": str(graph.program),
        "machine": machine_name(graph.machine),
        "complete": graph.complete,
        "modules": [_module(each) for each in graph.modules if each.index in kept],
        "edges": [
            _edge(each)
            for each in graph.edges
            if each.importer in kept and (each.target is None or each.target in kept)
        ],
        "missing": [each._asdict() for each in graph.missing()],
        "problems": graph.problems,
    }
    if chains is not None:
        found["why"] = [
            {"kind": each.kind, "result": each.result, "change": each.change, "decision": decision(each.decision)}
            for each in chains
        ]
    if rows is not None:
        found["hijack"] = [_opening(each) for each in rows]
    return found


def _module(module: Module) -> dict[str, object]:
    return {
        "index": module.index,
        "name": module.name,
        "path": module.path,
        "rule": module.rule,
        "depth": module.depth,
        "machine": machine_name(module.machine),
        "built_in": module.host is None,
        "exports_known": module.exports_known,
        "delayed": module.delayed,
        "status": module.status,
        "note": module.note,
    }


def _edge(edge: Edge) -> dict[str, object]:
    return {
        "kind": edge.kind,
        "importer": edge.importer,
        "target": edge.target,
        "name": edge.name,
        "delayed": edge.delayed,
        "note": edge.note,
        "functions": [
            {"name": each.name, "ordinal": each.ordinal, "state": each.state, "forwarded": each.forwarded}
            for each in edge.functions
        ],
        "decision": decision(edge.decision) if edge.decision else None,
    }


def decision(made: Decision) -> dict[str, object]:
    """A search with its steps."""
    return {
        "name": made.name,
        "importer": made.importer,
        "flags": made.flags,
        "resolved": made.resolved,
        "result": made.result,
        "rule": made.rule,
        "path": made.located.path if made.located else None,
        "steps": [
            {"rule": each.rule, "place": each.place, "outcome": each.outcome, "detail": each.detail}
            for each in made.steps
        ],
    }


def _opening(row: Opening) -> dict[str, object]:
    return {
        "dll": row.dll,
        "path": row.path,
        "rule": row.rule,
        "importer": row.importer,
        "kind": row.kind,
        "instead_of": row.instead_of,
        "writers": row.writers.who,
        "anyone": row.writers.wide,
        "source": row.writers.source,
    }
