"""Structures before and after, from their declared fields."""

from __future__ import annotations

import pytest

from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.layout.teb import TEB
from ntos.abi.memory import BufferMemory
from ntos.abi.status import GuestFault
from ntos.abi.struct import Struct, array, at, bits, chars
from ntos.abi.types import CHAR, PVOID, ULONG, USHORT
from ntos.report.changes import Watched, leaves


class INNER(Struct, size=0x08):
    Low = at(0x00, USHORT)
    Signed = at(0x02, CHAR)


class OUTER(Struct, size=0x60):
    Flags = at(0x00, ULONG)
    Busy = bits(0x00, ULONG, 0, 1)
    Class = bits(0x00, ULONG, 1, 3)
    Inner = at(0x08, INNER)
    Links = at(0x10, LIST_ENTRY)
    Link = at(0x10, PVOID)
    Name = at(0x20, UNICODE_STRING)
    Tail = at(0x30, chars(8))
    Slots = at(0x38, array(USHORT, 3))
    Alone = bits(0x40, ULONG, 4, 1)


BASE = 0x1000
BUFFER = 0x1080


@pytest.fixture
def memory() -> BufferMemory:
    """A page that stands at BASE."""
    return BufferMemory(bytearray(0x1000), BASE)


def said(watched: Watched, memory: BufferMemory) -> dict[str, tuple[int | str, int | str, str]]:
    """Changes by field."""
    return {each.name: (each.before, each.after, each.meaning) for each in watched.changes(memory)}


def test_every_kind_of_field(memory: BufferMemory) -> None:
    """Scalars, nested fields, bits, lists, texts and elements are told by name, with both values."""
    view, watched = OUTER(memory, BASE), Watched(OUTER, BASE, 0)
    assert said(watched, memory) == {}
    view.Flags = 0xB
    view.Inner.Signed = -2
    view.Links.initialize()
    memory.write(BUFFER, "text".encode("utf-16-le"))
    view.Name.Length, view.Name.Buffer = 8, BUFFER
    view.Tail = b"tail"
    view.Slots[1] = 7
    view.Alone = 1
    assert said(watched, memory) == {
        "Flags": (0, 0xB, "Busy, Class=5"),
        "Inner.Signed": (0, -2, ""),
        "Links": ("0", "empty", ""),
        "Name": ("", "text", ""),
        "Tail": ("", "tail", ""),
        "Slots[1]": (0, 7, ""),
        "Alone…": (0, 0x10, "Alone"),
    }


def test_only_what_changed_since_the_last_look(memory: BufferMemory) -> None:
    """A second look tells only what is new, from the value of the first."""
    view, watched = OUTER(memory, BASE), Watched(OUTER, BASE, 0)
    view.Flags = 1
    said(watched, memory)
    view.Flags = 0
    assert said(watched, memory) == {"Flags": (1, 0, "Busy=0")}
    assert said(watched, memory) == {}


def test_structure_that_is_gone_says_nothing() -> None:
    """Memory that cannot be read any more ends the telling, without a fault."""

    class Gone(BufferMemory):
        def read(self, address: int, size: int) -> bytes:
            raise GuestFault(address, 0)

    assert Watched(OUTER, BASE, 0).changes(Gone(bytearray())) == []


def test_leaves_do_not_overlap() -> None:
    """Of fields that share an address the largest speaks, each once, in the order of offsets."""
    found = leaves(TEB)
    assert len({leaf.offset for leaf in found}) == len(found)
    assert [leaf.offset for leaf in found] == sorted(leaf.offset for leaf in found)
    assert {"NtTib.StackBase", "ClientId.UniqueThread", "TlsSlots[63]"} <= {leaf.name for leaf in found}
