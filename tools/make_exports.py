"""Regenerate ``src/ntos/abi/data/exports``: which names each Windows DLL exports.

    python tools/make_exports.py [--real DIRECTORY] [--extra DIRECTORY] [--used imports.csv]

Names come from the mingw-w64 definition files in the ziglang wheel and the API-set contracts among them (a
contract's names belong to its hosts), from the export tables of Microsoft's redistributable runtime
(``--real``, DLLs that are read and not copied), from further definition files (``--extra``), and from a
list of imports seen in real programs (``--used``). Forwarders are facts of Windows 10, public through any
export viewer.
"""

from __future__ import annotations

import argparse
import csv
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import ordlookup
import pefile
import ziglang  # type: ignore[import-untyped]

from ntos.abi import apiset, services

OUTPUT = Path(__file__).parents[1] / "src/ntos/abi/data/exports"
MINGW = Path(ziglang.__file__).parent / "lib/libc/mingw"
MODULES = """
    ntdll kernel32 kernelbase ucrtbase msvcrt vcruntime140 vcruntime140_1 msvcp140 advapi32 sechost
    user32 gdi32 shell32 shlwapi ole32 oleaut32 combase ws2_32 wsock32 bcrypt bcryptprimitives crypt32
    secur32 iphlpapi psapi version winmm userenv dbghelp powrprof rpcrt4 setupapi imm32 comdlg32
    comctl32 normaliz netapi32 wintrust mswsock dnsapi wldap32 winhttp wininet shcore cfgmgr32 dwmapi
    uxtheme
"""

# Where the export is not simply the import library's list: the real tables are complete.
COMPLETE = {"ucrtbase", "vcruntime140", "vcruntime140_1", "msvcp140"}

# kernel32 and kernelbase to ntdll: export, function there.
TO_NTDLL = """
AcquireSRWLockExclusive RtlAcquireSRWLockExclusive
AcquireSRWLockShared RtlAcquireSRWLockShared
AddVectoredContinueHandler RtlAddVectoredContinueHandler
AddVectoredExceptionHandler RtlAddVectoredExceptionHandler
CancelThreadpoolIo TpCancelAsyncIoOperation
CloseThreadpool TpReleasePool
CloseThreadpoolCleanupGroup TpReleaseCleanupGroup
CloseThreadpoolCleanupGroupMembers TpReleaseCleanupGroupMembers
CloseThreadpoolIo TpReleaseIoCompletion
CloseThreadpoolTimer TpReleaseTimer
CloseThreadpoolWait TpReleaseWait
CloseThreadpoolWork TpReleaseWork
DecodePointer RtlDecodePointer
DecodeSystemPointer RtlDecodeSystemPointer
DeleteCriticalSection RtlDeleteCriticalSection
DisassociateCurrentThreadFromCallback TpDisassociateCallback
EncodePointer RtlEncodePointer
EncodeSystemPointer RtlEncodeSystemPointer
EnterCriticalSection RtlEnterCriticalSection
ExitThread RtlExitUserThread
FlushProcessWriteBuffers NtFlushProcessWriteBuffers
FreeLibraryWhenCallbackReturns TpCallbackUnloadDllOnCompletion
GetCurrentProcessorNumber RtlGetCurrentProcessorNumber
GetCurrentProcessorNumberEx RtlGetCurrentProcessorNumberEx
HeapAlloc RtlAllocateHeap
HeapReAlloc RtlReAllocateHeap
HeapSize RtlSizeHeap
InitOnceInitialize RtlRunOnceInitialize
InitializeConditionVariable RtlInitializeConditionVariable
InitializeCriticalSection RtlInitializeCriticalSection
InitializeSListHead RtlInitializeSListHead
InitializeSRWLock RtlInitializeSRWLock
InterlockedFlushSList RtlInterlockedFlushSList
InterlockedPopEntrySList RtlInterlockedPopEntrySList
InterlockedPushEntrySList RtlInterlockedPushEntrySList
InterlockedPushListSList RtlInterlockedPushListSList
InterlockedPushListSListEx RtlInterlockedPushListSListEx
IsThreadpoolTimerSet TpIsTimerSet
LeaveCriticalSection RtlLeaveCriticalSection
LeaveCriticalSectionWhenCallbackReturns TpCallbackLeaveCriticalSectionOnCompletion
QueryDepthSList RtlQueryDepthSList
ReleaseMutexWhenCallbackReturns TpCallbackReleaseMutexOnCompletion
ReleaseSRWLockExclusive RtlReleaseSRWLockExclusive
ReleaseSRWLockShared RtlReleaseSRWLockShared
ReleaseSemaphoreWhenCallbackReturns TpCallbackReleaseSemaphoreOnCompletion
RemoveVectoredContinueHandler RtlRemoveVectoredContinueHandler
RemoveVectoredExceptionHandler RtlRemoveVectoredExceptionHandler
ResolveDelayLoadedAPI LdrResolveDelayLoadedAPI
ResolveDelayLoadsFromDll LdrResolveDelayLoadsFromDll
RestoreLastError RtlRestoreLastWin32Error
RtlCaptureStackBackTrace RtlCaptureStackBackTrace
RtlZeroMemory RtlZeroMemory
SetCriticalSectionSpinCount RtlSetCriticalSectionSpinCount
SetEventWhenCallbackReturns TpCallbackSetEventOnCompletion
SetThreadpoolThreadMaximum TpSetPoolMaxThreads
SetThreadpoolTimer TpSetTimer
SetThreadpoolTimerEx TpSetTimerEx
SetThreadpoolWait TpSetWait
SetThreadpoolWaitEx TpSetWaitEx
StartThreadpoolIo TpStartAsyncIoOperation
SubmitThreadpoolWork TpPostWork
TryAcquireSRWLockExclusive RtlTryAcquireSRWLockExclusive
TryAcquireSRWLockShared RtlTryAcquireSRWLockShared
TryEnterCriticalSection RtlTryEnterCriticalSection
VerSetConditionMask VerSetConditionMask
WaitForThreadpoolIoCallbacks TpWaitForIoCompletion
WaitForThreadpoolTimerCallbacks TpWaitForTimer
WaitForThreadpoolWaitCallbacks TpWaitForWait
WaitForThreadpoolWorkCallbacks TpWaitForWork
WakeAllConditionVariable RtlWakeAllConditionVariable
WakeConditionVariable RtlWakeConditionVariable
__C_specific_handler __C_specific_handler
__chkstk __chkstk
__misaligned_access __misaligned_access
_local_unwind _local_unwind
"""

# kernel32 to a contract (which the loader resolves to kernelbase for this importer): contract, exports.
KERNEL32_TO_CONTRACT = """
debug-l1-1-2 WaitForDebugEventEx
enclave-l1-1-0 CreateEnclave InitializeEnclave IsEnclaveTypeSupported LoadEnclaveData
file-l1-2-2 FindFirstStreamW FindNextStreamW
file-l1-2-3 GetDiskSpaceInformationA GetDiskSpaceInformationW
io-l1-1-1 GetOverlappedResultEx
libraryloader-l1-1-0 AddDllDirectory RemoveDllDirectory SetDefaultDllDirectories
memory-l1-1-1 CreateFileMappingFromApp MapViewOfFileFromApp PrefetchVirtualMemory UnmapViewOfFileEx
memory-l1-1-2 DiscardVirtualMemory OfferVirtualMemory ReclaimVirtualMemory
namedpipe-l1-2-1 GetNamedPipeInfo
processthreads-l1-1-0 CreateRemoteThreadEx DeleteProcThreadAttributeList GetCurrentThreadStackLimits
processthreads-l1-1-0 InitializeProcThreadAttributeList OpenProcessToken OpenThreadToken SetThreadToken
processthreads-l1-1-0 UpdateProcThreadAttribute
processthreads-l1-1-1 GetProcessMitigationPolicy SetProcessMitigationPolicy
processthreads-l1-1-2 IsProcessCritical QueryProtectedPolicy SetProtectedPolicy
processthreads-l1-1-3 GetProcessDefaultCpuSets GetSystemCpuSetInformation GetThreadDescription
processthreads-l1-1-3 GetThreadSelectedCpuSets SetProcessDefaultCpuSets SetThreadDescription
processthreads-l1-1-3 SetThreadSelectedCpuSets
processthreads-l1-1-4 SetProcessDynamicEHContinuationTargets
synch-l1-1-0 SetWaitableTimerEx
synch-l1-2-0 InitOnceBeginInitialize InitOnceComplete InitOnceExecuteOnce SleepConditionVariableCS
synch-l1-2-0 SleepConditionVariableSRW
sysinfo-l1-1-0 GetLogicalProcessorInformationEx
sysinfo-l1-2-1 InstallELAMCertificateInfo
sysinfo-l1-2-2 GetProcessorSystemCycleTime
timezone-l1-1-0 SystemTimeToTzSpecificLocalTimeEx TzSpecificLocalTimeToSystemTimeEx
wow64-l1-1-1 IsWow64Process2
wow64-l1-1-2 IsWow64GuestMachineSupported
"""

KERNEL32_TO_KERNELBASE = """
AppPolicyGetClrCompat AppPolicyGetCreateFileAccess AppPolicyGetLifecycleManagement
AppPolicyGetMediaFoundationCodecLoading AppPolicyGetProcessTerminationMethod
AppPolicyGetShowDeveloperDiagnostic AppPolicyGetThreadInitializationType AppPolicyGetWindowingModel
AppXGetOSMaxVersionTested CeipIsOptedIn ClosePackageInfo CloseState CtrlRoutine FindPackagesByPackageFamily
FormatApplicationUserModelId GetApplicationUserModelId GetConsoleInputExeNameA GetConsoleInputExeNameW
GetCurrentApplicationUserModelId GetCurrentPackageFamilyName GetCurrentPackageFullName GetCurrentPackageId
GetCurrentPackageInfo GetCurrentPackagePath GetPackageApplicationIds GetPackageFamilyName GetPackageFullName
GetPackageId GetPackageInfo GetPackagePath GetPackagePathByFullName GetPackagesByPackageFamily
GetStagedPackagePathByFullName GetStateFolder GetSystemAppDataKey OpenPackageInfoByFullName OpenState
OpenStateExplicit PackageFamilyNameFromFullName PackageFamilyNameFromId PackageFullNameFromId
PackageIdFromFullName PackageNameAndPublisherIdFromFamilyName ParseApplicationUserModelId
RaiseFailFastException ReadConsoleInputExA ReadConsoleInputExW SetConsoleInputExeNameA
SetConsoleInputExeNameW SetLastConsoleEventActive
"""

OTHER_FORWARDERS = {
    "advapi32": """
        EventActivityIdControl=NTDLL.EtwEventActivityIdControl EventEnabled=NTDLL.EtwEventEnabled
        EventProviderEnabled=NTDLL.EtwEventProviderEnabled EventRegister=NTDLL.EtwEventRegister
        EventSetInformation=NTDLL.EtwEventSetInformation EventUnregister=NTDLL.EtwEventUnregister
        EventWrite=NTDLL.EtwEventWrite EventWriteEx=NTDLL.EtwEventWriteEx
        EventWriteFull=NTDLL.EtwEventWriteFull
        EventWriteString=NTDLL.EtwEventWriteString EventWriteTransfer=NTDLL.EtwEventWriteTransfer
        GetTraceEnableFlags=NTDLL.EtwGetTraceEnableFlags GetTraceEnableLevel=NTDLL.EtwGetTraceEnableLevel
        GetTraceLoggerHandle=NTDLL.EtwGetTraceLoggerHandle RegisterTraceGuidsA=NTDLL.EtwRegisterTraceGuidsA
        RegisterTraceGuidsW=NTDLL.EtwRegisterTraceGuidsW TraceEvent=NTDLL.EtwLogTraceEvent
        TraceMessage=NTDLL.EtwTraceMessage TraceMessageVa=NTDLL.EtwTraceMessageVa
        UnregisterTraceGuids=NTDLL.EtwUnregisterTraceGuids""",
    "user32": """
        DefDlgProcA=NTDLL.NtdllDialogWndProc_A DefDlgProcW=NTDLL.NtdllDialogWndProc_W
        DefWindowProcA=NTDLL.NtdllDefWindowProc_A DefWindowProcW=NTDLL.NtdllDefWindowProc_W""",
    "normaliz": """
        IdnToAscii=KERNEL32.IdnToAscii IdnToNameprepUnicode=KERNEL32.IdnToNameprepUnicode
        IdnToUnicode=KERNEL32.IdnToUnicode IsNormalizedString=KERNEL32.IsNormalizedString
        NormalizeString=KERNEL32.NormalizeString""",
    "wsock32": """
        AcceptEx=MSWSOCK.AcceptEx GetAcceptExSockaddrs=MSWSOCK.GetAcceptExSockaddrs
        TransmitFile=MSWSOCK.TransmitFile WSARecvEx=MSWSOCK.WSARecvEx""",
    "version": "VerLanguageNameA=KERNEL32.VerLanguageNameA VerLanguageNameW=KERNEL32.VerLanguageNameW",
}  # fmt: skip

# Functions that wsock32 implements itself, because Winsock 1.1 gave their options other numbers.
WSOCK32_OWN = {"getsockopt", "setsockopt", "recv", "recvfrom", "inet_network", "getnetbyname"}


def preprocess(path: Path) -> str:
    """A definition file's text for x64 Windows."""
    text = path.read_text(encoding="latin-1")
    if path.suffix != ".in":
        return text
    command = [sys.executable, "-m", "ziglang", "cc", "-E", "-P", "-w", "-x", "assembler-with-cpp"]
    command += ["-target", "x86_64-windows-gnu", f"-I{MINGW / 'def-include'}", str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True, encoding="latin-1").stdout


def names_of(path: Path) -> Iterator[tuple[str, int]]:
    """(name, ordinal or 0) rows of a definition file; aliases (``==``) are no exports."""
    exporting = False
    for raw in preprocess(path).splitlines():
        line = raw.partition(";")[0].strip()
        if line.upper().startswith("EXPORTS"):
            exporting = True
        elif exporting and line and not line.startswith(("#", "LIBRARY")):
            name, *rest = line.split()
            if "==" in line or "NONAME" in rest:
                continue
            ordinal = next((int(word[1:]) for word in rest if re.fullmatch(r"@\d+", word)), 0)
            yield undecorate(name.partition("=")[0].strip('"')), ordinal


def undecorate(name: str) -> str:
    """A stdcall import name without its ``@bytes``; C++ names stay."""
    return name if name.startswith("?") else re.sub(r"@\d+$", "", name)


def find_definition(module: str, folders: Iterable[Path]) -> Path | None:
    for folder in folders:
        for suffix in (".def.in", ".def"):
            path = folder / (module + suffix)
            if path.exists():
                return path
    return None


def contract_names() -> dict[str, set[str]]:
    """Names that API-set contracts put into each host."""
    found: dict[str, set[str]] = {}
    for path in sorted((MINGW / "lib-common").glob("api-ms-win-*.def*")):
        contract = path.name.partition(".def")[0]
        if contract.endswith("_windowsapp"):
            continue
        hosts = {apiset.resolve(contract, None), apiset.resolve(contract, "kernel32.dll")} - {None, ""}
        if hosts:
            names = {name for name, _ in names_of(path)}
            for host in hosts:
                found.setdefault(str(host).removesuffix(".dll"), set()).update(names)
    return found


def real_names(path: Path) -> set[str]:
    image = pefile.PE(str(path), fast_load=True)
    image.parse_data_directories([pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_EXPORT"]])
    symbols = image.DIRECTORY_ENTRY_EXPORT.symbols  # type: ignore[attr-defined]
    return {symbol.name.decode("latin-1") for symbol in symbols if symbol.name}


def known_ordinals(module: str) -> Mapping[int, bytes]:
    """Ordinals by which programs import, as pefile's tables know them."""
    tables: Mapping[bytes, Mapping[int, bytes]] = ordlookup.ords  # type: ignore[assignment]
    return tables.get(f"{module}.dll".encode(), {})


def used_names(path: Path | None) -> dict[str, set[str]]:
    """Names that real programs import, by module."""
    found: dict[str, set[str]] = {}
    if path:
        with path.open(newline="", encoding="utf-8") as rows:
            for row in csv.DictReader(rows):
                if re.fullmatch(r"[A-Za-z_?][\w?@$]*", row["function"]):
                    found.setdefault(row["dll"].removesuffix(".dll"), set()).add(row["function"])
    return found


def forwarders(exports: dict[str, set[str]]) -> dict[str, dict[str, str]]:
    """Forwarded exports of each module."""
    to_ntdll = dict(line.split() for line in TO_NTDLL.split("\n") if line)
    kernel32 = {name: f"NTDLL.{target}" for name, target in to_ntdll.items()}
    for line in KERNEL32_TO_CONTRACT.split("\n"):
        contract, *names = line.split() or [""]
        kernel32.update({name: f"api-ms-win-core-{contract}.{name}" for name in names})
    kernel32.update({name: f"kernelbase.{name}" for name in KERNEL32_TO_KERNELBASE.split()})
    found = {"kernel32": kernel32, "kernelbase": {n: f"NTDLL.{t}" for n, t in to_ntdll.items()}}
    found["ole32"] = {name: f"combase.{name}" for name in exports["ole32"] & exports["combase"]}
    shared = exports["wsock32"] & exports["ws2_32"] - WSOCK32_OWN
    found["wsock32"] = {name: f"WS2_32.{name}" for name in shared}
    for module, rows in OTHER_FORWARDERS.items():
        pairs = (row.partition("=") for row in rows.split())
        found.setdefault(module, {}).update({name: target for name, _, target in pairs})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--extra", type=Path)
    parser.add_argument("--used", type=Path)
    options = parser.parse_args()
    folders = [folder for folder in (options.extra, MINGW / "lib-common", MINGW / "lib64") if folder]
    contracts, used = contract_names(), used_names(options.used)
    exports: dict[str, set[str]] = {}
    ordinals: dict[str, dict[str, int]] = {}
    for module in MODULES.split():
        real = options.real / f"{module}.dll" if options.real and module in COMPLETE else None
        if real and real.exists():
            exports[module] = real_names(real)
            continue
        definition = find_definition(module, folders)
        rows = list(names_of(definition)) if definition else []
        if module == "ntdll":  # mingw keeps the C runtime functions of ntdll in a file of their own
            rows += names_of(MINGW / "lib-common/ntdllcrt.def.in")
        exports[module] = {name for name, _ in rows} | contracts.get(module, set()) | used.get(module, set())
        ordinals[module] = {name: ordinal for name, ordinal in rows if ordinal}
        for ordinal, name in known_ordinals(module).items():
            exports[module].add(name.decode())
            ordinals[module][name.decode()] = ordinal
    ordinals["wsock32"] = {n: o for n, o in ordinals["ws2_32"].items() if n in exports["wsock32"] and o < 152}
    for service in services.names():
        exports["ntdll"] |= {service, "Zw" + service[2:]}
    targets = forwarders(exports)
    kernel32 = targets["kernel32"]
    exports["kernelbase"] |= {name for name, to in kernel32.items() if not to.startswith("NTDLL")}
    exports["kernel32"] |= set(kernel32)
    exports["ntdll"] |= {to.partition(".")[2] for to in kernel32.values() if to.startswith("NTDLL")}
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for module, names in exports.items():
        write(module, names, ordinals.get(module, {}), targets.get(module, {}))


def write(module: str, names: set[str], ordinals: dict[str, int], targets: dict[str, str]) -> None:
    """One line an export, in the loader's order: ``name[ @ordinal][ = module.function]``."""
    lines = []
    for name in sorted(names, key=lambda name: name.encode()):
        ordinal = f" @{ordinals[name]}" if name in ordinals else ""
        target = f" = {targets[name]}" if name in targets else ""
        lines.append(name + ordinal + target)
    (OUTPUT / f"{module}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{module:20} {len(lines):5} names {sum('=' in line for line in lines):4} forwarders")


if __name__ == "__main__":
    main()
