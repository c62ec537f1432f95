// What does CreateProcess say of files that are not programs it starts?
#include "creation.h"

enum { AS_IS, MACHINE, CHARACTERISTICS, SUBSYSTEM, MAJOR, MINOR, CUT, SECTION };

typedef struct {
    const char *name;
    const wchar_t *file;
    const char *content;  // NULL: this program, one field changed
    int field;
    WORD value;
} ROW;

static const ROW rows[] = {
    {"this program", L"x.exe", NULL, AS_IS, 0},
    {"empty", L"x.exe", "", 0, 0},
    {"text, .exe", L"x.exe", "hello", 0, 0},
    {"text, .com", L"x.com", "hello", 0, 0},
    {"text, .txt", L"x.txt", "hello", 0, 0},
    {"text, no extension", L"x", "hello", 0, 0},
    {"text, .bat", L"x.bat", "@echo off", 0, 0},
    {"text, .cmd", L"x.CMD", "@echo off", 0, 0},
    {"program named .bat", L"x.bat", NULL, AS_IS, 0},
    {"program named .txt", L"x.txt", NULL, AS_IS, 0},
    {"DOS program", L"x.exe", "MZ", 0, 0},
    {"NE for Windows", L"x.exe", "NE\2", 0, 0},
    {"NE for OS/2", L"x.exe", "NE\1", 0, 0},
    {"LE", L"x.exe", "LE", 0, 0},
    {"LX", L"x.exe", "LX", 0, 0},
    {"PE cut off after its headers", L"x.exe", NULL, CUT, 0x300},
    {"PE cut off in its headers", L"x.exe", NULL, CUT, 0x90},
    {"section beyond the end", L"x.exe", NULL, SECTION, 0},
    {"ARM64", L"x.exe", NULL, MACHINE, 0xAA64},
    {"IA-64", L"x.exe", NULL, MACHINE, 0x200},
    {"DLL", L"x.exe", NULL, CHARACTERISTICS, 0x2022},
    {"not linked to the end", L"x.exe", NULL, CHARACTERISTICS, 0x20},
    {"native", L"x.exe", NULL, SUBSYSTEM, 1},
    {"GUI", L"x.exe", NULL, SUBSYSTEM, 2},
    {"OS/2", L"x.exe", NULL, SUBSYSTEM, 5},
    {"POSIX", L"x.exe", NULL, SUBSYSTEM, 7},
    {"Windows CE", L"x.exe", NULL, SUBSYSTEM, 9},
    {"EFI application", L"x.exe", NULL, SUBSYSTEM, 10},
    {"boot application", L"x.exe", NULL, SUBSYSTEM, 16},
    {"subsystem unknown", L"x.exe", NULL, SUBSYSTEM, 0},
    {"Windows 3.9", L"x.exe", NULL, MAJOR, 3},
    {"Windows 11.0", L"x.exe", NULL, MAJOR, 11},
    {"Windows 10.1", L"x.exe", NULL, MINOR, 1},
};

static BYTE image[0x40000];

static DWORD own_bytes(void)
{
    DWORD size = 0;
    HANDLE file = CreateFileW(self, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    ReadFile(file, image, sizeof image, &size, NULL);
    CloseHandle(file);
    return size;
}

static DWORD old_bytes(const char *content)
{
    DWORD kind = (BYTE)content[0] | (BYTE)content[1] << 8;
    memset(image, 0, 0x200);
    memcpy(image, "MZ", 2);
    if (kind == 0x5A4D) return 0x200;
    *(DWORD *)(image + 0x3C) = 0x80;
    memcpy(image + 0x80, content, 2);
    image[0x80 + 0x36] = content[2];
    return 0x200;
}

static DWORD changed_bytes(int field, WORD value)
{
    DWORD size = own_bytes();
    IMAGE_NT_HEADERS64 *headers = (void *)(image + *(DWORD *)(image + 0x3C));
    switch (field) {
    case MACHINE: headers->FileHeader.Machine = value; break;
    case CHARACTERISTICS: headers->FileHeader.Characteristics = value; break;
    case SUBSYSTEM: headers->OptionalHeader.Subsystem = value; break;
    case MAJOR:
        headers->OptionalHeader.MajorSubsystemVersion = value;
        headers->OptionalHeader.MinorSubsystemVersion = value == 3 ? 9 : 0;
        break;
    case MINOR:
        headers->OptionalHeader.MajorSubsystemVersion = 10;
        headers->OptionalHeader.MinorSubsystemVersion = value;
        break;
    case CUT: return value;
    case SECTION: IMAGE_FIRST_SECTION(headers)->PointerToRawData = 0x10000000; break;
    default: break;
    }
    return size;
}

int main(int argc, char **argv)
{
    share();
    if (argc > 1) {  // in cmd.exe's place
        tell("the command processor gets %s", strstr(GetCommandLineA(), argv[1]));
        return 0;
    }
    if (wcsstr(self, L"ntosimages")) {
        tell("runs");
        return 0;
    }
    make_scratch(L"ntosimages");
    SetEnvironmentVariableW(L"ComSpec", self);
    SetErrorMode(SEM_FAILCRITICALERRORS);
    for (size_t i = 0; i < ARRAYSIZE(rows); i++) {
        const ROW *row = &rows[i];
        DWORD size, length;
        if (!row->content) size = changed_bytes(row->field, row->value);
        else if (strlen(row->content) > 4) memcpy(image, row->content, size = strlen(row->content));
        else size = *row->content ? old_bytes(row->content) : 0;
        HANDLE file = CreateFileW(row->file, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
        WriteFile(file, image, size, &length, NULL);
        CloseHandle(file);
        CALL call = {row->file, NULL, FALSE, 0, NULL, NULL};
        DWORD error = start(&call, NULL, NULL);
        if (error) printf("%s: error %lu\n", row->name, error);
        else printf("%s: %s\n", row->name, report);
        DeleteFileW(row->file);
    }
    return 0;
}
