"""Structures of the Win32 API, by Microsoft's headers."""

from __future__ import annotations

from ntos.abi.struct import Struct, at, chars, wchars
from ntos.abi.types import (
    BOOL,
    BOOLEAN,
    BYTE,
    DWORD,
    HANDLE,
    LARGE_INTEGER,
    LONG,
    PVOID,
    SIZE_T,
    ULONG_PTR,
    ULONGLONG,
    WORD,
)


class FILETIME(Struct, size=0x08):
    """Count of 100 ns since 1601, in two halves."""

    dwLowDateTime  = at(0x00, DWORD)
    dwHighDateTime = at(0x04, DWORD)


class SYSTEMTIME(Struct, size=0x10):
    """Calendar time."""

    wYear         = at(0x00, WORD)
    wMonth        = at(0x02, WORD)
    wDayOfWeek    = at(0x04, WORD)
    wDay          = at(0x06, WORD)
    wHour         = at(0x08, WORD)
    wMinute       = at(0x0A, WORD)
    wSecond       = at(0x0C, WORD)
    wMilliseconds = at(0x0E, WORD)


class TIME_ZONE_INFORMATION(Struct, size=0xAC):
    """Bias, names and changes of a time zone."""

    Bias         = at(0x00, LONG)
    StandardName = at(0x04, wchars(32))
    StandardDate = at(0x44, SYSTEMTIME)
    StandardBias = at(0x54, LONG)
    DaylightName = at(0x58, wchars(32))
    DaylightDate = at(0x98, SYSTEMTIME)
    DaylightBias = at(0xA8, LONG)


class DYNAMIC_TIME_ZONE_INFORMATION(Struct, size=0x1B0):
    """A time zone with its registry key."""

    Bias                        = at(0x000, LONG)
    StandardName                = at(0x004, wchars(32))
    StandardDate                = at(0x044, SYSTEMTIME)
    StandardBias                = at(0x054, LONG)
    DaylightName                = at(0x058, wchars(32))
    DaylightDate                = at(0x098, SYSTEMTIME)
    DaylightBias                = at(0x0A8, LONG)
    TimeZoneKeyName             = at(0x0AC, wchars(128))
    DynamicDaylightTimeDisabled = at(0x1AC, BOOLEAN)


class SECURITY_ATTRIBUTES(Struct, size=0x18):
    """Descriptor and inheritance of a handle to be made."""

    nLength              = at(0x00, DWORD)
    lpSecurityDescriptor = at(0x08, PVOID)
    bInheritHandle       = at(0x10, BOOL)


class STARTUPINFOW(Struct, size=0x68):
    """How a process shall start: window, handles."""

    cb              = at(0x00, DWORD)
    lpReserved      = at(0x08, PVOID)
    lpDesktop       = at(0x10, PVOID)
    lpTitle         = at(0x18, PVOID)
    dwX             = at(0x20, DWORD)
    dwY             = at(0x24, DWORD)
    dwXSize         = at(0x28, DWORD)
    dwYSize         = at(0x2C, DWORD)
    dwXCountChars   = at(0x30, DWORD)
    dwYCountChars   = at(0x34, DWORD)
    dwFillAttribute = at(0x38, DWORD)
    dwFlags         = at(0x3C, DWORD)
    wShowWindow     = at(0x40, WORD)
    cbReserved2     = at(0x42, WORD)
    lpReserved2     = at(0x48, PVOID)
    hStdInput       = at(0x50, HANDLE)
    hStdOutput      = at(0x58, HANDLE)
    hStdError       = at(0x60, HANDLE)


class STARTUPINFOA(Struct, size=0x68):
    """STARTUPINFOW with 8-bit strings."""

    cb              = at(0x00, DWORD)
    lpReserved      = at(0x08, PVOID)
    lpDesktop       = at(0x10, PVOID)
    lpTitle         = at(0x18, PVOID)
    dwX             = at(0x20, DWORD)
    dwY             = at(0x24, DWORD)
    dwXSize         = at(0x28, DWORD)
    dwYSize         = at(0x2C, DWORD)
    dwXCountChars   = at(0x30, DWORD)
    dwYCountChars   = at(0x34, DWORD)
    dwFillAttribute = at(0x38, DWORD)
    dwFlags         = at(0x3C, DWORD)
    wShowWindow     = at(0x40, WORD)
    cbReserved2     = at(0x42, WORD)
    lpReserved2     = at(0x48, PVOID)
    hStdInput       = at(0x50, HANDLE)
    hStdOutput      = at(0x58, HANDLE)
    hStdError       = at(0x60, HANDLE)


class STARTUPINFOEXW(Struct, size=0x70):
    """STARTUPINFOW with an attribute list."""

    StartupInfo     = at(0x00, STARTUPINFOW)
    lpAttributeList = at(0x68, PVOID)


class STARTUPINFOEXA(Struct, size=0x70):
    """STARTUPINFOA with an attribute list."""

    StartupInfo     = at(0x00, STARTUPINFOA)
    lpAttributeList = at(0x68, PVOID)


class PROCESS_INFORMATION(Struct, size=0x18):
    """Handles and ids of a new process."""

    hProcess    = at(0x00, HANDLE)
    hThread     = at(0x08, HANDLE)
    dwProcessId = at(0x10, DWORD)
    dwThreadId  = at(0x14, DWORD)


class OVERLAPPED(Struct, size=0x20):
    """State of an asynchronous request."""

    Internal     = at(0x00, ULONG_PTR)
    InternalHigh = at(0x08, ULONG_PTR)
    Offset       = at(0x10, DWORD)
    OffsetHigh   = at(0x14, DWORD)
    Pointer      = at(0x10, PVOID)
    hEvent       = at(0x18, HANDLE)


class OVERLAPPED_ENTRY(Struct, size=0x20):
    """One packet of a completion port."""

    lpCompletionKey            = at(0x00, ULONG_PTR)
    lpOverlapped               = at(0x08, PVOID)
    Internal                   = at(0x10, ULONG_PTR)
    dwNumberOfBytesTransferred = at(0x18, DWORD)


class CRITICAL_SECTION(Struct, size=0x28):
    """Recursive lock."""

    DebugInfo      = at(0x00, PVOID)
    LockCount      = at(0x08, LONG)
    RecursionCount = at(0x0C, LONG)
    OwningThread   = at(0x10, HANDLE)
    LockSemaphore  = at(0x18, HANDLE)
    SpinCount      = at(0x20, ULONG_PTR)


class WIN32_FIND_DATAW(Struct, size=0x250):
    """One file found."""

    dwFileAttributes   = at(0x000, DWORD)
    ftCreationTime     = at(0x004, FILETIME)
    ftLastAccessTime   = at(0x00C, FILETIME)
    ftLastWriteTime    = at(0x014, FILETIME)
    nFileSizeHigh      = at(0x01C, DWORD)
    nFileSizeLow       = at(0x020, DWORD)
    dwReserved0        = at(0x024, DWORD)
    dwReserved1        = at(0x028, DWORD)
    cFileName          = at(0x02C, wchars(260))
    cAlternateFileName = at(0x234, wchars(14))


class WIN32_FIND_DATAA(Struct, size=0x140):
    """One file found, names in 8-bit characters."""

    dwFileAttributes   = at(0x000, DWORD)
    ftCreationTime     = at(0x004, FILETIME)
    ftLastAccessTime   = at(0x00C, FILETIME)
    ftLastWriteTime    = at(0x014, FILETIME)
    nFileSizeHigh      = at(0x01C, DWORD)
    nFileSizeLow       = at(0x020, DWORD)
    dwReserved0        = at(0x024, DWORD)
    dwReserved1        = at(0x028, DWORD)
    cFileName          = at(0x02C, chars(260))
    cAlternateFileName = at(0x130, chars(14))


class WIN32_FIND_STREAM_DATA(Struct, size=0x258):
    """One stream found."""

    StreamSize  = at(0x000, LARGE_INTEGER)
    cStreamName = at(0x008, wchars(296))


class WIN32_FILE_ATTRIBUTE_DATA(Struct, size=0x24):
    """Times, size and attributes of a file."""

    dwFileAttributes = at(0x00, DWORD)
    ftCreationTime   = at(0x04, FILETIME)
    ftLastAccessTime = at(0x0C, FILETIME)
    ftLastWriteTime  = at(0x14, FILETIME)
    nFileSizeHigh    = at(0x1C, DWORD)
    nFileSizeLow     = at(0x20, DWORD)


class BY_HANDLE_FILE_INFORMATION(Struct, size=0x34):
    """What the handle's file is."""

    dwFileAttributes     = at(0x00, DWORD)
    ftCreationTime       = at(0x04, FILETIME)
    ftLastAccessTime     = at(0x0C, FILETIME)
    ftLastWriteTime      = at(0x14, FILETIME)
    dwVolumeSerialNumber = at(0x1C, DWORD)
    nFileSizeHigh        = at(0x20, DWORD)
    nFileSizeLow         = at(0x24, DWORD)
    nNumberOfLinks       = at(0x28, DWORD)
    nFileIndexHigh       = at(0x2C, DWORD)
    nFileIndexLow        = at(0x30, DWORD)


class SYSTEM_INFO(Struct, size=0x30):
    """Processors, page size and address range."""

    dwOemId                     = at(0x00, DWORD)
    wProcessorArchitecture      = at(0x00, WORD)
    wReserved                   = at(0x02, WORD)
    dwPageSize                  = at(0x04, DWORD)
    lpMinimumApplicationAddress = at(0x08, PVOID)
    lpMaximumApplicationAddress = at(0x10, PVOID)
    dwActiveProcessorMask       = at(0x18, ULONG_PTR)
    dwNumberOfProcessors        = at(0x20, DWORD)
    dwProcessorType             = at(0x24, DWORD)
    dwAllocationGranularity     = at(0x28, DWORD)
    wProcessorLevel             = at(0x2C, WORD)
    wProcessorRevision          = at(0x2E, WORD)


class OSVERSIONINFOW(Struct, size=0x114):
    """Version of Windows."""

    dwOSVersionInfoSize = at(0x000, DWORD)
    dwMajorVersion      = at(0x004, DWORD)
    dwMinorVersion      = at(0x008, DWORD)
    dwBuildNumber       = at(0x00C, DWORD)
    dwPlatformId        = at(0x010, DWORD)
    szCSDVersion        = at(0x014, wchars(128))


class OSVERSIONINFOA(Struct, size=0x94):
    """Version of Windows, in 8-bit characters."""

    dwOSVersionInfoSize = at(0x00, DWORD)
    dwMajorVersion      = at(0x04, DWORD)
    dwMinorVersion      = at(0x08, DWORD)
    dwBuildNumber       = at(0x0C, DWORD)
    dwPlatformId        = at(0x10, DWORD)
    szCSDVersion        = at(0x14, chars(128))


class OSVERSIONINFOEXW(Struct, size=0x11C):
    """Version of Windows with service pack and product."""

    dwOSVersionInfoSize = at(0x000, DWORD)
    dwMajorVersion      = at(0x004, DWORD)
    dwMinorVersion      = at(0x008, DWORD)
    dwBuildNumber       = at(0x00C, DWORD)
    dwPlatformId        = at(0x010, DWORD)
    szCSDVersion        = at(0x014, wchars(128))
    wServicePackMajor   = at(0x114, WORD)
    wServicePackMinor   = at(0x116, WORD)
    wSuiteMask          = at(0x118, WORD)
    wProductType        = at(0x11A, BYTE)
    wReserved           = at(0x11B, BYTE)


class OSVERSIONINFOEXA(Struct, size=0x9C):
    """OSVERSIONINFOEXW in 8-bit characters."""

    dwOSVersionInfoSize = at(0x00, DWORD)
    dwMajorVersion      = at(0x04, DWORD)
    dwMinorVersion      = at(0x08, DWORD)
    dwBuildNumber       = at(0x0C, DWORD)
    dwPlatformId        = at(0x10, DWORD)
    szCSDVersion        = at(0x14, chars(128))
    wServicePackMajor   = at(0x94, WORD)
    wServicePackMinor   = at(0x96, WORD)
    wSuiteMask          = at(0x98, WORD)
    wProductType        = at(0x9A, BYTE)
    wReserved           = at(0x9B, BYTE)


class MEMORYSTATUSEX(Struct, size=0x40):
    """Physical and virtual memory there is."""

    dwLength                = at(0x00, DWORD)
    dwMemoryLoad            = at(0x04, DWORD)
    ullTotalPhys            = at(0x08, ULONGLONG)
    ullAvailPhys            = at(0x10, ULONGLONG)
    ullTotalPageFile        = at(0x18, ULONGLONG)
    ullAvailPageFile        = at(0x20, ULONGLONG)
    ullTotalVirtual         = at(0x28, ULONGLONG)
    ullAvailVirtual         = at(0x30, ULONGLONG)
    ullAvailExtendedVirtual = at(0x38, ULONGLONG)


class MEMORYSTATUS(Struct, size=0x38):
    """Memory there is, the old form."""

    dwLength        = at(0x00, DWORD)
    dwMemoryLoad    = at(0x04, DWORD)
    dwTotalPhys     = at(0x08, SIZE_T)
    dwAvailPhys     = at(0x10, SIZE_T)
    dwTotalPageFile = at(0x18, SIZE_T)
    dwAvailPageFile = at(0x20, SIZE_T)
    dwTotalVirtual  = at(0x28, SIZE_T)
    dwAvailVirtual  = at(0x30, SIZE_T)


class PROCESS_MEMORY_COUNTERS(Struct, size=0x48):
    """Memory use of a process."""

    cb                         = at(0x00, DWORD)
    PageFaultCount             = at(0x04, DWORD)
    PeakWorkingSetSize         = at(0x08, SIZE_T)
    WorkingSetSize             = at(0x10, SIZE_T)
    QuotaPeakPagedPoolUsage    = at(0x18, SIZE_T)
    QuotaPagedPoolUsage        = at(0x20, SIZE_T)
    QuotaPeakNonPagedPoolUsage = at(0x28, SIZE_T)
    QuotaNonPagedPoolUsage     = at(0x30, SIZE_T)
    PagefileUsage              = at(0x38, SIZE_T)
    PeakPagefileUsage          = at(0x40, SIZE_T)


class MODULEINFO(Struct, size=0x18):
    """Base, size and entry point of a module."""

    lpBaseOfDll = at(0x00, PVOID)
    SizeOfImage = at(0x08, DWORD)
    EntryPoint  = at(0x10, PVOID)
