"""Hostile arguments to the doors through which processes and threads come: a status, and nothing left behind.

Each case begins with a call that is right and spoils some of its arguments; what the spoilt call makes all the same is
ended again. The machine must then have in use what it had before.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ntos import mm, ob
from ntos.abi.layout.api import PS_CREATE_INFO
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.status import STATUS
from ntos.hal.scripted import ScriptedBackend
from ntos.ke.process import Process
from ntos.machine import Machine
from tests.guest.conftest import SAMPLES
from tests.ps.leak import end, no_leak, residue, undone
from tests.ps.test_create import Yard

SELF, SELF_THREAD = 0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFE
EVERYTHING = 0x0200_0000
IMAGE = "\\??\\D:\\brood.exe"
PAGE = 0x1000
NAME = 0x20005
FIXED = {
    "null": 0, "unmapped": 0x1000, "kernel": 0xFFFF_F780_0000_0000, "non-canonical": 0x1234_5678_9ABC_DEF0,
    "top": 0x7FFF_FFFF_FFFF, "minus": 0xFFFF_FFFF_FFFF_FFF8, "forged": 0xDEAD0, "odd": 3, "self": SELF,
    "own thread": SELF_THREAD, "kernel handle": 0xFFFF_FFFF_8000_0004, "huge": 0x7FFF_FFFF_FFFF_F000, "one": 1,
}  # fmt: skip
POINTERS = (
    "null", "unmapped", "kernel", "non-canonical", "top", "minus", "odd", "read-only", "edge", "zeros", "garbage",
)  # fmt: skip
HANDLES = (
    "null", "forged", "odd", "self", "own thread", "kernel handle", "minus", "event", "token", "section", "job",
    "closed", "ended", "dying",
)  # fmt: skip
NUMBERS = ("null", "one", "odd", "minus", "huge", "top")
ATTRIBUTES = (*range(0x20), 0x1001F, 0x20010, 0x60001, 0xFFFF)
FUZZ = settings(
    max_examples=70, deadline=None, derandomize=True,
    suppress_health_check=(HealthCheck.function_scoped_fixture, HealthCheck.too_slow),
)  # fmt: skip


class Target(Yard):
    """A creator, and the bad things it can hand over."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.garbage = bytes((index * 37 + 11) & 0xFF for index in range(0x800))
        self.edge = mm.allocate(self.process, PAGE)
        self.named = {
            "read-only": self.read_only, "event": self.handles["Event"], "token": self.handles["TokenHandle"],
            "section": self.handles["SectionHandle"], "job": self.handles["JobHandle"], "closed": self.closed,
        }  # fmt: skip
        self.named["ended"] = self._corpse(dying=False)
        self.named["dying"] = self._corpse(dying=True)

    def _corpse(self, *, dying: bool) -> int:
        """A handle to a process that has ended, or that was told to and has not yet."""
        assert self.create(self.attribute_list()) == 0
        handle = self.word(self.places)
        self.memory.write(self.places, bytes(16))
        if dying:
            assert self.status("NtTerminateProcess", handle, 0) == 0
        else:
            end(ob.by_handle(self.thread, handle, 0))
        return handle

    def value(self, word: str | int) -> int:
        """The argument a word stands for."""
        if isinstance(word, int):
            return word
        if word == "zeros":
            return self.room(0x800)
        if word == "garbage":
            return self.data(self.garbage)
        if word == "edge":
            return self.edge + PAGE - 4
        return FIXED[word] if word in FIXED else self.named[word]

    def spoilt(self, name: str, right: tuple[int, ...], wrong: dict[int, str | int]) -> int | str:
        """The call with some arguments replaced."""
        arguments = [self.value(wrong[index]) if index in wrong else value for index, value in enumerate(right)]
        return self.status(name, *arguments)


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """One creator for all: what stays behind would show in the next case, too."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    with Machine(
        memory=96 << 20, drives={"D": SAMPLES / "bin"}, stdin=nowhere, stdout=nowhere, stderr=nowhere,
        backend=ScriptedBackend(),
    ) as machine:  # fmt: skip
        yield Target(machine)
        for thread in list(machine.kernel.threads.values()):
            if thread.coroutine is not None:
                thread.coroutine.close()
    os.close(nowhere)


def _twice(target: Target, call: Callable[[], Any]) -> Any:
    """Make the call, then again while watching: the first may bring pages in that stay."""
    with undone(target):
        first = call()
    with no_leak(target):
        call()
    return first


def _attributes(target: Target, entries: list[tuple[int, int, str]], *, total: int = 0, image: str = IMAGE) -> int:
    name = image.encode("utf-16-le")
    place = target.data(name)
    rows = [(NAME, len(name), place), *((number, size, target.value(word)) for number, size, word in entries)]
    body = b"".join(struct.pack("<4Q", *row, 0) for row in rows)
    return target.data(struct.pack("<Q", total or 8 + len(body)) + body)


def _right_creation(target: Target, entries: list[tuple[int, int, str]]) -> tuple[int, ...]:
    info = PS_CREATE_INFO(target.memory, target.room(PS_CREATE_INFO.size))
    info.Size, info.InitState.InitFlags = PS_CREATE_INFO.size, 3
    return (
        target.room(8), target.room(8), EVERYTHING, EVERYTHING, 0, 0, 0, 1, 0, info.address,
        _attributes(target, entries),
    )  # fmt: skip


OUT_OF_PLACE = st.dictionaries(
    st.integers(0, 10), st.sampled_from((*POINTERS, *NUMBERS, *HANDLES)), min_size=0, max_size=3
)
ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(ATTRIBUTES),
        st.sampled_from((0, 1, 4, 7, 8, 16, 24, 0x40, 0x48, 0x4_0000, 0x7FFF_FFFF, 1 << 63)),
        st.sampled_from((*POINTERS, *HANDLES)),
    ),
    max_size=3,
)


@FUZZ
@given(wrong=OUT_OF_PLACE, entries=ENTRIES)
@example(wrong={}, entries=[(10, 1, "null")])
@example(wrong={}, entries=[(10, 8, "unmapped")])
@example(wrong={0: "one"}, entries=[])
def test_user_process(target: Target, wrong: dict[int, str | int], entries: list[tuple[int, int, str]]) -> None:
    """NtCreateUserProcess with any of its arguments and attributes spoilt."""
    status = _twice(target, lambda: target.spoilt("NtCreateUserProcess", _right_creation(target, entries), wrong))
    assert isinstance(status, int)


@FUZZ
@given(wrong=st.dictionaries(st.integers(0, 8), st.sampled_from((*POINTERS, *HANDLES)), min_size=1, max_size=3))
def test_process_by_section(target: Target, wrong: dict[int, str | int]) -> None:
    """NtCreateProcessEx, of a section or as a clone, with any of its arguments spoilt."""
    for section in (target.value("section"), 0):
        right = (target.room(8), EVERYTHING, 0, SELF, 0, section, 0, 0, 0)
        _twice(target, partial(target.spoilt, "NtCreateProcessEx", right, wrong))
        _twice(target, partial(target.spoilt, "NtCreateProcess", right[:8], wrong))


@FUZZ
@given(wrong=OUT_OF_PLACE)
def test_thread_in_a_child(target: Target, wrong: dict[int, str | int]) -> None:
    """NtCreateThreadEx into a child with any of its arguments spoilt: sizes of stacks and the list included."""

    def call() -> int | str:
        assert target.create(target.attribute_list()) == 0
        child = target.word(target.places)
        right = (target.room(8), 0x1FFFFF, 0, child, 0x1000, 0, 1, 0, 0, 0, 0)
        return target.spoilt("NtCreateThreadEx", right, wrong)

    assert isinstance(_twice(target, call), int)


@FUZZ
@given(data=st.data())
def test_process_parameters(target: Target, data: st.DataObject) -> None:
    """RTL_USER_PROCESS_PARAMETERS whose strings, lengths, flags and environment lead anywhere."""
    size = RTL_USER_PROCESS_PARAMETERS.size
    fields = ("Flags", "Length", "MaximumLength", "EnvironmentSize", "ConsoleHandle", "StandardInput")
    texts = ("ImagePathName", "CommandLine", "DllPath", "WindowTitle", "DesktopInfo", "ShellInfo", "RuntimeData")
    numbers = st.sampled_from((0, 1, 2, 3, 0xFFFE, 0xFFFF, 0xFFFF_FFFF))
    spoilt = data.draw(st.lists(st.tuples(st.sampled_from(fields), numbers), max_size=2))
    strings = data.draw(
        st.lists(st.tuples(st.sampled_from(texts), st.sampled_from((0, 1, 3, 0x208, 0xFFFE, 0xFFFF)),
                           st.sampled_from(POINTERS)), max_size=3)
    )  # fmt: skip
    environment = data.draw(st.sampled_from(POINTERS))

    def call() -> int | str:
        view = RTL_USER_PROCESS_PARAMETERS(target.memory, target.room(size))
        view.Flags, view.Length, view.MaximumLength = 1, size, size
        view.Environment = target.value(environment)
        for field, number in spoilt:
            setattr(view, field, number & ((1 << 8 * _width(field)) - 1))
        for text, length, pointer in strings:
            target_text = getattr(view, text)
            target_text.Length, target_text.MaximumLength = length, length
            target_text.Buffer = target.value(pointer)
        return target.spoilt("NtCreateUserProcess", _right_creation(target, []), {8: view.address})

    assert isinstance(_twice(target, call), int)


def test_half_characters(target: Target) -> None:
    """Texts of an odd length: a command line's last byte is no character; an image's name is OBJECT_NAME_INVALID."""

    def call() -> int | str:
        view = RTL_USER_PROCESS_PARAMETERS(target.memory, target.room(RTL_USER_PROCESS_PARAMETERS.size))
        view.Flags = 1
        view.CommandLine.Length, view.CommandLine.MaximumLength = 5, 8
        view.CommandLine.Buffer = target.data("ab c".encode("utf-16-le"))
        return target.spoilt("NtCreateUserProcess", _right_creation(target, []), {8: view.address})

    assert _twice(target, call) == 0

    def spoil() -> int | str:
        listing = target.data(struct.pack("<5Q", 0x28, NAME, 7, target.data(b"1234567"), 0))
        return target.spoilt("NtCreateUserProcess", _right_creation(target, []), {10: listing})

    assert _twice(target, spoil) == STATUS.OBJECT_NAME_INVALID


def _width(field: str) -> int:
    return 8 if field in {"EnvironmentSize", "ConsoleHandle", "StandardInput"} else 4


@pytest.mark.parametrize(("total", "status"), [
    (0, STATUS.INVALID_PARAMETER), (7, STATUS.INVALID_PARAMETER), (9, STATUS.INVALID_PARAMETER),
    (8 + 0x20 * 0x1000, STATUS.INVALID_PARAMETER), (1 << 63, STATUS.INVALID_PARAMETER), (8, STATUS.SUCCESS),
])  # fmt: skip
def test_lengths_of_attribute_lists(target: Target, total: int, status: int) -> None:
    """TotalLength that is no 8 + 0x20 n, or too large, is INVALID_PARAMETER; an empty list asks for a clone."""
    with undone(target):
        target.room(16)

    def call() -> int | str:
        right = list(_right_creation(target, []))
        right[10] = target.data(struct.pack("<Q", total) + bytes(0x40))
        return target.status("NtCreateUserProcess", *right)

    assert _twice(target, call) == status


@pytest.mark.parametrize("parent", ["ended", "dying"])
def test_dead_and_dying_parents(target: Target, parent: str) -> None:
    """A parent that has ended, or has been told to, has no more children: PROCESS_IS_TERMINATING by each door."""
    handle = target.value(parent)
    place = target.room(8)
    creation = _twice(target, lambda: target.spoilt(
        "NtCreateUserProcess", _right_creation(target, [(0x60000, 8, parent)]), {}))  # fmt: skip
    assert creation == STATUS.PROCESS_IS_TERMINATING
    clone = _twice(target, lambda: target.status("NtCreateProcessEx", place, EVERYTHING, 0, handle, 0, 0, 0, 0, 0))
    assert clone == STATUS.PROCESS_IS_TERMINATING
    thread = (place, 0x1FFFFF, 0, handle, 0x1000, 0, 1, 0, 0, 0, 0)
    assert _twice(target, lambda: target.status("NtCreateThreadEx", *thread)) == STATUS.PROCESS_IS_TERMINATING


def test_frames_run_out_in_every_step(target: Target) -> None:
    """With memory for only part of a creation it fails cleanly, wherever that is; with enough it works again."""
    physical, manager = target.machine.platform.physical, mm.manager(target.kernel)
    listing = target.attribute_list()
    _twice(target, lambda: target.create(listing))
    whole = manager.commit_limit
    statuses = set()
    try:
        for room in range(1, 40, 2):
            manager.commit_limit = manager.committed + room
            statuses.add(_twice(target, lambda: target.create(listing)))
    finally:
        manager.commit_limit = whole
    assert STATUS.COMMITMENT_LIMIT in statuses
    before = residue(target)
    hoard = []
    for left in (30, 12, 5, 2, 1):
        while physical.available > left:
            hoard.append(physical.allocate())
        with undone(target):
            statuses.add(target.create(listing))
    for frame in hoard:
        physical.release(frame)
    assert all(status >= 0xC000_0000 or status == 0 for status in statuses)
    assert STATUS.NO_MEMORY in statuses or STATUS.COMMITMENT_LIMIT in statuses
    assert _twice(target, lambda: target.create(listing)) == 0
    assert residue(target).processes == before.processes


def test_a_full_job_ends_the_child_unborn(target: Target) -> None:
    """A fork bomb in a job with an active process limit stops at the limit: QUOTA_EXCEEDED, and nothing is left."""
    job = target._made("NtCreateJobObject", 0x1F003F, 0)
    limits = target.data(struct.pack("<QQIIQQIIQII", 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, 0))
    assert target.status("NtSetInformationJobObject", job, 2, limits, 0x40) == 0
    listing = target.attribute_list((0x20013, 8, target.data(struct.pack("<Q", job))))
    made: list[Process] = []
    with undone(target):
        for _ in range(3):
            assert target.create(listing) == 0
            made.append(target.child)
        with no_leak(target):
            assert target.create(listing) == STATUS.QUOTA_EXCEEDED
    assert all(process.eprocess.ProcessDelete for process in made)
    assert target.status("NtClose", job) == 0
