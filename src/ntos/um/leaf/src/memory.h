/* Block routines. Eight bytes at a time in general registers: the engine emulates SSE loads as two of these
 * plus traffic to its register file, and string instructions (rep movsb) as one loop trip a byte. */
#pragma once
#include "common.h"

typedef u64 __attribute__((aligned(1), may_alias)) u64u;
typedef u32 __attribute__((aligned(1), may_alias)) u32u;
typedef u16 __attribute__((aligned(1), may_alias)) u16u;

#define ONES 0x0101010101010101ull
#define HIGHS 0x8080808080808080ull
/* Non-zero when a byte of x is zero; its lowest set bit marks the first such byte. */
#define ZERO_BYTE(x) (((x) - ONES) & ~(x) & HIGHS)

LIBRARY_EXPORT void *memmove(void *to, const void *from, size count) {
    u8 *d = to;
    const u8 *s = from;
    if (count >= 8) {
        /* The far edge is loaded before anything is stored, so overlap cannot spoil it. */
        u64 first = *(const u64u *)s, last = *(const u64u *)(s + count - 8);
        if (count > 16) {
            if ((u64)(d - s) >= count) {
                size i = 0;
                for (; i + 40 <= count; i += 32) {
                    u64 a = *(const u64u *)(s + i), b = *(const u64u *)(s + i + 8);
                    u64 c = *(const u64u *)(s + i + 16), e = *(const u64u *)(s + i + 24);
                    *(u64u *)(d + i) = a;
                    *(u64u *)(d + i + 8) = b;
                    *(u64u *)(d + i + 16) = c;
                    *(u64u *)(d + i + 24) = e;
                }
                for (; i + 8 < count; i += 8)
                    *(u64u *)(d + i) = *(const u64u *)(s + i);
            } else {
                size i = count;
                for (; i >= 40; i -= 32) {
                    u64 a = *(const u64u *)(s + i - 8), b = *(const u64u *)(s + i - 16);
                    u64 c = *(const u64u *)(s + i - 24), e = *(const u64u *)(s + i - 32);
                    *(u64u *)(d + i - 8) = a;
                    *(u64u *)(d + i - 16) = b;
                    *(u64u *)(d + i - 24) = c;
                    *(u64u *)(d + i - 32) = e;
                }
                for (; i > 8; i -= 8)
                    *(u64u *)(d + i - 8) = *(const u64u *)(s + i - 8);
                *(u64u *)d = first;
                return to;
            }
        } else
            *(u64u *)d = first;
        *(u64u *)(d + count - 8) = last;
    } else if (count >= 4) {
        u32 first = *(const u32u *)s, last = *(const u32u *)(s + count - 4);
        *(u32u *)d = first;
        *(u32u *)(d + count - 4) = last;
    } else if (count) {
        u8 first = s[0], middle = s[count >> 1], last = s[count - 1];
        d[0] = first;
        d[count >> 1] = middle;
        d[count - 1] = last;
    }
    return to;
}

/* Programs lean on memcpy tolerating overlap, and Microsoft's x64 memcpy is memmove. */
LIBRARY_EXPORT void *memcpy(void *to, const void *from, size count) { return memmove(to, from, count); }

LIBRARY_EXPORT void *memset(void *to, int value, size count) {
    u8 *d = to;
    u64 fill = (u8)value * ONES;
    if (count >= 8) {
        size i = 0;
        for (; i + 32 <= count; i += 32) {
            *(u64u *)(d + i) = fill;
            *(u64u *)(d + i + 8) = fill;
            *(u64u *)(d + i + 16) = fill;
            *(u64u *)(d + i + 24) = fill;
        }
        for (; i + 8 <= count; i += 8)
            *(u64u *)(d + i) = fill;
        *(u64u *)(d + count - 8) = fill;
    } else if (count >= 4) {
        *(u32u *)d = (u32)fill;
        *(u32u *)(d + count - 4) = (u32)fill;
    } else if (count) {
        d[0] = d[count >> 1] = d[count - 1] = (u8)fill;
    }
    return to;
}

LIBRARY_EXPORT int memcmp(const void *left, const void *right, size count) {
    const u8 *a = left, *b = right;
    size i = 0;
    for (; i + 8 <= count; i += 8) {
        u64 x = *(const u64u *)(a + i), y = *(const u64u *)(b + i);
        if (x != y)
            return __builtin_bswap64(x) < __builtin_bswap64(y) ? -1 : 1;
    }
    for (; i < count; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

LIBRARY_EXPORT void *memchr(const void *block, int value, size count) {
    const u8 *p = block;
    u64 pattern = (u8)value * ONES;
    for (; count && ((u64)p & 7); p++, count--)
        if (*p == (u8)value)
            return (void *)p;
    for (; count >= 8; p += 8, count -= 8) {
        u64 found = *(const u64 *)p ^ pattern;
        found = ZERO_BYTE(found);
        if (found)
            return (void *)(p + (__builtin_ctzll(found) >> 3));
    }
    for (; count; p++, count--)
        if (*p == (u8)value)
            return (void *)p;
    return NULL;
}
