// Does structured exception handling find the right filter, with the right record, and unwind in the right order?
#include "sample.h"

typedef void Action(void *argument);
static char *page;

static void describe(EXCEPTION_RECORD *record)
{
    printf("  code %08lx flags %lx parameters %lu", record->ExceptionCode, record->ExceptionFlags & EXCEPTION_NONCONTINUABLE, record->NumberParameters);
    if (record->ExceptionCode == EXCEPTION_ACCESS_VIOLATION)
        printf(" kind %llu address %s", record->ExceptionInformation[0],
               record->ExceptionInformation[1] == (ULONG_PTR)page ? "page" :
               record->ExceptionInformation[1] == 0 ? "null" : "other");
    else
        for (DWORD i = 0; i < record->NumberParameters; i++) printf(" %llx", record->ExceptionInformation[i]);
    printf("\n");
}

static int show(EXCEPTION_POINTERS *info)
{
    describe(info->ExceptionRecord);
    return EXCEPTION_EXECUTE_HANDLER;
}

static void write_at(void *p) { *(volatile int *)p = 1; }
static void read_at(void *p) { (void)*(volatile int *)p; }
static void execute_at(void *p) { ((void (*)(void))p)(); }
static void divide(void *p) { volatile int zero = 0; (void)p; zero = 7 / zero; }
static void overflow(void *p) { (void)p; __asm__ volatile("movl $0x80000000, %%eax; cltd; movl $-1, %%ecx; idivl %%ecx" ::: "eax", "ecx", "edx"); }
static void illegal(void *p) { (void)p; __asm__ volatile("ud2"); }
static void privileged(void *p) { (void)p; __asm__ volatile("hlt"); }
static void breakpoint(void *p) { (void)p; __asm__ volatile("int3"); }
static void raise(void *p)
{
    ULONG_PTR arguments[3] = {0x11, 0x22, (ULONG_PTR)p};
    RaiseException(0xE0000001, 0, 3, arguments);
}

static void attempt(const char *label, Action *volatile action, void *argument)
{
    printf("%s\n", label);
    __try {
        action(argument);
        printf("  no exception\n");
    } __except (show(GetExceptionInformation())) {
        printf("  caught %08lx\n", GetExceptionCode());
    }
}

static __attribute__((noinline)) void inner(Action *volatile action)
{
    __try {
        printf("  inner body\n");
        action(NULL);
    } __finally {
        printf("  inner finally, abnormal %d\n", !!AbnormalTermination());
    }
}

static __attribute__((noinline)) void middle(Action *volatile action)
{
    __try {
        inner(action);
        printf("  middle body goes on\n");
    } __finally {
        printf("  middle finally, abnormal %d\n", !!AbnormalTermination());
    }
}

static int decline(int code)
{
    printf("  inner filter declines %08x\n", code);
    return EXCEPTION_CONTINUE_SEARCH;
}

static int accept(int code)
{
    printf("  outer filter accepts %08x\n", code);
    return EXCEPTION_EXECUTE_HANDLER;
}

static void nothing(void *p) { (void)p; }

static void unwinding(void)
{
    printf("no exception through two frames\n");
    middle(nothing);
    printf("exception through two frames\n");
    __try {
        __try {
            middle(raise);
        } __except (decline(GetExceptionCode())) {
            printf("  not reached\n");
        }
    } __except (accept(GetExceptionCode())) {
        printf("  outer handler\n");
    }
}

static void nested(void)
{
    Action *volatile again = write_at;
    printf("exception inside a handler\n");
    __try {
        __try {
            again(NULL);
        } __except (show(GetExceptionInformation())) {
            printf("  first handler raises\n");
            again = raise;
            again(NULL);
        }
    } __except (show(GetExceptionInformation())) {
        printf("  second handler\n");
    }
}

static int repair(EXCEPTION_POINTERS *info)
{
    DWORD old;
    describe(info->ExceptionRecord);
    VirtualProtect(page, 4096, PAGE_READWRITE, &old);
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void continuing(void)
{
    Action *volatile action = write_at;
    printf("filter repairs and continues\n");
    __try {
        action(page);
        printf("  the store went through: %d\n", *(volatile int *)page);
    } __except (repair(GetExceptionInformation())) {
        printf("  not reached\n");
    }
}

static int not_continuable(EXCEPTION_POINTERS *info)
{
    describe(info->ExceptionRecord);
    if (info->ExceptionRecord->ExceptionCode == (DWORD)STATUS_NONCONTINUABLE_EXCEPTION) return EXCEPTION_EXECUTE_HANDLER;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void raise_noncontinuable(void *p) { (void)p; RaiseException(0xE0000002, EXCEPTION_NONCONTINUABLE, 0, NULL); }

static void noncontinuable(void)
{
    Action *volatile action = raise_noncontinuable;
    printf("continuing what cannot be continued\n");
    __try {
        action(NULL);
    } __except (not_continuable(GetExceptionInformation())) {
        printf("  caught %08lx\n", GetExceptionCode());
    }
}

int main(void)
{
    page = VirtualAlloc(NULL, 4096, MEM_RESERVE | MEM_COMMIT, PAGE_READONLY);
    attempt("write to null", write_at, NULL);
    attempt("read from null", read_at, NULL);
    attempt("write to a read-only page", write_at, page);
    attempt("execute a data page", execute_at, page);
    attempt("divide by zero", divide, NULL);
    attempt("divide overflow", overflow, NULL);
    attempt("illegal instruction", illegal, NULL);
    attempt("privileged instruction", privileged, NULL);
    attempt("breakpoint", breakpoint, NULL);
    attempt("raise", raise, (void *)0x33);
    attempt("nothing", nothing, NULL);
    unwinding();
    nested();
    continuing();
    noncontinuable();
    printf("done\n");
    return 21;
}
