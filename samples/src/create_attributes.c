// What does each attribute of an extended start-up structure do, and what is refused?
#include "creation.h"
#include <sddl.h>

#define ATTRIBUTE(number) ((DWORD_PTR)(number))
static STARTUPINFOEXW startup;
static BYTE room[0x200];
static HANDLE event, secret;
HRESULT WINAPI DeriveAppContainerSidFromAppContainerName(PCWSTR name, PSID *sid);

// One attribute (or none) and flags; prints what became of the child.
static void row(const char *name, DWORD_PTR attribute, void *value, SIZE_T size, BOOL inherit, DWORD flags)
{
    SIZE_T length = sizeof room;
    wchar_t line[128];
    startup.StartupInfo.cb = sizeof startup;
    startup.lpAttributeList = (void *)room;
    InitializeProcThreadAttributeList(startup.lpAttributeList, 2, 0, &length);
    if (!UpdateProcThreadAttribute(startup.lpAttributeList, 0, attribute, value, size, NULL, NULL)) {
        printf("%s: update error %lu\n", name, GetLastError());
        return;
    }
    swprintf(line, ARRAYSIZE(line), L"child %llu %llu", (ULONG_PTR)event, (ULONG_PTR)secret);
    CALL call = {self, line, inherit, flags | EXTENDED_STARTUPINFO_PRESENT, NULL, NULL};
    DWORD code = 0, error = start(&call, &startup.StartupInfo, &code);
    if (error) printf("%s: error %lu\n", name, error);
    else printf("%s: exit %lX%s%s\n", name, code, *report ? ", " : "", report);
}

static BOOL is_open(const char *handle)
{
    DWORD flags;
    return GetHandleInformation((HANDLE)(ULONG_PTR)strtoull(handle, NULL, 10), &flags);
}

// The exit code is a mask: 1 and 2 handles there, 4 may create, 8 may run new code, 10 in a job, 20 in a container.
static int child(char **argv)
{
    int seen = (is_open(argv[1]) ? 1 : 0) | (is_open(argv[2]) ? 2 : 0);
    CALL call = {self, L"child end", FALSE, 0, NULL, NULL};
    BOOL job = FALSE;
    DWORD container = 0, length;
    HANDLE token;
    report = NULL;
    if (!strcmp(argv[1], "end")) return 0;
    if (!start(&call, NULL, NULL)) seen |= 4;
    if (VirtualAlloc(NULL, 1, MEM_COMMIT, PAGE_EXECUTE_READWRITE)) seen |= 8;
    else if (GetLastError() != ERROR_DYNAMIC_CODE_BLOCKED) seen |= 0x100;
    IsProcessInJob(GetCurrentProcess(), NULL, &job);
    OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token);
    GetTokenInformation(token, TokenIsAppContainer, &container, sizeof container, &length);
    return seen | (job ? 0x10 : 0) | (container ? 0x20 : 0);
}

static void container(void)
{
    PSID package = NULL, capability = NULL;
    HRESULT derived = DeriveAppContainerSidFromAppContainerName(L"ntos.sample", &package);
    wchar_t *text = NULL;
    ConvertSidToStringSidW(package, &text);
    printf("derived: %lX %ls\n", derived, text);
    ConvertStringSidToSidW(L"S-1-15-3-1", &capability);
    SID_AND_ATTRIBUTES capabilities[1] = {{capability, SE_GROUP_ENABLED}};
    SECURITY_CAPABILITIES what = {package, capabilities, 1, 0};
    row("app container", PROC_THREAD_ATTRIBUTE_SECURITY_CAPABILITIES, &what, sizeof what, FALSE, 0);
    capabilities[0].Sid = package;
    row("package as capability", PROC_THREAD_ATTRIBUTE_SECURITY_CAPABILITIES, &what, sizeof what, FALSE, 0);
    what.AppContainerSid = capability;
    row("capability as package", PROC_THREAD_ATTRIBUTE_SECURITY_CAPABILITIES, &what, sizeof what, FALSE, 0);
}

static void lists(void)
{
    SIZE_T length = 0;
    DWORD value = 0;
    printf("size of two: %d", InitializeProcThreadAttributeList(NULL, 2, 0, &length));
    printf(" error %lu, %llu bytes\n", GetLastError(), length);
    InitializeProcThreadAttributeList((void *)room, 1, 0, &length);
    row("unknown", ATTRIBUTE(0x2001F), &value, 4, FALSE, 0);
    row("wrong size", PROC_THREAD_ATTRIBUTE_PARENT_PROCESS, &value, 4, FALSE, 0);
    row("no handles", PROC_THREAD_ATTRIBUTE_HANDLE_LIST, &value, 0, FALSE, 0);
    length = sizeof room;
    InitializeProcThreadAttributeList((void *)room, 1, 0, &length);
    UpdateProcThreadAttribute((void *)room, 0, PROC_THREAD_ATTRIBUTE_PARENT_PROCESS, &event, 8, NULL, NULL);
    printf("twice: %d", UpdateProcThreadAttribute((void *)room, 0, PROC_THREAD_ATTRIBUTE_PARENT_PROCESS, &event, 8, NULL, NULL));
    printf(" error %lu\n", GetLastError());
    printf("one too many: %d", UpdateProcThreadAttribute((void *)room, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, &event, 8, NULL, NULL));
    printf(" error %lu\n", GetLastError());
}

static void processes(void)
{
    HANDLE parent = GetCurrentProcess(), limited = OpenProcess(PROCESS_QUERY_INFORMATION, FALSE, GetCurrentProcessId());
    HANDLE listed[] = {event}, hidden[] = {GetStdHandle(STD_OUTPUT_HANDLE)}, job = CreateJobObjectW(NULL, NULL);
    row("parent: self", PROC_THREAD_ATTRIBUTE_PARENT_PROCESS, &parent, 8, FALSE, 0);
    row("parent: without the right", PROC_THREAD_ATTRIBUTE_PARENT_PROCESS, &limited, 8, FALSE, 0);
    row("parent: an event", PROC_THREAD_ATTRIBUTE_PARENT_PROCESS, &event, 8, FALSE, 0);
    row("handles: one of two", PROC_THREAD_ATTRIBUTE_HANDLE_LIST, listed, sizeof listed, TRUE, 0);
    row("handles: no inheritance", PROC_THREAD_ATTRIBUTE_HANDLE_LIST, listed, sizeof listed, FALSE, 0);
    hidden[0] = CreateEventW(NULL, FALSE, FALSE, NULL);
    row("handles: not inheritable", PROC_THREAD_ATTRIBUTE_HANDLE_LIST, hidden, sizeof hidden, TRUE, 0);
    row("job", PROC_THREAD_ATTRIBUTE_JOB_LIST, &job, 8, FALSE, 0);
    row("job: an event", PROC_THREAD_ATTRIBUTE_JOB_LIST, &event, 8, FALSE, 0);
}

static void policies(void)
{
    DWORD number;
    DWORD64 wide[2] = {0, 0};
    number = 1;
    row("children restricted", PROC_THREAD_ATTRIBUTE_CHILD_PROCESS_POLICY, &number, 4, FALSE, 0);
    number = 8;
    row("children: no such bit", PROC_THREAD_ATTRIBUTE_CHILD_PROCESS_POLICY, &number, 4, FALSE, 0);
    wide[0] = 1ull << 36;
    row("dynamic code", PROC_THREAD_ATTRIBUTE_MITIGATION_POLICY, wide, 8, FALSE, 0);
    wide[0] = 1ull << 32;
    row("extension points", PROC_THREAD_ATTRIBUTE_MITIGATION_POLICY, wide, 8, FALSE, 0);
    wide[0] = 7;
    row("DEP and SEHOP", PROC_THREAD_ATTRIBUTE_MITIGATION_POLICY, wide, 4, FALSE, 0);
    number = 3;
    row("desktop: both", PROC_THREAD_ATTRIBUTE_DESKTOP_APP_POLICY, &number, 4, FALSE, 0);
    number = 2;
    row("desktop: disable", PROC_THREAD_ATTRIBUTE_DESKTOP_APP_POLICY, &number, 4, FALSE, 0);
    number = 0;
    row("protection, WinTcb", PROC_THREAD_ATTRIBUTE_PROTECTION_LEVEL, &number, 4, FALSE, CREATE_PROTECTED_PROCESS);
    number = PROTECTION_LEVEL_SAME;
    row("protection, same", PROC_THREAD_ATTRIBUTE_PROTECTION_LEVEL, &number, 4, FALSE, CREATE_PROTECTED_PROCESS);
    number = 77;
    row("protection, none such", PROC_THREAD_ATTRIBUTE_PROTECTION_LEVEL, &number, 4, FALSE, CREATE_PROTECTED_PROCESS);
    number = 2;
    row("force LUA", ATTRIBUTE(0x60001), &number, 4, FALSE, 0);
    number = 4;
    row("force breakaway", ATTRIBUTE(0x60001), &number, 4, FALSE, 0);
    row("package", ATTRIBUTE(0x20008), L"No.Such_1.0.0.0_x64__0", 46, FALSE, 0);
}

static void placement(void)
{
    GROUP_AFFINITY affinity = {.Mask = 1};
    PROCESSOR_NUMBER processor = {0};
    USHORT node = 0;
    row("affinity", PROC_THREAD_ATTRIBUTE_GROUP_AFFINITY, &affinity, sizeof affinity, FALSE, 0);
    affinity.Mask = 0;
    row("affinity: none", PROC_THREAD_ATTRIBUTE_GROUP_AFFINITY, &affinity, sizeof affinity, FALSE, 0);
    row("ideal processor", PROC_THREAD_ATTRIBUTE_IDEAL_PROCESSOR, &processor, sizeof processor, FALSE, 0);
    row("node", PROC_THREAD_ATTRIBUTE_PREFERRED_NODE, &node, sizeof node, FALSE, 0);
    node = 77;
    row("node: none such", PROC_THREAD_ATTRIBUTE_PREFERRED_NODE, &node, sizeof node, FALSE, 0);
}

int main(int argc, char **argv)
{
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    GetModuleFileNameW(NULL, self, MAX_PATH);
    if (argc > 1) return child(argv);
    report = calloc(1, REPORT_SIZE);
    event = CreateEventW(&inherit, FALSE, FALSE, NULL);
    secret = CreateEventW(&inherit, FALSE, FALSE, NULL);
    lists();
    processes();
    policies();
    placement();
    container();
    return 0;
}
