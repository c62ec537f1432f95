/* How a thread sleeps until another wakes it: queues of wait blocks, hashed by the address waited for.
 *
 * A block lives on its thread's stack. Sleeping is NtWaitForAlertByThreadId, waking NtAlertThreadByThreadId
 * (Windows 8 and later do the same). An alert is sticky and may be a stray, so a block's state decides, never
 * the alert: a waiter leaves only when its block says WOKEN. Exactly one alert is sent per woken block, and the
 * waiter consumes it, so none is left over for somebody who waits by hand. */
#pragma once
#include "services.h"

enum { QUEUED, DETACHED, WOKEN };

typedef struct wait_block {
    struct wait_block *next;
    const volatile void *address;
    u64 thread_id;
    volatile u32 state;
    u8 shared;   /* SRW: wants the lock shared */
    u8 starving; /* was woken once and found the lock taken: gets it handed over next time */
    u8 granted;  /* woken as owner of the lock */
} wait_block;

typedef struct bucket {
    volatile u32 lock;
    wait_block *first, *last;
} bucket;

static bucket buckets[128];

INLINE bucket *bucket_of(const volatile void *address) {
    return &buckets[((u64)address * 0x9E3779B97F4A7C15ull) >> 57];
}

COLD static void bucket_wait(bucket *b) {
    static const i64 a_millisecond = -10000;
    /* The holder is a dozen instructions from release, but may have lost its time slice; a yield reaches only
     * threads of the same priority, so now and then really let go of the processor. */
    for (u32 tries = 1; __atomic_exchange_n(&b->lock, 1, __ATOMIC_ACQUIRE); tries++)
        tries % 8 ? sys_yield() : sys_delay(FALSE, &a_millisecond);
}
INLINE bucket *bucket_lock(const volatile void *address) {
    bucket *b = bucket_of(address);
    if (UNLIKELY(__atomic_exchange_n(&b->lock, 1, __ATOMIC_ACQUIRE)))
        bucket_wait(b);
    return b;
}
INLINE void bucket_unlock(bucket *b) { __atomic_store_n(&b->lock, 0, __ATOMIC_RELEASE); }

static void push_back(bucket *b, wait_block *w) {
    w->next = NULL;
    w->state = QUEUED;
    if (b->first)
        b->last->next = w;
    else
        b->first = w;
    b->last = w;
}
static void push_front(bucket *b, wait_block *w) {
    w->next = b->first;
    w->state = QUEUED;
    if (!b->first)
        b->last = w;
    b->first = w;
}

INLINE wait_block *first_for(bucket *b, const volatile void *address) {
    wait_block *w = b->first;
    while (w && w->address != address)
        w = w->next;
    return w;
}

static void unlink_block(bucket *b, wait_block *wanted) {
    wait_block *before = NULL;
    for (wait_block *w = b->first; w; before = w, w = w->next) {
        if (w != wanted)
            continue;
        if (before)
            before->next = w->next;
        else
            b->first = w->next;
        if (b->last == w)
            b->last = before;
        return;
    }
}

/* Takes up to `limit` blocks off the queue, in order; they are woken by wake() after the bucket is unlocked. */
static wait_block *detach(bucket *b, const volatile void *address, u32 limit) {
    wait_block *head = NULL, **tail = &head, *w;
    for (; limit && (w = first_for(b, address)); limit--) {
        unlink_block(b, w);
        w->state = DETACHED;
        w->next = NULL;
        *tail = w;
        tail = &w->next;
    }
    return head;
}

static void wake(wait_block *w) {
    while (w) {
        wait_block *next = w->next;
        u64 thread_id = w->thread_id;
        /* From the next store on the block belongs to a stack that may be gone. */
        __atomic_store_n(&w->state, WOKEN, __ATOMIC_RELEASE);
        sys_alert_thread(thread_id);
        w = next;
    }
}

/* Process exit kills all threads but one; whoever held a lock will never release it. Windows then ends the
 * process at once instead of hanging (documented for critical sections and SRW locks since Vista).
 * PEB_LDR_DATA: ShutdownInProgress 0x48, ShutdownThreadId 0x50. */
INLINE int shutting_down(void) {
    u64 ldr = PEB_LDR;
    return ldr && *(volatile u8 *)(ldr + 0x48) && *(volatile u64 *)(ldr + 0x50) == TEB_THREAD_ID;
}

INLINE wait_block new_block(const volatile void *address) {
    return (wait_block){.address = address, .thread_id = TEB_THREAD_ID};
}

/* Called with the block queued and the bucket unlocked. Returns STATUS_SUCCESS when woken. */
static NTSTATUS sleep_on(wait_block *w, const i64 *timeout) {
    if (!timeout && UNLIKELY(shutting_down()))
        sys_terminate_process(CURRENT_PROCESS, STATUS_THREAD_IS_TERMINATING);
    i64 deadline = 0;
    if (timeout) {
        /* A stray alert must not begin a relative wait afresh. */
        deadline = *timeout;
        if (deadline < 0)
            deadline = KUSER_INTERRUPT_TIME - deadline;
    }
    for (;;) {
        i64 left;
        NTSTATUS status;
        if (timeout && *timeout < 0) {
            left = KUSER_INTERRUPT_TIME - deadline;
            if (left > 0)
                left = 0;
            status = sys_wait_for_alert((const void *)w->address, &left);
        } else
            status = sys_wait_for_alert((const void *)w->address, timeout);
        if (__atomic_load_n(&w->state, __ATOMIC_ACQUIRE) == WOKEN && status != STATUS_TIMEOUT)
            return STATUS_SUCCESS;
        if (status == STATUS_TIMEOUT) {
            bucket *b = bucket_lock(w->address);
            if (w->state == QUEUED) {
                unlink_block(b, w);
                bucket_unlock(b);
                return STATUS_TIMEOUT;
            }
            bucket_unlock(b);
            timeout = NULL; /* an alert is on its way: take it */
        } else if (status < 0)
            sys_yield();
    }
}

/* RtlWaitOnAddress: returns when woken, or at once when the value already differs from the expected one. */
INLINE int same_value(const volatile void *address, const void *compare, size width) {
    switch (width) {
    case 1: return *(const volatile u8 *)address == *(const u8 *)compare;
    case 2: return *(const volatile u16 *)address == *(const u16 *)compare;
    case 4: return *(const volatile u32 *)address == *(const u32 *)compare;
    default: return *(const volatile u64 *)address == *(const u64 *)compare;
    }
}

EXPORT NTSTATUS RtlWaitOnAddress(const volatile void *Address, const void *CompareAddress, size AddressSize,
                                 const i64 *Timeout) {
    if (AddressSize > 8 || !AddressSize || (AddressSize & (AddressSize - 1)))
        return STATUS_INVALID_PARAMETER;
    /* Both are read before the bucket is locked as well, so that a bad pointer faults with nothing held. */
    if (!same_value(Address, CompareAddress, AddressSize))
        return STATUS_SUCCESS;
    wait_block w = new_block(Address);
    bucket *b = bucket_lock(Address);
    if (!same_value(Address, CompareAddress, AddressSize)) {
        bucket_unlock(b);
        return STATUS_SUCCESS;
    }
    push_back(b, &w);
    bucket_unlock(b);
    return sleep_on(&w, Timeout);
}

static void wake_address(const volatile void *address, u32 limit) {
    if (shutting_down())
        return; /* the waiters are dead, and so may be their stacks */
    bucket *b = bucket_lock(address);
    wait_block *list = detach(b, address, limit);
    bucket_unlock(b);
    wake(list);
}
EXPORT void RtlWakeAddressSingle(const volatile void *Address) { wake_address(Address, 1); }
EXPORT void RtlWakeAddressAll(const volatile void *Address) { wake_address(Address, ~0u); }
