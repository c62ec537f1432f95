// Can many processes live at once, inherit handles, and each report its own exit code?
#include "sample.h"

#define MOST 200

static HANDLE processes[MOST];

static BOOL spawn(int index, HANDLE pipe, HANDLE go)
{
    wchar_t path[MAX_PATH], line[MAX_PATH + 64];
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD length = GetModuleFileNameW(NULL, path, MAX_PATH);
    while (length && path[length - 1] != '\\') length--;
    wcscpy(path + length, L"child.exe");
    swprintf(line, ARRAYSIZE(line), L"child %d %llu %llu", index, (ULONG_PTR)pipe, (ULONG_PTR)go);
    if (!CreateProcessW(path, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process)) return FALSE;
    CloseHandle(process.hThread);
    processes[index] = process.hProcess;
    return TRUE;
}

static int wait_in_batches(int count)
{
    int batches = 0;
    for (int first = 0; first < count; first += 16, batches++) {
        DWORD size = min(16, count - first);
        if (WaitForMultipleObjects(size, processes + first, TRUE, INFINITE) >= size) return -1;
    }
    return batches;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 50, started = 0, alive = 0, right = 0, seen = 0, twice = 0;
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    HANDLE reader, writer, go = CreateEventW(&inherit, TRUE, FALSE, NULL);
    static int reports[MOST];
    if (count < 1 || count > MOST) return 2;
    CreatePipe(&reader, &writer, &inherit, 0);
    SetHandleInformation(reader, HANDLE_FLAG_INHERIT, 0);
    for (int i = 0; i < count; i++) started += spawn(i, writer, go);
    CloseHandle(writer);
    printf("started %d\n", started);
    for (int i = 0; i < count; i++) alive += WaitForSingleObject(processes[i], 0) == WAIT_TIMEOUT;
    printf("alive together %d\n", alive);
    SetEvent(go);
    int index;
    DWORD length;
    while (ReadFile(reader, &index, sizeof index, &length, NULL) && length == sizeof index)
        if (index >= 0 && index < count) (reports[index]++ ? twice++ : seen++);
    printf("pipe ended with error %lu after %d reports, %d repeated\n", GetLastError(), seen, twice);
    printf("batches waited for %d\n", wait_in_batches(count));
    for (int i = 0; i < count; i++) {
        DWORD code = 0;
        right += GetExitCodeProcess(processes[i], &code) && code == 1000u + i;
        CloseHandle(processes[i]);
    }
    printf("exit codes right %d\n", right);
    return right == count && seen == count ? 0 : 1;
}
