"""Corners of kernel32's functions that Wine's conformance tests found wrong here, each in one line of a C program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dll import compile as compiler

pytestmark = compiler.needs_compiler
SOURCE = r"""
#define _WIN32_WINNT 0x0A00
#include <windows.h>
#include <winternl.h>
#include <stdio.h>
#include <stdlib.h>
BOOL WINAPI SetEnvironmentStringsW(LPWCH);
BOOL WINAPI QueryFullProcessImageNameA(HANDLE, DWORD, LPSTR, PDWORD);
DWORD WINAPI WTSGetActiveConsoleSessionId(void);

#define API(name) ((__typeof__(&name))GetProcAddress(GetModuleHandleW(L"kernelbase"), #name))

static DWORD WINAPI large(void *unused)
{
    static WCHAR text[30000];
    for (int i = 0; i < 29999; i++) text[i] = L'x';
    return SetEnvironmentVariableW(L"LARGE", text);
}

static void memory(void)
{
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_EXECUTE_READWRITE, 0, 0x1000, L"corner");
    HANDLE again = API(OpenFileMappingFromApp)(FILE_MAP_READ | FILE_MAP_EXECUTE, FALSE, L"corner");
    char *view = API(MapViewOfFile3)(section, NULL, NULL, 0, 0x1000, 0, PAGE_READWRITE, NULL, 0);
    char *other = API(MapViewOfFileFromApp)(again, FILE_MAP_READ, 0, 0);
    view[5] = 7;
    MEMORY_BASIC_INFORMATION none;
    VirtualQuery(MapViewOfFile(section, 0x40, 0, 0, 0), &none, sizeof none);
    printf("views %d %lu\n", other[5], none.Protect);
    printf("app %d", API(VirtualAllocFromApp)(NULL, 0x1000, MEM_COMMIT, PAGE_EXECUTE_READ) != NULL);
    printf(" %lu", GetLastError());
    void *page = API(VirtualAllocFromApp)(NULL, 0x1000, MEM_COMMIT, PAGE_READWRITE);
    DWORD old;
    printf(" %d %d\n", page != NULL, API(VirtualProtectFromApp)(page, 0x1000, PAGE_EXECUTE, &old));
}

static void environment(void)
{
    WCHAR buffer[8] = L"foo";
    SetEnvironmentVariableW(L"EMPTY", L"");
    SetLastError(77);
    DWORD length = GetEnvironmentVariableW(L"EMPTY", buffer, 8);
    printf("empty %lu %lu %d\n", length, GetLastError(), buffer[0]);
    printf("strings %d", API(SetEnvironmentStringsW)((WCHAR[]){L"novalue\0"}));
    printf(" %lu", GetLastError());
    printf(" %d", API(SetEnvironmentStringsW)((WCHAR[]){L"=x\0"}));
    printf(" %d", API(SetEnvironmentStringsW)((WCHAR[]){L"one=1\0=C:=C:\\\0"}));
    printf(" %lu\n", GetEnvironmentVariableW(L"one", buffer, 8));
}

static void processes(WCHAR *program)
{
    STARTUPINFOW startup = {sizeof startup};
    PROCESS_INFORMATION child;
    CONTEXT context = {.ContextFlags = CONTEXT_CONTROL};
    char image[64];
    CreateProcessW(program, NULL, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &startup, &child);
    GetThreadContext(child.hThread, &context);
    PROCESS_BASIC_INFORMATION basic;
    NtQueryInformationProcess(child.hProcess, 0, &basic, sizeof basic, NULL);
    printf("rsp %llx version %lx", context.Rsp & 0xfff, GetProcessVersion(child.dwProcessId));
    TerminateProcess(child.hProcess, 0);
    WaitForSingleObject(child.hProcess, INFINITE);
    printf(" image %lx\n", NtQueryInformationProcess(child.hProcess, 37, image, sizeof image, NULL));
    DWORD size = 500;
    printf("name %d", QueryFullProcessImageNameA(GetCurrentProcess(), 0, NULL, &size));
    printf(" %lu %lu\n", GetLastError(), size);
}

static void machine(void)
{
    DWORD allowed = 0, used = 0, length = 0;
    UCHAR node = 1;
    GetSystemRegistryQuota(&allowed, &used);
    printf("quota %d", used > 0x1000 && used < allowed);
    printf(" node %d %u", GetNumaProcessorNode(0, &node), node);
    printf(" %d", GetNumaProcessorNode(200, &node));
    printf(" %lu %u", GetLastError(), node);
    printf(" sets %d", API(GetSystemCpuSetInformation)(NULL, 0, &length, GetCurrentProcess(), 0));
    printf(" %lu %lu session %lu\n", GetLastError(), length, WTSGetActiveConsoleSessionId());
    printf("codepage %d", SetConsoleCP(0));
    printf(" %lu\n", GetLastError());
}

static void mailslot(void)
{
    HANDLE reader = CreateMailslotW(L"\\\\.\\mailslot\\corner", 100, 50, NULL);
    const char *name = "\\\\.\\mailslot\\corner";
    HANDLE writer = CreateFileA(name, GENERIC_WRITE, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    DWORD done, maximum, following, count, timeout;
    char text[16] = "";
    WriteFile(writer, "hello", 6, &done, NULL);
    GetMailslotInfo(reader, &maximum, &following, &count, &timeout);
    printf("mailslot %lu %lu %lu %lu", maximum, following, count, timeout);
    printf(" %d %s", ReadFile(reader, text, sizeof text, &done, NULL), text);
    printf(" %d", ReadFile(reader, text, sizeof text, &done, NULL));
    printf(" %lu", GetLastError());
    SetMailslotInfo(reader, MAILSLOT_WAIT_FOREVER);
    GetMailslotInfo(reader, NULL, &following, NULL, &timeout);
    printf(" %ld %ld\n", following, timeout);
}

int main(void)
{
    WCHAR program[MAX_PATH], *line = GetCommandLineW();
    GetModuleFileNameW(NULL, program, MAX_PATH);
    DWORD done;
    HANDLE thread = CreateThread(NULL, 0x100000, large, NULL, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    WaitForSingleObject(thread, INFINITE);
    GetExitCodeThread(thread, &done);
    printf("large %lu %lu\n", done, GetEnvironmentVariableW(L"LARGE", NULL, 0));
    memory();
    environment();
    processes(program);
    machine();
    mailslot();
    UNICODE_STRING *kept = (void *)((char *)NtCurrentTeb()->ProcessEnvironmentBlock->ProcessParameters + 0x70);
    kept->Buffer = NULL;
    printf("line %d\n", GetCommandLineW() == line);
    return 0;
}
"""
EXPECTED = {
    "large": "1 30000",
    "views": "7 1",
    "app": "0 87 1 0",
    "empty": "0 77 0",
    "strings": "0 87 0 1 1",
    "rsp": "fd8 version 60000 image c000010a",
    "name": "0 87 500",
    "quota": "1 node 1 0 0 87 255 sets 0 122 32 session 1",
    "codepage": "0 87",
    "mailslot": "100 6 1 50 1 hello 0 121 -1 -1",
    "line": "1",
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the program printed, by the first word of each line."""
    folder: Path = tmp_path_factory.mktemp("corners")
    ran = compiler.run(compiler.build_c(folder, SOURCE, "-lntdll"))
    assert ran.exit_code == 0, ran.stderr
    return dict(line.split(" ", 1) for line in ran.stdout.splitlines())


@pytest.mark.parametrize("word", EXPECTED)
def test_corners(said: dict[str, str], word: str) -> None:
    """A function at its limit answers as Windows does."""
    assert said[word] == EXPECTED[word]
