"""The tree for a terminal, and the plain lines of `--missing`, `--why` and `--hijack`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TextIO

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from ntos.deps.graph import Edge, Graph, Kind, State
from ntos.deps.windows import machine_name

if TYPE_CHECKING:
    from ntos.deps.hijack import Opening
    from ntos.deps.why import Chain

SHOWN_MISSING: Final = 20
_STYLES: Final = {"missing": "bold red", "again": "dim", "delay": "yellow", "": ""}


@dataclass(slots=True)
class Node:
    """One line of the tree and what hangs below it."""

    label: str
    style: str = ""
    children: list[Node] = field(default_factory=list)


def tree(graph: Graph, depth: int | None = None) -> Node:
    """Each module's needs once, where it is first reached (breadth first, so at its least depth)."""
    outgoing = graph.outgoing()
    root = Node(f"{graph.root.name} ({machine_name(graph.machine)})")
    waiting = deque([(0, root, 0)])
    expanded: set[int] = set()
    while waiting:
        index, node, level = waiting.popleft()
        expanded.add(index)
        if depth is not None and level >= depth:
            continue
        for edge in outgoing.get(index, ()):
            if edge.kind is Kind.BOUND:
                continue
            child = Node(*_label(graph, edge))
            node.children.append(child)
            child.children += [Node(f"{row}: missing", "missing") for row in _missing_functions(edge)]
            target = edge.target
            if target is not None and outgoing.get(target):
                if target in expanded:
                    child.label += " (above)"
                    child.style = child.style or "again"
                else:
                    expanded.add(target)
                    waiting.append((target, child, level + 1))
    return root


def _missing_functions(edge: Edge) -> list[str]:
    names = [str(each) for each in edge.functions if each.state is State.MISSING]
    more = len(names) - SHOWN_MISSING
    return names[:SHOWN_MISSING] + ([f"and {more} more"] if more > 0 else [])


def _label(graph: Graph, edge: Edge) -> tuple[str, str]:
    kind = "" if edge.kind is Kind.STATIC else f"[{edge.kind}] "
    if edge.target is None:
        result = edge.decision.result if edge.decision else ""
        return f"{kind}{edge.name}: MISSING ({result})", "missing"
    target = graph.modules[edge.target]
    via = f"{edge.name} -> " if edge.name.lower() != target.name.lower() else ""
    place = f"{target.path}, {target.rule}" + (f", {target.note}" if target.note else "")
    if target.status:
        return f"{kind}{via}{target.name}  {place}: {target.status}", "missing"
    unknown = "" if target.exports_known else "  exports unknown"
    return f"{kind}{via}{target.name}  {place}{unknown}", "delay" if edge.kind is Kind.DELAY else ""


def lines(node: Node, prefix: str = "") -> Iterator[str]:
    """The tree without colours."""
    if not prefix:
        yield node.label
    waiting = [(child, prefix, position == len(node.children) - 1) for position, child in enumerate(node.children)]
    waiting.reverse()
    while waiting:
        current, before, last = waiting.pop()
        yield f"{before}{'└── ' if last else '├── '}{current.label}"
        below = before + ("    " if last else "│   ")
        rows = [(child, below, each == len(current.children) - 1) for each, child in enumerate(current.children)]
        waiting += reversed(rows)


def show_tree(node: Node, out: TextIO) -> None:
    """Print it: coloured on a terminal, plain lines elsewhere."""
    if not out.isatty():
        out.writelines(line + "\n" for line in lines(node))
        return
    top = Tree(Text(node.label, style="bold"))
    waiting = [(node, top)]
    while waiting:
        current, branch = waiting.pop()
        waiting += [(child, branch.add(Text(child.label, style=_STYLES[child.style]))) for child in current.children]
    Console(file=out, soft_wrap=True).print(top)


def summary(graph: Graph) -> list[str]:
    """The lines under the tree."""
    missing = graph.missing()
    found = [f"{len(graph.modules)} modules, {len(graph.edges)} edges, {len(missing)} missing"]
    found += [f"problem: {each}" for each in graph.problems]
    return found


def missing_lines(graph: Graph) -> list[str]:
    """One line a missing thing."""
    return [str(each) if each.counts else f"{each} (optional)" for each in graph.missing()]


def why_lines(chain: Chain) -> list[str]:
    """The chain of one decision."""
    decision = chain.decision
    by = f", imported by {decision.importer}" if decision.importer else ""
    found = [f"{decision.name}{by} ({chain.kind})"]
    if decision.flags:
        found.append(f"  DependentLoadFlags of the importer: 0x{decision.flags:X}")
    width = len(str(len(decision.steps)))
    for number, step in enumerate(decision.steps, 1):
        detail = f" ({step.detail})" if step.detail else ""
        found.append(f"  {number:{width}}. {step.rule}: {step.place}: {step.outcome}{detail}")
    return [*found, f"  result: {chain.result}", f"  smallest change: {chain.change}"]


def hijack_lines(rows: list[Opening]) -> list[str]:
    """Three lines an opening."""
    found = []
    for row in rows:
        instead = f"instead of {row.instead_of}" if row.instead_of else "where nothing is found now"
        if row.kind == "manifest":
            instead = "by a manifest that redirects it"
        mark = "! " if row.writers.wide else "  "
        found += [
            f"{mark}{row.path}",
            f"    {row.dll} for {row.importer} ({row.kind}), {row.rule}, {instead}",
            f"    writable by {row.writers}",
        ]
    return found
