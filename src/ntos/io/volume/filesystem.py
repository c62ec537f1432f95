"""The file system driver: the rules of NTFS over whatever volume it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.io import (
    FILE_ACTION_ADDED,
    FILE_ACTION_MODIFIED,
    FILE_CREATED,
    FILE_DIRECTORY_FILE,
    FILE_DISPOSITION_DELETE,
    FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE,
    FILE_DISPOSITION_ON_CLOSE,
    FILE_DISPOSITION_POSIX_SEMANTICS,
    FILE_INFORMATION_CLASS,
    FILE_NOTIFY_CHANGE_ATTRIBUTES,
    FILE_NOTIFY_CHANGE_DIR_NAME,
    FILE_NOTIFY_CHANGE_FILE_NAME,
    FILE_NOTIFY_CHANGE_LAST_WRITE,
    FILE_NOTIFY_CHANGE_SIZE,
    FILE_OPEN_BY_FILE_ID,
    FS_INFORMATION_CLASS,
)
from ntos.abi.status import STATUS, Denied, NtError
from ntos.etw.event import FileDeleted, FileRenamed
from ntos.io.driver import Driver
from ntos.io.volume import information, listing, naming
from ntos.io.volume.link import Link
from ntos.io.volume.locks import Lock, Owner
from ntos.io.volume.node import MAXIMUM_FILE_SIZE
from ntos.io.volume.notify import Notifier
from ntos.io.volume.open import VolumeOpen, Watch, create_new, data_mapped, find, open_existing

if TYPE_CHECKING:
    from ntos.io.device import Device
    from ntos.io.driver import Opening
    from ntos.io.file import FileObject
    from ntos.io.request import Request
    from ntos.io.volume.node import Node, Volume
    from ntos.ke.thread import Thread

_C = FILE_INFORMATION_CLASS
WRITE_TO_END = -1
FSCTL_GET_REPARSE_POINT = 0x900A8
FSCTL_IS_VOLUME_MOUNTED = 0x90028
FSCTL_SET_SPARSE = 0x900C4
FSCTL_GET_COMPRESSION = 0x9003C


class FileSystem(Driver):
    """One mounted volume. Its device's file objects keep a `VolumeOpen`."""

    name = "Ntfs"
    file_system = True

    def __init__(self, volume: Volume) -> None:
        self.volume = volume
        self.root = Link(None, "", volume.root)
        self.notifier = Notifier()
        self._paths: dict[int, str] = {}
        """By file id: where a file was whose id somebody has asked for."""

    # ------------------------------------------------------------ open and close

    def create(self, device: Device, file: FileObject, opening: Opening) -> None:
        if opening.options & FILE_OPEN_BY_FILE_ID:
            opening.name, opening.related = self._path_of(opening.name), None
        directory, name, link, slash = find(self.root, file, opening)
        if opening.target_directory:
            opening.name, opening.options = name, opening.options | FILE_DIRECTORY_FILE
            link = directory
        if link is not None:
            opened = open_existing(link, file, opening, slash=slash)
        else:
            opened = create_new(directory, name, file, opening, slash=slash)
        file.context = opened
        file.use_sections(opened.node)
        if opening.information == FILE_CREATED:
            kind = FILE_NOTIFY_CHANGE_DIR_NAME if opened.node.is_directory else FILE_NOTIFY_CHANGE_FILE_NAME
            self.notifier.report(kind, (FILE_ACTION_ADDED, directory, opened.link.name))
        file.name = opened.link.path

    def _path_of(self, name: str) -> str:
        data = name.encode("utf-16-le", "surrogatepass")
        if len(data) not in {8, 16}:
            raise NtError(STATUS.INVALID_PARAMETER)
        number = int.from_bytes(data[:8], "little")
        if number not in self._paths:
            raise NtError(STATUS.INVALID_PARAMETER)
        return self._paths[number]

    def cleanup(self, file: FileObject) -> None:
        opened = _open_of(file)
        if opened.cleaned:
            return
        opened.cleaned = True
        self.notifier.forget(opened)
        node, link = opened.node, opened.link
        node.locks.unlock_all(file.address)
        node.sharing.remove(file.address)
        link.opens -= 1
        if opened.delete_on_close and not link.removed and not link.delete_pending:
            self._mark(opened, posix=False)
        if link.delete_pending and not link.removed and (link.opens == 0 or opened.posix_delete):
            self._remove(file, link)

    def _mark(self, opened: VolumeOpen, *, posix: bool) -> None:
        opened.link.delete_pending = True
        opened.posix_delete = posix
        if opened.node.is_directory:
            self.notifier.deleted(opened.link)

    def _remove(self, file: FileObject, link: Link) -> None:
        path = link.path
        try:
            naming.remove_name(link, self.notifier)
        except NtError:
            # Nobody is left to be told; the file simply stays (a directory that was filled meanwhile).
            link.delete_pending = False
            return
        link.delete_pending = False
        file.kernel.log.emit(FileDeleted(path=file.device.path + path))

    def close(self, file: FileObject) -> None:
        node = _open_of(file).node
        node.users -= 1
        if node.users == 0:
            file.release_sections(node)
            node.release()

    # ------------------------------------------------------------ bytes

    def read(self, request: Request) -> None:
        file, node = request.file, self._data(request.file)
        owner = Owner(file.address, request.process.address, request.key)
        node.locks.check(request.offset, request.length, owner, write=False)
        data = file.read_through(node, request.offset, request.length)
        if not data and request.length:
            raise NtError(STATUS.END_OF_FILE)
        request.complete(STATUS.SUCCESS, len(data), data)
        file.moved(request.offset + len(data))

    def write(self, request: Request) -> None:
        file, node = request.file, self._data(request.file)
        opened = _open_of(file)
        offset = request.offset
        if offset == WRITE_TO_END or opened.append_only:
            offset = node.size
        size = len(request.data)
        if offset + size > MAXIMUM_FILE_SIZE:
            raise NtError(STATUS.INVALID_PARAMETER)
        owner = Owner(file.address, request.process.address, request.key)
        node.locks.check(offset, size, owner, write=True)
        grows = offset + size > node.size
        if size:
            file.write_through(node, offset, request.data)
            self._modified(
                opened.link, FILE_NOTIFY_CHANGE_LAST_WRITE | (FILE_NOTIFY_CHANGE_SIZE if grows else 0)
            )
        request.complete(STATUS.SUCCESS, size)
        file.moved(offset + size)

    def flush(self, request: Request) -> None:
        opened = _open_of(request.file)
        if not opened.node.is_directory:
            opened.node.flush()
        request.complete()

    def lock(self, request: Request, *, exclusive: bool, fail_immediately: bool) -> None:
        node = self._data(request.file)
        if request.offset < 0 or request.length < 0 or request.offset + request.length > 1 << 64:
            raise NtError(STATUS.INVALID_LOCK_RANGE)
        owner = Owner(request.file.address, request.process.address, request.key)
        lock = Lock(request.offset, request.length, exclusive, owner)
        if node.locks.try_lock(lock):
            request.complete()
        elif fail_immediately:
            because = Denied(
                "byte-range lock", {"start": lock.start, "length": lock.length}, "unlock the range"
            )
            raise NtError(STATUS.LOCK_NOT_GRANTED, because=because)
        else:
            waiting = node.locks.wait(lock, request.complete)
            request.pend(
                lambda: node.locks.waiting.remove(waiting) if waiting in node.locks.waiting else None
            )

    def unlock(self, request: Request) -> None:
        owner = Owner(request.file.address, request.process.address, request.key)
        self._data(request.file).locks.unlock(request.offset, request.length, owner)
        request.complete()

    def _data(self, file: FileObject) -> Node:
        node = _open_of(file).node
        if node.is_directory:
            raise NtError(STATUS.INVALID_DEVICE_REQUEST)
        return node

    # ------------------------------------------------------------ information

    def query_information(self, file: FileObject, kind: int) -> bytes:
        opened = _open_of(file)
        if kind in {_C.FileInternalInformation, _C.FileIdInformation, _C.FileAllInformation}:
            self._paths[opened.node.number] = opened.link.path
        return information.query(opened, kind)

    def set_information(self, file: FileObject, kind: int, data: bytes, thread: Thread) -> None:
        opened = _open_of(file)
        match kind:
            case _C.FileBasicInformation:
                self._set_basic(opened, data)
            case _C.FileDispositionInformation:
                self._dispose(opened, FILE_DISPOSITION_DELETE if data[0] else 0)
            case _C.FileDispositionInformationEx:
                self._dispose(opened, int.from_bytes(data[:4], "little"))
            case _C.FileEndOfFileInformation:
                self._resize(file, opened, int.from_bytes(data[:8], "little", signed=True))
            case _C.FileAllocationInformation:
                size = int.from_bytes(data[:8], "little", signed=True)
                if size < 0:
                    raise NtError(STATUS.INVALID_PARAMETER)
                if size < self._data(file).size:
                    self._resize(file, opened, size)
            case _C.FileValidDataLengthInformation:
                if int.from_bytes(data[:8], "little", signed=True) > self._data(file).size:
                    raise NtError(STATUS.INVALID_PARAMETER)
            case _:
                raise NtError(STATUS.INVALID_PARAMETER)

    def _set_basic(self, opened: VolumeOpen, data: bytes) -> None:
        if opened.node.protected and not opened.node.is_directory:
            raise NtError(STATUS.ACCESS_DENIED)
        opened.node.set_basic(information.parse_basic(opened.node, data))
        self._modified(opened.link, FILE_NOTIFY_CHANGE_ATTRIBUTES | FILE_NOTIFY_CHANGE_LAST_WRITE)

    def _dispose(self, opened: VolumeOpen, flags: int) -> None:
        if flags & FILE_DISPOSITION_ON_CLOSE:
            opened.delete_on_close = bool(flags & FILE_DISPOSITION_DELETE)
            return
        if not flags & FILE_DISPOSITION_DELETE:
            opened.link.delete_pending = False
            return
        if opened.link.removed:
            raise NtError(STATUS.FILE_DELETED)
        ignore = bool(flags & FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE)
        naming.check_deletable(opened, ignore_read_only=ignore)
        self._mark(opened, posix=bool(flags & FILE_DISPOSITION_POSIX_SEMANTICS))

    def _resize(self, file: FileObject, opened: VolumeOpen, size: int) -> None:
        node = self._data(file)
        if not 0 <= size <= MAXIMUM_FILE_SIZE:
            raise NtError(STATUS.INVALID_PARAMETER)
        if size < node.size and data_mapped(node, file):
            because = Denied("a mapped file is not cut", {"path": opened.link.path}, "unmap its sections")
            raise NtError(STATUS.USER_MAPPED_FILE, because=because)
        if size != node.size:
            node.resize(size)
            self._modified(opened.link, FILE_NOTIFY_CHANGE_SIZE | FILE_NOTIFY_CHANGE_LAST_WRITE)

    def rename(self, file: FileObject, directory: FileObject, name: str, flags: int, *, link: bool) -> None:
        """Rename or (`link`) link the file to `name` in an open directory of the same volume."""
        opened, target = _open_of(file), _open_of(directory)
        if link:
            naming.hard_link(opened, target.link, name, flags, self.notifier)
            return
        before = naming.rename(opened, target.link, name, flags, self.notifier)
        file.name = opened.link.path
        prefix = file.device.path
        file.kernel.log.emit(
            FileRenamed(path=prefix + before, target=prefix + target.link.path.rstrip("\\") + "\\" + name)
        )

    def _modified(self, link: Link, kind: int) -> None:
        if link.parent is not None and not link.removed:
            self.notifier.report(kind, (FILE_ACTION_MODIFIED, link.parent, link.name))

    # ------------------------------------------------------------ directories and volumes

    def query_directory(self, request: Request, kind: int, pattern: str | None, flags: int) -> None:
        listing.query(request, _open_of(request.file), kind, pattern, flags)

    def notify_change(self, request: Request, completion_filter: int, *, tree: bool) -> None:
        opened = _open_of(request.file)
        if not opened.node.is_directory:
            raise NtError(STATUS.INVALID_PARAMETER)
        if opened.link.delete_pending or opened.link.removed:
            raise NtError(STATUS.DELETE_PENDING)
        self.notifier.watch(opened, request, Watch(completion_filter, request.length, tree=tree))

    def query_volume(self, file: FileObject, kind: int) -> bytes:
        return information.query_volume(self.volume, kind)

    def set_volume(self, file: FileObject, kind: int, data: bytes) -> None:
        if kind != FS_INFORMATION_CLASS.FileFsLabelInformation:
            raise NtError(STATUS.INVALID_PARAMETER)
        size = int.from_bytes(data[:4], "little")
        if size > 64 or 4 + size > len(data):
            raise NtError(STATUS.INVALID_VOLUME_LABEL)
        self.volume.label = data[4 : 4 + size].decode("utf-16-le", "surrogatepass")

    def file_system_control(self, request: Request) -> None:
        match request.code:
            case code if code == FSCTL_GET_REPARSE_POINT:
                raise NtError(STATUS.NOT_A_REPARSE_POINT)
            case code if code in {FSCTL_IS_VOLUME_MOUNTED, FSCTL_SET_SPARSE}:
                # Every file here is sparse already.
                request.complete()
            case code if code == FSCTL_GET_COMPRESSION:
                request.complete(STATUS.SUCCESS, 2, bytes(2)[: request.length])
            case _:
                raise NtError(STATUS.INVALID_DEVICE_REQUEST)


def _open_of(file: FileObject) -> VolumeOpen:
    opened = file.context
    assert isinstance(opened, VolumeOpen)
    return opened
