"""Processes and threads: information classes, creation attributes and flags."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class PROCESSINFOCLASS(IntEnum):
    """What NtQueryInformationProcess and NtSetInformationProcess know."""

    ProcessBasicInformation                     = 0
    ProcessQuotaLimits                          = 1
    ProcessIoCounters                           = 2
    ProcessVmCounters                           = 3
    ProcessTimes                                = 4
    ProcessBasePriority                         = 5
    ProcessRaisePriority                        = 6
    ProcessDebugPort                            = 7
    ProcessExceptionPort                        = 8
    ProcessAccessToken                          = 9
    ProcessLdtInformation                       = 10
    ProcessLdtSize                              = 11
    ProcessDefaultHardErrorMode                 = 12
    ProcessIoPortHandlers                       = 13
    ProcessPooledUsageAndLimits                 = 14
    ProcessWorkingSetWatch                      = 15
    ProcessUserModeIOPL                         = 16
    ProcessEnableAlignmentFaultFixup            = 17
    ProcessPriorityClass                        = 18
    ProcessWx86Information                      = 19
    ProcessHandleCount                          = 20
    ProcessAffinityMask                         = 21
    ProcessPriorityBoost                        = 22
    ProcessDeviceMap                            = 23
    ProcessSessionInformation                   = 24
    ProcessForegroundInformation                = 25
    ProcessWow64Information                     = 26
    ProcessImageFileName                        = 27
    ProcessLUIDDeviceMapsEnabled                = 28
    ProcessBreakOnTermination                   = 29
    ProcessDebugObjectHandle                    = 30
    ProcessDebugFlags                           = 31
    ProcessHandleTracing                        = 32
    ProcessIoPriority                           = 33
    ProcessExecuteFlags                         = 34
    ProcessTlsInformation                       = 35
    ProcessCookie                               = 36
    ProcessImageInformation                     = 37
    ProcessCycleTime                            = 38
    ProcessPagePriority                         = 39
    ProcessInstrumentationCallback              = 40
    ProcessThreadStackAllocation                = 41
    ProcessWorkingSetWatchEx                    = 42
    ProcessImageFileNameWin32                   = 43
    ProcessImageFileMapping                     = 44
    ProcessAffinityUpdateMode                   = 45
    ProcessMemoryAllocationMode                 = 46
    ProcessGroupInformation                     = 47
    ProcessTokenVirtualizationEnabled           = 48
    ProcessConsoleHostProcess                   = 49
    ProcessWindowInformation                    = 50
    ProcessHandleInformation                    = 51
    ProcessMitigationPolicy                     = 52
    ProcessDynamicFunctionTableInformation      = 53
    ProcessHandleCheckingMode                   = 54
    ProcessKeepAliveCount                       = 55
    ProcessRevokeFileHandles                    = 56
    ProcessWorkingSetControl                    = 57
    ProcessHandleTable                          = 58
    ProcessCheckStackExtentsMode                = 59
    ProcessCommandLineInformation               = 60
    ProcessProtectionInformation                = 61
    ProcessMemoryExhaustion                     = 62
    ProcessFaultInformation                     = 63
    ProcessTelemetryIdInformation               = 64
    ProcessCommitReleaseInformation             = 65
    ProcessDefaultCpuSetsInformation            = 66
    ProcessAllowedCpuSetsInformation            = 67
    ProcessSubsystemProcess                     = 68
    ProcessJobMemoryInformation                 = 69
    ProcessInPrivate                            = 70
    ProcessRaiseUMExceptionOnInvalidHandleClose = 71
    ProcessIumChallengeResponse                 = 72
    ProcessChildProcessInformation              = 73
    ProcessHighGraphicsPriorityInformation      = 74
    ProcessSubsystemInformation                 = 75
    ProcessEnergyValues                         = 76
    ProcessPowerThrottlingState                 = 77
    ProcessReserved3Information                 = 78
    ProcessWin32kSyscallFilterInformation       = 79
    ProcessDisableSystemAllowedCpuSets          = 80
    ProcessWakeInformation                      = 81
    ProcessEnergyTrackingState                  = 82
    ProcessManageWritesToExecutableMemory       = 83
    ProcessCaptureTrustletLiveDump              = 84
    ProcessTelemetryCoverage                    = 85
    ProcessEnclaveInformation                   = 86
    ProcessEnableReadWriteVmLogging             = 87
    ProcessUptimeInformation                    = 88
    ProcessImageSection                         = 89
    ProcessDebugAuthInformation                 = 90
    ProcessSystemResourceManagement             = 91
    ProcessSequenceNumber                       = 92
    ProcessLoaderDetour                         = 93
    ProcessSecurityDomainInformation            = 94
    ProcessCombineSecurityDomainsInformation    = 95
    ProcessEnableLogging                        = 96
    ProcessLeapSecondInformation                = 97
    ProcessFiberShadowStackAllocation           = 98
    ProcessFreeFiberShadowStackAllocation       = 99
    ProcessAltSystemCallInformation             = 100
    ProcessDynamicEHContinuationTargets         = 101
    ProcessDynamicEnforcedCetCompatibleRanges   = 102


class THREADINFOCLASS(IntEnum):
    """What NtQueryInformationThread and NtSetInformationThread know."""

    ThreadBasicInformation               = 0
    ThreadTimes                          = 1
    ThreadPriority                       = 2
    ThreadBasePriority                   = 3
    ThreadAffinityMask                   = 4
    ThreadImpersonationToken             = 5
    ThreadDescriptorTableEntry           = 6
    ThreadEnableAlignmentFaultFixup      = 7
    ThreadEventPair                      = 8
    ThreadQuerySetWin32StartAddress      = 9
    ThreadZeroTlsCell                    = 10
    ThreadPerformanceCount               = 11
    ThreadAmILastThread                  = 12
    ThreadIdealProcessor                 = 13
    ThreadPriorityBoost                  = 14
    ThreadSetTlsArrayAddress             = 15
    ThreadIsIoPending                    = 16
    ThreadHideFromDebugger               = 17
    ThreadBreakOnTermination             = 18
    ThreadSwitchLegacyState              = 19
    ThreadIsTerminated                   = 20
    ThreadLastSystemCall                 = 21
    ThreadIoPriority                     = 22
    ThreadCycleTime                      = 23
    ThreadPagePriority                   = 24
    ThreadActualBasePriority             = 25
    ThreadTebInformation                 = 26
    ThreadCSwitchMon                     = 27
    ThreadCSwitchPmu                     = 28
    ThreadWow64Context                   = 29
    ThreadGroupInformation               = 30
    ThreadUmsInformation                 = 31
    ThreadCounterProfiling               = 32
    ThreadIdealProcessorEx               = 33
    ThreadCpuAccountingInformation       = 34
    ThreadSuspendCount                   = 35
    ThreadHeterogeneousCpuPolicy         = 36
    ThreadContainerId                    = 37
    ThreadNameInformation                = 38
    ThreadSelectedCpuSets                = 39
    ThreadSystemThreadInformation        = 40
    ThreadActualGroupAffinity            = 41
    ThreadDynamicCodePolicyInfo          = 42
    ThreadExplicitCaseSensitivity        = 43
    ThreadWorkOnBehalfTicket             = 44
    ThreadSubsystemInformation           = 45
    ThreadDbgkWerReportActive            = 46
    ThreadAttachContainer                = 47
    ThreadManageWritesToExecutableMemory = 48
    ThreadPowerThrottlingState           = 49
    ThreadWorkloadClass                  = 50


class JOBOBJECTINFOCLASS(IntEnum):
    """What NtQueryInformationJobObject and NtSetInformationJobObject know."""

    JobObjectBasicAccountingInformation         = 1
    JobObjectBasicLimitInformation              = 2
    JobObjectBasicProcessIdList                 = 3
    JobObjectBasicUIRestrictions                = 4
    JobObjectSecurityLimitInformation           = 5
    JobObjectEndOfJobTimeInformation            = 6
    JobObjectAssociateCompletionPortInformation = 7
    JobObjectBasicAndIoAccountingInformation    = 8
    JobObjectExtendedLimitInformation           = 9
    JobObjectJobSetInformation                  = 10
    JobObjectGroupInformation                   = 11
    JobObjectNotificationLimitInformation       = 12
    JobObjectLimitViolationInformation          = 13
    JobObjectGroupInformationEx                 = 14
    JobObjectCpuRateControlInformation          = 15
    JobObjectCompletionFilter                   = 16
    JobObjectCompletionCounter                  = 17
    JobObjectFreezeInformation                  = 18
    JobObjectReserved1Information               = 18
    JobObjectExtendedAccountingInformation      = 19
    JobObjectReserved2Information               = 19
    JobObjectReserved3Information               = 20
    JobObjectWakeInformation                    = 20
    JobObjectBackgroundInformation              = 21
    JobObjectReserved4Information               = 21
    JobObjectReserved5Information               = 22
    JobObjectSchedulingRankBiasInformation      = 22
    JobObjectReserved6Information               = 23
    JobObjectTimerVirtualizationInformation     = 23
    JobObjectCycleTimeNotification              = 24
    JobObjectReserved7Information               = 24
    JobObjectClearEvent                         = 25
    JobObjectReserved8Information               = 25
    JobObjectInterferenceInformation            = 26
    JobObjectReserved9Information               = 26
    JobObjectClearPeakJobMemoryUsed             = 27
    JobObjectReserved10Information              = 27
    JobObjectMemoryUsageInformation             = 28
    JobObjectReserved11Information              = 28
    JobObjectReserved12Information              = 29
    JobObjectSharedCommit                       = 29
    JobObjectContainerId                        = 30
    JobObjectReserved13Information              = 30
    JobObjectIoRateControlInformation           = 31
    JobObjectReserved14Information              = 31
    JobObjectNetRateControlInformation          = 32
    JobObjectNotificationLimitInformation2      = 33
    JobObjectLimitViolationInformation2         = 34
    JobObjectCreateSilo                         = 35
    JobObjectSiloBasicInformation               = 36
    JobObjectReserved15Information              = 37
    JobObjectSiloRootDirectory                  = 37
    JobObjectReserved16Information              = 38
    JobObjectServerSiloBasicInformation         = 38
    JobObjectReserved17Information              = 39
    JobObjectServerSiloUserSharedData           = 39
    JobObjectReserved18Information              = 40
    JobObjectServerSiloInitialize               = 40
    JobObjectReserved19Information              = 41
    JobObjectServerSiloRunningState             = 41
    JobObjectIoAttribution                      = 42
    JobObjectReserved20Information              = 42
    JobObjectMemoryPartitionInformation         = 43
    JobObjectReserved21Information              = 43
    JobObjectContainerTelemetryId               = 44
    JobObjectReserved22Information              = 44
    JobObjectReserved23Information              = 45
    JobObjectSiloSystemRoot                     = 45
    JobObjectEnergyTrackingState                = 46
    JobObjectReserved24Information              = 46
    JobObjectReserved25Information              = 47
    JobObjectThreadImpersonationInformation     = 47
    MaxJobObjectInfoClass                       = 48


class PS_ATTRIBUTE_NUM(IntEnum):
    """Numbers of creation attributes."""

    PsAttributeParentProcess                = 0
    PsAttributeDebugObject                  = 1
    PsAttributeToken                        = 2
    PsAttributeClientId                     = 3
    PsAttributeTebAddress                   = 4
    PsAttributeImageName                    = 5
    PsAttributeImageInfo                    = 6
    PsAttributeMemoryReserve                = 7
    PsAttributePriorityClass                = 8
    PsAttributeErrorMode                    = 9
    PsAttributeStdHandleInfo                = 10
    PsAttributeHandleList                   = 11
    PsAttributeGroupAffinity                = 12
    PsAttributePreferredNode                = 13
    PsAttributeIdealProcessor               = 14
    PsAttributeUmsThread                    = 15
    PsAttributeMitigationOptions            = 16
    PsAttributeProtectionLevel              = 17
    PsAttributeSecureProcess                = 18
    PsAttributeJobList                      = 19
    PsAttributeChildProcessPolicy           = 20
    PsAttributeAllApplicationPackagesPolicy = 21
    PsAttributeWin32kFilter                 = 22
    PsAttributeSafeOpenPromptOriginClaim    = 23
    PsAttributeBnoIsolation                 = 24
    PsAttributeDesktopAppPolicy             = 25
    PsAttributeChpe                         = 26
    PsAttributeMitigationAuditOptions       = 27
    PsAttributeMachineType                  = 28
    PsAttributeComponentFilter              = 29
    PsAttributeMax                          = 30


class PS_CREATE_STATE(IntEnum):
    """How far NtCreateUserProcess came."""

    PsCreateInitialState        = 0
    PsCreateFailOnFileOpen      = 1
    PsCreateFailOnSectionCreate = 2
    PsCreateFailExeFormat       = 3
    PsCreateFailMachineMismatch = 4
    PsCreateFailExeName         = 5
    PsCreateSuccess             = 6


class PROCESS_MITIGATION_POLICY(IntEnum):
    """Mitigation policies."""

    ProcessDEPPolicy                   = 0
    ProcessASLRPolicy                  = 1
    ProcessDynamicCodePolicy           = 2
    ProcessStrictHandleCheckPolicy     = 3
    ProcessSystemCallDisablePolicy     = 4
    ProcessMitigationOptionsMask       = 5
    ProcessExtensionPointDisablePolicy = 6
    ProcessControlFlowGuardPolicy      = 7
    ProcessSignaturePolicy             = 8
    ProcessFontDisablePolicy           = 9
    ProcessImageLoadPolicy             = 10
    ProcessSystemCallFilterPolicy      = 11
    ProcessPayloadRestrictionPolicy    = 12
    ProcessChildProcessPolicy          = 13
    ProcessSideChannelIsolationPolicy  = 14
    ProcessUserShadowStackPolicy       = 15


# Bits of PS_ATTRIBUTE.Attribute beside the number
PS_ATTRIBUTE_NUMBER_MASK: Final = 0xFFFF
PS_ATTRIBUTE_THREAD: Final = 0x10000
PS_ATTRIBUTE_INPUT: Final = 0x20000
PS_ATTRIBUTE_ADDITIVE: Final = 0x40000

# PS_ATTRIBUTE.Attribute, whole
PS_ATTRIBUTE_PARENT_PROCESS: Final = 0x60000
PS_ATTRIBUTE_DEBUG_OBJECT: Final = 0x60001
PS_ATTRIBUTE_TOKEN: Final = 0x60002
PS_ATTRIBUTE_CLIENT_ID: Final = 0x10003
PS_ATTRIBUTE_TEB_ADDRESS: Final = 0x10004
PS_ATTRIBUTE_IMAGE_NAME: Final = 0x20005
PS_ATTRIBUTE_IMAGE_INFO: Final = 6
PS_ATTRIBUTE_MEMORY_RESERVE: Final = 0x20007
PS_ATTRIBUTE_PRIORITY_CLASS: Final = 0x20008
PS_ATTRIBUTE_ERROR_MODE: Final = 0x20009
PS_ATTRIBUTE_STD_HANDLE_INFO: Final = 0x2000A
PS_ATTRIBUTE_HANDLE_LIST: Final = 0x2000B
PS_ATTRIBUTE_GROUP_AFFINITY: Final = 0x3000C
PS_ATTRIBUTE_PREFERRED_NODE: Final = 0x2000D
PS_ATTRIBUTE_IDEAL_PROCESSOR: Final = 0x3000E
PS_ATTRIBUTE_UMS_THREAD: Final = 0x3000F
PS_ATTRIBUTE_MITIGATION_OPTIONS: Final = 0x20010
PS_ATTRIBUTE_PROTECTION_LEVEL: Final = 0x60011
PS_ATTRIBUTE_SECURE_PROCESS: Final = 0x20012
PS_ATTRIBUTE_JOB_LIST: Final = 0x20013
PS_ATTRIBUTE_CHILD_PROCESS_POLICY: Final = 0x20014
PS_ATTRIBUTE_ALL_APPLICATION_PACKAGES_POLICY: Final = 0x20015
PS_ATTRIBUTE_WIN32K_FILTER: Final = 0x20016
PS_ATTRIBUTE_BNO_ISOLATION: Final = 0x20018
PS_ATTRIBUTE_DESKTOP_APP_POLICY: Final = 0x20019

# NtCreateUserProcess and NtCreateProcessEx
PROCESS_CREATE_FLAGS_BREAKAWAY: Final = 1
PROCESS_CREATE_FLAGS_NO_DEBUG_INHERIT: Final = 2
PROCESS_CREATE_FLAGS_INHERIT_HANDLES: Final = 4
PROCESS_CREATE_FLAGS_OVERRIDE_ADDRESS_SPACE: Final = 8
PROCESS_CREATE_FLAGS_LARGE_PAGES: Final = 0x10
PROCESS_CREATE_FLAGS_LARGE_PAGE_SYSTEM_DLL: Final = 0x20
PROCESS_CREATE_FLAGS_PROTECTED_PROCESS: Final = 0x40
PROCESS_CREATE_FLAGS_CREATE_SESSION: Final = 0x80
PROCESS_CREATE_FLAGS_INHERIT_FROM_PARENT: Final = 0x100
PROCESS_CREATE_FLAGS_SUSPENDED: Final = 0x200
PROCESS_CREATE_FLAGS_FORCE_BREAKAWAY: Final = 0x400
PROCESS_CREATE_FLAGS_MINIMAL_PROCESS: Final = 0x800
PROCESS_CREATE_FLAGS_RELEASE_SECTION: Final = 0x1000
PROCESS_CREATE_FLAGS_CLONE_MINIMAL: Final = 0x2000
PROCESS_CREATE_FLAGS_CLONE_MINIMAL_REDUCED_COMMIT: Final = 0x4000
PROCESS_CREATE_FLAGS_AUXILIARY_PROCESS: Final = 0x8000
PROCESS_CREATE_FLAGS_CREATE_STORE: Final = 0x20000
PROCESS_CREATE_FLAGS_USE_PROTECTED_ENVIRONMENT: Final = 0x40000

# NtCreateThreadEx
THREAD_CREATE_FLAGS_CREATE_SUSPENDED: Final = 1
THREAD_CREATE_FLAGS_SKIP_THREAD_ATTACH: Final = 2
THREAD_CREATE_FLAGS_HIDE_FROM_DEBUGGER: Final = 4
THREAD_CREATE_FLAGS_LOADER_WORKER: Final = 0x10
THREAD_CREATE_FLAGS_SKIP_LOADER_INIT: Final = 0x20
THREAD_CREATE_FLAGS_BYPASS_PROCESS_FREEZE: Final = 0x40

# PROCESS_PRIORITY_CLASS.PriorityClass
PROCESS_PRIORITY_CLASS_UNKNOWN: Final = 0
PROCESS_PRIORITY_CLASS_IDLE: Final = 1
PROCESS_PRIORITY_CLASS_NORMAL: Final = 2
PROCESS_PRIORITY_CLASS_HIGH: Final = 3
PROCESS_PRIORITY_CLASS_REALTIME: Final = 4
PROCESS_PRIORITY_CLASS_BELOW_NORMAL: Final = 5
PROCESS_PRIORITY_CLASS_ABOVE_NORMAL: Final = 6

# RTL_USER_PROCESS_PARAMETERS.Flags
RTL_USER_PROC_PARAMS_NORMALIZED: Final = 1
RTL_USER_PROC_PROFILE_USER: Final = 2
RTL_USER_PROC_RESERVE_1MB: Final = 0x20
RTL_USER_PROC_DISABLE_HEAP_DECOMMIT: Final = 0x100
RTL_USER_PROC_DLL_REDIRECTION_LOCAL: Final = 0x1000
RTL_USER_PROC_APP_MANIFEST_PRESENT: Final = 0x2000
RTL_USER_PROC_IMAGE_KEY_MISSING: Final = 0x4000
RTL_USER_PROC_OPTIN_PROCESS: Final = 0x20000

# Job limits
JOB_OBJECT_LIMIT_WORKINGSET: Final = 1
JOB_OBJECT_LIMIT_PROCESS_TIME: Final = 2
JOB_OBJECT_LIMIT_JOB_TIME: Final = 4
JOB_OBJECT_LIMIT_ACTIVE_PROCESS: Final = 8
JOB_OBJECT_LIMIT_AFFINITY: Final = 0x10
JOB_OBJECT_LIMIT_PRIORITY_CLASS: Final = 0x20
JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME: Final = 0x40
JOB_OBJECT_LIMIT_SCHEDULING_CLASS: Final = 0x80
JOB_OBJECT_LIMIT_PROCESS_MEMORY: Final = 0x100
JOB_OBJECT_LIMIT_JOB_MEMORY: Final = 0x200
JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION: Final = 0x400
JOB_OBJECT_LIMIT_BREAKAWAY_OK: Final = 0x800
JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK: Final = 0x1000
JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE: Final = 0x2000

# Job messages
JOB_OBJECT_MSG_END_OF_JOB_TIME: Final = 1
JOB_OBJECT_MSG_END_OF_PROCESS_TIME: Final = 2
JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT: Final = 3
JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO: Final = 4
JOB_OBJECT_MSG_NEW_PROCESS: Final = 6
JOB_OBJECT_MSG_EXIT_PROCESS: Final = 7
JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS: Final = 8
JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT: Final = 9
JOB_OBJECT_MSG_JOB_MEMORY_LIMIT: Final = 0xA
