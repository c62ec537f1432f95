// Do ntdll's own ways to a process work: RtlCreateUserProcess, and section, process, parameters and thread one by one?
#include "sample.h"
#include <winternl.h>

typedef struct {
    ULONG Length;
    HANDLE Process, Thread;
    CLIENT_ID ClientId;
    char ImageInformation[0x40];
} INFORMATION;

NTSTATUS NTAPI RtlCreateProcessParametersEx(void **, UNICODE_STRING *, UNICODE_STRING *, UNICODE_STRING *, UNICODE_STRING *,
    void *, UNICODE_STRING *, UNICODE_STRING *, UNICODE_STRING *, UNICODE_STRING *, ULONG);
NTSTATUS NTAPI RtlCreateUserProcess(UNICODE_STRING *, ULONG, void *, void *, void *, HANDLE, BOOLEAN, HANDLE, HANDLE, INFORMATION *);
NTSTATUS NTAPI NtCreateSection(HANDLE *, ACCESS_MASK, void *, LARGE_INTEGER *, ULONG, ULONG, HANDLE);
NTSTATUS NTAPI NtCreateProcessEx(HANDLE *, ACCESS_MASK, void *, HANDLE, ULONG, HANDLE, HANDLE, HANDLE, ULONG);
NTSTATUS NTAPI NtCreateThreadEx(HANDLE *, ACCESS_MASK, void *, HANDLE, void *, void *, ULONG, SIZE_T, SIZE_T, SIZE_T, void *);
NTSTATUS NTAPI NtResumeThread(HANDLE, ULONG *);

static wchar_t self[MAX_PATH], native[MAX_PATH + 8], line[] = L"native child";
static UNICODE_STRING image, command;
static void *parameters;

static DWORD finish(HANDLE process)
{
    DWORD code = 0;
    WaitForSingleObject(process, INFINITE);
    GetExitCodeProcess(process, &code);
    return code;
}

static void one_call(void)
{
    INFORMATION made;
    DWORD before = 0, after = 0;
    GetProcessHandleCount(GetCurrentProcess(), &before);
    NTSTATUS status = RtlCreateUserProcess(&image, 0x40, parameters, NULL, NULL, NULL, FALSE, NULL, NULL, &made);
    GetProcessHandleCount(GetCurrentProcess(), &after);
    printf("RtlCreateUserProcess: 0x%08lx, %lu handles more\n", (ULONG)status, after - before);
    ULONG former = 99;
    NtResumeThread(made.Thread, &former);
    printf("was suspended %lu times, exit code %lu\n", former, finish(made.Process));
    CloseHandle(made.Thread), CloseHandle(made.Process);
}

static char *write_parameters(HANDLE process, void *peb)
{
    SIZE_T size = *(ULONG *)parameters + *(SIZE_T *)((char *)parameters + 0x3F0);
    char *there = VirtualAllocEx(process, parameters, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (!there) there = VirtualAllocEx(process, NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    char *copy = HeapAlloc(GetProcessHeap(), 0, size);
    LONG_PTR shift = there - (char *)parameters;
    memcpy(copy, parameters, size);
    static const int strings[] = {0x38, 0x50, 0x60, 0x70, 0xB0, 0xC0, 0xD0, 0xE0};
    for (unsigned i = 0; i < ARRAYSIZE(strings); i++) {
        UNICODE_STRING *text = (UNICODE_STRING *)(copy + strings[i]);
        if (text->Buffer) text->Buffer = (wchar_t *)((char *)text->Buffer + shift);
    }
    *(char **)(copy + 0x80) += shift;
    WriteProcessMemory(process, there, copy, size, NULL);
    WriteProcessMemory(process, (char *)peb + 0x20, &there, sizeof there, NULL);
    HeapFree(GetProcessHeap(), 0, copy);
    return there;
}

static void two_steps(void)
{
    HANDLE file = CreateFileW(self, GENERIC_READ | GENERIC_EXECUTE, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0, NULL);
    HANDLE section = NULL, data = NULL, process = NULL, thread = NULL;
    printf("section: 0x%08lx\n", (ULONG)NtCreateSection(&section, 0xF001F, NULL, NULL, PAGE_EXECUTE, 0x1000000, file));
    NtCreateSection(&data, 0xF001F, NULL, NULL, PAGE_READONLY, 0x8000000, file);
    printf("of data: 0x%08lx\n", (ULONG)NtCreateProcessEx(&process, 0x1FFFFF, NULL, GetCurrentProcess(), 0, data, NULL, NULL, 0));
    printf("bad flag: 0x%08lx\n", (ULONG)NtCreateProcessEx(&process, 0x1FFFFF, NULL, GetCurrentProcess(), 0x80000000, section, NULL, NULL, 0));
    printf("process: 0x%08lx\n", (ULONG)NtCreateProcessEx(&process, 0x1FFFFF, NULL, GetCurrentProcess(), 4, section, NULL, NULL, 0));
    PROCESS_BASIC_INFORMATION basic;
    NtQueryInformationProcess(process, ProcessBasicInformation, &basic, sizeof basic, NULL);
    printf("alive without threads: %d\n", WaitForSingleObject(process, 0) == WAIT_TIMEOUT);
    write_parameters(process, basic.PebBaseAddress);
    IMAGE_DOS_HEADER *dos = (IMAGE_DOS_HEADER *)GetModuleHandleW(NULL);
    IMAGE_NT_HEADERS *headers = (IMAGE_NT_HEADERS *)((char *)dos + dos->e_lfanew);
    char *base = NULL;
    ReadProcessMemory(process, (char *)basic.PebBaseAddress + 0x10, &base, sizeof base, NULL);
    printf("thread: 0x%08lx\n", (ULONG)NtCreateThreadEx(&thread, 0x1FFFFF, NULL, process,
        base + headers->OptionalHeader.AddressOfEntryPoint, basic.PebBaseAddress, 0, 0, 0, 0, NULL));
    printf("exit code %lu\n", finish(process));
    CloseHandle(thread), CloseHandle(process), CloseHandle(section), CloseHandle(data), CloseHandle(file);
}

static void refused(void)
{
    INFORMATION made;
    UNICODE_STRING nothing;
    RtlInitUnicodeString(&nothing, L"\\??\\C:\\absent.exe");
    printf("absent: 0x%08lx\n", (ULONG)RtlCreateUserProcess(&nothing, 0x40, parameters, NULL, NULL, NULL, FALSE, NULL, NULL, &made));
    printf("forged parent: 0x%08lx\n",
           (ULONG)RtlCreateUserProcess(&image, 0x40, parameters, NULL, NULL, (HANDLE)0xDEAD0, FALSE, NULL, NULL, &made));
    printf("forged token: 0x%08lx\n",
           (ULONG)RtlCreateUserProcess(&image, 0x40, parameters, NULL, NULL, NULL, FALSE, NULL, (HANDLE)0xDEAD0, &made));
}

int main(int argc, char **argv)
{
    if (argc > 1) return !strcmp(argv[1], "child") ? 41 : 2;
    GetModuleFileNameW(NULL, self, MAX_PATH);
    wcscpy(native, L"\\??\\");
    wcscat(native, self);
    RtlInitUnicodeString(&image, native);
    RtlInitUnicodeString(&command, line);
    UNICODE_STRING path;
    RtlInitUnicodeString(&path, self);
    if (RtlCreateProcessParametersEx(&parameters, &path, NULL, NULL, &command, NULL, NULL, NULL, NULL, NULL, 1)) return 1;
    one_call();
    two_steps();
    refused();
    return 0;
}
