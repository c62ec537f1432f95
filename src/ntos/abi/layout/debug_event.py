"""What a Win32 debugger is told."""

from __future__ import annotations

from ntos.abi.struct import Struct, array, at
from ntos.abi.types import DWORD, HANDLE, PVOID, UCHAR, ULONGLONG, WORD


class EXCEPTION_DEBUG_INFO(Struct, size=0xA0):
    """An exception in a debugged process."""

    ExceptionRecord = at(0x00, array(UCHAR, 152))
    dwFirstChance   = at(0x98, DWORD)
    Alignment       = at(0x9C, DWORD)


class CREATE_PROCESS_DEBUG_INFO(Struct, size=0x48):
    """A process came to be debugged."""

    hFile                 = at(0x00, HANDLE)
    hProcess              = at(0x08, HANDLE)
    hThread               = at(0x10, HANDLE)
    lpBaseOfImage         = at(0x18, PVOID)
    dwDebugInfoFileOffset = at(0x20, DWORD)
    nDebugInfoSize        = at(0x24, DWORD)
    lpThreadLocalBase     = at(0x28, PVOID)
    lpStartAddress        = at(0x30, PVOID)
    lpImageName           = at(0x38, PVOID)
    fUnicode              = at(0x40, WORD)


class CREATE_THREAD_DEBUG_INFO(Struct, size=0x18):
    """A thread began in a debugged process."""

    hThread           = at(0x00, HANDLE)
    lpThreadLocalBase = at(0x08, PVOID)
    lpStartAddress    = at(0x10, PVOID)


class LOAD_DLL_DEBUG_INFO(Struct, size=0x28):
    """A DLL was loaded in a debugged process."""

    hFile                 = at(0x00, HANDLE)
    lpBaseOfDll           = at(0x08, PVOID)
    dwDebugInfoFileOffset = at(0x10, DWORD)
    nDebugInfoSize        = at(0x14, DWORD)
    lpImageName           = at(0x18, PVOID)
    fUnicode              = at(0x20, WORD)


class OUTPUT_DEBUG_STRING_INFO(Struct, size=0x10):
    """A debugged process spoke."""

    lpDebugStringData  = at(0x00, PVOID)
    fUnicode           = at(0x08, WORD)
    nDebugStringLength = at(0x0A, WORD)


class DEBUG_EVENT(Struct, size=0xB0):
    """One event of a debugged process; the information depends on the code."""

    dwDebugEventCode = at(0x00, DWORD)
    dwProcessId      = at(0x04, DWORD)
    dwThreadId       = at(0x08, DWORD)
    Information      = at(0x10, array(ULONGLONG, 20))
