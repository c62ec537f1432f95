// The DLL of loadlibrary: says in which order its DllMain is called.
#include <windows.h>

int answer = 42;
int add(int a, int b) { return a + b; }
int multiply(int a, int b) { return a * b; }

BOOL WINAPI DllMainCRTStartup(HINSTANCE module, DWORD reason, LPVOID reserved)
{
    static const char *const names[] = {"process detach", "process attach", "thread attach", "thread detach"};
    char line[64] = "  plugin: ";
    DWORD written;
    (void)module;
    lstrcatA(line, names[reason]);
    if (reason == DLL_PROCESS_ATTACH || reason == DLL_PROCESS_DETACH) lstrcatA(line, reserved ? ", reserved set" : ", reserved null");
    lstrcatA(line, "\r\n");
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), line, lstrlenA(line), &written, NULL);
    return reason != DLL_PROCESS_ATTACH || !GetEnvironmentVariableA("PLUGIN_REFUSE", NULL, 0);
}
