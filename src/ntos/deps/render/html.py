"""A page that stands alone: the tree to fold, what is missing, every module with its decision."""

from __future__ import annotations

from html import escape
from string import Template
from typing import TYPE_CHECKING, Final

from ntos.deps.render.text import Node, missing_lines, tree
from ntos.deps.windows import machine_name

if TYPE_CHECKING:
    from ntos.deps.graph import Edge, Graph
    from ntos.deps.hijack import Opening

_PAGE: Final = Template("""\
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>$title</title><style>
body { font: 14px/1.45 system-ui, sans-serif; margin: 2em; max-width: 75em; color: #222; background: #fff }
h1 { font-size: 1.4em } h2 { font-size: 1.15em; margin-top: 2em }
ul { list-style: none; padding-left: 1.3em; margin: 0 } summary { cursor: pointer }
.missing { color: #b00020; font-weight: 600 } .again { color: #777 } .delay { color: #8a6100 }
table { border-collapse: collapse } td, th { text-align: left; vertical-align: top; padding: .2em .8em .2em 0 }
code, td { overflow-wrap: anywhere } tr + tr td { border-top: 1px solid #ddd }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #161616 } .missing { color: #ff7a85 }
 .again { color: #999 } .delay { color: #e3b341 } tr + tr td { border-color: #444 } }
</style></head><body>
$body
</body></html>
""")


def page(title: str, sections: list[str]) -> str:
    """The page around one section a program."""
    return _PAGE.substitute(title=escape(title), body="\n".join(sections))


def section(graph: Graph, depth: int | None = None, rows: list[Opening] | None = None) -> str:
    """One program."""
    missing = missing_lines(graph)
    listed = "".join(f'<li class="missing">{escape(each)}</li>' for each in missing) or "<li>nothing</li>"
    problems = "".join(f"<li>{escape(each)}</li>" for each in graph.problems)
    parts = [
        f"<h1>{escape(graph.root.name)} ({machine_name(graph.machine)})</h1>",
        f"<p><code>{escape(str(graph.program))}</code>",
        f"{len(graph.modules)} modules, {len(graph.edges)} edges</p>",
        f"<h2>Missing</h2><ul>{listed}</ul>",
        f"<h2>Problems</h2><ul>{problems}</ul>" if problems else "",
        f"<h2>Tree</h2><ul>{_node(tree(graph, depth))}</ul>",
        "<h2>Decisions</h2>",
        *(_decision(graph, edge) for edge in graph.edges if edge.decision is not None),
    ]
    if rows is not None:
        cells = "".join(
            f"<tr><td>{escape(row.path)}</td><td>{escape(row.rule)}</td><td>{escape(row.instead_of)}</td>"
            f"<td{' class=missing' if row.writers.wide else ''}>{escape(str(row.writers))}</td></tr>"
            for row in rows
        )
        heads = "<tr><th>planted file</th><th>rule</th><th>instead of</th><th>writable by</th></tr>"
        parts.append(f"<h2>Places for a planted DLL</h2><table>{heads}{cells}</table>")
    return "\n".join(filter(None, parts))


def _node(node: Node, level: int = 0) -> str:
    label = f'<span class="{node.style}">{escape(node.label)}</span>'
    if not node.children or level > 200:
        return f"<li>{label}</li>"
    inner = "".join(_node(child, level + 1) for child in node.children)
    opened = " open" if level < 2 else ""
    return f"<li><details{opened}><summary>{label}</summary><ul>{inner}</ul></details></li>"


def _decision(graph: Graph, edge: Edge) -> str:
    assert edge.decision is not None
    importer = graph.modules[edge.importer].name
    steps = "".join(
        f"<tr><td>{escape(each.rule)}</td><td><code>{escape(each.place)}</code></td>"
        f"<td>{escape(each.outcome)}</td><td>{escape(each.detail)}</td></tr>"
        for each in edge.decision.steps
    )
    functions = ", ".join(
        f'<span class="missing">{escape(str(each))}</span>' if each.state == "missing" else escape(str(each))
        for each in edge.functions
    )
    found = edge.decision.located.path if edge.decision.located else str(edge.decision.result)
    title = f"{edge.name}, needed by {importer} ({edge.kind}): {found}"
    style = ' class="missing"' if edge.target is None else ""
    return (
        f"<details><summary{style}>{escape(title)}</summary><table>{steps}</table><p>{functions}</p></details>"
    )
