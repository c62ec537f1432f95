// Are TLS callbacks called and static TLS blocks filled, for the program and for DLLs, early and late?
#include "sample.h"

static _Thread_local int number = 42;
static _Thread_local char text[16] = "template";
static _Thread_local int zero[100];
static int calls[4];

static void NTAPI callback(void *module, DWORD reason, void *reserved)
{
    (void)module, (void)reserved;
    if (reason < 4) calls[reason]++;
}

__attribute__((section(".CRT$XLM"), used)) static PIMAGE_TLS_CALLBACK entry = callback;

static DWORD WINAPI worker(void *argument)
{
    int (*bump)(int) = argument;
    printf("thread: %d %s %d, dll %d\n", number, text, zero[99], bump(1));
    number = 7;
    strcpy(text, "changed");
    printf("thread: %d %s, dll %d\n", number, text, bump(1));
    return 0;
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    printf("main: %d %s %d, attach calls %d\n", number, text, zero[0], calls[DLL_PROCESS_ATTACH]);
    number = 1;
    HMODULE dll = LoadLibraryA("tlsplugin.dll");
    int (*bump)(int) = (void *)GetProcAddress(dll, "bump");
    int (*seen)(int) = (void *)GetProcAddress(dll, "seen");
    printf("dll loaded late: %d\n", bump(5));
    for (int i = 0; i < 2; i++) {
        HANDLE thread = CreateThread(NULL, 0, worker, bump, 0, NULL);
        WaitForSingleObject(thread, INFINITE);
        CloseHandle(thread);
    }
    printf("main: %d %s, dll %d\n", number, text, bump(0));
    printf("our callbacks: threads attached %d, detached %d\n", calls[DLL_THREAD_ATTACH], calls[DLL_THREAD_DETACH]);
    printf("dll callbacks: process %d, threads attached %d, detached %d\n", seen(1), seen(2), seen(3));
    FreeLibrary(dll);
    return 0;
}
