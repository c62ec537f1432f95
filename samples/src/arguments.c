// How do the command line and the environment arrive, in both character sets?
#include "sample.h"
#include <process.h>
#include <corecrt_startup.h>

static void print_wide(const char *label, const wchar_t *text)
{
    printf("%s", label);
    for (; *text; text++)
        if (*text >= 32 && *text < 127) printf("%c", (char)*text);
        else printf("<%04x>", *text);
    printf("\n");
}

static const wchar_t *after_program(const wchar_t *line)
{
    int quoted = 0;
    for (; *line && (quoted || (*line != ' ' && *line != '\t')); line++)
        if (*line == '"') quoted = !quoted;
    while (*line == ' ' || *line == '\t') line++;
    return line;
}

static void show_command_line(int argc, char **argv)
{
    const char *base = argv[0];
    for (const char *at = argv[0]; *at; at++)
        if (*at == '\\' || *at == '/') base = at + 1;
    printf("program %s\n", base);
    printf("argc %d\n", argc);
    for (int i = 1; i < argc; i++) printf("A[%d]=[%s]\n", i, argv[i]);
    _configure_wide_argv(_crt_argv_unexpanded_arguments);
    for (int i = 1; i < argc; i++) {
        printf("W[%d]=", i);
        print_wide("", __wargv[i]);
    }
    print_wide("W tail: ", after_program(GetCommandLineW()));
    const char *ansi = GetCommandLineA();
    printf("A and W lengths agree: %s\n", strlen(ansi) == wcslen(GetCommandLineW()) ? "yes" : "no");
}

static void show_inherited(const char *name)
{
    char value[1024];
    DWORD length = GetEnvironmentVariableA(name, value, sizeof value);
    printf("%s: %s\n", name, length && length < sizeof value ? "present" : length ? "long" : "absent");
}

static void change_variables(void)
{
    wchar_t value[32];
    printf("set: %d\n", SetEnvironmentVariableW(L"NTOS_ONE", L"first"));
    DWORD length = GetEnvironmentVariableW(L"ntos_one", value, 32);
    printf("get, other case: %lu ", length);
    print_wide("", value);
    printf("get, small buffer needs: %lu\n", GetEnvironmentVariableW(L"NTOS_ONE", value, 3));
    SetLastError(0);
    length = GetEnvironmentVariableW(L"NTOS_NONE", value, 32);
    printf("get, missing: %lu error %lu\n", length, GetLastError());
    SetEnvironmentVariableW(L"NTOS_EMPTY", L"");
    SetLastError(0);
    length = GetEnvironmentVariableW(L"NTOS_EMPTY", value, 32);
    printf("get, empty: %lu error %lu\n", length, GetLastError());
    wchar_t expanded[64];
    length = ExpandEnvironmentStringsW(L"<%NTOS_ONE%|%NTOS_NONE%|100%>", expanded, 64);
    printf("expand: %lu ", length);
    print_wide("", expanded);
    printf("expand, small buffer needs: %lu\n", ExpandEnvironmentStringsW(L"%NTOS_ONE%", expanded, 2));
    wchar_t *block = GetEnvironmentStringsW();
    int ours = 0;
    for (wchar_t *entry = block; *entry; entry += wcslen(entry) + 1) {
        ours += !wcsncmp(entry, L"NTOS_", 5);
        if (!wcsncmp(entry, L"NTOS_ONE", 8)) print_wide("block: ", entry);
    }
    printf("of ours in the block: %d\n", ours);
    FreeEnvironmentStringsW(block);
    printf("delete: %d\n", SetEnvironmentVariableW(L"NTOS_ONE", NULL));
    printf("getenv sees a copy: %s\n", getenv("NTOS_EMPTY") ? "new" : "old");
    _putenv("NTOS_CRT=seen");
    length = GetEnvironmentVariableW(L"NTOS_CRT", value, 32);
    print_wide("putenv reaches Windows: ", length ? value : L"no");
}

int main(int argc, char **argv)
{
    show_command_line(argc, argv);
    show_inherited("SystemRoot");
    show_inherited("PATH");
    show_inherited("TEMP");
    show_inherited("NTOS_NOT_THERE");
    change_variables();
    return argc;
}
