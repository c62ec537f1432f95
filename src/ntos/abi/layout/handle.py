"""Handle tables.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.executive import EX_PUSH_LOCK
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.resource import FAST_MUTEX
from ntos.abi.layout.string import CLIENT_ID
from ntos.abi.struct import Struct, array, at, bits
from ntos.abi.types import LONG, LONGLONG, PVOID, UCHAR, ULONG, ULONGLONG


class EXHANDLE(Struct, size=0x08):
    """Handle value: tag bits and index."""

    GenericHandleOverlay = at(0x00, PVOID)
    Value                = at(0x00, ULONGLONG)
    TagBits              = bits(0x00, ULONG, 0, 2)
    Index                = bits(0x00, ULONG, 2, 30)


class HANDLE_TABLE_ENTRY_INFO(Struct, size=0x08):
    """Audit mask and attributes kept beside a handle."""

    AuditMask             = at(0x00, ULONG)
    MaxRelativeAccessMask = at(0x04, ULONG)


class HANDLE_TABLE_ENTRY(Struct, size=0x10):
    """One handle: object and granted access, or a link of the free list."""

    InfoTable           = at(0x00, PVOID)  # *HANDLE_TABLE_ENTRY_INFO
    LowValue            = at(0x00, LONGLONG)
    RefCountField       = at(0x00, LONGLONG)
    VolatileLowValue    = at(0x00, LONGLONG)
    Unlocked            = bits(0x00, ULONGLONG, 0, 1)
    RefCnt              = bits(0x00, ULONGLONG, 1, 16)
    Attributes          = bits(0x00, ULONGLONG, 17, 3)
    ObjectPointerBits   = bits(0x00, ULONGLONG, 20, 44)
    HighValue           = at(0x08, LONGLONG)
    LeafHandleValue     = at(0x08, EXHANDLE)
    NextFreeHandleEntry = at(0x08, PVOID)  # *HANDLE_TABLE_ENTRY
    GrantedAccessBits   = bits(0x08, ULONG, 0, 25)
    NoRightsUpgrade     = bits(0x08, ULONG, 25, 1)
    Spare1              = bits(0x08, ULONG, 26, 6)
    Spare2              = at(0x0C, ULONG)


class HANDLE_TABLE_FREE_LIST(Struct, size=0x40):
    """Free handles of one processor."""

    FreeListLock         = at(0x00, EX_PUSH_LOCK)
    FirstFreeHandleEntry = at(0x08, PVOID)  # *HANDLE_TABLE_ENTRY
    LastFreeHandleEntry  = at(0x10, PVOID)  # *HANDLE_TABLE_ENTRY
    HandleCount          = at(0x18, LONG)
    HighWaterMark        = at(0x1C, ULONG)


class HANDLE_TRACE_DB_ENTRY(Struct, size=0xA0):
    """One traced handle operation."""

    ClientId   = at(0x00, CLIENT_ID)
    Handle     = at(0x10, PVOID)
    Type       = at(0x18, ULONG)
    StackTrace = at(0x20, array(PVOID, 16))


class HANDLE_TRACE_DEBUG_INFO(Struct, size=0xF0):
    """Trace of a process's handle operations."""

    RefCount            = at(0x00, LONG)
    TableSize           = at(0x04, ULONG)
    BitMaskFlags        = at(0x08, ULONG)
    CloseCompactionLock = at(0x10, FAST_MUTEX)
    CurrentStackIndex   = at(0x48, ULONG)
    TraceDb             = at(0x50, array(HANDLE_TRACE_DB_ENTRY, 1))


class HANDLE_TABLE(Struct, size=0x80):
    """Handle table of a process: a tree of pages of entries."""

    NextHandleNeedingPool                = at(0x00, ULONG)
    ExtraInfoPages                       = at(0x04, LONG)
    TableCode                            = at(0x08, ULONGLONG)
    QuotaProcess                         = at(0x10, PVOID)  # *EPROCESS
    HandleTableList                      = at(0x18, LIST_ENTRY)
    UniqueProcessId                      = at(0x28, ULONG)
    Flags                                = at(0x2C, ULONG)
    StrictFIFO                           = bits(0x2C, UCHAR, 0, 1)
    EnableHandleExceptions               = bits(0x2C, UCHAR, 1, 1)
    Rundown                              = bits(0x2C, UCHAR, 2, 1)
    Duplicated                           = bits(0x2C, UCHAR, 3, 1)
    RaiseUMExceptionOnInvalidHandleClose = bits(0x2C, UCHAR, 4, 1)
    HandleContentionEvent                = at(0x30, EX_PUSH_LOCK)
    HandleTableLock                      = at(0x38, EX_PUSH_LOCK)
    ActualEntry                          = at(0x40, array(UCHAR, 32))
    FreeLists                            = at(0x40, array(HANDLE_TABLE_FREE_LIST, 1))
    DebugInfo                            = at(0x60, PVOID)  # *HANDLE_TRACE_DEBUG_INFO
