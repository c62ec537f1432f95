// Does a packet reach the port when its object is signalled, once, and can it be taken back?
#include "sample.h"
#include <winternl.h>

typedef NTSTATUS NTAPI Create(HANDLE *, ACCESS_MASK, void *);
typedef NTSTATUS NTAPI Associate(HANDLE, HANDLE, HANDLE, void *, void *, NTSTATUS, ULONG_PTR, BOOLEAN *);
typedef NTSTATUS NTAPI Cancel(HANDLE, BOOLEAN);

static Create *create;
static Associate *associate;
static Cancel *cancel;
static HANDLE port;

static void take(const char *label)
{
    OVERLAPPED_ENTRY entry;
    ULONG count = 0;
    if (!GetQueuedCompletionStatusEx(port, &entry, 1, &count, 0, FALSE))
        printf("%s: nothing, error %lu\n", label, GetLastError());
    else
        printf("%s: key %llu context %p bytes %lu status %llx\n", label, (unsigned long long)entry.lpCompletionKey,
               (void *)entry.lpOverlapped, entry.dwNumberOfBytesTransferred, (unsigned long long)entry.Internal);
}

static void wait_for(const char *label, HANDLE packet, HANDLE object, ULONG_PTR key)
{
    BOOLEAN already = 77;
    NTSTATUS status = associate(packet, port, object, (void *)key, (void *)0x1234, 0x40000000, 99, &already);
    if (status < 0) printf("%s: %08lx\n", label, (unsigned long)status);
    else printf("%s: %08lx, already %d\n", label, (unsigned long)status, already);
}

static void show_cancel(const char *label, HANDLE packet, BOOLEAN remove)
{
    printf("%s: %08lx\n", label, (unsigned long)cancel(packet, remove));
}

static void with_event(HANDLE packet)
{
    HANDLE object = CreateEventW(NULL, FALSE, FALSE, NULL);
    wait_for("associate", packet, object, 1);
    take("before");
    SetEvent(object);
    printf("event taken: %s\n", WaitForSingleObject(object, 0) == WAIT_TIMEOUT ? "yes" : "no");
    take("after");
    SetEvent(object);
    take("once only");
    wait_for("signalled", packet, object, 3);
    take("at once");
    wait_for("waiting", packet, object, 4);
    show_cancel("cancel", packet, FALSE);
    SetEvent(object);
    take("cancelled");
    show_cancel("cancel idle", packet, FALSE);
    wait_for("signalled", packet, object, 5);
    show_cancel("cancel in port", packet, FALSE);
    show_cancel("and remove", packet, TRUE);
    take("removed");
    CloseHandle(object);
}

static void with_timer(HANDLE packet)
{
    HANDLE timer = CreateWaitableTimerExW(NULL, NULL, 2, TIMER_ALL_ACCESS);
    LARGE_INTEGER due = {.QuadPart = -20 * 10000};
    SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE);
    wait_for("timer", packet, timer, 6);
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *context;
    BOOL got = GetQueuedCompletionStatus(port, &bytes, &key, &context, 5000);
    printf("timer's packet: %d key %llu\n", got, (unsigned long long)key);
    CloseHandle(timer);
}

int main(void)
{
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    create = (Create *)GetProcAddress(ntdll, "NtCreateWaitCompletionPacket");
    associate = (Associate *)GetProcAddress(ntdll, "NtAssociateWaitCompletionPacket");
    cancel = (Cancel *)GetProcAddress(ntdll, "NtCancelWaitCompletionPacket");
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    HANDLE packet;
    printf("create: %08lx\n", (unsigned long)create(&packet, 1, NULL));
    with_event(packet);
    with_timer(packet);
    printf("wrong object: %08lx\n", (unsigned long)associate(port, port, port, NULL, NULL, 0, 0, NULL));
    CloseHandle(packet);
    return 43;
}
