/* ucrtbase.dll: routines of the C locale that need neither errno nor the per-thread data of the runtime. */
#include "blocks.h"
#include "ctype.h"
#include "jump.h"
#include "sort.h"
#include "strings.h"

EXPORT int tolower(int c) { return lower(c); }
EXPORT int toupper(int c) { return upper(c); }
EXPORT int _tolower(int c) { return c + 32; }
EXPORT int _toupper(int c) { return c - 32; }
EXPORT int __isascii(int c) { return (u32)c < 0x80; }
EXPORT int __toascii(int c) { return c & 0x7F; }
EXPORT int __iscsym(int c) { return isalnum(c) || c == '_'; }
EXPORT int __iscsymf(int c) { return isalpha(c) || c == '_'; }
EXPORT int isblank(int c) { return c == '\t' || c == ' ' ? C_BLANK : 0; }

EXPORT int abs(int value) { return value < 0 ? (int)(0u - (u32)value) : value; }
EXPORT int labs(int value) { return abs(value); }
EXPORT i64 llabs(i64 value) { return value < 0 ? (i64)(0ull - (u64)value) : value; }
EXPORT i64 _abs64(i64 value) { return llabs(value); }

EXPORT u16 _byteswap_ushort(u16 value) { return __builtin_bswap16(value); }
EXPORT u32 _byteswap_ulong(u32 value) { return __builtin_bswap32(value); }
EXPORT u64 _byteswap_uint64(u64 value) { return __builtin_bswap64(value); }
EXPORT u32 _rotl(u32 value, int shift) { return __builtin_rotateleft32(value, (u32)shift); }
EXPORT u32 _rotr(u32 value, int shift) { return __builtin_rotateright32(value, (u32)shift); }
EXPORT u64 _rotl64(u64 value, int shift) { return __builtin_rotateleft64(value, (u64)(u32)shift); }
EXPORT u64 _rotr64(u64 value, int shift) { return __builtin_rotateright64(value, (u64)(u32)shift); }

EXPORT void *_memccpy(void *to, const void *from, int stop, size count) {
    u8 *d = to;
    const u8 *s = from;
    while (count--)
        if ((*d++ = *s++) == (u8)stop)
            return d;
    return NULL;
}
EXPORT char *_strrev(char *s) {
    for (char *a = s, *b = s + length8(s); a < b;) {
        char c = *--b;
        *b = *a;
        *a++ = c;
    }
    return s;
}
EXPORT wchar *_wcsrev(wchar *s) {
    for (wchar *a = s, *b = s + length16(s); a < b;) {
        wchar c = *--b;
        *b = *a;
        *a++ = c;
    }
    return s;
}

/* Tables of the program's initialisers: called here, so that they return here. */
typedef void (*initialiser)(void);
typedef int (*failing_initialiser)(void);

EXPORT void _initterm(initialiser *first, initialiser *last) {
    for (; first != last; first++)
        if (*first)
            (*first)();
}
EXPORT int _initterm_e(failing_initialiser *first, failing_initialiser *last) {
    for (; first != last; first++) {
        int result = *first ? (*first)() : 0;
        if (result)
            return result;
    }
    return 0;
}

EXPORT void qsort_s(void *base, size count, size width, context_comparer compare_routine, void *context) {
    order o = {NULL, compare_routine, context};
    sort_all(base, count, width, &o);
}
EXPORT void *bsearch_s(const void *key, const void *base, size count, size width, context_comparer compare_routine,
                       void *context) {
    order o = {NULL, compare_routine, context};
    return search(key, base, count, width, &o);
}
