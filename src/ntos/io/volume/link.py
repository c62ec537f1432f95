"""Names of nodes: one `Link` per name that is in use, so that a renamed directory takes its children
along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from ntos.abi.status import STATUS, NtError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ntos.io.volume.node import Node


class Link:
    """One name of a node in a directory (NTFS calls it a link control block). The root is a link without
    parent.
    """

    def __init__(self, parent: Link | None, name: str, node: Node) -> None:
        self.parent = parent
        self.name = name
        self.node = node
        self.opens = 0
        """File objects opened by this name and not cleaned up."""
        self.delete_pending = False
        self.removed = False
        """The name is gone (deleted the POSIX way, or replaced) though somebody still has the file open."""
        self.children: WeakValueDictionary[str, Link] = WeakValueDictionary()

    @property
    def path(self) -> str:
        r"""From the root of the volume: `\Windows\notepad.exe`; the root itself is `\`."""
        parts: list[str] = []
        here = self
        while here.parent is not None:
            parts.append(here.name)
            here = here.parent
        return "\\" + "\\".join(reversed(parts))

    def child(self, name: str) -> Link | None:
        """The link of that name in this directory, or None."""
        entry = self.node.find(name)
        if entry is None:
            return None
        return self.adopt(entry.name, entry.node)

    def adopt(self, name: str, node: Node) -> Link:
        """The one link for an entry that stands in this directory."""
        known = self.children.get(name)
        if known is None or known.node is not node or known.removed:
            known = self.children[name] = Link(self, name, node)
        return known

    def open_below(self) -> bool:
        """Whether anything in this directory, however deep, is open."""
        return any(child.opens or child.open_below() for child in list(self.children.values()))

    def renamed(self, parent: Link, name: str) -> None:
        """The entry now has another place: follow it."""
        if self.parent is not None:
            self.parent.children.pop(self.name, None)
        self.parent, self.name = parent, name
        parent.children[name] = self

    def forget(self) -> None:
        """The name is gone."""
        self.removed = True
        if self.parent is not None and self.parent.children.get(self.name) is self:
            self.parent.children.pop(self.name)

    def is_below(self, other: Link) -> bool:
        """Whether this is `other` or stands somewhere in it."""
        here: Link | None = self
        while here is not None:
            if here is other:
                return True
            here = here.parent
        return False


def walk(start: Link, components: Sequence[str]) -> tuple[Link, str, Link | None]:
    """Follow a path: (directory of the last component, that component, its link if it exists).

    OBJECT_PATH_NOT_FOUND where a directory on the way is missing or is a file. No components give the start
    itself.
    """
    here = start
    for part in components[:-1]:
        below = here.child(part) if here.node.is_directory else None
        if below is None or not below.node.is_directory:
            raise NtError(STATUS.OBJECT_PATH_NOT_FOUND)
        here = below
    if not components:
        return here, "", here
    if not here.node.is_directory:
        raise NtError(STATUS.OBJECT_PATH_NOT_FOUND)
    return here, components[-1], here.child(components[-1])
