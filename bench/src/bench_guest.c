/* One kind of work, done a number of times: bench_guest.exe KIND COUNT. Prints nothing; exit code 2 for a
   kind it does not know. The host measures two counts and takes the difference, so start-up does not count. */
#include <windows.h>
#include <stdlib.h>
#include <string.h>

__declspec(dllimport) LONG NTAPI NtClose(HANDLE Handle);
__declspec(dllimport) LONG NTAPI NtYieldExecution(void);

static const char *self;

static PROCESS_INFORMATION start(const char *kind) {
    STARTUPINFOA startup = {sizeof startup};
    PROCESS_INFORMATION child = {0};
    char line[MAX_PATH + 32];
    strcpy(line, "bench_guest.exe ");
    strcat(line, kind);
    strcat(line, " 1");
    if (!CreateProcessA(self, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &child)) ExitProcess(3);
    return child;
}

static void finish(PROCESS_INFORMATION child) {
    DWORD code = 0;
    WaitForSingleObject(child.hProcess, INFINITE);
    if (!GetExitCodeProcess(child.hProcess, &code) || code != 0) ExitProcess(4);
    CloseHandle(child.hThread);
    CloseHandle(child.hProcess);
}

static DWORD WINAPI nothing(void *argument) {
    (void)argument;
    return 0;
}

static void thread(void) {
    HANDLE one = CreateThread(NULL, 0, nothing, NULL, 0, NULL);
    if (!one || WaitForSingleObject(one, INFINITE) != WAIT_OBJECT_0) ExitProcess(6);
    CloseHandle(one);
}

static void heap(unsigned long long count) {
    HANDLE heap = GetProcessHeap();
    while (count--) HeapFree(heap, 0, HeapAlloc(heap, 0, 64));
}

/* COUNT pages touched for the first time. */
static void fault(unsigned long long count) {
    char *pages = VirtualAlloc(NULL, count << 12, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (!pages) ExitProcess(7);
    while (count--) ((volatile char *)pages)[count << 12] = 1;
}

/* COUNT children alive at once, then all let go. */
static void crowd(unsigned long long count) {
    HANDLE go = CreateEventA(NULL, TRUE, FALSE, "bench-go");
    PROCESS_INFORMATION *children = calloc(count, sizeof *children);
    for (unsigned long long i = 0; i < count; i++) children[i] = start("stand");
    Sleep(1000); /* the machine's time: every child reaches its wait */
    SetEvent(go);
    for (unsigned long long i = 0; i < count; i++) finish(children[i]);
}

static void stand(void) {
    HANDLE go = OpenEventA(SYNCHRONIZE, FALSE, "bench-go");
    if (!go || WaitForSingleObject(go, INFINITE) != WAIT_OBJECT_0) ExitProcess(5);
}

/* The two loops have the very bytes of bench/raw.py. */
static void count_down(unsigned long long count) {
    __asm__ volatile("1: addq $3, %%rax; decq %%rcx; jnz 1b" : "+c"(count) : : "rax", "cc");
}

static void touch(unsigned long long count) {
    static volatile unsigned long long cell;
    __asm__ volatile("1: movq (%%rsi), %%rdx; addq %%rcx, %%rdx; movq %%rdx, (%%rsi); decq %%rcx; jnz 1b"
                     : "+c"(count) : "S"(&cell) : "rdx", "cc", "memory");
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    const char *kind = argv[1];
    unsigned long long count = strtoull(argv[2], NULL, 10);
    static char path[MAX_PATH];
    GetModuleFileNameA(NULL, path, sizeof path);
    self = path;
    if (!strcmp(kind, "none")) return 0;
    else if (!strcmp(kind, "close")) while (count--) NtClose(NULL);
    else if (!strcmp(kind, "yield")) while (count--) NtYieldExecution();
    else if (!strcmp(kind, "lasterror")) while (count--) GetLastError();
    else if (!strcmp(kind, "tls")) while (count--) TlsGetValue(1);
    else if (!strcmp(kind, "processid")) while (count--) GetCurrentProcessId();
    else if (!strcmp(kind, "heap")) heap(count);
    else if (!strcmp(kind, "fault")) fault(count);
    else if (!strcmp(kind, "thread")) while (count--) thread();
    else if (!strcmp(kind, "stdhandle")) while (count--) GetStdHandle(STD_OUTPUT_HANDLE);
    else if (!strcmp(kind, "instructions")) count_down(count);
    else if (!strcmp(kind, "memory")) touch(count);
    else if (!strcmp(kind, "spawn")) while (count--) finish(start("none"));
    else if (!strcmp(kind, "crowd")) crowd(count);
    else if (!strcmp(kind, "stand")) stand();
    else return 2;
    return 0;
}
