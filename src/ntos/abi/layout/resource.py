"""Locks that threads wait at: fast mutexes and executive resources.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.dispatcher import DISPATCHER_HEADER, KEVENT
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.struct import Struct, at, bits
from ntos.abi.types import LONG, PVOID, SHORT, UCHAR, ULONG, ULONGLONG, USHORT


class KGATE(Struct, size=0x18):
    """Gate: the dispatcher object behind a fast mutex."""

    Header = at(0x00, DISPATCHER_HEADER)


class FAST_MUTEX(Struct, size=0x38):
    """Fast mutex: an owner and a gate to wait at."""

    Count      = at(0x00, LONG)
    Owner      = at(0x08, PVOID)
    Contention = at(0x10, ULONG)
    Event      = at(0x18, KEVENT)
    OldIrql    = at(0x30, ULONG)


class OWNER_ENTRY(Struct, size=0x10):
    """One owner of an executive resource."""

    OwnerThread          = at(0x00, ULONGLONG)
    TableSize            = at(0x08, ULONG)
    IoPriorityBoosted    = bits(0x08, ULONG, 0, 1)
    OwnerReferenced      = bits(0x08, ULONG, 1, 1)
    IoQoSPriorityBoosted = bits(0x08, ULONG, 2, 1)
    OwnerCount           = bits(0x08, ULONG, 3, 29)


class ERESOURCE(Struct, size=0x68):
    """Executive resource: a reader-writer lock with recorded owners."""

    SystemResourcesList      = at(0x00, LIST_ENTRY)
    OwnerTable               = at(0x10, PVOID)  # *OWNER_ENTRY
    ActiveCount              = at(0x18, SHORT)
    Flag                     = at(0x1A, USHORT)
    ReservedLowFlags         = at(0x1A, UCHAR)
    WaiterPriority           = at(0x1B, UCHAR)
    SharedWaiters            = at(0x20, PVOID)
    ExclusiveWaiters         = at(0x28, PVOID)
    OwnerEntry               = at(0x30, OWNER_ENTRY)
    ActiveEntries            = at(0x40, ULONG)
    ContentionCount          = at(0x44, ULONG)
    NumberOfSharedWaiters    = at(0x48, ULONG)
    NumberOfExclusiveWaiters = at(0x4C, ULONG)
    Reserved2                = at(0x50, PVOID)
    Address                  = at(0x58, PVOID)
    CreatorBackTraceIndex    = at(0x58, ULONGLONG)
    SpinLock                 = at(0x60, ULONGLONG)


class WORK_QUEUE_ITEM(Struct, size=0x20):
    """Routine and parameter for a system worker thread."""

    List          = at(0x00, LIST_ENTRY)
    WorkerRoutine = at(0x10, PVOID)
    Parameter     = at(0x18, PVOID)
