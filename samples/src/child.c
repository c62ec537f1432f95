// Does a child see exactly the handles it inherited? (Started by parent: child <index> <pipe> <event>.)
#include "sample.h"

int main(int argc, char **argv)
{
    if (argc != 4) return 1;
    int index = atoi(argv[1]);
    HANDLE pipe = (HANDLE)(ULONG_PTR)strtoull(argv[2], NULL, 10), go = (HANDLE)(ULONG_PTR)strtoull(argv[3], NULL, 10);
    DWORD written = 0;
    if (WaitForSingleObject(go, INFINITE) != WAIT_OBJECT_0) return 2;
    if (!WriteFile(pipe, &index, sizeof index, &written, NULL) || written != sizeof index) return 3;
    return 1000 + index;
}
