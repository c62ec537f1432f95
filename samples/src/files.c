// Do files, directories and their errors behave as documented?
#include "sample.h"

static wchar_t root[MAX_PATH];

static void outcome(const char *label, BOOL ok)
{
    DWORD error = GetLastError();
    printf(ok ? "%s: ok\n" : "%s: error %lu\n", label, error);
}

static HANDLE open(const wchar_t *name, DWORD access, DWORD share, DWORD disposition, DWORD flags)
{
    SetLastError(0);
    return CreateFileW(name, access, share, NULL, disposition, flags, NULL);
}

static void put(const wchar_t *name, const char *text)
{
    DWORD count;
    HANDLE file = open(name, GENERIC_WRITE, 0, CREATE_ALWAYS, 0);
    WriteFile(file, text, (DWORD)strlen(text), &count, NULL);
    CloseHandle(file);
}

static void show(const wchar_t *name)
{
    DWORD count = 0;
    char text[256];
    HANDLE file = open(name, GENERIC_READ, FILE_SHARE_READ, OPEN_EXISTING, 0);
    if (file == INVALID_HANDLE_VALUE) {
        printf("  %ls: error %lu\n", name, GetLastError());
        return;
    }
    ReadFile(file, text, sizeof text, &count, NULL);
    for (DWORD i = 0; i < count; i++)
        if (!text[i]) text[i] = '.';
    printf("  %ls: [%.*s]\n", name, (int)count, text);
    CloseHandle(file);
}

static void dispositions(void)
{
    static const struct { const char *label; DWORD disposition; } tries[] = {
        {"open existing", OPEN_EXISTING}, {"truncate existing", TRUNCATE_EXISTING}, {"create new", CREATE_NEW},
        {"create new again", CREATE_NEW}, {"open always", OPEN_ALWAYS}, {"create always", CREATE_ALWAYS},
        {"open existing", OPEN_EXISTING}, {"truncate existing", TRUNCATE_EXISTING}};
    for (unsigned i = 0; i < ARRAYSIZE(tries); i++) {
        HANDLE file = open(L"one.txt", GENERIC_WRITE, 0, tries[i].disposition, FILE_ATTRIBUTE_NORMAL);
        printf("%s: %s, last error %lu\n", tries[i].label, file == INVALID_HANDLE_VALUE ? "failed" : "opened", GetLastError());
        if (file != INVALID_HANDLE_VALUE) CloseHandle(file);
    }
    DeleteFileW(L"one.txt");
    HANDLE file = open(L"one.txt", GENERIC_WRITE, 0, OPEN_ALWAYS, 0);
    printf("open always, new: last error %lu\n", GetLastError());
    CloseHandle(file);
}

static void reading_and_writing(void)
{
    DWORD count = 0;
    char text[16] = {0};
    LARGE_INTEGER size, zero = {0}, at;
    HANDLE file = open(L"two.txt", GENERIC_READ | GENERIC_WRITE, 0, CREATE_ALWAYS, 0);
    printf("write %d", WriteFile(file, "0123456789", 10, &count, NULL));
    printf(" %lu, seek to %lu, ", count, SetFilePointer(file, -4, NULL, FILE_END));
    printf("read %d ", ReadFile(file, text, sizeof text, &count, NULL));
    printf("%lu %s, at the end %d ", count, text, ReadFile(file, text, 4, &count, NULL));
    printf("%lu\n", count);
    printf("seek before the start: %d", SetFilePointerEx(file, (LARGE_INTEGER){.QuadPart = -1}, NULL, FILE_BEGIN));
    printf(" error %lu\n", GetLastError());
    SetFilePointer(file, 12, NULL, FILE_BEGIN);
    WriteFile(file, "gap", 3, &count, NULL);
    SetFilePointerEx(file, zero, &at, FILE_CURRENT);
    GetFileSizeEx(file, &size);
    printf("gap: position %lld, size %lld\n", at.QuadPart, size.QuadPart);
    OVERLAPPED offset = {.Offset = 2};
    printf("read at 2: %d ", ReadFile(file, text, 3, &count, &offset));
    printf("%lu %.3s, past the end %d", count, text, ReadFile(file, text, 3, &count, &(OVERLAPPED){.Offset = 100}));
    printf(" error %lu\n", GetLastError());
    SetFilePointer(file, 5, NULL, FILE_BEGIN);
    printf("set end %d, size %lu, flush %d\n", SetEndOfFile(file), GetFileSize(file, NULL), FlushFileBuffers(file));
    CloseHandle(file);
    file = open(L"two.txt", FILE_APPEND_DATA, 0, OPEN_EXISTING, 0);
    WriteFile(file, "+", 1, &count, NULL);
    SetFilePointer(file, 0, NULL, FILE_BEGIN);
    WriteFile(file, "-", 1, &count, NULL);
    printf("append-only handle reads: %d", ReadFile(file, text, 1, &count, NULL));
    printf(" error %lu\n", GetLastError());
    CloseHandle(file);
    show(L"two.txt");
    outcome("write to a closed handle", WriteFile(file, "x", 1, &count, NULL));
}

static void sharing(void)
{
    HANDLE first = open(L"two.txt", GENERIC_READ, FILE_SHARE_READ, OPEN_EXISTING, 0), second;
    second = open(L"two.txt", GENERIC_READ, FILE_SHARE_READ, OPEN_EXISTING, 0);
    outcome("two readers", second != INVALID_HANDLE_VALUE);
    CloseHandle(second);
    outcome("a writer beside", open(L"two.txt", GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, OPEN_EXISTING, 0) != INVALID_HANDLE_VALUE);
    outcome("a reader that shares nothing", open(L"two.txt", GENERIC_READ, 0, OPEN_EXISTING, 0) != INVALID_HANDLE_VALUE);
    outcome("delete while open", DeleteFileW(L"two.txt"));
    CloseHandle(first);
    first = open(L"gone.txt", GENERIC_WRITE | DELETE, FILE_SHARE_READ | FILE_SHARE_DELETE, CREATE_NEW, FILE_FLAG_DELETE_ON_CLOSE);
    printf("delete on close: before %d, ", GetFileAttributesW(L"gone.txt") != INVALID_FILE_ATTRIBUTES);
    CloseHandle(first);
    printf("after %d error %lu\n", GetFileAttributesW(L"gone.txt") != INVALID_FILE_ATTRIBUTES, GetLastError());
}

static void attributes(void)
{
    BY_HANDLE_FILE_INFORMATION info;
    WIN32_FILE_ATTRIBUTE_DATA data;
    FILETIME stamp = {0x12345600, 0x01D00000}, created, accessed, written;
    put(L"three.txt", "attributes");
    printf("set read-only %d, attributes %lx\n", SetFileAttributesW(L"three.txt", FILE_ATTRIBUTE_READONLY), GetFileAttributesW(L"three.txt") & ~FILE_ATTRIBUTE_ARCHIVE);
    outcome("write to read-only", open(L"three.txt", GENERIC_WRITE, 0, OPEN_EXISTING, 0) != INVALID_HANDLE_VALUE);
    outcome("delete read-only", DeleteFileW(L"three.txt"));
    SetFileAttributesW(L"three.txt", FILE_ATTRIBUTE_NORMAL);
    HANDLE file = open(L"three.txt", GENERIC_READ | GENERIC_WRITE, 0, OPEN_EXISTING, 0);
    printf("set times %d, ", SetFileTime(file, NULL, &stamp, &stamp));
    GetFileTime(file, &created, &accessed, &written);
    printf("got %lx:%lx, creation known %d\n", written.dwHighDateTime, written.dwLowDateTime, created.dwHighDateTime != 0);
    printf("by handle %d: ", GetFileInformationByHandle(file, &info));
    printf("size %lu links %lu times agree %d index known %d\n", info.nFileSizeLow, info.nNumberOfLinks,
           !CompareFileTime(&info.ftLastWriteTime, &stamp), (info.nFileIndexLow | info.nFileIndexHigh) != 0);
    CloseHandle(file);
    printf("by name %d: size %lu, directory %d\n", GetFileAttributesExW(L"three.txt", GetFileExInfoStandard, &data),
           data.nFileSizeLow, (GetFileAttributesW(L".") & FILE_ATTRIBUTE_DIRECTORY) != 0);
}

static int compare(const void *a, const void *b) { return _wcsicmp(*(wchar_t *const *)a, *(wchar_t *const *)b); }

static void find(const wchar_t *pattern)
{
    WIN32_FIND_DATAW data;
    wchar_t *names[16];
    int count = 0;
    HANDLE search = FindFirstFileW(pattern, &data);
    printf("  %ls:", pattern);
    if (search == INVALID_HANDLE_VALUE) {
        printf(" error %lu\n", GetLastError());
        return;
    }
    do names[count++] = _wcsdup(data.cFileName);
    while (count < 16 && FindNextFileW(search, &data));
    DWORD error = GetLastError();
    FindClose(search);
    qsort(names, count, sizeof *names, compare); // the order is the file system's own affair
    for (int i = 0; i < count; i++) printf(" %ls", names[i]);
    printf(", then error %lu\n", error);
}

static void directories(void)
{
    outcome("create directory", CreateDirectoryW(L"sub", NULL));
    outcome("create directory again", CreateDirectoryW(L"SUB", NULL));
    outcome("create in a missing parent", CreateDirectoryW(L"none\\sub", NULL));
    put(L"sub\\alpha.txt", "alpha");
    put(L"sub\\beta.TXT", "beta");
    put(L"sub\\gamma.text", "gamma");
    put(L"sub\\noextension", "delta");
    printf("find\n");
    find(L"sub\\*");
    find(L"sub\\*.*");
    find(L"sub\\*.txt");
    find(L"sub\\?eta.*");
    find(L"sub\\ALPHA.TXT");
    find(L"sub");
    find(L"sub\\*.none");
    find(L"none\\*");
    outcome("remove a full directory", RemoveDirectoryW(L"sub"));
    outcome("open a directory as a file", open(L"sub", GENERIC_READ, 0, OPEN_EXISTING, 0) != INVALID_HANDLE_VALUE);
    outcome("delete a directory as a file", DeleteFileW(L"sub"));
    outcome("remove a file as a directory", RemoveDirectoryW(L"sub\\alpha.txt"));
}

static void moving(void)
{
    outcome("copy", CopyFileW(L"sub\\alpha.txt", L"copy.txt", TRUE));
    outcome("copy onto, not allowed", CopyFileW(L"sub\\beta.TXT", L"copy.txt", TRUE));
    outcome("copy onto", CopyFileW(L"sub\\beta.TXT", L"copy.txt", FALSE));
    show(L"copy.txt");
    outcome("move onto, not allowed", MoveFileW(L"sub\\alpha.txt", L"copy.txt"));
    outcome("move onto", MoveFileExW(L"sub\\alpha.txt", L"copy.txt", MOVEFILE_REPLACE_EXISTING));
    show(L"copy.txt");
    show(L"sub\\alpha.txt");
    outcome("move a missing file", MoveFileExW(L"none.txt", L"other.txt", 0));
    outcome("rename the directory", MoveFileExW(L"sub", L"renamed", 0));
    show(L"renamed\\beta.txt");
}

static void missing(void)
{
    outcome("missing file", open(L"none.txt", GENERIC_READ, 0, OPEN_EXISTING, 0) != INVALID_HANDLE_VALUE);
    outcome("missing path", open(L"none\\none.txt", GENERIC_READ, 0, OPEN_EXISTING, 0) != INVALID_HANDLE_VALUE);
    outcome("file as a path", open(L"one.txt\\none.txt", GENERIC_READ, 0, OPEN_EXISTING, 0) != INVALID_HANDLE_VALUE);
    outcome("bad name", open(L"a<b", GENERIC_READ, 0, OPEN_EXISTING, 0) != INVALID_HANDLE_VALUE);
    outcome("empty name", open(L"", GENERIC_READ, 0, OPEN_EXISTING, 0) != INVALID_HANDLE_VALUE);
    outcome("delete a missing file", DeleteFileW(L"none.txt"));
    outcome("change to a missing directory", SetCurrentDirectoryW(L"none"));
}

static void paths(void)
{
    static const wchar_t *const given[] = {L"C:\\a\\.\\b\\..\\c.txt", L"C:/x//y/", L"C:\\..\\..\\z", L"C:\\dots.\\trail. ", L"\\\\server\\share\\a\\..\\b"};
    wchar_t full[MAX_PATH], *part = NULL;
    for (unsigned i = 0; i < ARRAYSIZE(given); i++) {
        DWORD length = GetFullPathNameW(given[i], MAX_PATH, full, &part);
        printf("full path of %ls: %ls, %lu, last part %ls\n", given[i], full, length, part ? part : L"none");
    }
    printf("small buffer needs %lu\n", GetFullPathNameW(L"C:\\abc", 3, full, NULL));
    GetFullPathNameW(L"renamed\\..\\one.txt", MAX_PATH, full, NULL);
    printf("relative to the current directory: %ls\n", !wcsncmp(full, root, wcslen(root)) ? full + wcslen(root) : full);
    SetCurrentDirectoryW(L"renamed");
    GetCurrentDirectoryW(MAX_PATH, full);
    printf("after a change: %ls\n", !wcsncmp(full, root, wcslen(root)) ? full + wcslen(root) : full);
    show(L"..\\two.txt");
    SetCurrentDirectoryW(L"..");
}

static void clean(const wchar_t *folder)
{
    static const wchar_t *const names[] = {L"one.txt", L"two.txt", L"three.txt", L"copy.txt", L"renamed\\beta.TXT", L"renamed\\gamma.text", L"renamed\\noextension"};
    int deleted = 0;
    for (unsigned i = 0; i < ARRAYSIZE(names); i++) deleted += DeleteFileW(names[i]);
    printf("deleted %d\n", deleted);
    outcome("remove directory", RemoveDirectoryW(L"renamed"));
    SetCurrentDirectoryW(folder);
    outcome("remove the root", RemoveDirectoryW(root));
}

int main(void)
{
    wchar_t folder[MAX_PATH];
    GetTempPathW(MAX_PATH, folder);
    swprintf(root, MAX_PATH, L"%lsntos_files_%lu", folder, GetCurrentProcessId());
    outcome("own directory", CreateDirectoryW(root, NULL) && SetCurrentDirectoryW(root));
    GetCurrentDirectoryW(MAX_PATH, root);
    dispositions();
    reading_and_writing();
    sharing();
    attributes();
    directories();
    moving();
    missing();
    paths();
    clean(folder);
    return 0;
}
