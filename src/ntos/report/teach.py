"""What Windows does at each step, in a sentence: `steps.toml` beside this file."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

STAGES: Final = {
    1: "Convert and validate parameters",
    2: "Open the image, make a section",
    3: "Make the process object",
    4: "Make the first thread",
    5: "Windows subsystem: checks, and word to csrss",
    6: "Start the first thread",
    7: "The process initialises itself",
}


@cache
def steps_written_about() -> dict[str, tuple[str, str]]:
    """Component and sentence by routine."""
    text = (files("ntos.report") / "steps.toml").read_text("utf-8")
    table: dict[str, dict[str, str]] = tomllib.loads(text)
    return {routine: (component, says) for component, rows in table.items() for routine, says in rows.items()}


def component(routine: str, stage: int) -> str:
    """The module of Windows that a routine belongs to."""
    known = steps_written_about().get(routine)
    return known[0] if known is not None else "ntdll" if stage == 7 else "ntoskrnl"


def says(routine: str) -> str:
    """What Windows does there; empty where nothing is written about it."""
    return steps_written_about().get(routine, ("", ""))[1]
