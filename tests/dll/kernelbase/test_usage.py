"""Memory priority, power throttling, times and sums of the machine, as a C program sees them."""

from __future__ import annotations

from pathlib import Path

from tests.dll import compile as compiler

pytestmark = compiler.needs_compiler
SOURCE = r"""
#define _WIN32_WINNT 0x0A00
#include <windows.h>
#include <psapi.h>
#include <stdio.h>
#define API(name, ...) ((BOOL (WINAPI *)(__VA_ARGS__))GetProcAddress(GetModuleHandleW(L"kernelbase"), #name))

int main(void)
{
    HANDLE self = GetCurrentProcess(), thread = GetCurrentThread();
    BOOL (WINAPI *set)(HANDLE, int, void *, DWORD) = API(SetProcessInformation, HANDLE, int, void *, DWORD);
    BOOL (WINAPI *get)(HANDLE, int, void *, DWORD) = API(GetProcessInformation, HANDLE, int, void *, DWORD);
    BOOL (WINAPI *set_thread)(HANDLE, int, void *, DWORD) = API(SetThreadInformation, HANDLE, int, void *, DWORD);
    BOOL (WINAPI *get_thread)(HANDLE, int, void *, DWORD) = API(GetThreadInformation, HANDLE, int, void *, DWORD);
    ULONG priority = 3, told = 0, level = 0, power[3] = {1, 1, 1}, answer[3] = {0};
    ULONG64 memory[4] = {0};
    printf("memory %d %d %lu\n", set(self, 0, &priority, 4), get(self, 0, &told, 4), told);
    printf("throttling %d %d %lu %lu\n", set(self, 4, power, 12), get(self, 4, answer, 12), answer[1], answer[2]);
    printf("wrong size %d %lu;", set(self, 0, &priority, 8), GetLastError());
    printf(" wrong class %d %lu;", set(self, 77, &priority, 4), GetLastError());
    printf(" no version 9 %d %lu\n", (power[0] = 9, set(self, 4, power, 12)), GetLastError());
    printf("protection %d %lX\n", get(self, 7, &level, 4), level);
    printf("commit %d", get(self, 2, memory, sizeof memory));
    printf(" %d\n", memory[0] > 0 && memory[1] > 0 && memory[2] >= memory[1]);
    priority = 2, told = 0;
    printf("thread %d %d %lu", set_thread(thread, 0, &priority, 4), get_thread(thread, 0, &told, 4), told);
    printf(" base %d %lu\n", get_thread(thread, 1, &told, 4), told);
    ULONG length = 0;
    ULONG64 idle = 0, before = 0, after = 0;
    BOOL (WINAPI *cycles)(ULONG *, ULONG64 *) = API(QueryIdleProcessorCycleTime, ULONG *, ULONG64 *);
    printf("idle %d %lu", cycles(&length, NULL), length);
    Sleep(500);
    printf(" %d %d\n", cycles(&length, &idle), idle > 0);
    PERFORMANCE_INFORMATION sums;
    BOOL (WINAPI *performance)(void *, DWORD) = API(K32GetPerformanceInfo, void *, DWORD);
    printf("sums %d %d %d", performance(&sums, sizeof sums), sums.cb == sizeof sums && sums.PageSize == 4096,
           sums.CommitTotal > 0 && sums.CommitTotal < sums.CommitLimit && sums.PhysicalAvailable < sums.PhysicalTotal);
    printf(" %d", sums.ProcessCount >= 3 && sums.ThreadCount >= 1 && sums.HandleCount > 3);
    printf(" %d %lu\n", performance(&sums, 8), GetLastError());
    FILETIME created, ended, kernel, user, none, all, programs;
    QueryThreadCycleTime(thread, &before);
    for (volatile int i = 0; i < 100000000; i++);
    for (int i = 0; i < 200; i++) GetTickCount64(), SwitchToThread();
    QueryThreadCycleTime(thread, &after);
    GetProcessTimes(self, &created, &ended, &kernel, &user);
    GetSystemTimes(&none, &all, &programs);
    printf("times %d %d %d\n", after > before, kernel.dwLowDateTime + user.dwLowDateTime > 0,
           all.dwLowDateTime >= none.dwLowDateTime && programs.dwLowDateTime >= user.dwLowDateTime);
    HANDLE file = CreateFileW(L"usage.txt", GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    IO_COUNTERS first, second;
    DWORD done;
    GetProcessIoCounters(self, &first);
    WriteFile(file, "twelve bytes", 12, &done, NULL);
    GetProcessIoCounters(self, &second);
    printf("written %llu %llu\n", second.WriteOperationCount - first.WriteOperationCount,
           second.WriteTransferCount - first.WriteTransferCount);
    return 0;
}
"""
EXPECTED = """\
memory 1 1 3
throttling 1 1 1 1
wrong size 0 24; wrong class 0 87; no version 9 0 87
protection 1 FFFFFFFE
commit 1 1
thread 1 1 2 base 1 8
idle 1 8 1 1
sums 1 1 1 1 0 24
times 1 1 1
written 1 12
"""


def test_usage(tmp_path: Path) -> None:
    """What is set is told, what is used grows, and wrong sizes and classes have their errors."""
    ran = compiler.run(compiler.build_c(tmp_path, SOURCE))
    assert ran.stdout == EXPECTED
    assert ran.exit_code == 0
