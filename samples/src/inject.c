// The ways into another process, each with the calls that malware and debuggers use: `inject TECHNIQUE`.
#include "sample.h"
#include <winternl.h>

NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE process, PVOID base);
NTSTATUS NTAPI NtQueueApcThread(HANDLE thread, PVOID routine, PVOID first, PVOID second, PVOID third);
NTSTATUS NTAPI NtCreateSection(HANDLE *section, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes, LARGE_INTEGER *size,
                               ULONG protection, ULONG kind, HANDLE file);
NTSTATUS NTAPI NtMapViewOfSection(HANDLE section, HANDLE process, PVOID *base, ULONG_PTR zero, SIZE_T commit,
                                  LARGE_INTEGER *offset, SIZE_T *size, ULONG inherit, ULONG kind, ULONG protection);

static PROCESS_INFORMATION victim;
static HANDLE ready, injected;
static wchar_t folder[MAX_PATH], payload[MAX_PATH];

// All volatile registers are kept; then call [fn](arg), and go on at [resume].
static const BYTE detour[] = {
    0x50, 0x51, 0x52, 0x41, 0x50, 0x41, 0x51, 0x41, 0x52, 0x41, 0x53, 0x9C, 0x55, 0x48, 0x89, 0xE5, 0x48, 0x83, 0xE4,
    0xF0, 0x48, 0x83, 0xEC, 0x20, 0x48, 0x8B, 0x0D, 0x21, 0x00, 0x00, 0x00, 0xFF, 0x15, 0x23, 0x00, 0x00, 0x00, 0x48,
    0x89, 0xEC, 0x5D, 0x9D, 0x41, 0x5B, 0x41, 0x5A, 0x41, 0x59, 0x41, 0x58, 0x5A, 0x59, 0x58, 0xFF, 0x25, 0x15, 0x00,
    0x00, 0x00, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC,
};
// A thread's start: call [fn](parameter, DLL_PROCESS_ATTACH, NULL).
static const BYTE attach[] = {
    0x48, 0x83, 0xEC, 0x28, 0xBA, 0x01, 0x00, 0x00, 0x00, 0x45, 0x31, 0xC0, 0xFF, 0x15, 0x06, 0x00, 0x00, 0x00, 0x48,
    0x83, 0xC4, 0x28, 0xC3, 0xCC,
};

static void start(const wchar_t *program, DWORD flags)
{
    STARTUPINFOW startup = {.cb = sizeof startup};
    wchar_t path[MAX_PATH];
    swprintf(path, MAX_PATH, L"%ls%ls", folder, program);
    if (!CreateProcessW(path, NULL, NULL, NULL, TRUE, flags, NULL, NULL, &startup, &victim)) exit(90);
    if (!(flags & CREATE_SUSPENDED)) WaitForSingleObject(ready, 5000);
}

static void *far_room(SIZE_T size, DWORD protection)
{
    return VirtualAllocEx(victim.hProcess, NULL, size, MEM_COMMIT | MEM_RESERVE, protection);
}

static void *far_path(void)
{
    SIZE_T size = (wcslen(payload) + 1) * sizeof(wchar_t);
    void *room = far_room(size, PAGE_READWRITE);
    WriteProcessMemory(victim.hProcess, room, payload, size, NULL);
    return room;
}

static void classic(void)
{
    start(L"victim.exe", 0);
    HANDLE thread = CreateRemoteThread(victim.hProcess, NULL, 0, (LPTHREAD_START_ROUTINE)(void *)LoadLibraryW,
                                       far_path(), 0, NULL);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

static void apc(void)
{
    start(L"victim.exe", 0);
    printf("queued: %d\n", QueueUserAPC((PAPCFUNC)(void *)LoadLibraryW, victim.hThread, (ULONG_PTR)far_path()) != 0);
}

static void early(void)
{
    start(L"victim.exe", CREATE_SUSPENDED);
    printf("queued: %lx\n", NtQueueApcThread(victim.hThread, (void *)LoadLibraryW, far_path(), NULL, NULL));
    ResumeThread(victim.hThread);
}

static void fill_detour(BYTE *image, DWORD64 argument, DWORD64 resume)
{
    DWORD64 values[] = {argument, (DWORD64)(void *)LoadLibraryW, resume};
    memcpy(image, detour, sizeof detour);
    memcpy(image + sizeof detour, values, sizeof values);
}

static void hijack(void)
{
    CONTEXT context __attribute__((aligned(16))) = {.ContextFlags = CONTEXT_FULL};
    BYTE image[sizeof detour + 24];
    start(L"victim.exe", 0);
    void *argument = far_path(), *code = far_room(sizeof image, PAGE_EXECUTE_READWRITE);
    SuspendThread(victim.hThread);
    GetThreadContext(victim.hThread, &context);
    fill_detour(image, (DWORD64)argument, context.Rip);
    WriteProcessMemory(victim.hProcess, code, image, sizeof image, NULL);
    context.Rip = (DWORD64)code;
    printf("context set: %d\n", SetThreadContext(victim.hThread, &context));
    ResumeThread(victim.hThread);
    // A wait goes on until it ends; only then does the thread come to its new registers.
    printf("ended: %d\n", WaitForSingleObject(injected, 20000) == WAIT_OBJECT_0);
}

static void section(void)
{
    LARGE_INTEGER size = {.QuadPart = 0x1000};
    HANDLE made, thread;
    PVOID here = NULL, there = NULL;
    SIZE_T length = 0, far_length = 0;
    start(L"victim.exe", 0);
    NtCreateSection(&made, SECTION_ALL_ACCESS, NULL, &size, PAGE_EXECUTE_READWRITE, SEC_COMMIT, NULL);
    NtMapViewOfSection(made, GetCurrentProcess(), &here, 0, 0, NULL, &length, 2, 0, PAGE_READWRITE);
    printf("mapped: %lx\n",
           NtMapViewOfSection(made, victim.hProcess, &there, 0, 0, NULL, &far_length, 2, 0, PAGE_EXECUTE_READ));
    DWORD64 function = (DWORD64)(void *)LoadLibraryW;
    memcpy(here, attach, sizeof attach);
    memcpy((BYTE *)here + sizeof attach, &function, sizeof function);
    wcscpy((wchar_t *)((BYTE *)here + 0x100), payload);
    thread = CreateRemoteThread(victim.hProcess, NULL, 0, (LPTHREAD_START_ROUTINE)there, (BYTE *)there + 0x100, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
}

static BYTE *file_of(const wchar_t *path)
{
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    DWORD size = GetFileSize(file, NULL), got;
    BYTE *data = malloc(size);
    ReadFile(file, data, size, &got, NULL);
    CloseHandle(file);
    return data;
}

static IMAGE_NT_HEADERS64 *headers_of(BYTE *data)
{
    return (IMAGE_NT_HEADERS64 *)(data + ((IMAGE_DOS_HEADER *)data)->e_lfanew);
}

// The image as it lies in memory at `base`, with imports resolved if `whole`.
static BYTE *laid_out(BYTE *data, BYTE *base, BOOL whole)
{
    IMAGE_NT_HEADERS64 *headers = headers_of(data);
    IMAGE_SECTION_HEADER *parts = IMAGE_FIRST_SECTION(headers);
    BYTE *image = calloc(1, headers->OptionalHeader.SizeOfImage);
    memcpy(image, data, headers->OptionalHeader.SizeOfHeaders);
    for (int i = 0; i < headers->FileHeader.NumberOfSections; i++)
        memcpy(image + parts[i].VirtualAddress, data + parts[i].PointerToRawData,
               min(parts[i].SizeOfRawData, parts[i].Misc.VirtualSize));
    DWORD64 delta = (DWORD64)base - headers->OptionalHeader.ImageBase;
    IMAGE_DATA_DIRECTORY *table = &headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_BASERELOC];
    for (DWORD at = 0; at < table->Size;) {
        IMAGE_BASE_RELOCATION *block = (IMAGE_BASE_RELOCATION *)(image + table->VirtualAddress + at);
        WORD *entry = (WORD *)(block + 1), *end = (WORD *)((BYTE *)block + block->SizeOfBlock);
        for (; entry < end; entry++)
            if (*entry >> 12 == IMAGE_REL_BASED_DIR64)
                *(DWORD64 *)(image + block->VirtualAddress + (*entry & 0xFFF)) += delta;
        at += block->SizeOfBlock;
    }
    table = &headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT];
    if (!whole || !table->Size) return image;
    for (IMAGE_IMPORT_DESCRIPTOR *each = (void *)(image + table->VirtualAddress); each->Name; each++) {
        HMODULE module = LoadLibraryA((char *)image + each->Name);
        for (IMAGE_THUNK_DATA64 *thunk = (void *)(image + each->FirstThunk); thunk->u1.AddressOfData; thunk++)
            thunk->u1.Function = (DWORD64)GetProcAddress(
                module, ((IMAGE_IMPORT_BY_NAME *)(image + thunk->u1.AddressOfData))->Name);
    }
    return image;
}

static void manual(void)
{
    BYTE stub[sizeof attach + 8], *data = file_of(payload);
    IMAGE_NT_HEADERS64 *headers = headers_of(data);
    SIZE_T size = headers->OptionalHeader.SizeOfImage;
    start(L"victim.exe", 0);
    BYTE *base = far_room(size, PAGE_EXECUTE_READWRITE), *code = far_room(sizeof stub, PAGE_READWRITE);
    DWORD64 entry = (DWORD64)base + headers->OptionalHeader.AddressOfEntryPoint;
    DWORD old;
    memcpy(stub, attach, sizeof attach);
    memcpy(stub + sizeof attach, &entry, sizeof entry);
    WriteProcessMemory(victim.hProcess, base, laid_out(data, base, TRUE), size, NULL);
    WriteProcessMemory(victim.hProcess, code, stub, sizeof stub, NULL);
    VirtualProtectEx(victim.hProcess, code, sizeof stub, PAGE_EXECUTE_READ, &old);
    HANDLE thread = CreateRemoteThread(victim.hProcess, NULL, 0, (LPTHREAD_START_ROUTINE)code, base, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
}

static void hollow(void)
{
    CONTEXT context __attribute__((aligned(16))) = {.ContextFlags = CONTEXT_FULL};
    wchar_t path[MAX_PATH];
    BYTE *old, *base;
    swprintf(path, MAX_PATH, L"%ls%ls", folder, L"hello_writefile.exe");
    BYTE *data = file_of(path);
    IMAGE_NT_HEADERS64 *headers = headers_of(data);
    SIZE_T size = headers->OptionalHeader.SizeOfImage;
    start(L"victim.exe", CREATE_SUSPENDED);
    GetThreadContext(victim.hThread, &context);
    ReadProcessMemory(victim.hProcess, (BYTE *)context.Rdx + 0x10, &old, sizeof old, NULL);
    printf("unmapped: %lx\n", NtUnmapViewOfSection(victim.hProcess, old));
    base = VirtualAllocEx(victim.hProcess, old, size, MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);
    printf("same place: %d\n", base == old);
    BYTE *image = laid_out(data, base, FALSE);
    headers_of(image)->OptionalHeader.ImageBase = (DWORD64)base;
    WriteProcessMemory(victim.hProcess, base, image, size, NULL);
    WriteProcessMemory(victim.hProcess, (BYTE *)context.Rdx + 0x10, &base, sizeof base, NULL);
    context.Rcx = (DWORD64)base + headers->OptionalHeader.AddressOfEntryPoint;
    printf("context set: %d\n", SetThreadContext(victim.hThread, &context));
    ResumeThread(victim.hThread);
}

int main(int argc, char **argv)
{
    static const struct { const char *name; void (*run)(void); } techniques[] = {
        {"classic", classic}, {"apc", apc}, {"early", early}, {"hijack", hijack},
        {"section", section}, {"manual", manual}, {"hollow", hollow},
    };
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    DWORD code = 0, length = GetModuleFileNameW(NULL, folder, MAX_PATH);
    setvbuf(stdout, NULL, _IONBF, 0);
    while (length && folder[length - 1] != '\\') length--;
    folder[length] = 0;
    swprintf(payload, MAX_PATH, L"%ls%ls", folder, L"payload.dll");
    injected = CreateEventA(&inherit, TRUE, FALSE, "ntos-injected");
    ready = CreateEventA(&inherit, TRUE, FALSE, "ntos-ready");
    for (size_t i = 0; i < ARRAYSIZE(techniques); i++)
        if (argc > 1 && !strcmp(argv[1], techniques[i].name)) techniques[i].run();
    WaitForSingleObject(victim.hProcess, 10000);
    GetExitCodeProcess(victim.hProcess, &code);
    printf("exit code of the victim: %lu\n", code);
    return 0;
}
