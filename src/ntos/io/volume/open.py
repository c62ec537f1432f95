"""Opening files on a volume: dispositions, deletion that is under way, attributes, sharing ([MS-FSA]
2.1.5.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.access import (
    DELETE,
    FILE_ADD_FILE,
    FILE_ADD_SUBDIRECTORY,
    FILE_ALL_ACCESS,
    FILE_APPEND_DATA,
    FILE_READ_ATTRIBUTES,
    FILE_WRITE_ATTRIBUTES,
    FILE_WRITE_DATA,
    FILE_WRITE_EA,
    MAXIMUM_ALLOWED,
)
from ntos.abi.io import (
    FILE_ATTRIBUTE_ARCHIVE,
    FILE_ATTRIBUTE_DIRECTORY,
    FILE_ATTRIBUTE_HIDDEN,
    FILE_ATTRIBUTE_NORMAL,
    FILE_ATTRIBUTE_READONLY,
    FILE_ATTRIBUTE_SYSTEM,
    FILE_ATTRIBUTE_VALID_SET_FLAGS,
    FILE_CREATE,
    FILE_CREATED,
    FILE_DELETE_ON_CLOSE,
    FILE_DIRECTORY_FILE,
    FILE_NON_DIRECTORY_FILE,
    FILE_OPEN,
    FILE_OPEN_BY_FILE_ID,
    FILE_OPENED,
    FILE_OVERWRITE,
    FILE_OVERWRITE_IF,
    FILE_OVERWRITTEN,
    FILE_SUPERSEDE,
    FILE_SUPERSEDED,
)
from ntos.abi.layout.section import SECTION_OBJECT_POINTERS
from ntos.abi.status import STATUS, Denied, NtError
from ntos.io.volume import acl, names
from ntos.io.volume.link import Link, walk
from ntos.io.volume.node import Basic, Listed
from ntos.io.volume.sharing import Claim

if TYPE_CHECKING:
    from ntos.io.driver import Opening
    from ntos.io.file import FileObject
    from ntos.io.request import Request
    from ntos.io.volume.node import Node

OVERWRITING = frozenset((FILE_SUPERSEDE, FILE_OVERWRITE, FILE_OVERWRITE_IF))
PROTECTED_FILE = FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_ATTRIBUTES | FILE_WRITE_EA | DELETE
PROTECTED_DIRECTORY = DELETE
GUARDED_ATTRIBUTES = FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM


class Watch:
    """What an open directory was asked to report (FsRtlNotifyFullChangeDirectory)."""

    def __init__(self, completion_filter: int, size: int, *, tree: bool) -> None:
        self.filter = completion_filter
        self.size = size
        self.tree = tree
        self.records: list[tuple[int, str]] = []
        self.overflown = False
        self.requests: list[Request] = []


class VolumeOpen:
    """What the driver keeps with an open (FsContext2): the name it was opened by, and where a listing
    stands.
    """

    def __init__(self, file: FileObject, link: Link, access: int) -> None:
        self.file = file
        self.link = link
        self.access = access
        self.delete_on_close = False
        self.posix_delete = False
        self.pattern: str | None = None
        self.scan: list[Listed] | None = None
        self.position = 0
        self.watch: Watch | None = None
        self.cleaned = False

    @property
    def node(self) -> Node:
        """The file or directory itself."""
        return self.link.node

    @property
    def append_only(self) -> bool:
        """Whether writes always go to the end."""
        return self.access & (FILE_WRITE_DATA | FILE_APPEND_DATA) == FILE_APPEND_DATA


def find(root: Link, file: FileObject, opening: Opening) -> tuple[Link, str, Link | None, bool]:
    """Follow the path of a create request: (directory, last name, link if it exists, ends in a backslash)."""
    start = root
    if opening.related is not None:
        related = opening.related.context
        if not isinstance(related, VolumeOpen):
            raise NtError(STATUS.INVALID_PARAMETER)
        start = related.link
        if start.removed:
            raise NtError(
                STATUS.FILE_DELETED if not start.node.is_directory else STATUS.OBJECT_PATH_NOT_FOUND
            )
        if opening.name.startswith("\\"):
            raise NtError(STATUS.INVALID_PARAMETER)
    path = names.split(opening.name)
    directory, name, link = walk(start, path.components)
    return directory, name, link, path.directory


def open_existing(link: Link, file: FileObject, opening: Opening, *, slash: bool) -> VolumeOpen:
    """Open what is there."""
    node, options = link.node, opening.options
    if link.delete_pending:
        because = Denied("delete pending", {"path": link.path}, "wait until its last handle is closed")
        raise NtError(STATUS.DELETE_PENDING, because=because)
    if node.is_directory:
        if options & FILE_NON_DIRECTORY_FILE:
            raise NtError(STATUS.FILE_IS_A_DIRECTORY)
    elif slash:
        raise NtError(STATUS.OBJECT_NAME_INVALID)
    elif options & FILE_DIRECTORY_FILE:
        raise NtError(STATUS.NOT_A_DIRECTORY)
    if opening.disposition == FILE_CREATE or (node.is_directory and opening.disposition in OVERWRITING):
        raise NtError(STATUS.OBJECT_NAME_COLLISION)
    access = _granted(link, opening)
    claim = Claim.of(access, opening.share)
    _check_sharing(link, opening, claim, file)
    overwrite = opening.disposition in OVERWRITING
    if overwrite and data_mapped(link.node, file):
        raise NtError(STATUS.USER_MAPPED_FILE)
    if not node.is_directory and not opening.query:
        node.prepare(write=overwrite or bool(access & (FILE_WRITE_DATA | FILE_APPEND_DATA)))
    if overwrite:
        _overwrite(node, opening)
    supersede = opening.disposition == FILE_SUPERSEDE
    opening.information = FILE_SUPERSEDED if supersede else FILE_OVERWRITTEN if overwrite else FILE_OPENED
    return _admit(link, file, opening, access, claim)


def create_new(directory: Link, name: str, file: FileObject, opening: Opening, *, slash: bool) -> VolumeOpen:
    """Make what is not there."""
    if opening.disposition in {FILE_OPEN, FILE_OVERWRITE} or opening.options & FILE_OPEN_BY_FILE_ID:
        raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
    is_directory = bool(opening.options & FILE_DIRECTORY_FILE)
    if slash and not is_directory:
        raise NtError(STATUS.OBJECT_NAME_INVALID)
    if directory.delete_pending:
        raise NtError(STATUS.DELETE_PENDING)
    attributes = opening.attributes & FILE_ATTRIBUTE_VALID_SET_FLAGS & ~FILE_ATTRIBUTE_NORMAL
    if attributes & FILE_ATTRIBUTE_READONLY and opening.options & FILE_DELETE_ON_CLOSE:
        raise NtError(STATUS.CANNOT_DELETE)
    if directory.node.volume.read_only:
        raise NtError(STATUS.MEDIA_WRITE_PROTECTED)
    acl.check(opening.thread, directory.node, FILE_ADD_SUBDIRECTORY if is_directory else FILE_ADD_FILE)
    attributes |= FILE_ATTRIBUTE_DIRECTORY if is_directory else FILE_ATTRIBUTE_ARCHIVE
    entry = directory.node.create(name, attributes)
    opening.information = FILE_CREATED
    # Whoever creates a file gets the access it asked for, even if the file itself is read-only.
    access = opening.access
    if access & MAXIMUM_ALLOWED:
        access = access & ~MAXIMUM_ALLOWED | FILE_ALL_ACCESS
    return _admit(
        directory.adopt(entry.name, entry.node), file, opening, access, Claim.of(access, opening.share)
    )


def _admit(link: Link, file: FileObject, opening: Opening, access: int, claim: Claim) -> VolumeOpen:
    opened = VolumeOpen(file, link, access)
    opening.access = access
    if opening.options & FILE_DELETE_ON_CLOSE:
        opened.delete_on_close = True
    if not opening.query:
        link.node.sharing.add(file.address, claim)
    link.opens += 1
    link.node.users += 1
    return opened


def _granted(link: Link, opening: Opening) -> int:
    """The access granted to an existing file, or why not."""
    node = link.node
    overwriting = FILE_WRITE_DATA if opening.disposition in OVERWRITING else 0
    allowed = acl.check(opening.thread, node, opening.access | overwriting)
    access = opening.access
    if access & MAXIMUM_ALLOWED and opening.thread is not None:
        access = allowed | MAXIMUM_ALLOWED
    forbidden, rule, flip = 0, "", ""
    if node.protected:
        forbidden = PROTECTED_DIRECTORY if node.is_directory else PROTECTED_FILE
        rule, flip = "system files are read-only", "put a file of that name on the volume below"
    elif not node.is_directory and node.read_only:
        forbidden = FILE_WRITE_DATA | FILE_APPEND_DATA
        rule, flip = "the READONLY attribute forbids writing", "clear the attribute first"
    if access & MAXIMUM_ALLOWED:
        most = FILE_ALL_ACCESS if opening.thread is None else allowed
        access = (access & ~MAXIMUM_ALLOWED | most) & ~forbidden
    wanted = access & forbidden
    if opening.disposition in OVERWRITING and forbidden & FILE_WRITE_DATA:
        wanted |= FILE_WRITE_DATA
    if wanted:
        inputs = {"path": link.path, "wanted": f"0x{opening.access:X}", "forbidden": f"0x{forbidden:X}"}
        raise NtError(STATUS.ACCESS_DENIED, because=Denied(rule, inputs, flip))
    if opening.options & FILE_DELETE_ON_CLOSE and (link.parent is None or node.protected or node.read_only):
        raise NtError(STATUS.CANNOT_DELETE)
    return access | FILE_READ_ATTRIBUTES if opening.query else access


def _check_sharing(link: Link, opening: Opening, claim: Claim, file: FileObject) -> None:
    if opening.query:
        return
    asked = claim
    if opening.disposition in OVERWRITING:
        supersede = opening.disposition == FILE_SUPERSEDE
        asked = Claim(claim.reads, claim.writes or not supersede, claim.deletes or supersede, claim.share)
    if (asked.writes or opening.options & FILE_DELETE_ON_CLOSE) and image_mapped(link.node, file):
        if opening.options & FILE_DELETE_ON_CLOSE:
            raise NtError(STATUS.CANNOT_DELETE)
        because = Denied(
            "a running image is not written", {"path": link.path}, "end the processes that run it"
        )
        raise NtError(STATUS.SHARING_VIOLATION, because=because)
    link.node.sharing.check(asked, link.path)


def _overwrite(node: Node, opening: Opening) -> None:
    present = node.facts().attributes
    if present & GUARDED_ATTRIBUTES & ~opening.attributes:
        because = Denied(
            "a hidden or system file is overwritten only by one that is so too",
            {"attributes": f"0x{present:X}", "asked": f"0x{opening.attributes:X}"},
            "give the same attributes",
        )
        raise NtError(STATUS.ACCESS_DENIED, because=because)
    node.resize(0)
    kept = opening.attributes & FILE_ATTRIBUTE_VALID_SET_FLAGS | FILE_ATTRIBUTE_ARCHIVE
    node.set_basic(Basic(attributes=kept & ~FILE_ATTRIBUTE_NORMAL))


def image_mapped(node: Node, file: FileObject) -> bool:
    """Whether an image section of the file exists; it can then be neither written nor deleted."""
    return _pointers(node, file, "ImageSectionObject")


def data_mapped(node: Node, file: FileObject) -> bool:
    """Whether a data section of the file exists; it can then not be cut."""
    return _pointers(node, file, "DataSectionObject")


def _pointers(node: Node, file: FileObject, field: str) -> bool:
    if not node.section_pointers:
        return False
    return bool(getattr(SECTION_OBJECT_POINTERS(file.kernel.memory, node.section_pointers), field))
