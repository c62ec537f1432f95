"""Watching keys: who is told when something below a key changes (CM_NOTIFY_BLOCK)."""

from __future__ import annotations

from collections.abc import Callable

from ntos.abi.types import NTSTATUS


class Watch:
    """One open key's interest in changes. A change nobody waits for is kept for the next to ask."""

    __slots__ = ("filter", "pending", "tree", "waiting")

    def __init__(self, change_filter: int, *, tree: bool) -> None:
        self.filter = change_filter
        self.tree = tree
        self.pending: NTSTATUS | None = None
        self.waiting: list[Callable[[NTSTATUS], None]] = []

    def fire(self, status: NTSTATUS) -> None:
        """Tell everybody who waits, or keep it."""
        waiting, self.waiting = self.waiting, []
        if not waiting:
            self.pending = status
        for tell in waiting:
            tell(status)

    def take(self) -> NTSTATUS | None:
        """What happened since the last question, if anything did."""
        pending, self.pending = self.pending, None
        return pending
