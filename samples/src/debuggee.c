// What a debugged program does for its debugger to see. (Started by debugger: debuggee <deed>.)
#include "sample.h"

static LONG CALLBACK swallow(EXCEPTION_POINTERS *info)
{
    DWORD code = info->ExceptionRecord->ExceptionCode;
    if (code == EXCEPTION_ACCESS_VIOLATION) {
        info->ContextRecord->Rip += 3;  // the length of the instruction below
        return EXCEPTION_CONTINUE_EXECUTION;
    }
    return code == EXCEPTION_BREAKPOINT || code == STATUS_INVALID_HANDLE ? EXCEPTION_CONTINUE_EXECUTION
                                                                         : EXCEPTION_CONTINUE_SEARCH;
}

static DWORD WINAPI thread(void *argument)
{
    return (DWORD)(ULONG_PTR)argument;
}

static void deeds(void)
{
    AddVectoredExceptionHandler(1, swallow);
    OutputDebugStringA("narrow words");
    OutputDebugStringW(L"wide words");
    DebugBreak();
    __asm__ volatile("xorl %%eax, %%eax\n\t.byte 0xc6, 0x00, 0x01" ::: "rax", "memory");  // mov byte [rax], 1
    HMODULE plugin = LoadLibraryW(L"plugin.dll");
    FreeLibrary(plugin);
    HANDLE made = CreateThread(NULL, 0, thread, (void *)5, 0, NULL);
    WaitForSingleObject(made, INFINITE);
    CloseHandle(made);
    SetLastError(0);
    BOOL closed = CloseHandle((HANDLE)0xABC0);
    BOOL remote = FALSE;
    CheckRemoteDebuggerPresent(GetCurrentProcess(), &remote);
    char said[120];
    sprintf(said, "closed %d error %lu, debugger %d %d, global flag %lX", closed, GetLastError(), IsDebuggerPresent(),
            remote, *(ULONG *)(__readgsqword(0x60) + 0xBC));  // PEB.NtGlobalFlag
    OutputDebugStringA(said);
}

static DWORD grandchild(void)
{
    wchar_t path[MAX_PATH];
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD code = 99;
    GetModuleFileNameW(NULL, path, MAX_PATH);
    wchar_t line[] = L"debuggee quick";
    if (!CreateProcessW(path, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process)) return 98;
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    return code;
}

int main(int argc, char **argv)
{
    const char *deed = argc > 1 ? argv[1] : "";
    if (!strcmp(deed, "deeds")) return deeds(), 7;
    if (!strcmp(deed, "crash")) *(volatile int *)0x10 = 1;
    if (!strcmp(deed, "steps")) {
        DebugBreak();
        __asm__ volatile("nop\n\tnop\n\tnop");
    }
    if (!strcmp(deed, "family")) return (int)grandchild();
    if (!strcmp(deed, "quick")) return 3;
    if (!strcmp(deed, "waits")) {
        HANDLE go = OpenEventW(SYNCHRONIZE, FALSE, L"ntos debuggee go"), ready = OpenEventW(
            EVENT_MODIFY_STATE, FALSE, L"ntos debuggee ready");
        SetEvent(ready);
        WaitForSingleObject(go, INFINITE);
        return IsDebuggerPresent() ? 21 : 20;
    }
    return 1;
}
