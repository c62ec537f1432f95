"""The process environment block.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.struct import Struct, array, at, bits
from ntos.abi.types import CHAR, LARGE_INTEGER, PVOID, UCHAR, ULONG, ULONGLONG, USHORT


class PEB(Struct, size=0x7C8):
    """Process environment block."""

    InheritedAddressSpace                = at(0x000, UCHAR)
    ReadImageFileExecOptions             = at(0x001, UCHAR)
    BeingDebugged                        = at(0x002, UCHAR)
    BitField                             = at(0x003, UCHAR)
    ImageUsesLargePages                  = bits(0x003, UCHAR, 0, 1)
    IsProtectedProcess                   = bits(0x003, UCHAR, 1, 1)
    IsImageDynamicallyRelocated          = bits(0x003, UCHAR, 2, 1)
    SkipPatchingUser32Forwarders         = bits(0x003, UCHAR, 3, 1)
    IsPackagedProcess                    = bits(0x003, UCHAR, 4, 1)
    IsAppContainer                       = bits(0x003, UCHAR, 5, 1)
    IsProtectedProcessLight              = bits(0x003, UCHAR, 6, 1)
    IsLongPathAwareProcess               = bits(0x003, UCHAR, 7, 1)
    Padding0                             = at(0x004, array(UCHAR, 4))
    Mutant                               = at(0x008, PVOID)
    ImageBaseAddress                     = at(0x010, PVOID)
    Ldr                                  = at(0x018, PVOID)  # *PEB_LDR_DATA
    ProcessParameters                    = at(0x020, PVOID)  # *RTL_USER_PROCESS_PARAMETERS
    SubSystemData                        = at(0x028, PVOID)
    ProcessHeap                          = at(0x030, PVOID)
    FastPebLock                          = at(0x038, PVOID)  # *RTL_CRITICAL_SECTION
    AtlThunkSListPtr                     = at(0x040, PVOID)  # *SLIST_HEADER
    IFEOKey                              = at(0x048, PVOID)
    CrossProcessFlags                    = at(0x050, ULONG)
    ProcessInJob                         = bits(0x050, ULONG, 0, 1)
    ProcessInitializing                  = bits(0x050, ULONG, 1, 1)
    ProcessUsingVEH                      = bits(0x050, ULONG, 2, 1)
    ProcessUsingVCH                      = bits(0x050, ULONG, 3, 1)
    ProcessUsingFTH                      = bits(0x050, ULONG, 4, 1)
    ProcessPreviouslyThrottled           = bits(0x050, ULONG, 5, 1)
    ProcessCurrentlyThrottled            = bits(0x050, ULONG, 6, 1)
    ProcessImagesHotPatched              = bits(0x050, ULONG, 7, 1)
    ReservedBits0                        = bits(0x050, ULONG, 8, 24)
    Padding1                             = at(0x054, array(UCHAR, 4))
    KernelCallbackTable                  = at(0x058, PVOID)
    UserSharedInfoPtr                    = at(0x058, PVOID)
    SystemReserved                       = at(0x060, ULONG)
    AtlThunkSListPtr32                   = at(0x064, ULONG)
    ApiSetMap                            = at(0x068, PVOID)
    TlsExpansionCounter                  = at(0x070, ULONG)
    Padding2                             = at(0x074, array(UCHAR, 4))
    TlsBitmap                            = at(0x078, PVOID)
    TlsBitmapBits                        = at(0x080, array(ULONG, 2))
    ReadOnlySharedMemoryBase             = at(0x088, PVOID)
    SharedData                           = at(0x090, PVOID)
    ReadOnlyStaticServerData             = at(0x098, PVOID)
    AnsiCodePageData                     = at(0x0A0, PVOID)
    OemCodePageData                      = at(0x0A8, PVOID)
    UnicodeCaseTableData                 = at(0x0B0, PVOID)
    NumberOfProcessors                   = at(0x0B8, ULONG)
    NtGlobalFlag                         = at(0x0BC, ULONG)
    CriticalSectionTimeout               = at(0x0C0, LARGE_INTEGER)
    HeapSegmentReserve                   = at(0x0C8, ULONGLONG)
    HeapSegmentCommit                    = at(0x0D0, ULONGLONG)
    HeapDeCommitTotalFreeThreshold       = at(0x0D8, ULONGLONG)
    HeapDeCommitFreeBlockThreshold       = at(0x0E0, ULONGLONG)
    NumberOfHeaps                        = at(0x0E8, ULONG)
    MaximumNumberOfHeaps                 = at(0x0EC, ULONG)
    ProcessHeaps                         = at(0x0F0, PVOID)
    GdiSharedHandleTable                 = at(0x0F8, PVOID)
    ProcessStarterHelper                 = at(0x100, PVOID)
    GdiDCAttributeList                   = at(0x108, ULONG)
    Padding3                             = at(0x10C, array(UCHAR, 4))
    LoaderLock                           = at(0x110, PVOID)  # *RTL_CRITICAL_SECTION
    OSMajorVersion                       = at(0x118, ULONG)
    OSMinorVersion                       = at(0x11C, ULONG)
    OSBuildNumber                        = at(0x120, USHORT)
    OSCSDVersion                         = at(0x122, USHORT)
    OSPlatformId                         = at(0x124, ULONG)
    ImageSubsystem                       = at(0x128, ULONG)
    ImageSubsystemMajorVersion           = at(0x12C, ULONG)
    ImageSubsystemMinorVersion           = at(0x130, ULONG)
    Padding4                             = at(0x134, array(UCHAR, 4))
    ActiveProcessAffinityMask            = at(0x138, ULONGLONG)
    GdiHandleBuffer                      = at(0x140, array(ULONG, 60))
    PostProcessInitRoutine               = at(0x230, PVOID)
    TlsExpansionBitmap                   = at(0x238, PVOID)
    TlsExpansionBitmapBits               = at(0x240, array(ULONG, 32))
    SessionId                            = at(0x2C0, ULONG)
    Padding5                             = at(0x2C4, array(UCHAR, 4))
    AppCompatFlags                       = at(0x2C8, ULONGLONG)
    AppCompatFlagsUser                   = at(0x2D0, ULONGLONG)
    pShimData                            = at(0x2D8, PVOID)
    AppCompatInfo                        = at(0x2E0, PVOID)
    CSDVersion                           = at(0x2E8, UNICODE_STRING)
    ActivationContextData                = at(0x2F8, PVOID)  # *ACTIVATION_CONTEXT_DATA
    ProcessAssemblyStorageMap            = at(0x300, PVOID)  # *ASSEMBLY_STORAGE_MAP
    SystemDefaultActivationContextData   = at(0x308, PVOID)  # *ACTIVATION_CONTEXT_DATA
    SystemAssemblyStorageMap             = at(0x310, PVOID)  # *ASSEMBLY_STORAGE_MAP
    MinimumStackCommit                   = at(0x318, ULONGLONG)
    SparePointers                        = at(0x320, array(PVOID, 4))
    SpareUlongs                          = at(0x340, array(ULONG, 5))
    WerRegistrationData                  = at(0x358, PVOID)
    WerShipAssertPtr                     = at(0x360, PVOID)
    pUnused                              = at(0x368, PVOID)
    pImageHeaderHash                     = at(0x370, PVOID)
    TracingFlags                         = at(0x378, ULONG)
    HeapTracingEnabled                   = bits(0x378, ULONG, 0, 1)
    CritSecTracingEnabled                = bits(0x378, ULONG, 1, 1)
    LibLoaderTracingEnabled              = bits(0x378, ULONG, 2, 1)
    SpareTracingBits                     = bits(0x378, ULONG, 3, 29)
    Padding6                             = at(0x37C, array(UCHAR, 4))
    CsrServerReadOnlySharedMemoryBase    = at(0x380, ULONGLONG)
    TppWorkerpListLock                   = at(0x388, ULONGLONG)
    TppWorkerpList                       = at(0x390, LIST_ENTRY)
    WaitOnAddressHashTable               = at(0x3A0, array(PVOID, 128))
    TelemetryCoverageHeader              = at(0x7A0, PVOID)
    CloudFileFlags                       = at(0x7A8, ULONG)
    CloudFileDiagFlags                   = at(0x7AC, ULONG)
    PlaceholderCompatibilityMode         = at(0x7B0, CHAR)
    PlaceholderCompatibilityModeReserved = at(0x7B1, array(CHAR, 7))
    LeapSecondData                       = at(0x7B8, PVOID)  # *LEAP_SECOND_DATA
    LeapSecondFlags                      = at(0x7C0, ULONG)
    SixtySecondEnabled                   = bits(0x7C0, ULONG, 0, 1)
    Reserved                             = bits(0x7C0, ULONG, 1, 31)
    NtGlobalFlag2                        = at(0x7C4, ULONG)
