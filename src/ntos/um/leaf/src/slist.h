/* Interlocked singly linked lists: SLIST_HEADER x64 is 16 bytes: Depth:16, Sequence:48, and the first entry's
 * address (its low four bits are zero). The sequence number defeats a pop that was overtaken. */
#pragma once
#include "common.h"

typedef struct SLIST_ENTRY { struct SLIST_ENTRY *Next; } SLIST_ENTRY;
typedef struct SLIST_HEADER { volatile u64 Alignment, Region; } SLIST_HEADER;

#define SEQUENCE_ONE 0x10000ull
#define ENTRY_OF(region) ((SLIST_ENTRY *)((region) & ~15ull))

INLINE int exchange16(SLIST_HEADER *head, u64 *low, u64 *high, u64 new_low, u64 new_high) {
    u8 done;
    __asm__ volatile("lock cmpxchg16b %1"
                     : "=@ccz"(done), "+m"(*(volatile u64(*)[2])head), "+a"(*low), "+d"(*high)
                     : "b"(new_low), "c"(new_high)
                     : "memory");
    return done;
}

EXPORT void RtlInitializeSListHead(SLIST_HEADER *ListHead) { ListHead->Alignment = ListHead->Region = 0; }
EXPORT u16 RtlQueryDepthSList(const SLIST_HEADER *ListHead) { return (u16)ListHead->Alignment; }
EXPORT SLIST_ENTRY *RtlFirstEntrySList(const SLIST_HEADER *ListHead) { return ENTRY_OF(ListHead->Region); }

EXPORT SLIST_ENTRY *RtlInterlockedPushListSListEx(SLIST_HEADER *ListHead, SLIST_ENTRY *List,
                                                  SLIST_ENTRY *ListEnd, u32 Count) {
    u64 low = ListHead->Alignment, high = ListHead->Region;
    do
        ListEnd->Next = ENTRY_OF(high);
    while (!exchange16(ListHead, &low, &high,
                       ((low & ~0xFFFFull) + SEQUENCE_ONE) | (u16)((u16)low + Count), (u64)List | (high & 15)));
    return ENTRY_OF(high);
}
EXPORT SLIST_ENTRY *RtlInterlockedPushEntrySList(SLIST_HEADER *ListHead, SLIST_ENTRY *ListEntry) {
    return RtlInterlockedPushListSListEx(ListHead, ListEntry, ListEntry, 1);
}
EXPORT SLIST_ENTRY *RtlInterlockedPopEntrySList(SLIST_HEADER *ListHead) {
    u64 low = ListHead->Alignment, high = ListHead->Region;
    while (ENTRY_OF(high)) {
        SLIST_ENTRY *first = ENTRY_OF(high);
        if (exchange16(ListHead, &low, &high, ((low & ~0xFFFFull) + SEQUENCE_ONE) | (u16)((u16)low - 1),
                       (u64)first->Next | (high & 15)))
            return first;
    }
    return NULL;
}
EXPORT SLIST_ENTRY *RtlInterlockedFlushSList(SLIST_HEADER *ListHead) {
    u64 low = ListHead->Alignment, high = ListHead->Region;
    while (ENTRY_OF(high))
        if (exchange16(ListHead, &low, &high, (low & ~0xFFFFull) + SEQUENCE_ONE, high & 15))
            return ENTRY_OF(high);
    return NULL;
}
