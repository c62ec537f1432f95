/* ntdll.dll: what must be machine code of it. */
#include "ctype.h"
#include "heap.h"
#include "numbers.h"
#include "slist.h"
#include "sort.h"
#include "strings.h"

EXPORT int tolower(int c) { return lower(c); }
EXPORT int toupper(int c) { return upper(c); }

/* Latin-1 beyond ASCII; the multiplication and division signs have no case, sharp s no capital in one character.
 * What lies above needs tables and is Python's: these two are for the first 256 characters and leave others. */
EXPORT wchar towlower(wchar c) {
    if (c < 0x80)
        return (wchar)lower(c);
    return c >= 0xC0 && c <= 0xDE && c != 0xD7 ? c + 32 : c;
}
EXPORT wchar towupper(wchar c) {
    if (c < 0x80)
        return (wchar)upper(c);
    if (c == 0xFF)
        return 0x178;
    return c >= 0xE0 && c <= 0xFE && c != 0xF7 ? c - 32 : c;
}

EXPORT size RtlCompareMemory(const void *Source1, const void *Source2, size Length) {
    const u8 *a = Source1, *b = Source2;
    size i = 0;
    for (; i + 8 <= Length; i += 8) {
        u64 difference = *(const u64u *)(a + i) ^ *(const u64u *)(b + i);
        if (difference)
            return i + (__builtin_ctzll(difference) >> 3);
    }
    while (i < Length && a[i] == b[i])
        i++;
    return i;
}
EXPORT size RtlCompareMemoryUlong(const void *Source, size Length, u32 Pattern) {
    const u32u *p = Source;
    size i = 0;
    while (i < Length / 4 && p[i] == Pattern)
        i++;
    return i * 4;
}
EXPORT void RtlMoveMemory(void *to, const void *from, size count) { memmove(to, from, count); }
EXPORT void RtlCopyMemory(void *to, const void *from, size count) { memmove(to, from, count); }
EXPORT void RtlCopyMemoryNonTemporal(void *to, const void *from, size count) { memmove(to, from, count); }
EXPORT void RtlZeroMemory(void *to, size count) { memset(to, 0, count); }
EXPORT void RtlFillMemory(void *to, size count, u8 value) { memset(to, value, count); }

/* Lengths are 16-bit: a longer string is cut to the largest even number that leaves room for its terminator. */
EXPORT void RtlInitUnicodeString(UNICODE_STRING *DestinationString, const wchar *SourceString) {
    *DestinationString = (UNICODE_STRING){0, 0, (wchar *)SourceString};
    if (SourceString) {
        size bytes = 2 * length16(SourceString);
        DestinationString->Length = (u16)(bytes < 0xFFFC ? bytes : 0xFFFC);
        DestinationString->MaximumLength = DestinationString->Length + 2;
    }
}
EXPORT NTSTATUS RtlInitUnicodeStringEx(UNICODE_STRING *DestinationString, const wchar *SourceString) {
    *DestinationString = (UNICODE_STRING){0, 0, (wchar *)SourceString};
    if (SourceString) {
        size bytes = 2 * length16(SourceString);
        if (bytes > 0xFFFC) {
            DestinationString->Buffer = NULL;
            return (NTSTATUS)0xC0000106; /* STATUS_NAME_TOO_LONG */
        }
        DestinationString->Length = (u16)bytes;
        DestinationString->MaximumLength = (u16)(bytes + 2);
    }
    return STATUS_SUCCESS;
}
EXPORT void RtlInitAnsiString(ANSI_STRING *DestinationString, const char *SourceString) {
    *DestinationString = (ANSI_STRING){0, 0, (char *)SourceString};
    if (SourceString) {
        size bytes = length8(SourceString);
        DestinationString->Length = (u16)(bytes < 0xFFFE ? bytes : 0xFFFE);
        DestinationString->MaximumLength = DestinationString->Length + 1;
    }
}
EXPORT void RtlInitString(ANSI_STRING *DestinationString, const char *SourceString) {
    RtlInitAnsiString(DestinationString, SourceString);
}

EXPORT u32 RtlGetLastWin32Error(void) { return TEB_LAST_ERROR; }
EXPORT void RtlSetLastWin32Error(u32 LastError) { TEB_LAST_ERROR = LastError; }
EXPORT void RtlRestoreLastWin32Error(u32 LastError) { TEB_LAST_ERROR = LastError; }
EXPORT NTSTATUS RtlGetLastNtStatus(void) { return (NTSTATUS)TEB_LAST_STATUS; }
EXPORT void *RtlGetCurrentPeb(void) { return (void *)TEB_PEB; }

/* QpcBypassEnabled promises a rate of RDTSC that a virtual clock does not keep, so the kernel is asked. */
EXPORT u32 RtlQueryPerformanceCounter(i64 *PerformanceCount) {
    sys_query_performance_counter(PerformanceCount, NULL);
    return TRUE;
}
EXPORT u32 RtlQueryPerformanceFrequency(i64 *Frequency) {
    *Frequency = KUSER(i64, 0x300);
    return TRUE;
}
EXPORT u32 NtGetTickCount(void) { return (u32)tick_count(); }

EXPORT i32 atol(const char *s) { return (i32)parse8(s, NULL, 10, 0x7FFFFFFF, 1); }
EXPORT int atoi(const char *s) { return (int)parse8(s, NULL, 10, 0x7FFFFFFF, 1); }
EXPORT i64 _atoi64(const char *s) { return (i64)parse8(s, NULL, 10, 0x7FFFFFFFFFFFFFFF, 1); }
EXPORT int _wtoi(const wchar *s) { return (int)parse16(s, NULL, 10, 0x7FFFFFFF, 1); }
EXPORT i32 _wtol(const wchar *s) { return (i32)parse16(s, NULL, 10, 0x7FFFFFFF, 1); }
EXPORT i64 _wtoi64(const wchar *s) { return (i64)parse16(s, NULL, 10, 0x7FFFFFFFFFFFFFFF, 1); }
EXPORT i32 strtol(const char *s, char **end, int base) { return (i32)parse8(s, end, base, 0x7FFFFFFF, 1); }
EXPORT u32 strtoul(const char *s, char **end, int base) { return (u32)parse8(s, end, base, 0xFFFFFFFF, 0); }
EXPORT i32 wcstol(const wchar *s, wchar **end, int base) { return (i32)parse16(s, end, base, 0x7FFFFFFF, 1); }
EXPORT u32 wcstoul(const wchar *s, wchar **end, int base) { return (u32)parse16(s, end, base, 0xFFFFFFFF, 0); }
