"""NtNotifyChangeKey: wait, or be told later, that something below a key has changed."""

from __future__ import annotations

from ntos import ob
from ntos.abi import access as rights
from ntos.abi.layout.io import IO_STATUS_BLOCK
from ntos.abi.pointer import Ptr
from ntos.abi.status import STATUS, GuestFault, NtError
from ntos.abi.types import BOOLEAN, HANDLE, NTSTATUS, PVOID, ULONG
from ntos.cm.key import Key
from ntos.cm.key_services import key_of
from ntos.cm.registry import Registry
from ntos.cm.watch import Watch
from ntos.ke.apc import UserApc, queue_user
from ntos.ke.event import KEVENT_SIZE, SYNCHRONIZATION_EVENT, Event, event_at
from ntos.ke.service import service
from ntos.ke.thread import Thread
from ntos.ke.wait import wait

KNOWN_CHANGES = 0x1000_000F
"""The four kinds, and REG_NOTIFY_THREAD_AGNOSTIC."""


@service
async def NtNotifyChangeKey(
    thread: Thread,
    KeyHandle: HANDLE,
    Event: HANDLE,
    ApcRoutine: PVOID,
    ApcContext: PVOID,
    IoStatusBlock: Ptr[IO_STATUS_BLOCK],
    CompletionFilter: ULONG,
    WatchTree: BOOLEAN,
    Buffer: PVOID,
    BufferSize: ULONG,
    Asynchronous: BOOLEAN,
) -> NTSTATUS:
    """Complete at the next change of a key (or below it), at once where one was missed since the last
    call.
    """
    if not CompletionFilter or CompletionFilter & ~KNOWN_CHANGES:
        raise NtError(STATUS.INVALID_PARAMETER)
    key = key_of(thread, KeyHandle, rights.KEY_NOTIFY)
    event = _event(thread, Event)
    watch = _watch(key, CompletionFilter & 0xF, tree=bool(WatchTree))
    missed = watch.take()
    if missed is not None:
        _complete(thread, missed, event, IoStatusBlock.address, 0, 0)
        return missed
    if event is not None:
        event.reset()
    if not Asynchronous:
        return await _wait(thread, watch, event, IoStatusBlock.address)
    if event is not None:
        ob.reference(event)

    def completed(status: NTSTATUS) -> None:
        _complete(thread, status, event, IoStatusBlock.address, ApcRoutine, ApcContext)
        if event is not None:
            ob.dereference(event)

    watch.waiting.append(completed)
    return STATUS.PENDING


async def _wait(thread: Thread, watch: Watch, event: Event | None, block: int) -> NTSTATUS:
    """Block until the watch fires."""
    kernel = thread.kernel
    address = kernel.pool.allocate(KEVENT_SIZE, b"CMNb")
    fired = event_at(kernel, address)
    fired.initialize(SYNCHRONIZATION_EVENT, signalled=False)
    results: list[NTSTATUS] = []

    def completed(status: NTSTATUS) -> None:
        results.append(status)
        fired.set()

    watch.waiting.append(completed)
    try:
        await wait(thread, (fired,))
    finally:
        if completed in watch.waiting:
            watch.waiting.remove(completed)
        kernel.pool.free(address)
    _complete(thread, results[0], event, block, 0, 0)
    return results[0]


def _event(thread: Thread, handle: int) -> Event | None:
    if not handle:
        return None
    found = ob.by_handle(thread, handle, rights.EVENT_MODIFY_STATE)
    if not isinstance(found, Event):
        raise NtError(STATUS.OBJECT_TYPE_MISMATCH)
    return found


def _watch(key: Key, change_filter: int, *, tree: bool) -> Watch:
    """The watch of this open key; the first call says what it watches."""
    node = key.living
    if key.watch is None:
        key.watch = Watch(change_filter, tree=tree)
        key.kernel[Registry].watches.setdefault(node, []).append(key.watch)
    return key.watch


def _complete(thread: Thread, status: NTSTATUS, event: Event | None, block: int, routine: int, context: int) -> None:
    try:
        view = IO_STATUS_BLOCK(thread.memory, block)
        view.Status = int(status)
        view.Information = 0
    except GuestFault:
        # The caller has freed its status block: completion goes on, as IopCompleteRequest does.
        pass
    if event is not None:
        event.set()
    if routine:
        queue_user(thread, UserApc(routine, (context, block, 0)))
