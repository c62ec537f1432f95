/* Critical sections, SRW locks, condition variables and one-time initialisation over wait.h.
 *
 * A released lock is up for grabs, and one waiter is woken to try. A waiter that lost twice is handed the lock:
 * with one processor and time slices a loop of lock, work, unlock would otherwise starve it for ever. */
#pragma once
#include "raise.h"
#include "wait.h"

#define CAS(place, expected, desired) \
    __atomic_compare_exchange_n(place, expected, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

/* ---- critical sections --------------------------------------------------------------------------------
 * LockCount since Vista (documented in the debugger's manual, "Displaying a Critical Section"): bit 0 is 0
 * when locked, bit 1 is 0 when a waiter has been woken and is on its way, the rest is the ones' complement
 * of the number of waiters. Invariant under the bucket lock: that number is the number of queued blocks. */
typedef struct RTL_CRITICAL_SECTION {
    void *DebugInfo;
    volatile i32 LockCount;
    i32 RecursionCount;
    volatile u64 OwningThread;
    void *LockSemaphore;
    u64 SpinCount;
} RTL_CRITICAL_SECTION;

enum { CS_FREE = 1, CS_NOT_WOKEN = 2, CS_WAITER = 4, CS_UNLOCKED = -1, CS_LOCKED = -2 };

INLINE void cs_own(RTL_CRITICAL_SECTION *cs) {
    cs->OwningThread = TEB_THREAD_ID;
    cs->RecursionCount = 1;
}

COLD static void cs_wait(RTL_CRITICAL_SECTION *cs) {
    wait_block w = new_block(cs);
    i32 woken = 0;
    for (;;) {
        bucket *b = bucket_lock(cs);
        i32 old = cs->LockCount;
        for (;;) {
            i32 wanted = (old & CS_FREE) ? (old & ~CS_FREE) : old - CS_WAITER;
            if (CAS(&cs->LockCount, &old, wanted | woken))
                break;
        }
        if (old & CS_FREE) {
            bucket_unlock(b);
            return;
        }
        if (woken) {
            w.starving = 1;
            push_front(b, &w);
        } else
            push_back(b, &w);
        bucket_unlock(b);
        sleep_on(&w, NULL);
        if (w.granted)
            return;
        woken = CS_NOT_WOKEN; /* we are the one that was on its way: the bit goes back up */
    }
}

COLD static void cs_wake(RTL_CRITICAL_SECTION *cs) {
    if (shutting_down()) {
        __atomic_or_fetch(&cs->LockCount, CS_FREE, __ATOMIC_SEQ_CST);
        return;
    }
    bucket *b = bucket_lock(cs);
    wait_block *list = NULL;
    i32 old = cs->LockCount, desired;
    do {
        list = (old & CS_NOT_WOKEN) ? first_for(b, cs) : NULL;
        if (!list)
            desired = old | CS_FREE;
        else if (list->starving)
            desired = old + CS_WAITER; /* stays locked: handed over */
        else
            desired = ((old | CS_FREE) + CS_WAITER) & ~CS_NOT_WOKEN;
    } while (!CAS(&cs->LockCount, &old, desired));
    if (list) {
        list = detach(b, cs, 1);
        list->granted = list->starving;
    }
    bucket_unlock(b);
    wake(list);
}

EXPORT NTSTATUS RtlEnterCriticalSection(RTL_CRITICAL_SECTION *CriticalSection) {
    i32 expected = CS_UNLOCKED;
    if (LIKELY(CAS(&CriticalSection->LockCount, &expected, CS_LOCKED))) {
        cs_own(CriticalSection);
        return STATUS_SUCCESS;
    }
    if (CriticalSection->OwningThread == TEB_THREAD_ID) {
        CriticalSection->RecursionCount++;
        return STATUS_SUCCESS;
    }
    cs_wait(CriticalSection);
    cs_own(CriticalSection);
    return STATUS_SUCCESS;
}

EXPORT u32 RtlTryEnterCriticalSection(RTL_CRITICAL_SECTION *CriticalSection) {
    i32 old = CriticalSection->LockCount;
    while (old & CS_FREE)
        if (CAS(&CriticalSection->LockCount, &old, old & ~CS_FREE)) {
            cs_own(CriticalSection);
            return TRUE;
        }
    if (CriticalSection->OwningThread != TEB_THREAD_ID)
        return FALSE;
    CriticalSection->RecursionCount++;
    return TRUE;
}

EXPORT NTSTATUS RtlLeaveCriticalSection(RTL_CRITICAL_SECTION *CriticalSection) {
    if (--CriticalSection->RecursionCount > 0)
        return STATUS_SUCCESS;
    CriticalSection->OwningThread = 0;
    i32 expected = CS_LOCKED;
    if (UNLIKELY(!CAS(&CriticalSection->LockCount, &expected, CS_UNLOCKED)))
        cs_wake(CriticalSection);
    return STATUS_SUCCESS;
}

/* Windows 8 and later make no debug record unless asked: DebugInfo is -1. One processor never spins. */
EXPORT NTSTATUS RtlInitializeCriticalSectionEx(RTL_CRITICAL_SECTION *CriticalSection, u32 SpinCount, u32 Flags) {
    if (SpinCount & 0xFF000000 && !(SpinCount & 0x80000000))
        return STATUS_INVALID_PARAMETER_2;
    if (Flags & ~0x1F000000u)
        return STATUS_INVALID_PARAMETER_3;
    u64 spin = PEB_NUMBER_OF_PROCESSORS > 1 ? SpinCount & 0x00FFFFFF : 0;
    *CriticalSection = (RTL_CRITICAL_SECTION){(void *)-1ll, CS_UNLOCKED, 0, 0, NULL, spin};
    return STATUS_SUCCESS;
}
EXPORT NTSTATUS RtlInitializeCriticalSectionAndSpinCount(RTL_CRITICAL_SECTION *CriticalSection, u32 SpinCount) {
    /* The old calls accept the flag bits of Windows 2000 (bit 31: make the event at once) and ignore them. */
    return RtlInitializeCriticalSectionEx(CriticalSection, SpinCount & 0x00FFFFFF, 0);
}
EXPORT NTSTATUS RtlInitializeCriticalSection(RTL_CRITICAL_SECTION *CriticalSection) {
    return RtlInitializeCriticalSectionEx(CriticalSection, 2000, 0);
}
EXPORT NTSTATUS RtlDeleteCriticalSection(RTL_CRITICAL_SECTION *CriticalSection) {
    *CriticalSection = (RTL_CRITICAL_SECTION){NULL, CS_UNLOCKED, 0, 0, NULL, 0};
    return STATUS_SUCCESS;
}
EXPORT u32 RtlSetCriticalSectionSpinCount(RTL_CRITICAL_SECTION *CriticalSection, u32 SpinCount) {
    u32 before = (u32)CriticalSection->SpinCount;
    CriticalSection->SpinCount = PEB_NUMBER_OF_PROCESSORS > 1 ? SpinCount : 0;
    return before;
}
EXPORT BOOL RtlIsCriticalSectionLocked(const RTL_CRITICAL_SECTION *CriticalSection) {
    return !(CriticalSection->LockCount & CS_FREE);
}
EXPORT BOOL RtlIsCriticalSectionLockedByThread(const RTL_CRITICAL_SECTION *CriticalSection) {
    return CriticalSection->OwningThread == TEB_THREAD_ID && CriticalSection->RecursionCount != 0;
}

/* ---- slim reader/writer locks ------------------------------------------------------------------------
 * The bits of the public RTL_SRWLOCK: Locked 0, Waiting 1, Waking 2, Shared 4 and up (0 when exclusive).
 * Windows keeps the queue's address in the upper bits while threads wait; here the queue is in wait.h, so the
 * count of readers stays readable. */
typedef struct RTL_SRWLOCK { volatile u64 Value; } RTL_SRWLOCK;
enum { SRW_LOCKED = 1, SRW_WAITING = 2, SRW_WAKING = 4, SRW_SHARED = 16 };

INLINE u64 srw_try(u64 old, int shared, int woken) {
    if (!(old & SRW_LOCKED))
        return old | SRW_LOCKED | (shared ? SRW_SHARED : 0);
    /* New readers queue behind a waiting writer; a woken one was in front of it. */
    if (shared && old >= SRW_SHARED && (woken || !(old & (SRW_WAITING | SRW_WAKING))))
        return old + SRW_SHARED;
    return 0;
}

COLD static void srw_wait(RTL_SRWLOCK *lock, int shared) {
    wait_block w = new_block(lock);
    w.shared = (u8)shared;
    for (int woken = 0;; woken = 1) {
        bucket *b = bucket_lock(lock);
        u64 old = lock->Value, desired, taken;
        do {
            taken = srw_try(old, shared, woken);
            desired = taken ? taken : old | SRW_WAITING;
            if (woken)
                desired &= ~(u64)SRW_WAKING;
        } while (!CAS(&lock->Value, &old, desired));
        if (taken) {
            bucket_unlock(b);
            return;
        }
        if (woken) {
            w.starving = 1;
            push_front(b, &w);
        } else
            push_back(b, &w);
        bucket_unlock(b);
        sleep_on(&w, NULL);
        if (w.granted)
            return;
    }
}

/* The last holder leaves while threads wait or are on their way. */
COLD static void srw_wake(RTL_SRWLOCK *lock, u64 held) {
    bucket *b = bucket_lock(lock);
    wait_block *list = NULL;
    u64 old = lock->Value, desired, readers = 0;
    int quiet = shutting_down();
    do {
        readers = 0;
        list = (old & SRW_WAKING) || quiet ? NULL : first_for(b, lock);
        if (held == SRW_SHARED && old >= 2 * SRW_SHARED)
            list = NULL, desired = old - SRW_SHARED; /* other readers came in meanwhile */
        else if (!list)
            desired = old & (SRW_WAITING | SRW_WAKING);
        else
            desired = SRW_WAKING;
        if (list) {
            wait_block *w = list;
            if (w->shared)
                for (; w && (w->address != lock || w->shared); w = w->next)
                    readers += w->address == lock;
            else
                w = w->next;
            while (w && w->address != lock)
                w = w->next;
            if (list->starving)
                desired = SRW_LOCKED | readers * SRW_SHARED;
            desired |= w ? SRW_WAITING : 0;
        }
    } while (!CAS(&lock->Value, &old, desired));
    if (list) {
        u8 granted = list->starving;
        list = detach(b, lock, readers ? (u32)readers : 1);
        for (wait_block *w = list; w; w = w->next)
            w->granted = granted;
    }
    bucket_unlock(b);
    wake(list);
}

EXPORT void RtlInitializeSRWLock(RTL_SRWLOCK *SRWLock) { SRWLock->Value = 0; }

EXPORT void RtlAcquireSRWLockExclusive(RTL_SRWLOCK *SRWLock) {
    u64 expected = 0;
    if (UNLIKELY(!CAS(&SRWLock->Value, &expected, SRW_LOCKED)))
        srw_wait(SRWLock, 0);
}
EXPORT void RtlAcquireSRWLockShared(RTL_SRWLOCK *SRWLock) {
    u64 old = 0;
    if (LIKELY(CAS(&SRWLock->Value, &old, SRW_LOCKED | SRW_SHARED)))
        return;
    for (u64 desired; (desired = srw_try(old, 1, 0));)
        if (CAS(&SRWLock->Value, &old, desired))
            return;
    srw_wait(SRWLock, 1);
}
static u32 srw_try_acquire(RTL_SRWLOCK *lock, int shared) {
    u64 old = lock->Value;
    for (u64 desired; (desired = srw_try(old, shared, 0));)
        if (CAS(&lock->Value, &old, desired))
            return TRUE;
    return FALSE;
}
EXPORT u32 RtlTryAcquireSRWLockExclusive(RTL_SRWLOCK *SRWLock) { return srw_try_acquire(SRWLock, 0); }
EXPORT u32 RtlTryAcquireSRWLockShared(RTL_SRWLOCK *SRWLock) { return srw_try_acquire(SRWLock, 1); }

EXPORT void RtlReleaseSRWLockExclusive(RTL_SRWLOCK *SRWLock) {
    u64 old = SRW_LOCKED;
    if (LIKELY(CAS(&SRWLock->Value, &old, 0)))
        return;
    if (!(old & SRW_LOCKED))
        raise_status(STATUS_RESOURCE_NOT_OWNED);
    srw_wake(SRWLock, SRW_LOCKED);
}
EXPORT void RtlReleaseSRWLockShared(RTL_SRWLOCK *SRWLock) {
    u64 old = SRW_LOCKED | SRW_SHARED;
    if (LIKELY(CAS(&SRWLock->Value, &old, 0)))
        return;
    for (;;) {
        if (!(old & SRW_LOCKED))
            raise_status(STATUS_RESOURCE_NOT_OWNED);
        if (old < 2 * SRW_SHARED)
            break;
        if (CAS(&SRWLock->Value, &old, old - SRW_SHARED))
            return;
    }
    srw_wake(SRWLock, SRW_SHARED);
}

/* ---- condition variables ------------------------------------------------------------------------------
 * The word is 1 while threads are queued, so that waking nobody takes no lock. */
typedef struct RTL_CONDITION_VARIABLE { volatile u64 Value; } RTL_CONDITION_VARIABLE;

EXPORT void RtlInitializeConditionVariable(RTL_CONDITION_VARIABLE *ConditionVariable) {
    ConditionVariable->Value = 0;
}

static void condition_queue(RTL_CONDITION_VARIABLE *condition, wait_block *w) {
    bucket *b = bucket_lock(condition);
    push_back(b, w);
    condition->Value = 1;
    bucket_unlock(b);
}

EXPORT NTSTATUS RtlSleepConditionVariableCS(RTL_CONDITION_VARIABLE *ConditionVariable,
                                            RTL_CRITICAL_SECTION *CriticalSection, const i64 *Timeout) {
    wait_block w = new_block(ConditionVariable);
    condition_queue(ConditionVariable, &w);
    RtlLeaveCriticalSection(CriticalSection);
    NTSTATUS status = sleep_on(&w, Timeout);
    RtlEnterCriticalSection(CriticalSection);
    return status;
}

EXPORT NTSTATUS RtlSleepConditionVariableSRW(RTL_CONDITION_VARIABLE *ConditionVariable, RTL_SRWLOCK *SRWLock,
                                             const i64 *Timeout, u32 Flags) {
    if (Flags & ~1u)
        return STATUS_INVALID_PARAMETER;
    wait_block w = new_block(ConditionVariable);
    condition_queue(ConditionVariable, &w);
    (Flags ? RtlReleaseSRWLockShared : RtlReleaseSRWLockExclusive)(SRWLock);
    NTSTATUS status = sleep_on(&w, Timeout);
    (Flags ? RtlAcquireSRWLockShared : RtlAcquireSRWLockExclusive)(SRWLock);
    return status;
}

static void condition_wake(RTL_CONDITION_VARIABLE *condition, u32 limit) {
    if (!condition->Value || shutting_down())
        return;
    bucket *b = bucket_lock(condition);
    wait_block *list = detach(b, condition, limit);
    if (!first_for(b, condition))
        condition->Value = 0;
    bucket_unlock(b);
    wake(list);
}
EXPORT void RtlWakeConditionVariable(RTL_CONDITION_VARIABLE *ConditionVariable) {
    condition_wake(ConditionVariable, 1);
}
EXPORT void RtlWakeAllConditionVariable(RTL_CONDITION_VARIABLE *ConditionVariable) {
    condition_wake(ConditionVariable, ~0u);
}

/* ---- one-time initialisation --------------------------------------------------------------------------
 * Low two bits: 0 not begun, 1 under way, 2 done (the rest is the context), 3 under way by several at once. */
typedef struct RTL_RUN_ONCE { volatile u64 Value; } RTL_RUN_ONCE;
enum { ONCE_CHECK_ONLY = 1, ONCE_ASYNC = 2, ONCE_INIT_FAILED = 4 };
enum { ONCE_NEW, ONCE_BUSY, ONCE_DONE, ONCE_BUSY_ASYNC };

EXPORT void RtlRunOnceInitialize(RTL_RUN_ONCE *RunOnce) { RunOnce->Value = 0; }

EXPORT NTSTATUS RtlRunOnceBeginInitialize(RTL_RUN_ONCE *RunOnce, u32 Flags, void **Context) {
    if (Flags & ~3u || Flags == (ONCE_CHECK_ONLY | ONCE_ASYNC))
        return STATUS_INVALID_PARAMETER_2;
    for (;;) {
        u64 old = __atomic_load_n(&RunOnce->Value, __ATOMIC_ACQUIRE);
        switch (old & 3) {
        case ONCE_DONE:
            if (Context)
                *Context = (void *)(old & ~3ull);
            return STATUS_SUCCESS;
        case ONCE_NEW:
            if (Flags & ONCE_CHECK_ONLY)
                return STATUS_UNSUCCESSFUL;
            if (CAS(&RunOnce->Value, &old, (Flags & ONCE_ASYNC) ? ONCE_BUSY_ASYNC : ONCE_BUSY))
                return STATUS_PENDING;
            break;
        case ONCE_BUSY_ASYNC:
            if (Flags & ONCE_CHECK_ONLY)
                return STATUS_UNSUCCESSFUL;
            return Flags & ONCE_ASYNC ? STATUS_PENDING : STATUS_INVALID_PARAMETER_2;
        default:
            if (Flags & ONCE_CHECK_ONLY)
                return STATUS_UNSUCCESSFUL;
            if (Flags & ONCE_ASYNC)
                return STATUS_INVALID_PARAMETER_2;
            RtlWaitOnAddress(&RunOnce->Value, &old, 8, NULL);
        }
    }
}

EXPORT NTSTATUS RtlRunOnceComplete(RTL_RUN_ONCE *RunOnce, u32 Flags, void *Context) {
    u64 context = (u64)Context, old = RunOnce->Value;
    if (Flags & ~6u || Flags == (ONCE_ASYNC | ONCE_INIT_FAILED))
        return STATUS_INVALID_PARAMETER_2;
    if (context & 3 || (context && Flags & ONCE_INIT_FAILED))
        return STATUS_INVALID_PARAMETER_3;
    u64 desired = Flags & ONCE_INIT_FAILED ? ONCE_NEW : context | ONCE_DONE;
    switch (old & 3) {
    case ONCE_BUSY:
        if (Flags & ONCE_ASYNC)
            return STATUS_INVALID_PARAMETER_2;
        __atomic_store_n(&RunOnce->Value, desired, __ATOMIC_SEQ_CST);
        RtlWakeAddressAll(&RunOnce->Value);
        return STATUS_SUCCESS;
    case ONCE_BUSY_ASYNC:
        if (!(Flags & ONCE_ASYNC))
            return STATUS_INVALID_PARAMETER_2;
        return CAS(&RunOnce->Value, &old, desired) ? STATUS_SUCCESS : STATUS_OBJECT_NAME_COLLISION;
    case ONCE_DONE:
        return Flags & ONCE_ASYNC ? STATUS_OBJECT_NAME_COLLISION : STATUS_UNSUCCESSFUL;
    default:
        return STATUS_UNSUCCESSFUL;
    }
}

typedef u32 (*run_once_routine)(RTL_RUN_ONCE *RunOnce, void *Parameter, void **Context);

EXPORT NTSTATUS RtlRunOnceExecuteOnce(RTL_RUN_ONCE *RunOnce, run_once_routine InitFn, void *Parameter,
                                      void **Context) {
    void *result = NULL;
    NTSTATUS status = RtlRunOnceBeginInitialize(RunOnce, 0, Context);
    if (status != STATUS_PENDING)
        return status;
    if (!InitFn(RunOnce, Parameter, &result)) {
        RtlRunOnceComplete(RunOnce, ONCE_INIT_FAILED, NULL);
        return STATUS_UNSUCCESSFUL;
    }
    status = RtlRunOnceComplete(RunOnce, 0, result);
    if (status >= 0 && Context)
        *Context = result;
    return status;
}
