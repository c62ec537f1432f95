"""Changing names: renaming, hard links, deletion ([MS-FSA] 2.1.5.14.11, 2.1.5.14.6, 2.1.5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.io import (
    FILE_ACTION_ADDED,
    FILE_ACTION_REMOVED,
    FILE_ACTION_RENAMED_NEW_NAME,
    FILE_ACTION_RENAMED_OLD_NAME,
    FILE_NOTIFY_CHANGE_DIR_NAME,
    FILE_NOTIFY_CHANGE_FILE_NAME,
    FILE_RENAME_POSIX_SEMANTICS,
    FILE_RENAME_REPLACE_IF_EXISTS,
)
from ntos.abi.status import STATUS, Denied, NtError
from ntos.io.volume import names
from ntos.io.volume.open import image_mapped

if TYPE_CHECKING:
    from ntos.io.file import FileObject
    from ntos.io.volume.link import Link
    from ntos.io.volume.notify import Notifier
    from ntos.io.volume.open import VolumeOpen

IGNORE_READONLY = 0x40
"""FILE_RENAME_IGNORE_READONLY_ATTRIBUTE, FILE_LINK_IGNORE_READONLY_ATTRIBUTE."""


def rename(opened: VolumeOpen, directory: Link, name: str, flags: int, notifier: Notifier) -> str:
    """Give the open file another name in `directory`; gives the old path."""
    link = opened.link
    names.check(name)
    _may_rename(link, directory)
    before = link.path
    old_directory, old_name = link.parent, link.name
    assert old_directory is not None
    target = directory.child(name)
    if target is link:
        if name == link.name:
            return before
    elif target is not None:
        if target.node is link.node:
            # Another hard link of the same file: the old name just goes.
            remove_name(link, notifier)
            return before
        _replace(target, opened.file, flags, notifier)
    old_directory.node.storage().move(old_name, directory.node.storage(), name)
    link.renamed(directory, name)
    kind = FILE_NOTIFY_CHANGE_DIR_NAME if link.node.is_directory else FILE_NOTIFY_CHANGE_FILE_NAME
    if old_directory is directory:
        notifier.report(
            kind,
            (FILE_ACTION_RENAMED_OLD_NAME, old_directory, old_name),
            (FILE_ACTION_RENAMED_NEW_NAME, directory, name),
        )
    else:
        notifier.report(kind, (FILE_ACTION_REMOVED, old_directory, old_name))
        notifier.report(kind, (FILE_ACTION_ADDED, directory, name))
    return before


def _may_rename(link: Link, directory: Link) -> None:
    if link.parent is None:
        raise NtError(STATUS.INVALID_PARAMETER)
    if link.removed or link.delete_pending:
        raise NtError(STATUS.DELETE_PENDING)
    if directory.delete_pending:
        raise NtError(STATUS.DELETE_PENDING)
    if link.node.protected:
        raise NtError(STATUS.ACCESS_DENIED, because=_protected(link))
    if link.node.is_directory:
        if directory.is_below(link):
            raise NtError(STATUS.INVALID_PARAMETER)
        if link.open_below():
            because = Denied("a directory with open files is not renamed", {"path": link.path}, "close them")
            raise NtError(STATUS.ACCESS_DENIED, because=because)


def _replace(target: Link, file: FileObject, flags: int, notifier: Notifier) -> None:
    """Take away what bears the new name, if the caller asked for it and nothing forbids it."""
    inputs = {"target": target.path}
    if not flags & FILE_RENAME_REPLACE_IF_EXISTS:
        because = Denied("the new name exists", inputs, "ask to replace it")
        raise NtError(STATUS.OBJECT_NAME_COLLISION, because=because)
    if target.node.is_directory:
        raise NtError(
            STATUS.ACCESS_DENIED, because=Denied("a directory is not replaced", inputs, "remove it first")
        )
    if target.node.protected:
        raise NtError(STATUS.ACCESS_DENIED, because=_protected(target))
    if target.node.read_only and not flags & IGNORE_READONLY:
        because = Denied("a READONLY file is not replaced", inputs, "clear the attribute")
        raise NtError(STATUS.ACCESS_DENIED, because=because)
    if image_mapped(target.node, file):
        because = Denied("a running image is not replaced", inputs, "end the processes that run it")
        raise NtError(STATUS.ACCESS_DENIED, because=because)
    if target.opens:
        posix = flags & FILE_RENAME_POSIX_SEMANTICS
        if not posix:
            because = Denied(
                "an open file is not replaced", inputs, "close it, or rename with POSIX semantics"
            )
            raise NtError(STATUS.ACCESS_DENIED, because=because)
        if any(not claim.share & 4 for claim in target.node.sharing):
            because = Denied("the target's opens do not share delete", inputs, "close them")
            raise NtError(STATUS.SHARING_VIOLATION, because=because)
    if target.delete_pending:
        raise NtError(STATUS.DELETE_PENDING)
    remove_name(target, notifier)


def hard_link(opened: VolumeOpen, directory: Link, name: str, flags: int, notifier: Notifier) -> None:
    """Another name for the open file."""
    link = opened.link
    names.check(name)
    if link.node.is_directory:
        raise NtError(STATUS.FILE_IS_A_DIRECTORY)
    if link.removed or link.delete_pending:
        raise NtError(STATUS.ACCESS_DENIED)
    if link.node.protected:
        raise NtError(STATUS.ACCESS_DENIED, because=_protected(link))
    target = directory.child(name)
    if target is not None:
        if target.node is link.node:
            return
        _replace(target, opened.file, flags, notifier)
    directory.node.storage().link(name, link.node)
    notifier.report(FILE_NOTIFY_CHANGE_FILE_NAME, (FILE_ACTION_ADDED, directory, name))


def check_deletable(opened: VolumeOpen, *, ignore_read_only: bool = False) -> None:
    """Whether the file may be marked for deletion, or why not."""
    link, node = opened.link, opened.node
    inputs = {"path": link.path}
    if link.parent is None:
        raise NtError(STATUS.CANNOT_DELETE)
    if node.protected:
        raise NtError(STATUS.CANNOT_DELETE, because=_protected(link))
    if node.read_only and not ignore_read_only:
        because = Denied("a READONLY file is not deleted", inputs, "clear the attribute")
        raise NtError(STATUS.CANNOT_DELETE, because=because)
    if image_mapped(node, opened.file):
        because = Denied("a running image is not deleted", inputs, "end the processes that run it")
        raise NtError(STATUS.CANNOT_DELETE, because=because)
    if node.is_directory and any(True for _ in node.listing()):
        raise NtError(STATUS.DIRECTORY_NOT_EMPTY)


def remove_name(link: Link, notifier: Notifier) -> None:
    """Take the name off the volume now."""
    directory = link.parent
    assert directory is not None
    directory.node.storage().remove(link.name)
    link.forget()
    kind = FILE_NOTIFY_CHANGE_DIR_NAME if link.node.is_directory else FILE_NOTIFY_CHANGE_FILE_NAME
    notifier.report(kind, (FILE_ACTION_REMOVED, directory, link.name))


def _protected(link: Link) -> Denied:
    return Denied(
        "system files are read-only", {"path": link.path}, "put a file of that name on the volume below"
    )
