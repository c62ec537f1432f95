"""Delay-loaded imports: the first call of a function loads its DLL and fills the table (ResolveDelayLoadedAPI)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.pointer import Code
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import PVOID, ULONG
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.ldr import dynamic, failure, relocate, search
from ntos.dll.ntdll.ldr.image import text_at
from ntos.dll.ntdll.ldr.state import Loader, Module
from ntos.rtl.error import nt_status_to_dos_error
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

BY_ORDINAL = 1 << 63
INFO_SIZE = 0x48
GET_PROCEDURE_FAILED = 4
PAGE_READWRITE = 4


class DelayedCall:
    """One thunk of one IMAGE_DELAYLOAD_DESCRIPTOR."""

    def __init__(self, thread: UserThread, base: int, descriptor: int, thunk: int) -> None:
        _, name, handle, addresses, names, _, _, _ = struct.unpack("<8I", thread.memory.read(descriptor, 32))
        self.base, self.descriptor, self.thunk = base, descriptor, thunk
        self.dll = text_at(thread.memory, base + name)
        self.handle = base + handle
        index = (thunk - base - addresses) // 8
        entry = guest.u64(thread.memory, base + names + 8 * index)
        self.name_at = 0 if entry & BY_ORDINAL else base + (entry & 0x7FFF_FFFF) + 2
        self.wanted: str | int = entry & 0xFFFF if entry & BY_ORDINAL else text_at(thread.memory, self.name_at)
        self.name_of_dll = base + name


@export
async def LdrResolveDelayLoadedAPI(
    thread: UserThread,
    ParentModuleBase: PVOID,
    DelayloadDescriptor: PVOID,
    FailureDllHook: Code,
    FailureSystemHook: Code,
    ThunkAddress: PVOID,
    Flags: ULONG,
) -> PVOID:
    """The address for a delay-loaded thunk, written into the table; a failure hook may give one instead."""
    call = DelayedCall(thread, ParentModuleBase, DelayloadDescriptor, ThunkAddress)
    loader = thread.state(Loader)
    target = 0
    try:
        module = await _module(thread, loader, call)
        target = module.base
        address = dynamic.direct(module, call.wanted)
        address = address or await dynamic.forwarded(thread, loader, module, call.wanted)
    except NtError as error:
        failure.refused(thread, "LdrResolveDelayLoadedAPI", error)
        return PVOID(await _failed(thread, call, error, target, int(FailureDllHook), int(FailureSystemHook)))
    old = await relocate.protect(thread, ThunkAddress, 8, PAGE_READWRITE)
    guest.put64(thread.memory, ThunkAddress, address)
    if old != PAGE_READWRITE:
        await relocate.protect(thread, ThunkAddress, 8, old)
    return PVOID(address)


async def _module(thread: UserThread, loader: Loader, call: DelayedCall) -> Module:
    known = loader.modules.get(guest.u64(thread.memory, call.handle))
    if known is not None:
        return known
    parent = loader.modules.get(call.base)
    flags = parent.dependent_load_flags & search.SEARCH_FLAGS if parent is not None else 0
    request = search.Request(call.dll, parent.name if parent is not None else "", flags)
    module = await dynamic.load_dll(thread, loader, request)
    guest.put64(thread.memory, call.handle, module.base)
    return module


async def _failed(
    thread: UserThread, call: DelayedCall, error: NtError, target: int, dll_hook: int, system_hook: int
) -> int:
    """Ask the module's hook, then the system's (kernel32!DelayLoadFailureHook)."""
    by_name = isinstance(call.wanted, str)
    value = call.name_at if by_name else int(call.wanted)
    if dll_hook:
        with thread.frame() as frame:
            info = struct.pack(
                "<I4xQQQI4xQQQI4x",
                INFO_SIZE,
                call.descriptor,
                call.thunk,
                call.name_of_dll,
                int(by_name),
                value,
                target,
                0,
                nt_status_to_dos_error(error.status),
            )
            address = await thread.call(dll_hook, GET_PROCEDURE_FAILED, frame.bytes(info))
        if address:
            return address
    if system_hook:
        return await thread.call(system_hook, call.name_of_dll, value)
    raise NtError(error.status if error.status != STATUS.PROCEDURE_NOT_FOUND else STATUS.ENTRYPOINT_NOT_FOUND)
