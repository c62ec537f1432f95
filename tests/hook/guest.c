// What the tests of hooks hook: an export in Python, a leaf routine, a system call, a function of its own.
#include <windows.h>
#include <stdio.h>

__declspec(dllexport) __declspec(noinline) int six(int a, int b, int c, int d, int e, int f)
{
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f;
}

__declspec(dllexport) __declspec(noinline) int thrower(int value)
{
    RaiseException(0xE0001234, 0, 0, NULL);
    return value;
}

static LONG CALLBACK skip(EXCEPTION_POINTERS *about)
{
    return about->ExceptionRecord->ExceptionCode == 0xE0001234 ? EXCEPTION_CONTINUE_EXECUTION : EXCEPTION_CONTINUE_SEARCH;
}

int main(int argc, char **argv)
{
    HANDLE file = CreateFileW(L"D:\\absent.txt", GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    printf("file %d error %lu\n", file == INVALID_HANDLE_VALUE, GetLastError());
    unsigned char *code = (void *)GetProcAddress(GetModuleHandleA("kernel32"), "CreateFileW");
    printf("code %02x\n", code[0]);
    printf("pid %d\n", GetCurrentProcessId() == 4);
    printf("six %d\n", six(1, 2, 3, 4, 5, 6));
    AddVectoredExceptionHandler(1, skip);
    printf("thrown %d\n", thrower(argc));
    printf("length %d\n", lstrlenW(L"four"));
    HANDLE event = NULL;
    int (WINAPI *create)(HANDLE *, ACCESS_MASK, void *, int, BOOLEAN) =
        (void *)GetProcAddress(GetModuleHandleA("ntdll"), "NtCreateEvent");
    printf("event %x\n", create(&event, EVENT_ALL_ACCESS, NULL, 0, FALSE));
    if (argc > 1) {
        STARTUPINFOA startup = {sizeof startup};
        PROCESS_INFORMATION made;
        CreateProcessA(argv[0], argv[0], NULL, NULL, FALSE, 0, NULL, NULL, &startup, &made);
        WaitForSingleObject(made.hProcess, INFINITE);
    }
    return 0;
}
