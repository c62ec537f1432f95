// Do threads, waits and the synchronisation objects order things as documented?
#include "sample.h"

static CRITICAL_SECTION section;
static SRWLOCK lock = SRWLOCK_INIT;
static CONDITION_VARIABLE filled = CONDITION_VARIABLE_INIT;
static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
static long plain_count, lock_count, queue_length, initialised;
static volatile LONG atomic_count;
static DWORD slot;
static _Thread_local int implicit = 5;
static HANDLE gate;

static HANDLE start(LPTHREAD_START_ROUTINE routine, void *argument)
{
    return CreateThread(NULL, 0, routine, argument, 0, NULL);
}

static DWORD join(HANDLE thread)
{
    DWORD code = 0;
    WaitForSingleObject(thread, INFINITE);
    GetExitCodeThread(thread, &code);
    CloseHandle(thread);
    return code;
}

static DWORD WINAPI return_argument(void *argument) { return (DWORD)(ULONG_PTR)argument; }
static DWORD WINAPI exit_argument(void *argument) { ExitThread((DWORD)(ULONG_PTR)argument + 1); }
static DWORD WINAPI wait_gate(void *argument) { return WaitForSingleObject(gate, INFINITE) + (DWORD)(ULONG_PTR)argument; }

static void lifetimes(void)
{
    DWORD id = 0, code = 0;
    printf("return value %lu, ExitThread %lu\n", join(start(return_argument, (void *)11)), join(start(exit_argument, (void *)22)));
    HANDLE thread = CreateThread(NULL, 0, return_argument, (void *)3, CREATE_SUSPENDED, &id);
    printf("suspended: wait %lx, id known %d, ", WaitForSingleObject(thread, 0), id == GetThreadId(thread));
    GetExitCodeThread(thread, &code);
    printf("code %lu, previous count %lu, code %lu\n", code, ResumeThread(thread), join(thread));
    gate = CreateEventW(NULL, TRUE, FALSE, NULL);
    thread = start(wait_gate, NULL);
    printf("terminate: %d, code %lu\n", TerminateThread(thread, 44), join(thread));
    CloseHandle(gate);
}

static void events(void)
{
    HANDLE manual = CreateEventW(NULL, TRUE, FALSE, NULL), automatic = CreateEventW(NULL, FALSE, TRUE, NULL);
    printf("manual unset %lx, set %d, ", WaitForSingleObject(manual, 0), SetEvent(manual));
    printf("waits %lx %lx, ", WaitForSingleObject(manual, 0), WaitForSingleObject(manual, 0));
    printf("reset %d %lx\n", ResetEvent(manual), WaitForSingleObject(manual, 10));
    printf("auto waits %lx %lx\n", WaitForSingleObject(automatic, 0), WaitForSingleObject(automatic, 0));
    HANDLE both[2] = {manual, automatic};
    SetEvent(automatic);
    printf("all, one missing: %lx; ", WaitForMultipleObjects(2, both, TRUE, 10));
    printf("the auto event is untouched: %lx\n", WaitForSingleObject(automatic, 0));
    SetEvent(automatic);
    printf("any: %lx, ", WaitForMultipleObjects(2, both, FALSE, 10));
    SetEvent(manual), SetEvent(automatic);
    printf("lowest index first: %lx, ", WaitForMultipleObjects(2, both, FALSE, 10));
    printf("all: %lx, ", WaitForMultipleObjects(2, both, TRUE, 10));
    printf("auto consumed: %lx\n", WaitForSingleObject(automatic, 0));
    printf("signal and wait: %lx\n", SignalObjectAndWait(automatic, automatic, 0, FALSE));
    CloseHandle(automatic);
    printf("wait on a closed handle: %lx", WaitForSingleObject(automatic, 0));
    printf(" error %lu\n", GetLastError());
    HANDLE named = CreateEventW(NULL, TRUE, FALSE, L"ntos_threads_event");
    HANDLE again = CreateEventW(NULL, FALSE, TRUE, L"ntos_threads_event");
    printf("create by name twice: error %lu, ", GetLastError());
    SetEvent(again);
    printf("one object %lx\n", WaitForSingleObject(named, 0));
    CloseHandle(named), CloseHandle(again), CloseHandle(manual);
}

static DWORD WINAPI abandon(void *mutex) { return WaitForSingleObject(mutex, INFINITE); }
static DWORD WINAPI release_foreign(void *mutex) { return ReleaseMutex(mutex) ? 0 : GetLastError(); }

static void mutex_and_semaphore(void)
{
    LONG previous = -1;
    HANDLE mutex = CreateMutexW(NULL, TRUE, NULL), semaphore = CreateSemaphoreW(NULL, 1, 3, NULL);
    printf("mutex recursive %lx, release by another: error %lu, ", WaitForSingleObject(mutex, 0), join(start(release_foreign, mutex)));
    printf("release %d %d %d\n", ReleaseMutex(mutex), ReleaseMutex(mutex), ReleaseMutex(mutex));
    join(start(abandon, mutex));
    printf("abandoned %lx, then %lx\n", WaitForSingleObject(mutex, 0), WaitForSingleObject(mutex, 0));
    printf("semaphore %lx %lx, ", WaitForSingleObject(semaphore, 0), WaitForSingleObject(semaphore, 0));
    printf("release 2: %d previous %ld, ", ReleaseSemaphore(semaphore, 2, &previous), previous);
    printf("over the limit: %d", ReleaseSemaphore(semaphore, 2, &previous));
    printf(" error %lu\n", GetLastError());
    CloseHandle(mutex), CloseHandle(semaphore);
}

static DWORD WINAPI count_up(void *argument)
{
    (void)argument;
    for (int i = 0; i < 200; i++) {
        EnterCriticalSection(&section);
        long seen = plain_count;
        if (i % 50 == 0) Sleep(0);
        plain_count = seen + 1;
        LeaveCriticalSection(&section);
        AcquireSRWLockExclusive(&lock);
        lock_count++;
        ReleaseSRWLockExclusive(&lock);
        InterlockedIncrement(&atomic_count);
    }
    return 0;
}

static DWORD WINAPI try_locks(void *argument)
{
    (void)argument;
    return TryEnterCriticalSection(&section) + 2 * TryAcquireSRWLockExclusive(&lock) + 4 * TryAcquireSRWLockShared(&lock);
}

static DWORD WINAPI consume(void *argument)
{
    (void)argument;
    AcquireSRWLockExclusive(&lock);
    while (queue_length == 0) SleepConditionVariableSRW(&filled, &lock, INFINITE, 0);
    queue_length--;
    ReleaseSRWLockExclusive(&lock);
    return 1;
}

static BOOL CALLBACK initialise(PINIT_ONCE state, void *parameter, void **context)
{
    (void)state, (void)parameter, (void)context;
    initialised++;
    return TRUE;
}

static DWORD WINAPI initialise_once(void *argument) { return InitOnceExecuteOnce(&once, initialise, argument, NULL); }

static void locks(void)
{
    HANDLE threads[4];
    DWORD sum = 0;
    InitializeCriticalSection(&section);
    for (int i = 0; i < 4; i++) threads[i] = start(count_up, NULL);
    printf("four threads: all %lx, ", WaitForMultipleObjects(4, threads, TRUE, INFINITE));
    printf("critical section %ld, srw %ld, interlocked %ld\n", plain_count, lock_count, atomic_count);
    EnterCriticalSection(&section), EnterCriticalSection(&section);
    AcquireSRWLockShared(&lock);
    printf("try from another thread: %lu\n", join(start(try_locks, NULL)));
    ReleaseSRWLockShared(&lock), ReleaseSRWLockShared(&lock); // the second one is what try_locks took
    LeaveCriticalSection(&section), LeaveCriticalSection(&section);
    for (int i = 0; i < 4; i++) CloseHandle(threads[i]), threads[i] = start(consume, NULL);
    AcquireSRWLockExclusive(&lock);
    printf("condition variable times out: %d", SleepConditionVariableSRW(&filled, &lock, 20, 0));
    printf(" error %lu\n", GetLastError());
    queue_length = 4;
    ReleaseSRWLockExclusive(&lock);
    WakeConditionVariable(&filled), WakeAllConditionVariable(&filled);
    for (int i = 0; i < 4; i++) sum += join(threads[i]);
    printf("consumers: %lu, left %ld\n", sum, queue_length);
    for (int i = 0; i < 4; i++) threads[i] = start(initialise_once, NULL);
    for (int i = 0; i < 4; i++) join(threads[i]);
    printf("once: %ld\n", initialised);
    DeleteCriticalSection(&section);
}

static void interlocked(void)
{
    volatile LONG value = 10;
    printf("interlocked: add %ld, ", InterlockedExchangeAdd(&value, 5));
    printf("exchange %ld, compare %ld %ld, ", InterlockedExchange(&value, 7), InterlockedCompareExchange(&value, 9, 7), value);
    printf("and %ld or %ld xor %ld -> %ld\n", InterlockedAnd(&value, 8), InterlockedOr(&value, 3), InterlockedXor(&value, 1), value);
}

static DWORD WINAPI local_storage(void *argument)
{
    DWORD fresh = TlsGetValue(slot) == NULL && implicit == 5;
    TlsSetValue(slot, argument);
    implicit = (int)(ULONG_PTR)argument;
    Sleep(1);
    return fresh && TlsGetValue(slot) == argument && implicit == (int)(ULONG_PTR)argument;
}

static void thread_local_storage(void)
{
    HANDLE one, two;
    slot = TlsAlloc();
    TlsSetValue(slot, &slot);
    implicit = 6;
    one = start(local_storage, (void *)100), two = start(local_storage, (void *)200);
    printf("tls: %lu %lu, ours kept %d\n", join(one), join(two), TlsGetValue(slot) == &slot && implicit == 6);
    printf("free: %d\n", TlsFree(slot));
}

static void CALLBACK apc(ULONG_PTR value) { printf("  apc %llu\n", value); }

static DWORD WINAPI alertable(void *argument)
{
    SetEvent(argument);
    return SleepEx(INFINITE, TRUE);
}

static void apcs(void)
{
    QueueUserAPC(apc, GetCurrentThread(), 1);
    QueueUserAPC(apc, GetCurrentThread(), 2);
    printf("not alertable: %lx\n", SleepEx(0, FALSE));
    printf("alertable: %lx\n", SleepEx(0, TRUE));
    printf("nothing left: %lx\n", SleepEx(0, TRUE));
    HANDLE ready = CreateEventW(NULL, FALSE, FALSE, NULL), thread = start(alertable, ready);
    WaitForSingleObject(ready, INFINITE);
    QueueUserAPC(apc, thread, 3);
    printf("sleeper returned %lx\n", join(thread));
    QueueUserAPC(apc, GetCurrentThread(), 4);
    printf("wait ended by an apc: %lx\n", WaitForSingleObjectEx(ready, INFINITE, TRUE));
    CloseHandle(ready);
}

static DWORD WINAPI sleeper(void *argument)
{
    Sleep((DWORD)(ULONG_PTR)argument);
    printf("  slept %llu\n", (ULONG_PTR)argument);
    return 0;
}

int main(void)
{
    lifetimes();
    events();
    mutex_and_semaphore();
    locks();
    interlocked();
    thread_local_storage();
    apcs();
    printf("sleepers wake in order of time\n");
    HANDLE threads[3] = {start(sleeper, (void *)300), start(sleeper, (void *)100), start(sleeper, (void *)200)};
    for (int i = 0; i < 3; i++) join(threads[i]);
    return 0;
}
