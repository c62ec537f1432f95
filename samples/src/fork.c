// Does fork work: one memory that becomes two, views that go along or stay behind, handles, threads, exit codes?
#include "sample.h"
#include <winternl.h>

typedef struct {
    ULONG Length;
    HANDLE Process, Thread;
    CLIENT_ID ClientId;
    char ImageInformation[0x40];
} INFORMATION;

NTSTATUS NTAPI RtlCloneUserProcess(ULONG, void *, void *, HANDLE, INFORMATION *);
NTSTATUS NTAPI NtCreateProcessEx(HANDLE *, ACCESS_MASK, void *, HANDLE, ULONG, HANDLE, HANDLE, HANDLE, ULONG);
NTSTATUS NTAPI NtMapViewOfSection(HANDLE, HANDLE, void **, ULONG_PTR, SIZE_T, LARGE_INTEGER *, SIZE_T *, ULONG, ULONG, ULONG);
NTSTATUS NTAPI NtResumeThread(HANDLE, ULONG *);

enum { SUSPENDED = 1, INHERIT_HANDLES = 2, CLONED = 0x129, PAGES = 64 };
static int global = 1;
static int *shared, *left;

static DWORD finish(HANDLE process)
{
    DWORD code = 0;
    WaitForSingleObject(process, INFINITE);
    GetExitCodeProcess(process, &code);
    CloseHandle(process);
    return code;
}

static DWORD WINAPI second(void *argument)
{
    return *(int *)argument + 1;
}

static int child(int *heap, int *constant)
{
    MEMORY_BASIC_INFORMATION range;
    char *peb = (char *)NtCurrentTeb()->ProcessEnvironmentBlock;
    printf("child sees %d, %d and %d; inherited %d\n", global, heap[0], heap[PAGES * 1024 - 1], *peb);
    global = 100, heap[0] = 200, *shared = 300;
    VirtualQuery(heap, &range, sizeof range);
    printf("child's heap is 0x%lx", range.Protect);
    VirtualQuery(left, &range, sizeof range);
    printf(", the unshared view 0x%lx\n", range.State);
    DWORD old = 0;
    VirtualProtect(constant, 0x1000, PAGE_READWRITE, &old);
    *constant = 12;
    char *more = malloc(100000);
    memset(more, 1, 100000);
    free(more);
    int number = 40;
    HANDLE thread = CreateThread(NULL, 0, second, &number, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
    DWORD code = 0;
    GetExitCodeThread(thread, &code);
    printf("child's thread %lu\n", code);
    return global + heap[0] + *shared;
}

static void by_handle(void)
{
    // A clone without threads: a snapshot that others may read, here of the caller itself.
    HANDLE process = NULL;
    global = 5;
    printf("snapshot: 0x%08lx", (ULONG)NtCreateProcessEx(&process, 0x1FFFFF, NULL, GetCurrentProcess(), 0, NULL, NULL, NULL, 0));
    global = 6;
    int then = 0;
    SIZE_T done = 0;
    ReadProcessMemory(process, &global, &then, sizeof then, &done);
    printf(", then %d, now %d\n", then, global);
    TerminateProcess(process, 9);
    printf("snapshot ended with %lu\n", finish(process));
    printf("forged: 0x%08lx\n", (ULONG)NtCreateProcessEx(&process, 0x1FFFFF, NULL, (HANDLE)0xDEAD0, 0, NULL, NULL, NULL, 0));
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    int *heap = malloc(PAGES * 0x1000);
    for (int i = 0; i < PAGES * 1024; i++) heap[i] = i + 3;
    int *constant = VirtualAlloc(NULL, 0x1000, MEM_COMMIT, PAGE_READWRITE);
    DWORD old = 0;
    *constant = 11;
    VirtualProtect(constant, 0x1000, PAGE_READONLY, &old);
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 0x1000, NULL);
    shared = MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, 0);
    SIZE_T size = 0;
    NtMapViewOfSection(section, GetCurrentProcess(), (void **)&left, 0, 0, NULL, &size, 2, 0, PAGE_READWRITE);
    INFORMATION made;
    NTSTATUS status = RtlCloneUserProcess(SUSPENDED | INHERIT_HANDLES, NULL, NULL, NULL, &made);
    if (status == CLONED) return child(heap, constant);
    printf("parent: 0x%08lx, %d in the list\n", (ULONG)status, made.ClientId.UniqueProcess == (HANDLE)(ULONG_PTR)GetProcessId(made.Process));
    global = 2, heap[PAGES * 1024 - 1] = 1;
    ULONG former = 99;
    NtResumeThread(made.Thread, &former);
    CloseHandle(made.Thread);
    printf("was suspended %lu times, exit code %lu\n", former, finish(made.Process));
    printf("parent has %d, %d, %d, %d and %d\n", global, heap[0], heap[PAGES * 1024 - 1], *constant, *shared);
    by_handle();
    return 17;
}
