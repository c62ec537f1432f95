// What exit code does a process die with, for each way of dying?
#include "sample.h"

static __attribute__((noinline)) int overflow(int depth)
{
    volatile char frame[4096];
    frame[0] = (char)depth;
    return depth ? overflow(depth - 1) + frame[0] : 0;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    volatile int zero = 0;
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    printf("dying by %s\n", mode);
    fflush(stdout);
    if (!strcmp(mode, "write")) *(volatile int *)(ULONG_PTR)zero = 1;
    if (!strcmp(mode, "read")) zero = *(volatile int *)(ULONG_PTR)(zero + 0x10);
    if (!strcmp(mode, "execute")) ((void (*)(void))(ULONG_PTR)(zero + 0x1000))();
    if (!strcmp(mode, "null")) ((void (*)(void))(ULONG_PTR)zero)();
    if (!strcmp(mode, "stack")) zero = overflow(1 << 24);
    if (!strcmp(mode, "divide")) __asm__ volatile("xorl %%ecx, %%ecx; xorl %%edx, %%edx; idivl %%ecx" ::: "eax", "ecx", "edx");
    if (!strcmp(mode, "ud2")) __asm__ volatile("ud2");
    if (!strcmp(mode, "privileged")) __asm__ volatile("cli");
    if (!strcmp(mode, "int3")) __asm__ volatile("int3");
    if (!strcmp(mode, "fastfail")) __asm__ volatile("int $0x29" ::"c"(7));
    if (!strcmp(mode, "raise")) RaiseException(0xE0001234, 0, 0, NULL);
    if (!strcmp(mode, "abort")) abort();
    if (!strcmp(mode, "abort3")) {
        _set_abort_behavior(0, _WRITE_ABORT_MSG | _CALL_REPORTFAULT);
        abort();
    }
    if (!strcmp(mode, "terminate")) TerminateProcess(GetCurrentProcess(), 77);
    printf("still alive\n");
    return 1;
}
