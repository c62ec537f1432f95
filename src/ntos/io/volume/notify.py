"""Change notification: who watches a directory hears of changes made through this machine (FsRtlNotify…)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.status import STATUS
from ntos.rtl.text import to_utf16

if TYPE_CHECKING:
    from ntos.io.request import Request
    from ntos.io.volume.link import Link
    from ntos.io.volume.open import VolumeOpen, Watch

ALIGNMENT = 4


class Notifier:
    """The watches of one volume."""

    def __init__(self) -> None:
        self._watching: list[VolumeOpen] = []

    def watch(self, opened: VolumeOpen, request: Request, watch: Watch) -> None:
        """A request waits for changes, or takes those that came since the last one."""
        if opened.watch is None:
            opened.watch = watch
            self._watching.append(opened)
        present = opened.watch
        present.requests.append(request)
        request.pend(lambda: present.requests.remove(request) if request in present.requests else None)
        if present.records or present.overflown:
            _deliver(present)

    def forget(self, opened: VolumeOpen) -> None:
        """The directory's handle is closed."""
        if opened.watch is None:
            return
        self._watching.remove(opened)
        for request in list(opened.watch.requests):
            opened.watch.requests.remove(request)
            request.complete(STATUS.NOTIFY_CLEANUP)

    def report(self, kind: int, *changes: tuple[int, Link, str]) -> None:
        """Tell of (action, directory, name) changes of a kind (FILE_NOTIFY_CHANGE_…); they stay together."""
        for opened in list(self._watching):
            watch = opened.watch
            if watch is None or not watch.filter & kind:
                continue
            records = []
            for action, directory, name in changes:
                relative = _relative(opened.link, directory, name, tree=watch.tree)
                if relative is not None:
                    records.append((action, relative))
            if records:
                watch.records += records
                _deliver(watch)

    def deleted(self, link: Link) -> None:
        """A watched directory itself is going: its requests end."""
        for opened in self._watching:
            if opened.link is link and opened.watch is not None:
                for request in list(opened.watch.requests):
                    opened.watch.requests.remove(request)
                    request.complete(STATUS.DELETE_PENDING)


def _relative(watched: Link, directory: Link, name: str, *, tree: bool) -> str | None:
    if directory is watched:
        return name
    if not tree or not directory.is_below(watched):
        return None
    prefix = directory.path[len(watched.path) :].lstrip("\\")
    return f"{prefix}\\{name}"


def _deliver(watch: Watch) -> None:
    if not watch.requests:
        if _size(watch.records) > watch.size:
            watch.records.clear()
            watch.overflown = True
        return
    request = watch.requests.pop(0)
    records, watch.records = watch.records, []
    overflown, watch.overflown = watch.overflown, False
    if overflown or _size(records) > request.length:
        request.complete(STATUS.NOTIFY_ENUM_DIR)
        return
    output = b""
    for index, (action, name) in enumerate(records):
        data = to_utf16(name)
        size = 12 + len(data)
        padded = size + -size % ALIGNMENT if index < len(records) - 1 else size
        following = padded if index < len(records) - 1 else 0
        output += (struct.pack("<III", following, action, len(data)) + data).ljust(padded, b"\0")
    request.complete(STATUS.SUCCESS, len(output), output)


def _size(records: list[tuple[int, str]]) -> int:
    return sum(12 + len(to_utf16(name)) + ALIGNMENT - 1 & ~(ALIGNMENT - 1) for _, name in records)
