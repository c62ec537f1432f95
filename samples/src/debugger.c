// What does a debugger see? debugger <deed> [only|wide]: starts debuggee and prints each event, without addresses.
#include "sample.h"

static HANDLE processes[8];
static DWORD ids[8], threads[16];
static BOOL (WINAPI *wait_for_event)(DEBUG_EVENT *, DWORD) = WaitForDebugEvent;
static int process_count, thread_count, breaks[8], steps;

static int number_of(DWORD id, DWORD *known, int *count, int most)
{
    for (int i = 0; i < *count; i++)
        if (known[i] == id) return i;
    if (*count < most) known[(*count)++] = id;
    return *count - 1;
}

static void remote_text(HANDLE process, void *address, BOOL wide, DWORD units, char *text, size_t room)
{
    wchar_t buffer[260] = {0};
    SIZE_T got = 0, size = units * (wide ? 2 : 1);
    text[0] = 0;
    if (!address || size >= sizeof buffer || !ReadProcessMemory(process, address, buffer, size, &got)) return;
    if (wide) WideCharToMultiByte(CP_ACP, 0, buffer, -1, text, (int)room, NULL, NULL);
    else strcpy(text, (char *)buffer);
}

static void image_name(HANDLE process, HANDLE file, void *pointer, char *text, size_t room)
{
    void *name = NULL;
    text[0] = 0;
    if (pointer && ReadProcessMemory(process, pointer, &name, sizeof name, NULL) && name) {
        wchar_t wide[260] = {0};
        for (int i = 0; i < 259; i++)
            if (!ReadProcessMemory(process, (wchar_t *)name + i, wide + i, 2, NULL) || !wide[i]) break;
        WideCharToMultiByte(CP_ACP, 0, wide, -1, text, (int)room, NULL, NULL);
    } else if (file) {
        GetFinalPathNameByHandleA(file, text, (DWORD)room, 0);
    }
    char *leaf = strrchr(text, '\\');
    if (leaf) memmove(text, leaf + 1, strlen(leaf));
    for (char *c = text; *c; c++) *c |= *c >= 'A' && *c <= 'Z' ? 0x20 : 0;
}

static DWORD on_exception(HANDLE process, HANDLE thread, int index, const EXCEPTION_DEBUG_INFO *info)
{
    DWORD code = info->ExceptionRecord.ExceptionCode;
    CONTEXT context = {.ContextFlags = CONTEXT_FULL};
    GetThreadContext(thread, &context);
    LONGLONG past = (LONGLONG)context.Rip - (LONGLONG)info->ExceptionRecord.ExceptionAddress;
    printf("  exception %08lX chance %d, stopped %lld past it", code, info->dwFirstChance ? 1 : 2, past);
    if (code == EXCEPTION_ACCESS_VIOLATION)
        printf(", %s %llX", info->ExceptionRecord.ExceptionInformation[0] ? "writing" : "reading",
               info->ExceptionRecord.ExceptionInformation[1]);
    printf("\n");
    if (code == EXCEPTION_BREAKPOINT && breaks[index]++ && steps) {
        context.EFlags |= 0x100;
        SetThreadContext(thread, &context);
    }
    if (code == EXCEPTION_SINGLE_STEP && --steps > 0) {
        context.EFlags |= 0x100;
        SetThreadContext(thread, &context);
    }
    (void)process;
    return code == EXCEPTION_BREAKPOINT || code == EXCEPTION_SINGLE_STEP ? DBG_CONTINUE : DBG_EXCEPTION_NOT_HANDLED;
}

// One event: prints it; FALSE once no process is left.
static BOOL event_loop(BOOL all_dlls, BOOL stop_at_break)
{
    static HANDLE thread_handles[16];
    int alive = process_count ? process_count : 1, answer_break = 0;
    while (alive) {
        DEBUG_EVENT event;
        DWORD answer = DBG_CONTINUE;
        char text[300];
        if (!wait_for_event(&event, 5000)) {
            printf("no event: error %lu\n", GetLastError());
            return FALSE;
        }
        int known = process_count, p = number_of(event.dwProcessId, ids, &process_count, 8);
        int t = number_of(event.dwThreadId, threads, &thread_count, 16);
        BOOL quiet = event.dwDebugEventCode == LOAD_DLL_DEBUG_EVENT && !all_dlls && !breaks[p];
        if (quiet) image_name(processes[p], NULL, event.u.LoadDll.lpImageName, text, sizeof text);
        if (!quiet || !strcmp(text, "ntdll.dll")) printf("process %d thread %d:\n", p, t);
        switch (event.dwDebugEventCode) {
        case CREATE_PROCESS_DEBUG_EVENT:
            processes[p] = event.u.CreateProcessInfo.hProcess;
            thread_handles[t] = event.u.CreateProcessInfo.hThread;
            if (known && process_count > known) alive++;
            image_name(processes[p], event.u.CreateProcessInfo.hFile, NULL, text, sizeof text);
            printf("  process begins: %s, same process %d thread %d, local base %d, unicode %d name %d\n", text,
                   GetProcessId(processes[p]) == event.dwProcessId, GetThreadId(thread_handles[t]) == event.dwThreadId,
                   event.u.CreateProcessInfo.lpThreadLocalBase != NULL, event.u.CreateProcessInfo.fUnicode,
                   event.u.CreateProcessInfo.lpImageName != NULL);
            CloseHandle(event.u.CreateProcessInfo.hFile);
            break;
        case CREATE_THREAD_DEBUG_EVENT:
            thread_handles[t] = event.u.CreateThread.hThread;
            printf("  thread begins: same thread %d\n", GetThreadId(thread_handles[t]) == event.dwThreadId);
            break;
        case EXIT_THREAD_DEBUG_EVENT: printf("  thread ends: %lu\n", event.u.ExitThread.dwExitCode); break;
        case EXIT_PROCESS_DEBUG_EVENT:
            printf("  process ends: %lX\n", event.u.ExitProcess.dwExitCode);
            alive--;
            break;
        case LOAD_DLL_DEBUG_EVENT:
            image_name(processes[p], event.u.LoadDll.hFile, event.u.LoadDll.lpImageName, text, sizeof text);
            if (!quiet || !strcmp(text, "ntdll.dll"))
                printf("  image mapped: %s, file %d\n", text, event.u.LoadDll.hFile != NULL);
            CloseHandle(event.u.LoadDll.hFile);
            break;
        case UNLOAD_DLL_DEBUG_EVENT: printf("  image unmapped\n"); break;
        case OUTPUT_DEBUG_STRING_EVENT:
            remote_text(processes[p], event.u.DebugString.lpDebugStringData, event.u.DebugString.fUnicode,
                        event.u.DebugString.nDebugStringLength, text, sizeof text);
            printf("  says (wide %d, length %u): %s\n", event.u.DebugString.fUnicode,
                   event.u.DebugString.nDebugStringLength, text);
            break;
        case EXCEPTION_DEBUG_EVENT:
            answer = on_exception(processes[p], thread_handles[t], p, &event.u.Exception);
            answer_break = event.u.Exception.ExceptionRecord.ExceptionCode == EXCEPTION_BREAKPOINT;
            break;
        }
        if (!ContinueDebugEvent(event.dwProcessId, event.dwThreadId, answer))
            printf("not continued: error %lu\n", GetLastError());
        if (stop_at_break && answer_break) return TRUE;
    }
    return FALSE;
}

static BOOL start(const char *deed, DWORD flags, PROCESS_INFORMATION *made)
{
    wchar_t path[MAX_PATH], line[100];
    STARTUPINFOW startup = {.cb = sizeof startup};
    DWORD length = GetModuleFileNameW(NULL, path, MAX_PATH);
    while (length && path[length - 1] != '\\') length--;
    wcscpy(path + length, L"debuggee.exe");
    swprintf(line, ARRAYSIZE(line), L"debuggee %hs", deed);
    return CreateProcessW(path, line, NULL, NULL, FALSE, flags, NULL, NULL, &startup, made);
}

static int attach(void)
{
    PROCESS_INFORMATION made;
    DWORD code = 0;
    HANDLE go = CreateEventW(NULL, TRUE, FALSE, L"ntos debuggee go");
    HANDLE ready = CreateEventW(NULL, TRUE, FALSE, L"ntos debuggee ready");
    if (!start("waits", 0, &made)) return 1;
    WaitForSingleObject(ready, INFINITE);
    BOOL seen = FALSE;
    CheckRemoteDebuggerPresent(made.hProcess, &seen);
    printf("before: debugger %d\n", seen);
    printf("attach: %d\n", DebugActiveProcess(made.dwProcessId));
    printf("again: %d", DebugActiveProcess(made.dwProcessId));
    printf(" error %lu\n", GetLastError());
    event_loop(FALSE, TRUE);
    CheckRemoteDebuggerPresent(made.hProcess, &seen);
    printf("attached: debugger %d\n", seen);
    printf("detach: %d\n", DebugActiveProcessStop(made.dwProcessId));
    CheckRemoteDebuggerPresent(made.hProcess, &seen);
    printf("after: debugger %d\n", seen);
    SetEvent(go);
    WaitForSingleObject(made.hProcess, INFINITE);
    GetExitCodeProcess(made.hProcess, &code);
    printf("exit code %lu\n", code);
    return 0;
}

int main(int argc, char **argv)
{
    const char *deed = argc > 1 ? argv[1] : "deeds";
    BOOL only = argc > 2 && !strcmp(argv[2], "only");
    PROCESS_INFORMATION made;
    DWORD code = 0;
    DEBUG_EVENT none;
    if (argc > 2 && !strcmp(argv[2], "wide"))
        wait_for_event = (void *)GetProcAddress(GetModuleHandleW(L"kernelbase.dll"), "WaitForDebugEventEx");
    setvbuf(stdout, NULL, _IONBF, 0);
    printf("without a debuggee: %d", WaitForDebugEvent(&none, 0));
    printf(" error %lu\n", GetLastError());
    if (!strcmp(deed, "attach")) return attach();
    steps = strcmp(deed, "steps") ? 0 : 3;
    if (!start(deed, only ? DEBUG_ONLY_THIS_PROCESS : DEBUG_PROCESS, &made)) return 1;
    printf("at once: %d", ContinueDebugEvent(made.dwProcessId, made.dwThreadId, DBG_CONTINUE));
    printf(" error %lu\n", GetLastError());
    event_loop(FALSE, FALSE);
    WaitForSingleObject(made.hProcess, INFINITE);
    GetExitCodeProcess(made.hProcess, &code);
    printf("exit code %lX\n", code);
    return 0;
}
