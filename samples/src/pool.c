// Do pool threads call what was queued, what was signalled, and what is due?
#include "sample.h"

static volatile LONG calls;
static HANDLE done;

static DWORD WINAPI count(void *context)
{
    if (InterlockedIncrement(&calls) == (LONG)(LONG_PTR)context) SetEvent(done);
    return 0;
}

static void old_work(void)
{
    calls = 0;
    for (int i = 0; i < 8; i++) QueueUserWorkItem(count, (void *)8, WT_EXECUTEDEFAULT);
    DWORD waited = WaitForSingleObject(done, 5000);
    printf("queued work: %lu, %ld calls\n", waited, calls);
}

static void CALLBACK waited_for(void *context, BOOLEAN timed_out)
{
    InterlockedAdd(&calls, timed_out ? 100 : 1);
    SetEvent((HANDLE)context);
}

static void old_waits(void)
{
    HANDLE wait, object = CreateEventW(NULL, FALSE, FALSE, NULL);
    calls = 0;
    printf("register: %d\n", RegisterWaitForSingleObject(&wait, object, waited_for, done, INFINITE, WT_EXECUTEDEFAULT));
    for (int i = 0; i < 3; i++) {
        SetEvent(object);
        WaitForSingleObject(done, 5000);
    }
    printf("three signals: %ld\n", calls);
    printf("unregister: %d\n", UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
    SetEvent(object);
    printf("afterwards: %ld\n", WaitForSingleObject(done, 20));
    ResetEvent(object);
    calls = 0;
    RegisterWaitForSingleObject(&wait, object, waited_for, done, 30, WT_EXECUTEONLYONCE | WT_EXECUTEINWAITTHREAD);
    WaitForSingleObject(done, 5000);
    printf("once, time up: %ld\n", calls);
    CloseHandle(object);
    printf("unregister: %d\n", UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
}

static void CALLBACK tick(void *context, BOOLEAN timed_out)
{
    if (InterlockedIncrement(&calls) == (LONG)(LONG_PTR)context && timed_out) SetEvent(done);
}

static void old_timers(void)
{
    HANDLE timer, queue = CreateTimerQueue();
    calls = 0;
    CreateTimerQueueTimer(&timer, queue, tick, (void *)4, 10, 10, WT_EXECUTEDEFAULT);
    printf("periodic timer: %ld\n", WaitForSingleObject(done, 5000));
    printf("delete: %d\n", DeleteTimerQueueTimer(queue, timer, INVALID_HANDLE_VALUE));
    LONG before = calls;
    Sleep(50);
    printf("still after deletion: %s\n", calls == before ? "yes" : "no");
    printf("queue: %d\n", DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE));
}

static void CALLBACK work(PTP_CALLBACK_INSTANCE instance, void *context, PTP_WORK self)
{
    (void)instance;
    (void)self;
    Sleep(5);
    InterlockedIncrement((LONG *)context);
}

static void CALLBACK leave(PTP_CALLBACK_INSTANCE instance, void *context)
{
    InterlockedIncrement(&calls);
    SetEventWhenCallbackReturns(instance, (HANDLE)context);
}

static void new_work(void)
{
    calls = 0;
    PTP_WORK object = CreateThreadpoolWork(work, (void *)&calls, NULL);
    for (int i = 0; i < 5; i++) SubmitThreadpoolWork(object);
    WaitForThreadpoolWorkCallbacks(object, FALSE);
    printf("five submissions: %ld\n", calls);
    CloseThreadpoolWork(object);
    calls = 0;
    TrySubmitThreadpoolCallback(leave, done, NULL);
    printf("event on return: %ld, %ld calls\n", WaitForSingleObject(done, 5000), calls);
}

static void CALLBACK signalled(PTP_CALLBACK_INSTANCE instance, void *context, PTP_WAIT self, TP_WAIT_RESULT result)
{
    (void)instance;
    (void)self;
    calls = 1000 + (LONG)result;
    SetEvent((HANDLE)context);
}

static void CALLBACK due(PTP_CALLBACK_INSTANCE instance, void *context, PTP_TIMER self)
{
    (void)instance;
    if (InterlockedIncrement(&calls) == 3) {
        SetThreadpoolTimer(self, NULL, 0, 0);
        SetEvent((HANDLE)context);
    }
}

static void new_waits_and_timers(void)
{
    HANDLE object = CreateEventW(NULL, TRUE, FALSE, NULL);
    PTP_WAIT wait = CreateThreadpoolWait(signalled, done, NULL);
    LARGE_INTEGER soon = {.QuadPart = -10 * 10000};
    FILETIME when = {soon.LowPart, soon.HighPart};
    SetThreadpoolWait(wait, object, &when);
    WaitForSingleObject(done, 5000);
    printf("wait, time up: %ld\n", calls);
    SetThreadpoolWait(wait, object, NULL);
    SetEvent(object);
    WaitForSingleObject(done, 5000);
    printf("wait, signalled: %ld\n", calls);
    CloseThreadpoolWait(wait);
    calls = 0;
    PTP_TIMER timer = CreateThreadpoolTimer(due, done, NULL);
    SetThreadpoolTimer(timer, &when, 5, 0);
    printf("set: %d\n", IsThreadpoolTimerSet(timer));
    WaitForSingleObject(done, 5000);
    WaitForThreadpoolTimerCallbacks(timer, FALSE);
    printf("three times: %ld, set: %d\n", calls, IsThreadpoolTimerSet(timer));
    CloseThreadpoolTimer(timer);
}


static void cleanup_group(void)
{
    TP_CALLBACK_ENVIRON environment;
    InitializeThreadpoolEnvironment(&environment);
    PTP_POOL pool = CreateThreadpool(NULL);
    PTP_CLEANUP_GROUP group = CreateThreadpoolCleanupGroup();
    SetThreadpoolThreadMaximum(pool, 1);
    SetThreadpoolCallbackPool(&environment, pool);
    SetThreadpoolCallbackCleanupGroup(&environment, group, NULL);
    calls = 0;
    PTP_WORK object = CreateThreadpoolWork(work, (void *)&calls, &environment);
    for (int i = 0; i < 3; i++) SubmitThreadpoolWork(object);
    CloseThreadpoolCleanupGroupMembers(group, FALSE, "unused");
    printf("group waited for: %ld\n", calls);
    CloseThreadpoolCleanupGroup(group);
    CloseThreadpool(pool);
}

int main(void)
{
    done = CreateEventW(NULL, FALSE, FALSE, NULL);
    old_work();
    old_waits();
    old_timers();
    new_work();
    new_waits_and_timers();
    cleanup_group();
    return 42;
}
