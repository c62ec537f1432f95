// What does each creation flag do to the child, and which do not go together?
#include "creation.h"

typedef struct {
    const char *name;
    DWORD flags;
} ROW;

static const ROW rows[] = {
    {"none", 0},
    {"suspended", CREATE_SUSPENDED},
    {"detached", DETACHED_PROCESS},
    {"new console", CREATE_NEW_CONSOLE},
    {"no window", CREATE_NO_WINDOW},
    {"detached + new console", DETACHED_PROCESS | CREATE_NEW_CONSOLE},
    {"no window + new console", CREATE_NO_WINDOW | CREATE_NEW_CONSOLE},
    {"no window + detached", CREATE_NO_WINDOW | DETACHED_PROCESS},
    {"separate VDM", CREATE_SEPARATE_WOW_VDM},
    {"shared VDM", CREATE_SHARED_WOW_VDM},
    {"both VDMs", CREATE_SEPARATE_WOW_VDM | CREATE_SHARED_WOW_VDM},
    {"new group", CREATE_NEW_PROCESS_GROUP},
    {"new group + new console", CREATE_NEW_PROCESS_GROUP | CREATE_NEW_CONSOLE},
    {"idle", IDLE_PRIORITY_CLASS},
    {"below normal", BELOW_NORMAL_PRIORITY_CLASS},
    {"normal", NORMAL_PRIORITY_CLASS},
    {"above normal", ABOVE_NORMAL_PRIORITY_CLASS},
    {"high", HIGH_PRIORITY_CLASS},
    {"realtime", REALTIME_PRIORITY_CLASS},
    {"high + idle", HIGH_PRIORITY_CLASS | IDLE_PRIORITY_CLASS},
    {"realtime + normal", REALTIME_PRIORITY_CLASS | NORMAL_PRIORITY_CLASS},
    {"default error mode", CREATE_DEFAULT_ERROR_MODE},
    {"forced DOS", CREATE_FORCEDOS},
    {"parent's affinity", INHERIT_PARENT_AFFINITY},
    {"caller's priority", INHERIT_CALLER_PRIORITY},
    {"background begin", PROCESS_MODE_BACKGROUND_BEGIN},
    {"background end", PROCESS_MODE_BACKGROUND_END},
    {"breakaway, no job", CREATE_BREAKAWAY_FROM_JOB},
    {"preserve level", CREATE_PRESERVE_CODE_AUTHZ_LEVEL},
    {"profile user", PROFILE_USER},
    {"profile kernel", PROFILE_KERNEL},
    {"profile server", PROFILE_SERVER},
    {"ignore system default", CREATE_IGNORE_SYSTEM_DEFAULT},
    {"protected", CREATE_PROTECTED_PROCESS},
    {"secure", CREATE_SECURE_PROCESS},
    {"extended, short", EXTENDED_STARTUPINFO_PRESENT},
};

static int child(void)
{
    PARAMETERS *own = parameters();
    DWORD ids[4];
    const char *group = group_id() == GetCurrentProcessId() ? "own" : "parent's";
    tell("class %lX, error mode %X, group %s, console %s", GetPriorityClass(GetCurrentProcess()), GetErrorMode(),
         group, GetConsoleProcessList(ids, 4) ? "yes" : "no");
    tell(", ignores Ctrl-C %lu, profile %lX", own->ConsoleFlags & 1, own->Flags & 0xE);
    return 5;
}

int main(int argc, char **argv)
{
    wchar_t line[MAX_PATH + 16];
    share();
    (void)argv;
    if (argc > 1) return child();
    swprintf(line, ARRAYSIZE(line), L"\"%ls\" child", self);
    SetErrorMode(SEM_NOOPENFILEERRORBOX);
    for (size_t i = 0; i < ARRAYSIZE(rows); i++) {
        CALL call = {self, line, FALSE, rows[i].flags, NULL, NULL};
        DWORD code = 0, error = start(&call, NULL, &code);
        if (error) printf("%s: error %lu\n", rows[i].name, error);
        else printf("%s: %s\n", rows[i].name, code == 5 ? report : "wrong exit code");
        fflush(stdout);
    }
    SetPriorityClass(GetCurrentProcess(), BELOW_NORMAL_PRIORITY_CLASS);
    CALL call = {self, line, FALSE, 0, NULL, NULL};
    start(&call, NULL, NULL);
    printf("none, from below normal: %s\n", report);
    SetPriorityClass(GetCurrentProcess(), ABOVE_NORMAL_PRIORITY_CLASS);
    start(&call, NULL, NULL);
    printf("none, from above normal: %s\n", report);
    return 0;
}
