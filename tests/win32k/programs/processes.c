#include <stdio.h>
#include <string.h>
#include <windows.h>
static HWND peer;
static LRESULT CALLBACK server(HWND h, UINT m, WPARAM w, LPARAM l) {
    if (m == WM_COPYDATA) {
        COPYDATASTRUCT *c = (void *)l;
        if (c->cbData > 1000) {
            long sum = 0;
            for (DWORD i = 0; i < c->cbData; i++) sum += ((unsigned char *)c->lpData)[i];
            return sum;
        }
        printf("copydata %d %lu %s from %d\n", (int)c->dwData, c->cbData, (char *)c->lpData, w != 0);
        SetWindowTextW(h, L"got \x20ac");
        return 99;
    }
    if (m == WM_USER) { printf("insend %lu\n", InSendMessageEx(0)); ReplyMessage(5); printf("replied %lu\n", InSendMessageEx(0)); Sleep(50); return 6; }
    if (m == WM_USER + 1) { Sleep(60000); return 1; }
    if (m == WM_USER + 2) { PostQuitMessage((int)w); return 0; }
    if (m == WM_USER + 3) { return SendMessageW((HWND)w, WM_USER, 1, 2); }
    return DefWindowProcW(h, m, w, l);
}
static LRESULT CALLBACK client(HWND h, UINT m, WPARAM w, LPARAM l) {
    if (m == WM_USER) { printf("nested %d\n", (int)(w + l)); return 44; }
    return DefWindowProcA(h, m, w, l);
}
static void CALLBACK answered(HWND h, UINT m, ULONG_PTR data, LRESULT r) { printf("callback %d %d %x\n", (int)data, (int)r, m); }
int child(void) {
    WNDCLASSW c = {0}; c.lpfnWndProc = server; c.hInstance = GetModuleHandleW(0); c.lpszClassName = L"Server";
    RegisterClassW(&c);
    HWND h = CreateWindowW(L"Server", L"Title", 0, 0, 0, 0, 0, 0, 0, c.hInstance, 0);
    MSG m; int r;
    while ((r = GetMessageW(&m, 0, 0, 0)) > 0) DispatchMessageW(&m);
    printf("server ends %d\n", (int)m.wParam);
    return m.wParam;
}
int main(int n, char **v) {
    setvbuf(stdout, 0, _IONBF, 0);
    if (n > 1) return child();
    WNDCLASSA c = {0}; c.lpfnWndProc = client; c.hInstance = GetModuleHandleA(0); c.lpszClassName = "Client";
    RegisterClassA(&c);
    HWND me = CreateWindowA("Client", "", WS_POPUP, 0, 0, 0, 0, HWND_MESSAGE, 0, c.hInstance, 0);
    char line[300]; sprintf(line, "\"%s\" x", v[0]);
    STARTUPINFOA si = {sizeof si}; PROCESS_INFORMATION pi;
    printf("created %d\n", CreateProcessA(0, line, 0, 0, 0, 0, 0, 0, &si, &pi));
    HWND h;
    while (!(h = FindWindowA("server", "TITLE"))) Sleep(10);
    DWORD pid; printf("thread %d process %d\n", GetWindowThreadProcessId(h, &pid) == pi.dwThreadId, pid == pi.dwProcessId);
    printf("idle %ld\n", (long)WaitForInputIdle(pi.hProcess, 100));
    COPYDATASTRUCT d = {17, 6, "hello"};
    printf("answer %d\n", (int)SendMessageA(h, WM_COPYDATA, (WPARAM)me, (LPARAM)&d));
    static unsigned char much[100000];
    for (int i = 0; i < sizeof much; i++) much[i] = i * 7;
    for (int size = 16000; size <= sizeof much; size += 84000) {
        long sum = 0;
        for (int i = 0; i < size; i++) sum += much[i];
        COPYDATASTRUCT large = {1, size, much};
        printf("much %d\n", SendMessageA(h, WM_COPYDATA, 0, (LPARAM)&large) == sum);
    }
    char t[40]; printf("%d ", GetWindowTextA(h, t, 40)); printf("%s %d\n", t, (unsigned char)t[4] == 0x80);
    memset(t, 0, sizeof t);
    printf("gettext %d ", (int)SendMessageA(h, WM_GETTEXT, 40, (LPARAM)t)); printf("%d\n", (unsigned char)t[4] == 0x80);
    printf("settext %d\n", (int)SendMessageA(h, WM_SETTEXT, 0, (LPARAM)"new"));
    printf("len %d\n", GetWindowTextLengthA(h));
    printf("early %d\n", (int)SendMessageA(h, WM_USER, 0, 0));
    printf("nested answer %d\n", (int)SendMessageW(h, WM_USER + 3, (WPARAM)me, 0));
    SendMessageCallbackA(h, WM_USER + 9, 0, 0, answered, 31);
    MSG m; DWORD start = GetTickCount();
    while (GetTickCount() - start < 100) { PeekMessageA(&m, 0, 0, 0, PM_REMOVE); Sleep(10); }
    DWORD_PTR result = 0; SetLastError(0);
    printf("timeout %d", (int)SendMessageTimeoutA(h, WM_USER + 1, 0, 0, SMTO_NORMAL, 200, &result)); printf(" error %lu\n", GetLastError());
    Sleep(6000);
    start = GetTickCount();
    printf("hung %d %d", IsHungAppWindow(h), (int)SendMessageTimeoutA(h, WM_NULL, 0, 0, SMTO_ABORTIFHUNG, 5000, &result)); printf(" quickly %d\n", GetTickCount() - start < 100);
    SetLastError(0);
    printf("notify pointer %d error %lu\n", SendNotifyMessageA(h, WM_SETTEXT, 0, 0), GetLastError());
    printf("post %d\n", PostMessageA(h, WM_USER + 2, 3, 0));
    printf("long own %d", (int)SetWindowLongPtrA(h, GWLP_USERDATA, 1)); printf(" error %lu\n", GetLastError());
    WaitForSingleObject(pi.hProcess, INFINITE);
    GetExitCodeProcess(pi.hProcess, &pid); printf("exit %lu\n", pid);
    printf("gone %d error %lu\n", (int)SendMessageA(h, WM_NULL, 0, 0), GetLastError());
    printf("destroy foreign %d\n", DestroyWindow(h));
    return 0;
}
