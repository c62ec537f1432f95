// In which order are vectored handlers asked, and does editing the CONTEXT move the thread?
#include "sample.h"

static int depth;

static LONG CALLBACK report(const char *who, EXCEPTION_POINTERS *info)
{
    printf("  %s sees %08lx\n", who, info->ExceptionRecord->ExceptionCode);
    return EXCEPTION_CONTINUE_SEARCH;
}

static LONG CALLBACK first(EXCEPTION_POINTERS *info) { return report("first", info); }
static LONG CALLBACK second(EXCEPTION_POINTERS *info) { return report("second", info); }
static LONG CALLBACK continued(EXCEPTION_POINTERS *info) { return report("continue handler", info); }

static LONG CALLBACK skip(EXCEPTION_POINTERS *info)
{
    report("skip", info);
    printf("  record and context agree: %d\n", (ULONG_PTR)info->ExceptionRecord->ExceptionAddress == info->ContextRecord->Rip);
    info->ContextRecord->Rip += info->ExceptionRecord->ExceptionCode == EXCEPTION_BREAKPOINT ? 1 : 2;
    info->ContextRecord->Rbx = 0x1234;
    depth++;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static LONG CALLBACK unhandled(EXCEPTION_POINTERS *info)
{
    report("unhandled filter", info);
    fflush(stdout);
    ExitProcess(33);
}

static unsigned long long trap_ud2(void)
{
    unsigned long long value;
    __asm__ volatile("xorl %%ebx, %%ebx; ud2; movq %%rbx, %0" : "=r"(value)::"rbx");
    return value;
}

int main(void)
{
    void *one = AddVectoredExceptionHandler(0, first);
    void *two = AddVectoredExceptionHandler(0, second);
    void *last = AddVectoredExceptionHandler(0, skip);
    void *after = AddVectoredContinueHandler(1, continued);
    printf("in the order added\n");
    printf("  rbx after: %llx\n", trap_ud2());
    RemoveVectoredExceptionHandler(two);
    two = AddVectoredExceptionHandler(1, second);
    printf("second put in front\n");
    printf("  rbx after: %llx\n", trap_ud2());
    printf("first removed: %lu\n", RemoveVectoredExceptionHandler(one));
    printf("  rbx after: %llx\n", trap_ud2());
    printf("breakpoint\n");
    __asm__ volatile("int3" ::: "rbx");
    printf("  traps skipped: %d\n", depth);
    RemoveVectoredExceptionHandler(last);
    RemoveVectoredExceptionHandler(two);
    RemoveVectoredContinueHandler(after);
    printf("remove twice: %lu\n", RemoveVectoredExceptionHandler(last));
    SetUnhandledExceptionFilter(unhandled);
    printf("filter returned by a second set: %d\n", SetUnhandledExceptionFilter(unhandled) == unhandled);
    printf("nobody handles\n");
    RaiseException(0xE0000042, 0, 0, NULL);
    printf("not reached\n");
    return 1;
}
