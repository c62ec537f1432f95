// What of STARTUPINFO, the environment, the current directory and the handles reaches the child?
#include "creation.h"

static HANDLE event;

static const char *kind(HANDLE handle)
{
    DWORD flags;
    if (!handle) return "none";
    if (!GetHandleInformation(handle, &flags)) return "invalid";
    return GetFileType(handle) == FILE_TYPE_UNKNOWN ? "no file" : "a file";
}

static int child(int argc, char **argv)
{
    PARAMETERS *own = parameters();
    STARTUPINFOA given;
    wchar_t folder[MAX_PATH], *leaf;
    GetStartupInfoA(&given);
    if (!strcmp(argv[1], "window"))
        tell("flags %lX, show %d, at %lu %lu, %lu by %lu, %lu by %lu characters, fill %lX, runtime data %d",
             given.dwFlags, given.wShowWindow, given.dwX, given.dwY, given.dwXSize, given.dwYSize, given.dwXCountChars,
             given.dwYCountChars, given.dwFillAttribute, own->RuntimeData.Length);
    else if (!strcmp(argv[1], "names"))
        tell("title %.7s, desktop %s, reserved '%s'", given.lpTitle, given.lpDesktop, given.lpReserved ? given.lpReserved : "");
    else if (!strcmp(argv[1], "variable")) {
        char value[64] = "not there";
        GetEnvironmentVariableA(argv[2], value, sizeof value);
        tell("%s: %s, SystemRoot %s", argv[2], value, GetEnvironmentVariableA("SystemRoot", NULL, 0) ? "yes" : "no");
    }
    else if (!strcmp(argv[1], "folder")) {
        GetCurrentDirectoryW(MAX_PATH, folder);
        leaf = wcsrchr(folder, '\\');
        tell("in %ls", leaf && leaf[1] ? leaf + 1 : folder);
    }
    else if (!strcmp(argv[1], "handles"))
        tell("in %s, out %s, error %s, event %s", kind(GetStdHandle(STD_INPUT_HANDLE)), kind(GetStdHandle(STD_OUTPUT_HANDLE)),
             kind(GetStdHandle(STD_ERROR_HANDLE)), kind((HANDLE)(ULONG_PTR)strtoull(argv[2], NULL, 10)));
    return argc;
}

static void row(const char *name, const wchar_t *what, STARTUPINFOW *startup, BOOL inherit, DWORD flags, void *environment,
                const wchar_t *directory)
{
    wchar_t line[128];
    STARTUPINFOW copy = startup ? *startup : (STARTUPINFOW){0};
    copy.cb = sizeof copy;
    swprintf(line, ARRAYSIZE(line), L"child %ls", what);
    CALL call = {self, line, inherit, flags, environment, directory};
    DWORD error = start(&call, &copy, NULL);
    if (error) printf("%s: error %lu\n", name, error);
    else printf("%s: %s\n", name, report);
}

static void windows(void)
{
    BYTE runtime[] = {1, 2, 3, 4};
    STARTUPINFOW all = {.dwFlags = 0x1F | STARTF_FORCEONFEEDBACK, .dwX = 1, .dwY = 2, .dwXSize = 3, .dwYSize = 4,
                        .dwXCountChars = 5, .dwYCountChars = 6, .dwFillAttribute = 7, .wShowWindow = SW_MINIMIZE,
                        .cbReserved2 = sizeof runtime, .lpReserved2 = runtime};
    STARTUPINFOW names = {.lpTitle = L"a title", .lpDesktop = L"winsta0\\default", .lpReserved = L"shell"};
    STARTUPINFOW empty = {.lpTitle = L"no name", .lpDesktop = L""};
    row("everything", L"window", &all, FALSE, 0, NULL, NULL);
    all.dwFlags = 0;
    row("everything without flags", L"window", &all, FALSE, 0, NULL, NULL);
    row("names", L"names", &names, FALSE, 0, NULL, NULL);
    row("empty desktop", L"names", &empty, FALSE, 0, NULL, NULL);
}

static void environments(void)
{
    static char longest[0x9000];
    SetEnvironmentVariableW(L"NTOS_OWN", L"inherited");
    row("own environment", L"variable NTOS_OWN", NULL, FALSE, 0, NULL, NULL);
    row("wide block", L"variable NTOS_NEW", NULL, FALSE, CREATE_UNICODE_ENVIRONMENT, L"NTOS_NEW=wide\0", NULL);
    row("narrow block", L"variable NTOS_NEW", NULL, FALSE, 0, "A=1\0NTOS_NEW=narrow\0", NULL);
    row("unsorted block", L"variable NTOS_NEW", NULL, FALSE, 0, "Z=1\0NTOS_NEW=late\0B=2\0", NULL);
    row("empty block", L"variable NTOS_OWN", NULL, FALSE, CREATE_UNICODE_ENVIRONMENT, L"\0", NULL);
    memset(longest, 'x', sizeof longest - 2);
    memcpy(longest, "NTOS_NEW=", 9);
    row("too long a narrow block", L"variable NTOS_NEW", NULL, FALSE, 0, longest, NULL);
}

static void directories(void)
{
    static wchar_t deep[600];
    for (int i = 0; i < 300; i++) deep[i] = 'd';
    row("own directory", L"folder", NULL, FALSE, 0, NULL, NULL);
    row("a directory", L"folder", NULL, FALSE, 0, NULL, L"below");
    row("with a slash", L"folder", NULL, FALSE, 0, NULL, L"below/");
    row("the root", L"folder", NULL, FALSE, 0, NULL, L"C:\\");
    row("absent directory", L"folder", NULL, FALSE, 0, NULL, L"absent");
    row("a file", L"folder", NULL, FALSE, 0, NULL, self);
    row("too long", L"folder", NULL, FALSE, 0, NULL, deep);
}

static void handles(void)
{
    wchar_t what[64];
    HANDLE file = CreateFileW(L"NUL", GENERIC_WRITE, 0, &(SECURITY_ATTRIBUTES){sizeof(SECURITY_ATTRIBUTES), NULL, TRUE}, OPEN_EXISTING, 0, NULL);
    STARTUPINFOW words = {.dwFlags = STARTF_USESTDHANDLES, .hStdOutput = file, .hStdError = (HANDLE)0xDEAD0};
    STARTUPINFOW key = {.dwFlags = STARTF_USESTDHANDLES | STARTF_USEHOTKEY, .hStdInput = (HANDLE)0x41, .hStdOutput = file};
    swprintf(what, ARRAYSIZE(what), L"handles %llu", (ULONG_PTR)event);
    row("nothing inherited", what, NULL, FALSE, 0, NULL, NULL);
    row("all inherited", what, NULL, TRUE, 0, NULL, NULL);
    row("named handles", what, &words, TRUE, 0, NULL, NULL);
    row("named handles, nothing inherited", what, &words, FALSE, 0, NULL, NULL);
    row("named handles, detached", what, &words, TRUE, DETACHED_PROCESS, NULL, NULL);
    row("hot key", what, &key, TRUE, 0, NULL, NULL);
    row("detached", what, NULL, TRUE, DETACHED_PROCESS, NULL, NULL);
    row("new console", what, NULL, TRUE, CREATE_NEW_CONSOLE, NULL, NULL);
}

int main(int argc, char **argv)
{
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    share();
    if (argc > 1) return child(argc, argv);
    make_scratch(L"ntosstartup");
    CreateDirectoryW(L"below", NULL);
    // A number that no handle of the child's own has.
    for (int i = 0; i < 200; i++) event = CreateEventW(i == 199 ? &inherit : NULL, FALSE, FALSE, NULL);
    windows();
    environments();
    directories();
    handles();
    return 0;
}
