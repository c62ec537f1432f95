r"""The registry of one machine: the tree below `\REGISTRY`, who watches it, and a way in for Python code."""

from __future__ import annotations

from ntos.abi.registry import (
    REG_NOTIFY_CHANGE_ATTRIBUTES,
    REG_NOTIFY_CHANGE_LAST_SET,
    REG_NOTIFY_CHANGE_NAME,
    REG_NOTIFY_CHANGE_SECURITY,
)
from ntos.abi.status import STATUS, NtError
from ntos.cm import control_block
from ntos.cm.node import LINK_VALUE, KeyNode, split
from ntos.cm.values import Data, Value, encode
from ntos.cm.watch import Watch
from ntos.etw.event import ValueSet
from ntos.ke.kernel import Kernel

MAXIMUM_LINKS = 16


class Registry:
    """`kernel[Registry]`."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.root = KeyNode("REGISTRY", None, now=kernel.clock.system_time)
        self.control_blocks: dict[int, KeyNode] = {}
        """Identity map: address of a key control block to the key."""
        self.watches: dict[KeyNode, list[Watch]] = {}
        self._descriptors: dict[bytes, bytes] = {}

    # ------------------------------------------------------------ for Python code

    def find(self, path: str) -> KeyNode | None:
        r"""The key at a path (`\REGISTRY\MACHINE\…` or `MACHINE\…`), links followed, or None."""
        node, rest = self._walk(split(path))
        return node if not rest else None

    def key(self, path: str, *, create: bool = False, volatile: bool = False) -> KeyNode:
        """The key at a path; with `create`, made with all that is missing above it. OBJECT_NAME_NOT_FOUND."""
        node, rest = self._walk(split(path))
        if rest and not create:
            raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
        for name in rest:
            node = self.create(node, name, volatile=volatile or node.volatile)
        return node

    def set(self, path: str, name: str, value: Data, kind: int | None = None) -> None:
        """Set a value, its key made if need be; the type follows from the Python value unless `kind` says
        it.
        """
        self.set_value(self.key(path, create=True), name, *encode(value, kind))

    def get(self, path: str, name: str, default: Data | None = None) -> Data | None:
        """The content of a value; `default` where key or value is missing."""
        node = self.find(path)
        value = node.value(name) if node is not None else None
        return value.content if value is not None else default

    def _walk(self, names: list[str]) -> tuple[KeyNode, list[str]]:
        """The deepest key that is there, and the names that are left."""
        for _ in range(MAXIMUM_LINKS):
            node, rest = self.root, names[1:] if names and names[0].upper() == "REGISTRY" else names
            target = None
            while rest:
                following = node.child(rest[0])
                if following is None:
                    return node, rest
                node, rest = following, rest[1:]
                target = node.link_target
                if target is not None:
                    break
            if target is None:
                return node, rest
            names = [*split(target), *rest]
        raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)

    # ------------------------------------------------------------ changes, told to those who watch

    def create(self, parent: KeyNode, name: str, *, volatile: bool = False) -> KeyNode:
        """A new key below `parent`."""
        made = parent.add(name, volatile=volatile, now=self.kernel.clock.system_time)
        self._changed(parent, REG_NOTIFY_CHANGE_NAME)
        return made

    def delete(self, node: KeyNode) -> None:
        """Delete a key."""
        parent = node.parent
        node.remove(self.kernel.clock.system_time)
        control_block.refresh(self.kernel, node)
        for watch in self.watches.pop(node, []):
            watch.fire(STATUS.NOTIFY_CLEANUP)
        if parent is not None:
            self._changed(parent, REG_NOTIFY_CHANGE_NAME)

    def rename(self, node: KeyNode, name: str) -> None:
        """Give a key another name."""
        node.rename(name, self.kernel.clock.system_time)
        control_block.rename(self.kernel, node)
        control_block.refresh(self.kernel, node)
        if node.parent is not None:
            self._changed(node.parent, REG_NOTIFY_CHANGE_NAME)

    def set_value(self, node: KeyNode, name: str, kind: int, data: bytes) -> None:
        """Set a value of a key."""
        if node.deleted:
            raise NtError(STATUS.KEY_DELETED)
        if node.is_link and name != LINK_VALUE:
            raise NtError(STATUS.ACCESS_DENIED)
        node.set_value(name, kind, data, self.kernel.clock.system_time)
        self._changed(node, REG_NOTIFY_CHANGE_LAST_SET)
        if self.kernel.log.wants(ValueSet):
            content = Value(name, kind, data).content
            shown = content.hex() if isinstance(content, bytes) else content
            self.kernel.log.emit(ValueSet(path=node.path, name=name, type=kind, data=shown))

    def delete_value(self, node: KeyNode, name: str) -> None:
        """Delete a value of a key."""
        if node.deleted:
            raise NtError(STATUS.KEY_DELETED)
        node.delete_value(name, self.kernel.clock.system_time)
        self._changed(node, REG_NOTIFY_CHANGE_LAST_SET)

    def intern(self, descriptor: bytes) -> bytes:
        """The one copy of these bytes: most keys share a few descriptors (CM_KEY_SECURITY_CACHE)."""
        return self._descriptors.setdefault(descriptor, descriptor)

    def set_security(self, node: KeyNode, descriptor: bytes) -> None:
        """Give a key a descriptor of its own."""
        node.security = descriptor
        self._changed(node, REG_NOTIFY_CHANGE_SECURITY)

    def set_last_write(self, node: KeyNode, moment: int) -> None:
        """Write a key's last-write time."""
        node.last_write = moment
        self._changed(node, REG_NOTIFY_CHANGE_ATTRIBUTES)

    def _changed(self, node: KeyNode, what: int) -> None:
        control_block.refresh(self.kernel, node)
        if not self.watches:
            return
        for watched, is_self in ((node, True), *((ancestor, False) for ancestor in node.ancestors())):
            for watch in list(self.watches.get(watched, ())):
                if watch.filter & what and (is_self or watch.tree):
                    watch.fire(STATUS.NOTIFY_ENUM_DIR)
