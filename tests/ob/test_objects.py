"""Objects: headers, references, handles, types."""

from __future__ import annotations

import pytest

from ntos import ob
from ntos.abi.layout.object import (
    OBJECT_HEADER,
    OBJECT_HEADER_NAME_INFO,
    OBJECT_HEADER_QUOTA_INFO,
    POOL_HEADER,
)
from ntos.abi.status import STATUS, NtError
from ntos.abi.symbols import RVA
from ntos.ex.event import EVENT
from ntos.ex.handle import HandleTable
from ntos.hal.paging import WRITABLE
from ntos.ke.event import Event
from ntos.ob.object import INFO_MASK_TO_OFFSET
from ntos.ob.types import Body, ObjectType
from tests.conftest import World

ALL = 0x1F0003
IMAGE = 0xFFFF_F806_0000_0000


def _event(world: World) -> Event:
    made = ob.create(world.kernel, EVENT)
    made.initialize(0, signalled=False)
    return made


def test_type_indices_are_those_of_the_build(world: World) -> None:
    """The published order: Process 7, Event 16, File 37, Key 44 (volatility.md section 5)."""
    names = world.manager.names
    wanted = {
        "Type": 2,
        "Directory": 3,
        "Process": 7,
        "Thread": 8,
        "Event": 16,
        "Timer": 20,
        "File": 37,
        "Key": 44,
    }
    assert {name: names[name] for name in wanted} == wanted
    assert all(made is not None for made in world.manager.type_objects[2:50])


def test_a_header_hides_its_type_index(world: World) -> None:
    """TypeIndex is the index, the cookie and bits 8-15 of the header's address, combined by xor."""
    event = _event(world)
    header = ob.header_of(event)
    assert header.TypeIndex ^ world.manager.cookie ^ (header.address >> 8 & 0xFF) == 16
    assert world.manager.kind_of(event) is EVENT


def test_what_scanners_find_before_an_object(world: World) -> None:
    """The header is within 0xA4 bytes of the pool header and 16-aligned after it."""
    thread = world.thread()
    world.handle_of(thread, "NtCreateMutant", 0x1F0001, world.attributes(thread, "\\BaseNamedObjects\\m"), 0)
    mutant = ob.lookup(world.kernel, "\\BaseNamedObjects\\m")
    block = ob.object.block_of(world.kernel, mutant.address)
    header = POOL_HEADER(world.kernel.memory, block - 16)
    assert header.PoolTag.to_bytes(4, "little") == b"Muta"
    assert header.PoolType == 2
    distance = mutant.address - 0x30 - block
    assert distance < 0xA4
    assert distance % 16 == 0


def test_a_name_moves_the_headers_beyond_it(world: World) -> None:
    """Optional headers stand in the order of their bits, the lowest nearest the header."""
    event = _event(world)
    header = ob.header_of(event)
    assert header.InfoMask == 8
    charge = OBJECT_HEADER_QUOTA_INFO(world.kernel.memory, header.address - 0x20).NonPagedPoolCharge
    ob.add_permanent(world.kernel, "BaseNamedObjects\\Named", event)
    assert header.InfoMask == 0xA
    name = OBJECT_HEADER_NAME_INFO(world.kernel.memory, header.address - 0x20)
    assert name.Name.text == "Named"
    moved = OBJECT_HEADER_QUOTA_INFO(world.kernel.memory, header.address - 0x40)
    assert moved.NonPagedPoolCharge == charge > 0
    assert INFO_MASK_TO_OFFSET[0xA] == 0x40


def test_the_last_reference_lets_an_object_go(world: World) -> None:
    """The type's delete procedure is called once, then the block is free and the address forgotten."""
    gone: list[int] = []
    kind: ObjectType[Body] = ObjectType("Thing", 0x20, Body, valid_access=1)
    kind.delete = lambda body: gone.append(body.address)
    thing = ob.create(world.kernel, kind)
    ob.reference(thing)
    ob.dereference(thing)
    assert gone == []
    ob.dereference(thing)
    assert gone == [thing.address]
    assert thing.address not in world.manager.objects
    assert world.manager.type_object(kind).view.TotalNumberOfObjects == 0
    assert world.manager.names["Thing"] == 55


def test_handles_are_counted_and_told_of(world: World) -> None:
    """Open and close procedures hear of each handle; 1 says it is the last."""
    heard: list[tuple[str, int]] = []
    kind: ObjectType[Body] = ObjectType("Told", 0x20, Body, valid_access=1, maintain_handle_count=True)
    kind.open = lambda _process, _body, access: heard.append(("open", access))
    kind.close = lambda _process, _body, count: heard.append(("close", count))
    process = world.process()
    thing = ob.create(world.kernel, kind)
    first, second = (ob.insert_handle(process, thing, 1) for _ in range(2))
    assert (ob.handle_count(thing), ob.pointer_count(thing)) == (2, 3)
    ob.close_in(process, first)
    ob.close_in(process, second)
    assert heard == [("open", 1), ("open", 1), ("close", 2), ("close", 1)]
    with pytest.raises(NtError):
        ob.close_in(process, second)


def test_a_handle_gives_what_it_was_granted(world: World) -> None:
    """Generic rights are mapped at open; asking by_handle for more is refused with the missing bits."""
    thread = world.thread()
    handle = world.handle_of(thread, "NtCreateEvent", 0x80000000, 0, 0, 0)
    assert ob.by_handle(thread, handle, 1, EVENT).address
    with pytest.raises(NtError) as refused:
        ob.by_handle(thread, handle, 3, EVENT)
    assert refused.value.because is not None
    assert refused.value.because.inputs["missing"] == "0x2"
    assert ob.granted(thread, world.handle_of(thread, "NtCreateEvent", 0x02000000, 0, 0, 0)) is not None


def test_pseudo_handles_mean_the_caller(world: World) -> None:
    """-1 is the process, -2 the thread; closing them succeeds and does nothing."""
    thread = world.thread()
    assert ob.by_handle(thread, 2**64 - 1, 0x1FFFFF) is thread.process
    assert ob.by_handle(thread, 2**64 - 2, 0x1FFFFF) is thread
    assert world.call(thread, "NtClose", 2**64 - 1) == 0
    assert world.call(thread, "NtClose", 0) == STATUS.INVALID_HANDLE


def test_a_dying_process_closes_its_handles(world: World) -> None:
    """Sweeping the table lets unshared objects go."""
    thread = world.thread()
    handle = world.handle_of(thread, "NtCreateEvent", ALL, 0, 0, 0)
    address = ob.by_handle(thread, handle, 0).address
    ob.close_all(thread.process)
    assert address not in world.manager.objects
    assert not thread.process.has(HandleTable)
    assert world.call(thread, "NtClose", handle) == STATUS.PROCESS_IS_TERMINATING


def test_globals_stand_where_forensics_looks(world: World) -> None:
    """ObTypeIndexTable, the cookie, the mask table and the list of handle tables, by their public symbols."""
    kernel = world.kernel
    kernel.image_base = IMAGE
    for offset in range(0xC0_0000, 0xD3_0000, 0x1000):
        kernel.platform.tables.map(IMAGE + offset, kernel.platform.physical.allocate(), WRITABLE)
    process = world.process()
    ob.publish(kernel)
    memory = kernel.memory
    table = IMAGE + RVA["ObTypeIndexTable"]
    sixteenth = int.from_bytes(memory.read(table + 16 * 8, 8), "little")
    assert memory.read(table, 16) == bytes(8) + b"\xb0\xb0\xd0\xba" + bytes(4)
    assert world.manager.type_objects[16].address == sixteenth  # type: ignore[union-attr]
    assert memory.read(IMAGE + RVA["ExEventObjectType"], 8) == sixteenth.to_bytes(8, "little")
    assert memory.read(IMAGE + RVA["ObHeaderCookie"], 1)[0] == world.manager.cookie
    assert memory.read(IMAGE + RVA["ObpInfoMaskToOffset"], 4) == b"\x00\x20\x20\x40"
    first = int.from_bytes(memory.read(IMAGE + RVA["HandleTableListHead"], 8), "little")
    assert first == process[HandleTable].address + 0x18
    assert OBJECT_HEADER.size == 0x38
