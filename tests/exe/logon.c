#include <windows.h>
#include <stdio.h>
#include <stddef.h>
#include <wchar.h>

static STARTUPINFOW startup = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES};

static void log_on(const wchar_t *user, const wchar_t *password, DWORD type)
{
    HANDLE token;
    DWORD size, elevation = 0, kind = 0;
    if (!LogonUserW(user, L".", password, type, LOGON32_PROVIDER_DEFAULT, &token)) {
        printf("%ls type %lu: error %lu\n", user, type, GetLastError());
        return;
    }
    GetTokenInformation(token, TokenElevationType, &elevation, 4, &size);
    GetTokenInformation(token, TokenType, &kind, 4, &size);
    printf("%ls type %lu: token type %lu, elevation type %lu\n", user, type, kind, elevation);
}

static void with_token(const char *what, HANDLE token, DWORD logon_flags, DWORD flags, const wchar_t *program)
{
    PROCESS_INFORMATION child;
    static wchar_t line[2000];
    DWORD code = 0;
    wcscpy(line, program);
    if (!CreateProcessWithTokenW(token, logon_flags, NULL, line, flags, NULL, NULL, &startup, &child)) {
        printf("%s: error %lu\n", what, GetLastError());
        return;
    }
    WaitForSingleObject(child.hProcess, INFINITE);
    GetExitCodeProcess(child.hProcess, &code);
    printf("%s: exit code %lu\n", what, code);
}

int main(int argc, char **argv)
{
    HANDLE token = NULL, weak = NULL, impersonation = NULL, job = CreateJobObjectW(NULL, NULL);
    PROCESS_INFORMATION child;
    BOOL inside = FALSE;
    wchar_t line[] = L"D:\\runas.exe";
    static wchar_t longest[1500];
    setvbuf(stdout, NULL, _IONBF, 0);
    startup.hStdOutput = startup.hStdError = GetStdHandle(STD_OUTPUT_HANDLE);
    SetHandleInformation(startup.hStdOutput, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    if (argc == 1) {
        for (int type = 2; type <= 5; type++) log_on(L"alice", L"secret", type);
        for (int type = 2; type <= 5; type++) log_on(L"boss", L"root", type);
        log_on(L"alice", L"wrong", 2);
        log_on(L"nobody", L"secret", 2);
        log_on(L"gone", L"secret", 2);
        log_on(L"old", L"secret", 2);
        log_on(L"user", L"", 2);
        log_on(L"alice", L"secret", 42);
        AssignProcessToJobObject(job, GetCurrentProcess());
        startup.dwFlags = 0;
        if (CreateProcessWithLogonW(L"alice", L".", L"secret", 0, NULL, line, CREATE_SUSPENDED, NULL, NULL, &startup,
                                    &child)) {
            IsProcessInJob(child.hProcess, job, &inside);
            printf("in the caller's job: %d\n", inside);
            TerminateProcess(child.hProcess, 0);
        }
        printf("flags 4: %d", CreateProcessWithLogonW(L"alice", L".", L"secret", 4, NULL, line, 0, NULL, NULL, &startup, &child));
        printf(" error %lu\n", GetLastError());
        wmemset(longest, L'x', 1200);
        printf("long line: %d", CreateProcessWithLogonW(L"alice", L".", L"secret", 0, NULL, longest, 0, NULL, NULL, &startup, &child));
        printf(" error %lu\n", GetLastError());
    }
    LogonUserW(L"alice", L".", L"secret", LOGON32_LOGON_INTERACTIVE, LOGON32_PROVIDER_DEFAULT, &token);
    DuplicateHandle(GetCurrentProcess(), token, GetCurrentProcess(), &weak, TOKEN_QUERY, FALSE, 0);
    DuplicateTokenEx(token, TOKEN_ALL_ACCESS, NULL, SecurityImpersonation, TokenImpersonation, &impersonation);
    startup.dwFlags = STARTF_USESTDHANDLES;
    with_token("alice's token", token, 0, 0, line);
    with_token("a token only to look at", weak, 0, 0, line);
    with_token("an impersonation token", impersonation, 0, 0, line);
    with_token("no token", NULL, 0, 0, line);
    with_token("a program that is not there", token, 0, 0, L"D:\\nothing.exe");
    return 0;
}
