// What does Ctrl-C do? ctrlc: dies of it. ctrlc handle: counts one and goes home. ctrlc ignore: stays.
#include "sample.h"

static volatile LONG seen;

static BOOL WINAPI handler(DWORD event)
{
    InterlockedIncrement(&seen);
    printf("handler: event %lu\n", event);
    fflush(stdout);
    return TRUE;
}

int main(int argc, char **argv)
{
    BOOL handles = argc > 1 && !strcmp(argv[1], "handle");
    if (handles) SetConsoleCtrlHandler(handler, TRUE);
    if (argc > 1 && !strcmp(argv[1], "ignore")) SetConsoleCtrlHandler(NULL, TRUE);
    printf("ready\n");
    fflush(stdout);
    while (!seen) Sleep(10);
    printf("seen %ld\n", seen);
    return 5;
}
