// What do the doors to a new process answer when they are asked for what cannot be, and for what can?
#include "sample.h"
#include <shellapi.h>
#include <winternl.h>

static wchar_t self[MAX_PATH];

static DWORD create(const wchar_t *name, const wchar_t *text, DWORD flags, void *attributes, BOOL inherit, DWORD *code)
{
    wchar_t line[512];
    STARTUPINFOEXW startup = {.StartupInfo = {.cb = sizeof startup}, .lpAttributeList = attributes};
    PROCESS_INFORMATION child;
    if (text) wcscpy(line, text);
    SetLastError(0);
    if (attributes) flags |= EXTENDED_STARTUPINFO_PRESENT;
    if (!CreateProcessW(name, text ? line : NULL, NULL, NULL, inherit, flags, NULL, NULL, &startup.StartupInfo, &child))
        return GetLastError();
    WaitForSingleObject(child.hProcess, INFINITE);
    DWORD result = 0;
    GetExitCodeProcess(child.hProcess, &result);
    if (code) *code = result;
    CloseHandle(child.hThread);
    CloseHandle(child.hProcess);
    return 0;
}

static void flags(void)
{
    DWORD code = 0;
    printf("nothing: %lu\n", create(NULL, NULL, 0, NULL, FALSE, NULL));
    printf("detached and new console: %lu\n",
           create(self, L"doors exit", DETACHED_PROCESS | CREATE_NEW_CONSOLE, NULL, FALSE, NULL));
    printf("both DOS machines: %lu\n",
           create(self, L"doors exit", CREATE_SEPARATE_WOW_VDM | CREATE_SHARED_WOW_VDM, NULL, FALSE, NULL));
    printf("absent file: %lu\n", create(L"C:\\absent.exe", NULL, 0, NULL, FALSE, NULL));
    printf("absent folder: %lu\n", create(L"C:\\absent\\absent.exe", NULL, 0, NULL, FALSE, NULL));
    printf("a folder: %lu\n", create(L"C:\\Windows", NULL, 0, NULL, FALSE, NULL));
    printf("class of idle|high: %lu", create(self, L"doors class", IDLE_PRIORITY_CLASS | HIGH_PRIORITY_CLASS, NULL, FALSE, &code));
    printf(" child says 0x%lx\n", code);
    printf("class of high: %lu", create(self, L"doors class", HIGH_PRIORITY_CLASS, NULL, FALSE, &code));
    printf(" child says 0x%lx\n", code);
}

static void *list(DWORD_PTR attribute, void *value, SIZE_T size)
{
    static char room[256];
    SIZE_T length = sizeof room;
    InitializeProcThreadAttributeList((void *)room, 1, 0, &length);
    if (!UpdateProcThreadAttribute((void *)room, 0, attribute, value, size, NULL, NULL))
        printf("attribute 0x%llx: %lu\n", (unsigned long long)attribute, GetLastError());
    return room;
}

static void attributes(void)
{
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    HANDLE chosen = CreateEventW(&inherit, TRUE, FALSE, NULL), other = CreateEventW(&inherit, TRUE, FALSE, NULL);
    HANDLE secret = CreateEventW(NULL, TRUE, FALSE, NULL), job = CreateJobObjectW(NULL, NULL);
    DWORD code = 99, policy = 1, level = 0;
    wchar_t line[128];
    swprintf(line, ARRAYSIZE(line), L"doors handles %llu %llu", (ULONG_PTR)chosen, (ULONG_PTR)other);
    printf("all handles: %lu", create(self, line, 0, NULL, TRUE, &code));
    printf(" child has %lu\n", code);
    printf("listed handle: %lu", create(self, line, 0, list(0x20002, &chosen, 8), TRUE, &code));
    printf(" child has %lu\n", code);
    printf("list without inheritance: %lu\n", create(self, line, 0, list(0x20002, &chosen, 8), FALSE, NULL));
    printf("a handle that is not inheritable: %lu\n", create(self, line, 0, list(0x20002, &secret, 8), TRUE, NULL));
    printf("in a job: %lu", create(self, L"doors job", 0, list(0x2000D, &job, 8), FALSE, &code));
    printf(" child says %lu\n", code);
    printf("an event for a job: %lu\n", create(self, L"doors job", 0, list(0x2000D, &chosen, 8), FALSE, NULL));
    printf("no children: %lu", create(self, L"doors child", 0, list(0x2000E, &policy, 4), FALSE, &code));
    printf(" child gets error %lu\n", code);
    printf("protected: %lu\n", create(self, L"doors exit", CREATE_PROTECTED_PROCESS, list(0x2000B, &level, 4), FALSE, NULL));
    ULONGLONG mitigation = 1ull << 32;  // extension points disabled, always
    printf("extension points: %lu", create(self, L"doors policy", 0, list(0x20007, &mitigation, 8), FALSE, &code));
    printf(" child reports %lu\n", code);
    CloseHandle(chosen), CloseHandle(other), CloseHandle(secret), CloseHandle(job);
}

static void parents(void)
{
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION keeper;
    wchar_t line[] = L"doors exit";
    DWORD code = 0;
    CreateProcessW(self, line, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &startup, &keeper);
    printf("another parent: %lu", create(self, L"doors parent", 0, list(0x20000, &keeper.hProcess, 8), FALSE, &code));
    printf(" it is %s\n", code == keeper.dwProcessId ? "that one" : "not that one");
    HANDLE weak = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, keeper.dwProcessId);
    printf("a parent without the right: %lu\n", create(self, line, 0, list(0x20000, &weak, 8), FALSE, NULL));
    CloseHandle(weak);
    TerminateProcess(keeper.hProcess, 0);
    WaitForSingleObject(keeper.hProcess, INFINITE);
    printf("a parent that is gone: %lu\n", create(self, line, 0, list(0x20000, &keeper.hProcess, 8), FALSE, NULL));
    CloseHandle(keeper.hThread), CloseHandle(keeper.hProcess);
}

static void batch(void)
{
    wchar_t file[MAX_PATH], shell[MAX_PATH], line[MAX_PATH + 16];
    DWORD code = 0;
    GetEnvironmentVariableW(L"ComSpec", shell, MAX_PATH);
    GetTempPathW(MAX_PATH, file);
    wcscat(file, L"doors once.bat");
    HANDLE handle = CreateFileW(file, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    WriteFile(handle, "exit 3\r\n", 8, &code, NULL);
    CloseHandle(handle);
    SetEnvironmentVariableW(L"ComSpec", self);
    swprintf(line, ARRAYSIZE(line), L"\"%ls\" one", file);
    printf("a batch file: %lu", create(NULL, line, 0, NULL, FALSE, &code));
    printf(" its shell was told /c %s\n", code == 70 ? "and the line" : "something else");
    SetEnvironmentVariableW(L"ComSpec", shell);
    DeleteFileW(file);
}

static void elevation(void)
{
    wchar_t admin[MAX_PATH];
    DWORD before = 0, after = 0;
    wcscpy(admin, self);
    wcscpy(wcsrchr(admin, L'\\') + 1, L"admin.exe");
    GetProcessHandleCount(GetCurrentProcess(), &before);
    printf("for administrators only: %lu", create(admin, NULL, 0, NULL, FALSE, NULL));
    GetProcessHandleCount(GetCurrentProcess(), &after);
    printf(", %ld handles left\n", (long)(after - before));
}

static void old(void)
{
    char line[MAX_PATH + 16];
    sprintf(line, "\"%ls\" exit", self);
    printf("WinExec: %u\n", WinExec(line, SW_HIDE));
    printf("WinExec of nothing there: %u\n", WinExec("C:\\absent.exe", SW_HIDE));
    printf("WinExec in no folder: %u\n", WinExec("C:\\absent\\absent.exe", SW_HIDE));
}

static void shell(void)
{
    wchar_t text[MAX_PATH];
    SHELLEXECUTEINFOW info = {.cbSize = sizeof info, .fMask = SEE_MASK_NOCLOSEPROCESS | SEE_MASK_NO_CONSOLE,
                              .lpFile = self, .lpParameters = L"code 5", .nShow = SW_HIDE};
    DWORD code = 0;
    printf("a program: %d", ShellExecuteExW(&info));
    WaitForSingleObject(info.hProcess, INFINITE);
    GetExitCodeProcess(info.hProcess, &code);
    printf(" exit %lu, %s\n", code, (INT_PTR)info.hInstApp > 32 ? "opened" : "not opened");
    CloseHandle(info.hProcess);
    GetTempPathW(MAX_PATH, text);
    wcscat(text, L"doors.unheard");
    CloseHandle(CreateFileW(text, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL));
    SetLastError(0);
    int answer = (int)(INT_PTR)ShellExecuteW(NULL, NULL, text, NULL, NULL, SW_HIDE);
    printf("no handler: %d, error %lu\n", answer, GetLastError());
    DeleteFileW(text);
    answer = (int)(INT_PTR)ShellExecuteW(NULL, NULL, L"C:\\absent.txt", NULL, NULL, SW_HIDE);
    printf("no file: %d, error %lu\n", answer, GetLastError());
}

static int child(char **argv)
{
    const char *what = argv[1];
    DWORD bits = 0;
    BOOL in_job = FALSE;
    if (!strcmp(what, "/c")) return strstr(GetCommandLineA(), "doors once.bat\" one") ? 70 : 71;
    if (!strcmp(what, "exit")) return 0;
    if (!strcmp(what, "code")) return atoi(argv[2]);
    if (!strcmp(what, "class")) return (int)GetPriorityClass(GetCurrentProcess());
    if (!strcmp(what, "handles")) {
        int count = 0;
        for (int i = 2; i < 4; i++) count += SetEvent((HANDLE)(ULONG_PTR)_strtoui64(argv[i], NULL, 10));
        return count;
    }
    if (!strcmp(what, "job")) return IsProcessInJob(GetCurrentProcess(), NULL, &in_job) && in_job;
    if (!strcmp(what, "child")) return (int)create(self, L"doors exit", 0, NULL, FALSE, NULL);
    if (!strcmp(what, "policy"))
        return GetProcessMitigationPolicy(GetCurrentProcess(), ProcessExtensionPointDisablePolicy, &bits, 4) ? (int)bits : -1;
    if (!strcmp(what, "parent")) {
        PROCESS_BASIC_INFORMATION basic;
        NtQueryInformationProcess(GetCurrentProcess(), ProcessBasicInformation, &basic, sizeof basic, NULL);
        return (int)(ULONG_PTR)basic.InheritedFromUniqueProcessId;
    }
    return 1;
}

int main(int argc, char **argv)
{
    GetModuleFileNameW(NULL, self, MAX_PATH);
    if (argc > 1) return child(argv);
    flags();
    attributes();
    parents();
    batch();
    elevation();
    old();
    shell();
    return 0;
}
