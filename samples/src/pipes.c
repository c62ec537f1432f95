// Do anonymous and named pipes carry bytes and messages, within a process and between two?
#include "sample.h"

static HANDLE spawn(const wchar_t *arguments, HANDLE in, HANDLE out)
{
    wchar_t self[MAX_PATH], line[MAX_PATH * 2];
    STARTUPINFOW startup = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES, .hStdInput = in, .hStdOutput = out,
                            .hStdError = GetStdHandle(STD_ERROR_HANDLE)};
    PROCESS_INFORMATION process;
    GetModuleFileNameW(NULL, self, MAX_PATH);
    swprintf(line, ARRAYSIZE(line), L"\"%ls\" %ls", self, arguments);
    if (!CreateProcessW(self, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process)) {
        printf("cannot start the child: error %lu\n", GetLastError());
        exit(1);
    }
    CloseHandle(process.hThread);
    return process.hProcess;
}

static DWORD join(HANDLE process)
{
    DWORD code = 0;
    WaitForSingleObject(process, INFINITE);
    GetExitCodeProcess(process, &code);
    CloseHandle(process);
    return code;
}

static void within_a_process(void)
{
    HANDLE reader, writer;
    DWORD count = 0, available = 0;
    char text[64] = {0};
    CreatePipe(&reader, &writer, NULL, 0);
    printf("file type %lu\n", GetFileType(reader));
    WriteFile(writer, "hello ", 6, &count, NULL);
    WriteFile(writer, "pipe", 4, &count, NULL);
    PeekNamedPipe(reader, text, 3, &count, &available, NULL);
    printf("peek %lu of %lu: %.3s\n", count, available, text);
    printf("read %d ", ReadFile(reader, text, 8, &count, NULL));
    printf("%lu: %.8s, ", count, text);
    printf("read %d ", ReadFile(reader, text, sizeof text, &count, NULL));
    printf("%lu: %.2s\n", count, text);
    printf("write to the reading end: %d", WriteFile(reader, "x", 1, &count, NULL));
    printf(" error %lu\n", GetLastError());
    WriteFile(writer, "end", 3, &count, NULL);
    CloseHandle(writer);
    printf("after close: read %d ", ReadFile(reader, text, sizeof text, &count, NULL));
    printf("%lu, then %d ", count, ReadFile(reader, text, sizeof text, &count, NULL));
    printf("%lu error %lu\n", count, GetLastError());
    CloseHandle(reader);
    CreatePipe(&reader, &writer, NULL, 0);
    CloseHandle(reader);
    printf("write with no reader: %d", WriteFile(writer, "x", 1, &count, NULL));
    printf(" error %lu\n", GetLastError());
    CloseHandle(writer);
}

static void to_a_child(void)
{
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    HANDLE child_in, to_child, from_child, child_out;
    DWORD count, total = 0;
    char text[256];
    CreatePipe(&child_in, &to_child, &inherit, 0);
    CreatePipe(&from_child, &child_out, &inherit, 0);
    SetHandleInformation(to_child, HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(from_child, HANDLE_FLAG_INHERIT, 0);
    HANDLE child = spawn(L"upper", child_in, child_out);
    CloseHandle(child_in), CloseHandle(child_out);
    for (int i = 0; i < 3; i++) WriteFile(to_child, "some words\n", 11, &count, NULL);
    CloseHandle(to_child);
    while (ReadFile(from_child, text + total, sizeof text - total, &count, NULL) && count) total += count;
    printf("child's end: error %lu, exit code %lu, it wrote %lu bytes\n", GetLastError(), join(child), total);
    fwrite(text, 1, total, stdout);
    CloseHandle(from_child);
}

static int upper(void)
{
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE), out = GetStdHandle(STD_OUTPUT_HANDLE);
    DWORD count, total = 0;
    char text[16];
    while (ReadFile(in, text, sizeof text, &count, NULL) && count) {
        for (DWORD i = 0; i < count; i++)
            if (text[i] >= 'a' && text[i] <= 'z') text[i] -= 32;
        WriteFile(out, text, count, &count, NULL);
        total += count;
    }
    return (int)total;
}

static void named_server(void)
{
    wchar_t name[64], arguments[80];
    DWORD count = 0;
    char text[64];
    swprintf(name, ARRAYSIZE(name), L"\\\\.\\pipe\\ntos_pipes_%lu", GetCurrentProcessId());
    swprintf(arguments, ARRAYSIZE(arguments), L"client %ls", name);
    printf("open before it exists: %d", CreateFileW(name, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL) != INVALID_HANDLE_VALUE);
    printf(" error %lu\n", GetLastError());
    HANDLE pipe = CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT, 1, 4096, 4096, 0, NULL);
    printf("second instance: %d", CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE, 1, 4096, 4096, 0, NULL) != INVALID_HANDLE_VALUE);
    printf(" error %lu\n", GetLastError());
    HANDLE child = spawn(arguments, GetStdHandle(STD_INPUT_HANDLE), GetStdHandle(STD_OUTPUT_HANDLE));
    BOOL connected = ConnectNamedPipe(pipe, NULL) || GetLastError() == ERROR_PIPE_CONNECTED;
    printf("connected %d\n", connected);
    printf("message 1: %d ", ReadFile(pipe, text, sizeof text, &count, NULL));
    printf("%.*s\n", (int)count, text);
    printf("message 2, small buffer: %d ", ReadFile(pipe, text, 4, &count, NULL));
    printf("error %lu %.*s, ", GetLastError(), (int)count, text);
    printf("rest: %d ", ReadFile(pipe, text, sizeof text, &count, NULL));
    printf("%.*s\n", (int)count, text);
    WriteFile(pipe, "answer", 6, &count, NULL);
    printf("message 3: %d ", ReadFile(pipe, text, sizeof text, &count, NULL));
    printf("%.*s\n", (int)count, text);
    printf("client gone: %d", ReadFile(pipe, text, sizeof text, &count, NULL));
    printf(" error %lu, client's exit code %lu\n", GetLastError(), join(child));
    printf("disconnect %d\n", DisconnectNamedPipe(pipe));
    CloseHandle(pipe);
}

static int client(const char *name)
{
    DWORD count, mode = PIPE_READMODE_MESSAGE;
    char text[64];
    HANDLE pipe = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (pipe == INVALID_HANDLE_VALUE) return 100;
    SetNamedPipeHandleState(pipe, &mode, NULL, NULL);
    WriteFile(pipe, "first", 5, &count, NULL);
    WriteFile(pipe, "second message", 14, &count, NULL);
    if (!ReadFile(pipe, text, sizeof text, &count, NULL) || count != 6 || memcmp(text, "answer", 6)) return 101;
    WriteFile(pipe, "thanks", 6, &count, NULL);
    FlushFileBuffers(pipe);
    CloseHandle(pipe);
    return 55;
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "upper")) return upper();
    if (argc > 2 && !strcmp(argv[1], "client")) return client(argv[2]);
    within_a_process();
    to_a_child();
    named_server();
    return 0;
}
