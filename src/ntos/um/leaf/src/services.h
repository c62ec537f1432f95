/* System services a leaf routine may ask for: numbers of build 19041 (public list: j00ru/windows-syscalls).
 * The stubs are Windows' own pattern, so that a trace shows an ordinary call. */
#pragma once
#include "common.h"

#define SERVICE(number) \
    { __asm__("movq %%rcx, %%r10\n\tmovl %0, %%eax\n\tsyscall\n\tretq" : : "i"(number)); }
#define NAKED static __attribute__((naked, noinline, unused))

NAKED NTSTATUS sys_allocate(u64 process, void **base, u64 zero_bits, size *bytes, u32 type, u32 protect) SERVICE(0x18)
NAKED NTSTATUS sys_free(u64 process, void **base, size *bytes, u32 type) SERVICE(0x1E)
NAKED NTSTATUS sys_terminate_process(u64 process, NTSTATUS status) SERVICE(0x2C)
NAKED NTSTATUS sys_query_performance_counter(i64 *counter, i64 *frequency) SERVICE(0x31)
NAKED NTSTATUS sys_delay(BOOLEAN alertable, const i64 *interval) SERVICE(0x34)
NAKED NTSTATUS sys_yield(void) SERVICE(0x46)
NAKED NTSTATUS sys_alert_thread(u64 thread_id) SERVICE(0x70)
NAKED NTSTATUS sys_raise_exception(void *record, void *context, BOOLEAN first_chance) SERVICE(0x166)
NAKED NTSTATUS sys_wait_for_alert(const void *hint, const i64 *timeout) SERVICE(0x1D0)

#define CURRENT_PROCESS 0xFFFFFFFFFFFFFFFFull
#define MEM_COMMIT 0x1000
#define MEM_RESERVE 0x2000
#define MEM_RELEASE 0x8000
#define PAGE_READWRITE 0x04
#define PAGE_EXECUTE_READWRITE 0x40

#define STATUS_SUCCESS 0
#define STATUS_TIMEOUT 0x102
#define STATUS_PENDING 0x103
#define STATUS_UNSUCCESSFUL ((NTSTATUS)0xC0000001)
#define STATUS_INVALID_PARAMETER ((NTSTATUS)0xC000000D)
#define STATUS_NO_MEMORY ((NTSTATUS)0xC0000017)
#define STATUS_NO_MORE_ENTRIES ((NTSTATUS)0x8000001A)
#define STATUS_OBJECT_NAME_COLLISION ((NTSTATUS)0xC0000035)
#define STATUS_THREAD_IS_TERMINATING ((NTSTATUS)0xC000004B)
#define STATUS_INVALID_PARAMETER_2 ((NTSTATUS)0xC00000F0)
#define STATUS_INVALID_PARAMETER_3 ((NTSTATUS)0xC00000F1)
#define STATUS_RESOURCE_NOT_OWNED ((NTSTATUS)0xC0000264)
#define STATUS_HEAP_CORRUPTION ((NTSTATUS)0xC0000374)
#define STATUS_NOT_SUPPORTED ((NTSTATUS)0xC00000BB)
#define STATUS_BUFFER_TOO_SMALL ((NTSTATUS)0xC0000023)
