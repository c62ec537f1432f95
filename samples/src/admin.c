// A program that its manifest gives to administrators only: it never runs for anybody else.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

void mainCRTStartup(void)
{
    ExitProcess(12);
}
