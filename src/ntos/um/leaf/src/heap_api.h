/* The exported heap routines over heap.h. */
#pragma once

EXPORT void *RtlAllocateHeap(void *HeapHandle, u32 Flags, size Size) {
    heap *h = checked_heap(HeapHandle);
    Flags |= h->flags & (HEAP_NO_SERIALIZE | HEAP_GENERATE_EXCEPTIONS | HEAP_ZERO_MEMORY);
    int entered = heap_enter(h, Flags);
    block *b = take(h, Size);
    heap_leave(h, entered);
    if (UNLIKELY(!b)) {
        TEB_LAST_STATUS = (u32)STATUS_NO_MEMORY;
        TEB_LAST_ERROR = 8; /* ERROR_NOT_ENOUGH_MEMORY */
        if (Flags & HEAP_GENERATE_EXCEPTIONS)
            raise_status(STATUS_NO_MEMORY);
        return NULL;
    }
    /* Fresh regions of the system are zero already. */
    if (Flags & HEAP_ZERO_MEMORY && !(b->flags & BLOCK_LARGE))
        memset(data_of(b), 0, Size);
    return data_of(b);
}

EXPORT u32 RtlFreeHeap(void *HeapHandle, u32 Flags, void *BaseAddress) {
    if (!BaseAddress)
        return TRUE;
    heap *h = checked_heap(HeapHandle);
    int entered = heap_enter(h, Flags);
    block *b = busy_block(h, BaseAddress);
    give_back(h, b);
    heap_leave(h, entered);
    return TRUE;
}

EXPORT size RtlSizeHeap(void *HeapHandle, u32 Flags, const void *BaseAddress) {
    heap *h = checked_heap(HeapHandle);
    /* Locked even to look: a neighbour's release rewrites this header in two steps. */
    int entered = heap_enter(h, Flags);
    size bytes = data_size(busy_block(h, BaseAddress));
    heap_leave(h, entered);
    return bytes;
}

/* Grown or shrunk where it stands; 0 when that is not possible. */
static int resize_in_place(heap *h, block *b, size bytes, int in_place_only) {
    if (b->flags & BLOCK_LARGE) {
        size capacity = b->units * 16ull - HEADER;
        if (bytes > capacity || bytes < LARGE_LIMIT)
            return 0;
        b->slack = (u32)(capacity - bytes);
        seal(b);
        return capacity - bytes < UNIT_LIMIT;
    }
    if (bytes >= LARGE_LIMIT)
        return 0;
    u32 units = units_for(bytes);
    if (units > b->units) {
        block *next = after(b);
        verify(next);
        /* Moving is cheaper than joining what waits for reuse, unless moving is forbidden. */
        if (in_place_only && h->quick_total)
            flush_quick(h);
        if (next->flags & BLOCK_BUSY || b->units + next->units < units)
            return 0;
        bin_remove(h, next);
        b->units += next->units;
        set_previous(after(b), b->units);
    }
    trim(h, b, units);
    b->slack = (u32)(b->units * 16ull - HEADER - bytes);
    seal(b);
    return 1;
}

EXPORT void *RtlReAllocateHeap(void *HeapHandle, u32 Flags, void *BaseAddress, size Size) {
    if (!BaseAddress)
        return NULL;
    heap *h = checked_heap(HeapHandle);
    Flags |= h->flags & (HEAP_NO_SERIALIZE | HEAP_GENERATE_EXCEPTIONS | HEAP_ZERO_MEMORY);
    int entered = heap_enter(h, Flags);
    block *b = busy_block(h, BaseAddress);
    size before_size = data_size(b);
    u8 *data = BaseAddress;
    if (!resize_in_place(h, b, Size, Flags & HEAP_REALLOC_IN_PLACE_ONLY)) {
        block *moved = Flags & HEAP_REALLOC_IN_PLACE_ONLY ? NULL : take(h, Size);
        data = NULL;
        if (moved) {
            data = data_of(moved);
            memmove(data, BaseAddress, Size < before_size ? Size : before_size);
            give_back(h, b);
        }
    }
    heap_leave(h, entered);
    if (!data) {
        TEB_LAST_STATUS = (u32)STATUS_NO_MEMORY;
        TEB_LAST_ERROR = 8;
        if (Flags & HEAP_GENERATE_EXCEPTIONS)
            raise_status(STATUS_NO_MEMORY);
        return NULL;
    }
    if (Flags & HEAP_ZERO_MEMORY && Size > before_size)
        memset(data + before_size, 0, Size - before_size);
    return data;
}

/* ---- heaps ---- */
static void register_heap(heap *h) {
    RtlEnterCriticalSection(&heaps_lock);
    u32 count = PEB_NUMBER_OF_HEAPS, limit = PEB_MAXIMUM_NUMBER_OF_HEAPS;
    void **list = (void **)PEB_PROCESS_HEAPS;
    if (count == limit || !list) {
        /* The first list stands behind the PEB and cannot be given back; it is simply left there. */
        u32 wider = limit ? limit * 2 : 16;
        void **copy = RtlAllocateHeap(PEB_PROCESS_HEAP ? (void *)PEB_PROCESS_HEAP : h, 0, wider * sizeof(void *));
        if (copy) {
            if (list)
                memmove(copy, list, count * sizeof(void *));
            PEB_PROCESS_HEAPS = (u64)copy;
            PEB_MAXIMUM_NUMBER_OF_HEAPS = wider;
            list = copy;
        } else
            list = NULL;
    }
    if (list) {
        list[count] = h;
        h->list_index = (u16)(count + 1);
        PEB_NUMBER_OF_HEAPS = count + 1;
    }
    RtlLeaveCriticalSection(&heaps_lock);
}

static void unregister_heap(heap *h) {
    RtlEnterCriticalSection(&heaps_lock);
    u32 count = PEB_NUMBER_OF_HEAPS;
    heap **list = (heap **)PEB_PROCESS_HEAPS;
    if (h->list_index && h->list_index <= count && list[h->list_index - 1] == h) {
        for (u32 i = h->list_index; i < count; i++) {
            list[i - 1] = list[i];
            list[i - 1]->list_index = (u16)i;
        }
        PEB_NUMBER_OF_HEAPS = count - 1;
    }
    RtlLeaveCriticalSection(&heaps_lock);
}

EXPORT void *RtlCreateHeap(u32 Flags, void *HeapBase, size ReserveSize, size CommitSize, void *Lock,
                           const void *Parameters) {
    /* A commit routine or a caller's lock is a contract we do not keep: refuse rather than pretend. */
    if (Lock || (Parameters && *(const u64 *)((const u8 *)Parameters + 0x40)))
        return NULL;
    const size table = ROUND_UP(sizeof(heap), 16), least = ROUND_UP(table + 64, PAGE);
    size reserve = ROUND_UP(ReserveSize, GRAIN), committed = ROUND_UP(CommitSize, PAGE);
    if (ReserveSize > ~0ull - GRAIN || CommitSize > ~0ull - PAGE)
        return NULL;
    /* Without a maximum the heap grows, whatever the flag says: that is how HeapCreate(0, n, 0) behaves. */
    if (!ReserveSize) {
        reserve = PEB_HEAP_SEGMENT_RESERVE ? ROUND_UP(PEB_HEAP_SEGMENT_RESERVE, GRAIN) : 0x100000;
        Flags |= HEAP_GROWABLE;
    }
    if (HeapBase)
        reserve = ReserveSize & ~(PAGE - 1);
    if (committed < least)
        committed = least;
    if (!HeapBase && committed < GRAIN)
        committed = GRAIN;
    if (committed > reserve) {
        if (HeapBase)
            return NULL;
        reserve = ROUND_UP(committed, GRAIN);
    }
    void *base = HeapBase;
    u32 protect = Flags & HEAP_CREATE_ENABLE_EXECUTE ? PAGE_EXECUTE_READWRITE : PAGE_READWRITE;
    if (!base && sys_allocate(CURRENT_PROCESS, &base, 0, &reserve, MEM_RESERVE, protect) < 0)
        return NULL;
    void *start = base;
    size length = committed;
    if (sys_allocate(CURRENT_PROCESS, &start, 0, &length, MEM_COMMIT, protect) < 0) {
        size none = 0;
        if (!HeapBase)
            sys_free(CURRENT_PROCESS, &base, &none, MEM_RELEASE);
        return NULL;
    }
    heap *h = base;
    memset(h, 0, sizeof(heap));
    RtlEnterCriticalSection(&heaps_lock);
    if (!heap_secret)
        heap_secret = (__builtin_ia32_rdtsc() ^ (u64)base ^ KUSER(u32, 0x330)) * 0x9E3779B97F4A7C15ull | 1;
    h->id = ++next_heap_id;
    RtlLeaveCriticalSection(&heaps_lock);
    h->flags = (Flags & 0x0007FFFF) | HEAP_CLASS_1;
    h->signature = HEAP_SIGNATURE;
    h->threshold = (u32)(LARGE_LIMIT / 16);
    h->segment_reserve = PEB_HEAP_SEGMENT_RESERVE ? ROUND_UP(PEB_HEAP_SEGMENT_RESERVE, GRAIN) : 0x100000;
    h->segment_commit = PEB_HEAP_SEGMENT_COMMIT ? PEB_HEAP_SEGMENT_COMMIT : 0x2000;
    h->maximum_allocation = 0x7FFFFFFDFFFull;
    h->borrowed = HeapBase != NULL;
    h->larges.Flink = h->larges.Blink = &h->larges;
    h->segments.Flink = h->segments.Blink = &h->segments;
    RtlInitializeCriticalSection(&h->lock_body);
    h->lock = &h->lock_body;
    segment_setup(h, &h->first, base, reserve, (u8 *)base + committed, (u8 *)base + table);
    register_heap(h);
    return h;
}

/* NULL when done; the handle itself when it is not the caller's to destroy (the process heap). */
EXPORT void *RtlDestroyHeap(void *HeapHandle) {
    if (!HeapHandle)
        return NULL;
    heap *h = checked_heap(HeapHandle);
    if ((u64)h == PEB_PROCESS_HEAP)
        return HeapHandle;
    unregister_heap(h);
    for (LIST_ENTRY *link = h->larges.Flink, *next; link != &h->larges; link = next) {
        void *base = link;
        size none = 0;
        next = link->Flink;
        sys_free(CURRENT_PROCESS, &base, &none, MEM_RELEASE);
    }
    h->signature = 0;
    for (LIST_ENTRY *link = h->segments.Blink, *next; link != &h->segments; link = next) {
        void *base = SEGMENT_OF(link)->base;
        size none = 0;
        int last = link == &h->first.list;
        next = link->Blink;
        if (!(last && h->borrowed))
            sys_free(CURRENT_PROCESS, &base, &none, MEM_RELEASE);
        if (last)
            break;
    }
    return NULL;
}

EXPORT u32 RtlLockHeap(void *HeapHandle) {
    heap *h = checked_heap(HeapHandle);
    if (!(h->flags & HEAP_NO_SERIALIZE))
        RtlEnterCriticalSection(&h->lock_body);
    return TRUE;
}
EXPORT u32 RtlUnlockHeap(void *HeapHandle) {
    heap *h = checked_heap(HeapHandle);
    if (!(h->flags & HEAP_NO_SERIALIZE))
        RtlLeaveCriticalSection(&h->lock_body);
    return TRUE;
}

static int valid_segment(heap *h, segment *s) {
    u32 previous = 0;
    if (s->signature != SEGMENT_SIGNATURE || s->heap != h)
        return 0;
    for (block *b = s->first; (u8 *)b < s->committed_end; b = after(b)) {
        if (b->check != check_of(b) || b->previous != previous || b->heap_id != h->id || !b->units)
            return 0;
        if (b->flags & BLOCK_END)
            return (u8 *)b == s->committed_end - 16;
        previous = b->units;
    }
    return 0;
}

static int valid_heap(heap *h) {
    for (LIST_ENTRY *link = h->segments.Flink; link != &h->segments; link = link->Flink)
        if (!valid_segment(h, SEGMENT_OF(link)))
            return 0;
    for (LIST_ENTRY *link = h->larges.Flink; link != &h->larges; link = link->Flink) {
        block *b = (block *)((large *)link + 1);
        if (b->check != check_of(b) || b->heap_id != h->id || link->Flink->Blink != link)
            return 0;
    }
    return 1;
}

EXPORT u32 RtlValidateHeap(void *HeapHandle, u32 Flags, const void *BaseAddress) {
    heap *h = HeapHandle;
    if (!is_heap(h))
        return FALSE;
    int entered = heap_enter(h, Flags), good;
    if (BaseAddress) {
        const block *b = (const block *)((const u8 *)BaseAddress - HEADER);
        good = !((u64)BaseAddress & 15) && b->check == check_of(b) && in_use(b) && b->heap_id == h->id;
    } else
        good = valid_heap(h);
    heap_leave(h, entered);
    return good != 0;
}

EXPORT u32 RtlGetProcessHeaps(u32 NumberOfHeaps, void **ProcessHeaps) {
    RtlEnterCriticalSection(&heaps_lock);
    u32 count = PEB_NUMBER_OF_HEAPS;
    if (ProcessHeaps)
        for (u32 i = 0; i < count && i < NumberOfHeaps; i++)
            ProcessHeaps[i] = ((void **)PEB_PROCESS_HEAPS)[i];
    RtlLeaveCriticalSection(&heaps_lock);
    return count;
}

EXPORT size RtlCompactHeap(void *HeapHandle, u32 Flags) {
    heap *h = checked_heap(HeapHandle);
    int entered = heap_enter(h, Flags);
    size largest = 0;
    flush_quick(h);
    for (LIST_ENTRY *link = h->segments.Flink; link != &h->segments; link = link->Flink)
        for (block *b = SEGMENT_OF(link)->first; !(b->flags & BLOCK_END); b = after(b))
            if (!(b->flags & BLOCK_BUSY) && b->units * 16ull - HEADER > largest)
                largest = b->units * 16ull - HEADER;
    heap_leave(h, entered);
    return largest;
}

/* HEAP_INFORMATION_CLASS: 0 compatibility (0 standard, 1 lookaside, 2 low fragmentation), 1 end on corruption,
 * 3 optimise resources. Ending on corruption is always on, as in 64-bit Windows. */
EXPORT NTSTATUS RtlSetHeapInformation(void *HeapHandle, u32 Class, const void *Information, size Length) {
    if (Class == 1 || Class == 3)
        return STATUS_SUCCESS;
    if (Class != 0)
        return STATUS_INVALID_PARAMETER_2;
    if (Length < 4)
        return STATUS_BUFFER_TOO_SMALL;
    heap *h = checked_heap(HeapHandle);
    u32 wanted = *(const u32 *)Information;
    /* The front end is a promise about speed, which constant-time bins keep; fixed heaps have none. */
    if (wanted == 2 && !(h->flags & HEAP_NO_SERIALIZE) && h->flags & HEAP_GROWABLE) {
        h->front_end_type = h->wanted_front_end = 2;
        return STATUS_SUCCESS;
    }
    return wanted == 0 && h->front_end_type == 0 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

EXPORT NTSTATUS RtlQueryHeapInformation(void *HeapHandle, u32 Class, void *Information, size Length,
                                        size *ReturnLength) {
    if (Class != 0)
        return Class == 1 ? STATUS_INVALID_PARAMETER_2 : STATUS_NOT_SUPPORTED;
    if (ReturnLength)
        *ReturnLength = 4;
    if (Length < 4)
        return STATUS_BUFFER_TOO_SMALL;
    *(u32 *)Information = checked_heap(HeapHandle)->front_end_type;
    return STATUS_SUCCESS;
}

/* RTL_HEAP_WALK_ENTRY: DataAddress NULL begins; each segment comes first as itself, then block by block. */
typedef struct walk_entry {
    u8 *data;
    size bytes;
    u8 overhead, segment_index;
    u16 flags;
    u32 pad;
    union {
        struct { size settable; u16 tag, trace; u32 reserved[2]; } block;
        struct { u32 committed, uncommitted; void *first, *last; } segment;
    };
} walk_entry;

static void walk_segment(walk_entry *e, segment *s) {
    e->data = s->base;
    e->bytes = (size)((u8 *)s->first - s->base);
    e->overhead = 0;
    e->flags = 2;
    e->segment.committed = (u32)(s->committed_end - s->base);
    e->segment.uncommitted = (u32)((u8 *)s->last_valid - s->committed_end);
    e->segment.first = s->first;
    e->segment.last = s->last_valid;
}

static NTSTATUS walk_block(walk_entry *e, segment *s, block *b) {
    if (b->flags & BLOCK_END) {
        heap *h = s->heap;
        if (s->list.Flink == &h->segments)
            return STATUS_NO_MORE_ENTRIES;
        e->segment_index++;
        walk_segment(e, SEGMENT_OF(s->list.Flink));
        return STATUS_SUCCESS;
    }
    e->data = data_of(b);
    e->bytes = data_size(b);
    e->overhead = (u8)HEADER;
    e->flags = (u16)in_use(b);
    e->block.settable = 0;
    e->block.tag = e->block.trace = 0;
    return STATUS_SUCCESS;
}

EXPORT NTSTATUS RtlWalkHeap(void *HeapHandle, walk_entry *Entry) {
    heap *h = checked_heap(HeapHandle);
    if (!Entry->data) {
        Entry->segment_index = 0;
        walk_segment(Entry, &h->first);
        return STATUS_SUCCESS;
    }
    for (LIST_ENTRY *link = h->segments.Flink; link != &h->segments; link = link->Flink) {
        segment *s = SEGMENT_OF(link);
        if (Entry->data < s->base || Entry->data >= s->committed_end)
            continue;
        if (Entry->data == s->base)
            return walk_block(Entry, s, s->first);
        block *b = (block *)(Entry->data - HEADER);
        if (b->check != check_of(b))
            return STATUS_INVALID_PARAMETER;
        return walk_block(Entry, s, after(b));
    }
    return STATUS_INVALID_PARAMETER;
}
