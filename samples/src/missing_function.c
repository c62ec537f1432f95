// Is a program refused whose import names a function that an existing DLL lacks?
#include <windows.h>

__declspec(dllimport) void NtosAbsentFunction(void);

void mainCRTStartup(void)
{
    NtosAbsentFunction();
    ExitProcess(1);
}
