// Is a program refused whose import names a DLL that is nowhere?
#include <windows.h>

__declspec(dllimport) void never_there(void);

void mainCRTStartup(void)
{
    never_there();
    ExitProcess(1);
}
