// The process that the injector works on: waits, alertably, until somebody has come.
#include <windows.h>

static void say(const char *text)
{
    DWORD written;
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), text, lstrlenA(text), &written, NULL);
}

void mainCRTStartup(void)
{
    HANDLE event = OpenEventA(SYNCHRONIZE, FALSE, "ntos-injected");
    HANDLE ready = OpenEventA(EVENT_MODIFY_STATE, FALSE, "ntos-ready");
    say("  victim: waits\r\n");
    SetEvent(ready);
    while (WaitForSingleObjectEx(event, 5000, TRUE) == WAIT_IO_COMPLETION) say("  victim: a call was queued\r\n");
    say(GetModuleHandleA("payload.dll") ? "  victim: payload.dll is a module of mine\r\n"
                                        : "  victim: I know no payload.dll\r\n");
    ExitProcess(WaitForSingleObject(event, 0) == WAIT_OBJECT_0 ? 3 : 4);
}
