// Do clocks go forward, and do sleeps and timers last as long as they say?
#include "sample.h"

static int ticks;

static double milliseconds(void)
{
    LARGE_INTEGER now, frequency;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&frequency);
    return 1000.0 * now.QuadPart / frequency.QuadPart;
}

static const char *lasted(double begin, double least)
{
    double took = milliseconds() - begin;
    return took < least - 1.0 ? "too short" : took > least + 5000 ? "too long" : "right";
}

static LARGE_INTEGER due_in(int ms) { return (LARGE_INTEGER){.QuadPart = -10000LL * ms}; }

static void CALLBACK on_timer(void *argument, DWORD low, DWORD high)
{
    (void)low;
    printf("  timer apc %d, time given %d\n", ++*(int *)argument, high != 0);
}

static void clocks(void)
{
    LARGE_INTEGER before, after, frequency;
    ULONGLONG tick = GetTickCount64();
    FILETIME file_time, later;
    GetSystemTimeAsFileTime(&file_time);
    QueryPerformanceCounter(&before);
    QueryPerformanceFrequency(&frequency);
    double begin = milliseconds();
    Sleep(50);
    printf("Sleep(50): %s\n", lasted(begin, 50));
    QueryPerformanceCounter(&after);
    GetSystemTimeAsFileTime(&later);
    printf("counter forward %d, frequency known %d\n", after.QuadPart > before.QuadPart, frequency.QuadPart > 0);
    printf("ticks forward %d, low half agrees %d\n", GetTickCount64() >= tick + 30, GetTickCount() - (DWORD)tick < 60000);
    printf("system time forward %d\n", CompareFileTime(&later, &file_time) > 0);
    SYSTEMTIME system;
    FILETIME back;
    FileTimeToSystemTime(&later, &system);
    SystemTimeToFileTime(&system, &back);
    printf("calendar round trip %d, plausible year %d\n", (((ULONGLONG)later.dwHighDateTime << 32 | later.dwLowDateTime) -
           ((ULONGLONG)back.dwHighDateTime << 32 | back.dwLowDateTime)) < 10000, system.wYear >= 2001);
    begin = milliseconds();
    Sleep(0);
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    printf("wait of 40: %lx ", WaitForSingleObject(event, 40));
    printf("%s\n", lasted(begin, 40));
    CloseHandle(event);
}

static void waitable_timers(void)
{
    HANDLE manual = CreateWaitableTimerW(NULL, TRUE, NULL), automatic = CreateWaitableTimerW(NULL, FALSE, NULL);
    LARGE_INTEGER due = due_in(30);
    double begin = milliseconds();
    printf("unset timer %lx\n", WaitForSingleObject(manual, 10));
    begin = milliseconds();
    SetWaitableTimer(manual, &due, 0, NULL, NULL, FALSE);
    printf("manual %lx ", WaitForSingleObject(manual, 5000));
    printf("%s, stays set %lx\n", lasted(begin, 30), WaitForSingleObject(manual, 0));
    SetWaitableTimer(automatic, &due, 0, NULL, NULL, FALSE);
    printf("auto %lx, then %lx\n", WaitForSingleObject(automatic, 5000), WaitForSingleObject(automatic, 0));
    begin = milliseconds();
    SetWaitableTimer(automatic, &due, 20, NULL, NULL, FALSE);
    for (int i = 0; i < 4; i++) printf("period %lx ", WaitForSingleObject(automatic, 5000));
    printf("%s\n", lasted(begin, 90));
    printf("cancel %d, then %lx\n", CancelWaitableTimer(automatic), WaitForSingleObject(automatic, 60));
    due = due_in(0);
    SetWaitableTimer(manual, &due, 0, NULL, NULL, FALSE);
    printf("due at once %lx\n", WaitForSingleObject(manual, 5000));
    GetSystemTimeAsFileTime((FILETIME *)&due);
    due.QuadPart += 300000;
    begin = milliseconds();
    SetWaitableTimer(manual, &due, 0, NULL, NULL, FALSE);
    printf("absolute: reset by setting %lx, ", WaitForSingleObject(manual, 0));
    printf("fires %lx\n", WaitForSingleObject(manual, 5000));
    due = due_in(20);
    SetWaitableTimer(automatic, &due, 0, on_timer, &ticks, FALSE);
    printf("sleep ended by the timer's apc %lx\n", SleepEx(5000, TRUE));
    CloseHandle(manual), CloseHandle(automatic);
}

int main(void)
{
    clocks();
    waitable_timers();
    return 0;
}
