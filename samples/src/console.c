// What do console functions say when the standard handles are not a console?
#include "sample.h"

int main(void)
{
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE), out = GetStdHandle(STD_OUTPUT_HANDLE);
    DWORD mode = 0, count = 0, total = 0;
    char text[16];
    printf("handles apart %d\n", in && out && in != out && in != INVALID_HANDLE_VALUE);
    printf("input is a pipe %d, output %d\n", GetFileType(in) == FILE_TYPE_PIPE, GetFileType(out) == FILE_TYPE_PIPE);
    printf("mode: %d", GetConsoleMode(out, &mode));
    printf(" error %lu\n", GetLastError());
    printf("WriteConsole: %d", WriteConsoleW(out, L"never seen\r\n", 12, &count, NULL));
    printf(" error %lu\n", GetLastError());
    SetLastError(0);
    printf("no such standard handle: %d", GetStdHandle(7) == INVALID_HANDLE_VALUE);
    printf(" error %lu\n", GetLastError());
    fflush(stdout);
    while (ReadFile(in, text, sizeof text, &count, NULL) && count) {
        total += count;
        WriteFile(out, text, count, &count, NULL);
    }
    printf("\nend of input after %lu bytes\n", total);
    printf("redirect: %d, ", SetStdHandle(STD_ERROR_HANDLE, out));
    printf("same %d\n", GetStdHandle(STD_ERROR_HANDLE) == out);
    return (int)total;
}
