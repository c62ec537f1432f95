/* kernelbase.dll: what answers out of the TEB, the PEB or the page the kernel shares with everybody. */
#define LIBRARY_EXPORT
#include "services.h"
#include "search.h"

#define ERROR_INVALID_PARAMETER 87
#define TLS_MINIMUM 64
#define TLS_EXPANSION 1024

EXPORT u32 GetLastError(void) { return TEB_LAST_ERROR; }
EXPORT void SetLastError(u32 dwErrCode) { TEB_LAST_ERROR = dwErrCode; }
EXPORT void RestoreLastError(u32 dwErrCode) { TEB_LAST_ERROR = dwErrCode; }

/* A slot that holds NULL is a success too, so the last error is cleared for the caller to tell. */
EXPORT void *TlsGetValue(u32 dwTlsIndex) {
    if (LIKELY(dwTlsIndex < TLS_MINIMUM)) {
        TEB_LAST_ERROR = 0;
        return (void *)TEB(u64, TEB_TLS_SLOTS + dwTlsIndex * 8ull);
    }
    if (dwTlsIndex >= TLS_MINIMUM + TLS_EXPANSION) {
        TEB_LAST_ERROR = ERROR_INVALID_PARAMETER;
        return NULL;
    }
    void **slots = (void **)TEB_TLS_EXPANSION;
    TEB_LAST_ERROR = 0;
    return slots ? slots[dwTlsIndex - TLS_MINIMUM] : NULL;
}

/* The first value in an expansion slot makes the table. */

EXPORT BOOL TlsSetValue(u32 dwTlsIndex, void *lpTlsValue) {
    if (LIKELY(dwTlsIndex < TLS_MINIMUM)) {
        TEB(u64, TEB_TLS_SLOTS + dwTlsIndex * 8ull) = (u64)lpTlsValue;
        return TRUE;
    }
    if (dwTlsIndex >= TLS_MINIMUM + TLS_EXPANSION) {
        TEB_LAST_ERROR = ERROR_INVALID_PARAMETER;
        return FALSE;
    }
    void **slots = (void **)TEB_TLS_EXPANSION;
    if (!slots) {
        void *base = NULL;
        size bytes = TLS_EXPANSION * sizeof(void *);
        if (sys_allocate(CURRENT_PROCESS, &base, 0, &bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE) < 0) {
            TEB_LAST_ERROR = 8; /* ERROR_NOT_ENOUGH_MEMORY */
            return FALSE;
        }
        slots = base;
        TEB_TLS_EXPANSION = (u64)base;
    }
    slots[dwTlsIndex - TLS_MINIMUM] = lpTlsValue;
    return TRUE;
}

/* TEB.FlsData -> fls_table, made by Python when a thread first needs it: see README.md. Index 0 is never given
 * out, as in Windows. */
typedef struct fls_table { u64 count; void *values[4080]; } fls_table;

EXPORT void *FlsGetValue(u32 dwFlsIndex) {
    fls_table *table = (fls_table *)TEB_FLS_DATA;
    if (!table || !dwFlsIndex || dwFlsIndex >= table->count) {
        TEB_LAST_ERROR = ERROR_INVALID_PARAMETER;
        return NULL;
    }
    TEB_LAST_ERROR = 0;
    return table->values[dwFlsIndex];
}
EXPORT BOOL FlsSetValue(u32 dwFlsIndex, void *lpFlsData) {
    fls_table *table = (fls_table *)TEB_FLS_DATA;
    if (!table || !dwFlsIndex || dwFlsIndex >= table->count) {
        TEB_LAST_ERROR = ERROR_INVALID_PARAMETER;
        return FALSE;
    }
    table->values[dwFlsIndex] = lpFlsData;
    return TRUE;
}

EXPORT u32 GetCurrentProcessId(void) { return (u32)TEB_PROCESS_ID; }
EXPORT u32 GetCurrentThreadId(void) { return (u32)TEB_THREAD_ID; }
EXPORT u64 GetCurrentProcess(void) { return (u64)-1; }
EXPORT u64 GetCurrentThread(void) { return (u64)-2; }
EXPORT void *GetProcessHeap(void) { return (void *)PEB_PROCESS_HEAP; }
EXPORT BOOL IsDebuggerPresent(void) { return PEB_BEING_DEBUGGED; }

EXPORT u32 GetTickCount(void) { return (u32)tick_count(); }
EXPORT u64 GetTickCount64(void) { return tick_count(); }
EXPORT void GetSystemTimeAsFileTime(u32 lpSystemTimeAsFileTime[2]) {
    u64 now = (u64)KUSER_SYSTEM_TIME;
    lpSystemTimeAsFileTime[0] = (u32)now;
    lpSystemTimeAsFileTime[1] = (u32)(now >> 32);
}
EXPORT BOOL QueryInterruptTime(u64 *lpInterruptTime) {
    *lpInterruptTime = (u64)KUSER_INTERRUPT_TIME;
    return TRUE;
}
/* InterruptTimeBias is the time spent asleep. */
EXPORT BOOL QueryUnbiasedInterruptTime(u64 *UnbiasedTime) {
    if (!UnbiasedTime) {
        TEB_LAST_ERROR = ERROR_INVALID_PARAMETER;
        return FALSE;
    }
    *UnbiasedTime = (u64)KUSER_INTERRUPT_TIME - KUSER(u64, 0x3B0);
    return TRUE;
}
/* QpcBypassEnabled would promise that RDTSC keeps the machine's time; the clock here is virtual. */
EXPORT BOOL QueryPerformanceCounter(i64 *lpPerformanceCount) {
    sys_query_performance_counter(lpPerformanceCount, NULL);
    return TRUE;
}
EXPORT BOOL QueryPerformanceFrequency(i64 *lpFrequency) {
    *lpFrequency = KUSER(i64, 0x300);
    return TRUE;
}
EXPORT BOOL IsProcessorFeaturePresent(u32 ProcessorFeature) {
    return ProcessorFeature < 64 && KUSER(u8, 0x274 + ProcessorFeature);
}

EXPORT i32 lstrlenA(const char *lpString) { return lpString ? (i32)length8(lpString) : 0; }
EXPORT i32 lstrlenW(const wchar *lpString) { return lpString ? (i32)length16(lpString) : 0; }

/* Half away from zero; -1 for a zero divisor or a result that does not fit. */
EXPORT i32 MulDiv(i32 nNumber, i32 nNumerator, i32 nDenominator) {
    if (!nDenominator)
        return -1;
    i64 product = (i64)nNumber * nNumerator, divisor = nDenominator;
    if (divisor < 0) {
        divisor = -divisor;
        product = -product;
    }
    i64 result = (product + (product < 0 ? -(divisor / 2) : divisor / 2)) / divisor;
    return result > 0x7FFFFFFF || result < -0x7FFFFFFFll ? -1 : (i32)result;
}
