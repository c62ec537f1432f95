"""System services for keys: create, open, ask, enumerate, rename, delete."""

from __future__ import annotations

import struct

from ntos import ob
from ntos.abi import access as rights
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.ob import OBJ_INHERIT, OBJ_OPENIF
from ntos.abi.pointer import In, Out
from ntos.abi.registry import (
    KEY_INFORMATION_CLASS,
    KEY_SET_INFORMATION_CLASS,
    REG_CREATED_NEW_KEY,
    REG_OPENED_EXISTING_KEY,
)
from ntos.abi.status import STATUS, GuestFault, NtError
from ntos.abi.types import ACCESS_MASK, HANDLE, NTSTATUS, PVOID, ULONG
from ntos.cm import control_block
from ntos.cm.information import about_key, about_subkey, deliver
from ntos.cm.key import KEY, Creation, Key, Opening
from ntos.cm.node import MAXIMUM_NAME
from ntos.cm.registry import Registry
from ntos.ke.service import service
from ntos.ke.thread import Thread
from ntos.ob.namespace import find, root_object
from ntos.ob.types import ParseRequest
from ntos.rtl.text import unit_count

CREATE_OPTIONS = 0x1F
OPEN_OPTIONS = 0x1C
WOW64_PARTIAL = "KEY_WOW64_32KEY opens the 64-bit view"


def open_key(
    thread: Thread,
    attributes: OBJECT_ATTRIBUTES,
    access: int,
    context: Creation | Opening,
) -> int:
    """A handle to the key the attributes name, created where the context says so.

    The configuration manager reads the name before anything else: none is ACCESS_VIOLATION, not a bad name.
    """
    if not attributes.ObjectName:
        raise GuestFault(0, 0)
    said = ob.capture(attributes, KEY)
    assert said.name is not None
    if isinstance(context, Creation):
        context.security_descriptor = said.security_descriptor
    request = ParseRequest(KEY, access, said.flags & ~OBJ_OPENIF, said.name, context)
    key = find(thread, request, root_object(thread, said.root))
    try:
        granted = request.granted
        assert granted is not None, "only the parse procedure gives keys"
        return ob.insert_handle(thread.process, key, granted, said.flags & OBJ_INHERIT)
    finally:
        ob.dereference(key)


@service(partial=WOW64_PARTIAL)
def NtCreateKey(
    thread: Thread,
    KeyHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES],
    TitleIndex: ULONG,
    Class: In[UNICODE_STRING] | None,
    CreateOptions: ULONG,
    Disposition: Out[ULONG] | None,
) -> NTSTATUS:
    """Open a key, creating it (but not what is missing above it) where it is not there."""
    KeyHandle.write(0)
    if CreateOptions & ~CREATE_OPTIONS:
        raise NtError(STATUS.INVALID_PARAMETER)
    creation = Creation(Class.text if Class is not None else "", CreateOptions)
    handle = open_key(thread, ObjectAttributes, DesiredAccess, creation)
    if Disposition is not None:
        Disposition.write(REG_CREATED_NEW_KEY if creation.created else REG_OPENED_EXISTING_KEY)
    KeyHandle.write(handle)
    return STATUS.SUCCESS


@service(partial=WOW64_PARTIAL)
def NtOpenKey(
    thread: Thread,
    KeyHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES],
) -> NTSTATUS:
    """Open a key that is there."""
    KeyHandle.write(0)
    KeyHandle.write(open_key(thread, ObjectAttributes, DesiredAccess, Opening()))
    return STATUS.SUCCESS


@service(partial=WOW64_PARTIAL)
def NtOpenKeyEx(
    thread: Thread,
    KeyHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES],
    OpenOptions: ULONG,
) -> NTSTATUS:
    """Open a key that is there, for backup or without following a link."""
    KeyHandle.write(0)
    if OpenOptions & ~OPEN_OPTIONS:
        raise NtError(STATUS.INVALID_PARAMETER_4)
    KeyHandle.write(open_key(thread, ObjectAttributes, DesiredAccess, Opening(OpenOptions)))
    return STATUS.SUCCESS


def key_of(thread: Thread, handle: int, access: int) -> Key:
    """The key object behind a handle."""
    return ob.by_handle(thread, handle, access, KEY)


_FREE_CLASSES: frozenset[int] = frozenset(
    {KEY_INFORMATION_CLASS.KeyNameInformation, KEY_INFORMATION_CLASS.KeyHandleTagsInformation}
)
"""What any handle to a key may ask."""


@service
def NtQueryKey(
    thread: Thread,
    KeyHandle: HANDLE,
    KeyInformationClass: ULONG,
    KeyInformation: PVOID,
    Length: ULONG,
    ResultLength: Out[ULONG],
) -> NTSTATUS:
    """Tell about a key: name, class, counts, largest lengths."""
    access = 0 if int(KeyInformationClass) in _FREE_CLASSES else rights.KEY_QUERY_VALUE
    answer = about_key(key_of(thread, KeyHandle, access).living, KeyInformationClass)
    return deliver(thread, answer, KeyInformation, Length, ResultLength)


@service
def NtEnumerateKey(
    thread: Thread,
    KeyHandle: HANDLE,
    Index: ULONG,
    KeyInformationClass: ULONG,
    KeyInformation: PVOID,
    Length: ULONG,
    ResultLength: Out[ULONG],
) -> NTSTATUS:
    """Tell about the key of this index directly below; NO_MORE_ENTRIES past the last."""
    children = key_of(thread, KeyHandle, rights.KEY_ENUMERATE_SUB_KEYS).living.children
    if Index >= len(children):
        return STATUS.NO_MORE_ENTRIES
    answer = about_subkey(children[Index], KeyInformationClass)
    return deliver(thread, answer, KeyInformation, Length, ResultLength)


@service
def NtDeleteKey(thread: Thread, KeyHandle: HANDLE) -> NTSTATUS:
    """Delete a key that has none below it; its handles stay, and answer KEY_DELETED."""
    node = key_of(thread, KeyHandle, rights.DELETE).node
    if not node.deleted:
        thread.kernel[Registry].delete(node)
    return STATUS.SUCCESS


@service
def NtRenameKey(thread: Thread, KeyHandle: HANDLE, NewName: In[UNICODE_STRING]) -> NTSTATUS:
    """Give a key another name among its siblings."""
    node = key_of(thread, KeyHandle, rights.KEY_SET_VALUE | rights.KEY_CREATE_SUB_KEY).living
    name = NewName.text
    if not name or "\\" in name or unit_count(name) > MAXIMUM_NAME:
        raise NtError(STATUS.INVALID_PARAMETER)
    thread.kernel[Registry].rename(node, name)
    return STATUS.SUCCESS


@service
def NtFlushKey(thread: Thread, KeyHandle: HANDLE) -> NTSTATUS:
    """Write the key's hive out. Hives live in memory here, so what was set is already as safe as it gets."""
    key_of(thread, KeyHandle, 0).living  # noqa: B018 - a deleted key cannot be flushed
    return STATUS.SUCCESS


@service(partial="last-write time, WOW64 flags and handle tags only")
def NtSetInformationKey(
    thread: Thread,
    KeyHandle: HANDLE,
    KeySetInformationClass: ULONG,
    KeySetInformation: PVOID,
    KeySetInformationLength: ULONG,
) -> NTSTATUS:
    """Set a key's last-write time, its WOW64 flags or the handle's tags."""
    key = key_of(thread, KeyHandle, rights.KEY_SET_VALUE)
    information = int(KeySetInformationClass)
    if information == KEY_SET_INFORMATION_CLASS.KeyWriteTimeInformation:
        (moment,) = struct.unpack("<q", _exactly(thread, KeySetInformation, KeySetInformationLength, 8))
        thread.kernel[Registry].set_last_write(key.living, moment)
        return STATUS.SUCCESS
    if information == KEY_SET_INFORMATION_CLASS.KeyWow64FlagsInformation:
        (flags,) = struct.unpack("<I", _exactly(thread, KeySetInformation, KeySetInformationLength, 4))
        key.living.user_flags = flags & 0xF
        control_block.refresh(thread.kernel, key.node)
        return STATUS.SUCCESS
    if information == KEY_SET_INFORMATION_CLASS.KeySetHandleTagsInformation:
        (tags,) = struct.unpack("<I", _exactly(thread, KeySetInformation, KeySetInformationLength, 4))
        key.view.HandleTags = tags
        return STATUS.SUCCESS
    raise NtError(STATUS.INVALID_INFO_CLASS)


def _exactly(thread: Thread, address: int, length: int, size: int) -> bytes:
    if length != size:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    return thread.memory.read(address, size)
