// Do heap blocks keep their size, alignment and contents through every operation?
#include "sample.h"
#include <malloc.h>

static void sizes(HANDLE heap)
{
    static const SIZE_T asked[] = {0, 1, 7, 8, 15, 16, 17, 100, 1000, 4095, 4096, 65536, 1 << 20, 4 << 20};
    int aligned = 0, exact = 0, zeroed = 0, freed = 0;
    for (unsigned i = 0; i < ARRAYSIZE(asked); i++) {
        unsigned char *block = HeapAlloc(heap, HEAP_ZERO_MEMORY, asked[i]);
        unsigned char any = 0;
        for (SIZE_T k = 0; k < asked[i]; k++) any |= block[k];
        memset(block, 0xCC, asked[i]);
        aligned += block && ((ULONG_PTR)block & 15) == 0;
        exact += HeapSize(heap, 0, block) == asked[i];
        zeroed += !any;
        freed += HeapFree(heap, 0, block);
    }
    printf("of %d sizes: aligned %d, exact %d, zeroed %d, freed %d\n", (int)ARRAYSIZE(asked), aligned, exact, zeroed, freed);
}

static void reallocate(HANDLE heap)
{
    char *block = HeapAlloc(heap, 0, 10);
    memcpy(block, "kept bytes", 10);
    block = HeapReAlloc(heap, HEAP_ZERO_MEMORY, block, 100000);
    printf("grown: %.10s, size %llu, new bytes zero: %d\n", block, HeapSize(heap, 0, block), !block[10] && !block[99999]);
    block = HeapReAlloc(heap, 0, block, 4);
    printf("shrunk: %.4s, size %llu\n", block, HeapSize(heap, 0, block));
    HeapFree(heap, 0, block);
}

static void churn(HANDLE heap)
{
    static unsigned char *block[256];
    static unsigned length[256];
    unsigned seed = 1, bad = 0, live = 0;
    for (int round = 0; round < 4000; round++) {
        seed = seed * 1664525u + 1013904223u;
        unsigned slot = seed >> 24, size = (seed >> 8) & 1023;
        if (block[slot]) {
            for (unsigned k = 0; k < length[slot]; k++) bad += block[slot][k] != (unsigned char)slot;
            HeapFree(heap, 0, block[slot]);
            block[slot] = NULL;
        } else {
            block[slot] = HeapAlloc(heap, 0, length[slot] = size);
            memset(block[slot], slot, size);
        }
    }
    for (int slot = 0; slot < 256; slot++) live += block[slot] != NULL;
    printf("churn: spoilt bytes %u, live blocks %u, valid %d\n", bad, live, HeapValidate(heap, 0, NULL));
    for (int slot = 0; slot < 256; slot++)
        if (block[slot]) HeapFree(heap, 0, block[slot]);
}

static void c_runtime(void)
{
    char *block = malloc(20), *zeroed = calloc(25, 4);
    printf("malloc: size %zu, calloc: size %zu, zero %d\n", _msize(block), _msize(zeroed), !zeroed[0] && !zeroed[99]);
    strcpy(block, "through realloc");
    block = realloc(block, 50000);
    printf("realloc: %s, size %zu\n", block, _msize(block));
    free(zeroed);
    free(block);
    free(NULL);
    void *volatile none = calloc((size_t)1 << 40, (size_t)1 << 40);
    printf("calloc of too much: %s, errno %d\n", none ? "a block" : "NULL", errno);
}

int main(void)
{
    HANDLE own = HeapCreate(0, 0, 0), fixed = HeapCreate(0, 4096, 65536);
    printf("process heap is the C heap: %d\n", GetProcessHeap() == (HANDLE)_get_heap_handle());
    printf("process heap\n");
    sizes(GetProcessHeap());
    reallocate(GetProcessHeap());
    printf("private heap, its own: %d\n", own && own != GetProcessHeap());
    sizes(own);
    reallocate(own);
    churn(own);
    printf("free NULL: %d\n", HeapFree(own, 0, NULL));
    printf("fixed heap, small: %d, too large: %d\n", HeapAlloc(fixed, 0, 1000) != NULL, HeapAlloc(fixed, 0, 1 << 20) != NULL);
    printf("destroy: %d %d\n", HeapDestroy(own), HeapDestroy(fixed));
    c_runtime();
    return 0;
}
