// Does a program with no C runtime reach standard output through kernel32 alone?
#include <windows.h>

void mainCRTStartup(void)
{
    static const char text[] = "Hello from WriteFile\r\n";
    DWORD written = 0;
    BOOL ok = WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), text, sizeof text - 1, &written, NULL);
    ExitProcess(ok && written == sizeof text - 1 ? 0 : 1);
}
