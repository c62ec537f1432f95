"""Sections: control areas, segments, subsections.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.executive import EX_FAST_REF, EX_PUSH_LOCK
from ntos.abi.layout.list import LIST_ENTRY, RTL_AVL_TREE, RTL_BALANCED_NODE
from ntos.abi.struct import Struct, at, bits
from ntos.abi.types import LONG, PVOID, UCHAR, ULONG, ULONGLONG, USHORT


class MMSECTION_FLAGS(Struct, size=0x04):
    """What kind of section this is."""

    BeingDeleted                     = bits(0x00, ULONG, 0, 1)
    BeingCreated                     = bits(0x00, ULONG, 1, 1)
    BeingPurged                      = bits(0x00, ULONG, 2, 1)
    NoModifiedWriting                = bits(0x00, ULONG, 3, 1)
    FailAllIo                        = bits(0x00, ULONG, 4, 1)
    Image                            = bits(0x00, ULONG, 5, 1)
    Based                            = bits(0x00, ULONG, 6, 1)
    File                             = bits(0x00, ULONG, 7, 1)
    AttemptingDelete                 = bits(0x00, ULONG, 8, 1)
    PrefetchCreated                  = bits(0x00, ULONG, 9, 1)
    PhysicalMemory                   = bits(0x00, ULONG, 10, 1)
    ImageControlAreaOnRemovableMedia = bits(0x00, ULONG, 11, 1)
    Reserve                          = bits(0x00, ULONG, 12, 1)
    Commit                           = bits(0x00, ULONG, 13, 1)
    NoChange                         = bits(0x00, ULONG, 14, 1)
    WasPurged                        = bits(0x00, ULONG, 15, 1)
    UserReference                    = bits(0x00, ULONG, 16, 1)
    GlobalMemory                     = bits(0x00, ULONG, 17, 1)
    DeleteOnClose                    = bits(0x00, ULONG, 18, 1)
    FilePointerNull                  = bits(0x00, ULONG, 19, 1)
    PreferredNode                    = bits(0x00, ULONG, 20, 6)
    GlobalOnlyPerSession             = bits(0x00, ULONG, 26, 1)
    UserWritable                     = bits(0x00, ULONG, 27, 1)
    SystemVaAllocated                = bits(0x00, ULONG, 28, 1)
    PreferredFsCompressionBoundary   = bits(0x00, ULONG, 29, 1)
    UsingFileExtents                 = bits(0x00, ULONG, 30, 1)
    PageSize64K                      = bits(0x00, ULONG, 31, 1)


class MMSECTION_FLAGS2(Struct, size=0x04):
    """Partition and read-ahead of a section."""

    PartitionId                          = bits(0x00, USHORT, 0, 10)
    NoCrossPartitionAccess               = bits(0x02, UCHAR, 0, 1)
    SubsectionCrossPartitionReferenceOverflow = bits(0x02, UCHAR, 1, 1)


class MMSUBSECTION_FLAGS(Struct, size=0x04):
    """Protection and alignment of a subsection."""

    SubsectionAccessed = bits(0x00, USHORT, 0, 1)
    Protection         = bits(0x00, USHORT, 1, 5)
    StartingSector4132 = bits(0x00, USHORT, 6, 10)
    SubsectionStatic   = bits(0x02, USHORT, 0, 1)
    GlobalMemory       = bits(0x02, USHORT, 1, 1)
    Spare              = bits(0x02, USHORT, 2, 1)
    OnDereferenceList  = bits(0x02, USHORT, 3, 1)
    SectorEndOffset    = bits(0x02, USHORT, 4, 12)


class SEGMENT_FLAGS(Struct, size=0x04):
    """Image properties of a segment."""

    Short0                = at(0x00, USHORT)
    TotalNumberOfPtes4132 = bits(0x00, USHORT, 0, 10)
    Spare0                = bits(0x00, USHORT, 10, 1)
    SessionDriverProtos   = bits(0x00, USHORT, 11, 1)
    LargePages            = bits(0x00, USHORT, 12, 1)
    DebugSymbolsLoaded    = bits(0x00, USHORT, 13, 1)
    WriteCombined         = bits(0x00, USHORT, 14, 1)
    NoCache               = bits(0x00, USHORT, 15, 1)
    UChar1                = at(0x02, UCHAR)
    Spare                 = bits(0x02, UCHAR, 0, 1)
    DefaultProtectionMask = bits(0x02, UCHAR, 1, 5)
    Binary32              = bits(0x02, UCHAR, 6, 1)
    ContainsDebug         = bits(0x02, UCHAR, 7, 1)
    UChar2                = at(0x03, UCHAR)
    ForceCollision        = bits(0x03, UCHAR, 0, 1)
    ImageSigningType      = bits(0x03, UCHAR, 1, 3)
    ImageSigningLevel     = bits(0x03, UCHAR, 4, 4)


class SECTION_IMAGE_INFORMATION(Struct, size=0x40):
    """What the image header told: entry point, stack, machine (query 1)."""

    TransferAddress             = at(0x00, PVOID)
    ZeroBits                    = at(0x08, ULONG)
    MaximumStackSize            = at(0x10, ULONGLONG)
    CommittedStackSize          = at(0x18, ULONGLONG)
    SubSystemType               = at(0x20, ULONG)
    SubSystemMinorVersion       = at(0x24, USHORT)
    SubSystemVersion            = at(0x24, ULONG)
    SubSystemMajorVersion       = at(0x26, USHORT)
    MajorOperatingSystemVersion = at(0x28, USHORT)
    OperatingSystemVersion      = at(0x28, ULONG)
    MinorOperatingSystemVersion = at(0x2A, USHORT)
    ImageCharacteristics        = at(0x2C, USHORT)
    DllCharacteristics          = at(0x2E, USHORT)
    Machine                     = at(0x30, USHORT)
    ImageContainsCode           = at(0x32, UCHAR)
    ImageFlags                  = at(0x33, UCHAR)
    ComPlusNativeReady          = bits(0x33, UCHAR, 0, 1)
    ComPlusILOnly               = bits(0x33, UCHAR, 1, 1)
    ImageDynamicallyRelocated   = bits(0x33, UCHAR, 2, 1)
    ImageMappedFlat             = bits(0x33, UCHAR, 3, 1)
    BaseBelow4gb                = bits(0x33, UCHAR, 4, 1)
    ComPlusPrefer32bit          = bits(0x33, UCHAR, 5, 1)
    Reserved                    = bits(0x33, UCHAR, 6, 2)
    LoaderFlags                 = at(0x34, ULONG)
    ImageFileSize               = at(0x38, ULONG)
    CheckSum                    = at(0x3C, ULONG)


class MI_EXTRA_IMAGE_INFORMATION(Struct, size=0x10):
    """Further image facts kept with the section."""

    SizeOfHeaders                        = at(0x00, ULONG)
    SizeOfImage                          = at(0x04, ULONG)
    TimeDateStamp                        = at(0x08, ULONG)
    ImageCetShadowStacksReady            = bits(0x0C, ULONG, 0, 1)
    ImageCetShadowStacksStrictMode       = bits(0x0C, ULONG, 1, 1)
    ImageCetSetContextIpValidationRelaxedMode = bits(0x0C, ULONG, 2, 1)
    ImageCetDynamicApisAllowInProc       = bits(0x0C, ULONG, 3, 1)
    ImageCetDowngradeReserved1           = bits(0x0C, ULONG, 4, 1)
    ImageCetDowngradeReserved2           = bits(0x0C, ULONG, 5, 1)
    Spare                                = bits(0x0C, ULONG, 6, 26)


class MI_SECTION_IMAGE_INFORMATION(Struct, size=0x50):
    """Image facts kept with the section."""

    ExportedImageInformation = at(0x00, SECTION_IMAGE_INFORMATION)
    InternalImageInformation = at(0x40, MI_EXTRA_IMAGE_INFORMATION)


class SECTION_OBJECT_POINTERS(Struct, size=0x18):
    """A file's data and image control areas and its cache map."""

    DataSectionObject  = at(0x00, PVOID)
    SharedCacheMap     = at(0x08, PVOID)
    ImageSectionObject = at(0x10, PVOID)


class SECTION_u(Struct, size=0x04):
    """Flags word of a section."""

    Flags     = at(0x00, MMSECTION_FLAGS)
    LongFlags = at(0x00, ULONG)


class CONTROL_AREA_u1(Struct, size=0x04):
    """Working set list entry or image context."""

    Flags     = at(0x00, MMSECTION_FLAGS2)
    LongFlags = at(0x00, ULONG)


class CONTROL_AREA_u2_e2(Struct, size=0x10):
    """Writable references and image facts."""

    ImageRelocationStartBit  = at(0x00, ULONG)
    NumberOfSystemCacheViews = at(0x00, ULONG)
    WritableUserReferences   = at(0x04, LONG)
    ImageRelocationSizeIn64k = bits(0x04, ULONG, 0, 16)
    SystemImage              = bits(0x04, ULONG, 16, 1)
    CantMove                 = bits(0x04, ULONG, 17, 1)
    StrongCode               = bits(0x04, ULONG, 18, 2)
    BitMap                   = bits(0x04, ULONG, 20, 2)
    ImageActive              = bits(0x04, ULONG, 22, 1)
    ImageBaseOkToReuse       = bits(0x04, ULONG, 23, 1)
    FlushInProgressCount     = at(0x08, ULONG)
    NumberOfSubsections      = at(0x08, ULONG)
    SeImageStub              = at(0x08, PVOID)  # *MI_IMAGE_SECURITY_REFERENCE


class CONTROL_AREA_u2(Struct, size=0x10):
    """Counts by use of the section."""

    e2 = at(0x00, CONTROL_AREA_u2_e2)


class CONTROL_AREA_u3(Struct, size=0x08):
    """Lock and list of a data section."""

    ImageCrossPartitionCharge = at(0x00, ULONGLONG)
    CommittedPageCount        = bits(0x00, ULONGLONG, 0, 36)
    IoAttributionContext      = bits(0x00, ULONGLONG, 0, 61)
    Spare                     = bits(0x00, ULONGLONG, 61, 3)


class CONTROL_AREA(Struct, size=0x80):
    """Section state of one file or of one piece of page-file-backed memory."""

    Segment                   = at(0x00, PVOID)  # *SEGMENT
    AweContext                = at(0x08, PVOID)
    ListHead                  = at(0x08, LIST_ENTRY)
    NumberOfSectionReferences = at(0x18, ULONGLONG)
    NumberOfPfnReferences     = at(0x20, ULONGLONG)
    NumberOfMappedViews       = at(0x28, ULONGLONG)
    NumberOfUserReferences    = at(0x30, ULONGLONG)
    u                         = at(0x38, SECTION_u)
    u1                        = at(0x3C, CONTROL_AREA_u1)
    FilePointer               = at(0x40, EX_FAST_REF)
    ControlAreaLock           = at(0x48, LONG)
    ModifiedWriteCount        = at(0x4C, ULONG)
    WaitList                  = at(0x50, PVOID)  # *MI_CONTROL_AREA_WAIT_BLOCK
    u2                        = at(0x58, CONTROL_AREA_u2)
    FileObjectLock            = at(0x68, EX_PUSH_LOCK)
    LockedPages               = at(0x70, ULONGLONG)
    u3                        = at(0x78, CONTROL_AREA_u3)


class SEGMENT_u1(Struct, size=0x08):
    """Creating process or image commitment."""

    CreatingProcessId = at(0x00, ULONG)
    ImageCommitment   = at(0x00, ULONGLONG)


class SEGMENT_u2(Struct, size=0x08):
    """Image information or first mapped address."""

    FirstMappedVa    = at(0x00, PVOID)
    ImageInformation = at(0x00, PVOID)  # *MI_SECTION_IMAGE_INFORMATION


class SEGMENT(Struct, size=0x48):
    """Prototype page table entries and size of a section."""

    ControlArea            = at(0x00, PVOID)  # *CONTROL_AREA
    TotalNumberOfPtes      = at(0x08, ULONG)
    SegmentFlags           = at(0x0C, SEGMENT_FLAGS)
    NumberOfCommittedPages = at(0x10, ULONGLONG)
    SizeOfSegment          = at(0x18, ULONGLONG)
    BasedAddress           = at(0x20, PVOID)
    ExtendInfo             = at(0x20, PVOID)  # *MMEXTEND_INFO
    SegmentLock            = at(0x28, EX_PUSH_LOCK)
    u1                     = at(0x30, SEGMENT_u1)
    u2                     = at(0x38, SEGMENT_u2)
    PrototypePte           = at(0x40, PVOID)  # *MMPTE


class MAPPED_FILE_SEGMENT(Struct, size=0x30):
    """Size of a section that maps a data file."""

    ControlArea            = at(0x00, PVOID)  # *CONTROL_AREA
    TotalNumberOfPtes      = at(0x08, ULONG)
    SegmentFlags           = at(0x0C, SEGMENT_FLAGS)
    NumberOfCommittedPages = at(0x10, ULONGLONG)
    SizeOfSegment          = at(0x18, ULONGLONG)
    BasedAddress           = at(0x20, PVOID)
    ExtendInfo             = at(0x20, PVOID)  # *MMEXTEND_INFO
    SegmentLock            = at(0x28, EX_PUSH_LOCK)


class SUBSECTION_u(Struct, size=0x04):
    """Flags word of a subsection."""

    LongFlags       = at(0x00, ULONG)
    SubsectionFlags = at(0x00, MMSUBSECTION_FLAGS)


class MI_SUBSECTION_ENTRY1(Struct, size=0x04):
    """Flags of a subsection entry."""

    CrossPartitionReferences = bits(0x00, ULONG, 0, 30)
    SubsectionMappedLarge    = bits(0x00, ULONG, 30, 2)


class SUBSECTION_u1(Struct, size=0x04):
    """Unused prototype entries, or a bitmap of them."""

    EntireField = at(0x00, ULONG)
    e1          = at(0x00, MI_SUBSECTION_ENTRY1)


class SUBSECTION(Struct, size=0x38):
    """Contiguous part of a section: one PE section, or a piece of a file."""

    ControlArea          = at(0x00, PVOID)  # *CONTROL_AREA
    SubsectionBase       = at(0x08, PVOID)  # *MMPTE
    NextSubsection       = at(0x10, PVOID)  # *SUBSECTION
    CreationWaitList     = at(0x18, PVOID)  # *MI_CONTROL_AREA_WAIT_BLOCK
    GlobalPerSessionHead = at(0x18, RTL_AVL_TREE)
    SessionDriverProtos  = at(0x18, PVOID)  # *MI_PER_SESSION_PROTOS
    u                    = at(0x20, SUBSECTION_u)
    StartingSector       = at(0x24, ULONG)
    NumberOfFullSectors  = at(0x28, ULONG)
    PtesInSubsection     = at(0x2C, ULONG)
    u1                   = at(0x30, SUBSECTION_u1)
    UnusedPtes           = bits(0x34, ULONG, 0, 30)
    ExtentQueryNeeded    = bits(0x34, ULONG, 30, 1)
    DirtyPages           = bits(0x34, ULONG, 31, 1)


class MI_PROTOTYPE_PTES_NODE_u1_e1(Struct, size=0x08):
    """Subsection of the node."""

    AllocationType = bits(0x00, ULONGLONG, 0, 3)
    Inserted       = bits(0x00, ULONGLONG, 3, 1)


class MI_PROTOTYPE_PTES_NODE_u1_e2(Struct, size=0x08):
    """Flags of the node."""

    PrototypePtesFlags = at(0x00, ULONGLONG)


class MI_PROTOTYPE_PTES_NODE_u1(Struct, size=0x08):
    """What the node belongs to."""

    e1 = at(0x00, MI_PROTOTYPE_PTES_NODE_u1_e1)
    e2 = at(0x00, MI_PROTOTYPE_PTES_NODE_u1_e2)


class MI_PROTOTYPE_PTES_NODE(Struct, size=0x20):
    """Tree node that finds prototype entries by address."""

    Node = at(0x00, RTL_BALANCED_NODE)
    u1   = at(0x18, MI_PROTOTYPE_PTES_NODE_u1)


class MSUBSECTION(Struct, size=0x90):
    """Subsection of a mapped data file."""

    Core                  = at(0x00, SUBSECTION)
    SubsectionNode        = at(0x38, RTL_BALANCED_NODE)
    DereferenceList       = at(0x50, LIST_ENTRY)
    NumberOfMappedViews   = at(0x60, ULONGLONG)
    NumberOfPfnReferences = at(0x68, ULONG)
    LargeViews            = at(0x6C, ULONG)
    ProtosNode            = at(0x70, MI_PROTOTYPE_PTES_NODE)


class SECTION_u1(Struct, size=0x08):
    """Control area or file object, tagged."""

    ControlArea           = at(0x00, PVOID)  # *CONTROL_AREA
    FileObject            = at(0x00, PVOID)  # *FILE_OBJECT
    RemoteImageFileObject = bits(0x00, ULONGLONG, 0, 1)
    RemoteDataFileObject  = bits(0x00, ULONGLONG, 1, 1)


class SECTION(Struct, size=0x40):
    """Section object."""

    SectionNode           = at(0x00, RTL_BALANCED_NODE)
    StartingVpn           = at(0x18, ULONGLONG)
    EndingVpn             = at(0x20, ULONGLONG)
    u1                    = at(0x28, SECTION_u1)
    SizeOfSection         = at(0x30, ULONGLONG)
    u                     = at(0x38, SECTION_u)
    InitialPageProtection = bits(0x3C, ULONG, 0, 12)
    SessionId             = bits(0x3C, ULONG, 12, 19)
    NoValidationNeeded    = bits(0x3C, ULONG, 31, 1)
