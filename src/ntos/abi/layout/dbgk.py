"""User-mode debugging: the debug object, its events, and what a debugger reads of one.

The public symbol tables leave these out. DBGKM_* and DBGUI_WAIT_STATE_CHANGE are phnt's; the debug object's and its
event's offsets follow from their documented members (Windows Internals; A. Ionescu, "Kernel User-Mode Debugging
Support").
"""

from __future__ import annotations

from ntos.abi.layout.alpc import PORT_MESSAGE
from ntos.abi.layout.context import EXCEPTION_RECORD
from ntos.abi.layout.dispatcher import KEVENT
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.resource import FAST_MUTEX
from ntos.abi.layout.string import CLIENT_ID
from ntos.abi.struct import Struct, at, bits
from ntos.abi.types import HANDLE, NTSTATUS, PVOID, ULONG


class DEBUG_OBJECT(Struct, size=0x68):
    """Where the events of debugged processes queue; it is waited for through its first member."""

    EventsPresent     = at(0x00, KEVENT)
    Mutex             = at(0x18, FAST_MUTEX)
    EventList         = at(0x50, LIST_ENTRY)
    Flags             = at(0x60, ULONG)
    DebuggerInactive  = bits(0x60, ULONG, 0, 1)
    KillProcessOnExit = bits(0x60, ULONG, 1, 1)


class DBGKM_EXCEPTION(Struct, size=0xA0):
    """An exception, and whether it is the first time the debugger hears of it."""

    ExceptionRecord = at(0x00, EXCEPTION_RECORD)
    FirstChance     = at(0x98, ULONG)


class DBGKM_CREATE_THREAD(Struct, size=0x10):
    """A thread began."""

    SubSystemKey = at(0x00, ULONG)
    StartAddress = at(0x08, PVOID)


class DBGKM_CREATE_PROCESS(Struct, size=0x30):
    """A process began."""

    SubSystemKey        = at(0x00, ULONG)
    FileHandle          = at(0x08, HANDLE)
    BaseOfImage         = at(0x10, PVOID)
    DebugInfoFileOffset = at(0x18, ULONG)
    DebugInfoSize       = at(0x1C, ULONG)
    InitialThread       = at(0x20, DBGKM_CREATE_THREAD)


class DBGKM_LOAD_DLL(Struct, size=0x20):
    """An image was mapped."""

    FileHandle          = at(0x00, HANDLE)
    BaseOfDll           = at(0x08, PVOID)
    DebugInfoFileOffset = at(0x10, ULONG)
    DebugInfoSize       = at(0x14, ULONG)
    NamePointer         = at(0x18, PVOID)  # in the debugged process: where the address of its name stands


class DBGKM_APIMSG_u(Struct, size=0xA0):
    """What a message tells, by its number."""

    Exception         = at(0x00, DBGKM_EXCEPTION)
    CreateThread      = at(0x00, DBGKM_CREATE_THREAD)
    CreateProcessInfo = at(0x00, DBGKM_CREATE_PROCESS)
    ExitStatus        = at(0x00, NTSTATUS)
    LoadDll           = at(0x00, DBGKM_LOAD_DLL)
    BaseAddress       = at(0x00, PVOID)  # of what was unmapped


class DBGKM_APIMSG(Struct, size=0xD0):
    """What a thread has to say to its debugger, and the answer."""

    h              = at(0x00, PORT_MESSAGE)
    ApiNumber      = at(0x28, ULONG)
    ReturnedStatus = at(0x2C, NTSTATUS)
    u              = at(0x30, DBGKM_APIMSG_u)


class DBGK_DEBUG_EVENT(Struct, size=0x128):
    """One event in a debug object's list (the kernel's DEBUG_EVENT; user mode has another of that name)."""

    EventList     = at(0x00, LIST_ENTRY)
    ContinueEvent = at(0x10, KEVENT)
    ClientId      = at(0x28, CLIENT_ID)
    Process       = at(0x38, PVOID)  # *EPROCESS
    Thread        = at(0x40, PVOID)  # *ETHREAD
    Status        = at(0x48, NTSTATUS)
    Flags         = at(0x4C, ULONG)
    Read          = bits(0x4C, ULONG, 0, 1)  # the debugger has it
    NoWait        = bits(0x4C, ULONG, 1, 1)  # nobody waits for the answer
    Inactive      = bits(0x4C, ULONG, 2, 1)  # another of the process comes first
    Suspend       = bits(0x4C, ULONG, 5, 1)  # its thread was suspended, and is resumed with the answer
    BackoutThread = at(0x50, PVOID)  # *ETHREAD
    ApiMsg        = at(0x58, DBGKM_APIMSG)


class DBGUI_CREATE_THREAD(Struct, size=0x18):
    """DBGKM_CREATE_THREAD with the debugger's handle."""

    HandleToThread = at(0x00, HANDLE)
    NewThread      = at(0x08, DBGKM_CREATE_THREAD)


class DBGUI_CREATE_PROCESS(Struct, size=0x40):
    """DBGKM_CREATE_PROCESS with the debugger's handles."""

    HandleToProcess = at(0x00, HANDLE)
    HandleToThread  = at(0x08, HANDLE)
    NewProcess      = at(0x10, DBGKM_CREATE_PROCESS)


class DBGUI_WAIT_STATE_CHANGE_StateInfo(Struct, size=0xA0):
    """What a state change tells, by its number."""

    Exception         = at(0x00, DBGKM_EXCEPTION)
    CreateThread      = at(0x00, DBGUI_CREATE_THREAD)
    CreateProcessInfo = at(0x00, DBGUI_CREATE_PROCESS)
    ExitStatus        = at(0x00, NTSTATUS)
    LoadDll           = at(0x00, DBGKM_LOAD_DLL)
    BaseAddress       = at(0x00, PVOID)


class DBGUI_WAIT_STATE_CHANGE(Struct, size=0xB8):
    """What NtWaitForDebugEvent answers."""

    NewState    = at(0x00, ULONG)  # DBG_STATE
    AppClientId = at(0x08, CLIENT_ID)
    StateInfo   = at(0x18, DBGUI_WAIT_STATE_CHANGE_StateInfo)
