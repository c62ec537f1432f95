"""The VAD tree in bytes, and the model of an address space that it must agree with."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ntos import mm
from ntos.abi.mm import (
    MEM_COMMIT,
    MEM_FREE,
    MEM_RESERVE,
    PAGE_EXECUTE_READWRITE,
    PAGE_NOACCESS,
    PAGE_READONLY,
    PAGE_READWRITE,
)
from ntos.abi.status import GuestFault, NtError
from ntos.abi.types import ULONGLONG
from ntos.ex.pool import PagedAndNonpagedPool
from ntos.hal.platform import Platform
from ntos.mm import virtual
from ntos.mm.tree import LEFT, PARENT, RIGHT, AvlTree

PAGES = 48
BASE = 0x4000_0000


def height(tree: AvlTree, node: int, parent: int) -> int:
    """The height below `node`, with every link and balance checked on the way."""
    if not node:
        return 0
    value = ULONGLONG.load(tree.memory, node + PARENT)
    assert value & ~3 == parent
    left = height(tree, ULONGLONG.load(tree.memory, node + LEFT), node)
    right = height(tree, ULONGLONG.load(tree.memory, node + RIGHT), node)
    assert {0: 0, 1: 1, -1: 3}[right - left] == value & 3
    return max(left, right) + 1


def test_the_tree_is_balanced_and_in_order_after_any_changes() -> None:
    """After each of two thousand insertions and removals the AVL invariants hold and the order is right."""
    platform = Platform(8 << 20, 1)
    pool = PagedAndNonpagedPool(platform)
    tree = AvlTree(platform.kernel_memory, pool.allocate(16, b"Root"))
    nodes = {pool.allocate(0x20, b"VadS"): key for key in range(300)}
    by_key = {key: address for address, key in nodes.items()}
    present: list[int] = []
    chance = random.Random(7)
    for _ in range(2000):
        key = chance.randrange(300)
        if key in present:
            tree.remove(by_key[key])
            present.remove(key)
        else:
            below = max((other for other in present if other < key), default=None)
            above = min((other for other in present if other > key), default=None)
            tree.insert(
                by_key[key],
                0 if below is None else by_key[below],
                0 if above is None else by_key[above],
            )
            present.append(key)
        height(tree, tree.top, 0)
        assert [nodes[address] for address in tree.in_order()] == sorted(present)
    platform.close()


def test_nodes_are_as_readers_expect_them(memory: Any) -> None:
    """Tag twelve bytes below the node, page numbers, protection, private and commit flags."""
    base = mm.allocate(memory.process, 0x5000)
    node = memory.vad_bytes(base)
    assert memory.kernel.memory.read(node.address - 12, 4) == b"VadS"
    assert int(node.StartingVpn) | int(node.StartingVpnHigh) << 32 == base >> 12
    assert int(node.EndingVpn) | int(node.EndingVpnHigh) << 32 == (base >> 12) + 4
    flags = node.u.VadFlags
    assert (int(flags.Protection), int(flags.PrivateMemory), int(flags.VadType)) == (4, 1, 0)
    assert (int(node.u1.VadFlags1.MemCommit), int(node.u1.VadFlags1.CommitCharge)) == (1, 5)
    assert int(memory.process.eprocess.VadRoot.Root) == node.address


class Model:
    """A simple account of forty-eight pages: per page its range and protection (None: reserved)."""

    def __init__(self) -> None:
        self.range: list[int | None] = [None] * PAGES
        self.protection: list[int | None] = [None] * PAGES
        self.content = [0] * PAGES
        self.made = 0

    def whole(self, first: int, end: int) -> bool:
        return self.range[first] is not None and len(set(self.range[first:end])) == 1


step = st.tuples(
    st.sampled_from(["reserve", "allocate", "commit", "protect", "decommit", "release", "write"]),
    st.integers(0, PAGES - 1),
    st.integers(1, 12),
    st.sampled_from([PAGE_READWRITE, PAGE_READONLY, PAGE_EXECUTE_READWRITE, PAGE_NOACCESS]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(step, max_size=40))
def test_any_sequence_agrees_with_the_model(memory: Any, steps: list[tuple[str, int, int, int]]) -> None:
    """Whatever is allocated, protected, written and freed: each page is what the simple account says."""
    process = memory.new_process()
    space = mm.space_of(process)
    model = Model()
    for kind, first, count, protection in steps:
        end = min(first + count, PAGES)
        address, size = BASE + first * 0x1000, (end - first) * 0x1000
        try:
            apply(process, kind, address, size, protection)
            done = True
        except (NtError, GuestFault):
            done = False
        assert done == expect(model, kind, first, end, protection), (kind, first, end)
    compare(process, model)
    walk = [vad.address for vad in space.vads.vads]
    assert list(space.vads.tree.in_order()) == walk
    height(space.vads.tree, space.vads.tree.top, 0)
    committed = sum(value is not None for value in model.protection)
    assert int(process.eprocess.CommitCharge) == committed == sum(vad.charge for vad in space.vads.vads)
    mm.release_tables(process)


def apply(process: Any, kind: str, address: int, size: int, protection: int) -> None:
    space = mm.space_of(process)
    if kind in {"reserve", "allocate"}:
        base = mm.allocate(process, size, address=address, kind="reserve", protection=protection)
        if kind == "allocate":
            mm.free(process, base)
            mm.allocate(process, size, address=address, protection=protection)
    elif kind == "commit":
        mm.commit(process, address, size, protection)
    elif kind == "protect":
        mm.protect(process, address, size, protection)
    elif kind == "decommit":
        virtual.decommit(space, address, size)
    elif kind == "release":
        virtual.release(space, address, size)
    else:
        process.memory.write(address, bytes([(address >> 12) % 251 + 1]))


def expect(model: Model, kind: str, first: int, end: int, protection: int) -> bool:
    """Whether the step succeeds, and what it does to the account."""
    pages = range(first, end)
    if kind in {"reserve", "allocate"}:
        if any(model.range[page] is not None for page in pages):
            return False
        model.made += 1
        for page in pages:
            model.range[page] = model.made
            model.protection[page] = protection if kind == "allocate" else None
            model.content[page] = 0
        return True
    if kind == "write":
        if model.protection[first] not in {PAGE_READWRITE, PAGE_EXECUTE_READWRITE}:
            return False
        model.content[first] = ((BASE >> 12) + first) % 251 + 1
        return True
    if not model.whole(first, end):
        return False
    if kind == "protect" and any(model.protection[page] is None for page in pages):
        return False
    split(model, kind, first, end)
    for page in pages:
        if kind in {"commit", "protect"}:
            model.protection[page] = protection
        else:
            model.protection[page] = None
            model.content[page] = 0
    return True


def split(model: Model, kind: str, first: int, end: int) -> None:
    if kind == "release":
        old = model.range[first]
        model.made += 1
        for page in range(end, PAGES):
            if model.range[page] == old:
                model.range[page] = model.made
        for page in range(first, end):
            model.range[page] = None


def compare(process: Any, model: Model) -> None:
    space = mm.space_of(process)
    for page in range(PAGES):
        region = mm.query(space, BASE + page * 0x1000)
        run = 1
        while page + run < PAGES and (
            (model.range[page + run], model.protection[page + run])
            == (model.range[page], model.protection[page])
        ):
            run += 1
        if model.range[page] is None:
            assert region.state == MEM_FREE
            continue
        protection = model.protection[page]
        assert region.state == (MEM_RESERVE if protection is None else MEM_COMMIT)
        assert region.protect == (protection or 0)
        assert region.size == run * 0x1000
        assert region.allocation_base == BASE + model.range.index(model.range[page]) * 0x1000
        if protection not in {None, PAGE_NOACCESS}:
            assert process.memory.read(BASE + page * 0x1000, 1)[0] == model.content[page]
