// Under which tokens may a program start another, and which are refused?
#include "sample.h"

static wchar_t self[MAX_PATH];

static void start(const char *what, HANDLE token)
{
    wchar_t line[] = L"asuser child";
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION child;
    DWORD code = 0, error = 0;
    if (CreateProcessAsUserW(token, self, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &child)) {
        WaitForSingleObject(child.hProcess, INFINITE);
        GetExitCodeProcess(child.hProcess, &code);
        CloseHandle(child.hThread), CloseHandle(child.hProcess);
    } else {
        error = GetLastError();
    }
    printf("%s: error %lu, exit code %lu\n", what, error, code);
}

int main(int argc, char **argv)
{
    HANDLE own, copy, weak, impersonation, restricted;
    if (argc > 1) return strcmp(argv[1], "child") ? 2 : 6;
    GetModuleFileNameW(NULL, self, MAX_PATH);
    OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &own);
    OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &weak);
    DuplicateTokenEx(own, TOKEN_ALL_ACCESS, NULL, SecurityImpersonation, TokenPrimary, &copy);
    DuplicateTokenEx(own, TOKEN_ALL_ACCESS, NULL, SecurityImpersonation, TokenImpersonation, &impersonation);
    CreateRestrictedToken(own, DISABLE_MAX_PRIVILEGE, 0, NULL, 0, NULL, 0, NULL, &restricted);
    start("no token", NULL);
    start("a copy of the own", copy);
    start("a weaker one", restricted);
    start("without the right to assign it", weak);
    start("an impersonation token", impersonation);
    start("an event", CreateEventW(NULL, TRUE, FALSE, NULL));
    start("a forged handle", (HANDLE)0xDEAD0);
    return 0;
}
