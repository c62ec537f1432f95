// What does a program see when the machine has no memory left?
#include "sample.h"

#define MEGABYTE (1u << 20)

int main(void)
{
    static char *blocks[65536];
    int count = 0;
    while (count < 65536 && (blocks[count] = VirtualAlloc(NULL, MEGABYTE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)))
        memset(blocks[count++], 'x', MEGABYTE);
    DWORD error = GetLastError();
    printf("stopped by error %lu, after at least four megabytes %d\n", error, count >= 4);
    printf("what there is stays usable %d\n", blocks[count - 1][MEGABYTE - 1] == 'x');
    for (int i = 0; i < count; i++) VirtualFree(blocks[i], 0, MEM_RELEASE);
    char *again = VirtualAlloc(NULL, MEGABYTE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    printf("after giving it back %d\n", again && again[0] == 0);
    return again ? 0 : 1;
}
