"""The dependency graph: edges and counts as true bytes, and the order they give.

An edge stands in two circular lists: its parent's Dependencies (through Link) and its child's
IncomingDependencies (through BackLink). A node's LoadCount is explicit loads plus incoming edges; all ones
means pinned.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.layout.user import LDR_DDAG_NODE
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.ldr.state import PINNED

if TYPE_CHECKING:
    from ntos.abi.memory import Memory
    from ntos.dll.ntdll.ldr.state import Loader, Module
    from ntos.um.thread import UserThread

EDGE_SIZE = 0x20
LINK, CHILD, BACK_LINK, PARENT = 0, 8, 0x10, 0x18
FORWARDER = 1
DEPENDENCIES = LDR_DDAG_NODE.offset("Dependencies")
INCOMING = LDR_DDAG_NODE.offset("IncomingDependencies")


def _ring(memory: Memory, tail_field: int, next_offset: int) -> list[int]:
    """The edges of a circular list, first to last; the head word points at the last one's link."""
    tail = guest.u64(memory, tail_field)
    found: list[int] = []
    link = guest.u64(memory, tail) if tail else 0
    while link:
        found.append(link - next_offset)
        if link == tail:
            break
        link = guest.u64(memory, link)
    return found


def _append(memory: Memory, tail_field: int, link: int) -> None:
    tail = guest.u64(memory, tail_field)
    if tail:
        guest.put64(memory, link, guest.u64(memory, tail))
        guest.put64(memory, tail, link)
    else:
        guest.put64(memory, link, link)
    guest.put64(memory, tail_field, link)


def _take(memory: Memory, tail_field: int, link: int) -> None:
    tail = guest.u64(memory, tail_field)
    following = guest.u64(memory, link)
    if following == link:
        guest.put64(memory, tail_field, 0)
        return
    before = tail
    while guest.u64(memory, before) != link:
        before = guest.u64(memory, before)
    guest.put64(memory, before, following)
    if tail == link:
        guest.put64(memory, tail_field, before)


def children(memory: Memory, node: int) -> list[int]:
    """The nodes a node depends on, in link order."""
    edges = _ring(memory, node + DEPENDENCIES, LINK)
    return [guest.u64(memory, edge + CHILD) for edge in edges]


def depends_on(memory: Memory, parent: int, child: int) -> bool:
    """Whether there is an edge already."""
    return parent == child or child in children(memory, parent)


async def add_edges(thread: UserThread, module: Module, targets: list[Module], *, forwarder: bool = False) -> None:
    """Record that a module needs others (LdrpRecordModuleDependency); counts of new children go up."""
    memory = thread.memory
    parent = module.node.address
    known = {parent, *children(memory, parent)}
    new: list[int] = []
    for target in targets:
        node = target.node.address
        if node not in known:
            known.add(node)
            new.append(node)
    if not new:
        return
    block = await guest.allocate(thread, EDGE_SIZE * len(new))
    module.blocks.append(block)
    for index, child in enumerate(new):
        edge = block + index * EDGE_SIZE
        memory.write(edge, struct.pack("<QQQQ", 0, child, 0, parent | (FORWARDER if forwarder else 0)))
        _append(memory, parent + DEPENDENCIES, edge + LINK)
        _append(memory, child + INCOMING, edge + BACK_LINK)
        count_up(LDR_DDAG_NODE(memory, child))


def count_up(node: LDR_DDAG_NODE) -> None:
    """One more reference, unless pinned."""
    count = int(node.LoadCount)
    if count != PINNED:
        node.LoadCount = count + 1


def drop_edges(memory: Memory, node: int) -> list[int]:
    """Take away every edge a node has to its children; gives the children (LdrpUnloadNode)."""
    found = []
    for edge in _ring(memory, node + DEPENDENCIES, LINK):
        child = guest.u64(memory, edge + CHILD)
        _take(memory, child + INCOMING, edge + BACK_LINK)
        found.append(child)
    guest.put64(memory, node + DEPENDENCIES, 0)
    return found


def reachable(loader: Loader, memory: Memory, root: Module) -> list[Module]:
    """A module and all it depends on, each after what it depends on: the order of init routines.

    Depth first over Dependencies in link order; a circle is broken where it closes
    (LdrpInitializeGraphRecurse).
    """
    order: list[Module] = []
    seen: set[int] = {root.node.address}
    stack: list[tuple[int, list[int]]] = [(root.node.address, children(memory, root.node.address))]
    while stack:
        node, left = stack[-1]
        if left:
            child = left.pop(0)
            if child not in seen:
                seen.add(child)
                stack.append((child, children(memory, child)))
            continue
        stack.pop()
        module = loader.by_node.get(node)
        if module is not None:
            order.append(module)
    return order


def pin(loader: Loader, memory: Memory, root: Module) -> None:
    """Pin a module and everything below it: its count never changes again."""
    for module in reachable(loader, memory, root):
        module.node.LoadCount = PINNED


def number(loader: Loader, memory: Memory, root: Module) -> None:
    """Preorder numbers and lowest links of Tarjan's algorithm (LdrpCondenseGraphRecurse)."""
    numbers: dict[int, int] = {}
    lowest: dict[int, int] = {}
    stack: list[tuple[int, list[int]]] = []

    def enter(node: int) -> None:
        numbers[node] = lowest[node] = len(numbers) + 1
        stack.append((node, children(memory, node)))

    enter(root.node.address)
    while stack:
        node, left = stack[-1]
        if left:
            child = left.pop(0)
            if child not in numbers:
                enter(child)
            else:
                lowest[node] = min(lowest[node], numbers[child])
            continue
        stack.pop()
        if stack:
            above = stack[-1][0]
            lowest[above] = min(lowest[above], lowest[node])
    for node, preorder in numbers.items():
        view = LDR_DDAG_NODE(memory, node)
        view.PreorderNumber, view.LowestLink = preorder, lowest[node]
