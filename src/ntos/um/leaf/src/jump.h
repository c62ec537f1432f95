/* setjmp and longjmp. _JUMP_BUFFER (setjmp.h): Frame, Rbx, Rsp, Rbp, Rsi, Rdi, R12-R15, Rip, MxCsr, FpCsr, Xmm6-15.
 * A buffer with a frame is left by unwinding (RtlUnwind with STATUS_LONGJUMP, whose one parameter is the buffer). */
#pragma once
#include "slots.h"

#define STATUS_LONGJUMP 0x80000026
#define SAVE                                                                                                          \
    "mov %rdx, (%rcx)\n\t mov %rbx, 0x08(%rcx)\n\t lea 8(%rsp), %rax\n\t mov %rax, 0x10(%rcx)\n\t"                     \
    "mov %rbp, 0x18(%rcx)\n\t mov %rsi, 0x20(%rcx)\n\t mov %rdi, 0x28(%rcx)\n\t mov %r12, 0x30(%rcx)\n\t"              \
    "mov %r13, 0x38(%rcx)\n\t mov %r14, 0x40(%rcx)\n\t mov %r15, 0x48(%rcx)\n\t mov (%rsp), %rax\n\t"                  \
    "mov %rax, 0x50(%rcx)\n\t stmxcsr 0x58(%rcx)\n\t fnstcw 0x5c(%rcx)\n\t"                                            \
    "movups %xmm6, 0x60(%rcx)\n\t movups %xmm7, 0x70(%rcx)\n\t movups %xmm8, 0x80(%rcx)\n\t"                           \
    "movups %xmm9, 0x90(%rcx)\n\t movups %xmm10, 0xa0(%rcx)\n\t movups %xmm11, 0xb0(%rcx)\n\t"                         \
    "movups %xmm12, 0xc0(%rcx)\n\t movups %xmm13, 0xd0(%rcx)\n\t movups %xmm14, 0xe0(%rcx)\n\t"                        \
    "movups %xmm15, 0xf0(%rcx)\n\t xor %eax, %eax\n\t ret"
#define RESTORE                                                                                                       \
    "mov %edx, %eax\n\t test %eax, %eax\n\t jnz 1f\n\t inc %eax\n\t"                                                   \
    "1: cmpq $0, (%rcx)\n\t jne leave_by_unwinding\n\t"                                                                \
    "movups 0x60(%rcx), %xmm6\n\t movups 0x70(%rcx), %xmm7\n\t movups 0x80(%rcx), %xmm8\n\t"                           \
    "movups 0x90(%rcx), %xmm9\n\t movups 0xa0(%rcx), %xmm10\n\t movups 0xb0(%rcx), %xmm11\n\t"                         \
    "movups 0xc0(%rcx), %xmm12\n\t movups 0xd0(%rcx), %xmm13\n\t movups 0xe0(%rcx), %xmm14\n\t"                        \
    "movups 0xf0(%rcx), %xmm15\n\t ldmxcsr 0x58(%rcx)\n\t fldcw 0x5c(%rcx)\n\t"                                        \
    "mov 0x08(%rcx), %rbx\n\t mov 0x18(%rcx), %rbp\n\t mov 0x20(%rcx), %rsi\n\t mov 0x28(%rcx), %rdi\n\t"              \
    "mov 0x30(%rcx), %r12\n\t mov 0x38(%rcx), %r13\n\t mov 0x40(%rcx), %r14\n\t mov 0x48(%rcx), %r15\n\t"              \
    "mov 0x10(%rcx), %rsp\n\t jmp *0x50(%rcx)"

EXPORT __attribute__((naked)) int __intrinsic_setjmp(void *buffer, void *frame) { __asm__(SAVE); }
EXPORT __attribute__((naked)) int __intrinsic_setjmpex(void *buffer, void *frame) { __asm__(SAVE); }
EXPORT __attribute__((naked)) int _setjmp(void *buffer, void *frame) { __asm__(SAVE); }
EXPORT __attribute__((naked)) int _setjmpex(void *buffer, void *frame) { __asm__(SAVE); }
EXPORT __attribute__((naked)) int setjmp(void *buffer, void *frame) { __asm__(SAVE); }

__attribute__((used)) static void leave_by_unwinding(u64 *buffer, i32 value) {
    struct { u32 code, flags; void *next; u64 address; u32 count; u64 information[15]; } record;
    record.code = STATUS_LONGJUMP;
    record.flags = 0;
    record.next = NULL;
    record.address = buffer[10];
    record.count = 1;
    record.information[0] = (u64)buffer;
    ntos_slots.unwind(buffer[0], buffer[10], &record, value ? (u32)value : 1);
}
EXPORT __attribute__((naked)) void longjmp(void *buffer, int value) { __asm__(RESTORE); }
