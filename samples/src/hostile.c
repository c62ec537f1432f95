// Does CreateProcess take bad arguments as it should, and do crowds of processes end as they should?
#include "sample.h"

static wchar_t self[MAX_PATH];
static STARTUPINFOW startup = {.cb = sizeof startup};

typedef struct {
    const wchar_t *program;
    wchar_t *line;
    void *environment;
    const wchar_t *directory;
    STARTUPINFOW *startup;
    PROCESS_INFORMATION *made;
    DWORD flags;
} CALL;

static void leave(DWORD code)
{
    ExitThread(code);
}

static LONG CALLBACK caught(EXCEPTION_POINTERS *info)
{
    info->ContextRecord->Rip = (ULONG_PTR)leave;
    info->ContextRecord->Rcx = info->ExceptionRecord->ExceptionCode;
    info->ContextRecord->Rsp = (info->ContextRecord->Rsp & ~15ULL) - 0x28;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static DWORD WINAPI perform(void *argument)
{
    CALL *call = argument;
    if (!CreateProcessW(call->program, call->line, NULL, NULL, FALSE, CREATE_SUSPENDED | call->flags, call->environment, call->directory,
                        call->startup, call->made))
        return GetLastError();
    TerminateProcess(call->made->hProcess, 0);
    CloseHandle(call->made->hThread), CloseHandle(call->made->hProcess);
    return 0;
}

// Every attempt has a thread of its own, which an exception ends: its exit code is the error or the exception.
static void attempt(const char *label, CALL call)
{
    DWORD code = 0, before = 0, after = 0;
    PROCESS_INFORMATION made;
    if (call.startup == &startup && !call.made) call.made = &made;
    GetProcessHandleCount(GetCurrentProcess(), &before);
    HANDLE thread = CreateThread(NULL, 0, perform, &call, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
    GetExitCodeThread(thread, &code);
    CloseHandle(thread);
    GetProcessHandleCount(GetCurrentProcess(), &after);
    printf("%s: %lX%s\n", label, code, after == before ? "" : ", handles lost");
}

static void arguments(void)
{
    void *nowhere = (void *)0x1000, *kernel = (void *)0xFFFFF78000000000;
    DWORD old;
    wchar_t *pages = VirtualAlloc(NULL, 0x2000, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    VirtualProtect((char *)pages + 0x1000, 0x1000, PAGE_NOACCESS, &old);
    wchar_t *unterminated = (wchar_t *)((char *)pages + 0x1000) - 4, *locked = VirtualAlloc(NULL, 0x1000, MEM_COMMIT, PAGE_READWRITE);
    for (int i = 0; i < 4; i++) unterminated[i] = L'x';
    swprintf_s(locked, 0x800, L"%ls", self);
    VirtualProtect(locked, 0x1000, PAGE_READONLY, &old);
    wchar_t *longest = malloc(40000 * sizeof *longest);
    for (int i = 0; i < 40000; i++) longest[i] = L'y';
    longest[39999] = 0;
    STARTUPINFOW empty = {0};
    STARTUPINFOEXW extended = {.StartupInfo.cb = sizeof extended, .lpAttributeList = nowhere};
    AddVectoredExceptionHandler(1, caught);
    attempt("right", (CALL){self, NULL, NULL, NULL, &startup});
    attempt("nothing", (CALL){NULL, NULL, NULL, NULL, &startup});
    attempt("program nowhere", (CALL){nowhere, NULL, NULL, NULL, &startup});
    attempt("program in the kernel", (CALL){kernel, NULL, NULL, NULL, &startup});
    attempt("program without end", (CALL){unterminated, NULL, NULL, NULL, &startup});
    attempt("line nowhere", (CALL){self, nowhere, NULL, NULL, &startup});
    attempt("line without end", (CALL){self, unterminated, NULL, NULL, &startup});
    attempt("line read-only", (CALL){self, locked, NULL, NULL, &startup});
    attempt("line too long", (CALL){self, longest, NULL, NULL, &startup});
    attempt("program too long", (CALL){longest, NULL, NULL, NULL, &startup});
    attempt("directory nowhere", (CALL){self, NULL, NULL, nowhere, &startup});
    attempt("directory too long", (CALL){self, NULL, NULL, longest, &startup});
    attempt("directory absent", (CALL){self, NULL, NULL, L"C:\\absent", &startup});
    attempt("environment nowhere", (CALL){self, NULL, nowhere, NULL, &startup, NULL, CREATE_UNICODE_ENVIRONMENT});
    attempt("environment without end", (CALL){self, NULL, unterminated, NULL, &startup, NULL, CREATE_UNICODE_ENVIRONMENT});
    attempt("startup nowhere", (CALL){self, NULL, NULL, NULL, nowhere, (void *)pages});
    attempt("startup empty", (CALL){self, NULL, NULL, NULL, &empty, (void *)pages});
    attempt("answer nowhere", (CALL){self, NULL, NULL, NULL, &startup, nowhere});
    attempt("answer read-only", (CALL){self, NULL, NULL, NULL, &startup, (void *)locked});
    attempt("attributes nowhere", (CALL){self, NULL, NULL, NULL, &extended.StartupInfo, (void *)pages, EXTENDED_STARTUPINFO_PRESENT});
}

static HANDLE spawn(const wchar_t *what, int number, DWORD flags)
{
    wchar_t line[64];
    PROCESS_INFORMATION made;
    swprintf_s(line, ARRAYSIZE(line), L"hostile %ls %d", what, number);
    if (!CreateProcessW(self, line, NULL, NULL, FALSE, flags, NULL, NULL, &startup, &made)) return NULL;
    CloseHandle(made.hThread);
    return made.hProcess;
}

static DWORD reap(HANDLE process)
{
    DWORD code = 0;
    WaitForSingleObject(process, INFINITE);
    GetExitCodeProcess(process, &code);
    CloseHandle(process);
    return code;
}

// A tree as deep as the number says; each tells its parent how many it had below.
static DWORD deep(int number)
{
    HANDLE child = number ? spawn(L"deep", number - 1, 0) : NULL;
    return child ? reap(child) + 1 : 0;
}

// Each process starts two more like itself, until the job's limit stops them.
static DWORD bomb(int generation)
{
    HANDLE first = spawn(L"bomb", generation + 1, 0), second = spawn(L"bomb", generation + 1, 0);
    if (first) reap(first);
    if (second) reap(second);
    return 0;
}

static void explode(void)
{
    HANDLE job = CreateJobObjectW(NULL, NULL);
    JOBOBJECT_BASIC_LIMIT_INFORMATION limit = {.LimitFlags = JOB_OBJECT_LIMIT_ACTIVE_PROCESS, .ActiveProcessLimit = 12};
    SetInformationJobObject(job, JobObjectBasicLimitInformation, &limit, sizeof limit);
    AssignProcessToJobObject(job, GetCurrentProcess());
    bomb(0);
    JOBOBJECT_BASIC_ACCOUNTING_INFORMATION told;
    QueryInformationJobObject(job, JobObjectBasicAccountingInformation, &told, sizeof told, NULL);
    printf("active %lu, more than its limit %d, refused %d\n", told.ActiveProcesses, told.TotalProcesses > 12, told.TotalTerminatedProcesses > 0);
}

// Children until there is no memory; then none, and all begins anew.
static void exhaust(void)
{
    int counts[2];
    for (int round = 0; round < 2; round++) {
        HANDLE children[500];
        int count = 0;
        while (count < 500 && (children[count] = spawn(L"deep", 0, CREATE_SUSPENDED))) count++;
        printf("round %d ended with %lu\n", round, GetLastError());
        for (int i = 0; i < count; i++) TerminateProcess(children[i], 0), reap(children[i]);
        counts[round] = count;
    }
    // One fewer at most: the kernel's pool keeps the pages it has grown by.
    printf("as many again: %d; and one that runs: %lu\n", counts[1] + 1 >= counts[0] && counts[0] > 3, deep(1));
}

// Parents that are killed while they make children.
static void murder(void)
{
    for (int moment = 0; moment < 30; moment++) {
        // A parent that dies inside CreateProcess leaves a child that nobody resumes: the job ends it.
        HANDLE job = CreateJobObjectW(NULL, NULL);
        JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
        limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
        HANDLE parent = spawn(L"breed", 3, 0);
        AssignProcessToJobObject(job, parent);
        for (int i = 0; i < moment; i++) SwitchToThread();
        TerminateProcess(parent, 5);
        printf("%lu ", reap(parent));
        CloseHandle(job);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    GetModuleFileNameW(NULL, self, MAX_PATH);
    const char *what = argc > 1 ? argv[1] : "";
    int number = argc > 2 ? atoi(argv[2]) : 0;
    if (!strcmp(what, "deep")) return deep(number);
    if (!strcmp(what, "bomb")) return bomb(number);
    if (!strcmp(what, "breed")) {
        while (number--) reap(spawn(L"deep", 0, 0));
        return 0;
    }
    if (!strcmp(what, "tree")) printf("depth %lu\n", deep(100));
    else if (!strcmp(what, "explode")) explode();
    else if (!strcmp(what, "exhaust")) exhaust();
    else if (!strcmp(what, "murder")) murder();
    else arguments();
    return 21;
}
