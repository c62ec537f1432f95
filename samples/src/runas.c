// runas USER PASSWORD PROGRAM [netonly]: start a program as somebody else, wait, tell its exit code.
// Without arguments: say who runs this, as `whoami` does.
#include "sample.h"
#include <sddl.h>
#include <shellapi.h>

static char buffer[4096];

static const char *account(PSID sid)
{
    static char text[300];
    char name[128], domain[128];
    DWORD room = sizeof name, domain_room = sizeof domain;
    SID_NAME_USE use;
    if (!LookupAccountSidA(NULL, sid, name, &room, domain, &domain_room, &use)) return "?";
    sprintf(text, "%s%s%s", domain, *domain ? "\\" : "", name);
    return text;
}

static void *told(HANDLE token, TOKEN_INFORMATION_CLASS what)
{
    DWORD size;
    return GetTokenInformation(token, what, buffer, sizeof buffer, &size) ? buffer : NULL;
}

static void print_sid(const char *what, PSID sid)
{
    char *text = NULL;
    ConvertSidToStringSidA(sid, &text);
    printf("%s: %s (%s)\n", what, account(sid), text);
    LocalFree(text);
}

static int whoami(void)
{
    HANDLE token;
    DWORD session = 0;
    char name[64] = "", profile[MAX_PATH] = "";
    OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token);
    print_sid("user", ((TOKEN_USER *)told(token, TokenUser))->User.Sid);
    print_sid("label", ((TOKEN_MANDATORY_LABEL *)told(token, TokenIntegrityLevel))->Label.Sid);
    printf("elevation type: %lu\n", *(DWORD *)told(token, TokenElevationType));
    TOKEN_GROUPS *groups = told(token, TokenGroups);
    for (DWORD i = 0; i < groups->GroupCount; i++)
        if (*GetSidSubAuthority(groups->Groups[i].Sid, 0) == 32)
            printf("group: %s%s\n", account(groups->Groups[i].Sid),
                   groups->Groups[i].Attributes & SE_GROUP_USE_FOR_DENY_ONLY ? " (deny only)" : "");
    ProcessIdToSessionId(GetCurrentProcessId(), &session);
    GetEnvironmentVariableA("USERNAME", name, sizeof name);
    GetEnvironmentVariableA("USERPROFILE", profile, sizeof profile);
    printf("session: %lu\nUSERNAME=%s\nUSERPROFILE=%s\n", session, name, profile);
    return 7;
}

int main(int argc, char **argv)
{
    wchar_t **words = CommandLineToArgvW(GetCommandLineW(), &argc);
    (void)argv;
    STARTUPINFOW startup = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION child;
    DWORD code = 0, how = argc > 4 ? LOGON_NETCREDENTIALS_ONLY : LOGON_WITH_PROFILE;
    wchar_t line[MAX_PATH];
    if (argc < 4) return whoami();
    startup.hStdOutput = startup.hStdError = GetStdHandle(STD_OUTPUT_HANDLE);
    SetHandleInformation(startup.hStdOutput, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    fflush(stdout);
    lstrcpynW(line, words[3], MAX_PATH);
    if (!CreateProcessWithLogonW(words[1], L".", words[2], how, NULL, line, 0, NULL, NULL, &startup, &child)) {
        printf("error %lu\n", GetLastError());
        return 1;
    }
    WaitForSingleObject(child.hProcess, INFINITE);
    GetExitCodeProcess(child.hProcess, &code);
    printf("exit code %lu\n", code);
    return 0;
}
