"""System services for values: set, ask, enumerate, delete."""

from __future__ import annotations

from ntos.abi import access as rights
from ntos.abi.layout.api import KEY_VALUE_ENTRY
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.pointer import In, Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import HANDLE, NTSTATUS, PVOID, ULONG
from ntos.cm.information import about_value, deliver
from ntos.cm.key_services import key_of
from ntos.cm.registry import Registry
from ntos.ke.service import service
from ntos.ke.thread import Thread
from ntos.ob import read_unicode_string

MAXIMUM_QUERIES = 0x10000


def _name(text: str) -> str:
    """A value's name as it counts: NULs at its end do not."""
    return text.rstrip("\0")


@service
def NtSetValueKey(
    thread: Thread,
    KeyHandle: HANDLE,
    ValueName: In[UNICODE_STRING],
    TitleIndex: ULONG,
    Type: ULONG,
    Data: PVOID,
    DataSize: ULONG,
) -> NTSTATUS:
    """Set a value; its type is a number that nobody checks."""
    node = key_of(thread, KeyHandle, rights.KEY_SET_VALUE).living
    data = thread.memory.read(Data, DataSize) if DataSize else b""
    thread.kernel[Registry].set_value(node, _name(ValueName.text), Type, data)
    return STATUS.SUCCESS


@service
def NtDeleteValueKey(thread: Thread, KeyHandle: HANDLE, ValueName: In[UNICODE_STRING]) -> NTSTATUS:
    """Delete a value."""
    node = key_of(thread, KeyHandle, rights.KEY_SET_VALUE).living
    thread.kernel[Registry].delete_value(node, _name(ValueName.text))
    return STATUS.SUCCESS


@service
def NtQueryValueKey(
    thread: Thread,
    KeyHandle: HANDLE,
    ValueName: In[UNICODE_STRING],
    KeyValueInformationClass: ULONG,
    KeyValueInformation: PVOID,
    Length: ULONG,
    ResultLength: Out[ULONG],
) -> NTSTATUS:
    """Tell about the value of this name: its type, and its data or name."""
    value = key_of(thread, KeyHandle, rights.KEY_QUERY_VALUE).living.value(_name(ValueName.text))
    if value is None:
        return STATUS.OBJECT_NAME_NOT_FOUND
    answer = about_value(value, KeyValueInformationClass)
    return deliver(thread, answer, KeyValueInformation, Length, ResultLength)


@service
def NtEnumerateValueKey(
    thread: Thread,
    KeyHandle: HANDLE,
    Index: ULONG,
    KeyValueInformationClass: ULONG,
    KeyValueInformation: PVOID,
    Length: ULONG,
    ResultLength: Out[ULONG],
) -> NTSTATUS:
    """Tell about the value of this index; NO_MORE_ENTRIES past the last."""
    values = key_of(thread, KeyHandle, rights.KEY_QUERY_VALUE).living.values
    if Index >= len(values):
        return STATUS.NO_MORE_ENTRIES
    answer = about_value(values[Index], KeyValueInformationClass)
    return deliver(thread, answer, KeyValueInformation, Length, ResultLength)


@service
def NtQueryMultipleValueKey(
    thread: Thread,
    KeyHandle: HANDLE,
    ValueEntries: Ptr[KEY_VALUE_ENTRY],
    EntryCount: ULONG,
    ValueBuffer: PVOID,
    BufferLength: Ptr[ULONG],
    RequiredBufferLength: Out[ULONG] | None,
) -> NTSTATUS:
    """Read several values at once into one buffer, each at a multiple of four; all must be there."""
    if EntryCount > MAXIMUM_QUERIES:
        raise NtError(STATUS.INSUFFICIENT_RESOURCES)
    node = key_of(thread, KeyHandle, rights.KEY_QUERY_VALUE).living
    room = int(BufferLength.read())
    needed = used = 0
    for index in range(EntryCount):
        entry = ValueEntries[index]
        value = node.value(_name(read_unicode_string(thread.memory, int(entry.ValueName))))
        if value is None:
            return STATUS.OBJECT_NAME_NOT_FOUND
        needed = needed + 3 & ~3
        if needed + len(value.data) <= room:
            thread.memory.write(ValueBuffer + needed, value.data)
            entry.Type = value.type
            entry.DataLength = len(value.data)
            entry.DataOffset = needed
            used = needed + len(value.data)
        needed += len(value.data)
    BufferLength.write(used)
    if RequiredBufferLength is not None:
        RequiredBufferLength.write(needed)
    return STATUS.BUFFER_OVERFLOW if needed > room else STATUS.SUCCESS
