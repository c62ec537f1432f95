"""From the kernel's state change to the DEBUG_EVENT of Win32 debuggers."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi import win32
from ntos.abi.dbgk import DBG_STATE
from ntos.abi.layout.dbgk import DBGUI_WAIT_STATE_CHANGE
from ntos.abi.layout.debug_event import (
    CREATE_PROCESS_DEBUG_INFO,
    CREATE_THREAD_DEBUG_INFO,
    DEBUG_EVENT,
    LOAD_DLL_DEBUG_INFO,
    OUTPUT_DEBUG_STRING_INFO,
)
from ntos.abi.pointer import Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import NTSTATUS
from ntos.dll.ntdll.guest import settle
from ntos.um import nt
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

THREAD_BASIC_INFORMATION_SIZE, TEB_BASE_ADDRESS = 0x30, 8
EXCEPTION_SIZE = 0xA0
SIMPLE = {
    DBG_STATE.DbgExitThreadStateChange: (win32.EXIT_THREAD_DEBUG_EVENT, 4),
    DBG_STATE.DbgExitProcessStateChange: (win32.EXIT_PROCESS_DEBUG_EVENT, 4),
    DBG_STATE.DbgUnloadDllStateChange: (win32.UNLOAD_DLL_DEBUG_EVENT, 8),
}
"""What is the same in both: the event's code, and how many bytes there are to it."""


@export
async def DbgUiConvertStateChangeStructure(
    thread: UserThread, WaitStateChange: Ptr[DBGUI_WAIT_STATE_CHANGE], DebugEvent: Ptr[DEBUG_EVENT]
) -> NTSTATUS:
    """The event for WaitForDebugEvent, to which all debug output is ANSI."""
    await _convert(thread, WaitStateChange.read(), DebugEvent.address, wide=False)
    return NTSTATUS(0)


@export
async def DbgUiConvertStateChangeStructureEx(
    thread: UserThread, WaitStateChange: Ptr[DBGUI_WAIT_STATE_CHANGE], DebugEvent: Ptr[DEBUG_EVENT]
) -> NTSTATUS:
    """The event for WaitForDebugEventEx, which takes wide debug output as it is."""
    await _convert(thread, WaitStateChange.read(), DebugEvent.address, wide=True)
    return NTSTATUS(0)


async def _convert(thread: UserThread, change: DBGUI_WAIT_STATE_CHANGE, place: int, *, wide: bool) -> None:
    state = int(change.NewState)
    info = change.StateInfo
    client = change.AppClientId
    ids = struct.pack("<II", int(client.UniqueProcess) & 0xFFFF_FFFF, int(client.UniqueThread) & 0xFFFF_FFFF)
    thread.memory.write(place + DEBUG_EVENT.offset("dwProcessId"), ids)
    if state not in DBG_STATE._value2member_map_ or state <= DBG_STATE.DbgReplyPending:
        raise NtError(STATUS.UNSUCCESSFUL)
    if state in SIMPLE:
        code, size = SIMPLE[DBG_STATE(state)]
        body = bytes(info)[:size]
    elif state == DBG_STATE.DbgCreateThreadStateChange:
        code, body = win32.CREATE_THREAD_DEBUG_EVENT, await _create_thread(thread, change)
    elif state == DBG_STATE.DbgCreateProcessStateChange:
        code, body = win32.CREATE_PROCESS_DEBUG_EVENT, await _create_process(thread, change)
    elif state == DBG_STATE.DbgLoadDllStateChange:
        code, body = win32.LOAD_DLL_DEBUG_EVENT, _load_dll(change)
    else:
        code, body = _exception(change, wide=wide)
    head = code.to_bytes(4, "little") + ids + bytes(4)
    thread.memory.write(place, (head + body).ljust(DEBUG_EVENT.size, b"\0"))


async def _teb_of(thread: UserThread, handle: int) -> int:
    """lpThreadLocalBase: where the thread's TEB is; 0 for one that is gone."""
    with thread.frame() as frame:
        room = frame.allocate(THREAD_BASIC_INFORMATION_SIZE)
        try:
            await settle(nt.NtQueryInformationThread(thread, handle, 0, room, THREAD_BASIC_INFORMATION_SIZE, 0))
        except NtError:
            return 0
        return int.from_bytes(thread.memory.read(room + TEB_BASE_ADDRESS, 8), "little")


async def _create_thread(thread: UserThread, change: DBGUI_WAIT_STATE_CHANGE) -> bytes:
    told, made = change.StateInfo.CreateThread, CREATE_THREAD_DEBUG_INFO.new()
    made.hThread = told.HandleToThread
    made.lpThreadLocalBase = await _teb_of(thread, int(told.HandleToThread))
    made.lpStartAddress = told.NewThread.StartAddress
    return bytes(made)


async def _create_process(thread: UserThread, change: DBGUI_WAIT_STATE_CHANGE) -> bytes:
    told, made = change.StateInfo.CreateProcessInfo, CREATE_PROCESS_DEBUG_INFO.new()
    created = told.NewProcess
    made.hFile, made.hProcess, made.hThread = created.FileHandle, told.HandleToProcess, told.HandleToThread
    made.lpBaseOfImage = created.BaseOfImage
    made.dwDebugInfoFileOffset, made.nDebugInfoSize = int(created.DebugInfoFileOffset), int(created.DebugInfoSize)
    made.lpThreadLocalBase = await _teb_of(thread, int(told.HandleToThread))
    made.lpStartAddress = created.InitialThread.StartAddress
    made.fUnicode = 1
    return bytes(made)


def _load_dll(change: DBGUI_WAIT_STATE_CHANGE) -> bytes:
    told, made = change.StateInfo.LoadDll, LOAD_DLL_DEBUG_INFO.new()
    made.hFile, made.lpBaseOfDll, made.lpImageName = told.FileHandle, told.BaseOfDll, told.NamePointer
    made.dwDebugInfoFileOffset, made.nDebugInfoSize = int(told.DebugInfoFileOffset), int(told.DebugInfoSize)
    made.fUnicode = 1
    return bytes(made)


def _exception(change: DBGUI_WAIT_STATE_CHANGE, *, wide: bool) -> tuple[int, bytes]:
    """Most are what they are; some exceptions are messages in disguise."""
    record = change.StateInfo.Exception.ExceptionRecord
    code = int(record.ExceptionCode) & 0xFFFF_FFFF
    said = [int(record.ExceptionInformation[index]) for index in range(4)]
    if code == STATUS.DBG_PRINTEXCEPTION_C:
        return win32.OUTPUT_DEBUG_STRING_EVENT, _output(said[0], said[1], wide=False)
    if code == STATUS.DBG_PRINTEXCEPTION_WIDE_C:
        length, address = said[:2] if wide else said[2:]
        return win32.OUTPUT_DEBUG_STRING_EVENT, _output(length, address, wide=wide)
    if code == STATUS.DBG_RIPEXCEPTION:
        return win32.RIP_EVENT, struct.pack("<II", said[0] & 0xFFFF_FFFF, said[1] & 0xFFFF_FFFF)
    return win32.EXCEPTION_DEBUG_EVENT, bytes(change.StateInfo.Exception)[:EXCEPTION_SIZE]


def _output(length: int, address: int, *, wide: bool) -> bytes:
    made = OUTPUT_DEBUG_STRING_INFO.new()
    made.lpDebugStringData, made.fUnicode, made.nDebugStringLength = address, int(wide), length & 0xFFFF
    return bytes(made)
