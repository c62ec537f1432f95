"""The heap that is machine code."""

from __future__ import annotations

import random
import struct
import time
from itertools import pairwise

import pytest

from tests.um.leaf_guest import PEB, Calls, Guest, GuestEnded, GuestRaised

HEAP_CORRUPTION = 0xC0000374
ZERO, IN_PLACE, EXCEPTIONS = 8, 0x10, 4


@pytest.fixture
def guest() -> Guest:
    return Guest("ntdll")


@pytest.fixture
def heap(guest: Guest) -> int:
    return guest.call("RtlCreateHeap", 2, 0, 0, 0, 0, 0)


def test_handle_is_first_segment(guest: Guest, heap: int) -> None:
    """A handle is the base of the first segment; the PEB lists it."""
    assert heap & 0xFFFF == 0
    assert guest.u32(heap + 0x10) == 0xFFEEFFEE
    assert guest.u32(heap + 0x98) == 0xEEFFEEFF
    assert guest.u64(guest.u64(PEB + 0xF0)) == heap
    assert guest.call("RtlGetProcessHeaps", 0, 0) == 1


@pytest.mark.parametrize("seed", range(4))
def test_against_a_model(seed: int) -> None:
    """Blocks are aligned, never overlap, keep their bytes and know their size; the heap stays valid."""
    guest = Guest("ntdll", seed=seed)
    heap = guest.call("RtlCreateHeap", 2, 0, 0, 0, 0, 0)
    chance = random.Random(seed)
    model: dict[int, bytes] = {}
    for step in range(2500):
        action = chance.random()
        small = chance.random() < 0.8
        size = chance.randrange(0, 300) if small else int(2 ** chance.uniform(4, 20.5))
        if action < 0.5 or not model:
            flags = chance.choice((0, ZERO))
            address = guest.call("RtlAllocateHeap", heap, flags, size)
            assert address
            assert address % 16 == 0
            if flags:
                assert guest.read(address, size) == bytes(size)
        elif action < 0.8:
            address = chance.choice(list(model))
            assert guest.read(address, len(model[address])) == model.pop(address)
            assert guest.call("RtlFreeHeap", heap, 0, address) & 0xFF == 1
            continue
        else:
            old = chance.choice(list(model))
            content = model.pop(old)
            address = guest.call("RtlReAllocateHeap", heap, ZERO, old, size)
            assert address
            kept = min(size, len(content))
            assert guest.read(address, size) == content[:kept] + bytes(size - kept)
        assert guest.call("RtlSizeHeap", heap, 0, address) == size
        content = chance.randbytes(size)
        guest.write(address, content)
        model[address] = content
        if step % 250 == 0:
            assert guest.call("RtlValidateHeap", heap, 0, 0) == 1
            spans = sorted((start - 16, start + max(len(data), 1)) for start, data in model.items())
            assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    for address, content in model.items():
        assert guest.read(address, len(content)) == content
        guest.call("RtlFreeHeap", heap, 0, address)
    assert guest.call("RtlValidateHeap", heap, 0, 0) == 1
    assert guest.call("RtlDestroyHeap", heap) == 0
    assert guest.reserved == {}
    assert guest.call("RtlGetProcessHeaps", 0, 0) == 0


def test_freed_memory_is_joined(guest: Guest, heap: int) -> None:
    """When everything is freed, in any order, one free block is left per segment."""
    blocks = [guest.call("RtlAllocateHeap", heap, 0, size) for size in range(1, 400)]
    random.Random(5).shuffle(blocks)
    for address in blocks:
        guest.call("RtlFreeHeap", heap, 0, address)
    committed = guest.total
    assert guest.call("RtlCompactHeap", heap, 0) > committed - 0x1000


def _walk(guest: Guest, heap: int) -> list[tuple[int, int, int]]:
    entry = guest.place(bytes(64))
    found = []
    while guest.call("RtlWalkHeap", heap, entry) == 0:
        address, size, flags = struct.unpack("<QQ2xH", guest.read(entry, 20))
        found.append((address, size, flags))
    return found


def test_walk_shows_segment_and_blocks(guest: Guest, heap: int) -> None:
    """RtlWalkHeap gives the segment, then each block, until STATUS_NO_MORE_ENTRIES."""
    first = guest.call("RtlAllocateHeap", heap, 0, 100)
    second = guest.call("RtlAllocateHeap", heap, 0, 200)
    guest.call("RtlFreeHeap", heap, 0, first)
    walked = _walk(guest, heap)
    assert walked[0][0] == heap
    assert walked[0][2] == 2
    assert (second, 200, 1) in walked
    assert [flags for address, _, flags in walked if address == first] == [0]


def test_many_segments_are_walked(guest: Guest, heap: int) -> None:
    """A heap that outgrew its first segment shows every block of every segment."""
    blocks = {guest.call("RtlAllocateHeap", heap, 0, 200_000) for _ in range(30)}
    walked = _walk(guest, heap)
    assert {address for address, _, flags in walked if flags == 1} == blocks
    assert len([1 for _, _, flags in walked if flags == 2]) > 1


@pytest.mark.parametrize("size", [24, 100_000])
def test_double_free_ends_the_process(guest: Guest, heap: int, size: int) -> None:
    """Freeing a block twice is STATUS_HEAP_CORRUPTION."""
    address = guest.call("RtlAllocateHeap", heap, 0, size)
    guest.call("RtlFreeHeap", heap, 0, address)
    with pytest.raises(GuestEnded) as ended:
        guest.call("RtlFreeHeap", heap, 0, address)
    assert ended.value.args == (2**64 - 1, HEAP_CORRUPTION)


def test_large_block_is_a_region(guest: Guest, heap: int) -> None:
    """A block of a megabyte or more is a region of its own, given back to the system when it is freed."""
    before = guest.total
    address = guest.call("RtlAllocateHeap", heap, 0, 2_000_000)
    assert guest.total >= before + 2_000_000
    assert guest.call("RtlFreeHeap", heap, 0, address) == 1
    assert guest.total == before


def test_double_free_after_joining(guest: Guest, heap: int) -> None:
    """A block that melted into its left neighbour is still known to be free."""
    left, right, _ = (guest.call("RtlAllocateHeap", heap, 0, 640) for _ in range(3))
    guest.call("RtlFreeHeap", heap, 0, left)
    guest.call("RtlFreeHeap", heap, 0, right)
    with pytest.raises(GuestEnded):
        guest.call("RtlFreeHeap", heap, 0, right)


def test_overrun_ends_the_process(guest: Guest, heap: int) -> None:
    """Writing over the next block's header is noticed when either block is freed."""
    address = guest.call("RtlAllocateHeap", heap, 0, 32)
    guest.call("RtlAllocateHeap", heap, 0, 32)
    guest.write(address, bytes(48))
    assert guest.call("RtlValidateHeap", heap, 0, 0) == 0
    with pytest.raises(GuestEnded) as ended:
        guest.call("RtlFreeHeap", heap, 0, address)
    assert ended.value.args[1] == HEAP_CORRUPTION


def test_block_of_another_heap(guest: Guest, heap: int) -> None:
    """A block given back to the wrong heap is corruption, and not valid there."""
    other = guest.call("RtlCreateHeap", 2, 0, 0, 0, 0, 0)
    address = guest.call("RtlAllocateHeap", heap, 0, 32)
    assert guest.call("RtlValidateHeap", other, 0, address) == 0
    assert guest.call("RtlValidateHeap", heap, 0, address) == 1
    with pytest.raises(GuestEnded):
        guest.call("RtlFreeHeap", other, 0, address)


def test_zero_bytes_and_null(guest: Guest, heap: int) -> None:
    """Zero bytes are a block of their own; freeing NULL succeeds and does nothing."""
    first, second = guest.call("RtlAllocateHeap", heap, 0, 0), guest.call("RtlAllocateHeap", heap, 0, 0)
    assert first
    assert first != second
    assert guest.call("RtlSizeHeap", heap, 0, first) == 0
    assert guest.call("RtlFreeHeap", heap, 0, 0) & 0xFF == 1


def test_in_place_only(guest: Guest, heap: int) -> None:
    """HEAP_REALLOC_IN_PLACE_ONLY never moves: it fails, and the block stays as it was."""
    address = guest.call("RtlAllocateHeap", heap, 0, 64)
    wall = guest.call("RtlAllocateHeap", heap, 0, 64)
    assert guest.call("RtlReAllocateHeap", heap, IN_PLACE, address, 4096) == 0
    assert guest.call("RtlSizeHeap", heap, 0, address) == 64
    assert guest.call("RtlReAllocateHeap", heap, IN_PLACE, address, 10) == address
    guest.call("RtlFreeHeap", heap, 0, wall)
    assert guest.call("RtlReAllocateHeap", heap, IN_PLACE, address, 4096) == address
    assert guest.call("RtlSizeHeap", heap, 0, address) == 4096


def test_fixed_heap_has_an_end(guest: Guest) -> None:
    """A heap with a maximum returns NULL when it is full, and goes on when something is freed."""
    heap = guest.call("RtlCreateHeap", 0, 0, 0x40000, 0, 0, 0)
    blocks = []
    while address := guest.call("RtlAllocateHeap", heap, 0, 1000):
        blocks.append(address)
    assert 200 < len(blocks) < 263
    assert guest.last_error() == 8
    assert guest.call("RtlAllocateHeap", heap, 0, 2_000_000) == 0
    guest.call("RtlFreeHeap", heap, 0, blocks[7])
    assert guest.call("RtlAllocateHeap", heap, 0, 1000) == blocks[7]
    assert guest.call("RtlValidateHeap", heap, 0, 0) == 1


def test_out_of_memory(guest: Guest, heap: int) -> None:
    """Without memory the answer is NULL, or STATUS_NO_MEMORY raised in the caller when it asked for that."""
    guest.limit = guest.total + 0x20000
    assert guest.call("RtlAllocateHeap", heap, 0, 0x100000) == 0
    assert guest.call("RtlAllocateHeap", heap, 0, 2**63) == 0
    assert guest.call("RtlAllocateHeap", heap, 0, 2**64 - 1) == 0
    with pytest.raises(GuestRaised) as raised:
        guest.call("RtlAllocateHeap", heap, EXCEPTIONS, 0x200000)
    code, stack, instruction, first = raised.value.args
    assert (code, first & 0xFF) == (0xC0000017, 1)
    assert guest.base < instruction < guest.base + 0x20000
    assert stack % 16 == 0
    assert guest.call("RtlAllocateHeap", heap, 0, 100)
    assert guest.call("RtlValidateHeap", heap, 0, 0) == 1


def test_threads_share_a_heap() -> None:
    """Threads preempted anywhere allocate and free in one heap without harm."""
    guest = Guest("ntdll", seed=3)
    heap = guest.call("RtlCreateHeap", 2, 0, 0, 0, 0, 0)

    def program(seed: int) -> Calls:
        chance = random.Random(seed)
        mine: list[tuple[int, bytes]] = []
        for _ in range(150):
            if mine and chance.random() < 0.45:
                address, content = mine.pop(chance.randrange(len(mine)))
                assert guest.read(address, len(content)) == content
                yield "RtlFreeHeap", (heap, 0, address)
            else:
                size = chance.randrange(1, 2000)
                address = yield "RtlAllocateHeap", (heap, 0, size)
                content = chance.randbytes(size)
                guest.write(address, content)
                mine.append((address, content))

    guest.run([program(seed) for seed in range(4)], slices=120)
    assert guest.call("RtlValidateHeap", heap, 0, 0) == 1


def test_pairs_per_second(guest: Guest, heap: int) -> None:
    """An allocation and its release cost no trap: a loop in the guest makes them by the hundred thousand."""
    # push rbx; push rdi; push rsi; sub rsp,32; mov rdi,rcx; mov rsi,rdx; mov rbx,r8
    # loop: mov rcx,rdi; xor edx,edx; mov r8d,48; call [rsi]; mov r8,rax; mov rcx,rdi; xor edx,edx
    #       call [rsi+8]; dec rbx; jnz loop; add rsp,32; pop rsi; pop rdi; pop rbx; ret
    code = bytes.fromhex(
        "5357564883ec204889cf4889d64c89c3"
        "4889f931d241b830000000ff164989c04889f931d2ff560848ffcb75e3"
        "4883c4205e5f5bc3"
    )
    address = guest.place(code)
    names = ("RtlAllocateHeap", "RtlFreeHeap")
    table = guest.place(struct.pack("<2Q", *(guest.base + guest.exports[name] for name in names)))
    guest.call(address, heap, table, 1000)
    services, started, pairs = guest.services, time.perf_counter(), 100_000
    guest.call(address, heap, table, pairs)
    seconds = time.perf_counter() - started
    assert guest.services == services
    print(f"\n{pairs / seconds:,.0f} heap pairs a second")  # noqa: T201
    assert pairs / seconds > 50_000
