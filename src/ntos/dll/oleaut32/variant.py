"""VARIANT: a value with its type (oaidl.h)."""

from __future__ import annotations

from ntos.abi.pointer import Ptr
from ntos.abi.struct import Struct, at
from ntos.abi.types import HRESULT, PVOID, USHORT
from ntos.dll.oleaut32 import bstr
from ntos.um.export import export
from ntos.um.thread import UserThread

VT_BSTR, VT_DISPATCH, VT_VARIANT, VT_UNKNOWN, VT_RECORD = 8, 9, 12, 13, 36
VT_ARRAY, VT_BYREF, VT_TYPEMASK = 0x2000, 0x4000, 0xFFF
SIMPLE = frozenset((*range(8), 10, 11, 14, *range(16, 24)))
"""Types whose values own nothing: empty, null, numbers, date, error, Boolean, decimal."""
S_OK, E_OUTOFMEMORY, DISP_E_BADVARTYPE = 0, 0x8007_000E, 0x8002_0008
ADD_REF, RELEASE = 1, 2


class VARIANT(Struct, size=0x18):
    """A value with its type."""

    vt = at(0x00, USHORT)
    value = at(0x08, PVOID)  # the union's first word


def _owns(kind: int) -> int:
    """The type of what a value of type `kind` owns; 0 for nothing. -1 for a type that does not exist."""
    if kind & VT_BYREF:
        return 0
    if kind in (VT_BSTR, VT_DISPATCH, VT_UNKNOWN):
        return kind
    return 0 if kind in SIMPLE else -1


async def _call_method(thread: UserThread, pointer: int, index: int) -> None:
    table = PVOID.load(thread.memory, pointer)
    await thread.call(PVOID.load(thread.memory, table + 8 * index), pointer)


@export
def VariantInit(thread: UserThread, pvarg: Ptr[VARIANT]) -> None:
    """Make a value empty without looking at what was there."""
    pvarg.read().vt = 0


@export(partial="no arrays and records")
async def VariantClear(thread: UserThread, pvarg: Ptr[VARIANT]) -> HRESULT:
    """Make a value empty; what it owned is given back."""
    view = pvarg.read()
    kind, pointer = _owns(int(view.vt)), int(view.value)
    if kind < 0:
        return HRESULT(DISP_E_BADVARTYPE)
    view.vt = 0
    if kind == VT_BSTR:
        await bstr.release(thread, pointer)
    elif kind and pointer:
        await _call_method(thread, pointer, RELEASE)
    return HRESULT(S_OK)


@export(partial="no arrays and records")
async def VariantCopy(thread: UserThread, pvargDest: Ptr[VARIANT], pvargSrc: Ptr[VARIANT]) -> HRESULT:
    """Copy a value and what it owns."""
    source = pvargSrc.read()
    kind, pointer = _owns(int(source.vt)), int(source.value)
    if kind < 0:
        return HRESULT(DISP_E_BADVARTYPE)
    if pvargDest.address == pvargSrc.address:
        return HRESULT(S_OK)
    result = await VariantClear(thread, pvargDest)
    if result:
        return result
    data = pvargSrc.read_bytes(VARIANT.size)
    if kind == VT_BSTR:
        copied = await bstr.duplicate(thread, pointer)
        if not copied:
            return HRESULT(E_OUTOFMEMORY)
        data = data[:8] + copied.to_bytes(8, "little") + data[16:]
    elif kind and pointer:
        await _call_method(thread, pointer, ADD_REF)
    pvargDest.write_bytes(data)
    return HRESULT(S_OK)
