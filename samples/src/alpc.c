// Do two threads, and two processes, talk over ALPC ports through ntdll's own stubs?
#include "sample.h"
#include <winternl.h>

typedef struct { USHORT DataLength, TotalLength, Type, DataInfoOffset; CLIENT_ID ClientId; ULONG MessageId; SIZE_T CallbackId; } PORT_MESSAGE;
typedef struct {
    ULONG Flags; SECURITY_QUALITY_OF_SERVICE SecurityQos;
    SIZE_T MaxMessageLength, MemoryBandwidth, MaxPoolUsage, MaxSectionSize, MaxViewSize, MaxTotalSectionSize;
    ULONG DupObjectTypes, Reserved;
} PORT_ATTRIBUTES;
typedef struct { ULONG Flags; HANDLE SectionHandle; void *ViewBase; SIZE_T ViewSize; } VIEW;
typedef struct { ULONG Flags; HANDLE Handle; ULONG ObjectType; ACCESS_MASK DesiredAccess; } HANDLE_ATTRIBUTE;
typedef struct { ULONG Allocated, Valid; VIEW View; HANDLE_ATTRIBUTE Handle; } ATTRIBUTES;
typedef struct { PORT_MESSAGE Header; char Text[256]; } MESSAGE;

enum { REQUEST = 1, DATAGRAM = 3, CLOSED = 5, ASKED = 10, CONTINUE = 0x2000 };
enum { RELEASE = 0x10000, SYNCHRONOUS = 0x20000, VIEW_ATTRIBUTE = 0x40000000, HANDLE_ATTRIBUTE_BIT = 0x10000000 };
enum { IMPERSONATION = 0x10000, DUPLICATION = 0x80000, EVENT_TYPE = 0x10, SAME_ACCESS = 0x10000 };

#define NT(name, ...) static NTSTATUS(NTAPI *name)(__VA_ARGS__)
NT(NtAlpcCreatePort, HANDLE *, OBJECT_ATTRIBUTES *, PORT_ATTRIBUTES *);
NT(NtAlpcConnectPort, HANDLE *, UNICODE_STRING *, OBJECT_ATTRIBUTES *, PORT_ATTRIBUTES *, ULONG, void *, PORT_MESSAGE *, SIZE_T *, ATTRIBUTES *,
   ATTRIBUTES *, LARGE_INTEGER *);
NT(NtAlpcAcceptConnectPort, HANDLE *, HANDLE, ULONG, OBJECT_ATTRIBUTES *, PORT_ATTRIBUTES *, void *, PORT_MESSAGE *, ATTRIBUTES *, BOOLEAN);
NT(NtAlpcSendWaitReceivePort, HANDLE, ULONG, PORT_MESSAGE *, ATTRIBUTES *, PORT_MESSAGE *, SIZE_T *, ATTRIBUTES *, LARGE_INTEGER *);
NT(NtAlpcCreatePortSection, HANDLE, ULONG, HANDLE, SIZE_T, HANDLE *, SIZE_T *);
NT(NtAlpcCreateSectionView, HANDLE, ULONG, VIEW *);
NT(NtAlpcDeleteSectionView, HANDLE, ULONG, void *);
NT(NtAlpcImpersonateClientOfPort, HANDLE, PORT_MESSAGE *, void *);
NT(NtAlpcOpenSenderProcess, HANDLE *, HANDLE, PORT_MESSAGE *, ULONG, ACCESS_MASK, OBJECT_ATTRIBUTES *);

static void load(void)
{
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
#define LOAD(name) name = (void *)GetProcAddress(ntdll, #name)
    LOAD(NtAlpcCreatePort), LOAD(NtAlpcConnectPort), LOAD(NtAlpcAcceptConnectPort), LOAD(NtAlpcSendWaitReceivePort);
    LOAD(NtAlpcCreatePortSection), LOAD(NtAlpcCreateSectionView), LOAD(NtAlpcDeleteSectionView);
    LOAD(NtAlpcImpersonateClientOfPort), LOAD(NtAlpcOpenSenderProcess);
}

static PORT_ATTRIBUTES limits(void)
{
    PORT_ATTRIBUTES made = {.Flags = IMPERSONATION | DUPLICATION, .SecurityQos = {12, SecurityImpersonation, SECURITY_STATIC_TRACKING, FALSE},
                            .MaxMessageLength = sizeof(MESSAGE), .MemoryBandwidth = 1 << 20, .MaxPoolUsage = 1 << 20, .MaxSectionSize = 1 << 20,
                            .MaxViewSize = 1 << 20, .MaxTotalSectionSize = 1 << 20, .DupObjectTypes = EVENT_TYPE};
    return made;
}

static void say(MESSAGE *message, const char *text)
{
    strcpy(message->Text, text);
    message->Header.DataLength = (USHORT)strlen(text) + 1;
    message->Header.TotalLength = message->Header.DataLength + sizeof(PORT_MESSAGE);
}

static MESSAGE saying(const char *text)
{
    MESSAGE message = {0};
    say(&message, text);
    return message;
}

// ------------------------------------------------------------------------------------------------ the client

static const wchar_t *port_name;
static char notes[1024];

static void note(const char *format, NTSTATUS status, const char *text)
{
    sprintf(notes + strlen(notes), format, (ULONG)status, text);
}

static HANDLE connect(const char *greeting)
{
    HANDLE port = NULL;
    UNICODE_STRING name = {(USHORT)(wcslen(port_name) * 2), (USHORT)(wcslen(port_name) * 2 + 2), (wchar_t *)port_name};
    PORT_ATTRIBUTES mine = limits();
    MESSAGE message = saying(greeting);
    SIZE_T size = sizeof message;
    NTSTATUS status = NtAlpcConnectPort(&port, &name, NULL, &mine, SYNCHRONOUS, NULL, &message.Header, &size, NULL, NULL, NULL);
    note("connect %08lx: %s\n", status, message.Text);
    return port;
}

static void ask(HANDLE port, const char *question, ATTRIBUTES *with)
{
    MESSAGE message = saying(question), answer = {0};
    SIZE_T size = sizeof answer;
    NTSTATUS status = NtAlpcSendWaitReceivePort(port, SYNCHRONOUS, &message.Header, with, &answer.Header, &size, NULL, NULL);
    note("ask %08lx: %s\n", status, answer.Text);
}

static DWORD WINAPI client(void *unused)
{
    (void)unused;
    connect("a stranger");
    HANDLE port = connect("a friend");
    if (!port) return 1;
    ask(port, "upper case, please", NULL);
    MESSAGE news = saying("by the way"), answer = {0};
    note("datagram %08lx%s\n", NtAlpcSendWaitReceivePort(port, RELEASE, &news.Header, NULL, NULL, NULL, NULL, NULL), "");
    SIZE_T size = sizeof answer;
    LARGE_INTEGER soon = {.QuadPart = -100000};
    note("receive %08lx%s\n", NtAlpcSendWaitReceivePort(port, 0, NULL, NULL, &answer.Header, &size, NULL, &soon), "");
    ATTRIBUTES with = {.Allocated = VIEW_ATTRIBUTE | HANDLE_ATTRIBUTE_BIT, .Valid = VIEW_ATTRIBUTE | HANDLE_ATTRIBUTE_BIT};
    NTSTATUS status = NtAlpcCreatePortSection(port, 0, NULL, 0x10000, &with.View.SectionHandle, &size);
    note("section %08lx%s\n", status, size == 0x10000 ? " 64K" : "");
    with.View.ViewSize = 0x2000;
    note("view %08lx%s\n", NtAlpcCreateSectionView(port, 0, &with.View), with.View.ViewBase ? " mapped" : "");
    strcpy(with.View.ViewBase, "too much to copy");
    with.Handle = (HANDLE_ATTRIBUTE){SAME_ACCESS, CreateEventW(NULL, TRUE, FALSE, NULL), EVENT_TYPE, 0};
    ask(port, "look", &with);
    note("event %08lx; the view says %s\n", WaitForSingleObject(with.Handle.Handle, 0), with.View.ViewBase);
    with.Valid = HANDLE_ATTRIBUTE_BIT;
    with.Handle.Handle = CreateSemaphoreW(NULL, 0, 1, NULL);
    with.Handle.ObjectType = 0x8;
    MESSAGE more = saying("take that");
    status = NtAlpcSendWaitReceivePort(port, RELEASE, &more.Header, &with, NULL, NULL, NULL, NULL);
    note("a semaphore travels: %lu%s\n", status >= 0, "");
    CloseHandle(port);
    return 77;
}

// ------------------------------------------------------------------------------------------------ the server

static void look(HANDLE port, MESSAGE *message, ATTRIBUTES *with)
{
    HANDLE token = NULL, process = NULL;
    OBJECT_ATTRIBUTES none = {.Length = sizeof none};
    if (with->Valid & VIEW_ATTRIBUTE) {
        printf("  view of %llx: %s\n", with->View.ViewSize, (char *)with->View.ViewBase);
        strcpy(with->View.ViewBase, "read and understood");
        printf("  unmapped %08lx\n", (ULONG)NtAlpcDeleteSectionView(port, 0, with->View.ViewBase));
    }
    if (with->Valid & HANDLE_ATTRIBUTE_BIT) {
        printf("  handle of type %lx, access %lx, set %d\n", with->Handle.ObjectType, with->Handle.DesiredAccess, SetEvent(with->Handle.Handle));
        CloseHandle(with->Handle.Handle);
    }
    printf("  impersonate %08lx", (ULONG)NtAlpcImpersonateClientOfPort(port, &message->Header, NULL));
    printf(", token %d", OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token));
    RevertToSelf();
    CloseHandle(token);
    printf(", sender %08lx", (ULONG)NtAlpcOpenSenderProcess(&process, port, &message->Header, 0, PROCESS_QUERY_LIMITED_INFORMATION, &none));
    printf(" %d\n", GetProcessId(process) == (DWORD)(ULONG_PTR)message->Header.ClientId.UniqueProcess);
    CloseHandle(process);
}

static void serve(HANDLE port)
{
    HANDLE connection = NULL;
    for (;;) {
        MESSAGE message = {0};
        ATTRIBUTES with = {.Allocated = VIEW_ATTRIBUTE | HANDLE_ATTRIBUTE_BIT};
        SIZE_T size = sizeof message;
        NTSTATUS status = NtAlpcSendWaitReceivePort(port, 0, NULL, NULL, &message.Header, &size, &with, NULL);
        printf("%08lx type %x %s\n", (ULONG)status, message.Header.Type, message.Text);
        switch (message.Header.Type & 0xFF) {
        case ASKED: {
            BOOLEAN welcome = strcmp(message.Text, "a friend") == 0;
            say(&message, welcome ? "welcome" : "go away");
            PORT_ATTRIBUTES theirs = limits();
            status = NtAlpcAcceptConnectPort(&connection, port, 0, NULL, &theirs, NULL, &message.Header, NULL, welcome);
            printf("  accept %d: %08lx\n", welcome, (ULONG)status);
            break;
        }
        case REQUEST:
            if (!strcmp(message.Text, "look")) look(port, &message, &with);
            for (char *letter = message.Text; *letter; letter++)
                if (*letter >= 'a' && *letter <= 'z') *letter -= 32;
            status = NtAlpcSendWaitReceivePort(port, RELEASE, &message.Header, NULL, NULL, NULL, NULL, NULL);
            printf("  reply %08lx\n", (ULONG)status);
            break;
        case CLOSED:
            CloseHandle(connection);
            return;
        }
    }
}

int main(int argc, char **argv)
{
    wchar_t name[64], self[MAX_PATH], line[MAX_PATH * 2];
    load();
    if (argc > 1) {
        MultiByteToWideChar(CP_ACP, 0, argv[1], -1, name, ARRAYSIZE(name));
        port_name = name;
        return client(NULL);
    }
    swprintf(name, ARRAYSIZE(name), L"\\BaseNamedObjects\\ntos_alpc_%lu", GetCurrentProcessId());
    port_name = name;
    HANDLE port = NULL;
    UNICODE_STRING text = {(USHORT)(wcslen(name) * 2), sizeof name, name};
    OBJECT_ATTRIBUTES object = {.Length = sizeof object, .ObjectName = &text, .Attributes = OBJ_CASE_INSENSITIVE};
    PORT_ATTRIBUTES mine = limits();
    printf("create %08lx\n", (ULONG)NtAlpcCreatePort(&port, &object, &mine));
    printf("create again %08lx\n", (ULONG)NtAlpcCreatePort(&port, &object, &mine));
    DWORD code = 0;
    HANDLE thread = CreateThread(NULL, 0, client, NULL, 0, NULL);
    serve(port);
    WaitForSingleObject(thread, INFINITE);
    GetExitCodeThread(thread, &code);
    printf("the client thread ended with %lu and wrote:\n%s", code, notes);
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    GetModuleFileNameW(NULL, self, MAX_PATH);
    swprintf(line, ARRAYSIZE(line), L"\"%ls\" \"%ls\"", self, name);
    if (!CreateProcessW(self, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process)) return 1;
    serve(port);
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    printf("the client process ended with %lu\n", code);
    CloseHandle(port);
    connect("too late");
    printf("%s", strrchr(notes, 'c'));
    return 0;
}
