#include <stdio.h>
#include <windows.h>
static BOOL CALLBACK name(char *n, LPARAM l) { printf(" %s", n); return TRUE; }
static DWORD run(const char *self, char *desktop, int gui) {
    char line[300]; sprintf(line, "\"%s\" x", self);
    STARTUPINFOA si = {sizeof si}; PROCESS_INFORMATION pi; si.lpDesktop = desktop; DWORD code;
    if (!CreateProcessA(0, line, 0, 0, 0, 0, 0, 0, &si, &pi)) return GetLastError();
    WaitForSingleObject(pi.hProcess, INFINITE); GetExitCodeProcess(pi.hProcess, &code); return code;
}
int main(int n, char **v) {
    setvbuf(stdout, 0, _IONBF, 0);
    char t[60]; DWORD need;
    if (n > 1) { GetUserObjectInformationA(GetThreadDesktop(GetCurrentThreadId()), UOI_NAME, t, 60, &need); printf("child on %s\n", t); return 3; }
    HWINSTA s = GetProcessWindowStation();
    printf("%d ", GetUserObjectInformationA(s, UOI_NAME, t, 60, &need)); printf("%s %lu ", t, need);
    GetUserObjectInformationA(s, UOI_TYPE, t, 60, &need); printf("%s\n", t);
    HDESK d = GetThreadDesktop(GetCurrentThreadId());
    GetUserObjectInformationA(d, UOI_NAME, t, 60, &need); printf("%s\n", t);
    printf("stations"); EnumWindowStationsA(name, 0); printf("\ndesktops"); EnumDesktopsA(s, name, 0); printf("\n");
    printf("winlogon %d", OpenDesktopA("Winlogon", 0, 0, GENERIC_ALL) != 0); printf(" error %lu\n", GetLastError());
    printf("none %d", OpenDesktopA("none", 0, 0, GENERIC_ALL) != 0); printf(" error %lu\n", GetLastError());
    HDESK mine = CreateDesktopA("mine", 0, 0, 0, GENERIC_ALL, 0);
    printf("create %d\n", mine != 0);
    printf("%lx %lx %lx\n", run(v[0], 0, 0), run(v[0], "mine", 0), run(v[0], "WinSta0\\Default", 0));
    printf("%lx %lx\n", run(v[0], "WinSta0\\none", 0), run(v[0], "nowhere\\Default", 0));
    printf("set %d\n", SetThreadDesktop(mine));
    HWND w = CreateWindowA("Static", "on mine", 0, 0, 0, 0, 0, 0, 0, 0, 0);
    printf("window %d back %d", w != 0, SetThreadDesktop(d)); printf(" error %lu\n", GetLastError());
    printf("close %d", CloseDesktop(mine)); printf(" error %lu\n", GetLastError());
    DestroyWindow(w); printf("back %d close %d\n", SetThreadDesktop(d), CloseDesktop(mine));
    printf("reopen %d\n", OpenDesktopA("mine", 0, 0, GENERIC_READ) != 0);
    HWINSTA other = CreateWindowStationA("Own", 0, GENERIC_ALL, 0);
    printf("station %d %d\n", other != 0, SetProcessWindowStation(other));
    return 0;
}
