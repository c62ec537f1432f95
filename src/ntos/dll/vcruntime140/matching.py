"""Whether a catch block takes a thrown object, and the copy it gets (TypeMatch, AdjustPointer, BuildCatchObject)."""

from __future__ import annotations

import struct

from ntos.abi.memory import Memory
from ntos.dll.vcruntime140 import tables
from ntos.dll.vcruntime140.tables import CatchableType, HandlerType, Thrown
from ntos.um.thread import UserThread


def is_ellipsis(memory: Memory, image: int, handler: HandlerType) -> bool:
    """Whether a catch block is `catch (...)`."""
    return not handler.type or not tables.type_name(memory, image + handler.type)


def matches(memory: Memory, image: int, handler: HandlerType, kind: CatchableType, thrown: Thrown) -> bool:
    """Whether a catch block takes an object as this type: same type, and no qualifier lost."""
    if is_ellipsis(memory, image, handler):
        return True
    wanted, given = image + handler.type, thrown.image + kind.type
    if wanted != given and tables.type_name(memory, wanted) != tables.type_name(memory, given):
        return False
    attributes, adjectives = tables.attributes_of(memory, thrown), handler.adjectives
    return not (
        (kind.properties & tables.CT_REFERENCE_ONLY and not adjectives & tables.HT_REFERENCE)
        or (attributes & tables.TI_CONST and not adjectives & tables.HT_CONST)
        or (attributes & tables.TI_UNALIGNED and not adjectives & tables.HT_UNALIGNED)
        or (attributes & tables.TI_VOLATILE and not adjectives & tables.HT_VOLATILE)
    )  # fmt: skip


def adjusted(memory: Memory, pointer: int, member: tuple[int, int, int]) -> int:
    """A pointer to a base of the object it points to; `member` is (offset, vbtable pointer's offset, row)."""
    m, p, v = member
    result = pointer + m
    if p >= 0:
        table = int.from_bytes(memory.read(pointer + p, 8), "little")
        result += p + int(struct.unpack("<i", memory.read(table + v, 4))[0])
    return result


async def build_object(
    thread: UserThread, thrown: Thrown, frame: int, image: int, handler: HandlerType, kind: CatchableType
) -> None:
    """Give the catch block its parameter: a pointer, bytes, or what the copy constructor makes."""
    memory = thread.memory
    if not handler.catch_object or is_ellipsis(memory, image, handler):
        return
    target = frame + handler.catch_object
    if handler.adjectives & tables.HT_REFERENCE:
        memory.write(target, adjusted(memory, thrown.object, kind.member).to_bytes(8, "little"))
    elif kind.properties & tables.CT_SIMPLE:
        memory.write(target, memory.read(thrown.object, kind.size))
        pointer = int.from_bytes(memory.read(target, 8), "little") if kind.size == 8 else 0
        if pointer:
            memory.write(target, adjusted(memory, pointer, kind.member).to_bytes(8, "little"))
    else:
        source = adjusted(memory, thrown.object, kind.member)
        if not kind.copy:
            memory.write(target, memory.read(source, kind.size))
        elif kind.properties & tables.CT_VIRTUAL_BASE:
            await thread.call(thrown.image + kind.copy, target, source, 1)
        else:
            await thread.call(thrown.image + kind.copy, target, source)
