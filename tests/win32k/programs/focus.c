/* Activation and focus: what a window is told when it is shown, when another is, when it is destroyed. */
#include <stdio.h>
#include <windows.h>
static HWND first, second;
static LRESULT CALLBACK procedure(HWND h, UINT m, WPARAM w, LPARAM l) {
    const char *who = h == first ? "1" : h == second ? "2" : "?";
    switch (m) {
    case WM_ACTIVATEAPP: printf(" %s:app%d", who, (int)w); break;
    case WM_NCACTIVATE: printf(" %s:nc%d", who, (int)w); break;
    case WM_ACTIVATE: printf(" %s:active%d", who, LOWORD(w)); break;
    case WM_SETFOCUS: printf(" %s:focus", who); break;
    case WM_KILLFOCUS: printf(" %s:nofocus", who); break;
    case WM_SHOWWINDOW: printf(" %s:show%d", who, (int)w); break;
    case WM_DESTROY: printf(" %s:destroy", who); break;
    }
    return DefWindowProcW(h, m, w, l);
}
int main(void) {
    WNDCLASSW c = {0};
    setvbuf(stdout, 0, _IONBF, 0);
    c.lpfnWndProc = procedure;
    c.lpszClassName = L"focus";
    RegisterClassW(&c);
    first = CreateWindowW(L"focus", L"", WS_POPUP, 0, 0, 9, 9, 0, 0, 0, 0);
    second = CreateWindowW(L"focus", L"", WS_POPUP, 0, 0, 9, 9, 0, 0, 0, 0);
    printf("before %d %d\nshow", GetActiveWindow() == 0, GetFocus() == 0);
    ShowWindow(first, SW_SHOW);
    printf("\n%d %d %d\nshow other", GetActiveWindow() == first, GetFocus() == first, GetForegroundWindow() == first);
    ShowWindow(second, SW_SHOW);
    printf("\n%d %d %d\nfocus", GetActiveWindow() == second, GetFocus() == second, GetForegroundWindow() == second);
    printf(" former %d\n", SetFocus(first) == 0);
    printf("quiet show");
    ShowWindow(second, SW_HIDE);
    ShowWindow(second, SW_SHOWNA);
    printf("\ncapture %d %d", SetCapture(second) == 0, GetCapture() == second);
    printf(" %d %d\n", ReleaseCapture(), GetCapture() == 0);
    printf("key %d invalid %d\n", GetKeyState(VK_SHIFT), InvalidateRect(first, 0, 1));
    printf("objects %d\ndestroy", (int)GetGuiResources(GetCurrentProcess(), GR_USEROBJECTS));
    DestroyWindow(first);
    printf("\nafter %d %d\n", GetActiveWindow() == 0, GetFocus() == 0);
    return 0;
}
