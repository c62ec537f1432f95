"""An AVL tree whose nodes are RTL_BALANCED_NODEs in kernel memory: Left, Right, ParentValue.

The two low bits of ParentValue hold the balance: 0 level, 1 right side higher, 3 (that is, -1) left side
higher. Whoever reads memory (a debugger, Volatility) walks this tree; the order of the nodes is the caller's
business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.types import ULONGLONG

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ntos.abi.memory import Memory

LEFT = 0
RIGHT = 8
PARENT = 16
_BALANCE = 3
_LEFT_HIGH = 3
_RIGHT_HIGH = 1


class AvlTree:
    """The tree whose root pointer (RTL_AVL_TREE) stands at `root`."""

    __slots__ = ("memory", "root")

    def __init__(self, memory: Memory, root: int) -> None:
        self.memory = memory
        self.root = root

    @property
    def top(self) -> int:
        """The address of the root node, 0 in an empty tree."""
        return self._load(self.root)

    def insert(self, node: int, before: int, after: int) -> None:
        """Put `node` between its neighbours in order; 0 where there is none."""
        self._store(node + LEFT, 0)
        self._store(node + RIGHT, 0)
        # Of two neighbours in order, one always has the free place between them.
        if before and not self._load(before + RIGHT):
            self._store(before + RIGHT, node)
            self._store(node + PARENT, before)
        elif after:
            self._store(after + LEFT, node)
            self._store(node + PARENT, after)
        else:
            self._store(node + PARENT, 0)
            self._store(self.root, node)
            return
        self._grown(node)

    def remove(self, node: int) -> None:
        """Take `node` out."""
        left, right = self._load(node + LEFT), self._load(node + RIGHT)
        if left and right:
            self._swap_with_successor(node, left, right)
            left, right = 0, self._load(node + RIGHT)
        child = left or right
        parent = self._parent(node)
        side = self._side(parent, node) if parent else 0
        self._link(parent, node, child)
        if parent:
            self._shrunk(parent, side)

    def in_order(self) -> Iterator[int]:
        """Addresses of the nodes from left to right."""
        stack: list[int] = []
        node = self.top
        while stack or node:
            while node:
                stack.append(node)
                node = self._load(node + LEFT)
            node = stack.pop()
            yield node
            node = self._load(node + RIGHT)

    # ------------------------------------------------------------------ words

    def _load(self, address: int) -> int:
        return ULONGLONG.load(self.memory, address)

    def _store(self, address: int, value: int) -> None:
        ULONGLONG.store(self.memory, address, value)

    def _parent(self, node: int) -> int:
        return self._load(node + PARENT) & ~_BALANCE

    def _set_parent(self, node: int, parent: int) -> None:
        self._store(node + PARENT, parent | self._load(node + PARENT) & _BALANCE)

    def _balance(self, node: int) -> int:
        value = self._load(node + PARENT) & _BALANCE
        return -1 if value == _LEFT_HIGH else value

    def _set_balance(self, node: int, balance: int) -> None:
        self._store(node + PARENT, self._load(node + PARENT) & ~_BALANCE | balance & _BALANCE)

    def _side(self, parent: int, node: int) -> int:
        return -1 if self._load(parent + LEFT) == node else 1

    def _link(self, parent: int, old: int, new: int) -> None:
        """Let `new` hang where `old` hung."""
        if not parent:
            self._store(self.root, new)
        elif self._load(parent + LEFT) == old:
            self._store(parent + LEFT, new)
        else:
            self._store(parent + RIGHT, new)
        if new:
            self._set_parent(new, parent)

    # ------------------------------------------------------------------ balance

    def _grown(self, node: int) -> None:
        """The subtree at `node` has become one higher: walk up and restore the balance."""
        parent = self._parent(node)
        while parent:
            side = self._side(parent, node)
            balance = self._balance(parent) + side
            if balance in (-2, 2):
                self._rotate(parent, side)
                return
            self._set_balance(parent, balance)
            if balance == 0:
                return
            node, parent = parent, self._parent(parent)

    def _shrunk(self, node: int, side: int) -> None:
        """The subtree on `side` of `node` has become one lower."""
        while node:
            parent = self._parent(node)
            next_side = self._side(parent, node) if parent else 0
            balance = self._balance(node) - side
            if balance in (-2, 2):
                if not self._rotate(node, -side):
                    return
            else:
                self._set_balance(node, balance)
                if balance != 0:
                    return
            node, side = parent, next_side

    def _rotate(self, node: int, side: int) -> bool:
        """`node` is two higher on `side`: turn it; gives whether the subtree has become lower."""
        near, far = (LEFT, RIGHT) if side < 0 else (RIGHT, LEFT)
        child = self._load(node + near)
        balance = self._balance(child)
        if balance == -side:
            grandchild = self._load(child + far)
            inner = self._balance(grandchild)
            self._turn(child, grandchild, far, near)
            self._turn(node, grandchild, near, far)
            self._set_balance(node, -side if inner == side else 0)
            self._set_balance(child, side if inner == -side else 0)
            self._set_balance(grandchild, 0)
            return True
        self._turn(node, child, near, far)
        self._set_balance(node, side if balance == 0 else 0)
        self._set_balance(child, -side if balance == 0 else 0)
        return balance != 0

    def _turn(self, node: int, child: int, near: int, far: int) -> None:
        """`child`, on the near side of `node`, takes its place; `node` becomes its far child."""
        inner = self._load(child + far)
        self._link(self._parent(node), node, child)
        self._store(node + near, inner)
        if inner:
            self._set_parent(inner, node)
        self._store(child + far, node)
        self._set_parent(node, child)

    def _swap_with_successor(self, node: int, left: int, right: int) -> None:
        """Let `node` and the next node in order change places, so that `node` has at most one child."""
        successor = right
        while following := self._load(successor + LEFT):
            successor = following
        balance, successor_balance = self._balance(node), self._balance(successor)
        successor_parent, successor_right = self._parent(successor), self._load(successor + RIGHT)
        self._link(self._parent(node), node, successor)
        self._set_balance(successor, balance)
        self._set_balance(node, successor_balance)
        self._store(successor + LEFT, left)
        self._set_parent(left, successor)
        if successor_parent == node:
            self._store(successor + RIGHT, node)
            self._set_parent(node, successor)
        else:
            self._store(successor + RIGHT, right)
            self._set_parent(right, successor)
            self._store(successor_parent + LEFT, node)
            self._set_parent(node, successor_parent)
        self._store(node + LEFT, 0)
        self._store(node + RIGHT, successor_right)
        if successor_right:
            self._set_parent(successor_right, node)
