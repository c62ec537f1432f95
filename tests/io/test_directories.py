"""Listing directories, patterns, renaming, watching."""

from __future__ import annotations

import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ntos import io
from ntos.abi.status import STATUS
from ntos.io.volume.listing import NAME_OFFSETS, render
from ntos.io.volume.node import Facts, Listed
from ntos.rtl.pattern import is_name_in_expression
from tests.conftest import World
from tests.io.conftest import CREATE, DIRECTORY, READ, SYNCHRONOUS, Caller

DIR = DIRECTORY | SYNCHRONOUS


def fill(caller: Caller, *files: str) -> None:
    """Create files on C:."""
    for name in files:
        caller.close(caller.open(f"C:\\{name}", disposition=CREATE))


def test_entries_come_in_order_with_dots_first(caller: Caller) -> None:
    """`.` and `..` come first below the root, then names by their upper case; the root has no dots."""
    caller.close(caller.open("C:\\d", disposition=CREATE, options=DIR))
    fill(caller, "d\\beta", "d\\Alpha", "d\\_x")
    assert caller.names(caller.open("C:\\d", options=DIR)) == [".", "..", "Alpha", "beta", "_x"]
    assert caller.names(caller.open("C:\\", options=DIR)) == ["d"]


def test_the_first_pattern_holds_for_the_scan(caller: Caller) -> None:
    """Nothing matched is NO_SUCH_FILE at first; later calls end with NO_MORE_FILES."""
    fill(caller, "a.txt", "b.TXT", "c.doc")
    assert caller.names(caller.open("C:\\", options=DIR), "*.txt") == ["a.txt", "b.TXT"]
    assert caller.names(caller.open("C:\\", options=DIR), "*.exe") == STATUS.NO_SUCH_FILE
    assert caller.names(caller.open("C:\\", options=DIR), "C.DOC") == ["c.doc"]


@pytest.mark.parametrize("room", [0x20, 0x40, 0x100])
def test_small_buffers_take_several_calls(caller: Caller, room: int) -> None:
    """However small the buffer, each name comes exactly once."""
    fill(caller, *(f"file{index}" for index in range(9)))
    assert caller.names(caller.open("C:\\", options=DIR), size=room) == [f"file{index}" for index in range(9)]


def test_a_name_too_long_for_the_buffer(caller: Caller) -> None:
    """The first entry that does not fit is cut (BUFFER_OVERFLOW); less than the structure is refused."""
    fill(caller, "n" * 40)
    root = caller.open("C:\\", options=DIR)
    assert caller.names(root, size=0x18) == STATUS.BUFFER_OVERFLOW
    assert caller.names(root, size=4) == STATUS.INFO_LENGTH_MISMATCH
    assert caller.names(caller.open("C:\\" + "n" * 40)) == STATUS.INVALID_PARAMETER


def test_single_entries_and_restart(caller: Caller) -> None:
    """ReturnSingleEntry gives one at a time, RestartScan begins anew (also through NtQueryDirectoryFileEx)."""
    fill(caller, "a", "b")
    root = caller.open("C:\\", options=DIR)

    def one(restart: int) -> str:
        assert (
            caller.do("NtQueryDirectoryFileEx", root, 0, 0, 0, caller.block, caller.buffer, 0x100, 12, 2 | restart, 0)
            == 0
        )
        return caller.thread.memory.read(caller.buffer + 12, caller.information - 12).decode("utf-16-le")

    assert [one(0), one(0), one(1), one(0)] == ["a", "b", "a", "b"]


@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_entries_hold_their_names(name: str) -> None:
    """In every class the name stands at its offset, with its length, behind the same particulars."""
    facts = Facts(0x20, 1, 2, 3, 4, 5, 6, 1, 7)
    for kind, offset in NAME_OFFSETS.items():
        entry = bytes(render(Listed(name, facts), kind))
        assert entry[offset:].decode("utf-16-le") == name
        if kind != 12:
            assert struct.unpack_from("<6qII", entry, 8) == (1, 2, 3, 4, 5, 6, 0x20, len(entry) - offset)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.sets(st.text("abAB.1", min_size=1, max_size=5).filter(lambda n: set(n) != {"."}), max_size=8),
    pattern=st.text('ab.1*?<>"', min_size=1, max_size=5),
)
def test_a_listing_is_the_matching_names(files: set[str], pattern: str) -> None:
    """What a scan gives is what of the directory fits the expression, once each."""
    world = World()
    io.install(world.kernel)
    io.mount(world.kernel, "C", io.MemoryVolume())
    caller = Caller(world)
    present: dict[str, str] = {}
    for name in sorted(files):
        if name.upper() not in present:
            present[name.upper()] = name
            fill(caller, name)
    expected = [present[key] for key in sorted(present) if is_name_in_expression(pattern, present[key])]
    got = caller.names(caller.open("C:\\", options=DIR), pattern, size=0x40)
    assert got == (expected or STATUS.NO_SUCH_FILE)
    world.platform.close()


def test_renaming(caller: Caller) -> None:
    """A file moves within its volume; open handles follow; open children hold their directory in place."""
    caller.close(caller.open("C:\\d", disposition=CREATE, options=DIR))
    fill(caller, "a", "b")
    file = caller.open("C:\\a")
    assert caller.rename(file, "C:\\b") == STATUS.OBJECT_NAME_COLLISION
    assert caller.rename(file, "C:\\d\\c") == 0
    assert caller.open("C:\\a") == STATUS.OBJECT_NAME_NOT_FOUND
    assert caller.query(file, 9)[4:].decode("utf-16-le") == "\\d\\c"
    directory = caller.open("C:\\d", options=DIR)
    assert caller.rename(directory, "C:\\e") == STATUS.ACCESS_DENIED
    caller.close(file)
    assert caller.rename(directory, "C:\\d\\inside") == STATUS.INVALID_PARAMETER
    assert caller.rename(directory, "C:\\e") == 0
    assert caller.open("C:\\e\\c") >> 30 != 3
    assert caller.rename(caller.open("C:\\b"), "C:\\none\\b") == STATUS.OBJECT_PATH_NOT_FOUND


def test_replacing(caller: Caller) -> None:
    """An open target is replaced with POSIX semantics only; a directory never."""
    fill(caller, "a", "b")
    caller.close(caller.open("C:\\d", disposition=CREATE, options=DIR))
    target, file = caller.open("C:\\b"), caller.open("C:\\a")
    caller.write(target, b"old")
    assert caller.rename(file, "C:\\d", flags=1) == STATUS.ACCESS_DENIED
    assert caller.rename(file, "C:\\b", flags=1) == STATUS.ACCESS_DENIED
    assert caller.rename(file, "C:\\b", flags=3) == 0
    assert caller.read(target, offset=0) == b"old"
    assert caller.rename(file, "C:\\B", kind=10) == 0


def test_volumes_are_worlds_of_their_own(caller: Caller) -> None:
    """A rename to another volume is refused (NOT_SAME_DEVICE): copying is the caller's business."""
    io.mount(caller.kernel, "D", io.MemoryVolume())
    fill(caller, "a")
    assert caller.rename(caller.open("C:\\a"), "D:\\a") == STATUS.NOT_SAME_DEVICE


def watch(caller: Caller, handle: int, *, tree: int = 0, kinds: int = 0x17) -> int:
    """NtNotifyChangeDirectoryFile without waiting."""
    return caller.do("NtNotifyChangeDirectoryFile", handle, 0, 0, 0, caller.block, caller.buffer, 0x400, kinds, tree)


def changes(caller: Caller) -> list[tuple[int, str]]:
    """What the notification told."""
    data, place, found = caller.thread.memory.read(caller.buffer, caller.information), 0, []
    while True:
        following, action, size = struct.unpack_from("<III", data, place)
        found.append((action, data[place + 12 : place + 12 + size].decode("utf-16-le")))
        if not following:
            return found
        place += following


def test_changes_are_told(caller: Caller) -> None:
    """A watched directory tells of files added, renamed (both names at once) and removed."""
    root = caller.open("C:\\", READ, options=DIRECTORY)
    other = caller.other()
    assert watch(caller, root) == 0x103
    file = other.open("C:\\new", disposition=CREATE)
    assert changes(caller) == [(1, "new")]
    assert watch(caller, root) == 0x103
    assert other.rename(file, "C:\\newer") == 0
    assert changes(caller) == [(4, "new"), (5, "newer")]
    assert other.set(file, 13, b"\1") == 0
    other.close(file)
    assert watch(caller, root) == 0x103
    assert changes(caller) == [(2, "newer")]


def test_a_tree_is_watched_when_asked(caller: Caller) -> None:
    """WatchTree tells of changes below with their path; without it only of those directly inside."""
    caller.close(caller.open("C:\\d", disposition=CREATE, options=DIR))
    tree = caller.open("C:\\", READ, options=DIRECTORY)
    assert watch(caller, tree, tree=1) == 0x103
    caller.other().open("C:\\d\\f", disposition=CREATE)
    assert changes(caller) == [(1, "d\\f")]
    caller.close(tree)
    flat = caller.open("C:\\", READ, options=DIRECTORY)
    assert watch(caller, flat) == 0x103
    caller.other().open("C:\\d\\g", disposition=CREATE)
    caller.close(flat)
    assert caller.world.integer(caller.thread, caller.block, 4) == STATUS.NOTIFY_CLEANUP
    assert caller.call("NtQueryEaFile", caller.open("C:\\d\\g"), caller.block, caller.buffer, 8, 0, 0, 0, 0, 0) == (
        STATUS.NO_EAS_ON_FILE
    )
