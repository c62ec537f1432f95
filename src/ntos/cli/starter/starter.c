// The parent of a program that `ntos explain create` explains: calls CreateProcessW as any program would.
//
//   starter.exe FLAGS JOB NAMED command line…
//
// FLAGS is dwCreationFlags in hexadecimal. JOB is 1 where this process shall be in a job that lets nobody break
// away. With NAMED 1 the command line's first word, in quotes, is also lpApplicationName. The exit code is the
// child's; where there is no child, the error.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

static wchar_t application[32768];

static const wchar_t *skip_word(const wchar_t *text)
{
    if (*text == L'"') {
        for (text++; *text && *text != L'"'; text++);
        if (*text) text++;
    }
    while (*text && *text != L' ') text++;
    while (*text == L' ') text++;
    return text;
}

static DWORD hexadecimal(const wchar_t *text)
{
    DWORD value = 0;
    for (; *text && *text != L' '; text++) value = value << 4 | (*text <= L'9' ? *text - L'0' : (*text | 0x20) - L'a' + 10);
    return value;
}

static const wchar_t *first_word(const wchar_t *line)
{
    int length = 0;
    for (line++; line[length] && line[length] != L'"'; length++) application[length] = line[length];
    return application;
}

void start(void)
{
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION child;
    const wchar_t *words = skip_word(GetCommandLineW());
    DWORD flags = hexadecimal(words), code = 0;
    words = skip_word(words);
    BOOL in_job = *words == L'1';
    words = skip_word(words);
    BOOL named = *words == L'1';
    words = skip_word(words);
    if (in_job) AssignProcessToJobObject(CreateJobObjectW(NULL, NULL), GetCurrentProcess());
    if (!CreateProcessW(named ? first_word(words) : NULL, (wchar_t *)words, NULL, NULL, FALSE, flags, NULL, NULL,
                        &startup, &child))
        ExitProcess(GetLastError());
    if (flags & CREATE_SUSPENDED) ResumeThread(child.hThread);
    WaitForSingleObject(child.hProcess, INFINITE);
    GetExitCodeProcess(child.hProcess, &code);
    ExitProcess(code);
}
