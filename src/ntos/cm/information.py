"""What NtQueryKey, NtEnumerateKey, NtQueryValueKey and NtEnumerateValueKey answer, as bytes.

Each builder gives (the smallest room that gets anything at all, the whole answer). The rule for too little
room is the same everywhere: below the fixed part BUFFER_TOO_SMALL and nothing is written, below the whole
BUFFER_OVERFLOW and as much as fits is written (Windows Driver Kit, ZwQueryKey and ZwQueryValueKey).
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from ntos.abi.pointer import Out
from ntos.abi.registry import KEY_INFORMATION_CLASS as KEY
from ntos.abi.registry import KEY_VALUE_INFORMATION_CLASS as VALUE
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import NTSTATUS, ULONG
from ntos.cm.node import KeyNode
from ntos.cm.values import Value
from ntos.ke.thread import Thread
from ntos.rtl.text import to_utf16, unit_count

NO_CLASS = 0xFFFF_FFFF


class Answer(NamedTuple):
    """The fixed part's size and all the bytes."""

    fixed: int
    data: bytes


def deliver(thread: Thread, answer: Answer, address: int, room: int, length: Out[ULONG]) -> NTSTATUS:
    """Write an answer where there is room; ResultLength always says how much the whole takes."""
    length.write(len(answer.data))
    if room < answer.fixed:
        return STATUS.BUFFER_TOO_SMALL
    thread.memory.write(address, answer.data[:room])
    return STATUS.BUFFER_OVERFLOW if room < len(answer.data) else STATUS.SUCCESS


def about_key(node: KeyNode, information_class: int) -> Answer:
    """NtQueryKey's answer. INVALID_PARAMETER for a class nobody knows."""
    if information_class == KEY.KeyNameInformation:
        name = to_utf16(node.path)
        return Answer(4, struct.pack("<I", len(name)) + name)
    if information_class == KEY.KeyCachedInformation:
        return Answer(0x28, _cached(node))
    if information_class == KEY.KeyFlagsInformation:
        return Answer(0xC, struct.pack("<III", node.user_flags, _flags(node), 0))
    if information_class in _EMPTY:
        return Answer(4, bytes(4))
    return about_subkey(node, information_class)


_EMPTY = frozenset({KEY.KeyVirtualizationInformation, KEY.KeyHandleTagsInformation, KEY.KeyTrustInformation})


def about_subkey(node: KeyNode, information_class: int) -> Answer:
    """NtEnumerateKey's answer."""
    name, class_name = to_utf16(node.name), to_utf16(node.class_name)
    if information_class == KEY.KeyBasicInformation:
        return Answer(0x10, struct.pack("<qII", node.last_write, 0, len(name)) + name)
    if information_class == KEY.KeyNodeInformation:
        class_at = 0x18 + len(name) + 3 & ~3 if class_name else NO_CLASS
        head = struct.pack("<qIIII", node.last_write, 0, class_at, len(class_name), len(name))
        padding = bytes(-len(name) % 4) if class_name else b""
        return Answer(0x18, head + name + padding + class_name)
    if information_class == KEY.KeyFullInformation:
        return Answer(0x2C, _full(node, class_name))
    raise NtError(STATUS.INVALID_PARAMETER)


def _full(node: KeyNode, class_name: bytes) -> bytes:
    largest_class = max((unit_count(child.class_name) * 2 for child in node.children), default=0)
    return (
        struct.pack(
            "<qIIIIIIIII",
            node.last_write,
            0,
            0x2C if class_name else NO_CLASS,
            len(class_name),
            node.child_count,
            node.largest_name,
            largest_class,
            node.value_count,
            node.largest_value_name,
            node.largest_data,
        )
        + class_name
    )


def _cached(node: KeyNode) -> bytes:
    return struct.pack(
        "<qIIIIIIII",
        node.last_write,
        0,
        node.child_count,
        node.largest_name,
        node.value_count,
        node.largest_value_name,
        node.largest_data,
        unit_count(node.name) * 2,
        0,
    )


def _flags(node: KeyNode) -> int:
    return int(node.volatile) | (0x10 if node.is_link else 0)


def about_value(value: Value, information_class: int) -> Answer:
    """NtQueryValueKey's answer. INVALID_PARAMETER for a class nobody knows."""
    name, data = to_utf16(value.name), value.data
    if information_class == VALUE.KeyValueBasicInformation:
        return Answer(0xC, struct.pack("<III", 0, value.type, len(name)) + name)
    if information_class == VALUE.KeyValueFullInformation:
        return Answer(0x14, _full_value(value, name, 4))
    if information_class == VALUE.KeyValueFullInformationAlign64:
        return Answer(0x14, _full_value(value, name, 8))
    if information_class == VALUE.KeyValuePartialInformation:
        return Answer(0xC, struct.pack("<III", 0, value.type, len(data)) + data)
    if information_class == VALUE.KeyValuePartialInformationAlign64:
        return Answer(8, struct.pack("<II", value.type, len(data)) + data)
    raise NtError(STATUS.INVALID_PARAMETER)


def _full_value(value: Value, name: bytes, alignment: int) -> bytes:
    data_at = 0x14 + len(name) + alignment - 1 & -alignment
    head = struct.pack("<IIIII", 0, value.type, data_at, len(value.data), len(name)) + name
    return head.ljust(data_at, b"\0") + value.data
