/* C strings as ntdll and ucrtbase export them. Case folding is the C locale's (ASCII). */
#pragma once
#include "search.h"

INLINE int lower(int c) { return (u32)(c - 'A') < 26 ? c + 32 : c; }
INLINE int upper(int c) { return (u32)(c - 'a') < 26 ? c - 32 : c; }

EXPORT size strlen(const char *s) { return length8(s); }
EXPORT size wcslen(const wchar *s) { return length16(s); }

EXPORT size strnlen(const char *s, size limit) {
    const char *end = memchr(s, 0, limit);
    return end ? (size)(end - s) : limit;
}

EXPORT size wcsnlen(const wchar *s, size limit) {
    size i = 0;
    while (i < limit && s[i])
        i++;
    return i;
}

EXPORT char *strcpy(char *to, const char *from) { return memmove(to, from, length8(from) + 1); }
EXPORT wchar *wcscpy(wchar *to, const wchar *from) { return memmove(to, from, 2 * length16(from) + 2); }
EXPORT char *strcat(char *to, const char *from) {
    strcpy(to + length8(to), from);
    return to;
}
EXPORT wchar *wcscat(wchar *to, const wchar *from) {
    wcscpy(to + length16(to), from);
    return to;
}

/* The rest of the buffer is filled with zeros, as the standard says of strncpy and wcsncpy. */
EXPORT char *strncpy(char *to, const char *from, size limit) {
    size count = strnlen(from, limit);
    memmove(to, from, count);
    memset(to + count, 0, limit - count);
    return to;
}
EXPORT wchar *wcsncpy(wchar *to, const wchar *from, size limit) {
    size count = wcsnlen(from, limit);
    memmove(to, from, 2 * count);
    memset(to + count, 0, 2 * (limit - count));
    return to;
}
EXPORT char *strncat(char *to, const char *from, size limit) {
    char *end = to + length8(to);
    size count = strnlen(from, limit);
    memmove(end, from, count);
    end[count] = 0;
    return to;
}
EXPORT wchar *wcsncat(wchar *to, const wchar *from, size limit) {
    wchar *end = to + length16(to);
    size count = wcsnlen(from, limit);
    memmove(end, from, 2 * count);
    end[count] = 0;
    return to;
}

EXPORT int strncmp(const char *left, const char *right, size limit) {
    const u8 *a = (const u8 *)left, *b = (const u8 *)right;
    for (; limit; a++, b++, limit--)
        if (*a != *b || !*a)
            return (*a > *b) - (*a < *b);
    return 0;
}
EXPORT int strcmp(const char *left, const char *right) { return strncmp(left, right, ~0ull); }

EXPORT int wcsncmp(const wchar *a, const wchar *b, size limit) {
    for (; limit; a++, b++, limit--)
        if (*a != *b || !*a)
            return (*a > *b) - (*a < *b);
    return 0;
}
EXPORT int wcscmp(const wchar *left, const wchar *right) { return wcsncmp(left, right, ~0ull); }

/* Microsoft's case-blind comparisons return the difference of the lower-cased characters. */
EXPORT int _strnicmp(const char *left, const char *right, size limit) {
    for (; limit; left++, right++, limit--) {
        int a = lower((u8)*left), b = lower((u8)*right);
        if (a != b || !a)
            return a - b;
    }
    return 0;
}
EXPORT int _stricmp(const char *left, const char *right) { return _strnicmp(left, right, ~0ull); }

EXPORT int _wcsnicmp(const wchar *left, const wchar *right, size limit) {
    for (; limit; left++, right++, limit--) {
        int a = lower(*left), b = lower(*right);
        if (a != b || !a)
            return a - b;
    }
    return 0;
}
EXPORT int _wcsicmp(const wchar *left, const wchar *right) { return _wcsnicmp(left, right, ~0ull); }

EXPORT int _memicmp(const void *left, const void *right, size count) {
    const u8 *a = left, *b = right;
    for (; count; a++, b++, count--)
        if (lower(*a) != lower(*b))
            return lower(*a) - lower(*b);
    return 0;
}

INLINE int in_set8(const char *set, char value) {
    for (; *set; set++)
        if (*set == value)
            return 1;
    return 0;
}
INLINE int in_set16(const wchar *set, wchar value) {
    for (; *set; set++)
        if (*set == value)
            return 1;
    return 0;
}
EXPORT size strspn(const char *s, const char *set) {
    size i = 0;
    while (s[i] && in_set8(set, s[i]))
        i++;
    return i;
}
EXPORT size strcspn(const char *s, const char *set) {
    size i = 0;
    while (s[i] && !in_set8(set, s[i]))
        i++;
    return i;
}
EXPORT char *strpbrk(const char *s, const char *set) {
    s += strcspn(s, set);
    return *s ? (char *)s : NULL;
}
EXPORT size wcsspn(const wchar *s, const wchar *set) {
    size i = 0;
    while (s[i] && in_set16(set, s[i]))
        i++;
    return i;
}
EXPORT size wcscspn(const wchar *s, const wchar *set) {
    size i = 0;
    while (s[i] && !in_set16(set, s[i]))
        i++;
    return i;
}
EXPORT wchar *wcspbrk(const wchar *s, const wchar *set) {
    s += wcscspn(s, set);
    return *s ? (wchar *)s : NULL;
}
EXPORT char *_strlwr(char *s) {
    for (char *p = s; *p; p++)
        *p = (char)lower((u8)*p);
    return s;
}
EXPORT char *_strupr(char *s) {
    for (char *p = s; *p; p++)
        *p = (char)upper((u8)*p);
    return s;
}
EXPORT wchar *_wcslwr(wchar *s) {
    for (wchar *p = s; *p; p++)
        *p = (wchar)lower(*p);
    return s;
}
EXPORT wchar *_wcsupr(wchar *s) {
    for (wchar *p = s; *p; p++)
        *p = (wchar)upper(*p);
    return s;
}
