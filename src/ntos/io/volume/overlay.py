"""A system tree over a volume: one drive on which Windows' own files stand beside the user's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.io import FILE_ATTRIBUTE_DIRECTORY
from ntos.abi.status import STATUS, NtError
from ntos.io.volume.node import Basic, Entry, Facts, Listed, Node, Volume
from ntos.io.volume.system import SystemDirectory, SystemTree
from ntos.rtl.text import case_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class OverlayVolume(Volume):
    """`system` over `lower`. A file that `lower` holds wins over the tree's; what is written goes to
    `lower`.
    """

    def __init__(self, system: SystemTree, lower: Volume) -> None:
        super().__init__(lower.label, lower.serial)
        self.system = system
        self.lower = lower
        self._merged: dict[int, OverlayDirectory] = {}
        self.root = OverlayDirectory(self, system.top, lambda: lower.root, lambda: lower.root)
        self.created = lower.created

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "now" and "lower" in self.__dict__:
            self.lower.now = self.now

    def merged(self, system: SystemDirectory, above: OverlayDirectory, name: str) -> OverlayDirectory:
        """The one node that shows a directory of the tree together with the volume's."""
        found = self._merged.get(system.number)
        if found is None:
            found = OverlayDirectory(
                self, system, lambda: above.lower_child(name), lambda: above.storage_child(name)
            )
            self._merged[system.number] = found
        return found

    def space(self) -> tuple[int, int]:
        return self.lower.space()


class OverlayDirectory(Node):
    """A directory of the system tree merged with the one the volume below has (or will have) at that path."""

    is_directory = True
    protected = True

    def __init__(
        self,
        volume: OverlayVolume,
        system: SystemDirectory,
        lower: Callable[[], Node | None],
        make: Callable[[], Node],
    ) -> None:
        super().__init__(volume, system.number)
        self._volume = volume
        self._system = system
        self.belongs_to_windows = system.belongs_to_windows
        self._lower = lower
        self._make = make

    def facts(self) -> Facts:
        lower = self._lower()
        facts = self._system.facts() if lower is None else lower.facts()
        facts.number = self.number
        return facts

    def set_basic(self, basic: Basic) -> None:
        self.storage().set_basic(basic)

    def lower_child(self, name: str) -> Node | None:
        """The lower volume's directory of that name in here, if there is one."""
        lower = self._lower()
        entry = lower.find(name) if lower is not None else None
        return entry.node if entry is not None and entry.node.is_directory else None

    def storage_child(self, name: str) -> Node:
        """The same, made if need be."""
        return self.lower_child(name) or self.storage().create(name, FILE_ATTRIBUTE_DIRECTORY).node

    def storage(self) -> Node:
        return self._make()

    def find(self, name: str) -> Entry | None:
        lower = self._lower()
        below = lower.find(name) if lower is not None else None
        above = self._system.find(name)
        if above is None or (below is not None and not below.node.is_directory):
            return below
        if isinstance(above.node, SystemDirectory):
            return Entry(above.name, self._volume.merged(above.node, self, above.name))
        return above if below is None else below

    def listing(self) -> Iterable[Listed]:
        lower = self._lower()
        found = {case_key(listed.name): listed for listed in self._system.listing()}
        for listed in lower.listing() if lower is not None else ():
            key = case_key(listed.name)
            if key not in found or not listed.facts.is_directory:
                found[key] = listed
        return [found[key] for key in sorted(found)]

    def create(self, name: str, attributes: int) -> Entry:
        if self._system.find(name) is not None:
            raise NtError(STATUS.OBJECT_NAME_COLLISION)
        return self.storage().create(name, attributes)
