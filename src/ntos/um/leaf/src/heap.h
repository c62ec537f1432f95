/* The heap: segregated fit in two levels (TLSF: Masmano, Ripoll, Crespo, Real 2004), so that allocation and
 * release take constant time, over segments that are reserved and committed as they grow.
 *
 * A handle is the base of the first segment, and what tools look at in a _HEAP stands where public symbols say.
 * Blocks carry a 16-byte header with a check byte over the other fifteen, the block's address and a secret of the
 * process: freeing twice, freeing a stranger and running over a header end the process with
 * STATUS_HEAP_CORRUPTION, as 64-bit Windows does. */
#pragma once
#include "locks.h"
#include "memory.h"

#define HEAP_NO_SERIALIZE 0x01
#define HEAP_GROWABLE 0x02
#define HEAP_GENERATE_EXCEPTIONS 0x04
#define HEAP_ZERO_MEMORY 0x08
#define HEAP_REALLOC_IN_PLACE_ONLY 0x10
#define HEAP_CREATE_ENABLE_EXECUTE 0x00040000
#define HEAP_CLASS_1 0x1000

#define SEGMENT_SIGNATURE 0xFFEEFFEEu
#define HEAP_SIGNATURE 0xEEFFEEFFu
#define PAGE 0x1000ull
#define GRAIN 0x10000ull           /* commit and reserve in these steps */
#define LARGE_LIMIT 0xFF000ull     /* VirtualMemoryThreshold of 64-bit Windows: 0xFF00 units of 16 bytes */
#define MAX_RESERVE 0x1000000ull
#define ROUND_UP(x, step) (((x) + (step) - 1) & ~((size)(step) - 1))

enum { BLOCK_BUSY = 1, BLOCK_LARGE = 2, BLOCK_END = 4, BLOCK_QUICK = 8 };

typedef struct block {
    u32 units;     /* size in units of 16 bytes, header included */
    u32 previous;  /* units of the block before, 0 for a segment's first */
    u32 slack;     /* bytes at the end that the caller did not ask for (a large block: up to a page) */
    u16 heap_id;
    u8 flags;
    u8 check;
    struct block *next_free, *previous_free; /* only while free: the first 16 bytes of data */
} block;
#define HEADER 16ull
#define SMALLEST 2u
#define UNIT_LIMIT 0xFFFFFFF0ull

/* A large block: its own region, this in front of the header. */
typedef struct large {
    LIST_ENTRY links;
} large;

typedef struct segment {
    u8 entry[16];
    u32 signature, flags;           /* 0x10 */
    LIST_ENTRY list;                /* 0x18 */
    struct heap *heap;              /* 0x28 */
    u8 *base;                       /* 0x30 */
    u32 pages, pad0;                /* 0x38 */
    block *first, *last_valid;      /* 0x40: last_valid = end of the reservation */
    u32 uncommitted_pages, uncommitted_ranges; /* 0x50 */
    u8 *committed_end;              /* 0x58: ours */
    LIST_ENTRY ucr;                 /* 0x60 */
} segment;

#define CLASSES 16
#define LEVELS 18 /* level 0: below 256 bytes in steps of 16; level n: 2^(7+n), in sixteenths */

/* Freed small blocks of one size wait here, unjoined, for the next request of that size: most programs free what
 * they are about to ask for again. They still count as busy for their neighbours. */
#define QUICK_CLASSES 34u /* up to 512 bytes of data */
#define QUICK_DEPTH 64

typedef struct heap {
    segment first;                  /* 0x00 */
    u32 flags, force_flags;         /* 0x70 */
    u32 compatibility, encode_mask; /* 0x78 */
    u64 encoding[2];                /* 0x80 */
    u32 interceptor, threshold;     /* 0x90 */
    u32 signature, pad1;            /* 0x98 */
    size segment_reserve, segment_commit, decommit_block, decommit_total; /* 0xA0 */
    size total_free;                /* 0xC0, units as in Windows */
    size maximum_allocation;        /* 0xC8 */
    u16 list_index, header_length;  /* 0xD0 */
    u8 pad2[0x110 - 0xD4];
    LIST_ENTRY larges;              /* 0x110 VirtualAllocdBlocks */
    LIST_ENTRY segments;            /* 0x120 SegmentList */
    u8 pad3[0x160 - 0x130];
    RTL_CRITICAL_SECTION *lock;     /* 0x160 LockVariable */
    u8 pad4[0x1A2 - 0x168];
    u8 front_end_type, wanted_front_end; /* 0x1A2: 2 is the low-fragmentation heap */
    u8 pad5[0x2C0 - 0x1A4];
    /* ours from here on */
    RTL_CRITICAL_SECTION lock_body;
    u16 id;
    u8 borrowed; /* the caller's memory: not ours to give back */
    u32 levels;
    u32 classes[LEVELS];
    block *bins[LEVELS][CLASSES];
    block *quick[QUICK_CLASSES];
    u8 quick_count[QUICK_CLASSES];
    u32 quick_total;
} heap;
_Static_assert(__builtin_offsetof(heap, signature) == 0x98 && __builtin_offsetof(heap, larges) == 0x110 &&
               __builtin_offsetof(heap, lock) == 0x160 && __builtin_offsetof(heap, lock_body) == 0x2C0 &&
               __builtin_offsetof(heap, front_end_type) == 0x1A2, "public _HEAP offsets");

static RTL_CRITICAL_SECTION heaps_lock = {NULL, CS_UNLOCKED, 0, 0, NULL, 0};
static u64 heap_secret;
static u16 next_heap_id;

/* ---- headers ---- */
INLINE u8 check_of(const block *b) {
    u64 x = *(const u64u *)b ^ (*(const u64u *)&b->slack & 0x00FFFFFFFFFFFFFFull) * 0x9E3779B97F4A7C15ull;
    x = (x ^ (u64)b ^ heap_secret) * 0xD6E8FEB86659FD93ull;
    return (u8)(x >> 56);
}
INLINE void seal(block *b) { b->check = check_of(b); }

COLD static void corrupted(void) {
    if (PEB_BEING_DEBUGGED)
        __asm__ volatile("int3");
    sys_terminate_process(CURRENT_PROCESS, STATUS_HEAP_CORRUPTION);
}
INLINE void verify(const block *b) {
    if (UNLIKELY(b->check != check_of(b)))
        corrupted();
}
INLINE block *after(block *b) { return (block *)((u8 *)b + b->units * 16ull); }
INLINE block *before(block *b) { return (block *)((u8 *)b - b->previous * 16ull); }
INLINE u8 *data_of(block *b) { return (u8 *)b + HEADER; }
INLINE size data_size(const block *b) { return b->units * 16ull - HEADER - b->slack; }

INLINE int in_use(const block *b) { return (b->flags & (BLOCK_BUSY | BLOCK_QUICK)) == BLOCK_BUSY; }

/* The header of a caller's pointer, or the end of the process. */
INLINE block *busy_block(heap *h, const void *pointer) {
    block *b = (block *)((u8 *)pointer - HEADER);
    if (UNLIKELY((u64)pointer & 15 || b->check != check_of(b) || !in_use(b) || b->heap_id != h->id))
        corrupted();
    return b;
}

/* ---- bins ---- */
INLINE void bin_of(u32 units, u32 *level, u32 *class) {
    if (units < 16) {
        *level = 0;
        *class = units;
        return;
    }
    u32 top = 31 - __builtin_clz(units);
    *level = top - 3;
    *class = (units >> (top - 4)) & 15;
    if (UNLIKELY(*level >= LEVELS)) {
        *level = LEVELS - 1;
        *class = CLASSES - 1;
    }
}

static void bin_insert(heap *h, block *b) {
    u32 level, class;
    bin_of(b->units, &level, &class);
    block *head = h->bins[level][class];
    b->next_free = head;
    b->previous_free = NULL;
    if (head)
        head->previous_free = b;
    h->bins[level][class] = b;
    h->classes[level] |= 1u << class;
    h->levels |= 1u << level;
    h->total_free += b->units;
}

static void bin_remove(heap *h, block *b) {
    block *next = b->next_free, *previous = b->previous_free;
    /* The classic unlink attack: the neighbours must point back. */
    if (UNLIKELY((next && next->previous_free != b) || (previous && previous->next_free != b)))
        corrupted();
    if (next)
        next->previous_free = previous;
    if (previous)
        previous->next_free = next;
    else {
        u32 level, class;
        bin_of(b->units, &level, &class);
        if (UNLIKELY(h->bins[level][class] != b))
            corrupted();
        h->bins[level][class] = next;
        if (!next && !(h->classes[level] &= ~(1u << class)))
            h->levels &= ~(1u << level);
    }
    h->total_free -= b->units;
}

/* A free block of at least that many units, out of its bin; NULL when there is none. */
static block *bin_take(heap *h, u32 units) {
    u32 level, class;
    /* Rounded up to the next class, any block of the class found is large enough. */
    u32 rounded = units < 16 ? units : units + (1u << (27 - __builtin_clz(units))) - 1;
    bin_of(rounded, &level, &class);
    u32 classes = h->classes[level] & (~0u << class);
    if (!classes) {
        u32 levels = level < LEVELS - 1 ? h->levels & (~0u << (level + 1)) : 0;
        if (!levels)
            return NULL;
        level = __builtin_ctz(levels);
        classes = h->classes[level];
    }
    block *b = h->bins[level][__builtin_ctz(classes)];
    verify(b);
    if (UNLIKELY(b->units < units || b->flags & BLOCK_BUSY))
        corrupted();
    bin_remove(h, b);
    return b;
}

/* ---- segments ---- */
INLINE u32 protection(const heap *h) {
    return h->flags & HEAP_CREATE_ENABLE_EXECUTE ? PAGE_EXECUTE_READWRITE : PAGE_READWRITE;
}

static int commit(heap *h, void *address, size bytes) {
    void *base = address;
    size length = bytes;
    return sys_allocate(CURRENT_PROCESS, &base, 0, &length, MEM_COMMIT, protection(h)) >= 0;
}

/* Every committed stretch ends in a busy marker, so that no block looks beyond it. */
static void put_end(heap *h, block *at, u32 previous) {
    at->units = 1;
    at->previous = previous;
    at->slack = 0;
    at->heap_id = h->id;
    at->flags = BLOCK_BUSY | BLOCK_END;
    seal(at);
}

static void set_free(heap *h, block *b, u32 units, u32 previous) {
    b->units = units;
    b->previous = previous;
    b->slack = 0;
    b->heap_id = h->id;
    b->flags = 0;
    seal(b);
    bin_insert(h, b);
}

static void segment_setup(heap *h, segment *s, u8 *base, size reserve, u8 *committed_end, u8 *first) {
    s->signature = SEGMENT_SIGNATURE;
    s->heap = h;
    s->base = base;
    s->pages = (u32)(reserve / PAGE);
    s->last_valid = (block *)(base + reserve);
    s->committed_end = committed_end;
    s->uncommitted_pages = (u32)((base + reserve - committed_end) / PAGE);
    s->uncommitted_ranges = s->uncommitted_pages != 0;
    s->ucr.Flink = s->ucr.Blink = &s->ucr;
    s->list.Flink = &h->segments;
    s->list.Blink = h->segments.Blink;
    h->segments.Blink->Flink = &s->list;
    h->segments.Blink = &s->list;
    s->first = (block *)first;
    u32 units = (u32)((committed_end - first) / 16) - 1;
    if (units >= SMALLEST) {
        put_end(h, (block *)(first + units * 16ull), units);
        set_free(h, (block *)first, units, 0);
    } else
        put_end(h, (block *)first, 0);
}

/* More committed room at a segment's end, joined with what was free there. */
static int segment_grow(heap *h, segment *s, u32 units) {
    size room = (u8 *)s->last_valid - s->committed_end;
    block *end = (block *)(s->committed_end - 16);
    verify(end);
    u32 units_free = 0;
    if (end->previous && !(before(end)->flags & BLOCK_BUSY))
        units_free = end->previous;
    size step = ROUND_UP((units - units_free) * 16ull, GRAIN);
    if (step > room)
        step = room;
    if ((units_free * 16ull) + step < units * 16ull || !step || !commit(h, s->committed_end, step))
        return 0;
    block *b = end;
    u32 previous = end->previous, total = (u32)(step / 16);
    if (units_free) {
        b = before(end);
        verify(b);
        bin_remove(h, b);
        previous = b->previous;
        total += units_free;
    }
    s->committed_end += step;
    s->uncommitted_pages -= (u32)(step / PAGE);
    s->uncommitted_ranges = s->uncommitted_pages != 0;
    put_end(h, (block *)(s->committed_end - 16), total);
    set_free(h, b, total, previous);
    return 1;
}

static int segment_new(heap *h, u32 units) {
    size needed = ROUND_UP(units * 16ull + sizeof(segment) + 64, GRAIN), reserve = h->segment_reserve;
    if (reserve < needed)
        reserve = needed;
    void *base = NULL;
    if (sys_allocate(CURRENT_PROCESS, &base, 0, &reserve, MEM_RESERVE, protection(h)) < 0) {
        base = NULL;
        reserve = needed;
        if (sys_allocate(CURRENT_PROCESS, &base, 0, &reserve, MEM_RESERVE, protection(h)) < 0)
            return 0;
    }
    if (!commit(h, base, needed)) {
        size none = 0;
        sys_free(CURRENT_PROCESS, &base, &none, MEM_RELEASE);
        return 0;
    }
    /* Each further segment reserves twice as much, as Windows does. */
    if (h->segment_reserve < MAX_RESERVE)
        h->segment_reserve *= 2;
    segment *s = base;
    segment_setup(h, s, base, reserve, (u8 *)base + needed, (u8 *)base + ROUND_UP(sizeof(segment), 16));
    return 1;
}

#define SEGMENT_OF(link) ((segment *)((u8 *)(link) - __builtin_offsetof(segment, list)))

COLD static int heap_grow(heap *h, u32 units) {
    for (LIST_ENTRY *link = h->segments.Blink; link != &h->segments; link = link->Blink)
        if (segment_grow(h, SEGMENT_OF(link), units))
            return 1;
    return h->flags & HEAP_GROWABLE ? segment_new(h, units) : 0;
}

/* ---- large blocks ---- */
#define LARGE_OF(b) ((large *)((u8 *)(b) - sizeof(large)))
_Static_assert(sizeof(large) % 16 == 0, "the data of a large block must be 16-aligned");

COLD static block *large_allocate(heap *h, size bytes) {
    size total = ROUND_UP(bytes + sizeof(large) + HEADER, PAGE);
    void *base = NULL;
    if (!(h->flags & HEAP_GROWABLE) || total > UNIT_LIMIT * 16 ||
        sys_allocate(CURRENT_PROCESS, &base, 0, &total, MEM_RESERVE | MEM_COMMIT, protection(h)) < 0)
        return NULL;
    large *l = base;
    l->links.Flink = &h->larges;
    l->links.Blink = h->larges.Blink;
    h->larges.Blink->Flink = &l->links;
    h->larges.Blink = &l->links;
    block *b = (block *)(l + 1);
    size units = (total - sizeof(large)) / 16;
    b->units = (u32)units;
    b->previous = 0;
    b->slack = (u32)(units * 16 - HEADER - bytes);
    b->heap_id = h->id;
    b->flags = BLOCK_BUSY | BLOCK_LARGE;
    seal(b);
    return b;
}

COLD static void large_free(block *b) {
    large *l = LARGE_OF(b);
    if (l->links.Flink->Blink != &l->links || l->links.Blink->Flink != &l->links)
        corrupted();
    l->links.Flink->Blink = l->links.Blink;
    l->links.Blink->Flink = l->links.Flink;
    void *base = l;
    size none = 0;
    sys_free(CURRENT_PROCESS, &base, &none, MEM_RELEASE);
}

/* ---- blocks ---- */
INLINE void set_previous(block *b, u32 previous) {
    verify(b);
    b->previous = previous;
    seal(b);
}

/* Cuts what a busy block has too much of off its end. The rest joins a free neighbour. */
static void trim(heap *h, block *b, u32 units) {
    u32 rest = b->units - units;
    if (rest < SMALLEST)
        return;
    block *next = after(b);
    b->units = units;
    block *tail = after(b);
    verify(next);
    if (!(next->flags & BLOCK_BUSY)) {
        bin_remove(h, next);
        rest += next->units;
    }
    set_free(h, tail, rest, units);
    set_previous(after(tail), rest);
}

static void release(heap *h, block *b) {
    block *next = after(b);
    u32 units = b->units, previous = b->previous;
    verify(next);
    if (UNLIKELY(next->previous != units))
        corrupted();
    if (!(next->flags & BLOCK_BUSY)) {
        bin_remove(h, next);
        units += next->units;
        next = after(next);
    }
    if (previous) {
        block *left = before(b);
        verify(left);
        if (UNLIKELY(left->units != previous))
            corrupted();
        if (!(left->flags & BLOCK_BUSY)) {
            /* The dead header keeps saying "free": freeing that pointer again is still noticed. */
            b->flags = 0;
            seal(b);
            bin_remove(h, left);
            units += left->units;
            previous = left->previous;
            b = left;
        }
    }
    set_free(h, b, units, previous);
    set_previous(next, units);
}

COLD static void flush_quick(heap *h) {
    for (u32 units = 0; h->quick_total && units < QUICK_CLASSES; units++) {
        for (block *b = h->quick[units], *next; b; b = next) {
            verify(b);
            next = b->next_free;
            release(h, b);
        }
        h->quick_total -= h->quick_count[units];
        h->quick_count[units] = 0;
        h->quick[units] = NULL;
    }
}

INLINE void give_back(heap *h, block *b) {
    u32 units = b->units;
    if (LIKELY(units < QUICK_CLASSES && h->quick_count[units] < QUICK_DEPTH)) {
        verify(after(b)); /* now is when an overrun can still be told from later damage */
        b->flags = BLOCK_BUSY | BLOCK_QUICK;
        b->slack = 0;
        seal(b);
        b->next_free = h->quick[units];
        h->quick[units] = b;
        h->quick_count[units]++;
        h->quick_total++;
    } else if (UNLIKELY(b->flags & BLOCK_LARGE))
        large_free(b);
    else
        release(h, b);
}

INLINE block *take_quick(heap *h, u32 units) {
    block *b = units < QUICK_CLASSES ? h->quick[units] : NULL;
    if (!b)
        return NULL;
    verify(b);
    if (UNLIKELY(b->flags != (BLOCK_BUSY | BLOCK_QUICK) || b->units != units))
        corrupted();
    h->quick[units] = b->next_free;
    h->quick_count[units]--;
    h->quick_total--;
    return b;
}

/* One unit holds no free links, so no block is smaller than two. */
INLINE u32 units_for(size bytes) {
    u32 units = (u32)((bytes + HEADER + 15) / 16);
    return units < SMALLEST ? SMALLEST : units;
}

static block *take(heap *h, size bytes) {
    if (UNLIKELY(bytes >= LARGE_LIMIT))
        return bytes < UNIT_LIMIT * 16 ? large_allocate(h, bytes) : NULL;
    u32 units = units_for(bytes);
    block *b = take_quick(h, units);
    if (LIKELY(b != NULL)) {
        b->flags = BLOCK_BUSY;
        b->slack = (u32)(units * 16ull - HEADER - bytes);
        seal(b);
        return b;
    }
    b = bin_take(h, units);
    if (UNLIKELY(!b) && h->quick_total) {
        flush_quick(h);
        b = bin_take(h, units);
    }
    if (UNLIKELY(!b)) {
        /* A class above may be empty while the grown block lies in the wanted class: ask for its upper edge. */
        u32 rounded = units < 16 ? units : units + (1u << (27 - __builtin_clz(units)));
        if (!heap_grow(h, rounded) && (rounded == units || !heap_grow(h, units)))
            return NULL;
        b = bin_take(h, units);
        if (!b)
            return NULL;
    }
    trim(h, b, units);
    b->flags = BLOCK_BUSY;
    b->slack = (u32)(b->units * 16ull - HEADER - bytes);
    seal(b);
    return b;
}

INLINE int heap_enter(heap *h, u32 flags) {
    if ((flags | h->flags) & HEAP_NO_SERIALIZE)
        return 0;
    RtlEnterCriticalSection(&h->lock_body);
    return 1;
}
INLINE void heap_leave(heap *h, int entered) {
    if (entered)
        RtlLeaveCriticalSection(&h->lock_body);
}
INLINE int is_heap(const heap *h) {
    return h && h->first.signature == SEGMENT_SIGNATURE && h->signature == HEAP_SIGNATURE;
}
INLINE heap *checked_heap(void *handle) {
    if (UNLIKELY(!is_heap(handle)))
        corrupted();
    return handle;
}

#include "heap_api.h"
