// Which file does CreateProcess start, and what does the child see as its command line?
#include "creation.h"

typedef struct {
    const char *name;
    const wchar_t *application, *line;
} ROW;

static const ROW rows[] = {
    {"application alone", L"one.exe", NULL},
    {"application and line", L"one.exe", L"other words"},
    {"application and empty line", L"one.exe", L""},
    {"application with blanks", L"a b\\c d.exe", NULL},
    {"application without extension", L"one", NULL},
    {"absent application", L"absent.exe", NULL},
    {"absent folder", L"nowhere\\one.exe", NULL},
    {"a folder", L"folder.exe", NULL},
    {"empty application", L"", L"one.exe"},
    {"a device", L"CON", NULL},
    {"application on the path", L"onpath.exe", NULL},
    {"line", NULL, L"one.exe x"},
    {"line without extension", NULL, L"one x"},
    {"line with a dot at the end", NULL, L"one. x"},
    {"line in quotes", NULL, L"\"one.exe\" x"},
    {"line with an open quote", NULL, L"\"one.exe"},
    {"line with blanks in quotes", NULL, L"\"a b\\c d.exe\" x"},
    {"line with blanks", NULL, L"a b\\c d.exe x"},
    {"line with blanks and no extension", NULL, L"a b\\c d x"},
    {"line with a tab", NULL, L"one.exe\tx"},
    {"shorter name first", NULL, L"first second.exe x"},
    {"folder first", NULL, L"folder second.exe x"},
    {"absent in quotes", NULL, L"\"one.exe x\""},
    {"absent", NULL, L"absent words more"},
    {"absent in an absent folder", NULL, L"nowhere\\one.exe x"},
    {"found on the path", NULL, L"onpath x"},
    {"path does not matter with a folder", NULL, L"folder.exe\\onpath x"},
};

static void copy(const wchar_t *name)
{
    CopyFileW(self, name, FALSE);
}

// In the child: words of its own, with the scratch folder as ~.
static void say(const wchar_t *text)
{
    wchar_t home[MAX_PATH];
    GetTempPathW(MAX_PATH, home);
    size_t length = wcslen(home);
    for (; *text; text++) {
        if (!_wcsnicmp(text, home, length)) {
            tell("~");
            text += length - 1;
        }
        else tell(*text == '\t' ? "<tab>" : "%c", (char)*text);
    }
}

int main(void)
{
    static wchar_t line[0x8001];
    share();
    if (wcsstr(self, L"ntosnames\\")) {
        say(self);
        tell(" sees ");
        say(GetCommandLineW());
        return 0;
    }
    make_scratch(L"ntosnames");
    CreateDirectoryW(L"a b", NULL);
    CreateDirectoryW(L"folder.exe", NULL);
    CreateDirectoryW(L"bin", NULL);
    copy(L"one.exe");
    copy(L"a b\\c d.exe");
    copy(L"first.exe");
    copy(L"first second.exe");
    copy(L"folder second.exe");
    copy(L"bin\\onpath.exe");
    swprintf(line, MAX_PATH, L"%ls\\bin", scratch);
    SetEnvironmentVariableW(L"PATH", line);
    for (size_t i = 0; i < ARRAYSIZE(rows); i++) {
        CALL call = {rows[i].application, rows[i].line, FALSE, 0, NULL, NULL};
        DWORD error = start(&call, NULL, NULL);
        if (error) printf("%s: error %lu\n", rows[i].name, error);
        else printf("%s: %s\n", rows[i].name, report);
    }
    for (int length = 32766; length <= 32767; length++) {
        wcscpy(line, L"one.exe ");
        for (int i = 8; i < length; i++) line[i] = 'x';
        line[length] = 0;
        CALL call = {L"one.exe", line, FALSE, 0, NULL, NULL};
        printf("line of %d: error %lu\n", length, start(&call, NULL, NULL));
    }
    CALL neither = {0};
    printf("neither: error %lu\n", start(&neither, NULL, NULL));
    return 0;
}
