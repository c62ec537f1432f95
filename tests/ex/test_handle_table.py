"""Handle tables and client ids."""

from __future__ import annotations

from ntos.abi.layout.handle import HANDLE_TABLE_ENTRY
from ntos.ex.handle import CidTable, HandleTable, HandleTableList
from tests.conftest import World

OBJECT = 0xFFFF_A18C_1234_5670


def test_the_first_handle_is_four_and_zero_is_none(world: World) -> None:
    """Values are multiples of four; entry 0 of every page is left out (structures.md section 13)."""
    table = HandleTable(world.kernel)
    assert [table.insert(OBJECT, 1) for _ in range(3)] == [4, 8, 12]
    assert table.lookup(0) is None
    for _ in range(252):
        last = table.insert(OBJECT, 1)
    assert last == 0x3FC
    assert table.insert(OBJECT, 1) == 0x404


def test_an_entry_encodes_pointer_attributes_and_access(world: World) -> None:
    """Bits 20-63 hold the header's address over sixteen, 17-19 the attributes, the high word the access."""
    table = HandleTable(world.kernel)
    handle = table.insert(OBJECT, 0x1F0003, 3)
    entry = HANDLE_TABLE_ENTRY(world.kernel.memory, table.entry_address(handle))
    assert entry.ObjectPointerBits == (OBJECT >> 4) & 0xFFF_FFFF_FFFF
    assert (entry.Unlocked, entry.Attributes, entry.GrantedAccessBits) == (1, 3, 0x1F0003)
    assert table.lookup(handle) == (OBJECT, 0x1F0003, 3)
    assert table.lookup(handle | 3) == (OBJECT, 0x1F0003, 3)


def test_the_last_closed_handle_is_used_first(world: World) -> None:
    """A process's free list is LIFO."""
    table = HandleTable(world.kernel)
    handles = [table.insert(OBJECT, 0) for _ in range(4)]
    table.remove(handles[1])
    table.remove(handles[2])
    assert [table.insert(OBJECT, 0), table.insert(OBJECT, 0)] == [handles[2], handles[1]]


def test_client_ids_are_reused_as_late_as_possible(world: World) -> None:
    """PspCidTable is strict FIFO: a freed id comes back after all that were never used."""
    table = CidTable(world.kernel)
    first = table.assign(OBJECT)
    assert table.find(first) == OBJECT
    table.remove(first)
    seen = [table.assign(OBJECT) for _ in range(255)]
    assert seen[-1] == first
    assert first not in seen[:-1]


def test_a_table_grows_to_three_levels(world: World) -> None:
    """Above 256 handles there is a page of pointers, above 512 pages of handles another over it."""
    table = HandleTable(world.kernel)
    assert table.view.TableCode & 7 == 0
    last = [table.insert(OBJECT + 16 * number, number) for number in range(255 * 513)][-1]
    assert table.view.TableCode & 7 == 2
    top = table.view.TableCode & ~7
    memory = world.kernel.memory
    middle = int.from_bytes(memory.read(top + (last >> 19) * 8, 8), "little")
    leaf = int.from_bytes(memory.read(middle + (last >> 10 & 511) * 8, 8), "little")
    assert leaf + (last >> 2 & 255) * 16 == table.entry_address(last)
    assert table.count == 255 * 513


def test_inherited_handles_keep_their_values(world: World) -> None:
    """Only inheritable entries are copied, and of those only the ones a handle list names."""
    parent, child, chosen = (HandleTable(world.kernel) for _ in range(3))
    kept = parent.insert(OBJECT, 5, 2)
    parent.insert(OBJECT, 5)
    other = parent.insert(OBJECT, 7, 2 | 1)
    parent.inherit_into(child)
    assert dict(child.items()) == {kept: (OBJECT, 5, 2), other: (OBJECT, 7, 3)}
    parent.inherit_into(chosen, {other, 8})
    assert [handle for handle, _ in chosen.items()] == [other]
    assert child.insert(OBJECT, 1) == 8


def test_tables_of_processes_are_on_one_list(world: World) -> None:
    """HandleTableListHead links every process's table, and a dead one leaves it."""
    from ntos import ob

    one, two = world.process(), world.process()
    head = world.kernel[HandleTableList].head
    offset = 0x18
    tables = [one[HandleTable].address, two[HandleTable].address]
    assert [entry - offset for entry in head.iterate()] == tables
    assert one.eprocess.ObjectTable == tables[0]
    ob.close_all(one)
    assert [entry - offset for entry in head.iterate()] == tables[1:]
    assert one.eprocess.ObjectTable == 0
