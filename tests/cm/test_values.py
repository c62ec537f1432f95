"""Values through their services: exact buffer rules, order, several at once."""

from __future__ import annotations

import struct

import pytest

from ntos.abi.registry import KEY_VALUE_INFORMATION_CLASS as CLASS
from ntos.abi.registry import REG_BINARY, REG_DWORD, REG_EXPAND_SZ, REG_MULTI_SZ, REG_QWORD, REG_SZ
from ntos.abi.status import STATUS
from ntos.cm.values import Data, decode, encode
from ntos.rtl.text import from_utf16, to_utf16
from tests.cm.conftest import KEY_READ, RegistryWorld


@pytest.fixture
def handle(reg: RegistryWorld) -> int:
    """An empty key of the user's."""
    return reg.create(reg.user, f"{reg.home}\\Software\\Values")[1]


def query(reg: RegistryWorld, handle: int, name: str, information: int, room: int) -> tuple[int, int, bytes]:
    """(status, result length, what was written) of NtQueryValueKey with so much room."""
    place, length = reg.world.put(reg.user, b"\xee" * (room + 8)), reg.world.room(reg.user, 4)
    text = reg.world.string(reg.user, name)
    status = reg.call("NtQueryValueKey", handle, text, information, place, room, length)
    return status, reg.world.integer(reg.user, length, 4), reg.user.memory.read(place, room + 8)


DATA = b"0123456789"
WHOLE = struct.pack("<III", 0, REG_BINARY, 10) + DATA


@pytest.mark.parametrize("room", range(24))
def test_how_much_room_there_is(reg: RegistryWorld, handle: int, room: int) -> None:
    """Below the fixed part BUFFER_TOO_SMALL and nothing; below the whole BUFFER_OVERFLOW and what fits."""
    reg.set(handle, "v", REG_BINARY, DATA)
    status, length, written = query(reg, handle, "V", CLASS.KeyValuePartialInformation, room)
    assert length == len(WHOLE)
    if room < 12:
        assert (status, written) == (STATUS.BUFFER_TOO_SMALL, b"\xee" * (room + 8))
    else:
        expected = STATUS.BUFFER_OVERFLOW if room < len(WHOLE) else STATUS.SUCCESS
        assert status == expected
        assert written == WHOLE[:room] + b"\xee" * (room + 8 - min(room, len(WHOLE)))


def test_full_information_has_name_and_data(reg: RegistryWorld, handle: int) -> None:
    """The data stands behind the name at a multiple of four."""
    reg.set(handle, "abc", REG_BINARY, DATA)
    status, _, written = query(reg, handle, "abc", CLASS.KeyValueFullInformation, 64)
    _, kind, offset, size, name_size = struct.unpack("<5I", written[:20])
    assert (status, kind, offset % 4) == (0, REG_BINARY, 0)
    assert from_utf16(written[20 : 20 + name_size]) == "abc"
    assert written[offset : offset + size] == DATA


def test_what_is_not_there(reg: RegistryWorld, handle: int) -> None:
    """A missing value is OBJECT_NAME_NOT_FOUND, asked or deleted; an unknown class INVALID_PARAMETER."""
    assert query(reg, handle, "no", 2, 64)[0] == STATUS.OBJECT_NAME_NOT_FOUND
    name = reg.world.string(reg.user, "no")
    assert reg.call("NtDeleteValueKey", handle, name) == STATUS.OBJECT_NAME_NOT_FOUND
    reg.set(handle, "v", REG_BINARY, DATA)
    assert query(reg, handle, "v", 99, 64)[0] == STATUS.INVALID_PARAMETER


def test_values_come_in_the_order_they_were_set(reg: RegistryWorld, handle: int) -> None:
    """Setting a value again keeps its place and its spelling; the default value has no name."""
    for name, data in (("b", b"1"), ("", b"2"), ("A", b"3"), ("B", b"4")):
        reg.set(handle, name, REG_BINARY, data)
    place, length = reg.world.room(reg.user, 64), reg.world.room(reg.user, 4)
    found = []
    for index in range(4):
        status = reg.call("NtEnumerateValueKey", handle, index, 0, place, 64, length)
        if status == STATUS.NO_MORE_ENTRIES:
            break
        size = reg.world.integer(reg.user, place + 8, 4)
        found.append(from_utf16(reg.user.memory.read(place + 12, size)))
    assert found == ["b", "", "A"]


def test_several_at_once(reg: RegistryWorld, handle: int) -> None:
    """NtQueryMultipleValueKey packs the data at multiples of four, or says how much room it takes."""
    reg.set(handle, "a", REG_BINARY, b"abc")
    reg.set(handle, "b", REG_DWORD, b"1234")
    world, user = reg.world, reg.user
    entries = world.put(user, b"".join(struct.pack("<QIII4x", world.string(user, name), 0, 0, 0) for name in "ab"))
    place, required = world.room(user, 16), world.room(user, 4)
    size = world.put(user, struct.pack("<I", 8))
    arguments = (handle, entries, 2, place, size, required)
    assert reg.call("NtQueryMultipleValueKey", *arguments) == 0
    assert user.memory.read(place, 8) == b"abc\x001234"
    assert struct.unpack("<III", user.memory.read(entries + 32, 12)) == (4, 4, REG_DWORD)
    user.memory.write(size, struct.pack("<I", 5))
    assert reg.call("NtQueryMultipleValueKey", *arguments) == STATUS.BUFFER_OVERFLOW
    assert world.integer(user, required, 4) == 8


def test_a_handle_for_reading_does_not_write(reg: RegistryWorld) -> None:
    """The handle's granted access decides, not the key's descriptor."""
    _, handle = reg.open(reg.user, f"{reg.home}\\Software", KEY_READ)
    assert reg.set(handle, "v", REG_BINARY, DATA) == STATUS.ACCESS_DENIED


@pytest.mark.parametrize(
    ("kind", "content", "data"),
    [
        (REG_SZ, "text", to_utf16("text\0")),
        (REG_EXPAND_SZ, "%x%", to_utf16("%x%\0")),
        (REG_DWORD, 5, b"\5\0\0\0"),
        (REG_QWORD, 1 << 40, b"\0\0\0\0\0\1\0\0"),
        (REG_MULTI_SZ, ["a", "b"], to_utf16("a\0b\0\0")),
        (REG_MULTI_SZ, [], to_utf16("\0")),
        (REG_BINARY, b"\1\2", b"\1\2"),
    ],
)
def test_python_values(kind: int, content: Data, data: bytes) -> None:
    """Each type's bytes and Python's reading of them lead to each other."""
    assert encode(content, kind) == (kind, data)
    assert decode(kind, data) == content
