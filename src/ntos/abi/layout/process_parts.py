"""The structures that EPROCESS and KPROCESS hold by value.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.executive import EX_PUSH_LOCK, WNF_LOCK, WNF_NODE_HEADER
from ntos.abi.layout.list import LIST_ENTRY, RTL_AVL_TREE
from ntos.abi.struct import Struct, array, at, bits
from ntos.abi.types import LONG, LONGLONG, PVOID, UCHAR, ULONG, ULONGLONG, USHORT


class KEXECUTE_OPTIONS(Struct, size=0x01):
    """Data execution prevention of a process."""

    ExecuteOptions                  = at(0x00, UCHAR)
    ExecuteOptionsNV                = at(0x00, UCHAR)
    ExecuteDisable                  = bits(0x00, UCHAR, 0, 1)
    ExecuteEnable                   = bits(0x00, UCHAR, 1, 1)
    DisableThunkEmulation           = bits(0x00, UCHAR, 2, 1)
    Permanent                       = bits(0x00, UCHAR, 3, 1)
    ExecuteDispatchEnable           = bits(0x00, UCHAR, 4, 1)
    ImageDispatchEnable             = bits(0x00, UCHAR, 5, 1)
    DisableExceptionChainValidation = bits(0x00, UCHAR, 6, 1)
    Spare                           = bits(0x00, UCHAR, 7, 1)


class KSTACK_COUNT(Struct, size=0x04):
    """Resident kernel stacks and the swap state of a process."""

    Value      = at(0x00, LONG)
    State      = bits(0x00, ULONG, 0, 3)
    StackCount = bits(0x00, ULONG, 3, 29)


class KPROCESS_SecureState_Flags(Struct, size=0x08):
    """Whether a process has a secure half."""

    SecureProcess = bits(0x00, ULONGLONG, 0, 1)
    Unused        = bits(0x00, ULONGLONG, 1, 1)


class KPROCESS_SecureState(Struct, size=0x08):
    """Handle of the process in the secure kernel."""

    Flags        = at(0x00, KPROCESS_SecureState_Flags)
    SecureHandle = at(0x00, ULONGLONG)


class SE_AUDIT_PROCESS_CREATION_INFO(Struct, size=0x08):
    """Full image name kept for auditing."""

    ImageFileName = at(0x00, PVOID)  # *OBJECT_NAME_INFORMATION


class PS_PROTECTION(Struct, size=0x01):
    """Protection level of a process: type, audit and signer."""

    Level  = at(0x00, UCHAR)
    Type   = bits(0x00, UCHAR, 0, 3)
    Audit  = bits(0x00, UCHAR, 3, 1)
    Signer = bits(0x00, UCHAR, 4, 4)


class EPROCESS_MitigationFlagsValues(Struct, size=0x04):
    """Mitigation policy bits, first word."""

    ControlFlowGuardEnabled              = bits(0x00, ULONG, 0, 1)
    ControlFlowGuardExportSuppressionEnabled = bits(0x00, ULONG, 1, 1)
    ControlFlowGuardStrict               = bits(0x00, ULONG, 2, 1)
    DisallowStrippedImages               = bits(0x00, ULONG, 3, 1)
    ForceRelocateImages                  = bits(0x00, ULONG, 4, 1)
    HighEntropyASLREnabled               = bits(0x00, ULONG, 5, 1)
    StackRandomizationDisabled           = bits(0x00, ULONG, 6, 1)
    ExtensionPointDisable                = bits(0x00, ULONG, 7, 1)
    DisableDynamicCode                   = bits(0x00, ULONG, 8, 1)
    DisableDynamicCodeAllowOptOut        = bits(0x00, ULONG, 9, 1)
    DisableDynamicCodeAllowRemoteDowngrade = bits(0x00, ULONG, 10, 1)
    AuditDisableDynamicCode              = bits(0x00, ULONG, 11, 1)
    DisallowWin32kSystemCalls            = bits(0x00, ULONG, 12, 1)
    AuditDisallowWin32kSystemCalls       = bits(0x00, ULONG, 13, 1)
    EnableFilteredWin32kAPIs             = bits(0x00, ULONG, 14, 1)
    AuditFilteredWin32kAPIs              = bits(0x00, ULONG, 15, 1)
    DisableNonSystemFonts                = bits(0x00, ULONG, 16, 1)
    AuditNonSystemFontLoading            = bits(0x00, ULONG, 17, 1)
    PreferSystem32Images                 = bits(0x00, ULONG, 18, 1)
    ProhibitRemoteImageMap               = bits(0x00, ULONG, 19, 1)
    AuditProhibitRemoteImageMap          = bits(0x00, ULONG, 20, 1)
    ProhibitLowILImageMap                = bits(0x00, ULONG, 21, 1)
    AuditProhibitLowILImageMap           = bits(0x00, ULONG, 22, 1)
    SignatureMitigationOptIn             = bits(0x00, ULONG, 23, 1)
    AuditBlockNonMicrosoftBinaries       = bits(0x00, ULONG, 24, 1)
    AuditBlockNonMicrosoftBinariesAllowStore = bits(0x00, ULONG, 25, 1)
    LoaderIntegrityContinuityEnabled     = bits(0x00, ULONG, 26, 1)
    AuditLoaderIntegrityContinuity       = bits(0x00, ULONG, 27, 1)
    EnableModuleTamperingProtection      = bits(0x00, ULONG, 28, 1)
    EnableModuleTamperingProtectionNoInherit = bits(0x00, ULONG, 29, 1)
    RestrictIndirectBranchPrediction     = bits(0x00, ULONG, 30, 1)
    IsolateSecurityDomain                = bits(0x00, ULONG, 31, 1)


class EPROCESS_MitigationFlags2Values(Struct, size=0x04):
    """Mitigation policy bits, second word."""

    EnableExportAddressFilter            = bits(0x00, ULONG, 0, 1)
    AuditExportAddressFilter             = bits(0x00, ULONG, 1, 1)
    EnableExportAddressFilterPlus        = bits(0x00, ULONG, 2, 1)
    AuditExportAddressFilterPlus         = bits(0x00, ULONG, 3, 1)
    EnableRopStackPivot                  = bits(0x00, ULONG, 4, 1)
    AuditRopStackPivot                   = bits(0x00, ULONG, 5, 1)
    EnableRopCallerCheck                 = bits(0x00, ULONG, 6, 1)
    AuditRopCallerCheck                  = bits(0x00, ULONG, 7, 1)
    EnableRopSimExec                     = bits(0x00, ULONG, 8, 1)
    AuditRopSimExec                      = bits(0x00, ULONG, 9, 1)
    EnableImportAddressFilter            = bits(0x00, ULONG, 10, 1)
    AuditImportAddressFilter             = bits(0x00, ULONG, 11, 1)
    DisablePageCombine                   = bits(0x00, ULONG, 12, 1)
    SpeculativeStoreBypassDisable        = bits(0x00, ULONG, 13, 1)
    CetUserShadowStacks                  = bits(0x00, ULONG, 14, 1)
    AuditCetUserShadowStacks             = bits(0x00, ULONG, 15, 1)
    AuditCetUserShadowStacksLogged       = bits(0x00, ULONG, 16, 1)
    UserCetSetContextIpValidation        = bits(0x00, ULONG, 17, 1)
    AuditUserCetSetContextIpValidation   = bits(0x00, ULONG, 18, 1)
    AuditUserCetSetContextIpValidationLogged = bits(0x00, ULONG, 19, 1)
    CetUserShadowStacksStrictMode        = bits(0x00, ULONG, 20, 1)
    BlockNonCetBinaries                  = bits(0x00, ULONG, 21, 1)
    BlockNonCetBinariesNonEhcont         = bits(0x00, ULONG, 22, 1)
    AuditBlockNonCetBinaries             = bits(0x00, ULONG, 23, 1)
    AuditBlockNonCetBinariesLogged       = bits(0x00, ULONG, 24, 1)
    Reserved1                            = bits(0x00, ULONG, 25, 1)
    Reserved2                            = bits(0x00, ULONG, 26, 1)
    Reserved3                            = bits(0x00, ULONG, 27, 1)
    Reserved4                            = bits(0x00, ULONG, 28, 1)
    Reserved5                            = bits(0x00, ULONG, 29, 1)
    CetDynamicApisOutOfProcOnly          = bits(0x00, ULONG, 30, 1)
    UserCetSetContextIpValidationRelaxedMode = bits(0x00, ULONG, 31, 1)


class MMSUPPORT_FLAGS(Struct, size=0x04):
    """State of a working set."""

    u1                    = at(0x00, USHORT)
    WorkingSetType        = bits(0x00, UCHAR, 0, 3)
    Reserved0             = bits(0x00, UCHAR, 3, 3)
    MaximumWorkingSetHard = bits(0x00, UCHAR, 6, 1)
    MinimumWorkingSetHard = bits(0x00, UCHAR, 7, 1)
    SessionMaster         = bits(0x01, UCHAR, 0, 1)
    TrimmerState          = bits(0x01, UCHAR, 1, 2)
    Reserved              = bits(0x01, UCHAR, 3, 1)
    PageStealers          = bits(0x01, UCHAR, 4, 4)
    MemoryPriority        = at(0x02, UCHAR)
    u2                    = at(0x03, UCHAR)
    WsleDeleted           = bits(0x03, UCHAR, 0, 1)
    SvmEnabled            = bits(0x03, UCHAR, 1, 1)
    ForceAge              = bits(0x03, UCHAR, 2, 1)
    ForceTrim             = bits(0x03, UCHAR, 3, 1)
    NewMaximum            = bits(0x03, UCHAR, 4, 1)
    CommitReleaseState    = bits(0x03, UCHAR, 5, 2)


class MMSUPPORT_INSTANCE(Struct, size=0xC0):
    """A working set: sizes, limits, faults."""

    NextPageColor             = at(0x00, ULONG)
    PageFaultCount            = at(0x04, ULONG)
    TrimmedPageCount          = at(0x08, ULONGLONG)
    VmWorkingSetList          = at(0x10, PVOID)  # *MMWSL_INSTANCE
    WorkingSetExpansionLinks  = at(0x18, LIST_ENTRY)
    AgeDistribution           = at(0x28, array(ULONGLONG, 8))
    ExitOutswapGate           = at(0x68, PVOID)  # *KGATE
    MinimumWorkingSetSize     = at(0x70, ULONGLONG)
    WorkingSetLeafSize        = at(0x78, ULONGLONG)
    WorkingSetLeafPrivateSize = at(0x80, ULONGLONG)
    WorkingSetSize            = at(0x88, ULONGLONG)
    WorkingSetPrivateSize     = at(0x90, ULONGLONG)
    MaximumWorkingSetSize     = at(0x98, ULONGLONG)
    PeakWorkingSetSize        = at(0xA0, ULONGLONG)
    HardFaultCount            = at(0xA8, ULONG)
    LastTrimStamp             = at(0xAC, USHORT)
    PartitionId               = at(0xAE, USHORT)
    SelfmapLock               = at(0xB0, ULONGLONG)
    Flags                     = at(0xB8, MMSUPPORT_FLAGS)


class MMSUPPORT_SHARED(Struct, size=0x80):
    """The part of a working set that several instances share."""

    WorkingSetLock            = at(0x00, LONG)
    GoodCitizenWaiting        = at(0x04, LONG)
    ReleasedCommitDebt        = at(0x08, ULONGLONG)
    ResetPagesRepurposedCount = at(0x10, ULONGLONG)
    WsSwapSupport             = at(0x18, PVOID)
    CommitReleaseContext      = at(0x20, PVOID)
    AccessLog                 = at(0x28, PVOID)
    ChargedWslePages          = at(0x30, ULONGLONG)
    ActualWslePages           = at(0x38, ULONGLONG)
    WorkingSetCoreLock        = at(0x40, ULONGLONG)
    ShadowMapping             = at(0x48, PVOID)


class MMSUPPORT_FULL(Struct, size=0x140):
    """Working set of a process."""

    Instance = at(0x00, MMSUPPORT_INSTANCE)
    Shared   = at(0xC0, MMSUPPORT_SHARED)


class ALPC_PROCESS_CONTEXT(Struct, size=0x20):
    """ALPC ports and views of a process."""

    Lock                = at(0x00, EX_PUSH_LOCK)
    ViewListHead        = at(0x08, LIST_ENTRY)
    PagedPoolQuotaCache = at(0x18, ULONGLONG)


class EPROCESS_VALUES(Struct, size=0x68):
    """Accounting totals of a process."""

    KernelTime          = at(0x00, ULONGLONG)
    UserTime            = at(0x08, ULONGLONG)
    ReadyTime           = at(0x10, ULONGLONG)
    CycleTime           = at(0x18, ULONGLONG)
    ContextSwitches     = at(0x20, ULONGLONG)
    ReadOperationCount  = at(0x28, LONGLONG)
    WriteOperationCount = at(0x30, LONGLONG)
    OtherOperationCount = at(0x38, LONGLONG)
    ReadTransferCount   = at(0x40, LONGLONG)
    WriteTransferCount  = at(0x48, LONGLONG)
    OtherTransferCount  = at(0x50, LONGLONG)
    KernelWaitTime      = at(0x58, ULONGLONG)
    UserWaitTime        = at(0x60, ULONGLONG)


class EWOW64PROCESS(Struct, size=0x10):
    """The 32-bit half of a WOW64 process."""

    Peb       = at(0x00, PVOID)
    Machine   = at(0x08, USHORT)
    NtdllType = at(0x0C, ULONG)  # SYSTEM_DLL_TYPE


class ENERGY_STATE_DURATION(Struct, size=0x08):
    """Time spent in an energy state."""

    LastChangeTime = at(0x00, ULONG)
    Value          = at(0x00, ULONGLONG)
    Duration       = bits(0x04, ULONG, 0, 31)
    IsInState      = bits(0x04, ULONG, 31, 1)


class PROCESS_DISK_COUNTERS(Struct, size=0x28):
    """Disk transfer counters of a process."""

    BytesRead           = at(0x00, ULONGLONG)
    BytesWritten        = at(0x08, ULONGLONG)
    ReadOperationCount  = at(0x10, ULONGLONG)
    WriteOperationCount = at(0x18, ULONGLONG)
    FlushOperationCount = at(0x20, ULONGLONG)


class PROCESS_ENERGY_VALUES(Struct, size=0x110):
    """Energy estimation counters of a process."""

    Cycles                     = at(0x00, array(array(ULONGLONG, 2), 4))
    DiskEnergy                 = at(0x40, ULONGLONG)
    NetworkTailEnergy          = at(0x48, ULONGLONG)
    MBBTailEnergy              = at(0x50, ULONGLONG)
    NetworkTxRxBytes           = at(0x58, ULONGLONG)
    MBBTxRxBytes               = at(0x60, ULONGLONG)
    Durations                  = at(0x68, array(ENERGY_STATE_DURATION, 3))
    ForegroundDuration         = at(0x68, ENERGY_STATE_DURATION)
    DesktopVisibleDuration     = at(0x70, ENERGY_STATE_DURATION)
    PSMForegroundDuration      = at(0x78, ENERGY_STATE_DURATION)
    CompositionRendered        = at(0x80, ULONG)
    CompositionDirtyGenerated  = at(0x84, ULONG)
    CompositionDirtyPropagated = at(0x88, ULONG)
    Reserved1                  = at(0x8C, ULONG)
    AttributedCycles           = at(0x90, array(array(ULONGLONG, 2), 4))
    WorkOnBehalfCycles         = at(0xD0, array(array(ULONGLONG, 2), 4))


class PS_PROPERTY_SET(Struct, size=0x18):
    """Properties attached to a process or thread."""

    ListHead = at(0x00, LIST_ENTRY)
    Lock     = at(0x10, ULONGLONG)


class PS_INTERLOCKED_TIMER_DELAY_VALUES(Struct, size=0x08):
    """Timer coalescing of a process, updated as one word."""

    All                = at(0x00, ULONGLONG)
    DelayMs            = bits(0x00, ULONGLONG, 0, 30)
    CoalescingWindowMs = bits(0x00, ULONGLONG, 30, 30)
    Reserved           = bits(0x00, ULONGLONG, 60, 1)
    NewTimerWheel      = bits(0x00, ULONGLONG, 61, 1)
    Retry              = bits(0x00, ULONGLONG, 62, 1)
    Locked             = bits(0x00, ULONGLONG, 63, 1)


class JOBOBJECT_WAKE_FILTER(Struct, size=0x08):
    """Which wakes a job asked to be told of."""

    HighEdgeFilter = at(0x00, ULONG)
    LowEdgeFilter  = at(0x04, ULONG)


class PS_PROCESS_WAKE_INFORMATION(Struct, size=0x30):
    """How often the process was woken from a freeze."""

    NotificationChannel = at(0x00, ULONGLONG)
    WakeCounters        = at(0x08, array(ULONG, 7))
    WakeFilter          = at(0x24, JOBOBJECT_WAKE_FILTER)
    NoWakeCounter       = at(0x2C, ULONG)


class PS_DYNAMIC_ENFORCED_ADDRESS_RANGES(Struct, size=0x10):
    """Enforced address ranges of a process."""

    Tree = at(0x00, RTL_AVL_TREE)
    Lock = at(0x08, EX_PUSH_LOCK)


class WNF_PROCESS_CONTEXT(Struct, size=0x88):
    """Notification-facility state of a process."""

    Header                      = at(0x00, WNF_NODE_HEADER)
    Process                     = at(0x08, PVOID)  # *EPROCESS
    WnfProcessesListEntry       = at(0x10, LIST_ENTRY)
    ImplicitScopeInstances      = at(0x20, array(PVOID, 3))
    TemporaryNamesListLock      = at(0x38, WNF_LOCK)
    TemporaryNamesListHead      = at(0x40, LIST_ENTRY)
    ProcessSubscriptionListLock = at(0x50, WNF_LOCK)
    ProcessSubscriptionListHead = at(0x58, LIST_ENTRY)
    DeliveryPendingListLock     = at(0x68, WNF_LOCK)
    DeliveryPendingListHead     = at(0x70, LIST_ENTRY)
    NotificationEvent           = at(0x80, PVOID)  # *KEVENT


class INVERTED_FUNCTION_TABLE_ENTRY(Struct, size=0x18):
    """One image's exception directory."""

    DynamicTable  = at(0x00, PVOID)  # *DYNAMIC_FUNCTION_TABLE
    FunctionTable = at(0x00, PVOID)  # *IMAGE_RUNTIME_FUNCTION_ENTRY
    ImageBase     = at(0x08, PVOID)
    SizeOfImage   = at(0x10, ULONG)
    SizeOfTable   = at(0x14, ULONG)


class INVERTED_FUNCTION_TABLE(Struct, size=0x1810):
    """Exception directories sorted by image base."""

    CurrentSize = at(0x00, ULONG)
    MaximumSize = at(0x04, ULONG)
    Epoch       = at(0x08, ULONG)
    Overflow    = at(0x0C, UCHAR)
    TableEntry  = at(0x10, array(INVERTED_FUNCTION_TABLE_ENTRY, 256))


class TIMELINE_BITMAP(Struct, size=0x08):
    """Activity bitmap over time."""

    EndTime = at(0x00, ULONG)
    Value   = at(0x00, ULONGLONG)
    Bitmap  = at(0x04, ULONG)
