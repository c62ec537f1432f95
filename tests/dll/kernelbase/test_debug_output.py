"""OutputDebugString without a debugger, in a compiled program: a watcher of the session, or a vectored handler."""

from __future__ import annotations

from pathlib import Path

from tests.dll import compile as programs

WATCHER = r"""
#include <windows.h>
#include <stdio.h>
#include <string.h>

static int handled;

static LONG CALLBACK handler(EXCEPTION_POINTERS *info)
{
    EXCEPTION_RECORD *record = info->ExceptionRecord;
    printf("exception %lX with %lu values\n", record->ExceptionCode, record->NumberParameters);
    return handled ? EXCEPTION_CONTINUE_EXECUTION : EXCEPTION_CONTINUE_SEARCH;
}

static DWORD WINAPI speak(void *text)
{
    OutputDebugStringA(text);
    OutputDebugStringW(L"wide");
    return 0;
}

int main(void)
{
    HANDLE ready = CreateEventA(NULL, FALSE, FALSE, "DBWIN_BUFFER_READY");
    HANDLE filled = CreateEventA(NULL, FALSE, FALSE, "DBWIN_DATA_READY");
    HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, "DBWIN_BUFFER");
    struct { DWORD id; char text[4092]; } *buffer = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
    static char text[5001];
    memset(text, 'x', 5000);
    HANDLE speaker = CreateThread(NULL, 0, speak, text, 0, NULL);
    for (int i = 0; i < 3; i++) {
        SetEvent(ready);
        if (WaitForSingleObject(filled, 1000)) return 1;
        printf("own %d length %u begins %.4s\n", buffer->id == GetCurrentProcessId(), (unsigned)strlen(buffer->text),
               buffer->text);
    }
    WaitForSingleObject(speaker, INFINITE);
    CloseHandle(section);
    UnmapViewOfFile(buffer);
    OutputDebugStringA("nobody");
    AddVectoredExceptionHandler(1, handler);
    OutputDebugStringW(L"not taken");
    handled = 1;
    OutputDebugStringW(L"taken");
    printf("end\n");
    return 0;
}
"""


@programs.needs_compiler
def test_words_for_nobody_in_particular(tmp_path: Path) -> None:
    """Long text comes in pieces of the watcher's buffer; a vectored handler may take the exception, wide first."""
    ran = programs.run(programs.build_c(tmp_path, WATCHER))
    assert ran.stdout.splitlines() == [
        "own 1 length 4091 begins xxxx",
        "own 1 length 909 begins xxxx",
        "own 1 length 4 begins wide",
        "exception 4001000A with 4 values",
        "exception 40010006 with 2 values",
        "exception 4001000A with 4 values",
        "end",
    ], ran.stderr
