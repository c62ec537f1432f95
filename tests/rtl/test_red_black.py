"""Red-black trees as bytes: order, balance and links after any sequence of insertions and removals."""

from __future__ import annotations

import random

import pytest

from ntos.rtl.red_black import LEFT, MINIMUM, RIGHT, RedBlackTree

NODE = 0x18


class Bytes:
    """Memory that nodes lie in."""

    def __init__(self) -> None:
        self.data = bytearray(0x4000)

    def read(self, address: int, size: int) -> bytes:
        """Bytes at an address."""
        return bytes(self.data[address : address + size])

    def write(self, address: int, data: bytes) -> None:
        """Change them."""
        self.data[address : address + len(data)] = data

    def word(self, address: int) -> int:
        """A pointer."""
        return int.from_bytes(self.read(address, 8), "little")


def _add(tree: RedBlackTree, node: int) -> None:
    """Nodes are ordered by their addresses."""
    parent, here, right = 0, tree.root, False
    while here:
        parent, right = here, node > here
        here = tree.child(here, right=right)
    tree.insert(parent, node, right=right)


def _check(memory: Bytes, tree: RedBlackTree, node: int, parent: int) -> tuple[int, list[int]]:
    """Black height and nodes in order of a subtree whose rules all hold."""
    if not node:
        return 1, []
    assert tree.parent(node) == parent
    assert not (tree.is_red(node) and tree.is_red(parent))
    left_height, left = _check(memory, tree, memory.word(node + LEFT), node)
    right_height, right = _check(memory, tree, memory.word(node + RIGHT), node)
    assert left_height == right_height
    return left_height + (not tree.is_red(node)), [*left, node, *right]


@pytest.mark.parametrize("seed", range(12))
def test_order_and_balance_hold_after_each_change(seed: int) -> None:
    """No red node below a red one, equally many black ones on all paths, Min is the smallest node."""
    chance = random.Random(seed)
    memory = Bytes()
    tree = RedBlackTree(memory, 0x10)
    inside: list[int] = []
    free = [0x40 + NODE * 2 * index for index in range(120)]
    chance.shuffle(free)
    for _ in range(400):
        if free and (not inside or chance.random() < 0.55):
            node = free.pop()
            _add(tree, node)
            inside.append(node)
        else:
            node = inside.pop(chance.randrange(len(inside)))
            tree.remove(node)
            free.append(node)
        assert not tree.is_red(tree.root)
        _, order = _check(memory, tree, tree.root, 0)
        assert order == sorted(inside)
        assert memory.word(0x10 + MINIMUM) == (order[0] if order else 0)
