/* What crosses a window procedure: a jump out of it, the end of a sender, a callback for a sender that is gone. */
#include <setjmp.h>
#include <stdio.h>
#include <windows.h>
static jmp_buf out;
static HANDLE inside, go;
static void CALLBACK answered(HWND h, UINT m, ULONG_PTR data, LRESULT r) { printf("never\n"); }
static LRESULT CALLBACK procedure(HWND h, UINT m, WPARAM w, LPARAM l) {
    if (m == WM_USER) longjmp(out, 5);
    if (m == WM_USER + 1) {
        SetEvent(inside);
        WaitForSingleObject(go, INFINITE);
        printf("answering %lu\n", InSendMessageEx(0));
        return 1;
    }
    return DefWindowProcW(h, m, w, l);
}
static DWORD WINAPI sender(void *h) {
    printf("never %d\n", (int)SendMessageW(h, WM_USER + 1, 0, 0));
    return 0;
}
static DWORD WINAPI caller(void *h) {
    SendMessageCallbackW(h, WM_USER + 2, 0, 0, answered, 1);
    return 0;
}
static DWORD WINAPI killer(void *thread) {
    WaitForSingleObject(inside, INFINITE);
    printf("terminate %d\n", TerminateThread(thread, 8));
    WaitForSingleObject(thread, INFINITE);
    SetEvent(go);
    return 0;
}
int main(void) {
    WNDCLASSW c = {0};
    MSG message;
    setvbuf(stdout, 0, _IONBF, 0);
    c.lpfnWndProc = procedure;
    c.lpszClassName = L"crossing";
    RegisterClassW(&c);
    HWND h = CreateWindowW(L"crossing", L"", 0, 0, 0, 0, 0, 0, 0, 0, 0);
    int how = setjmp(out);
    if (!how) SendMessageW(h, WM_USER, 0, 0);
    printf("jumped %d %lu\n", how, InSendMessageEx(0));
    inside = CreateEventW(0, 0, 0, 0);
    go = CreateEventW(0, 0, 0, 0);
    HANDLE thread = CreateThread(0, 0, sender, h, 0, 0);
    HANDLE other = CreateThread(0, 0, killer, thread, 0, 0);
    HANDLE third = CreateThread(0, 0, caller, h, 0, 0);
    while (MsgWaitForMultipleObjects(1, &other, 0, INFINITE, QS_ALLINPUT) != WAIT_OBJECT_0)
        while (PeekMessageW(&message, 0, 0, 0, PM_REMOVE)) DispatchMessageW(&message);
    WaitForSingleObject(third, INFINITE);
    PeekMessageW(&message, 0, 0, 0, PM_REMOVE);
    printf("alive %d\n", (int)SendMessageW(h, WM_NULL, 0, 0) == 0 && IsWindow(h));
    return 0;
}
