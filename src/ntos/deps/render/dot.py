"""The graph in Graphviz's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ntos.deps.graph import Kind, State

if TYPE_CHECKING:
    from ntos.deps.graph import Graph

_STYLES: Final = {Kind.DELAY: "dashed", Kind.FORWARDER: "dotted", Kind.BOUND: "invis"}


def dot(graph: Graph, depth: int | None = None) -> str:
    """One digraph; missing modules are red boxes."""
    kept = {each.index for each in graph.modules if depth is None or each.depth <= depth}
    rows = [f"digraph {_quoted(graph.root.name)} {{", "  rankdir=LR; node [shape=box];"]
    used = {edge.importer for edge in graph.edges} | {edge.target for edge in graph.edges} | {0}
    for module in graph.modules:
        if module.index in kept & used:
            colour = ", color=red" if module.status else ", style=filled, fillcolor=grey90" if module.in_windows else ""
            rows.append(f"  m{module.index} [label={_quoted(module.name)}, tooltip={_quoted(module.path)}{colour}];")
    absent: dict[str, str] = {}
    for edge in graph.edges:
        if edge.importer not in kept or edge.kind is Kind.BOUND:
            continue
        if edge.target is None:
            target = absent.setdefault(edge.name.lower(), f"x{len(absent)}")
            rows.append(f"  {target} [label={_quoted(edge.name)}, color=red, fontcolor=red];")
        elif edge.target in kept:
            target = f"m{edge.target}"
        else:
            continue
        missing = sum(each.state is State.MISSING for each in edge.functions)
        label = f"{len(edge.functions)}" + (f", {missing} missing" if missing else "")
        colour = ", color=red" if missing or edge.target is None else ""
        style = _STYLES.get(edge.kind, "solid")
        rows.append(f"  m{edge.importer} -> {target} [style={style}, label={_quoted(label)}{colour}];")
    return "\n".join([*rows, "}"]) + "\n"


def _quoted(text: str) -> str:
    clean = "".join(each if each.isprintable() else "?" for each in text)
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'
