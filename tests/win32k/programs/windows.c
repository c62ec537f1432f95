#include <stdio.h>
#include <string.h>
#include <windows.h>
static char order[400];
static WNDPROC old;
static LRESULT CALLBACK proc(HWND h, UINT m, WPARAM w, LPARAM l) {
    char *who = (char *)GetWindowLongPtrA(h, GWLP_USERDATA);
    if (m == WM_NCCREATE) SetWindowLongPtrA(h, GWLP_USERDATA, (LONG_PTR)((CREATESTRUCTA *)l)->lpCreateParams);
    if (who && (m == WM_DESTROY || m == WM_NCDESTROY || m == WM_PARENTNOTIFY)) { strcat(order, who); strcat(order, m == WM_DESTROY ? "-d " : m == WM_NCDESTROY ? "-n " : "-p "); }
    if (m == WM_USER + 7) { printf("broadcast %s\n", who); return 0; }
    if (m == WM_USER + 8) ExitThread(9);
    return DefWindowProcA(h, m, w, l);
}
static LRESULT CALLBACK wide(HWND h, UINT m, WPARAM w, LPARAM l) {
    if (m == WM_SETTEXT) printf("wide text %d\n", ((wchar_t *)l)[0] == 0x20ac);
    if (m == WM_CHAR) printf("wide char %x\n", (int)w);
    return CallWindowProcW(old, h, m, w, l);
}
static LRESULT CALLBACK refuse(HWND h, UINT m, WPARAM w, LPARAM l) {
    if (m == (GetWindowLongA(h, GWL_STYLE) & WS_DISABLED ? WM_NCCREATE : WM_CREATE)) { return m == WM_CREATE ? -1 : 0; }
    if (m == WM_DESTROY || m == WM_NCDESTROY) printf("refused %x\n", m);
    return DefWindowProcA(h, m, w, l);
}
static HWND make(const char *cls, char *who, DWORD style, HWND parent) {
    return CreateWindowExA(0, cls, who, style, 1, 2, 30, 40, parent, 0, GetModuleHandleA(0), who);
}
static BOOL CALLBACK count(HWND h, LPARAM l) { char t[30]; GetWindowTextA(h, t, 30); printf(" %s", t); return ++*(int *)l < 4; }
static DWORD tid; static HANDLE ready, done;
static DWORD WINAPI pump(void *p) {
    MSG m; PeekMessageA(&m, 0, 0, 0, PM_NOREMOVE);
    HWND h = make("cls", "T", WS_POPUP, 0); *(HWND *)p = h;
    SetEvent(ready);
    while (GetMessageA(&m, 0, 0, 0) > 0) { if (!m.hwnd) { printf("thread message %x %d\n", m.message, (int)m.wParam); SetEvent(done); } DispatchMessageA(&m); }
    return 0;
}
static void CALLBACK tick(HWND h, UINT m, UINT_PTR id, DWORD t) { static int n; printf("tick %d %x %d\n", h == 0, m, ++n); if (n == 3) PostQuitMessage(1); }
int main(void) {
    setvbuf(stdout, 0, _IONBF, 0);
    WNDCLASSA c = {0}; c.lpfnWndProc = proc; c.hInstance = GetModuleHandleA(0); c.lpszClassName = "cls"; c.cbWndExtra = 16;
    ATOM a = RegisterClassA(&c);
    printf("again %d error %lu\n", RegisterClassA(&c), GetLastError());
    HWND top = make("cls", "A", WS_OVERLAPPEDWINDOW, 0), child = make((char *)(ULONG_PTR)a, "B", WS_CHILD, top), grand = make("cls", "C", WS_CHILD, child), second = make("cls", "D", WS_CHILD, top), owned = make("cls", "E", WS_POPUP, top);
    printf("created%s\n", order); order[0] = 0;
    RECT r; GetWindowRect(grand, &r); printf("rect %ld %ld %ld %ld\n", r.left, r.top, r.right, r.bottom);
    printf("tree %d %d %d %d %d\n", GetParent(child) == top, IsChild(top, grand), GetWindow(top, GW_CHILD) == child, GetWindow(child, GW_HWNDNEXT) == second, GetWindow(owned, GW_OWNER) == top);
    POINT at = {1, 1}; ClientToScreen(grand, &at); printf("point %ld %ld", at.x, at.y); ScreenToClient(child, &at); printf(" %ld %ld", at.x, at.y);
    MapWindowPoints(child, top, &at, 1); printf(" %ld %ld top %d %d\n", at.x, at.y, BringWindowToTop(second), GetWindow(top, GW_CHILD) == second);
    SetWindowPos(second, HWND_BOTTOM, 0, 0, 0, 0, SWP_NOMOVE | SWP_NOSIZE);
    int n = 0; printf("children"); EnumChildWindows(top, count, (LPARAM)&n); n = 0; printf("\nthread"); EnumThreadWindows(GetCurrentThreadId(), count, (LPARAM)&n); printf("\n");
    SetLastError(0); printf("extra %d %d %d", (int)SetWindowLongPtrA(top, 8, 77), (int)GetWindowLongPtrA(top, 8), (int)GetWindowLongPtrA(top, 12)); printf(" error %lu\n", GetLastError());
    old = (WNDPROC)SetWindowLongPtrW(top, GWLP_WNDPROC, (LONG_PTR)wide);
    printf("subclass %d %d\n", old != proc, IsWindowUnicode(top));
    SetWindowTextA(top, "\x80uro"); char t[20]; GetWindowTextA(top, t, 20); printf("text %d\n", (unsigned char)t[0] == 0x80);
    PostMessageA(top, WM_CHAR, 0x80, 0); MSG m; GetMessageA(&m, 0, 0, 0); printf("char %x\n", (int)m.wParam); DispatchMessageA(&m);
    SetPropA(top, "prop", (HANDLE)5); printf("prop %d %d %d\n", (int)(ULONG_PTR)GetPropA(top, "PROP"), (int)(ULONG_PTR)RemovePropA(top, "prop"), (int)(ULONG_PTR)GetPropA(top, "prop"));
    printf("class long %d %d", SetClassLongPtrA(top, GCLP_HCURSOR, 5) == 0, (int)GetClassLongPtrA(child, GCLP_HCURSOR)); printf(" %d\n", TranslateAcceleratorA(top, 0, &m));
    HWND message = make("cls", "M", 0, HWND_MESSAGE);
    printf("message-only %d %d\n", FindWindowExA(HWND_MESSAGE, 0, "cls", 0) == message, FindWindowA("cls", "M") == message);
    printf("show %d %d %d\n", ShowWindow(top, SW_SHOW), IsWindowVisible(top), ShowWindow(top, SW_HIDE));
    printf("enable %d %d\n", EnableWindow(top, 0), IsWindowEnabled(top));
    c.lpszClassName = "no"; c.lpfnWndProc = refuse; RegisterClassA(&c);
    printf("refuse %d %d\n", make("no", "x", 0, 0) != 0, make("no", "x", WS_DISABLED, 0) != 0);
    printf("child alone %d", make("cls", "x", WS_CHILD, 0) != 0); printf(" error %lu\n", GetLastError());
    printf("no class %d", make("nope", "x", 0, 0) != 0); printf(" error %lu\n", GetLastError());
    printf("busy class %d", UnregisterClassA("cls", c.hInstance)); printf(" error %lu\n", GetLastError());
    ready = CreateEventA(0, 0, 0, 0); done = CreateEventA(0, 0, 0, 0); HWND other;
    HANDLE th = CreateThread(0, 0, pump, &other, 0, &tid);
    WaitForSingleObject(ready, INFINITE);
    PostThreadMessageA(tid, WM_APP, 12, 0);
    printf("wait %lu\n", MsgWaitForMultipleObjects(1, &done, 0, 1000, QS_ALLINPUT));
    PostMessageA(HWND_BROADCAST, WM_USER + 7, 0, 0);
    printf("wait %lu\n", MsgWaitForMultipleObjects(1, &done, 0, 1000, QS_ALLINPUT));
    printf("old news %lu", MsgWaitForMultipleObjects(1, &done, 0, 20, QS_ALLINPUT)); printf(" %lu\n", MsgWaitForMultipleObjectsEx(1, &done, 20, QS_ALLINPUT, MWMO_INPUTAVAILABLE));
    printf("queue %lx\n", GetQueueStatus(QS_ALLINPUT));
    while (PeekMessageA(&m, 0, 0, 0, PM_REMOVE)) DispatchMessageA(&m);
    printf("answer of the dead %d\n", (int)SendMessageA(other, WM_USER + 8, 0, 0));
    printf("gone %d\n", IsWindow(other));
    printf("bad thread %d", PostThreadMessageA(tid, WM_APP, 0, 0)); printf(" error %lu\n", GetLastError());
    SetTimer(0, 0, 20, tick);
    while (GetMessageA(&m, 0, 0, 0) > 0) DispatchMessageA(&m);
    printf("registered %d\n", RegisterWindowMessageA("a message") == RegisterWindowMessageW(L"A Message"));
    DestroyWindow(top); printf("order %s\n", order);
    printf("left %d %d\n", IsWindow(owned), IsWindow(grand));
    return 0;
}
