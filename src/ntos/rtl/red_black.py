"""Red-black trees of RTL_BALANCED_NODEs, as bytes wherever they lie (RtlRbInsertNodeEx, RtlRbRemoveNode).

A tree is an RTL_RB_TREE: its root and its smallest node. A node is left child, right child and parent; the parent's
lowest bit says that the node is red. Who inserts has found the place: the tree knows no keys.
"""

from __future__ import annotations

from typing import Protocol

LEFT, RIGHT, PARENT = 0, 8, 16
ROOT, MINIMUM = 0, 8
RED = 1


class Words(Protocol):
    """Memory that nodes lie in."""

    def read(self, address: int, size: int) -> bytes:
        """Bytes at an address."""

    def write(self, address: int, data: bytes) -> None:
        """Change them."""


class RedBlackTree:
    """The RTL_RB_TREE at `address`."""

    def __init__(self, memory: Words, address: int) -> None:
        self._memory = memory
        self.address = address

    def insert(self, parent: int, node: int, *, right: bool) -> None:
        """Hang a node below `parent` (0: the tree is empty), which has no child on that side."""
        self._memory.write(node, bytes(16) + (parent | (RED if parent else 0)).to_bytes(8, "little"))
        if not parent:
            self._put(self.address + ROOT, node)
            self._put(self.address + MINIMUM, node)
            return
        self._put(parent + (RIGHT if right else LEFT), node)
        if not right and parent == self._get(self.address + MINIMUM):
            self._put(self.address + MINIMUM, node)
        self._repair_insertion(node)

    def remove(self, node: int) -> None:
        """Take a node out."""
        if self._get(self.address + MINIMUM) == node:
            self._put(self.address + MINIMUM, self._successor(node))
        if self._get(node + LEFT) and self._get(node + RIGHT):
            self._exchange(node, self._successor(node))
        child, parent = self._get(node + LEFT) or self._get(node + RIGHT), self.parent(node)
        black = not self.is_red(node)
        self._replace_below(parent, node, child)
        if black:
            self._repair_removal(child, parent)

    @property
    def root(self) -> int:
        """The topmost node, 0 in an empty tree."""
        return self._get(self.address + ROOT)

    def parent(self, node: int) -> int:
        """The node above."""
        return self._get(node + PARENT) & ~RED

    def is_red(self, node: int) -> bool:
        """The node's colour; what is no node is black."""
        return bool(node and self._get(node + PARENT) & RED)

    def child(self, node: int, *, right: bool) -> int:
        """The node below on one side."""
        return self._get(node + (RIGHT if right else LEFT))

    def _get(self, address: int) -> int:
        return int.from_bytes(self._memory.read(address, 8), "little")

    def _put(self, address: int, value: int) -> None:
        self._memory.write(address, value.to_bytes(8, "little"))

    def _colour(self, node: int, red: int) -> None:
        self._put(node + PARENT, self.parent(node) | red)

    def _successor(self, node: int) -> int:
        below = self._get(node + RIGHT)
        if below:
            while self._get(below + LEFT):
                below = self._get(below + LEFT)
            return below
        above = self.parent(node)
        while above and self._get(above + RIGHT) == node:
            node, above = above, self.parent(above)
        return above

    def _replace_below(self, parent: int, node: int, other: int) -> None:
        """Let `parent` (0: the root) lead to `other` where it led to `node`."""
        if not parent:
            self._put(self.address + ROOT, other)
        else:
            self._put(parent + (RIGHT if self._get(parent + RIGHT) == node else LEFT), other)
        if other:
            self._put(other + PARENT, parent | (self._get(other + PARENT) & RED))

    def _rotate(self, node: int, *, right: bool) -> None:
        """Let the node's child on the other side rise into its place."""
        here, there = (RIGHT, LEFT) if right else (LEFT, RIGHT)
        rising = self._get(node + there)
        inner = self._get(rising + here)
        self._replace_below(self.parent(node), node, rising)
        self._put(node + there, inner)
        if inner:
            self._put(inner + PARENT, node | (self._get(inner + PARENT) & RED))
        self._put(rising + here, node)
        self._put(node + PARENT, rising | (self._get(node + PARENT) & RED))

    def _exchange(self, node: int, successor: int) -> None:
        """Swap the places and colours of a node with two children and its successor, which has no left one."""
        left, right, above = (self._get(node + at) for at in (LEFT, RIGHT, PARENT))
        below, parent = self._get(successor + RIGHT), self._get(successor + PARENT)
        self._replace_below(above & ~RED, node, successor)
        self._put(successor + PARENT, above)
        self._put(successor + LEFT, left)
        self._put(left + PARENT, successor | (self._get(left + PARENT) & RED))
        if right == successor:
            self._put(successor + RIGHT, node)
            self._put(node + PARENT, successor | (parent & RED))
        else:
            self._put(successor + RIGHT, right)
            self._put(right + PARENT, successor | (self._get(right + PARENT) & RED))
            self._put((parent & ~RED) + LEFT, node)
            self._put(node + PARENT, parent)
        self._put(node + LEFT, 0)
        self._put(node + RIGHT, below)
        if below:
            self._put(below + PARENT, node | (self._get(below + PARENT) & RED))

    def _repair_insertion(self, node: int) -> None:
        while self.is_red(parent := self.parent(node)):
            above = self.parent(parent)
            on_right = self._get(above + RIGHT) == parent
            uncle = self.child(above, right=not on_right)
            if self.is_red(uncle):
                self._colour(parent, 0)
                self._colour(uncle, 0)
                self._colour(above, RED)
                node = above
                continue
            if self.child(parent, right=not on_right) == node:
                self._rotate(parent, right=on_right)
                parent = node
            self._colour(parent, 0)
            self._colour(above, RED)
            self._rotate(above, right=not on_right)
            break
        self._colour(self.root, 0)

    def _repair_removal(self, node: int, parent: int) -> None:
        """A black node is gone above `node` (which may be none): paths through it are one black short."""
        while parent and not self.is_red(node):
            on_right = self._get(parent + RIGHT) == node and (node != 0 or self._get(parent + LEFT) != 0)
            sibling = self.child(parent, right=not on_right)
            if self.is_red(sibling):
                self._colour(sibling, 0)
                self._colour(parent, RED)
                self._rotate(parent, right=on_right)
                sibling = self.child(parent, right=not on_right)
            near, far = self.child(sibling, right=on_right), self.child(sibling, right=not on_right)
            if not self.is_red(near) and not self.is_red(far):
                self._colour(sibling, RED)
                node, parent = parent, self.parent(parent)
                continue
            if not self.is_red(far):
                self._rotate(sibling, right=not on_right)
                sibling, far = near, sibling
            self._put(sibling + PARENT, self.parent(sibling) | (self._get(parent + PARENT) & RED))
            self._colour(parent, 0)
            self._colour(far, 0)
            self._rotate(parent, right=on_right)
            return
        if node:
            self._colour(node, 0)
