"""The tree of keys: names without regard to case, values, links, last-write times. No kernel in it."""

from __future__ import annotations

from collections.abc import Iterator

from ntos.abi.registry import REG_LINK
from ntos.abi.status import STATUS, NtError
from ntos.cm.values import Value
from ntos.rtl.text import case_key, from_utf16, unit_count

LINK_VALUE = "SymbolicLinkValue"
MAXIMUM_NAME = 256
"""Units of one component that the kernel takes; the documented limit of RegCreateKeyEx is one less."""
MAXIMUM_VALUE_NAME = 16383
MAXIMUM_DEPTH = 512
KEY_CELL, VALUE_CELL = 0x50, 0x18
"""CM_KEY_NODE and CM_KEY_VALUE up to the name, with the cell's size before."""


class KeyNode:
    """One key."""

    def __init__(self, name: str, parent: KeyNode | None, *, volatile: bool = False, now: int = 0) -> None:
        self.name = name
        self.parent = parent
        self.volatile = volatile
        self.is_link = False
        self.deleted = False
        self.hive_root = False
        """The root of a hive: it stays while the hive is loaded."""
        self.class_name = ""
        self.last_write = now
        self.security: bytes | None = None
        """Its own descriptor, self-relative; None where the nearest ancestor's holds for it."""
        self.control_block = 0
        """Address of its CM_KEY_CONTROL_BLOCK while anybody has it open."""
        self.user_flags = 0
        self.largest_name = self.largest_value_name = self.largest_data = 0
        """In bytes, of all there ever were: these never shrink (CM_KEY_NODE.MaxNameLen and the others)."""
        self.by_name: dict[str, KeyNode] = {}
        """The keys directly below, by their case-blind names."""
        self._values: dict[str, Value] = {}
        self._sorted: list[KeyNode] | None = None

    def __repr__(self) -> str:
        return f"KeyNode({self.path})"

    # ------------------------------------------------------------ where it is

    @property
    def path(self) -> str:
        r"""The full name from `\REGISTRY` on."""
        parts: list[str] = []
        node: KeyNode | None = self
        while node is not None:
            parts.append(node.name)
            node = node.parent
        return "\\" + "\\".join(reversed(parts))

    @property
    def depth(self) -> int:
        """How many keys stand above."""
        return sum(1 for _ in self.ancestors())

    def ancestors(self) -> Iterator[KeyNode]:
        """The parent, its parent, and so on."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    # ------------------------------------------------------------ keys below

    def child(self, name: str) -> KeyNode | None:
        """The key of this name directly below."""
        return self.by_name.get(case_key(name))

    @property
    def children(self) -> list[KeyNode]:
        """The keys directly below, in the order of their upper-cased names (as an index leaf holds them)."""
        if self._sorted is None:
            self._sorted = [self.by_name[key] for key in sorted(self.by_name, key=_units)]
        return self._sorted

    def unsort(self) -> None:
        """Names below have changed: sort them again when asked."""
        self._sorted = None

    @property
    def child_count(self) -> int:
        return len(self.by_name)

    def add(self, name: str, *, volatile: bool = False, now: int = 0) -> KeyNode:
        """A new key below. CHILD_MUST_BE_VOLATILE, INVALID_PARAMETER for a name too long, NAME_TOO_LONG in
        depth.
        """
        if self.deleted:
            raise NtError(STATUS.KEY_DELETED)
        if unit_count(name) > MAXIMUM_NAME:
            raise NtError(STATUS.INVALID_PARAMETER)
        if self.volatile and not volatile and self.parent is not None:
            raise NtError(STATUS.CHILD_MUST_BE_VOLATILE)
        if self.depth >= MAXIMUM_DEPTH:
            raise NtError(STATUS.NAME_TOO_LONG)
        made = KeyNode(name, self, volatile=volatile, now=now)
        self.by_name[case_key(name)] = made
        self.unsort()
        self.largest_name = max(self.largest_name, unit_count(name) * 2)
        self.last_write = now
        return made

    def remove(self, now: int) -> None:
        """Take this key out of the tree. CANNOT_DELETE while it has keys below, or where it carries a
        hive.
        """
        if self.deleted:
            raise NtError(STATUS.KEY_DELETED)
        if self.by_name or self.parent is None or self.hive_root:
            raise NtError(STATUS.CANNOT_DELETE)
        del self.parent.by_name[case_key(self.name)]
        self.parent.unsort()
        self.parent.last_write = now
        self.deleted = True

    def rename(self, name: str, now: int) -> None:
        """Give the key another name among its siblings. CANNOT_DELETE where that name is taken."""
        parent = self.parent
        if parent is None or self.hive_root:
            raise NtError(STATUS.ACCESS_DENIED)
        other = parent.child(name)
        if other is not None and other is not self:
            raise NtError(STATUS.CANNOT_DELETE)
        del parent.by_name[case_key(self.name)]
        self.name = name
        parent.by_name[case_key(name)] = self
        parent.largest_name = max(parent.largest_name, unit_count(name) * 2)
        parent.unsort()
        parent.last_write = self.last_write = now

    def total_size(self) -> int:
        """Bytes that this key and all below take in a hive: CM_KEY_NODE, CM_KEY_VALUE, names, data."""
        own = KEY_CELL + 2 * unit_count(self.name)
        values = sum(VALUE_CELL + 2 * unit_count(value.name) + len(value.data) for value in self.values)
        return own + values + sum(child.total_size() for child in self.by_name.values())

    # ------------------------------------------------------------ values

    def value(self, name: str) -> Value | None:
        """The value of this name; the default value's name is empty."""
        return self._values.get(case_key(name))

    @property
    def values(self) -> list[Value]:
        """All values, in the order they were first set."""
        return list(self._values.values())

    @property
    def value_count(self) -> int:
        return len(self._values)

    def set_value(self, name: str, kind: int, data: bytes, now: int) -> None:
        """Set a value; one that is there keeps its place and the spelling of its name."""
        if unit_count(name) > MAXIMUM_VALUE_NAME:
            raise NtError(STATUS.INVALID_PARAMETER)
        key = case_key(name)
        old = self._values.get(key)
        self.largest_value_name = max(self.largest_value_name, unit_count(name) * 2)
        self.largest_data = max(self.largest_data, len(data))
        self._values[key] = Value(old.name if old is not None else name, kind, data)
        self.last_write = now

    def delete_value(self, name: str, now: int) -> None:
        """Delete a value. OBJECT_NAME_NOT_FOUND."""
        if self._values.pop(case_key(name), None) is None:
            raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
        self.last_write = now

    @property
    def link_target(self) -> str | None:
        """Where a symbolic link leads; None where the key is none or leads nowhere yet."""
        value = self.value(LINK_VALUE) if self.is_link else None
        return from_utf16(value.data) if value is not None and value.type == REG_LINK else None

    @property
    def effective_security(self) -> bytes | None:
        """The descriptor that holds for the key: its own, or the nearest ancestor's."""
        if self.security is not None:
            return self.security
        return next((node.security for node in self.ancestors() if node.security is not None), None)


def _units(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def split(path: str) -> list[str]:
    """The components of a path; repeated and trailing backslashes do not count (CmpGetNextName)."""
    return [part for part in path.split("\\") if part]
