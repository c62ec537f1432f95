"""``make bench``: measure, print the table, keep it in build/bench.md and build/bench.json.

``python -m bench.run [--short] [WORD…]``: the rows whose name holds one of the words; --short takes one pair each
and leaves the long rows out.
"""

from __future__ import annotations

import sys

from bench.guest import ROOT
from bench.row import as_json, markdown
from bench.rows import MEASUREMENTS

PAIRS = 5


def main(words: list[str]) -> None:
    """Measure and tell."""
    short = "--short" in words
    wanted = [word for word in words if not word.startswith("--")]
    rows = []
    for measurement in MEASUREMENTS:
        named = any(word in measurement.name for word in wanted)
        if named or not (wanted or (short and measurement.slow)):
            print(f"measuring {measurement.name} …", file=sys.stderr)
            rows.append(measurement.row(1 if short else PAIRS))
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    (build / "bench.json").write_text(as_json(rows), encoding="utf-8")
    (build / "bench.md").write_text(markdown(rows), encoding="utf-8")
    print(markdown(rows), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
