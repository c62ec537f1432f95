/* Character classes of the C locale. The masks are the ones programs see through __pctype_func. */
#pragma once
#include "common.h"

#define C_UPPER 0x01
#define C_LOWER 0x02
#define C_DIGIT 0x04
#define C_SPACE 0x08
#define C_PUNCT 0x10
#define C_CONTROL 0x20
#define C_BLANK 0x40
#define C_HEX 0x80

INLINE int class_of(int c) {
    if ((u32)c >= 0x80) return 0;
    if ((u32)(c - '0') < 10) return C_DIGIT | C_HEX;
    if ((u32)(c - 'A') < 26) return C_UPPER | (c <= 'F' ? C_HEX : 0);
    if ((u32)(c - 'a') < 26) return C_LOWER | (c <= 'f' ? C_HEX : 0);
    if (c == ' ') return C_SPACE | C_BLANK;
    if (c == '\t') return C_SPACE | C_CONTROL | C_BLANK;
    if ((u32)(c - 9) < 5) return C_SPACE | C_CONTROL;
    if (c < 0x20 || c == 0x7F) return C_CONTROL;
    return C_PUNCT;
}

/* Microsoft's functions return the mask bits that matched, not 1. _ALPHA is 0x0100 | upper | lower. */
EXPORT int isupper(int c) { return class_of(c) & C_UPPER; }
EXPORT int islower(int c) { return class_of(c) & C_LOWER; }
EXPORT int isdigit(int c) { return class_of(c) & C_DIGIT; }
EXPORT int isxdigit(int c) { return class_of(c) & C_HEX; }
EXPORT int isspace(int c) { return class_of(c) & C_SPACE; }
EXPORT int ispunct(int c) { return class_of(c) & C_PUNCT; }
EXPORT int iscntrl(int c) { return class_of(c) & C_CONTROL; }
EXPORT int isalpha(int c) { return class_of(c) & (C_UPPER | C_LOWER); }
EXPORT int isalnum(int c) { return class_of(c) & (C_UPPER | C_LOWER | C_DIGIT); }
EXPORT int isgraph(int c) { return class_of(c) & (C_UPPER | C_LOWER | C_DIGIT | C_PUNCT); }
EXPORT int isprint(int c) { return (u32)(c - 0x20) < 0x5F ? class_of(c) & (C_BLANK | C_PUNCT | C_UPPER | C_LOWER | C_DIGIT) : 0; }
