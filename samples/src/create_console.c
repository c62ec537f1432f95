// Which console does a child get, and what does a pseudo console hand on?
#define NTDDI_VERSION 0x0A000006
#include "creation.h"

static char heard[0x1000];

static const char *kind(HANDLE handle)
{
    DWORD mode;
    if (!handle) return "none";
    return GetConsoleMode(handle, &mode) ? "console" : GetFileType(handle) == FILE_TYPE_PIPE ? "pipe" : "other";
}

static int child(const char *what)
{
    DWORD ids[8], length;
    CONSOLE_SCREEN_BUFFER_INFO screen;
    HANDLE output = GetStdHandle(STD_OUTPUT_HANDLE);
    if (!strcmp(what, "report")) {
        tell("in %s, out %s, error %s", kind(GetStdHandle(STD_INPUT_HANDLE)), kind(output), kind(GetStdHandle(STD_ERROR_HANDLE)));
        tell(", attached %lu", GetConsoleProcessList(ids, 8));
        return 0;
    }
    if (!strcmp(what, "size")) {
        GetConsoleScreenBufferInfo(output, &screen);
        tell("%d by %d", screen.dwSize.X, screen.dwSize.Y);
        return 0;
    }
    if (!strcmp(what, "echo")) {
        char line[64] = "";
        WriteFile(output, "type: ", 6, &length, NULL);
        ReadFile(GetStdHandle(STD_INPUT_HANDLE), line, sizeof line, &length, NULL);
        tell("typed %lu bytes: %.5s", length, line);
        WriteConsoleW(output, L"heard \x00e9\r\n", 9, &length, NULL);
        return 0;
    }
    if (!strcmp(what, "alloc")) {
        tell("alloc with one: %d", AllocConsole());
        tell(" error %lu", GetLastError());
        FreeConsole();
        tell(", freed: %lu", GetConsoleProcessList(ids, 8));
        tell(", alloc: %d, attached %lu", AllocConsole(), GetConsoleProcessList(ids, 8));
        FreeConsole();
        tell(", attach to parent: %d", AttachConsole(ATTACH_PARENT_PROCESS));
        FreeConsole();
        tell(", to nobody: %d", AttachConsole(0x7FFFFFF0));
        tell(" error %lu", GetLastError());
        return 0;
    }
    return 1;
}

static void row(const char *name, const wchar_t *what, DWORD flags, STARTUPINFOW *startup, BOOL inherit)
{
    wchar_t line[64];
    swprintf(line, ARRAYSIZE(line), L"child %ls", what);
    CALL call = {self, line, inherit, flags, NULL, NULL};
    DWORD error = start(&call, startup, NULL);
    if (error) printf("%s: error %lu\n", name, error);
    else printf("%s: %s\n", name, report);
}

static DWORD listen(HANDLE pipe)
{
    DWORD total = 0, length;
    while (PeekNamedPipe(pipe, NULL, 0, NULL, &length, NULL) && length &&
           ReadFile(pipe, heard + total, sizeof heard - 1 - total, &length, NULL)) total += length;
    heard[total] = 0;
    return total;
}

static void pseudo(void)
{
    HANDLE keyboard, keyboard_end, screen, screen_end;
    static BYTE room[0x100];
    SIZE_T length = sizeof room;
    HPCON console;
    DWORD written;
    STARTUPINFOEXW startup = {.StartupInfo = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES}};
    CreatePipe(&keyboard_end, &keyboard, NULL, 0);
    CreatePipe(&screen, &screen_end, NULL, 0);
    printf("no size: %lX\n", CreatePseudoConsole((COORD){0, 0}, keyboard_end, screen_end, 0, &console));
    printf("pseudo console: %lX\n", CreatePseudoConsole((COORD){40, 10}, keyboard_end, screen_end, 0, &console));
    CloseHandle(keyboard_end);
    CloseHandle(screen_end);
    startup.lpAttributeList = (void *)room;
    InitializeProcThreadAttributeList(startup.lpAttributeList, 1, 0, &length);
    UpdateProcThreadAttribute(startup.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE, console, sizeof console, NULL, NULL);
    row("in the pseudo console", L"report", EXTENDED_STARTUPINFO_PRESENT, &startup.StartupInfo, FALSE);
    row("size", L"size", EXTENDED_STARTUPINFO_PRESENT, &startup.StartupInfo, FALSE);
    printf("resize: %lX\n", ResizePseudoConsole(console, (COORD){50, 20}));
    row("new size", L"size", EXTENDED_STARTUPINFO_PRESENT, &startup.StartupInfo, FALSE);
    WriteFile(keyboard, "hello\r", 6, &written, NULL);
    row("echo", L"echo", EXTENDED_STARTUPINFO_PRESENT, &startup.StartupInfo, FALSE);
    listen(screen);
    printf("prompt arrived: %d, answer arrived: %d\n", strstr(heard, "type: ") != NULL, strstr(heard, "heard \xC3\xA9") != NULL);
    ClosePseudoConsole(console);
    printf("closed: %d", ReadFile(screen, heard, sizeof heard, &written, NULL));
    printf(" error %lu\n", GetLastError());
}

int main(int argc, char **argv)
{
    share();
    if (argc > 1) return child(argv[1]);
    row("inherited", L"report", 0, NULL, FALSE);
    row("new console", L"report", CREATE_NEW_CONSOLE, NULL, FALSE);
    row("no window", L"report", CREATE_NO_WINDOW, NULL, FALSE);
    row("detached", L"report", DETACHED_PROCESS, NULL, FALSE);
    row("another console", L"alloc", 0, NULL, FALSE);
    pseudo();
    return 0;
}
