/* Where a leaf of the C runtime finds what it has to call: an image without imports, so DllMain fills the slots. */
#pragma once
#include "common.h"

typedef struct SLOTS {
    void *(*allocate)(u64 heap, u32 flags, size bytes);
    BOOLEAN (*release)(u64 heap, u32 flags, void *block);
    void *(*reallocate)(u64 heap, u32 flags, void *block, size bytes);
    size (*measure)(u64 heap, u32 flags, void *block);
    void (*unwind)(u64 frame, u64 address, void *record, u64 value);
    i32 (*out_of_memory)(size bytes); /* nonzero: somebody made room, try again */
} SLOTS;

EXPORT SLOTS ntos_slots = {0};
