"""What a volume stores: nodes (files and directories by number) and what can be asked of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ntos.abi.io import FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_READONLY
from ntos.abi.status import STATUS, NtError
from ntos.hal.clock import BOOT_TIME
from ntos.io.volume.locks import ByteRangeLocks
from ntos.io.volume.sharing import ShareAccess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CLUSTER = 0x1000
SECTOR = 0x200
MAXIMUM_COMPONENT = 255
MAXIMUM_FILE_SIZE = 0xFFF_FFFF_0000
"""NTFS' limit with 4 KiB clusters: 16 TiB less 64 KiB."""


@dataclass(slots=True)
class Facts:
    """Everything about a node that directory entries and information classes tell. Times are in FILETIME
    units.
    """

    attributes: int
    creation: int
    access: int
    write: int
    change: int
    size: int
    allocation: int
    links: int
    number: int

    @property
    def is_directory(self) -> bool:
        return bool(self.attributes & FILE_ATTRIBUTE_DIRECTORY)


class Basic(NamedTuple):
    """What FILE_BASIC_INFORMATION sets; None leaves as it is."""

    creation: int | None = None
    access: int | None = None
    write: int | None = None
    change: int | None = None
    attributes: int | None = None


class Entry(NamedTuple):
    """One name in a directory and the node it leads to."""

    name: str
    node: Node


class Listed(NamedTuple):
    """One name in a directory as a listing tells it."""

    name: str
    facts: Facts


class MappedFile(Protocol):
    """A data section of a file, to whoever reads and writes the file itself."""

    def collect(self, offset: int, size: int) -> None:
        """Write modified pages in that range to the file."""

    def changed(self, offset: int, data: bytes) -> None:
        """Show what was written."""


class Node:
    """A file or directory as stored, whatever names lead to it. Sharing and locks hold across all its opens.

    Kinds of volumes override what they can do; what a kind cannot do it refuses.
    """

    is_directory = False
    protected = False
    """Part of the read-only system tree: never written, renamed or deleted."""
    unmade = False
    """An image that the machine makes itself, and has not made yet."""
    belongs_to_windows = False
    """In C:\\Windows: users read it and change nothing."""
    descriptor: bytes | None = None
    """The security descriptor somebody gave it; None for its place's default (`acl`)."""

    def __init__(self, volume: Volume, number: int) -> None:
        self.volume = volume
        self.number = number
        self.sharing = ShareAccess()
        self.locks = ByteRangeLocks()
        self.users = 0
        """File objects that refer to it; sections keep theirs."""
        self.mapped: MappedFile | None = None
        """Pages of the file that sections hold; `mm` sets it so that reads and writes agree with mapped
        views.
        """
        self.section_pointers = 0
        """Address of its SECTION_OBJECT_POINTERS once a file object was made."""

    def facts(self) -> Facts:
        """All there is to tell."""
        raise NotImplementedError

    def set_basic(self, basic: Basic) -> None:
        """Change times and attributes."""
        raise NtError(STATUS.ACCESS_DENIED)

    @property
    def size(self) -> int:
        """End of file."""
        return self.facts().size

    @property
    def read_only(self) -> bool:
        """Whether the READONLY attribute is set."""
        return bool(self.facts().attributes & FILE_ATTRIBUTE_READONLY)

    def prepare(self, *, write: bool) -> None:
        """An open is about to be granted: make sure the host agrees, or raise what it says."""

    def release(self) -> None:
        """Nobody refers to it any more."""

    # ------------------------------------------------------------ files

    def read(self, offset: int, size: int) -> bytes:
        """At most `size` bytes from `offset` on; fewer at the end."""
        raise NtError(STATUS.INVALID_DEVICE_REQUEST)

    def write(self, offset: int, data: bytes) -> None:
        """Put `data` at `offset`; what lies between the end and there reads as zeros."""
        raise NtError(STATUS.ACCESS_DENIED)

    def resize(self, size: int) -> None:
        """Cut or extend with zeros."""
        raise NtError(STATUS.ACCESS_DENIED)

    def flush(self) -> None:
        """Make what was written last."""

    # ------------------------------------------------------------ directories

    def find(self, name: str) -> Entry | None:
        """The entry of that name, in whatever case."""
        raise NtError(STATUS.NOT_A_DIRECTORY)

    def listing(self) -> Iterable[Listed]:
        """Its entries, in the order of their upper-case names."""
        raise NtError(STATUS.NOT_A_DIRECTORY)

    def create(self, name: str, attributes: int) -> Entry:
        """A new file, or a directory where `attributes` say so. OBJECT_NAME_COLLISION if the name is
        taken.
        """
        raise NtError(STATUS.NOT_A_DIRECTORY)

    def remove(self, name: str) -> None:
        """Take a name away; the node goes with its last name and its last user."""
        raise NtError(STATUS.NOT_A_DIRECTORY)

    def move(self, name: str, target: Node, new_name: str) -> None:
        """Give an entry another name, here or in another directory of the volume, where it is free."""
        raise NtError(STATUS.NOT_A_DIRECTORY)

    def link(self, name: str, node: Node) -> None:
        """Another name for a file of the volume."""
        raise NtError(STATUS.NOT_A_DIRECTORY)

    def storage(self) -> Node:
        """The directory that really takes changes (a merged one makes its writable half)."""
        return self


class Volume:
    """What the driver and volume queries need to know of a volume."""

    root: Node
    file_system = "NTFS"
    read_only = False

    def __init__(self, label: str = "", serial: int = 0x4E54_4F53) -> None:
        self.label = label
        self.serial = serial
        self.created = BOOT_TIME
        self.now: Callable[[], int] = lambda: BOOT_TIME
        """The time files are stamped with; mounting sets the machine's clock."""

    def space(self) -> tuple[int, int]:
        """(bytes in all, bytes free)."""
        raise NotImplementedError


def clusters(size: int) -> int:
    """The allocation size of so many bytes."""
    return (size + CLUSTER - 1) & ~(CLUSTER - 1)
