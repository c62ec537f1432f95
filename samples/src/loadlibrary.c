// Does the loader find modules and names, count references, and call DllMain in the right order?
#include "sample.h"

typedef int Binary(int, int);

static void module_name(const char *label, HMODULE module)
{
    wchar_t path[MAX_PATH] = L"";
    DWORD length = GetModuleFileNameW(module, path, MAX_PATH);
    while (length && path[length - 1] != '\\') length--;
    printf("%s: %ls\n", label, path + length);
}

static void failure(const char *label, void *got)
{
    DWORD error = GetLastError();
    printf("%s: %s error %lu\n", label, got ? "found" : "none", error);
}

static DWORD WINAPI nothing(void *argument) { return (DWORD)(ULONG_PTR)argument; }

static void by_name_and_ordinal(HMODULE plugin)
{
    Binary *add = (Binary *)GetProcAddress(plugin, "add");
    printf("add %d, same by ordinal 2: %d\n", add(2, 3), (void *)GetProcAddress(plugin, MAKEINTRESOURCEA(2)) == (void *)add);
    printf("nameless ordinal 7: %d\n", ((Binary *)GetProcAddress(plugin, MAKEINTRESOURCEA(7)))(6, 7));
    printf("exported data: %d\n", *(int *)GetProcAddress(plugin, "answer"));
    failure("names are case-sensitive", (void *)GetProcAddress(plugin, "ADD"));
    failure("missing name", (void *)GetProcAddress(plugin, "absent"));
    failure("missing ordinal", (void *)GetProcAddress(plugin, MAKEINTRESOURCEA(99)));
    failure("hidden name", (void *)GetProcAddress(plugin, "multiply"));
}

static void references(HMODULE plugin)
{
    HMODULE again = LoadLibraryW(L"PLUGIN"), pinned = NULL;
    printf("loaded twice: same %d\n", again == plugin);
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (void *)GetProcAddress(plugin, "add"), &pinned);
    printf("by address: same %d\n", pinned == plugin);
    printf("free %d, ", FreeLibrary(again));
    printf("free %d, still there %d\n", FreeLibrary(pinned), GetModuleHandleW(L"plugin.dll") == plugin);
    printf("free the last:\n");
    printf("%d, gone %d", FreeLibrary(plugin), GetModuleHandleW(L"plugin.dll") == NULL);
    printf(" error %lu\n", GetLastError());
}

static void forwarders(void)
{
    printf("forwarder loads plugin:\n");
    HMODULE forwarder = LoadLibraryW(L"forwarder.dll");
    Binary *sum = (Binary *)GetProcAddress(forwarder, "sum");
    printf("forwarded %d, plugin's own %d, ", sum(40, 2), (void *)sum == (void *)GetProcAddress(GetModuleHandleW(L"plugin"), "add"));
    printf("by ordinal %d, ", ((Binary *)GetProcAddress(forwarder, "product"))(5, 5));
    printf("to kernel32 %d\n", GetProcAddress(forwarder, "nap") == GetProcAddress(GetModuleHandleW(L"kernel32"), "Sleep"));
    failure("forwarded to an absent name", (void *)GetProcAddress(forwarder, "broken"));
    LoadLibraryW(L"plugin.dll"); // held from here on, whatever the forwarder's own reference does
    printf("free the forwarder: %d\n", FreeLibrary(forwarder));
}

static void not_a_dll(void)
{
    wchar_t path[MAX_PATH];
    DWORD count;
    GetTempPathW(MAX_PATH, path);
    wcscat(path, L"ntos_text.dll");
    HANDLE file = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    WriteFile(file, "only text", 9, &count, NULL);
    CloseHandle(file);
    SetErrorMode(SEM_FAILCRITICALERRORS);
    failure("not a dll", LoadLibraryW(path));
    DeleteFileW(path);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    printf("load:\n");
    HMODULE plugin = LoadLibraryW(L"plugin.dll");
    if (!plugin) {
        printf("cannot load: error %lu\n", GetLastError());
        return 1;
    }
    by_name_and_ordinal(plugin);
    printf("a thread:\n");
    HANDLE thread = CreateThread(NULL, 0, nothing, NULL, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    printf("a thread, with its calls disabled: %d\n", DisableThreadLibraryCalls(plugin));
    thread = CreateThread(NULL, 0, nothing, NULL, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    module_name("program", NULL);
    module_name("plugin", plugin);
    printf("program's base: %d\n", *(WORD *)GetModuleHandleW(NULL) == IMAGE_DOS_SIGNATURE);
    references(plugin);
    failure("missing dll", LoadLibraryW(L"ntos_absent.dll"));
    not_a_dll();
    printf("DllMain refuses:\n");
    SetEnvironmentVariableW(L"PLUGIN_REFUSE", L"1");
    failure("refused", LoadLibraryW(L"plugin.dll"));
    SetEnvironmentVariableW(L"PLUGIN_REFUSE", NULL);
    forwarders();
    printf("resident at exit:\n");
    return 13;
}
