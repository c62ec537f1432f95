// The one compiler helper the samples need: ours instead of zig's 50 KB object of helpers.
// Touches each page of a large frame (rax bytes) in order, so that the guard page moves; keeps every register.
__asm__(
    ".globl ___chkstk_ms\n"
    "___chkstk_ms:\n"
    "    push %rcx\n"
    "    push %rax\n"
    "    lea 24(%rsp), %rcx\n"
    "1:  cmp $0x1000, %rax\n"
    "    jb 2f\n"
    "    sub $0x1000, %rcx\n"
    "    testb $0, (%rcx)\n"
    "    sub $0x1000, %rax\n"
    "    jmp 1b\n"
    "2:  sub %rax, %rcx\n"
    "    testb $0, (%rcx)\n"
    "    pop %rax\n"
    "    pop %rcx\n"
    "    ret\n");
