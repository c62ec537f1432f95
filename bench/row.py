"""What one measurement is, and how a set of them is written down."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path


class Unmeasured(Exception):
    """This row could not be measured on this machine today; the message says why."""


@dataclass(frozen=True)
class Row:
    """One figure, with the figure of the bare engine or the bare host beside it."""

    name: str
    unit: str
    value: float | None
    reference: float | None = None
    reference_name: str = ""
    note: str = ""


@dataclass(frozen=True)
class Measurement:
    """How a row comes about: the figure, and what it is held against, each measured in this same run."""

    name: str
    unit: str
    measure: Callable[[], float]
    reference: Callable[[], float] | None = None
    reference_name: str = ""

    def row(self) -> Row:
        """Measure. A figure that cannot be had is an empty one with its reason, never a guess."""
        reference = self.reference() if self.reference else None
        value, note = None, ""
        try:
            value = self.measure()
        except Unmeasured as error:
            note = str(error)
        return Row(self.name, self.unit, value, reference, self.reference_name, note)


def machine_line() -> str:
    """The host in one line: a figure without it means nothing."""
    cpu = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        models = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        cpu = models[0].partition(":")[2].strip() if models else cpu
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{cpu} · {os.cpu_count()} CPUs · {platform.system()} · {python} · unicorn {version('unicorn')}"


def markdown(rows: Sequence[Row]) -> str:
    """The rows as a table for people."""
    lines = [
        machine_line(),
        "",
        "| What | Unit | ntos | Reference | | Ratio |",
        "|---|---|---:|---:|---|---:|",
    ]
    for row in rows:
        ratio = f"{row.value / row.reference:.2g}" if row.value and row.reference else ""
        value = row.note if row.value is None else _figure(row.value)
        held = f"{_figure(row.reference)} | {row.reference_name}"
        lines.append(f"| {row.name} | {row.unit} | {value} | {held} | {ratio} |")
    return "\n".join(lines) + "\n"


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def as_json(rows: Sequence[Row]) -> str:
    """The rows for machines: to compare one run with the next."""
    return json.dumps({"machine": machine_line(), "rows": [asdict(row) for row in rows]}, indent=2) + "\n"
