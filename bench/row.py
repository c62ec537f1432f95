"""What one measurement is, and how a set of them is written down."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

BAR = 10


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
    ratio: float | None = None
    """How fast or small we are beside the reference: 1 is as good, 2 twice as good."""
    note: str = ""


@dataclass(frozen=True)
class Measurement:
    """How a row comes about: the figure, and what it is held against, each measured in this same run."""

    name: str
    unit: str
    measure: Callable[[], float]
    reference: Callable[[], float]
    reference_name: str
    slow: bool = False
    """Left out of the short form."""

    def row(self, pairs: int) -> Row:
        """Measure in interleaved pairs, take medians. A figure that cannot be had is none with its reason."""
        values, references = [], []
        try:
            for _ in range(pairs):
                references.append(self.reference())
                values.append(self.measure())
        except Unmeasured as error:
            known = median(references) if references else None
            return Row(self.name, self.unit, None, known, self.reference_name, note=str(error))
        value, reference = median(values), median(references)
        if value <= 0 or reference <= 0:
            note = f"not above zero: {value:.3g} beside {reference:.3g}"
            return Row(self.name, self.unit, None, reference, self.reference_name, note=note)
        ratio = value / reference if self.unit.endswith("/s") else reference / value
        return Row(self.name, self.unit, value, reference, self.reference_name, ratio)


def machine_line() -> str:
    """The host in one line: a figure without it means nothing."""
    cpu = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        models = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        cpu = models[0].partition(":")[2].strip() if models else cpu
    python = f"{platform.python_implementation()} {platform.python_version()}"
    load = f"load {os.getloadavg()[0]:.1f}"
    return f"{cpu} · {os.cpu_count()} CPUs · {load} · {platform.system()} · {python} · unicorn {version('unicorn')}"


def markdown(rows: Sequence[Row]) -> str:
    """The rows as a table for people; a full bar is as good as the reference or better."""
    lines = [
        machine_line(),
        "",
        "| What | Unit | ntos | Reference | | Ratio | |",
        "|---|---|---:|---:|---|---:|---|",
    ]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2g}"
        full = 0 if row.ratio is None else min(BAR, round(BAR * row.ratio))
        value = row.note if row.value is None else _figure(row.value)
        held = f"{_figure(row.reference)} | {row.reference_name}"
        lines.append(f"| {row.name} | {row.unit} | {value} | {held} | {ratio} | {'█' * full}{'░' * (BAR - full)} |")
    return "\n".join(lines) + "\n"


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def as_json(rows: Sequence[Row]) -> str:
    """The rows for machines: to compare one run with the next."""
    return json.dumps({"machine": machine_line(), "rows": [asdict(row) for row in rows]}, indent=2) + "\n"
