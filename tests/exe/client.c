// A client of csrss: `tree` waits for ever with threads and a child of its own, `ports` and `rules` ask for what only the system may.
#include <stdio.h>
#include <string.h>
#include <windows.h>
#include <winternl.h>

NTSTATUS NTAPI NtAlpcConnectPort(HANDLE *, UNICODE_STRING *, void *, void *, ULONG, void *, void *, SIZE_T *, void *, void *, LARGE_INTEGER *);
NTSTATUS NTAPI NtSetSystemInformation(ULONG, void *, ULONG);
NTSTATUS NTAPI RtlSetProcessIsCritical(BOOLEAN, BOOLEAN *, BOOLEAN);

static DWORD WINAPI forever(void *unused) { return WaitForSingleObject(GetCurrentProcess(), INFINITE); }

static void child(const char *mode, HANDLE *process)
{
    char line[64];
    STARTUPINFOA startup = {sizeof startup};
    PROCESS_INFORMATION made;
    sprintf(line, "program.exe %s", mode);
    if (!CreateProcessA("D:\\program.exe", line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &made)) ExitProcess(1);
    CloseHandle(made.hThread);
    *process = made.hProcess;
}

static void port(const wchar_t *name)
{
    UNICODE_STRING text;
    HANDLE handle = NULL;
    RtlInitUnicodeString(&text, name);
    printf("%ls 0x%08lx\n", name, (ULONG)NtAlpcConnectPort(&handle, &text, NULL, NULL, 0x20000, NULL, NULL, NULL, NULL, NULL, NULL));
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    HANDLE process;
    if (!strcmp(mode, "tree")) {
        CreateThread(NULL, 0, forever, NULL, 0, NULL);
        child("leaf", &process);
        CreateRemoteThread(process, NULL, 0, (LPTHREAD_START_ROUTINE)Sleep, NULL, CREATE_SUSPENDED, NULL);
        return WaitForSingleObject(process, INFINITE);
    }
    if (!strcmp(mode, "leaf")) {
        CreateThread(NULL, 0, forever, NULL, CREATE_SUSPENDED, NULL);
        forever(NULL);
    }
    if (!strcmp(mode, "ports")) {
        port(L"\\SmApiPort"), port(L"\\Sessions\\1\\Windows\\SbApiPort"), port(L"\\Sessions\\1\\Windows\\ApiPort");
    }
    if (!strcmp(mode, "rules")) {
        ULONG session = 0;
        HANDLE handle = NULL;
        printf("session 0x%08lx\n", (ULONG)NtSetSystemInformation(47, &session, sizeof session));
        printf("port 0x%08lx\n", (ULONG)NtSetInformationProcess(GetCurrentProcess(), 8, &handle, sizeof handle));
        printf("critical 0x%08lx\n", (ULONG)RtlSetProcessIsCritical(TRUE, NULL, FALSE));
        printf("unless checked 0x%08lx\n", (ULONG)RtlSetProcessIsCritical(TRUE, NULL, TRUE));
    }
    return 3;
}
