"""Small structures of the user-mode side.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.list import LIST_ENTRY, LIST_ENTRY32, LIST_ENTRY64, RTL_BALANCED_NODE, SINGLE_LIST_ENTRY
from ntos.abi.layout.string import KSYSTEM_TIME, STRING, UNICODE_STRING
from ntos.abi.struct import Struct, array, at, bits, wchars
from ntos.abi.types import LARGE_INTEGER, LONG, LONGLONG, PVOID, UCHAR, ULONG, ULONGLONG, USHORT


class NT_TIB(Struct, size=0x38):
    """What a TEB begins with: stack bounds, exception list, self pointer."""

    ExceptionList        = at(0x00, PVOID)  # *EXCEPTION_REGISTRATION_RECORD
    StackBase            = at(0x08, PVOID)
    StackLimit           = at(0x10, PVOID)
    SubSystemTib         = at(0x18, PVOID)
    FiberData            = at(0x20, PVOID)
    Version              = at(0x20, ULONG)
    ArbitraryUserPointer = at(0x28, PVOID)
    Self                 = at(0x30, PVOID)  # *NT_TIB


class NT_TIB32(Struct, size=0x1C):
    """What a 32-bit TEB begins with."""

    ExceptionList        = at(0x00, ULONG)
    StackBase            = at(0x04, ULONG)
    StackLimit           = at(0x08, ULONG)
    SubSystemTib         = at(0x0C, ULONG)
    FiberData            = at(0x10, ULONG)
    Version              = at(0x10, ULONG)
    ArbitraryUserPointer = at(0x14, ULONG)
    Self                 = at(0x18, ULONG)


class NT_TIB64(Struct, size=0x38):
    """What a 64-bit TEB begins with, whatever the reader's width."""

    ExceptionList        = at(0x00, ULONGLONG)
    StackBase            = at(0x08, ULONGLONG)
    StackLimit           = at(0x10, ULONGLONG)
    SubSystemTib         = at(0x18, ULONGLONG)
    FiberData            = at(0x20, ULONGLONG)
    Version              = at(0x20, ULONG)
    ArbitraryUserPointer = at(0x28, ULONGLONG)
    Self                 = at(0x30, ULONGLONG)


class ACTIVATION_CONTEXT_STACK(Struct, size=0x28):
    """Activation contexts of a thread."""

    ActiveFrame              = at(0x00, PVOID)  # *RTL_ACTIVATION_CONTEXT_STACK_FRAME
    FrameListCache           = at(0x08, LIST_ENTRY)
    Flags                    = at(0x18, ULONG)
    NextCookieSequenceNumber = at(0x1C, ULONG)
    StackId                  = at(0x20, ULONG)


class ACTIVATION_CONTEXT_STACK32(Struct, size=0x18):
    """Activation contexts of a 32-bit thread."""

    ActiveFrame              = at(0x00, ULONG)
    FrameListCache           = at(0x04, LIST_ENTRY32)
    Flags                    = at(0x0C, ULONG)
    NextCookieSequenceNumber = at(0x10, ULONG)
    StackId                  = at(0x14, ULONG)


class ACTIVATION_CONTEXT_STACK64(Struct, size=0x28):
    """Activation contexts of a 64-bit thread, whatever the reader's width."""

    ActiveFrame              = at(0x00, ULONGLONG)
    FrameListCache           = at(0x08, LIST_ENTRY64)
    Flags                    = at(0x18, ULONG)
    NextCookieSequenceNumber = at(0x1C, ULONG)
    StackId                  = at(0x20, ULONG)


class RTL_ACTIVATION_CONTEXT_STACK_FRAME(Struct, size=0x18):
    """One active activation context."""

    Previous          = at(0x00, PVOID)  # *RTL_ACTIVATION_CONTEXT_STACK_FRAME
    ActivationContext = at(0x08, PVOID)  # *ACTIVATION_CONTEXT
    Flags             = at(0x10, ULONG)


class GDI_TEB_BATCH(Struct, size=0x4E8):
    """Batched GDI calls of a thread."""

    Offset              = bits(0x00, ULONG, 0, 31)
    HasRenderingCommand = bits(0x00, ULONG, 31, 1)
    HDC                 = at(0x08, ULONGLONG)
    Buffer              = at(0x10, array(ULONG, 310))


class GDI_TEB_BATCH32(Struct, size=0x4E0):
    """Batched GDI calls of a 32-bit thread."""

    Offset              = bits(0x00, ULONG, 0, 31)
    HasRenderingCommand = bits(0x00, ULONG, 31, 1)
    HDC                 = at(0x04, ULONG)
    Buffer              = at(0x08, array(ULONG, 310))


class GDI_TEB_BATCH64(Struct, size=0x4E8):
    """Batched GDI calls of a 64-bit thread, whatever the reader's width."""

    Offset              = bits(0x00, ULONG, 0, 31)
    HasRenderingCommand = bits(0x00, ULONG, 31, 1)
    HDC                 = at(0x08, ULONGLONG)
    Buffer              = at(0x10, array(ULONG, 310))


class TEB_ACTIVE_FRAME(Struct, size=0x18):
    """Active frame a debugger may look for."""

    Flags    = at(0x00, ULONG)
    Previous = at(0x08, PVOID)  # *TEB_ACTIVE_FRAME
    Context  = at(0x10, PVOID)  # *TEB_ACTIVE_FRAME_CONTEXT


class TEB_ACTIVE_FRAME_CONTEXT(Struct, size=0x10):
    """Name of an active frame."""

    Flags     = at(0x00, ULONG)
    FrameName = at(0x08, PVOID)


class CURDIR(Struct, size=0x18):
    """Current directory: path and handle."""

    DosPath = at(0x00, UNICODE_STRING)
    Handle  = at(0x10, PVOID)


class RTL_DRIVE_LETTER_CURDIR(Struct, size=0x18):
    """Current directory of one drive letter."""

    Flags     = at(0x00, USHORT)
    Length    = at(0x02, USHORT)
    TimeStamp = at(0x04, ULONG)
    DosPath   = at(0x08, STRING)


class RTL_USER_PROCESS_PARAMETERS(Struct, size=0x440):
    """Command line, directories, environment and window hints of a process."""

    MaximumLength                    = at(0x000, ULONG)
    Length                           = at(0x004, ULONG)
    Flags                            = at(0x008, ULONG)
    DebugFlags                       = at(0x00C, ULONG)
    ConsoleHandle                    = at(0x010, PVOID)
    ConsoleFlags                     = at(0x018, ULONG)
    StandardInput                    = at(0x020, PVOID)
    StandardOutput                   = at(0x028, PVOID)
    StandardError                    = at(0x030, PVOID)
    CurrentDirectory                 = at(0x038, CURDIR)
    DllPath                          = at(0x050, UNICODE_STRING)
    ImagePathName                    = at(0x060, UNICODE_STRING)
    CommandLine                      = at(0x070, UNICODE_STRING)
    Environment                      = at(0x080, PVOID)
    StartingX                        = at(0x088, ULONG)
    StartingY                        = at(0x08C, ULONG)
    CountX                           = at(0x090, ULONG)
    CountY                           = at(0x094, ULONG)
    CountCharsX                      = at(0x098, ULONG)
    CountCharsY                      = at(0x09C, ULONG)
    FillAttribute                    = at(0x0A0, ULONG)
    WindowFlags                      = at(0x0A4, ULONG)
    ShowWindowFlags                  = at(0x0A8, ULONG)
    WindowTitle                      = at(0x0B0, UNICODE_STRING)
    DesktopInfo                      = at(0x0C0, UNICODE_STRING)
    ShellInfo                        = at(0x0D0, UNICODE_STRING)
    RuntimeData                      = at(0x0E0, UNICODE_STRING)
    CurrentDirectores                = at(0x0F0, array(RTL_DRIVE_LETTER_CURDIR, 32))
    EnvironmentSize                  = at(0x3F0, ULONGLONG)
    EnvironmentVersion               = at(0x3F8, ULONGLONG)
    PackageDependencyData            = at(0x400, PVOID)
    ProcessGroupId                   = at(0x408, ULONG)
    LoaderThreads                    = at(0x40C, ULONG)
    RedirectionDllName               = at(0x410, UNICODE_STRING)
    HeapPartitionName                = at(0x420, UNICODE_STRING)
    DefaultThreadpoolCpuSetMasks     = at(0x430, PVOID)
    DefaultThreadpoolCpuSetMaskCount = at(0x438, ULONG)
    DefaultThreadpoolThreadMaximum   = at(0x43C, ULONG)


class LDRP_CSLIST(Struct, size=0x08):
    """Circular singly linked list of the loader."""

    Tail = at(0x00, PVOID)  # *SINGLE_LIST_ENTRY


class LDR_SERVICE_TAG_RECORD(Struct, size=0x10):
    """Service tag that keeps a DLL alive."""

    Next       = at(0x00, PVOID)  # *LDR_SERVICE_TAG_RECORD
    ServiceTag = at(0x08, ULONG)


class LDR_DDAG_NODE(Struct, size=0x50):
    """Loader dependency graph node: state and references of a module."""

    Modules                 = at(0x00, LIST_ENTRY)
    ServiceTagList          = at(0x10, PVOID)  # *LDR_SERVICE_TAG_RECORD
    LoadCount               = at(0x18, ULONG)
    LoadWhileUnloadingCount = at(0x1C, ULONG)
    LowestLink              = at(0x20, ULONG)
    Dependencies            = at(0x28, LDRP_CSLIST)
    IncomingDependencies    = at(0x30, LDRP_CSLIST)
    State                   = at(0x38, ULONG)  # LDR_DDAG_STATE
    CondenseLink            = at(0x40, SINGLE_LIST_ENTRY)
    PreorderNumber          = at(0x48, ULONG)


class LDR_DATA_TABLE_ENTRY(Struct, size=0x120):
    """Loaded module of a process."""

    InLoadOrderLinks            = at(0x000, LIST_ENTRY)
    InMemoryOrderLinks          = at(0x010, LIST_ENTRY)
    InInitializationOrderLinks  = at(0x020, LIST_ENTRY)
    DllBase                     = at(0x030, PVOID)
    EntryPoint                  = at(0x038, PVOID)
    SizeOfImage                 = at(0x040, ULONG)
    FullDllName                 = at(0x048, UNICODE_STRING)
    BaseDllName                 = at(0x058, UNICODE_STRING)
    FlagGroup                   = at(0x068, array(UCHAR, 4))
    Flags                       = at(0x068, ULONG)
    PackagedBinary              = bits(0x068, ULONG, 0, 1)
    MarkedForRemoval            = bits(0x068, ULONG, 1, 1)
    ImageDll                    = bits(0x068, ULONG, 2, 1)
    LoadNotificationsSent       = bits(0x068, ULONG, 3, 1)
    TelemetryEntryProcessed     = bits(0x068, ULONG, 4, 1)
    ProcessStaticImport         = bits(0x068, ULONG, 5, 1)
    InLegacyLists               = bits(0x068, ULONG, 6, 1)
    InIndexes                   = bits(0x068, ULONG, 7, 1)
    ShimDll                     = bits(0x068, ULONG, 8, 1)
    InExceptionTable            = bits(0x068, ULONG, 9, 1)
    ReservedFlags1              = bits(0x068, ULONG, 10, 2)
    LoadInProgress              = bits(0x068, ULONG, 12, 1)
    LoadConfigProcessed         = bits(0x068, ULONG, 13, 1)
    EntryProcessed              = bits(0x068, ULONG, 14, 1)
    ProtectDelayLoad            = bits(0x068, ULONG, 15, 1)
    ReservedFlags3              = bits(0x068, ULONG, 16, 2)
    DontCallForThreads          = bits(0x068, ULONG, 18, 1)
    ProcessAttachCalled         = bits(0x068, ULONG, 19, 1)
    ProcessAttachFailed         = bits(0x068, ULONG, 20, 1)
    CorDeferredValidate         = bits(0x068, ULONG, 21, 1)
    CorImage                    = bits(0x068, ULONG, 22, 1)
    DontRelocate                = bits(0x068, ULONG, 23, 1)
    CorILOnly                   = bits(0x068, ULONG, 24, 1)
    ChpeImage                   = bits(0x068, ULONG, 25, 1)
    ReservedFlags5              = bits(0x068, ULONG, 26, 2)
    Redirected                  = bits(0x068, ULONG, 28, 1)
    ReservedFlags6              = bits(0x068, ULONG, 29, 2)
    CompatDatabaseProcessed     = bits(0x068, ULONG, 31, 1)
    ObsoleteLoadCount           = at(0x06C, USHORT)
    TlsIndex                    = at(0x06E, USHORT)
    HashLinks                   = at(0x070, LIST_ENTRY)
    TimeDateStamp               = at(0x080, ULONG)
    EntryPointActivationContext = at(0x088, PVOID)  # *ACTIVATION_CONTEXT
    Lock                        = at(0x090, PVOID)
    DdagNode                    = at(0x098, PVOID)  # *LDR_DDAG_NODE
    NodeModuleLink              = at(0x0A0, LIST_ENTRY)
    LoadContext                 = at(0x0B0, PVOID)  # *LDRP_LOAD_CONTEXT
    ParentDllBase               = at(0x0B8, PVOID)
    SwitchBackContext           = at(0x0C0, PVOID)
    BaseAddressIndexNode        = at(0x0C8, RTL_BALANCED_NODE)
    MappingInfoIndexNode        = at(0x0E0, RTL_BALANCED_NODE)
    OriginalBase                = at(0x0F8, ULONGLONG)
    LoadTime                    = at(0x100, LARGE_INTEGER)
    BaseNameHashValue           = at(0x108, ULONG)
    LoadReason                  = at(0x10C, ULONG)  # LDR_DLL_LOAD_REASON
    ImplicitPathOptions         = at(0x110, ULONG)
    ReferenceCount              = at(0x114, ULONG)
    DependentLoadFlags          = at(0x118, ULONG)
    SigningLevel                = at(0x11C, UCHAR)


class PEB_LDR_DATA(Struct, size=0x58):
    """The loader's three module lists."""

    Length                          = at(0x00, ULONG)
    Initialized                     = at(0x04, UCHAR)
    SsHandle                        = at(0x08, PVOID)
    InLoadOrderModuleList           = at(0x10, LIST_ENTRY)
    InMemoryOrderModuleList         = at(0x20, LIST_ENTRY)
    InInitializationOrderModuleList = at(0x30, LIST_ENTRY)
    EntryInProgress                 = at(0x40, PVOID)
    ShutdownInProgress              = at(0x48, UCHAR)
    ShutdownThreadId                = at(0x50, PVOID)


class RTL_CRITICAL_SECTION(Struct, size=0x28):
    """Critical section: recursive lock with a wait event."""

    DebugInfo      = at(0x00, PVOID)  # *RTL_CRITICAL_SECTION_DEBUG
    LockCount      = at(0x08, LONG)
    RecursionCount = at(0x0C, LONG)
    OwningThread   = at(0x10, PVOID)
    LockSemaphore  = at(0x18, PVOID)
    SpinCount      = at(0x20, ULONGLONG)


class RTL_CRITICAL_SECTION_DEBUG(Struct, size=0x30):
    """Debug record of a critical section."""

    Type                      = at(0x00, USHORT)
    CreatorBackTraceIndex     = at(0x02, USHORT)
    CriticalSection           = at(0x08, PVOID)  # *RTL_CRITICAL_SECTION
    ProcessLocksList          = at(0x10, LIST_ENTRY)
    EntryCount                = at(0x20, ULONG)
    ContentionCount           = at(0x24, ULONG)
    Flags                     = at(0x28, ULONG)
    CreatorBackTraceIndexHigh = at(0x2C, USHORT)
    SpareUSHORT               = at(0x2E, USHORT)


class DYNAMIC_FUNCTION_TABLE(Struct, size=0x88):
    """Exception table registered at run time."""

    ListEntry               = at(0x00, LIST_ENTRY)
    FunctionTable           = at(0x10, PVOID)  # *IMAGE_RUNTIME_FUNCTION_ENTRY
    TimeStamp               = at(0x18, LARGE_INTEGER)
    MinimumAddress          = at(0x20, ULONGLONG)
    MaximumAddress          = at(0x28, ULONGLONG)
    BaseAddress             = at(0x30, ULONGLONG)
    Callback                = at(0x38, PVOID)
    Context                 = at(0x40, PVOID)
    OutOfProcessCallbackDll = at(0x48, PVOID)
    Type                    = at(0x50, ULONG)  # FUNCTION_TABLE_TYPE
    EntryCount              = at(0x54, ULONG)
    TreeNodeMin             = at(0x58, RTL_BALANCED_NODE)
    TreeNodeMax             = at(0x70, RTL_BALANCED_NODE)


class SILO_USER_SHARED_DATA(Struct, size=0x270):
    """The per-silo counterpart of shared user data."""

    ServiceSessionId                  = at(0x000, ULONG)
    ActiveConsoleId                   = at(0x004, ULONG)
    ConsoleSessionForegroundProcessId = at(0x008, LONGLONG)
    NtProductType                     = at(0x010, ULONG)  # NT_PRODUCT_TYPE
    SuiteMask                         = at(0x014, ULONG)
    SharedUserSessionId               = at(0x018, ULONG)
    IsMultiSessionSku                 = at(0x01C, UCHAR)
    NtSystemRoot                      = at(0x01E, wchars(260))
    UserModeGlobalLogger              = at(0x226, array(USHORT, 16))
    TimeZoneId                        = at(0x248, ULONG)
    TimeZoneBiasStamp                 = at(0x24C, LONG)
    TimeZoneBias                      = at(0x250, KSYSTEM_TIME)
    TimeZoneBiasEffectiveStart        = at(0x260, LARGE_INTEGER)
    TimeZoneBiasEffectiveEnd          = at(0x268, LARGE_INTEGER)


class LEAP_SECOND_DATA(Struct, size=0x10):
    """Leap seconds known to the machine."""

    Enabled = at(0x00, UCHAR)
    Count   = at(0x04, ULONG)
    Data    = at(0x08, array(LARGE_INTEGER, 1))
