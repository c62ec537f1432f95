"""Address spaces: VADs and their flags.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.executive import EX_PUSH_LOCK
from ntos.abi.layout.list import LIST_ENTRY, RTL_BALANCED_NODE
from ntos.abi.layout.resource import KGATE
from ntos.abi.layout.string import RTL_BITMAP_EX
from ntos.abi.struct import Struct, array, at, bits
from ntos.abi.types import LONG, PVOID, UCHAR, ULONG, ULONGLONG


class MMVAD_FLAGS(Struct, size=0x04):
    """Type, protection and state of an address range."""

    Lock             = bits(0x00, ULONG, 0, 1)
    LockContended    = bits(0x00, ULONG, 1, 1)
    DeleteInProgress = bits(0x00, ULONG, 2, 1)
    NoChange         = bits(0x00, ULONG, 3, 1)
    VadType          = bits(0x00, ULONG, 4, 3)
    Protection       = bits(0x00, ULONG, 7, 5)
    PreferredNode    = bits(0x00, ULONG, 12, 6)
    PageSize         = bits(0x00, ULONG, 18, 2)
    PrivateMemory    = bits(0x00, ULONG, 20, 1)


class MMVAD_FLAGS1(Struct, size=0x04):
    """Commit charge of an address range."""

    CommitCharge = bits(0x00, ULONG, 0, 31)
    MemCommit    = bits(0x00, ULONG, 31, 1)


class MMVAD_FLAGS2(Struct, size=0x04):
    """File offset and inheritance of a mapped range."""

    FileOffset         = bits(0x00, ULONG, 0, 24)
    Large              = bits(0x00, ULONG, 24, 1)
    TrimBehind         = bits(0x00, ULONG, 25, 1)
    Inherit            = bits(0x00, ULONG, 26, 1)
    NoValidationNeeded = bits(0x00, ULONG, 27, 1)
    PrivateDemandZero  = bits(0x00, ULONG, 28, 1)
    Spare              = bits(0x00, ULONG, 29, 3)


class MM_PRIVATE_VAD_FLAGS(Struct, size=0x04):
    """VAD flags of private memory."""

    Lock                         = bits(0x00, ULONG, 0, 1)
    LockContended                = bits(0x00, ULONG, 1, 1)
    DeleteInProgress             = bits(0x00, ULONG, 2, 1)
    NoChange                     = bits(0x00, ULONG, 3, 1)
    VadType                      = bits(0x00, ULONG, 4, 3)
    Protection                   = bits(0x00, ULONG, 7, 5)
    PreferredNode                = bits(0x00, ULONG, 12, 6)
    PageSize                     = bits(0x00, ULONG, 18, 2)
    PrivateMemoryAlwaysSet       = bits(0x00, ULONG, 20, 1)
    WriteWatch                   = bits(0x00, ULONG, 21, 1)
    FixedLargePageSize           = bits(0x00, ULONG, 22, 1)
    ZeroFillPagesOptional        = bits(0x00, ULONG, 23, 1)
    Graphics                     = bits(0x00, ULONG, 24, 1)
    Enclave                      = bits(0x00, ULONG, 25, 1)
    ShadowStack                  = bits(0x00, ULONG, 26, 1)
    PhysicalMemoryPfnsReferenced = bits(0x00, ULONG, 27, 1)


class MM_SHARED_VAD_FLAGS(Struct, size=0x04):
    """VAD flags of mapped sections."""

    Lock                     = bits(0x00, ULONG, 0, 1)
    LockContended            = bits(0x00, ULONG, 1, 1)
    DeleteInProgress         = bits(0x00, ULONG, 2, 1)
    NoChange                 = bits(0x00, ULONG, 3, 1)
    VadType                  = bits(0x00, ULONG, 4, 3)
    Protection               = bits(0x00, ULONG, 7, 5)
    PreferredNode            = bits(0x00, ULONG, 12, 6)
    PageSize                 = bits(0x00, ULONG, 18, 2)
    PrivateMemoryAlwaysClear = bits(0x00, ULONG, 20, 1)
    PrivateFixup             = bits(0x00, ULONG, 21, 1)
    HotPatchAllowed          = bits(0x00, ULONG, 22, 1)


class MM_GRAPHICS_VAD_FLAGS(Struct, size=0x04):
    """VAD flags of graphics memory."""

    Lock                   = bits(0x00, ULONG, 0, 1)
    LockContended          = bits(0x00, ULONG, 1, 1)
    DeleteInProgress       = bits(0x00, ULONG, 2, 1)
    NoChange               = bits(0x00, ULONG, 3, 1)
    VadType                = bits(0x00, ULONG, 4, 3)
    Protection             = bits(0x00, ULONG, 7, 5)
    PreferredNode          = bits(0x00, ULONG, 12, 6)
    PageSize               = bits(0x00, ULONG, 18, 2)
    PrivateMemoryAlwaysSet = bits(0x00, ULONG, 20, 1)
    WriteWatch             = bits(0x00, ULONG, 21, 1)
    FixedLargePageSize     = bits(0x00, ULONG, 22, 1)
    ZeroFillPagesOptional  = bits(0x00, ULONG, 23, 1)
    GraphicsAlwaysSet      = bits(0x00, ULONG, 24, 1)
    GraphicsUseCoherentBus = bits(0x00, ULONG, 25, 1)
    GraphicsNoCache        = bits(0x00, ULONG, 26, 1)
    GraphicsPageProtection = bits(0x00, ULONG, 27, 3)


class MMVAD_SHORT_u(Struct, size=0x04):
    """The forms of a VAD's flags."""

    GraphicsVadFlags = at(0x00, MM_GRAPHICS_VAD_FLAGS)
    LongFlags        = at(0x00, ULONG)
    PrivateVadFlags  = at(0x00, MM_PRIVATE_VAD_FLAGS)
    SharedVadFlags   = at(0x00, MM_SHARED_VAD_FLAGS)
    VadFlags         = at(0x00, MMVAD_FLAGS)
    VolatileVadLong  = at(0x00, ULONG)


class MMVAD_SHORT_u1(Struct, size=0x04):
    """The second flags word of a VAD."""

    LongFlags1 = at(0x00, ULONG)
    VadFlags1  = at(0x00, MMVAD_FLAGS1)


class MMVAD_SHORT(Struct, size=0x40):
    """Range of private memory in an address space."""

    NextVad           = at(0x00, PVOID)  # *MMVAD_SHORT
    VadNode           = at(0x00, RTL_BALANCED_NODE)
    ExtraCreateInfo   = at(0x08, PVOID)
    StartingVpn       = at(0x18, ULONG)
    EndingVpn         = at(0x1C, ULONG)
    StartingVpnHigh   = at(0x20, UCHAR)
    EndingVpnHigh     = at(0x21, UCHAR)
    CommitChargeHigh  = at(0x22, UCHAR)
    SpareNT64VadUChar = at(0x23, UCHAR)
    ReferenceCount    = at(0x24, LONG)
    PushLock          = at(0x28, EX_PUSH_LOCK)
    u                 = at(0x30, MMVAD_SHORT_u)
    u1                = at(0x34, MMVAD_SHORT_u1)
    EventList         = at(0x38, PVOID)  # *MI_VAD_EVENT_BLOCK


class MI_VAD_SEQUENTIAL_INFO(Struct, size=0x08):
    """Sequential access within a mapped view."""

    Length = bits(0x00, ULONGLONG, 0, 12)
    Vpn    = bits(0x00, ULONGLONG, 12, 52)


class MMVAD_u2(Struct, size=0x04):
    """The third flags word of a VAD."""

    LongFlags2 = at(0x00, ULONG)
    VadFlags2  = at(0x00, MMVAD_FLAGS2)


class MMVAD_u4(Struct, size=0x08):
    """Sequential access, or extended information."""

    ExtendedInfo = at(0x00, PVOID)  # *MMEXTEND_INFO
    SequentialVa = at(0x00, MI_VAD_SEQUENTIAL_INFO)


class MMVAD(Struct, size=0x88):
    """Range of an address space mapped to a section."""

    Core              = at(0x00, MMVAD_SHORT)
    u2                = at(0x40, MMVAD_u2)
    Subsection        = at(0x48, PVOID)  # *SUBSECTION
    FirstPrototypePte = at(0x50, PVOID)  # *MMPTE
    LastContiguousPte = at(0x58, PVOID)  # *MMPTE
    ViewLinks         = at(0x60, LIST_ENTRY)
    VadsProcess       = at(0x70, PVOID)  # *EPROCESS
    u4                = at(0x78, MMVAD_u4)
    FileObject        = at(0x80, PVOID)  # *FILE_OBJECT


class MMSECURE_FLAGS(Struct, size=0x04):
    """How a range is secured against change."""

    ReadOnly            = bits(0x00, ULONG, 0, 1)
    ReadWrite           = bits(0x00, ULONG, 1, 1)
    SecNoChange         = bits(0x00, ULONG, 2, 1)
    NoDelete            = bits(0x00, ULONG, 3, 1)
    RequiresPteReversal = bits(0x00, ULONG, 4, 1)
    ExclusiveSecure     = bits(0x00, ULONG, 5, 1)
    UserModeOnly        = bits(0x00, ULONG, 6, 1)
    NoInherit           = bits(0x00, ULONG, 7, 1)
    CheckVad            = bits(0x00, ULONG, 8, 1)
    Spare               = bits(0x00, ULONG, 9, 3)


class MMADDRESS_LIST_u1(Struct, size=0x08):
    """Low word of the range."""

    Flags     = at(0x00, MMSECURE_FLAGS)
    FlagsLong = at(0x00, ULONG)
    StartVa   = at(0x00, PVOID)


class MMADDRESS_LIST(Struct, size=0x10):
    """Address range with flags in its low bits."""

    u1    = at(0x00, MMADDRESS_LIST_u1)
    EndVa = at(0x08, PVOID)


class MMEXTEND_INFO(Struct, size=0x10):
    """Committed size of an extensible mapped file."""

    CommittedSize  = at(0x00, ULONGLONG)
    ReferenceCount = at(0x08, ULONG)


class MI_PHYSICAL_VIEW_u1(Struct, size=0x08):
    """VAD or clone of a view."""

    ControlArea  = at(0x00, PVOID)  # *CONTROL_AREA
    ViewPageSize = bits(0x00, ULONG, 0, 2)


class MI_PHYSICAL_VIEW(Struct, size=0x30):
    """View of physical memory."""

    PhysicalNode = at(0x00, RTL_BALANCED_NODE)
    Vad          = at(0x18, PVOID)  # *MMVAD_SHORT
    AweInfo      = at(0x20, PVOID)  # *AWEINFO
    u1           = at(0x28, MI_PHYSICAL_VIEW_u1)


class MI_SUB64K_FREE_RANGES(Struct, size=0x38):
    """Free space in a 64 KB unit."""

    BitMap       = at(0x00, RTL_BITMAP_EX)
    ListEntry    = at(0x10, LIST_ENTRY)
    Vad          = at(0x20, PVOID)  # *MMVAD_SHORT
    SetBits      = at(0x28, ULONG)
    FullSetBits  = at(0x2C, ULONG)
    SubListIndex = bits(0x30, ULONG, 0, 2)
    Hint         = bits(0x30, ULONG, 2, 30)


class MI_LARGEPAGE_VAD_INFO(Struct, size=0x18):
    """Large pages of a range."""

    LargeImageBias      = at(0x00, UCHAR)
    Spare               = at(0x01, array(UCHAR, 3))
    ActualImageViewSize = at(0x08, ULONGLONG)
    ReferencedPartition = at(0x10, PVOID)  # *EPARTITION


class MI_VAD_EVENT_BLOCK(Struct, size=0x48):
    """Extra state of a VAD, chained."""

    Next           = at(0x00, PVOID)  # *MI_VAD_EVENT_BLOCK
    AweView        = at(0x08, MI_PHYSICAL_VIEW)
    BitMap         = at(0x08, RTL_BITMAP_EX)
    CreatingThread = at(0x08, PVOID)  # *ETHREAD
    Gate           = at(0x08, KGATE)
    InPageSupport  = at(0x08, PVOID)  # *MMINPAGE_SUPPORT
    LargePage      = at(0x08, MI_LARGEPAGE_VAD_INFO)
    PebTeb         = at(0x08, MI_SUB64K_FREE_RANGES)
    PlaceholderVad = at(0x08, PVOID)  # *MMVAD_SHORT
    SecureInfo     = at(0x08, MMADDRESS_LIST)
    WaitReason     = at(0x40, ULONG)


class MMWSL_INSTANCE(Struct, size=0x28):
    """Working set list of an instance."""

    NextPteToTrim               = at(0x00, PVOID)  # *MMPTE
    NextPteToAge                = at(0x08, PVOID)  # *MMPTE
    NextPteToAccessClear        = at(0x10, PVOID)  # *MMPTE
    LastAccessClearingRemainder = at(0x18, ULONG)
    LastAgingRemainder          = at(0x1C, ULONG)
    LockedEntries               = at(0x20, ULONGLONG)
