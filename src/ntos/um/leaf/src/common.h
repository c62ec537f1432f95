/* What every leaf DLL stands on: widths, TEB and PEB fields, shared user data.
 * Offsets: public symbols of the 19041 family. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char i8;
typedef short i16;
typedef int i32;
typedef long long i64;
typedef u16 wchar;
typedef u64 size;
typedef i32 NTSTATUS;
typedef i32 BOOL;
typedef u8 BOOLEAN; /* as a parameter; results are widened, for kernel32 forwards BOOL names to BOOLEAN routines */

#define NULL ((void *)0)
#define TRUE 1
#define FALSE 0
#define EXPORT __attribute__((dllexport))
/* The C library routines: a DLL that only uses them defines this as nothing before it includes them. */
#ifndef LIBRARY_EXPORT
#define LIBRARY_EXPORT EXPORT
#endif
#define INLINE static inline __attribute__((always_inline))
#define COLD __attribute__((noinline, cold))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

typedef struct UNICODE_STRING { u16 Length, MaximumLength; wchar *Buffer; } UNICODE_STRING;
typedef struct ANSI_STRING { u16 Length, MaximumLength; char *Buffer; } ANSI_STRING;
typedef struct LIST_ENTRY { struct LIST_ENTRY *Flink, *Blink; } LIST_ENTRY;

/* Address space 256 is GS: one instruction, and the compiler knows the alias rules. */
#define GS __attribute__((address_space(256)))
#define TEB(type, offset) (*(volatile type GS *)(offset))
#define TEB_SELF TEB(u64, 0x30)
#define TEB_PROCESS_ID TEB(u64, 0x40)
#define TEB_THREAD_ID TEB(u64, 0x48)
#define TEB_PEB TEB(u64, 0x60)
#define TEB_LAST_ERROR TEB(u32, 0x68)
#define TEB_LAST_STATUS TEB(u32, 0x1250)
#define TEB_TLS_SLOTS 0x1480
#define TEB_TLS_EXPANSION TEB(u64, 0x1780)
#define TEB_FLS_DATA TEB(u64, 0x17C8)

#define PEB(type, offset) (*(volatile type *)(TEB_PEB + (offset)))
#define PEB_BEING_DEBUGGED PEB(u8, 0x02)
#define PEB_LDR PEB(u64, 0x18)
#define PEB_PROCESS_HEAP PEB(u64, 0x30)
#define PEB_NUMBER_OF_PROCESSORS PEB(u32, 0xB8)
#define PEB_HEAP_SEGMENT_RESERVE PEB(u64, 0xC8)
#define PEB_HEAP_SEGMENT_COMMIT PEB(u64, 0xD0)
#define PEB_NUMBER_OF_HEAPS PEB(u32, 0xE8)
#define PEB_MAXIMUM_NUMBER_OF_HEAPS PEB(u32, 0xEC)
#define PEB_PROCESS_HEAPS PEB(u64, 0xF0)

#define KUSER(type, offset) (*(volatile type *)(0x7FFE0000ull + (offset)))

/* KSYSTEM_TIME: the kernel writes High2, Low, High1; a reader that finds High1 != High2 was overtaken. */
INLINE i64 kuser_time(u32 offset) {
    for (;;) {
        i32 high = KUSER(i32, offset + 4);
        u32 low = KUSER(u32, offset);
        if (LIKELY(high == KUSER(i32, offset + 8)))
            return ((i64)high << 32) | low;
        __builtin_ia32_pause();
    }
}
#define KUSER_INTERRUPT_TIME kuser_time(0x08)
#define KUSER_SYSTEM_TIME kuser_time(0x14)

/* Fixed-point 24-bit fraction: TickCountMultiplier = milliseconds per tick << 24. */
INLINE u64 tick_count(void) {
    u64 ticks = KUSER(u64, 0x320), multiplier = KUSER(u32, 0x04);
    return ((ticks >> 32) * multiplier << 8) + ((ticks & 0xFFFFFFFF) * multiplier >> 24);
}
