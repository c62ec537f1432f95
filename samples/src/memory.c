// Does virtual memory keep its promises: reserve, commit, protect, guard, share, copy on write?
#include "sample.h"

static DWORD caught;

static int note(EXCEPTION_POINTERS *info)
{
    caught = info->ExceptionRecord->ExceptionCode;
    return EXCEPTION_EXECUTE_HANDLER;
}

static void store(char *p) { *(volatile char *)p = 'x'; }
static void load(char *p) { (void)*(volatile char *)p; }

static DWORD attempt(void (*volatile action)(char *), char *p)
{
    caught = 0;
    __try {
        action(p);
    } __except (note(GetExceptionInformation())) {
    }
    return caught;
}

static void query(const char *label, char *base, char *p)
{
    MEMORY_BASIC_INFORMATION info;
    SIZE_T length = VirtualQuery(p, &info, sizeof info);
    printf("%s: %llu base+%llx allocation+%llx of %lx size %llx state %lx protect %lx type %lx\n", label, length,
           (ULONGLONG)((char *)info.BaseAddress - base), (ULONGLONG)((char *)info.AllocationBase - base),
           info.AllocationProtect, info.RegionSize, info.State, info.Protect, info.Type);
}

static void private_memory(void)
{
    DWORD old = 0;
    char *base = VirtualAlloc(NULL, 0x20000, MEM_RESERVE, PAGE_NOACCESS);
    printf("reserve: aligned to 64K %d\n", ((ULONG_PTR)base & 0xFFFF) == 0);
    query("reserved", base, base);
    printf("store into reserved: %08lx\n", attempt(store, base));
    printf("commit 2 pages: %d\n", VirtualAlloc(base + 0x1000, 0x1800, MEM_COMMIT, PAGE_READWRITE) == base + 0x1000);
    query("before", base, base);
    query("committed", base, base + 0x1234);
    query("behind", base, base + 0x3000);
    printf("store: %08lx, zero filled %d\n", attempt(store, base + 0x1000), base[0x2FFF] == 0);
    printf("protect: %d old %lx\n", VirtualProtect(base + 0x1000, 1, PAGE_READONLY, &old), old);
    query("first page", base, base + 0x1000);
    query("second page", base, base + 0x2000);
    printf("store to read-only: %08lx, load %08lx\n", attempt(store, base + 0x1000), attempt(load, base + 0x1000));
    VirtualProtect(base + 0x1000, 1, PAGE_READWRITE | PAGE_GUARD, &old);
    query("guard", base, base + 0x1000);
    DWORD first = attempt(load, base + 0x1000), again = attempt(load, base + 0x1000);
    printf("touch guard: %08lx, again %08lx\n", first, again);
    query("guard spent", base, base + 0x1000);
    printf("protect across reserved: %d", VirtualProtect(base, 0x4000, PAGE_READONLY, &old));
    printf(" error %lu\n", GetLastError());
    printf("reserve over it: %d", VirtualAlloc(base, 0x1000, MEM_RESERVE, PAGE_READWRITE) != NULL);
    printf(" error %lu\n", GetLastError());
    printf("decommit: %d, load %08lx\n", VirtualFree(base + 0x1000, 0x1000, MEM_DECOMMIT), attempt(load, base + 0x1000));
    printf("release with a size: %d", VirtualFree(base, 0x20000, MEM_RELEASE));
    printf(" error %lu\n", GetLastError());
    printf("release: %d\n", VirtualFree(base, 0, MEM_RELEASE));
    MEMORY_BASIC_INFORMATION info;
    VirtualQuery(base, &info, sizeof info);
    printf("released: allocation %p of %lx state %lx protect %lx type %lx\n", info.AllocationBase, info.AllocationProtect,
           info.State, info.Protect, info.Type);
    printf("release again: %d", VirtualFree(base, 0, MEM_RELEASE));
    printf(" error %lu\n", GetLastError());
}

static void shared_memory(void)
{
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 0x10000, L"Local\\ntos_memory_sample");
    printf("section: %d error %lu\n", section != NULL, GetLastError());
    HANDLE second = OpenFileMappingW(FILE_MAP_ALL_ACCESS, FALSE, L"Local\\ntos_memory_sample");
    char *one = MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, 0), *two = MapViewOfFile(second, FILE_MAP_READ, 0, 0, 0);
    char *copy = MapViewOfFile(section, FILE_MAP_COPY, 0, 0, 0);
    printf("views apart: %d\n", one && two && copy && one != two && two != copy);
    query("view", one, one);
    query("copy view", copy, copy);
    strcpy(one, "shared");
    printf("seen: %s, copy sees: %s\n", two, copy);
    strcpy(copy, "private");
    printf("copy written: one %s, two %s, copy %s\n", one, two, copy);
    strcpy(one, "changed");
    printf("one written: two %s, copy %s\n", two, copy);
    printf("store to read view: %08lx\n", attempt(store, two));
    printf("unmap: %d %d %d\n", UnmapViewOfFile(one), UnmapViewOfFile(two), UnmapViewOfFile(copy));
    printf("unmap again: %d", UnmapViewOfFile(one));
    printf(" error %lu\n", GetLastError());
    CloseHandle(section);
    CloseHandle(second);
    printf("open when gone: %d", OpenFileMappingW(FILE_MAP_READ, FALSE, L"Local\\ntos_memory_sample") != NULL);
    printf(" error %lu\n", GetLastError());
}

static void mapped_file(void)
{
    wchar_t path[MAX_PATH], folder[MAX_PATH];
    GetTempPathW(MAX_PATH, folder);
    GetTempFileNameW(folder, L"nt", 0, path);
    HANDLE file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    printf("map an empty file: %d", CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, 0, NULL) != NULL);
    printf(" error %lu\n", GetLastError());
    HANDLE section = CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, 5000, NULL);
    printf("section grows the file to %lu\n", GetFileSize(file, NULL));
    char *view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0), text[8] = {0};
    strcpy(view + 4096, "by view");
    printf("flush: %d\n", FlushViewOfFile(view, 0));
    DWORD count = 0;
    SetFilePointer(file, 4096, NULL, FILE_BEGIN);
    ReadFile(file, text, 7, &count, NULL);
    printf("read back: %s\n", text);
    UnmapViewOfFile(view);
    CloseHandle(section);
    CloseHandle(file);
}

int main(void)
{
    MEMORY_BASIC_INFORMATION info;
    private_memory();
    shared_memory();
    mapped_file();
    VirtualQuery((void *)main, &info, sizeof info);
    printf("our code: state %lx protect %lx type %lx, belongs to us %d\n", info.State, info.Protect, info.Type,
           info.AllocationBase == GetModuleHandleW(NULL));
    return 0;
}
