"""``make bench``: measure, print the table, keep it in build/bench.md and build/bench.json."""

from __future__ import annotations

import sys

from bench.guest import ROOT
from bench.row import as_json, markdown
from bench.rows import MEASUREMENTS


def main(words: list[str]) -> None:
    """Measure the rows whose name holds one of the words; all of them when there are none."""
    rows = []
    for measurement in MEASUREMENTS:
        if not words or any(word in measurement.name for word in words):
            print(f"measuring {measurement.name} …", file=sys.stderr)
            rows.append(measurement.row())
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    (build / "bench.json").write_text(as_json(rows), encoding="utf-8")
    (build / "bench.md").write_text(markdown(rows), encoding="utf-8")
    print(markdown(rows), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
