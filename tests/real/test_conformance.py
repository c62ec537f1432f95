"""Wine's conformance tests on ntos: what docs/conformance.md records does not fall.

They are built by `python -m tools.conformance` into the user's cache; without them these tests are skipped.
"""

from __future__ import annotations

import pytest

from tools.conformance import build, score, table

IN_LOOPS = 0.99
"""What may be missing: some checks stand in loops over processes, threads, modules or handles."""
pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.mark.parametrize("unit", score.UNITS, ids=str)
def test_as_many_checks_pass_as_are_recorded(unit: score.Unit) -> None:
    """A unit runs to its end, if it did; no more checks fail, no fewer hold (but in loops)."""
    if not build.program(unit.program).exists():
        pytest.skip("not built: python -m tools.conformance")
    passed, failed, finished = table.recorded()[str(unit)]
    ours, output = score.on_ntos(unit)
    assert ours.finished or not finished, output[-2000:]
    said = "\n".join(line for line in output.splitlines() if "Test failed" in line)
    assert ours.failed <= failed, said
    assert ours.passed >= passed * IN_LOOPS, said


def test_summaries_are_added_up() -> None:
    """Each process of a unit prints a summary; failures are the lines that say so; the last line ends a whole run."""
    output = (
        "0010:om: 3 tests executed (0 marked as todo, 0 as flaky, 0 failures), 0 skipped.\n"
        "om.c:7: Test failed: one\nom.c:8: 12: Test failed: two\n"
        "0008:om: 5 tests executed (1 marked as todo, 0 as flaky, 2 failures), 1 skipped.\n"
    )
    assert score.parse(output, "om") == score.Score(8, 2, 1, 1, finished=True)
    assert score.parse(output, "om").passed == 5
    assert not score.parse(output + "0008:om: unhandled exception c0000005 at 1234\n", "om").finished
