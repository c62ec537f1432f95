"""Enumerations that kernel structures and services use, valued as in the reference build's symbols."""

from __future__ import annotations

from enum import IntEnum


class KWAIT_REASON(IntEnum):
    """Why a thread waits."""

    Executive         = 0
    FreePage          = 1
    PageIn            = 2
    PoolAllocation    = 3
    DelayExecution    = 4
    Suspended         = 5
    UserRequest       = 6
    WrExecutive       = 7
    WrFreePage        = 8
    WrPageIn          = 9
    WrPoolAllocation  = 10
    WrDelayExecution  = 11
    WrSuspended       = 12
    WrUserRequest     = 13
    WrSpare0          = 14
    WrQueue           = 15
    WrLpcReceive      = 16
    WrLpcReply        = 17
    WrVirtualMemory   = 18
    WrPageOut         = 19
    WrRendezvous      = 20
    WrKeyedEvent      = 21
    WrTerminated      = 22
    WrProcessInSwap   = 23
    WrCpuRateControl  = 24
    WrCalloutStack    = 25
    WrKernel          = 26
    WrResource        = 27
    WrPushLock        = 28
    WrMutex           = 29
    WrQuantumEnd      = 30
    WrDispatchInt     = 31
    WrPreempted       = 32
    WrYieldExecution  = 33
    WrFastMutex       = 34
    WrGuardedMutex    = 35
    WrRundown         = 36
    WrAlertByThreadId = 37
    WrDeferredPreempt = 38
    WrPhysicalFault   = 39
    MaximumWaitReason = 40


class KTHREAD_STATE(IntEnum):
    """Where a thread is in its scheduling life."""

    Initialized             = 0
    Ready                   = 1
    Running                 = 2
    Standby                 = 3
    Terminated              = 4
    Waiting                 = 5
    Transition              = 6
    DeferredReady           = 7
    GateWaitObsolete        = 8
    WaitingForProcessInSwap = 9


class KPROCESS_STATE(IntEnum):
    """Whether a process's kernel stacks are resident."""

    ProcessInMemory      = 0
    ProcessOutOfMemory   = 1
    ProcessInTransition  = 2
    ProcessOutTransition = 3
    ProcessInSwap        = 4
    ProcessOutSwap       = 5
    ProcessRetryOutSwap  = 6
    ProcessAllSwapStates = 7


class KOBJECTS(IntEnum):
    """Types of dispatcher objects: DISPATCHER_HEADER.Type."""

    EventNotificationObject     = 0
    EventSynchronizationObject  = 1
    MutantObject                = 2
    ProcessObject               = 3
    QueueObject                 = 4
    SemaphoreObject             = 5
    ThreadObject                = 6
    GateObject                  = 7
    TimerNotificationObject     = 8
    TimerSynchronizationObject  = 9
    Spare2Object                = 10
    Spare3Object                = 11
    Spare4Object                = 12
    Spare5Object                = 13
    Spare6Object                = 14
    Spare7Object                = 15
    Spare8Object                = 16
    ProfileCallbackObject       = 17
    ApcObject                   = 18
    DpcObject                   = 19
    DeviceQueueObject           = 20
    PriQueueObject              = 21
    InterruptObject             = 22
    ProfileObject               = 23
    Timer2NotificationObject    = 24
    Timer2SynchronizationObject = 25
    ThreadedDpcObject           = 26
    MaximumKernelObject         = 27


class EVENT_TYPE(IntEnum):
    """Whether an event releases all waiters or one."""

    NotificationEvent    = 0
    SynchronizationEvent = 1


class TIMER_TYPE(IntEnum):
    """Whether a timer releases all waiters or one."""

    NotificationTimer    = 0
    SynchronizationTimer = 1


class MODE(IntEnum):
    """Processor mode of a caller."""

    KernelMode  = 0
    UserMode    = 1
    MaximumMode = 2


class KAPC_ENVIRONMENT(IntEnum):
    """Which APC state an APC goes to."""

    OriginalApcEnvironment = 0
    AttachedApcEnvironment = 1
    CurrentApcEnvironment  = 2
    InsertApcEnvironment   = 3


class POOL_TYPE(IntEnum):
    """Kinds of pool."""

    NonPagedPool                         = 0
    NonPagedPoolBase                     = 0
    NonPagedPoolExecute                  = 0
    PagedPool                            = 1
    NonPagedPoolBaseMustSucceed          = 2
    NonPagedPoolMustSucceed              = 2
    DontUseThisType                      = 3
    NonPagedPoolBaseCacheAligned         = 4
    NonPagedPoolCacheAligned             = 4
    PagedPoolCacheAligned                = 5
    NonPagedPoolBaseCacheAlignedMustS    = 6
    NonPagedPoolCacheAlignedMustS        = 6
    MaxPoolType                          = 7
    NonPagedPoolSession                  = 32
    PagedPoolSession                     = 33
    NonPagedPoolMustSucceedSession       = 34
    DontUseThisTypeSession               = 35
    NonPagedPoolCacheAlignedSession      = 36
    PagedPoolCacheAlignedSession         = 37
    NonPagedPoolCacheAlignedMustSSession = 38
    NonPagedPoolNx                       = 512
    NonPagedPoolNxCacheAligned           = 516
    NonPagedPoolSessionNx                = 544


class MI_VAD_TYPE(IntEnum):
    """Kinds of address ranges."""

    VadNone                 = 0
    VadDevicePhysicalMemory = 1
    VadImageMap             = 2
    VadAwe                  = 3
    VadWriteWatch           = 4
    VadLargePages           = 5
    VadRotatePhysical       = 6
    VadLargePageSection     = 7


class MMLISTS(IntEnum):
    """Lists a physical page may be on."""

    ZeroedPageList          = 0
    FreePageList            = 1
    StandbyPageList         = 2
    ModifiedPageList        = 3
    ModifiedNoWritePageList = 4
    BadPageList             = 5
    ActiveAndValid          = 6
    TransitionPage          = 7


class MI_SYSTEM_VA_TYPE(IntEnum):
    """Regions of system space."""

    MiVaUnused             = 0
    MiVaSessionSpace       = 1
    MiVaProcessSpace       = 2
    MiVaBootLoaded         = 3
    MiVaPfnDatabase        = 4
    MiVaNonPagedPool       = 5
    MiVaPagedPool          = 6
    MiVaSpecialPoolPaged   = 7
    MiVaSystemCache        = 8
    MiVaSystemPtes         = 9
    MiVaHal                = 10
    MiVaSessionGlobalSpace = 11
    MiVaDriverImages       = 12
    MiVaSystemPtesLarge    = 13
    MiVaKernelStacks       = 14
    MiVaSecureNonPagedPool = 15
    MiVaMaximumType        = 16


class OB_OPEN_REASON(IntEnum):
    """Why a handle comes to be."""

    ObCreateHandle    = 0
    ObOpenHandle      = 1
    ObDuplicateHandle = 2
    ObInheritHandle   = 3
    ObMaxOpenReason   = 4


class OBJECT_INFORMATION_CLASS(IntEnum):
    """What NtQueryObject can tell."""

    ObjectBasicInformation         = 0
    ObjectNameInformation          = 1
    ObjectTypeInformation          = 2
    ObjectTypesInformation         = 3
    ObjectHandleFlagInformation    = 4
    ObjectSessionInformation       = 5
    ObjectSessionObjectInformation = 6
    MaxObjectInfoClass             = 7


class PS_PROTECTED_SIGNER(IntEnum):
    """Signer of a protected process."""

    PsProtectedSignerNone         = 0
    PsProtectedSignerAuthenticode = 1
    PsProtectedSignerCodeGen      = 2
    PsProtectedSignerAntimalware  = 3
    PsProtectedSignerLsa          = 4
    PsProtectedSignerWindows      = 5
    PsProtectedSignerWinTcb       = 6
    PsProtectedSignerWinSystem    = 7
    PsProtectedSignerApp          = 8
    PsProtectedSignerMax          = 9


class PS_PROTECTED_TYPE(IntEnum):
    """Protected, light, or not."""

    PsProtectedTypeNone           = 0
    PsProtectedTypeProtectedLight = 1
    PsProtectedTypeProtected      = 2
    PsProtectedTypeMax            = 3


class PS_STD_HANDLE_STATE(IntEnum):
    """How standard handles reach a new process."""

    PsNeverDuplicate     = 0
    PsRequestDuplicate   = 1
    PsAlwaysDuplicate    = 2
    PsMaxStdHandleStates = 3


class PROCESS_SECTION_TYPE(IntEnum):
    """Which system DLL of a process."""

    ProcessSectionData           = 0
    ProcessSectionImage          = 1
    ProcessSectionImageNx        = 2
    ProcessSectionPagefileBacked = 3
    ProcessSectionMax            = 4


class PS_WAKE_REASON(IntEnum):
    """Why a frozen process was woken."""

    PsWakeReasonUser              = 0
    PsWakeReasonExecutionRequired = 1
    PsWakeReasonKernel            = 2
    PsWakeReasonInstrumentation   = 3
    PsWakeReasonPreserveProcess   = 4
    PsWakeReasonActivityReference = 5
    PsWakeReasonWorkOnBehalf      = 6
    PsMaxWakeReasons              = 7


class SERVERSILO_STATE(IntEnum):
    """Life of a server silo."""

    SERVERSILO_INITING       = 0
    SERVERSILO_STARTED       = 1
    SERVERSILO_SHUTTING_DOWN = 2
    SERVERSILO_TERMINATING   = 3
    SERVERSILO_TERMINATED    = 4


class TOKEN_TYPE(IntEnum):
    """Primary or impersonation."""

    TokenPrimary       = 1
    TokenImpersonation = 2


class SECURITY_IMPERSONATION_LEVEL(IntEnum):
    """How far a server may act for a client."""

    SecurityAnonymous      = 0
    SecurityIdentification = 1
    SecurityImpersonation  = 2
    SecurityDelegation     = 3


class NT_PRODUCT_TYPE(IntEnum):
    """Edition family."""

    NtProductWinNt    = 1
    NtProductLanManNt = 2
    NtProductServer   = 3


class LDR_DDAG_STATE(IntEnum):
    """How far the loader has come with a module."""

    LdrModulesMerged                 = -5
    LdrModulesInitError              = -4
    LdrModulesSnapError              = -3
    LdrModulesUnloaded               = -2
    LdrModulesUnloading              = -1
    LdrModulesPlaceHolder            = 0
    LdrModulesMapping                = 1
    LdrModulesMapped                 = 2
    LdrModulesWaitingForDependencies = 3
    LdrModulesSnapping               = 4
    LdrModulesSnapped                = 5
    LdrModulesCondensed              = 6
    LdrModulesReadyToInit            = 7
    LdrModulesInitializing           = 8
    LdrModulesReadyToRun             = 9


class LDR_DLL_LOAD_REASON(IntEnum):
    """Why a module was loaded."""

    LoadReasonUnknown                    = -1
    LoadReasonStaticDependency           = 0
    LoadReasonStaticForwarderDependency  = 1
    LoadReasonDynamicForwarderDependency = 2
    LoadReasonDelayloadDependency        = 3
    LoadReasonDynamicLoad                = 4
    LoadReasonAsImageLoad                = 5
    LoadReasonAsDataLoad                 = 6
    LoadReasonEnclavePrimary             = 7
    LoadReasonEnclaveDependency          = 8


class FUNCTION_TABLE_TYPE(IntEnum):
    """Kinds of exception tables."""

    RF_SORTED         = 0
    RF_UNSORTED       = 1
    RF_CALLBACK       = 2
    RF_KERNEL_DYNAMIC = 3


class SYSTEM_DLL_TYPE(IntEnum):
    """System DLLs by machine."""

    PsNativeSystemDll      = 0
    PsWowX86SystemDll      = 1
    PsWowArm32SystemDll    = 2
    PsWowAmd64SystemDll    = 3
    PsWowChpeX86SystemDll  = 4
    PsVsmEnclaveRuntimeDll = 5
    PsSystemDllTotalTypes  = 6


class EXCEPTION_DISPOSITION(IntEnum):
    """What a language handler decides."""

    ExceptionContinueExecution = 0
    ExceptionContinueSearch    = 1
    ExceptionNestedException   = 2
    ExceptionCollidedUnwind    = 3


class PROCESS_TERMINATE_REQUEST_REASON(IntEnum):
    """Why a process is being ended."""

    ProcessTerminateRequestReasonNone            = 0
    ProcessTerminateCommitFail                   = 1
    ProcessTerminateWriteToExecuteMemory         = 2
    ProcessTerminateAttachedWriteToExecuteMemory = 3
    ProcessTerminateRequestReasonMax             = 4


class PROCESS_VA_TYPE(IntEnum):
    """Width of an address space."""

    ProcessVAImage   = 0
    ProcessVASection = 1
    ProcessVAPrivate = 2
    ProcessVAMax     = 3


class SYSTEM_PROCESS_CLASSIFICATION(IntEnum):
    """Special processes in a system listing."""

    SystemProcessClassificationNormal         = 0
    SystemProcessClassificationSystem         = 1
    SystemProcessClassificationSecureSystem   = 2
    SystemProcessClassificationMemCompression = 3
    SystemProcessClassificationRegistry       = 4
    SystemProcessClassificationMaximum        = 5


class ALTERNATIVE_ARCHITECTURE_TYPE(IntEnum):
    """PC/AT, or NEC 98."""

    StandardDesign  = 0
    NEC98x86        = 1
    EndAlternatives = 2


class WORKING_SET_TYPE(IntEnum):
    """Kinds of working sets."""

    WorkingSetTypeUser           = 0
    WorkingSetTypeSession        = 1
    WorkingSetTypeSystemCache    = 2
    WorkingSetTypeSystemTypes    = 2
    WorkingSetTypePagedPool      = 3
    WorkingSetTypePagableMaximum = 4
    WorkingSetTypeSystemViews    = 4
    WorkingSetTypeSystemPtes     = 5
    WorkingSetTypeKernelStacks   = 6
    WorkingSetTypeNonPagedPool   = 7
    WorkingSetTypeMaximum        = 8


class WAIT_TYPE(IntEnum):
    """Whether a wait ends with all objects or any."""

    WaitAll = 0
    WaitAny = 1


class SECTION_INHERIT(IntEnum):
    """Whether a view is inherited by children."""

    ViewShare = 1
    ViewUnmap = 2
