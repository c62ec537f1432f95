/* Raising a status from machine code: an exception record and the caller's registers, given to NtRaiseException. */
#pragma once
#include "services.h"

typedef struct EXCEPTION_RECORD {
    NTSTATUS ExceptionCode;
    u32 ExceptionFlags;
    void *ExceptionRecord, *ExceptionAddress;
    u32 NumberParameters;
    u64 ExceptionInformation[15];
} EXCEPTION_RECORD;

/* CONTEXT for x64 is 0x4D0 bytes, 16-aligned; offsets by the public winnt.h. */
typedef struct CONTEXT { u8 bytes[0x4D0]; } __attribute__((aligned(16))) CONTEXT;

/* As of the caller: Rip its return address, Rsp as it will be after the return. Every register is kept.
 * A bad pointer faults at the first store, where the function still looks like a leaf to the unwinder. Only the
 * flags change, after they were read: no instruction before pushfq alters them. */
EXPORT __attribute__((naked, noinline)) void RtlCaptureContext(CONTEXT *ContextRecord) {
    __asm__("movq %rax, 0x78(%rcx)\n\tmovq %rcx, 0x80(%rcx)\n\tmovq %rdx, 0x88(%rcx)\n\tmovq %rbx, 0x90(%rcx)\n\t"
            "movq %rbp, 0xA0(%rcx)\n\tmovq %rsi, 0xA8(%rcx)\n\tmovq %rdi, 0xB0(%rcx)\n\t"
            "movq %r8, 0xB8(%rcx)\n\tmovq %r9, 0xC0(%rcx)\n\tmovq %r10, 0xC8(%rcx)\n\tmovq %r11, 0xD0(%rcx)\n\t"
            "movq %r12, 0xD8(%rcx)\n\tmovq %r13, 0xE0(%rcx)\n\tmovq %r14, 0xE8(%rcx)\n\tmovq %r15, 0xF0(%rcx)\n\t"
            "fxsave64 0x100(%rcx)\n\t"
            "stmxcsr 0x34(%rcx)\n\t"
            "movw %cs, 0x38(%rcx)\n\tmovw %ds, 0x3A(%rcx)\n\tmovw %es, 0x3C(%rcx)\n\t"
            "movw %fs, 0x3E(%rcx)\n\tmovw %gs, 0x40(%rcx)\n\tmovw %ss, 0x42(%rcx)\n\t"
            "leaq 0x8(%rsp), %rax\n\tmovq %rax, 0x98(%rcx)\n\t"
            "movq (%rsp), %rax\n\tmovq %rax, 0xF8(%rcx)\n\t"
            "pushfq\n\tpopq %rax\n\tmovl %eax, 0x44(%rcx)\n\t"
            "movl $0x10000F, 0x30(%rcx)\n\t"
            "movq 0x78(%rcx), %rax\n\t"
            "retq");
}

COLD static void raise_status(NTSTATUS status) {
    CONTEXT context;
    RtlCaptureContext(&context);
    EXCEPTION_RECORD record = {.ExceptionCode = status, .ExceptionFlags = 1 /* not continuable */,
                               .ExceptionAddress = __builtin_return_address(0)};
    /* Returns only when the arguments were refused; what called us counts on not coming back. */
    NTSTATUS refused = sys_raise_exception(&record, &context, TRUE);
    sys_terminate_process(CURRENT_PROCESS, refused);
}
