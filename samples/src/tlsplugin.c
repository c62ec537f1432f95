// The DLL of tls: a static TLS variable and a callback of its own.
#include <windows.h>

static _Thread_local int counter = 1000;
static int calls[4];

static void NTAPI callback(void *module, DWORD reason, void *reserved)
{
    (void)module, (void)reserved;
    if (reason < 4) calls[reason]++;
}

__attribute__((section(".CRT$XLM"), used)) static PIMAGE_TLS_CALLBACK entry = callback;

__declspec(dllexport) int bump(int by) { return counter += by; }
__declspec(dllexport) int seen(int reason) { return calls[reason]; }
