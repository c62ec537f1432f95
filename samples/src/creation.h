// What the programs about CreateProcess share: starting themselves as a child that reports what it was given.
#pragma once
#include "sample.h"
#include <winternl.h>

#define REPORT_SIZE 0x4000
static wchar_t self[MAX_PATH], scratch[MAX_PATH];
static char *report;  // the child's words; parent and child share them by name, whatever handles the child has

// The parts of RTL_USER_PROCESS_PARAMETERS that the documented header hides.
typedef struct {
    ULONG MaximumLength, Length, Flags, DebugFlags;
    HANDLE ConsoleHandle;
    ULONG ConsoleFlags;
    HANDLE StandardInput, StandardOutput, StandardError;
    UNICODE_STRING CurrentDirectory;
    HANDLE CurrentDirectoryHandle;
    UNICODE_STRING DllPath, ImagePathName, CommandLine;
    void *Environment;
    ULONG StartingX, StartingY, CountX, CountY, CountCharsX, CountCharsY, FillAttribute, WindowFlags, ShowWindowFlags;
    UNICODE_STRING WindowTitle, DesktopInfo, ShellInfo, RuntimeData;
} PARAMETERS;

__attribute__((unused)) static PARAMETERS *parameters(void)
{
    return (PARAMETERS *)NtCurrentTeb()->ProcessEnvironmentBlock->ProcessParameters;
}

__attribute__((unused)) static ULONG group_id(void)
{
    return *(ULONG *)((char *)parameters() + 0x408);
}

__attribute__((unused)) static void share(void)
{
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, REPORT_SIZE, L"ntos-creation");
    report = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
    GetModuleFileNameW(NULL, self, MAX_PATH);
}

// In a child: one more piece of its report.
__attribute__((unused)) static void tell(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t length = strlen(report);
    vsnprintf(report + length, REPORT_SIZE - length, format, arguments);
    va_end(arguments);
}

// A directory of our own to put files into.
__attribute__((unused)) static void make_scratch(const wchar_t *name)
{
    GetTempPathW(MAX_PATH, scratch);
    wcscat(scratch, name);
    CreateDirectoryW(scratch, NULL);
    SetCurrentDirectoryW(scratch);
}

typedef struct {
    const wchar_t *application;
    const wchar_t *line;
    BOOL inherit;
    DWORD flags;
    void *environment;
    const wchar_t *directory;
} CALL;

// CreateProcessW, the child run to its end; the last error, or 0. `code` is the child's exit code.
static DWORD start(const CALL *call, STARTUPINFOW *startup, DWORD *code)
{
    static wchar_t line[0x8000];
    PROCESS_INFORMATION made = {0};
    STARTUPINFOW none = {.cb = sizeof none};
    if (call->line) wcscpy(line, call->line);
    fflush(stdout);
    if (report) memset(report, 0, REPORT_SIZE);
    SetLastError(0);
    if (!CreateProcessW(call->application, call->line ? line : NULL, NULL, NULL, call->inherit, call->flags,
                        call->environment, call->directory, startup ? startup : &none, &made))
        return GetLastError();
    if (call->flags & CREATE_SUSPENDED) ResumeThread(made.hThread);
    WaitForSingleObject(made.hProcess, INFINITE);
    if (code) GetExitCodeProcess(made.hProcess, code);
    CloseHandle(made.hThread);
    CloseHandle(made.hProcess);
    return 0;
}
