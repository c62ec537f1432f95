/* Lengths and searches: the string routines that vcruntime140, ucrtbase and ntdll share.
 * Aligned eight-byte reads never cross into a page the string does not touch. */
#pragma once
#include "memory.h"

INLINE size length8(const char *s) {
    const char *p = s;
    for (; (u64)p & 7; p++)
        if (!*p)
            return p - s;
    for (;; p += 8) {
        u64 zero = *(const u64u *)p;
        zero = ZERO_BYTE(zero);
        if (zero)
            return p - s + (__builtin_ctzll(zero) >> 3);
    }
}

INLINE size length16(const wchar *s) {
    const wchar *p = s;
    if (!((u64)p & 1)) {
        for (; (u64)p & 7; p++)
            if (!*p)
                return p - s;
        for (;; p += 4) {
            u64 x = *(const u64u *)p;
            u64 zero = (x - 0x0001000100010001ull) & ~x & 0x8000800080008000ull;
            if (zero)
                return p - s + (__builtin_ctzll(zero) >> 4);
        }
    }
    while (*(const u16u *)p)
        p++;
    return p - s;
}

LIBRARY_EXPORT char *strchr(const char *s, int value) {
    for (;; s++) {
        if (*s == (char)value)
            return (char *)s;
        if (!*s)
            return NULL;
    }
}

LIBRARY_EXPORT char *strrchr(const char *s, int value) {
    const char *found = NULL;
    for (;; s++) {
        if (*s == (char)value)
            found = s;
        if (!*s)
            return (char *)found;
    }
}

LIBRARY_EXPORT char *strstr(const char *s, const char *wanted) {
    if (!*wanted)
        return (char *)s;
    for (; (s = strchr(s, *wanted)); s++) {
        size i = 1;
        while (wanted[i] && s[i] == wanted[i])
            i++;
        if (!wanted[i])
            return (char *)s;
    }
    return NULL;
}

LIBRARY_EXPORT wchar *wcschr(const wchar *s, wchar value) {
    for (;; s++) {
        if (*s == value)
            return (wchar *)s;
        if (!*s)
            return NULL;
    }
}

LIBRARY_EXPORT wchar *wcsrchr(const wchar *s, wchar value) {
    const wchar *found = NULL;
    for (;; s++) {
        if (*s == value)
            found = s;
        if (!*s)
            return (wchar *)found;
    }
}

LIBRARY_EXPORT wchar *wcsstr(const wchar *s, const wchar *wanted) {
    if (!*wanted)
        return (wchar *)s;
    for (; (s = wcschr(s, *wanted)); s++) {
        size i = 1;
        while (wanted[i] && s[i] == wanted[i])
            i++;
        if (!wanted[i])
            return (wchar *)s;
    }
    return NULL;
}
