// Does the processor do what CPUID says it does, and does Windows say the same?
#include "sample.h"
#include <immintrin.h>
#include <cpuid.h>

static unsigned leaf1_c, leaf1_d, leaf7_b;

static void agree(const char *name, int cpuid, DWORD feature)
{
    int windows = IsProcessorFeaturePresent(feature) != 0;
    printf("%-8s %s\n", name, windows == cpuid ? "agree" : windows ? "only Windows" : "only CPUID");
}

// A needle whose beginning ends the sixteen bytes must be found there: strstr of Microsoft's runtimes counts on it.
__attribute__((target("sse4.2"))) static int cut_needle(void)
{
    const char hay[] = "0123456789abcdAR", needle[16] = "ARGS";
    __m128i left = _mm_loadu_si128((void *)needle), right = _mm_loadu_si128((void *)hay);
    return _mm_cmpistri(left, right, _SIDD_CMP_EQUAL_ORDERED);
}

__attribute__((target("popcnt,bmi,bmi2"))) static unsigned long long bits(unsigned long long value)
{
    volatile unsigned all = 64;
    if (_bzhi_u64(~0ull, all) != ~0ull) return 0;
    return _pext_u64(value, 0xF0F0F0F0) + _mm_popcnt_u64(value) + _tzcnt_u64(value);
}

__attribute__((target("aes"))) static unsigned aes(void)
{
    __m128i state = _mm_set_epi32(1, 2, 3, 4), key = _mm_set_epi32(5, 6, 7, 8);
    return (unsigned)_mm_cvtsi128_si32(_mm_aesenc_si128(state, key));
}

int main(void)
{
    unsigned a, b, c, d;
    __get_cpuid(1, &a, &b, &leaf1_c, &leaf1_d);
    __get_cpuid_count(7, 0, &a, &leaf7_b, &c, &d);
    agree("SSE2", leaf1_d >> 26 & 1, 10);
    agree("SSE3", leaf1_c & 1, 13);
    agree("SSSE3", leaf1_c >> 9 & 1, 36);
    agree("SSE4.1", leaf1_c >> 19 & 1, 37);
    agree("SSE4.2", leaf1_c >> 20 & 1, 38);
    agree("CX16", leaf1_c >> 13 & 1, 14);
    agree("RDRAND", leaf1_c >> 30 & 1, 28);
    int wrong = 0;
    if (leaf1_c >> 20 & 1) wrong |= cut_needle() != 14;
    if ((leaf1_c >> 23 & 1) && (leaf7_b >> 3 & 1) && (leaf7_b >> 8 & 1)) wrong |= (bits(0x12345678) != 0x1357 + 13 + 3) << 1;
    if (leaf1_c >> 25 & 1) wrong |= (aes() != 0xCBF2F252) << 2;
    printf("claimed and done wrong: %d\n", wrong);
    return 44;
}
