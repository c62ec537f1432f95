/* Numbers out of text, where no errno is part of the contract (ntdll's have none). */
#pragma once
#include "strings.h"

#define DIGIT_VALUE(c) \
    ((u32)((c) - '0') < 10 ? (u32)((c) - '0') : (u32)(lower(c) - 'a') < 26 ? (u32)(lower(c) - 'a') + 10 : 99u)
#define IS_SPACE(c) ((c) == ' ' || (u32)((c) - 9) < 5)

/* One parser for both widths. Limits: the most positive value; for signed ones the magnitude of the least too. */
#define PARSER(name, character) \
    static u64 name(const character *text, character **end, int base, u64 most, int is_signed) { \
        const character *s = text; \
        int negative = 0, any = 0, over = 0; \
        u64 value = 0; \
        if (base < 0 || base == 1 || base > 36) { \
            if (end) \
                *end = (character *)text; \
            return 0; \
        } \
        while (IS_SPACE(*s)) \
            s++; \
        if (*s == '-' || *s == '+') \
            negative = *s++ == '-'; \
        if ((base == 0 || base == 16) && s[0] == '0' && (s[1] | 32) == 'x' && DIGIT_VALUE(s[2]) < 16) { \
            s += 2; \
            base = 16; \
        } else if (base == 0) \
            base = *s == '0' ? 8 : 10; \
        u64 limit = is_signed ? most + negative : most; \
        for (u32 digit; (digit = DIGIT_VALUE(*s)) < (u32)base; s++, any = 1) { \
            if (over || value > (limit - digit) / base || digit > limit) \
                over = 1; \
            else \
                value = value * base + digit; \
        } \
        if (end) \
            *end = (character *)(any ? s : text); \
        if (over) \
            return is_signed && negative ? 0 - limit : limit; \
        return negative ? 0 - value : value; \
    }
PARSER(parse8, char)
PARSER(parse16, wchar)
