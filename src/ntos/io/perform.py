"""From a service into a driver and back: making a request, waiting for synchronous ones
(IopSynchronousServiceTail).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.access import EVENT_MODIFY_STATE
from ntos.abi.status import STATUS, NtError
from ntos.io.file import FILE, FileObject
from ntos.io.request import Pending, Request
from ntos.ke.event import Event
from ntos.ke.wait import EXECUTIVE, wait
from ntos.ob.manager import ObjectManager

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.abi.memory import Memory
    from ntos.abi.types import NTSTATUS
    from ntos.ke.thread import Thread

PAGE = 0x1000


def file_of(thread: Thread, handle: int, access: int = 0) -> FileObject:
    """The file object a handle stands for, which was granted all of `access`."""
    return ob.by_handle(thread, handle, access, FILE)


def granted(thread: Thread, handle: int) -> int:
    """The access a handle was granted."""
    entry = ob.granted(thread, handle)
    if entry is None:
        raise NtError(STATUS.INVALID_HANDLE)
    return entry.access


def file_with_any(thread: Thread, handle: int, access: int) -> FileObject:
    """The file object of a handle that was granted any of `access`."""
    file = file_of(thread, handle)
    if not granted(thread, handle) & access:
        ob.by_handle(thread, handle, access, FILE)  # refuses, and says why
    return file


def make_request(
    thread: Thread,
    file: FileObject,
    event: int,
    routine: int,
    context: int,
    block: int,
    request: Request | None = None,
) -> Request:
    """A request (or the special one given) with the caller's ways of hearing of its end."""
    request = request or Request(thread, file)
    if event:
        kind = thread.kernel[ObjectManager].find_type("Event")
        found = ob.by_handle(thread, event, EVENT_MODIFY_STATE, kind)
        assert isinstance(found, Event)
        request.event, request.event_object = found, found
    if routine and file.completion is not None:
        raise NtError(STATUS.INVALID_PARAMETER)
    request.apc_routine, request.apc_context, request.status_block = routine, context, block
    return request


def probe(memory: Memory, address: int, size: int) -> None:
    """Raise GuestFault unless the whole buffer can be written."""
    if not size:
        return
    for page in range(address & ~(PAGE - 1), address + size, PAGE):
        memory.locate_for_write(max(page, address))


async def perform(request: Request, dispatch: Callable[[Request], None]) -> NTSTATUS:
    """Hand a request to its driver; gives its status, PENDING where the caller is to hear of it later."""
    file, thread = request.file, request.thread
    if not file.is_synchronous:
        return _start(request, dispatch)
    ob.reference(file)
    try:
        await _acquire(thread, file)
        try:
            status = _start(request, dispatch)
            return await _finish(request) if status is STATUS.PENDING else status
        finally:
            _release(file)
    finally:
        ob.dereference(file)


async def perform_waiting(request: Request, dispatch: Callable[[Request], None]) -> NTSTATUS:
    """The same for calls that never return PENDING."""
    request.file.event.reset()
    dispatch(request)
    if not request.done:
        return await _finish(request)
    request.tell(was_pending=False)
    return request.status


def _start(request: Request, dispatch: Callable[[Request], None]) -> NTSTATUS:
    request.file.event.reset()
    if request.event is not None:
        request.event.reset()
    dispatch(request)
    if not request.done:
        return STATUS.PENDING
    if not request.is_pending:
        request.tell(was_pending=False)
        return request.status
    # It became pending and was completed within the call: the caller hears of it as of any pending one.
    return request.status if request.file.is_synchronous else STATUS.PENDING


async def _finish(request: Request) -> NTSTATUS:
    file, thread = request.file, request.thread
    pending = thread.part(Pending)
    pending.synchronous = request
    try:
        while not request.done:
            alertable = file.is_alertable
            status = await wait(thread, (file.event,), alertable=alertable, user=alertable, reason=EXECUTIVE)
            if status in {STATUS.USER_APC, STATUS.ALERTED} and not request.done:
                request.cancel()
            if not request.done:
                file.event.reset()  # another request on the same file object ended
    finally:
        pending.synchronous = None
        request.cancel()
    return request.status


async def _acquire(thread: Thread, file: FileObject) -> None:
    """One request at a time on a synchronous file object (IopAcquireFileObjectLock)."""
    view = file.view
    while view.Busy:
        view.Waiters = int(view.Waiters) + 1
        try:
            await wait(thread, (file.lock,), user=False, reason=EXECUTIVE)
        finally:
            view.Waiters = int(view.Waiters) - 1
    view.Busy = 1


def _release(file: FileObject) -> None:
    file.view.Busy = 0
    if file.view.Waiters:
        file.lock.set()
