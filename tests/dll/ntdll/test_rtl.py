"""Doors of the run-time library over guest memory, entered with raw arguments as registers would hold them."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

import pytest

import ntos.dll.ntdll  # noqa: F401 - fills the export registry
from ntos.abi.memory import BufferMemory
from ntos.abi.status import STATUS, NtError
from ntos.um.export import registry

SIZE = 0x10000
WORLD = bytes.fromhex("010100000000000100000000")
SYSTEM = bytes.fromhex("010100000000000512000000")


class Room:
    """Memory, and a thread that has nothing else."""

    def __init__(self) -> None:
        self.memory = BufferMemory(bytearray(SIZE))
        self.next = 0x1000
        self.parts: dict[type, Any] = {}
        self.thread = SimpleNamespace(
            memory=self.memory,
            context=SimpleNamespace(gs_base=0x8000),
            state=lambda kind: self.parts.setdefault(kind, kind()),
        )

    def put(self, data: bytes) -> int:
        """The address of a copy of `data`."""
        address, self.next = self.next, self.next + (len(data) + 0xF & ~0xF)
        self.memory.write(address, data)
        return address

    def wide(self, text: str) -> int:
        """The address of a UNICODE_STRING."""
        data = text.encode("utf-16-le")
        return self.put(struct.pack("<HH4xQ", len(data), len(data), self.put(data)))

    def empty(self, room: int) -> int:
        """The address of a UNICODE_STRING with room and no text."""
        return self.put(struct.pack("<HH4xQ", 0, room, self.put(bytes(room))))

    def text(self, address: int) -> str:
        """What a UNICODE_STRING holds."""
        length, _, buffer = struct.unpack("<HH4xQ", self.memory.read(address, 16))
        return self.memory.read(buffer, length).decode("utf-16-le")

    def call(self, name: str, *arguments: int) -> int:
        """Enter a door; error statuses come back as numbers."""
        door = registry["ntdll"][name]
        call = door.signature.caller(door.function, probe=False)
        try:
            return int(call(self.thread, self.memory, *arguments) or 0)
        except NtError as error:
            return int(error.status)

    def u32(self, address: int) -> int:
        """A ULONG."""
        return int.from_bytes(self.memory.read(address, 4), "little")


@pytest.fixture
def room() -> Room:
    """Fresh memory."""
    return Room()


def test_a_number_is_written_in_its_base(room: Room) -> None:
    """RtlIntegerToUnicodeString: base 0 means 10; hexadecimal digits are capitals; too little room overflows."""
    string = room.empty(32)
    assert room.call("RtlIntegerToUnicodeString", 0xBEEF, 16, string) == 0
    assert room.text(string) == "BEEF"
    assert room.call("RtlIntegerToUnicodeString", 0xBEEF, 16, room.empty(6)) == STATUS.BUFFER_OVERFLOW
    assert room.call("RtlIntegerToUnicodeString", 1, 3, string) == STATUS.INVALID_PARAMETER


@pytest.mark.parametrize(
    ("text", "base", "value"),
    [("0x1F", 0, 0x1F), (" -5", 10, 0xFFFF_FFFB), ("0b101z", 0, 5), ("12ab", 10, 12), ("", 10, 0)],
)
def test_a_number_is_read_as_far_as_it_goes(room: Room, text: str, base: int, value: int) -> None:
    """RtlUnicodeStringToInteger stops at the first character that is no digit."""
    place = room.put(bytes(4))
    assert room.call("RtlUnicodeStringToInteger", room.wide(text), base, place) == 0
    assert room.u32(place) == value


def test_strings_compare_without_regard_to_case(room: Room) -> None:
    """RtlEqualUnicodeString and RtlCompareUnicodeString agree."""
    one, other = room.wide("Kernel32.DLL"), room.wide("KERNEL32.dll")
    assert room.call("RtlEqualUnicodeString", one, other, 1) == 1
    assert room.call("RtlEqualUnicodeString", one, other, 0) == 0
    assert room.call("RtlCompareUnicodeString", one, other, 1) == 0


def test_appending_needs_room(room: Room) -> None:
    """RtlAppendUnicodeStringToString changes nothing when the text does not fit."""
    string = room.empty(8)
    assert room.call("RtlAppendUnicodeStringToString", string, room.wide("abc")) == 0
    assert room.call("RtlAppendUnicodeStringToString", string, room.wide("de")) == STATUS.BUFFER_TOO_SMALL
    assert room.text(string) == "abc"


def test_utf8_characters_are_written_whole_or_not_at_all(room: Room) -> None:
    """RtlUnicodeToUTF8N gives BUFFER_TOO_SMALL and never half a character."""
    source = "a\u20ac".encode("utf-16-le")
    target, count = room.put(bytes(16)), room.put(bytes(4))
    assert room.call("RtlUnicodeToUTF8N", target, 3, count, room.put(source), 4) == STATUS.BUFFER_TOO_SMALL
    assert (room.u32(count), room.memory.read(target, 2)) == (1, b"a\0")
    assert room.call("RtlUnicodeToUTF8N", target, 16, count, room.put(source), 4) == 0
    assert room.memory.read(target, 4) == "a\u20ac".encode()


def test_access_control_lists_grow_entry_by_entry(room: Room) -> None:
    """Entries stand one behind the other; a full list says ALLOTTED_SPACE_EXCEEDED."""
    acl, sid = room.put(bytes(64)), room.put(WORLD)
    assert room.call("RtlCreateAcl", acl, 48, 2) == 0
    assert room.call("RtlAddAccessAllowedAce", acl, 2, 0x1F01FF, sid) == 0
    assert room.call("RtlAddAccessDeniedAce", acl, 2, 1, room.put(SYSTEM)) == 0
    assert room.call("RtlAddAccessAllowedAce", acl, 2, 1, sid) == STATUS.ALLOTTED_SPACE_EXCEEDED
    place = room.put(bytes(8))
    assert room.call("RtlGetAce", acl, 1, place) == 0
    ace = int.from_bytes(room.memory.read(place, 8), "little")
    assert (room.memory.read(ace, 1), room.memory.read(ace + 8, 12)) == (b"\1", SYSTEM)
    assert room.call("RtlDeleteAce", acl, 0) == 0
    assert room.call("RtlGetAce", acl, 1, place) == STATUS.INVALID_PARAMETER


def test_descriptors_become_self_relative_and_absolute_again(room: Room) -> None:
    """RtlAbsoluteToSelfRelativeSD asks for its size first; offsets count from the descriptor."""
    descriptor, owner = room.put(bytes(40)), room.put(SYSTEM)
    assert room.call("RtlCreateSecurityDescriptor", descriptor, 1) == 0
    assert room.call("RtlSetOwnerSecurityDescriptor", descriptor, owner, 0) == 0
    size = room.put(bytes(4))
    assert room.call("RtlAbsoluteToSelfRelativeSD", descriptor, 0, size) == STATUS.BUFFER_TOO_SMALL
    assert room.u32(size) == 0x14 + 12
    target = room.put(bytes(64))
    assert room.call("RtlAbsoluteToSelfRelativeSD", descriptor, target, size) == 0
    control, at = struct.unpack("<2xHI", room.memory.read(target, 8))
    assert (control, room.memory.read(target + at, 12)) == (0x8000, SYSTEM)
    assert room.call("RtlSetOwnerSecurityDescriptor", target, owner, 0) == STATUS.INVALID_SECURITY_DESCR


def test_bits_are_found_from_the_hint_on(room: Room) -> None:
    """RtlFindClearBitsAndSet starts at the hint, then at the beginning, and says all ones when full."""
    header = room.put(bytes(16))
    bits = room.put(b"\xf0\xff\xff\xff")
    room.call("RtlInitializeBitMap", header, bits, 32)
    assert room.call("RtlFindClearBitsAndSet", header, 4, 16) == 0
    assert room.call("RtlFindClearBitsAndSet", header, 1, 0) == 0xFFFF_FFFF
    assert room.memory.read(bits, 4) == b"\xff" * 4


def test_sids_are_equal_but_for_their_last_part(room: Room) -> None:
    """RtlEqualPrefixSid ignores the RID; RtlEqualSid does not."""
    one, other = room.put(WORLD), room.put(WORLD[:8] + b"\7\0\0\0")
    assert room.call("RtlEqualSid", one, other) == 0
    assert room.call("RtlEqualPrefixSid", one, other) == 1
    assert room.call("RtlLengthSid", one) == 12
    assert room.call("RtlEqualSid", room.put(b"\2" + WORLD[1:]), one) == STATUS.INVALID_SID & 0xFFFF_FFFF


def test_the_status_is_remembered_with_its_error(room: Room) -> None:
    """RtlNtStatusToDosError keeps the status in TEB.LastStatusValue."""
    assert room.call("RtlNtStatusToDosError", int(STATUS.ACCESS_DENIED)) == 5
    assert room.u32(0x8000 + 0x1250) == STATUS.ACCESS_DENIED


def test_relative_paths_are_told_from_others(room: Room) -> None:
    """RtlDetermineDosPathNameType_U gives RTL_PATH_TYPE."""
    kinds = {"C:\\x": 2, "C:x": 3, "\\x": 4, "x": 5, "\\\\s\\h": 1, "\\\\.\\x": 6}
    for path, kind in kinds.items():
        assert room.call("RtlDetermineDosPathNameType_U", room.put(path.encode("utf-16-le") + b"\0\0")) == kind
