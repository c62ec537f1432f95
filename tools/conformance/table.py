"""The table of docs/conformance.md: written between two marks, and read back by the test that guards it."""

from __future__ import annotations

from pathlib import Path

from tools.conformance.score import Score

PAGE = Path(__file__).resolve().parents[2] / "docs" / "conformance.md"
BEGIN, END = "<!-- table: python -m tools.conformance -->", "<!-- end of table -->"
HEAD = """\
| unit | executed | passed | failed | skipped | to its end | Wine: executed | passed | todo | failed | skipped |
|---|---:|---:|---:|---:|---|---:|---:|---:|---:|---:|
"""


def row(unit: str, ours: Score, wine: Score | None) -> str:
    """One line."""
    cells = [f"`{unit}`", ours.executed, ours.passed, ours.failed, ours.skipped, "yes" if ours.finished else "**no**"]
    cells += ["-"] * 5 if wine is None else [wine.executed, wine.passed, wine.todo, wine.failed, wine.skipped]
    return "| " + " | ".join(map(str, cells)) + " |\n"


def write(rows: list[str], foot: str) -> None:
    """Put a new table in the place of the old."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    table = HEAD + "".join(rows)
    PAGE.write_text(f"{before}{BEGIN}\n{table}\n{foot}\n{END}{after}", encoding="utf-8")


def recorded() -> dict[str, tuple[int, int, bool]]:
    """By unit: how many checks passed, how many failed, and whether it ran to its end."""
    table = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    found = {}
    for line in table.splitlines():
        cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
        if ":" in cells[0] and not cells[0].startswith("-"):
            found[cells[0]] = (int(cells[2]), int(cells[3]), cells[5] == "yes")
    return found
