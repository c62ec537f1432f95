// Do children that come and go one after another leave anything behind? `brood N` starts itself N times.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

static DWORD number_at_end(const wchar_t *line)
{
    DWORD value = 0;
    while (*line && *line != L' ') line++;
    for (; *line; line++)
        if (*line >= L'0' && *line <= L'9') value = value * 10 + (DWORD)(*line - L'0');
    return value;
}

static BOOL bear(wchar_t *image)
{
    wchar_t line[] = L"brood";
    STARTUPINFOW startup;
    PROCESS_INFORMATION child;
    DWORD code = 1;
    for (unsigned i = 0; i < sizeof startup; i++) ((volatile char *)&startup)[i] = 0;
    startup.cb = sizeof startup;
    if (!CreateProcessW(image, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &child)) return FALSE;
    WaitForSingleObject(child.hProcess, INFINITE);
    GetExitCodeProcess(child.hProcess, &code);
    return CloseHandle(child.hThread) && CloseHandle(child.hProcess) && code == 0;
}

void mainCRTStartup(void)
{
    static wchar_t image[MAX_PATH];
    DWORD count = number_at_end(GetCommandLineW()), right = 0;
    if (!count) ExitProcess(0);
    GetModuleFileNameW(NULL, image, MAX_PATH);
    for (DWORD i = 0; i < count; i++) right += bear(image);
    ExitProcess(right == count ? 77 : 1);
}
