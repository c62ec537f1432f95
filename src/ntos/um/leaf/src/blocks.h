/* malloc and its family on the process heap. Failure goes to Python: errno, and the new handler in new mode. */
#pragma once
#include "slots.h"

#define HEAP_ZERO_MEMORY 8

static void *obtain(size bytes, u32 flags) {
    if (bytes == 0)
        bytes = 1;
    for (;;) {
        void *block = bytes > ~(size)0x20 ? NULL : ntos_slots.allocate(PEB_PROCESS_HEAP, flags, bytes);
        if (LIKELY(block != NULL) || !ntos_slots.out_of_memory(bytes))
            return block;
    }
}
INLINE BOOL multiplies(size count, size width, size *bytes) { return !__builtin_mul_overflow(count, width, bytes); }

EXPORT void *malloc(size bytes) { return obtain(bytes, 0); }
EXPORT void *_malloc_base(size bytes) { return obtain(bytes, 0); }
EXPORT void free(void *block) {
    if (block)
        ntos_slots.release(PEB_PROCESS_HEAP, 0, block);
}
EXPORT void _free_base(void *block) { free(block); }
EXPORT void *calloc(size count, size width) {
    size bytes;
    if (multiplies(count, width, &bytes))
        return obtain(bytes, HEAP_ZERO_MEMORY);
    ntos_slots.out_of_memory(~(size)0);
    return NULL;
}
EXPORT void *_calloc_base(size count, size width) { return calloc(count, width); }
EXPORT void *realloc(void *block, size bytes) {
    if (!block)
        return obtain(bytes, 0);
    if (bytes == 0) {
        free(block);
        return NULL;
    }
    for (;;) {
        void *moved = bytes > ~(size)0x20 ? NULL : ntos_slots.reallocate(PEB_PROCESS_HEAP, 0, block, bytes);
        if (LIKELY(moved != NULL) || !ntos_slots.out_of_memory(bytes))
            return moved;
    }
}
EXPORT void *_realloc_base(void *block, size bytes) { return realloc(block, bytes); }
EXPORT size _msize(void *block) { return ntos_slots.measure(PEB_PROCESS_HEAP, 0, block); }
EXPORT void *_recalloc(void *block, size count, size width) {
    size bytes, old = block ? _msize(block) : 0;
    if (!multiplies(count, width, &bytes)) {
        ntos_slots.out_of_memory(~(size)0);
        return NULL;
    }
    char *moved = realloc(block, bytes);
    if (moved)
        for (size i = old; i < bytes; i++)
            moved[i] = 0;
    return moved;
}
/* The word below an aligned block leads to the block it stands in (documented by the debug runtime's headers). */
EXPORT void *_aligned_offset_malloc(size bytes, size alignment, size offset) {
    if (alignment < 8)
        alignment = 8;
    if (bytes + alignment + 8 < bytes) {
        ntos_slots.out_of_memory(~(size)0);
        return NULL;
    }
    char *block = obtain(bytes + alignment + 8, 0);
    if (!block)
        return NULL;
    u64 place = (((u64)block + 8 + alignment - 1 + offset) & ~(alignment - 1)) - offset;
    while (place < (u64)block + 8)
        place += alignment;
    ((void **)place)[-1] = block;
    return (void *)place;
}
EXPORT void *_aligned_malloc(size bytes, size alignment) { return _aligned_offset_malloc(bytes, alignment, 0); }
EXPORT void _aligned_free(void *block) {
    if (block)
        free(((void **)block)[-1]);
}
EXPORT size _aligned_msize(void *block, size alignment, size offset) {
    char *outer = ((void **)block)[-1];
    return _msize(outer) - (alignment < 8 ? 8 : alignment) - 8 + 0 * offset;
}
EXPORT void *_aligned_offset_realloc(void *block, size bytes, size alignment, size offset) {
    if (!block)
        return _aligned_offset_malloc(bytes, alignment, offset);
    if (!bytes) {
        _aligned_free(block);
        return NULL;
    }
    char *outer = ((void **)block)[-1];
    size kept = (size)(outer + _msize(outer) - (char *)block);
    char *moved = _aligned_offset_malloc(bytes, alignment, offset);
    if (!moved)
        return NULL;
    for (size i = 0; i < kept && i < bytes; i++)
        moved[i] = ((char *)block)[i];
    _aligned_free(block);
    return moved;
}
EXPORT void *_aligned_realloc(void *block, size bytes, size alignment) {
    return _aligned_offset_realloc(block, bytes, alignment, 0);
}
