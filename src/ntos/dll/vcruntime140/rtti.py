"""dynamic_cast and typeid over the compiler's class descriptions (rttidata.h; pointers are RVAs)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from ntos.abi.memory import Memory
from ntos.abi.types import BOOL, LONG, PVOID
from ntos.dll.ucrtbase.termination import terminate
from ntos.dll.vcruntime140.matching import adjusted
from ntos.dll.vcruntime140.tables import type_name
from ntos.um.export import export
from ntos.um.thread import UserThread

NOT_VISIBLE, AMBIGUOUS, PRIVATE = 1, 2, 4
BAD_CAST = "a failed cast to a reference ends the process instead of throwing std::bad_cast"


class Base(NamedTuple):
    """A base class of a complete object."""

    type: int
    contained: int
    member: tuple[int, int, int]
    attributes: int


class Complete(NamedTuple):
    """A complete object: where it begins, its type, all its bases (itself first)."""

    address: int
    type: int
    bases: tuple[Base, ...]


def complete_object(memory: Memory, pointer: int) -> Complete:
    """The object around a pointer to one of its polymorphic parts."""
    locator = PVOID.load(memory, PVOID.load(memory, pointer) - 8)
    signature, offset, constructor_offset, kind, hierarchy, own = struct.unpack("<6I", memory.read(locator, 24))
    image = locator - own if signature else 0
    address = pointer - offset
    if constructor_offset:
        address -= LONG.load(memory, pointer - constructor_offset)
    _, _, count, array = struct.unpack("<4I", memory.read(image + hierarchy, 16))
    bases = []
    for (rva,) in struct.iter_unpack("<I", memory.read(image + array, 4 * count)):
        base, contained, m, p, v, attributes = struct.unpack("<IIiiiI", memory.read(image + rva, 24))
        bases.append(Base(image + base, contained, (m, p, v), attributes))
    return Complete(address, image + kind, tuple(bases))


def _same(memory: Memory, left: int, right: int) -> bool:
    return left == right or type_name(memory, left) == type_name(memory, right)


def cast(memory: Memory, pointer: int, offset: int, source: int, target: int) -> int:
    """dynamic_cast: the part of type `target`, or 0."""
    found = complete_object(memory, pointer)
    part = pointer - offset

    def place(base: Base) -> int:
        return adjusted(memory, found.address, base.member)

    sources = [
        index for index, base in enumerate(found.bases) if _same(memory, base.type, source) and place(base) == part
    ]
    targets = [index for index, base in enumerate(found.bases) if _same(memory, base.type, target)]
    # Down: a target that holds the source part as a visible base.
    for index in targets:
        last = index + found.bases[index].contained
        for inner in sources:
            if index <= inner <= last and not (inner > index and found.bases[inner].attributes & NOT_VISIBLE):
                return place(found.bases[index])
    # Across: the object's one visible base of that type.
    if not any(not found.bases[index].attributes & NOT_VISIBLE for index in sources):
        return 0
    visible = {place(found.bases[index]) for index in targets if not found.bases[index].attributes & NOT_VISIBLE}
    return visible.pop() if len(visible) == 1 else 0


async def dynamic_cast(
    thread: UserThread, inptr: PVOID, VfDelta: LONG, SrcType: PVOID, TargetType: PVOID, isReference: BOOL
) -> PVOID:
    """A pointer to another part of an object, or NULL."""
    if not inptr:
        return PVOID(0)
    result = cast(thread.memory, inptr, VfDelta, SrcType, TargetType)
    if not result and isReference:
        await terminate(thread)
    return PVOID(result)


async def typeid(thread: UserThread, inptr: PVOID) -> PVOID:
    """The type of a complete object."""
    if not inptr:
        await terminate(thread)
    return PVOID(complete_object(thread.memory, inptr).type)


def cast_to_void(thread: UserThread, inptr: PVOID) -> PVOID:
    """The complete object a pointer leads into (a cast to void*)."""
    return PVOID(complete_object(thread.memory, inptr).address if inptr else 0)


for _module in ("vcruntime140", "msvcrt"):
    export(name="__RTDynamicCast", module=_module, partial=BAD_CAST)(dynamic_cast)
    export(name="__RTtypeid", module=_module, partial="typeid of a null pointer ends the process")(typeid)
    export(name="__RTCastToVoid", module=_module)(cast_to_void)
