/* Sorting and searching; comparison callbacks are plain calls inside the guest. */
#pragma once
#include "memory.h"

typedef int (*comparer)(const void *, const void *);
typedef int (*context_comparer)(void *, const void *, const void *);

/* One body for both conventions: `context` is given first when there is a context comparer. */
typedef struct order { comparer plain; context_comparer with; void *context; } order;

INLINE int compare(const order *o, const void *a, const void *b) {
    return o->plain ? o->plain(a, b) : o->with(o->context, a, b);
}

static void swap(u8 *a, u8 *b, size width) {
    if (a == b)
        return;
    for (; width >= 8; a += 8, b += 8, width -= 8) {
        u64 x = *(u64u *)a;
        *(u64u *)a = *(u64u *)b;
        *(u64u *)b = x;
    }
    for (; width; a++, b++, width--) {
        u8 x = *a;
        *a = *b;
        *b = x;
    }
}

static void sift(u8 *base, size root, size count, size width, const order *o) {
    for (size child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && compare(o, base + child * width, base + (child + 1) * width) < 0)
            child++;
        if (compare(o, base + root * width, base + child * width) >= 0)
            return;
        swap(base + root * width, base + child * width, width);
    }
}

static void heap_sort(u8 *base, size count, size width, const order *o) {
    for (size i = count / 2; i--;)
        sift(base, i, count, width, o);
    for (size last = count; --last;) {
        swap(base, base + last * width, width);
        sift(base, 0, last, width, o);
    }
}

static void insertion_sort(u8 *base, size count, size width, const order *o) {
    for (size i = 1; i < count; i++)
        for (size j = i; j && compare(o, base + (j - 1) * width, base + j * width) > 0; j--)
            swap(base + (j - 1) * width, base + j * width, width);
}

/* Quicksort that gives up on bad luck: beyond `depth` a heap sort keeps n log n. A comparison that contradicts
 * itself cannot lead it out of the array. */
static void sort(u8 *base, size count, size width, u32 depth, const order *o) {
    while (count > 8) {
        if (!depth--) {
            heap_sort(base, count, width, o);
            return;
        }
        u8 *middle = base + count / 2 * width, *end = base + (count - 1) * width;
        if (compare(o, base, middle) > 0)
            swap(base, middle, width);
        if (compare(o, middle, end) > 0)
            swap(middle, end, width);
        if (compare(o, base, middle) > 0)
            swap(base, middle, width);
        swap(base, middle, width);
        size low = 1, high = count - 1;
        for (;;) {
            while (low <= high && compare(o, base + low * width, base) < 0)
                low++;
            while (low <= high && compare(o, base + high * width, base) > 0)
                high--;
            if (low >= high)
                break;
            swap(base + low * width, base + high * width, width);
            low++;
            high--;
        }
        swap(base, base + high * width, width);
        size left = high, right = count - high - 1;
        u8 *upper_part = base + (high + 1) * width;
        if (left < right) {
            sort(base, left, width, depth, o);
            base = upper_part;
            count = right;
        } else {
            sort(upper_part, right, width, depth, o);
            count = left;
        }
    }
    insertion_sort(base, count, width, o);
}

INLINE void sort_all(void *base, size count, size width, const order *o) {
    if (count > 1 && width)
        sort(base, count, width, 2 * (64 - __builtin_clzll(count)), o);
}
static void *search(const void *key, const u8 *base, size count, size width, const order *o) {
    while (count) {
        const u8 *middle = base + count / 2 * width;
        int result = compare(o, key, middle);
        if (!result)
            return (void *)middle;
        if (result > 0) {
            base = middle + width;
            count--;
        }
        count /= 2;
    }
    return NULL;
}

EXPORT void qsort(void *base, size count, size width, comparer compare_routine) {
    order o = {compare_routine, NULL, NULL};
    sort_all(base, count, width, &o);
}
EXPORT void *bsearch(const void *key, const void *base, size count, size width, comparer compare_routine) {
    order o = {compare_routine, NULL, NULL};
    return search(key, base, count, width, &o);
}
