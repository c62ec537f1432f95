/* WaitForInputIdle: a GUI program is ready once it waits for messages; a console program never is. */
#include <stdio.h>
#include <string.h>
#include <windows.h>
static void wait(const char *self, const char *what) {
    char line[300];
    STARTUPINFOA start = {sizeof start};
    PROCESS_INFORMATION made;
    sprintf(line, "\"%s\" %s", self, what);
    CreateProcessA(0, line, 0, 0, 0, 0, 0, 0, &start, &made);
    DWORD answer = WaitForInputIdle(made.hProcess, 20);
    DWORD later = WaitForInputIdle(made.hProcess, 5000);
    printf("%s %ld %ld\n", what, (long)answer, (long)later);
    PostThreadMessageA(made.dwThreadId, WM_QUIT, 0, 0);
    WaitForSingleObject(made.hProcess, INFINITE);
}
int main(int count, char **words) {
    MSG message;
    setvbuf(stdout, 0, _IONBF, 0);
    if (count > 1) {
        Sleep(500);
        while (GetMessageA(&message, 0, 0, 0) > 0) {}
        return 0;
    }
    wait(words[0], "self");
    return 0;
}
