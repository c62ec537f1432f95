// Which files can a program get at? reach [+]PATH...: opens each (with +: makes it) and says what happened.
#include "sample.h"

int wmain(int argc, wchar_t **argv)
{
    int reached = 0;
    for (int i = 1; i < argc; i++) {
        BOOL make = argv[i][0] == '+';
        char text[64] = "";
        DWORD length = 0;
        HANDLE file = CreateFileW(argv[i] + make, make ? GENERIC_WRITE : GENERIC_READ, FILE_SHARE_READ, NULL,
                                  make ? CREATE_ALWAYS : OPEN_EXISTING, 0, NULL);
        if (file == INVALID_HANDLE_VALUE) {
            printf("%d: error %lu\n", i, GetLastError());
            continue;
        }
        BOOL done = make ? WriteFile(file, "reached", 7, &length, NULL) : ReadFile(file, text, 63, &length, NULL);
        printf("%d: %s %lu %s\n", i, make ? "wrote" : "read", length, done ? text : "failed");
        CloseHandle(file);
        reached++;
    }
    return reached;
}
