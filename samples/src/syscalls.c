// Do direct system calls work, with the service numbers that ntdll's own stubs carry?
#include "sample.h"
#include <winternl.h>

static DWORD number_of(const char *name)
{
    const unsigned char *stub = (void *)GetProcAddress(GetModuleHandleW(L"ntdll.dll"), name);
    if (!stub || memcmp(stub, "\x4C\x8B\xD1\xB8", 4)) { // mov r10, rcx; mov eax, number
        printf("%s: not a system call stub\n", name);
        fflush(stdout);
        ExitProcess(2);
    }
    return *(DWORD *)(stub + 4);
}

// syscall(number, argument 1 ... 9): the arguments move down one place, the fifth to [rsp+0x28] as the kernel expects.
LONG invoke(ULONG_PTR number, ...);
__asm__(".globl invoke\n"
        "invoke:\n"
        "    mov %rcx, %rax\n"
        "    mov %rdx, %r10\n"
        "    mov %r8, %rdx\n"
        "    mov %r9, %r8\n"
        "    mov 0x28(%rsp), %r9\n"
        "    sub $0x58, %rsp\n"
        "    mov 0x88(%rsp), %r11\n"
        "    mov %r11, 0x28(%rsp)\n"
        "    mov 0x90(%rsp), %r11\n"
        "    mov %r11, 0x30(%rsp)\n"
        "    mov 0x98(%rsp), %r11\n"
        "    mov %r11, 0x38(%rsp)\n"
        "    mov 0xA0(%rsp), %r11\n"
        "    mov %r11, 0x40(%rsp)\n"
        "    mov 0xA8(%rsp), %r11\n"
        "    mov %r11, 0x48(%rsp)\n"
        "    syscall\n"
        "    add $0x58, %rsp\n"
        "    ret\n");

#define ARGUMENT(x) ((ULONG_PTR)(x))
#define SELF ARGUMENT(-1)

static void memory(void)
{
    ULONG_PTR base = 0, size = 0x3000, none = 0;
    printf("allocate %08lx", invoke(number_of("NtAllocateVirtualMemory"), SELF, &base, ARGUMENT(0), &size, ARGUMENT(MEM_RESERVE | MEM_COMMIT), ARGUMENT(PAGE_READWRITE)));
    memset((void *)base, 0x5A, size);
    printf(" size %llx\n", size);
    printf("free %08lx\n", invoke(number_of("NtFreeVirtualMemory"), SELF, &base, &none, ARGUMENT(MEM_RELEASE)));
    none = 0;
    printf("free again %08lx\n", invoke(number_of("NtFreeVirtualMemory"), SELF, &base, &none, ARGUMENT(MEM_RELEASE)));
}

static void output(void)
{
    IO_STATUS_BLOCK io = {0};
    static const char text[] = "written by a system call\r\n";
    fflush(stdout);
    LONG status = invoke(number_of("NtWriteFile"), GetStdHandle(STD_OUTPUT_HANDLE), ARGUMENT(0), ARGUMENT(0), ARGUMENT(0), &io, text,
                         ARGUMENT(sizeof text - 1), ARGUMENT(0), ARGUMENT(0));
    printf("write %08lx, information %llu\n", status, io.Information);
}

int main(void)
{
    LARGE_INTEGER now = {0}, wait = {.QuadPart = -10000};
    HANDLE event = NULL;
    ULONG length = 0;
    PROCESS_BASIC_INFORMATION basic;
    printf("counter %08lx, set %d\n", invoke(number_of("NtQueryPerformanceCounter"), &now, ARGUMENT(0)), now.QuadPart != 0);
    printf("counter to a bad address %08lx\n", invoke(number_of("NtQueryPerformanceCounter"), ARGUMENT(8), ARGUMENT(0)));
    printf("close a bad handle %08lx\n", invoke(number_of("NtClose"), ARGUMENT(0xABC0)));
    printf("create event %08lx\n", invoke(number_of("NtCreateEvent"), &event, ARGUMENT(EVENT_ALL_ACCESS), ARGUMENT(0), ARGUMENT(1), ARGUMENT(0)));
    printf("wait %08lx\n", invoke(number_of("NtWaitForSingleObject"), event, ARGUMENT(0), &wait));
    printf("set %08lx\n", invoke(number_of("NtSetEvent"), event, ARGUMENT(0)));
    printf("wait %08lx\n", invoke(number_of("NtWaitForSingleObject"), event, ARGUMENT(0), &wait));
    printf("close %08lx\n", invoke(number_of("NtClose"), event));
    printf("close again %08lx\n", invoke(number_of("NtClose"), event));
    printf("query process %08lx", invoke(number_of("NtQueryInformationProcess"), SELF, ARGUMENT(ProcessBasicInformation), &basic, ARGUMENT(sizeof basic), &length));
    printf(" length %lu, id agrees %d, peb agrees %d\n", length, basic.UniqueProcessId == GetCurrentProcessId(), (void *)basic.PebBaseAddress == (void *)__readgsqword(0x60));
    printf("wrong length %08lx\n", invoke(number_of("NtQueryInformationProcess"), SELF, ARGUMENT(ProcessBasicInformation), &basic, ARGUMENT(3), &length));
    memory();
    output();
    printf("no such service %08lx\n", invoke(0xFFF));
    fflush(stdout);
    invoke(number_of("NtTerminateProcess"), SELF, ARGUMENT(0x5CA11));
    return 1;
}
