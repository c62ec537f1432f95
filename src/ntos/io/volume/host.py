"""A folder of the host as a volume: what was mapped, with Windows' rules, and nothing outside it.

Every step of a path is taken from a listing of the directory it stands in, so `..`, odd spellings and names
of another case never reach the host. A symbolic link is followed only where it ends inside the folder. What
is neither a file nor a directory (a socket, a device) is refused. Times are the host's own, because a file's
age is compared with that of files the host wrote.
"""

# A path here is a string, made longer by one checked name at a time.
# ruff: noqa: PTH101, PTH102, PTH104, PTH106, PTH108, PTH110, PTH116, PTH118, PTH208

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from ntos.abi.io import (
    FILE_ATTRIBUTE_ARCHIVE,
    FILE_ATTRIBUTE_DIRECTORY,
    FILE_ATTRIBUTE_HIDDEN,
    FILE_ATTRIBUTE_NORMAL,
    FILE_ATTRIBUTE_READONLY,
    FILE_ATTRIBUTE_REPARSE_POINT,
    FILE_ATTRIBUTE_SYSTEM,
)
from ntos.abi.status import STATUS, Denied, NtError
from ntos.io.volume import names
from ntos.io.volume.node import Basic, Entry, Facts, Listed, Node, Volume
from ntos.rtl.text import case_key
from ntos.rtl.time import from_unix_nanoseconds, to_unix_nanoseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ntos.abi.types import NTSTATUS

MEMORY_ATTRIBUTES = FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM
"""What the host has no place for; kept while the machine runs."""
BLOCK = 512
OWNER_MAY_WRITE = 0o200

_ERRORS: dict[int, NTSTATUS] = {
    errno.ENOENT: STATUS.OBJECT_NAME_NOT_FOUND,
    errno.ENOTDIR: STATUS.OBJECT_PATH_NOT_FOUND,
    errno.EEXIST: STATUS.OBJECT_NAME_COLLISION,
    errno.EACCES: STATUS.ACCESS_DENIED,
    errno.EPERM: STATUS.ACCESS_DENIED,
    errno.EROFS: STATUS.MEDIA_WRITE_PROTECTED,
    errno.ENOSPC: STATUS.DISK_FULL,
    errno.EDQUOT: STATUS.DISK_FULL,
    errno.EFBIG: STATUS.DISK_FULL,
    errno.ENAMETOOLONG: STATUS.OBJECT_NAME_INVALID,
    errno.ENOTEMPTY: STATUS.DIRECTORY_NOT_EMPTY,
    errno.EISDIR: STATUS.FILE_IS_A_DIRECTORY,
    errno.EMFILE: STATUS.TOO_MANY_OPENED_FILES,
    errno.ENFILE: STATUS.TOO_MANY_OPENED_FILES,
    errno.EXDEV: STATUS.NOT_SAME_DEVICE,
    errno.EBUSY: STATUS.SHARING_VIOLATION,
    errno.ETXTBSY: STATUS.SHARING_VIOLATION,
    errno.ELOOP: STATUS.ACCESS_DENIED,
    errno.EMLINK: STATUS.TOO_MANY_LINKS,
    errno.EINVAL: STATUS.INVALID_PARAMETER,
    errno.ENOMEM: STATUS.INSUFFICIENT_RESOURCES,
    errno.EIO: STATUS.IO_DEVICE_ERROR,
    errno.ESTALE: STATUS.FILE_INVALID,
}


@contextmanager
def host_errors(path: str = "") -> Iterator[None]:
    """Turn what the host refuses into the status Windows has for it."""
    try:
        yield
    except OSError as error:
        status = _ERRORS.get(error.errno or 0, STATUS.UNSUCCESSFUL)
        because = None
        if status == STATUS.ACCESS_DENIED:
            inputs = {"path": path, "host error": error.strerror or str(error)}
            because = Denied("host permission", inputs, "give this user the right on the host")
        raise NtError(status, because=because) from None


class HostVolume(Volume):
    """The folder `folder` of the host, all of it and nothing else."""

    def __init__(self, folder: str | Path, label: str = "") -> None:
        self.folder = os.path.realpath(folder)
        found = os.stat(self.folder)
        if not stat.S_ISDIR(found.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
        super().__init__(label, serial=found.st_ino & 0xFFFF_FFFF ^ 0x4E54_4F53)
        self.device = found.st_dev
        self.nodes: WeakValueDictionary[tuple[int, int], HostNode] = WeakValueDictionary()
        self.hidden: dict[tuple[int, int], int] = {}
        """Attributes the host has no place for, by inode."""
        self.root = self.node(self.folder, found)

    def inside(self, path: str) -> bool:
        """Whether a resolved path lies in the folder."""
        return path == self.folder or path.startswith(self.folder.rstrip(os.sep) + os.sep)

    def node(self, path: str, found: os.stat_result) -> HostNode:
        """The one node of an inode; `path` is free of symbolic links."""
        key = (found.st_dev, found.st_ino)
        node = self.nodes.get(key)
        if node is None or node.is_directory != stat.S_ISDIR(found.st_mode):
            kind = HostDirectory if stat.S_ISDIR(found.st_mode) else HostFile
            node = self.nodes[key] = kind(self, path, found)
        elif not node.gone:
            node.path = path
        return node

    def facts(self, found: os.stat_result) -> Facts:
        """A host file's particulars as Windows tells them."""
        directory = stat.S_ISDIR(found.st_mode)
        attributes = self.hidden.get((found.st_dev, found.st_ino), 0)
        attributes |= FILE_ATTRIBUTE_DIRECTORY if directory else FILE_ATTRIBUTE_ARCHIVE
        if not found.st_mode & OWNER_MAY_WRITE and not directory:
            attributes |= FILE_ATTRIBUTE_READONLY
        write, change = from_unix_nanoseconds(found.st_mtime_ns), from_unix_nanoseconds(found.st_ctime_ns)
        return Facts(
            attributes,
            creation=min(write, change),
            access=from_unix_nanoseconds(found.st_atime_ns),
            write=write,
            change=change,
            size=0 if directory else found.st_size,
            allocation=0 if directory else found.st_blocks * BLOCK,
            links=1 if directory else found.st_nlink,
            number=self.number(found),
        )

    def number(self, found: os.stat_result) -> int:
        """The file id: the inode, told apart where another host file system is mounted inside the folder."""
        other = 0 if found.st_dev == self.device else found.st_dev & 0x7FFF
        return (found.st_ino & 0xFFFF_FFFF_FFFF) | other << 48

    def space(self) -> tuple[int, int]:
        with host_errors(self.folder):
            found = os.statvfs(self.folder)
        return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize


class HostNode(Node):
    """An inode of the host and the path it was last found by."""

    volume: HostVolume

    def __init__(self, volume: HostVolume, path: str, found: os.stat_result) -> None:
        super().__init__(volume, volume.number(found))
        self.path = path
        self.key = (found.st_dev, found.st_ino)
        self.gone = False
        """Its name was removed while somebody still used it."""

    def stat(self) -> os.stat_result:
        """Fresh particulars."""
        with host_errors(self.path):
            return os.stat(self.path, follow_symlinks=False)

    def facts(self) -> Facts:
        return self.volume.facts(self.stat())

    def set_basic(self, basic: Basic) -> None:
        found = self.stat()
        with host_errors(self.path):
            if basic.access is not None or basic.write is not None:
                access = found.st_atime_ns if basic.access is None else to_unix_nanoseconds(basic.access)
                write = found.st_mtime_ns if basic.write is None else to_unix_nanoseconds(basic.write)
                os.utime(self.path, ns=(access, write), follow_symlinks=False)
            if basic.attributes is not None:
                self._set_attributes(found, basic.attributes)

    def _set_attributes(self, found: os.stat_result, attributes: int) -> None:
        kept = attributes & MEMORY_ATTRIBUTES
        if kept:
            self.volume.hidden[self.key] = kept
        else:
            self.volume.hidden.pop(self.key, None)
        if stat.S_ISDIR(found.st_mode):
            return
        mode = stat.S_IMODE(found.st_mode)
        wanted = mode & ~0o222 if attributes & FILE_ATTRIBUTE_READONLY else mode | OWNER_MAY_WRITE
        if wanted != mode and (mode & OWNER_MAY_WRITE) != (wanted & OWNER_MAY_WRITE):
            os.chmod(self.path, wanted)


class HostFile(HostNode):
    """A regular file; its descriptor is opened when first needed and closed with the last user."""

    def __init__(self, volume: HostVolume, path: str, found: os.stat_result) -> None:
        super().__init__(volume, path, found)
        self._descriptor = -1
        self._writable = False

    def __del__(self) -> None:
        self.release()

    def stat(self) -> os.stat_result:
        if self._descriptor < 0:
            return super().stat()
        with host_errors(self.path):
            return os.fstat(self._descriptor)

    def prepare(self, *, write: bool) -> None:
        self._open(write=write)

    def _open(self, *, write: bool) -> int:
        if self._descriptor >= 0 and (self._writable or not write):
            return self._descriptor
        flags = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | (os.O_RDWR if write else os.O_RDONLY)
        with host_errors(self.path):
            descriptor = os.open(self.path, flags)
        found = os.fstat(descriptor)
        if (found.st_dev, found.st_ino) != self.key or not stat.S_ISREG(found.st_mode):
            os.close(descriptor)
            raise NtError(STATUS.FILE_INVALID)
        self.release()
        self._descriptor, self._writable = descriptor, write
        return descriptor

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def keep(self) -> None:
        """Hold a descriptor, so that the file outlives its name."""
        if self.users:
            self._open(write=False)

    def read(self, offset: int, size: int) -> bytes:
        descriptor = self._open(write=False)
        with host_errors(self.path):
            return os.pread(descriptor, size, offset)

    def write(self, offset: int, data: bytes) -> None:
        descriptor = self._open(write=True)
        view = memoryview(data)
        with host_errors(self.path):
            while view:
                written = os.pwrite(descriptor, view, offset)
                offset += written
                view = view[written:]

    def resize(self, size: int) -> None:
        descriptor = self._open(write=True)
        with host_errors(self.path):
            os.ftruncate(descriptor, size)

    def flush(self) -> None:
        if self._descriptor >= 0 and self._writable:
            with host_errors(self.path):
                os.fsync(self._descriptor)


class HostDirectory(HostNode):
    """A directory; its names are read once and again when the host says that they changed."""

    is_directory = True

    def __init__(self, volume: HostVolume, path: str, found: os.stat_result) -> None:
        super().__init__(volume, path, found)
        self._stamp = (0, 0)
        self._names: dict[str, str] = {}
        self._exact: frozenset[str] = frozenset()

    def _refresh(self) -> None:
        found = self.stat()
        stamp = (found.st_mtime_ns, found.st_ctime_ns)
        if stamp == self._stamp:
            return
        with host_errors(self.path):
            exact = sorted(name for name in os.listdir(self.path) if _visible(name))
        self._names = {case_key(name): name for name in reversed(exact)}
        self._exact = frozenset(exact)
        self._stamp = stamp

    def forget(self) -> None:
        """Read the names anew next time."""
        self._stamp = (0, 0)

    def spelling(self, name: str) -> str | None:
        """How the host spells a name; the same spelling wins where names differ in case alone."""
        if not _visible(name):
            return None
        self._refresh()
        found = name if name in self._exact else self._names.get(case_key(name))
        if found is None and os.path.lexists(os.path.join(self.path, name)):
            return name  # made by the host within the same tick of its clock
        return found

    def find(self, name: str) -> Entry | None:
        spelled = self.spelling(name)
        if spelled is None:
            return None
        path = os.path.join(self.path, spelled)
        try:
            found = os.stat(path, follow_symlinks=False)
        except FileNotFoundError:
            self.forget()
            return None
        if stat.S_ISLNK(found.st_mode):
            path, found = self._follow(path)
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            raise NtError(
                STATUS.ACCESS_DENIED,
                because=Denied(
                    "only files and directories", {"path": path}, "replace it by an ordinary file"
                ),
            )
        return Entry(spelled, self.volume.node(path, found))

    def _follow(self, path: str) -> tuple[str, os.stat_result]:
        target = os.path.realpath(path)
        if not self.volume.inside(target):
            inputs = {"link": path, "target": target, "folder": self.volume.folder}
            flip = "map a folder that holds the link's target too"
            raise NtError(
                STATUS.ACCESS_DENIED, because=Denied("no way out of the mapped folder", inputs, flip)
            )
        with host_errors(path):
            return target, os.stat(target, follow_symlinks=False)

    def listing(self) -> Iterable[Listed]:
        with host_errors(self.path), os.scandir(self.path) as entries:
            listed = [
                Listed(entry.name, self._listed_facts(entry)) for entry in entries if _visible(entry.name)
            ]
        return sorted(listed, key=lambda found: (case_key(found.name), found.name))

    def _listed_facts(self, entry: os.DirEntry[str]) -> Facts:
        found = entry.stat(follow_symlinks=False)
        if not stat.S_ISLNK(found.st_mode):
            return self.volume.facts(found)
        target = os.path.realpath(entry.path)
        if self.volume.inside(target) and os.path.exists(target):
            return self.volume.facts(os.stat(target))
        facts = self.volume.facts(found)
        facts.attributes |= FILE_ATTRIBUTE_REPARSE_POINT
        facts.size = facts.allocation = 0
        return facts

    def create(self, name: str, attributes: int) -> Entry:
        if self.spelling(name) is not None:
            raise NtError(STATUS.OBJECT_NAME_COLLISION)
        path = os.path.join(self.path, _encodable(name))
        with host_errors(path):
            if attributes & FILE_ATTRIBUTE_DIRECTORY:
                os.mkdir(path)
            else:
                os.close(
                    os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
                )
            found = os.stat(path, follow_symlinks=False)
        self.forget()
        node = self.volume.node(path, found)
        if isinstance(node, HostFile):
            node.prepare(write=True)
        if attributes & (MEMORY_ATTRIBUTES | FILE_ATTRIBUTE_READONLY):
            node.set_basic(Basic(attributes=attributes & ~FILE_ATTRIBUTE_NORMAL))
        return Entry(name, node)

    def remove(self, name: str) -> None:
        spelled = self.spelling(name)
        if spelled is None:
            raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
        path = os.path.join(self.path, spelled)
        with host_errors(path):
            found = os.stat(path, follow_symlinks=False)
            node = self.volume.nodes.get((found.st_dev, found.st_ino))
            if isinstance(node, HostFile):
                node.keep()
            if stat.S_ISDIR(found.st_mode):
                os.rmdir(path)
            else:
                os.unlink(path)
        if node is not None and found.st_nlink <= 1:
            node.gone = True
            self.volume.nodes.pop(node.key, None)
            self.volume.hidden.pop(node.key, None)
        self.forget()

    def move(self, name: str, target: Node, new_name: str) -> None:
        if not isinstance(target, HostDirectory) or target.volume is not self.volume:
            raise NtError(STATUS.NOT_SAME_DEVICE)
        spelled, taken = self.spelling(name), target.spelling(new_name)
        if spelled is None:
            raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
        if taken is not None and (target is not self or taken != spelled):
            raise NtError(STATUS.OBJECT_NAME_COLLISION)
        old, new = os.path.join(self.path, spelled), os.path.join(target.path, _encodable(new_name))
        with host_errors(old):
            os.rename(old, new)
        self.forget()
        target.forget()
        for node in list(self.volume.nodes.values()):
            if node.path == old or node.path.startswith(old + os.sep):
                node.path = new + node.path[len(old) :]

    def link(self, name: str, node: Node) -> None:
        if not isinstance(node, HostFile) or node.volume is not self.volume:
            raise NtError(STATUS.NOT_SAME_DEVICE)
        if self.spelling(name) is not None:
            raise NtError(STATUS.OBJECT_NAME_COLLISION)
        with host_errors(node.path):
            os.link(node.path, os.path.join(self.path, _encodable(name)), follow_symlinks=False)
        self.forget()


def _visible(name: str) -> bool:
    """Whether Windows could spell the name; others stay out of its sight."""
    return names.is_legal(name) and (
        name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)
    )


def _encodable(name: str) -> str:
    if not _visible(name):
        raise NtError(STATUS.OBJECT_NAME_INVALID)
    return name
