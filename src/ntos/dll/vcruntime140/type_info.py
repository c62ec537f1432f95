"""std::type_info and std::exception: names, comparison, hashes, copies (vcruntime_typeinfo.h,
vcruntime_exception.h).
"""

from __future__ import annotations

from ntos.abi.memory import read_string
from ntos.abi.types import INT, PVOID, SIZE_T
from ntos.dll.ucrtbase.crt import allocate, release
from ntos.dll.vcruntime140.undecorate import type_text
from ntos.um.export import export
from ntos.um.thread import UserThread

DECORATED = 8
FNV_OFFSET, FNV_PRIME = 0xCBF2_9CE4_8422_2325, 0x100_0000_01B3
MASK = 0xFFFF_FFFF_FFFF_FFFF


class Names:
    """Undecorated names a process has asked for."""

    def __init__(self) -> None:
        self.blocks: list[int] = []


def decorated(thread: UserThread, data: int) -> bytes:
    """The decorated name in __std_type_info_data, its leading point left out."""
    return read_string(thread.memory, data + DECORATED, 0x1000)[1:]


async def name_of(thread: UserThread, data: int) -> int:
    """The undecorated name, made once and kept in the descriptor."""
    known = PVOID.load(thread.memory, data)
    if known:
        return known
    text = type_text(decorated(thread, data).decode("latin-1")).encode("latin-1")
    block = await allocate(thread, len(text) + 1)
    if block:
        thread.memory.write(block, text + b"\0")
        PVOID.store(thread.memory, data, block)
        thread.state(Names).blocks.append(block)
    return block


@export
async def __std_type_info_name(thread: UserThread, data: PVOID, root_node: PVOID) -> PVOID:
    """type_info::name."""
    return PVOID(await name_of(thread, data))


@export
def __std_type_info_compare(thread: UserThread, left: PVOID, right: PVOID) -> INT:
    """The order of two types by decorated name."""
    if left == right:
        return INT(0)
    a, b = decorated(thread, left), decorated(thread, right)
    return INT((a > b) - (a < b))


@export
def __std_type_info_hash(thread: UserThread, data: PVOID) -> SIZE_T:
    """type_info::hash_code: FNV-1a of the decorated name, its halves folded."""
    value = FNV_OFFSET
    for byte in decorated(thread, data):
        value = (value ^ byte) * FNV_PRIME & MASK
    return SIZE_T(value ^ value >> 32)


@export
async def __std_type_info_destroy_list(thread: UserThread, root_node: PVOID) -> None:
    """Free the names a module asked for: they stay, the process's other modules may hold them."""


@export
async def __std_exception_copy(thread: UserThread, source: PVOID, target: PVOID) -> None:
    """Copy what an exception says: a text of its own is copied, a literal shared."""
    text = PVOID.load(thread.memory, source)
    owned = thread.memory.read(source + 8, 1)[0] != 0
    if owned and text:
        data = read_string(thread.memory, text) + b"\0"
        block = await allocate(thread, len(data))
        if block:
            thread.memory.write(block, data)
        thread.memory.write(target, block.to_bytes(8, "little") + b"\1")
    else:
        thread.memory.write(target, text.to_bytes(8, "little") + b"\0")


@export
async def __std_exception_destroy(thread: UserThread, data: PVOID) -> None:
    """Free a text of the exception's own."""
    if thread.memory.read(data + 8, 1)[0]:
        await release(thread, PVOID.load(thread.memory, data))
    thread.memory.write(data, bytes(9))


@export(module="msvcrt", name="?name@type_info@@QEBAPEBDXZ")
async def name(thread: UserThread, this: PVOID) -> PVOID:
    """type_info::name."""
    return PVOID(await name_of(thread, this + 8))


@export(module="msvcrt", name="?raw_name@type_info@@QEBAPEBDXZ")
def raw_name(thread: UserThread, this: PVOID) -> PVOID:
    """type_info::raw_name."""
    return PVOID(this + 16)


@export(module="msvcrt", name="??8type_info@@QEBAHAEBV0@@Z")
def equal(thread: UserThread, this: PVOID, other: PVOID) -> INT:
    """Whether two types are the same."""
    return INT(decorated(thread, this + 8) == decorated(thread, other + 8))


@export(module="msvcrt", name="??9type_info@@QEBAHAEBV0@@Z")
def unequal(thread: UserThread, this: PVOID, other: PVOID) -> INT:
    """Whether two types differ."""
    return INT(decorated(thread, this + 8) != decorated(thread, other + 8))


@export(module="msvcrt", name="??1type_info@@UEAA@XZ")
def destruct(thread: UserThread, this: PVOID) -> None:
    """type_info's destructor: descriptors are part of the image."""
