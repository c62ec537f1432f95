"""Heaps: what is not ntdll's code alone (heapapi.h). HeapAlloc, HeapFree and their like are forwarders."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.layout.toolhelp import PROCESS_HEAP_ENTRY
from ntos.abi.mm import HEAP_CREATE_ENABLE_EXECUTE, HEAP_GENERATE_EXCEPTIONS, HEAP_GROWABLE, HEAP_NO_SERIALIZE
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, DWORD, HANDLE, PVOID, SIZE_T
from ntos.dll.kernelbase.services import rtl, rtl_status
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

CREATE_FLAGS = HEAP_NO_SERIALIZE | HEAP_GENERATE_EXCEPTIONS | HEAP_CREATE_ENABLE_EXECUTE
LARGEST_FIXED = 0x7F000
SMALLEST = 0x1000


@export
async def HeapCreate(thread: UserThread, flOptions: DWORD, dwInitialSize: SIZE_T, dwMaximumSize: SIZE_T) -> HANDLE:
    """A heap of one's own; it grows where no maximum is given."""
    flags = flOptions & CREATE_FLAGS
    maximum = int(dwMaximumSize)
    if not maximum:
        flags |= HEAP_GROWABLE
    maximum = max(maximum, SMALLEST) if maximum else 0
    initial = min(dwInitialSize, maximum) if maximum else dwInitialSize
    heap = await rtl(thread, "RtlCreateHeap", flags, 0, maximum, initial, 0, 0)
    if not heap:
        raise WinError(ERROR.NOT_ENOUGH_MEMORY)
    return HANDLE(heap)


@export
async def HeapDestroy(thread: UserThread, hHeap: HANDLE) -> BOOL:
    """Give a heap and all in it back; the process heap cannot go."""
    if await rtl(thread, "RtlDestroyHeap", hHeap):
        raise WinError(ERROR.INVALID_HANDLE)
    return BOOL(1)


@export
async def HeapSetInformation(
    thread: UserThread, HeapHandle: HANDLE, HeapInformationClass: DWORD, HeapInformation: PVOID, Length: SIZE_T
) -> BOOL:
    """Choose a heap's front end, or that corruption ends the process."""
    await rtl_status(thread, "RtlSetHeapInformation", HeapHandle, HeapInformationClass, HeapInformation, Length)
    return BOOL(1)


@export
async def HeapQueryInformation(
    thread: UserThread,
    HeapHandle: HANDLE,
    HeapInformationClass: DWORD,
    HeapInformation: PVOID,
    Length: SIZE_T,
    ReturnLength: PVOID,
) -> BOOL:
    """A heap's front end."""
    await rtl_status(
        thread,
        "RtlQueryHeapInformation",
        HeapHandle,
        HeapInformationClass,
        HeapInformation,
        Length,
        ReturnLength,
    )
    return BOOL(1)


@export
async def GetProcessHeaps(thread: UserThread, NumberOfHeaps: DWORD, ProcessHeaps: PVOID) -> DWORD:
    """The heaps of the process; how many there are."""
    return DWORD(await rtl(thread, "RtlGetProcessHeaps", NumberOfHeaps, ProcessHeaps))


@export
async def HeapWalk(thread: UserThread, hHeap: HANDLE, lpEntry: Ptr[PROCESS_HEAP_ENTRY]) -> BOOL:
    """The next block of a heap (ntdll's RTL_HEAP_WALK_ENTRY in Win32's order)."""
    view = lpEntry.read()
    with thread.frame() as frame:
        place = frame.allocate(0x40)
        thread.memory.write(place, int(view.lpData).to_bytes(8, "little"))
        await rtl_status(thread, "RtlWalkHeap", hHeap, place)
        found = thread.memory.read(place, 0x30)
    view.lpData = int.from_bytes(found[:8], "little")
    view.cbData = int.from_bytes(found[8:16], "little")
    view.cbOverhead, view.iRegionIndex = found[0x10], found[0x11]
    view.wFlags = int.from_bytes(found[0x12:0x14], "little")
    return BOOL(1)
