"""The compiler's exception tables as Python values (ehdata.h of Visual C++; all pointers are RVAs of an image)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from ntos.abi.memory import Memory, read_string

EMPTY_STATE = -1
MAGIC_1, MAGIC_3 = 0x1993_0520, 0x1993_0522
MAGIC_PURE = 0x0199_4000
CPP_EXCEPTION = 0xE06D_7363

HT_CONST, HT_VOLATILE, HT_UNALIGNED, HT_REFERENCE, HT_ELLIPSIS = 1, 2, 4, 8, 0x40
CT_SIMPLE, CT_REFERENCE_ONLY, CT_VIRTUAL_BASE = 1, 2, 4
TI_CONST, TI_VOLATILE, TI_UNALIGNED, TI_PURE = 1, 2, 4, 8
EHS, NOEXCEPT = 1, 4
LIMIT = 1 << 16


class UnwindEntry(NamedTuple):
    """Leaving a state: which state is next, and the destructor funclet to run."""

    to_state: int
    action: int


class HandlerType(NamedTuple):
    """One catch block."""

    adjectives: int
    type: int
    catch_object: int
    handler: int
    frame: int


class TryBlock(NamedTuple):
    """States of a try block, and of its catch blocks."""

    low: int
    high: int
    catch_high: int
    handlers: tuple[HandlerType, ...]


class FunctionInfo(NamedTuple):
    """What `__CxxFrameHandler3` is told of a function."""

    address: int
    magic: int
    unwind_map: int
    maximum_state: int
    try_blocks: tuple[TryBlock, ...]
    states: tuple[tuple[int, int], ...]
    unwind_help: int
    flags: int

    def state_at(self, rva: int) -> int:
        """The state by address (__StateFromIp)."""
        state = EMPTY_STATE
        for start, value in self.states:
            if rva < start:
                break
            state = value
        return state


def read_function_info(memory: Memory, image: int, rva: int) -> FunctionInfo:
    """FuncInfo at an RVA; parts that older compilers lack are zero."""
    address = image + rva
    magic_bits, maximum, unwind_map, tries, try_map, ip_count, ip_map, help_ = struct.unpack(
        "<IiIIIIIi", memory.read(address, 32)
    )
    magic = magic_bits & 0x1FFF_FFFF
    flags = struct.unpack("<I", memory.read(address + 36, 4))[0] if magic >= MAGIC_3 else 0
    blocks = tuple(_try_block(memory, image, image + try_map + 20 * index) for index in range(min(tries, LIMIT)))
    states = tuple(struct.iter_unpack("<Ii", memory.read(image + ip_map, 8 * min(ip_count, LIMIT))))
    return FunctionInfo(address, magic, image + unwind_map, maximum, blocks, states, help_, flags)


def _try_block(memory: Memory, image: int, address: int) -> TryBlock:
    low, high, catch_high, count, handlers = struct.unpack("<iiiiI", memory.read(address, 20))
    rows = struct.iter_unpack("<IIiII", memory.read(image + handlers, 20 * min(count, LIMIT)))
    return TryBlock(low, high, catch_high, tuple(HandlerType(*row) for row in rows))


def read_unwind_entry(memory: Memory, info: FunctionInfo, state: int) -> UnwindEntry:
    """The unwind map's row of a state."""
    return UnwindEntry(*struct.unpack("<iI", memory.read(info.unwind_map + 8 * state, 8)))


class CatchableType(NamedTuple):
    """One type a thrown object can be caught as."""

    properties: int
    type: int
    member: tuple[int, int, int]
    size: int
    copy: int


class Thrown(NamedTuple):
    """What an exception record says of the object thrown."""

    record: int
    object: int
    info: int
    image: int


def read_thrown(memory: Memory, record: int) -> Thrown | None:
    """The C++ exception of a record, or None when it is another exception."""
    code, count, magic, object_, info, image = struct.unpack("<I20xI4xQQQQ", memory.read(record, 0x40))
    if code != CPP_EXCEPTION or count < 4 or magic & 0x1FFF_FFFF not in {MAGIC_1, MAGIC_1 + 1, MAGIC_3, MAGIC_PURE}:
        return None
    return Thrown(record, object_, info, image)


def attributes_of(memory: Memory, thrown: Thrown) -> int:
    """ThrowInfo's attributes."""
    return int.from_bytes(memory.read(thrown.info, 4), "little")


def destructor_of(memory: Memory, thrown: Thrown) -> int:
    """The address of the thrown object's destructor, or 0."""
    rva = int.from_bytes(memory.read(thrown.info + 4, 4), "little")
    return thrown.image + rva if rva else 0


def catchable_types(memory: Memory, thrown: Thrown) -> list[CatchableType]:
    """The types a thrown object can be caught as, the most derived first."""
    array = thrown.image + int.from_bytes(memory.read(thrown.info + 12, 4), "little")
    count = min(int.from_bytes(memory.read(array, 4), "little"), LIMIT)
    found = []
    for (rva,) in struct.iter_unpack("<I", memory.read(array + 4, 4 * count)):
        properties, kind, m, p, v, size, copy = struct.unpack("<IIiiiiI", memory.read(thrown.image + rva, 28))
        found.append(CatchableType(properties, kind, (m, p, v), size, copy))
    return found


def type_name(memory: Memory, descriptor: int) -> bytes:
    """The decorated name in a TypeDescriptor."""
    return read_string(memory, descriptor + 16, 0x1000)
