"""CoInitializeEx and CoUninitialize: a thread joins an apartment and leaves it, as often as it joined."""

from __future__ import annotations

from ntos.abi.types import DWORD, HRESULT, PVOID
from ntos.um.entropy import random_bytes
from ntos.um.export import export
from ntos.um.thread import UserThread

S_OK, S_FALSE, RPC_E_CHANGED_MODE, E_INVALIDARG = 0, 1, 0x8001_0106, 0x8007_0057
MULTITHREADED, APARTMENTTHREADED = 0, 2
VALID = 0xE


class Apartment:
    """A thread's apartment."""

    def __init__(self) -> None:
        self.count = 0
        self.mode = MULTITHREADED


@export(partial="no objects can be made: there are no classes")
def CoInitializeEx(thread: UserThread, pvReserved: PVOID, dwCoInit: DWORD) -> HRESULT:
    """Join an apartment; S_FALSE when the thread already has."""
    if dwCoInit & ~VALID or pvReserved:
        return HRESULT(E_INVALIDARG)
    apartment, mode = thread.own(Apartment), dwCoInit & APARTMENTTHREADED
    if apartment.count and apartment.mode != mode:
        return HRESULT(RPC_E_CHANGED_MODE)
    apartment.mode = mode
    apartment.count += 1
    return HRESULT(S_OK if apartment.count == 1 else S_FALSE)


@export
def CoUninitialize(thread: UserThread) -> None:
    """Leave the apartment."""
    apartment = thread.own(Apartment)
    apartment.count = max(apartment.count - 1, 0)


@export
async def CoCreateGuid(thread: UserThread, pguid: PVOID) -> HRESULT:
    """A random GUID (version 4)."""
    data = bytearray(await random_bytes(thread, 16))
    data[7] = data[7] & 0x0F | 0x40
    data[8] = data[8] & 0x3F | 0x80
    thread.memory.write(pguid, data)
    return HRESULT(S_OK)
