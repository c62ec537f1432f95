"""What csrss keeps of its clients, and the messages it is sent.

CSR_PROCESS and CSR_THREAD are as debuggers show them (Windows Internals, 7th edition, chapter 3); the message head
and the API numbers are public through ReactOS's csrss headers and the published lists of csrss calls.
"""

from __future__ import annotations

from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.string import CLIENT_ID
from ntos.abi.struct import Struct, at
from ntos.abi.types import HANDLE, LARGE_INTEGER, LONG, PVOID, ULONG, ULONGLONG


class CSR_NT_SESSION(Struct, size=0x18):
    """A session of csrss's, shared by the clients that are in it."""

    ReferenceCount = at(0x00, ULONG)
    SessionLink    = at(0x08, LIST_ENTRY)


class CSR_PROCESS(Struct, size=0x90):
    """A Windows process, as csrss knows it."""

    ClientId                = at(0x00, CLIENT_ID)
    ListLink                = at(0x10, LIST_ENTRY)
    ThreadList              = at(0x20, LIST_ENTRY)
    NtSession               = at(0x30, PVOID)  # *CSR_NT_SESSION
    ClientPort              = at(0x38, HANDLE)
    ClientViewBase          = at(0x40, PVOID)
    ClientViewBounds        = at(0x48, PVOID)
    ProcessHandle           = at(0x50, HANDLE)
    SequenceNumber          = at(0x58, ULONG)
    Flags                   = at(0x5C, ULONG)
    DebugFlags              = at(0x60, ULONG)
    ReferenceCount          = at(0x64, ULONG)
    ProcessGroupId          = at(0x68, ULONG)
    ProcessGroupSequence    = at(0x6C, ULONG)
    LastMessageSequence     = at(0x70, ULONG)
    NumOutstandingMessages  = at(0x74, ULONG)
    ShutdownLevel           = at(0x78, ULONG)
    ShutdownFlags           = at(0x7C, ULONG)
    Luid                    = at(0x80, ULONGLONG)
    ServerDllPerProcessData = at(0x88, PVOID)


class CSR_THREAD(Struct, size=0x60):
    """A thread of such a process."""

    CreateTime       = at(0x00, LARGE_INTEGER)
    Link             = at(0x08, LIST_ENTRY)
    HashLinks        = at(0x18, LIST_ENTRY)
    ClientId         = at(0x28, CLIENT_ID)
    Process          = at(0x38, PVOID)  # *CSR_PROCESS
    WaitBlock        = at(0x40, PVOID)
    ThreadHandle     = at(0x48, HANDLE)
    Flags            = at(0x50, ULONG)
    ReferenceCount   = at(0x54, ULONG)
    ImpersonateCount = at(0x58, ULONG)


class CSR_API_HEADER(Struct, size=0x18):
    """What follows the PORT_MESSAGE in a call to csrss; the call's own arguments follow it."""

    CaptureData = at(0x00, PVOID)
    ApiNumber   = at(0x08, ULONG)
    ReturnValue = at(0x0C, LONG)
    Reserved    = at(0x10, ULONGLONG)


class BASE_CREATEPROCESS_MSG(Struct, size=0x218):
    """BasepCreateProcess2: a process has been made; its activation context comes in the Sxs part."""

    ProcessHandle         = at(0x000, HANDLE)
    ThreadHandle          = at(0x008, HANDLE)
    ClientId              = at(0x010, CLIENT_ID)
    CreationFlags         = at(0x020, ULONG)
    VdmBinaryType         = at(0x024, ULONG)
    VdmTask               = at(0x028, ULONG)
    hVDM                  = at(0x030, HANDLE)
    SxsFlags              = at(0x038, ULONG)
    SxsProcessParameters  = at(0x03C, ULONG)
    PebAddressNative      = at(0x200, PVOID)
    PebAddressWow64       = at(0x208, PVOID)
    ProcessorArchitecture = at(0x210, ULONG)


class BASE_CREATETHREAD_MSG(Struct, size=0x18):
    """BasepCreateThread: a thread has been made."""

    ThreadHandle = at(0x00, HANDLE)
    ClientId     = at(0x08, CLIENT_ID)
