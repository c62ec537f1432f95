"""Loading and finding: LdrLoadDll, LdrGetDllHandle, LdrGetProcedureAddress and their kin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.string import ANSI_STRING, UNICODE_STRING
from ntos.abi.pointer import In, Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import NTSTATUS, PVOID, ULONG
from ntos.dll.ntdll.ldr import dynamic, graph, load, search, unload
from ntos.dll.ntdll.ldr.lock import locked
from ntos.dll.ntdll.ldr.state import Loader, Module
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

PATH_IS_FLAGS = 1
DONT_RESOLVE = 2
UNCHANGED_REFCOUNT, PIN = 1, 2


@export(partial="packaged applications; signed images; SxS redirection")
async def LdrLoadDll(
    thread: UserThread,
    DllPath: PVOID,
    DllCharacteristics: In[ULONG] | None,
    DllName: In[UNICODE_STRING],
    DllHandle: Out[PVOID],
) -> NTSTATUS:
    """Load a DLL and all it needs, or count one more reference to it."""
    flags = DllPath & 0x7FFE if DllPath & PATH_IS_FLAGS else 0
    request = search.Request(DllName.text, flags=flags)
    resolve = not int(DllCharacteristics or 0) & DONT_RESOLVE
    module = await dynamic.load_dll(thread, thread.state(Loader), request, resolve=resolve)
    DllHandle.write(module.base)
    return STATUS.SUCCESS


@export
async def LdrUnloadDll(thread: UserThread, DllHandle: PVOID) -> NTSTATUS:
    """Drop a reference; the last one unloads."""
    loader = thread.state(Loader)
    if DllHandle & 3:
        await unload.unmap_data_file(thread, DllHandle)
        return STATUS.SUCCESS
    async with locked(thread):
        await unload.release(thread, loader, module_of(loader, DllHandle))
    return STATUS.SUCCESS


def module_of(loader: Loader, base: int) -> Module:
    """The module loaded at a base; DLL_NOT_FOUND when there is none."""
    module = loader.modules.get(base)
    if module is None:
        raise NtError(STATUS.DLL_NOT_FOUND)
    return module


@export
def LdrGetDllHandle(
    thread: UserThread,
    DllPath: PVOID,
    DllCharacteristics: PVOID,
    DllName: In[UNICODE_STRING],
    DllHandle: Out[PVOID],
) -> NTSTATUS:
    """The base of a loaded DLL, its count unchanged."""
    DllHandle.write(find(thread, DllName.text).base)
    return STATUS.SUCCESS


@export
def LdrGetDllHandleEx(
    thread: UserThread,
    Flags: ULONG,
    DllPath: PVOID,
    DllCharacteristics: PVOID,
    DllName: In[UNICODE_STRING],
    DllHandle: Out[PVOID] | None,
) -> NTSTATUS:
    """The base of a loaded DLL; counts a reference, or pins it (2), or neither (1)."""
    if Flags & ~3 or Flags == 3:
        raise NtError(STATUS.INVALID_PARAMETER)
    module = find(thread, DllName.text)
    if Flags & PIN:
        graph.pin(thread.state(Loader), thread.memory, module)
    elif not Flags & UNCHANGED_REFCOUNT:
        graph.count_up(module.node)
    if DllHandle is not None:
        DllHandle.write(module.base)
    return STATUS.SUCCESS


def find(thread: UserThread, name: str) -> Module:
    """The loaded module that a name means; DLL_NOT_FOUND."""
    loader = thread.state(Loader)
    request = search.Request(name)
    search.preprocess(request)
    module = load.find_loaded(loader, request)
    if module is None and not search.is_bare(request.resolved):
        for _, path in search.candidates(thread, loader, request):
            module = module or loader.at_path(path)
    if module is None:
        raise request.not_found()
    return module


@export
def LdrAddRefDll(thread: UserThread, Flags: ULONG, DllHandle: PVOID) -> NTSTATUS:
    """Count a reference, or pin (1)."""
    if Flags & ~1:
        raise NtError(STATUS.INVALID_PARAMETER)
    loader = thread.state(Loader)
    module = module_of(loader, DllHandle)
    if Flags:
        graph.pin(loader, thread.memory, module)
    else:
        graph.count_up(module.node)
    return STATUS.SUCCESS


@export
async def LdrGetProcedureAddress(
    thread: UserThread,
    DllHandle: PVOID,
    ProcedureName: In[ANSI_STRING] | None,
    ProcedureNumber: ULONG,
    ProcedureAddress: Out[PVOID],
) -> NTSTATUS:
    """The address of an export, by name or by ordinal."""
    ProcedureAddress.write(await _procedure(thread, DllHandle, ProcedureName, ProcedureNumber))
    return STATUS.SUCCESS


@export
async def LdrGetProcedureAddressEx(
    thread: UserThread,
    DllHandle: PVOID,
    ProcedureName: In[ANSI_STRING] | None,
    ProcedureNumber: ULONG,
    ProcedureAddress: Out[PVOID],
    Flags: ULONG,
) -> NTSTATUS:
    """LdrGetProcedureAddress with flags (1: do not record forwarders)."""
    ProcedureAddress.write(await _procedure(thread, DllHandle, ProcedureName, ProcedureNumber))
    return STATUS.SUCCESS


@export
async def LdrGetProcedureAddressForCaller(
    thread: UserThread,
    DllHandle: PVOID,
    ProcedureName: In[ANSI_STRING] | None,
    ProcedureNumber: ULONG,
    ProcedureAddress: Out[PVOID],
    Flags: ULONG,
    CallerAddress: PVOID,
) -> NTSTATUS:
    """LdrGetProcedureAddress for code at an address."""
    ProcedureAddress.write(await _procedure(thread, DllHandle, ProcedureName, ProcedureNumber))
    return STATUS.SUCCESS


async def _procedure(thread: UserThread, base: int, name: ANSI_STRING | None, number: int) -> int:
    loader = thread.state(Loader)
    module = module_of(loader, base) if base else loader.exe
    assert module is not None
    wanted: str | int = name.text if name is not None and int(name.Length) else number
    address = dynamic.direct(module, wanted)
    if address:
        return address
    return await dynamic.forwarded(thread, loader, module, wanted)
