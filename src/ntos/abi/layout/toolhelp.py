"""Snapshots, heap walks, code pages and services: the smaller Win32 APIs."""

from __future__ import annotations

from ntos.abi.struct import Struct, array, at, chars, wchars
from ntos.abi.types import BYTE, DWORD, HANDLE, LONG, PVOID, SIZE_T, UINT, ULONG_PTR, USHORT, WCHAR, WORD


class CPINFO(Struct, size=0x14):
    """Character size, default and lead bytes of a code page."""

    MaxCharSize = at(0x00, UINT)
    DefaultChar = at(0x04, array(BYTE, 2))
    LeadByte    = at(0x06, array(BYTE, 12))


class CPINFOEXW(Struct, size=0x220):
    """CPINFO with the code page's name."""

    MaxCharSize        = at(0x000, UINT)
    DefaultChar        = at(0x004, array(BYTE, 2))
    LeadByte           = at(0x006, array(BYTE, 12))
    UnicodeDefaultChar = at(0x012, WCHAR)
    CodePage           = at(0x014, UINT)
    CodePageName       = at(0x018, wchars(260))


class PROCESSENTRY32W(Struct, size=0x238):
    """One process of a snapshot."""

    dwSize              = at(0x000, DWORD)
    cntUsage            = at(0x004, DWORD)
    th32ProcessID       = at(0x008, DWORD)
    th32DefaultHeapID   = at(0x010, ULONG_PTR)
    th32ModuleID        = at(0x018, DWORD)
    cntThreads          = at(0x01C, DWORD)
    th32ParentProcessID = at(0x020, DWORD)
    pcPriClassBase      = at(0x024, LONG)
    dwFlags             = at(0x028, DWORD)
    szExeFile           = at(0x02C, wchars(260))


class PROCESSENTRY32(Struct, size=0x130):
    """One process of a snapshot, in 8-bit characters."""

    dwSize              = at(0x000, DWORD)
    cntUsage            = at(0x004, DWORD)
    th32ProcessID       = at(0x008, DWORD)
    th32DefaultHeapID   = at(0x010, ULONG_PTR)
    th32ModuleID        = at(0x018, DWORD)
    cntThreads          = at(0x01C, DWORD)
    th32ParentProcessID = at(0x020, DWORD)
    pcPriClassBase      = at(0x024, LONG)
    dwFlags             = at(0x028, DWORD)
    szExeFile           = at(0x02C, chars(260))


class THREADENTRY32(Struct, size=0x1C):
    """One thread of a snapshot."""

    dwSize             = at(0x00, DWORD)
    cntUsage           = at(0x04, DWORD)
    th32ThreadID       = at(0x08, DWORD)
    th32OwnerProcessID = at(0x0C, DWORD)
    tpBasePri          = at(0x10, LONG)
    tpDeltaPri         = at(0x14, LONG)
    dwFlags            = at(0x18, DWORD)


class MODULEENTRY32W(Struct, size=0x438):
    """One module of a snapshot."""

    dwSize        = at(0x000, DWORD)
    th32ModuleID  = at(0x004, DWORD)
    th32ProcessID = at(0x008, DWORD)
    GlblcntUsage  = at(0x00C, DWORD)
    ProccntUsage  = at(0x010, DWORD)
    modBaseAddr   = at(0x018, PVOID)
    modBaseSize   = at(0x020, DWORD)
    hModule       = at(0x028, HANDLE)
    szModule      = at(0x030, wchars(256))
    szExePath     = at(0x230, wchars(260))


class HEAPLIST32(Struct, size=0x20):
    """One heap of a snapshot."""

    dwSize        = at(0x00, SIZE_T)
    th32ProcessID = at(0x08, DWORD)
    th32HeapID    = at(0x10, ULONG_PTR)
    dwFlags       = at(0x18, DWORD)


class PROCESS_HEAP_ENTRY(Struct, size=0x28):
    """One block of a heap walk."""

    lpData            = at(0x00, PVOID)
    cbData            = at(0x08, DWORD)
    cbOverhead        = at(0x0C, BYTE)
    iRegionIndex      = at(0x0D, BYTE)
    wFlags            = at(0x0E, WORD)
    dwCommittedSize   = at(0x10, DWORD)
    dwUnCommittedSize = at(0x14, DWORD)
    lpFirstBlock      = at(0x18, PVOID)
    lpLastBlock       = at(0x20, PVOID)


class SERVICE_STATUS(Struct, size=0x1C):
    """State of a service."""

    dwServiceType             = at(0x00, DWORD)
    dwCurrentState            = at(0x04, DWORD)
    dwControlsAccepted        = at(0x08, DWORD)
    dwWin32ExitCode           = at(0x0C, DWORD)
    dwServiceSpecificExitCode = at(0x10, DWORD)
    dwCheckPoint              = at(0x14, DWORD)
    dwWaitHint                = at(0x18, DWORD)


class SERVICE_STATUS_PROCESS(Struct, size=0x24):
    """State of a service and its process."""

    dwServiceType             = at(0x00, DWORD)
    dwCurrentState            = at(0x04, DWORD)
    dwControlsAccepted        = at(0x08, DWORD)
    dwWin32ExitCode           = at(0x0C, DWORD)
    dwServiceSpecificExitCode = at(0x10, DWORD)
    dwCheckPoint              = at(0x14, DWORD)
    dwWaitHint                = at(0x18, DWORD)
    dwProcessId               = at(0x1C, DWORD)
    dwServiceFlags            = at(0x20, DWORD)


class SERVICE_TABLE_ENTRYW(Struct, size=0x10):
    """One service of a service process."""

    lpServiceName = at(0x00, PVOID)
    lpServiceProc = at(0x08, PVOID)


class ACTCTXW(Struct, size=0x38):
    """Which activation context to make."""

    cbSize                 = at(0x00, DWORD)
    dwFlags                = at(0x04, DWORD)
    lpSource               = at(0x08, PVOID)
    wProcessorArchitecture = at(0x10, USHORT)
    wLangId                = at(0x12, USHORT)
    lpAssemblyDirectory    = at(0x18, PVOID)
    lpResourceName         = at(0x20, PVOID)
    lpApplicationName      = at(0x28, PVOID)
    hModule                = at(0x30, PVOID)
