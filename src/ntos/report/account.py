"""The account of a process creation: typed, and as JSON the schema that docs/explain.md describes."""

from __future__ import annotations

from typing import Any

import msgspec

SCHEMA = "ntos-explain/1"
"""Changes when a field changes its meaning or goes; new fields do not change it."""


class Process(msgspec.Struct):
    """A process by id and name; id 0 is the machine itself, outside any process."""

    id: int = 0
    name: str = ""


class Change(msgspec.Struct):
    """A field of a structure before and after a step. Numbers are numbers, texts what they point to."""

    name: str
    offset: int
    type: str
    before: int | str
    after: int | str
    meaning: str = ""
    """Names of the bits that changed, or of the value."""


class Structure(msgspec.Struct):
    """What a step did to one structure."""

    name: str
    address: int
    owner: int
    """Process in whose address space it lies; 0 in the kernel's."""
    is_new: bool
    changes: list[Change]


class Decision(msgspec.Struct):
    """A rule, what it looked at, what came of it, and what would have turned it."""

    rule: str
    outcome: str
    inputs: dict[str, Any]
    flip: str = ""


class Made(msgspec.Struct):
    """Something that came into being: an object, a handle, a view, a stack."""

    kind: str
    name: str
    value: int
    owner: int = 0
    size: int = 0
    access: int = 0


class Step(msgspec.Struct):
    """One routine of Windows at work. Times: virtual in 100 ns since boot, host in microseconds."""

    routine: str
    component: str
    """The module of Windows that does it."""
    mode: str
    """`user` or `kernel`."""
    process: Process
    """In whose context it ran."""
    thread: int
    says: str
    """What Windows does there."""
    time: int
    duration: int = 0
    host_microseconds: float = 0.0
    details: dict[str, Any] = {}
    decisions: list[Decision] = []
    made: list[Made] = []
    structures: list[Structure] = []


class Stage(msgspec.Struct):
    """One of the seven stages; it comes twice where creation began again with another program."""

    number: int
    title: str
    steps: list[Step]


class Refusal(msgspec.Struct):
    """Why there is no process, or why it ended before its entry point."""

    rule: str
    inputs: dict[str, Any]
    flip: str
    stage: int
    routine: str
    status: int = 0
    status_name: str = ""
    error: int = 0
    error_name: str = ""


class Module(msgspec.Struct):
    """An image the loader mapped, in order, with the rule that found it and who needed it."""

    name: str
    path: str
    base: int
    size: int
    rule: str
    importer: str = ""
    initialized: int = 0
    """Place in the order of init routines, from 1; 0 where none ran."""
    late: bool = False
    """Loaded by the program itself after its start."""


class Account(msgspec.Struct):
    """Everything about one creation."""

    program: str
    command_line: str
    creator: Process
    process: Process
    created: bool = False
    """The creating call gave a process."""
    entered: bool = False
    """Its first thread came to the program's entry point."""
    stages: list[Stage] = []
    modules: list[Module] = []
    refusal: Refusal | None = None
    virtual_time: int = 0
    host_microseconds: float = 0.0
    exit_status: int | None = None
    children: list[Account] = []


class Document(msgspec.Struct):
    """What `--json` prints."""

    schema: str
    version: str
    seed: int
    account: Account
    reason: str = ""
    """Why the machine stopped."""


def encode(document: Document) -> bytes:
    """The document as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(document, enc_hook=str), indent=1) + b"\n"
