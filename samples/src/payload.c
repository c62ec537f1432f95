// The DLL that the injector brings into other processes: says where it is, and tells the victim that it has come.
#include <windows.h>

BOOL WINAPI DllMainCRTStartup(HINSTANCE module, DWORD reason, LPVOID reserved)
{
    char line[MAX_PATH + 64], path[MAX_PATH];
    DWORD written, length = GetModuleFileNameA(NULL, path, MAX_PATH);
    (void)module, (void)reserved;
    if (reason != DLL_PROCESS_ATTACH) return TRUE;
    while (length && path[length - 1] != '\\') length--;
    lstrcpyA(line, "  payload: attached in ");
    lstrcatA(line, path + length);
    lstrcatA(line, "\r\n");
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), line, lstrlenA(line), &written, NULL);
    HANDLE event = OpenEventA(EVENT_MODIFY_STATE, FALSE, "ntos-injected");
    SetEvent(event);
    CloseHandle(event);
    return TRUE;
}
