/* D3DKMT: there is no adapter. */
#include <stdio.h>
#include <windows.h>
long __stdcall D3DKMTEnumAdapters2(void *);
long __stdcall D3DKMTOpenAdapterFromLuid(void *);
int main(void) {
    struct { unsigned count; void *list; } adapters = {5, 0};
    struct { LUID luid; unsigned adapter; } open = {{1, 0}, 0};
    printf("%lx", D3DKMTEnumAdapters2(&adapters));
    printf(" %u %lx\n", adapters.count, D3DKMTOpenAdapterFromLuid(&open));
    return 0;
}
