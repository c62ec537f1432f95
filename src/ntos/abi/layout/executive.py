"""Executive locks, fast references and resources.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.struct import Struct, array, at, bits
from ntos.abi.types import PVOID, UCHAR, ULONG, ULONGLONG, USHORT


class EX_PUSH_LOCK(Struct, size=0x08):
    """Push lock: shared or exclusive, one pointer wide."""

    Ptr            = at(0x00, PVOID)
    Value          = at(0x00, ULONGLONG)
    Locked         = bits(0x00, ULONGLONG, 0, 1)
    Waiting        = bits(0x00, ULONGLONG, 1, 1)
    Waking         = bits(0x00, ULONGLONG, 2, 1)
    MultipleShared = bits(0x00, ULONGLONG, 3, 1)
    Shared         = bits(0x00, ULONGLONG, 4, 60)


class EX_RUNDOWN_REF(Struct, size=0x08):
    """Rundown protection: counts users, then refuses new ones."""

    Count = at(0x00, ULONGLONG)
    Ptr   = at(0x00, PVOID)


class EX_FAST_REF(Struct, size=0x08):
    """Pointer to an object with a cached reference count in its low four bits."""

    Object = at(0x00, PVOID)
    Value  = at(0x00, ULONGLONG)
    RefCnt = bits(0x00, ULONGLONG, 0, 4)

    @property
    def pointer(self) -> int:
        """The object's address, without the cached count."""
        return int(self.Value) & ~0xF


class RTL_SRWLOCK(Struct, size=0x08):
    """Slim reader-writer lock."""

    Ptr            = at(0x00, PVOID)
    Value          = at(0x00, ULONGLONG)
    Locked         = bits(0x00, ULONGLONG, 0, 1)
    Waiting        = bits(0x00, ULONGLONG, 1, 1)
    Waking         = bits(0x00, ULONGLONG, 2, 1)
    MultipleShared = bits(0x00, ULONGLONG, 3, 1)
    Shared         = bits(0x00, ULONGLONG, 4, 60)


class RTL_RUN_ONCE(Struct, size=0x08):
    """One-time initialisation: state in the low two bits, then the context."""

    Ptr   = at(0x00, PVOID)
    Value = at(0x00, ULONGLONG)
    State = bits(0x00, ULONGLONG, 0, 2)


class GENERIC_MAPPING(Struct, size=0x10):
    """What the generic rights mean for one object type."""

    GenericRead    = at(0x00, ULONG)
    GenericWrite   = at(0x04, ULONG)
    GenericExecute = at(0x08, ULONG)
    GenericAll     = at(0x0C, ULONG)


class GROUP_AFFINITY(Struct, size=0x10):
    """Processor mask within one processor group."""

    Mask     = at(0x00, ULONGLONG)
    Group    = at(0x08, USHORT)
    Reserved = at(0x0A, array(USHORT, 3))


class KAFFINITY_EX(Struct, size=0xA8):
    """Processor masks for all groups."""

    Count    = at(0x00, USHORT)
    Size     = at(0x02, USHORT)
    Reserved = at(0x04, ULONG)
    Bitmap   = at(0x08, array(ULONGLONG, 20))


class PROCESSOR_NUMBER(Struct, size=0x04):
    """Processor as group and number."""

    Group    = at(0x00, USHORT)
    Number   = at(0x02, UCHAR)
    Reserved = at(0x03, UCHAR)


class WNF_LOCK(Struct, size=0x08):
    """Lock of a notification-facility structure."""

    PushLock = at(0x00, EX_PUSH_LOCK)


class WNF_NODE_HEADER(Struct, size=0x04):
    """Type and size that every notification-facility node begins with."""

    NodeTypeCode = at(0x00, USHORT)
    NodeByteSize = at(0x02, USHORT)


class WNF_STATE_NAME(Struct, size=0x08):
    """Name of a state in the Windows notification facility."""

    Data = at(0x00, array(ULONG, 2))


class PHYSICAL_MEMORY_RUN(Struct, size=0x10):
    """One run of physical pages."""

    BasePage  = at(0x00, ULONGLONG)
    PageCount = at(0x08, ULONGLONG)


class PHYSICAL_MEMORY_DESCRIPTOR(Struct, size=0x20):
    """The runs of physical memory the machine has."""

    NumberOfRuns  = at(0x00, ULONG)
    NumberOfPages = at(0x08, ULONGLONG)
    Run           = at(0x10, array(PHYSICAL_MEMORY_RUN, 1))
