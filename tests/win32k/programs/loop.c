/* The plainest GUI program: a class with the system's cursor, icon and brush, a hidden window, a loop. */
#include <stdio.h>
#include <windows.h>
static const char *name(UINT message) {
    static char other[16];
    switch (message) {
    case WM_NCCREATE: return "NCCREATE";
    case WM_CREATE: return "CREATE";
    case WM_NCCALCSIZE: return "NCCALCSIZE";
    case WM_GETMINMAXINFO: return "GETMINMAXINFO";
    case WM_DESTROY: return "DESTROY";
    case WM_NCDESTROY: return "NCDESTROY";
    case WM_TIMER: return "TIMER";
    case WM_CLOSE: return "CLOSE";
    }
    sprintf(other, "%x", message);
    return other;
}
static LRESULT CALLBACK procedure(HWND window, UINT message, WPARAM w, LPARAM l) {
    printf(" %s", name(message));
    if (message == WM_USER) return w + l;
    if (message == WM_TIMER) {
        KillTimer(window, w);
        PostMessageA(window, WM_CLOSE, 0, 0);
        return 0;
    }
    if (message == WM_DESTROY) {
        PostQuitMessage(7);
        return 0;
    }
    return DefWindowProcA(window, message, w, l);
}
static DWORD WINAPI other(void *window) {
    printf("\nsent %d\n", (int)SendMessageA(window, WM_USER, 30, 12));
    PostMessageA(window, WM_USER + 1, 0, 0);
    return 0;
}
int main(void) {
    WNDCLASSA c = {0};
    MSG message;
    char text[50];
    int more;
    setvbuf(stdout, 0, _IONBF, 0);
    c.lpfnWndProc = procedure;
    c.hInstance = GetModuleHandleA(0);
    c.lpszClassName = "mine";
    c.hCursor = LoadCursorA(0, IDC_ARROW);
    c.hIcon = LoadIconA(0, IDI_APPLICATION);
    c.hbrBackground = (HBRUSH)GetStockObject(WHITE_BRUSH);
    printf("%d %d %d %d\n", c.hCursor != 0, c.hCursor == LoadCursorW(0, (wchar_t *)IDC_ARROW), c.hIcon != 0,
           c.hbrBackground != 0);
    printf("atom %d:", RegisterClassA(&c) != 0);
    HWND window = CreateWindowExA(0, "mine", "title", WS_OVERLAPPEDWINDOW, CW_USEDEFAULT, 0, 300, 200, 0, 0,
                                  c.hInstance, 0);
    printf("\nwindow %d:", window != 0);
    printf(" %d %s\n", GetWindowTextA(window, text, 50), text);
    printf("find %d desktop %d\n", FindWindowA("MINE", 0) == window, GetAncestor(window, 1) == GetDesktopWindow());
    CreateThread(0, 0, other, window, 0, 0);
    SetTimer(window, 5, 100, 0);
    while ((more = GetMessageA(&message, 0, 0, 0)) > 0) {
        TranslateMessage(&message);
        DispatchMessageA(&message);
    }
    printf("\nquit %d %d %d\n", more, (int)message.wParam, IsWindow(window));
    return (int)message.wParam;
}
