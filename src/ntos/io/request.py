"""Requests: what one call asks of a driver, and how its end reaches whoever asked (IRPs).

A driver completes a request at once or leaves it pending with a way to cancel it. At completion the I/O
manager writes the answer and the IO_STATUS_BLOCK, sets the event, and queues the APC or posts the packet the
caller asked for (IopCompleteRequest). The bytes of an IRP are not kept: nothing outside the kernel can see
them.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Protocol

from ntos import ob
from ntos.abi.layout.process import EPROCESS
from ntos.abi.status import STATUS, GuestFault, NtError
from ntos.abi.types import NTSTATUS
from ntos.ke import apc

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.io.file import FileObject
    from ntos.ke.event import Event
    from ntos.ke.thread import Thread
    from ntos.ob import KernelObject

READ, WRITE, OTHER = (EPROCESS.offset(f"{kind}OperationCount") for kind in ("Read", "Write", "Other"))
TRANSFERS = EPROCESS.offset("ReadTransferCount") - READ
SKIP_COMPLETION_PORT_ON_SUCCESS = 1
SKIP_SET_EVENT_ON_HANDLE = 2


class CompletionPort(Protocol):
    """What takes completion packets; `ex.completion` provides it."""

    def post(self, key: int, apc_context: int, status: int, information: int) -> None: ...


class Pending:
    """The requests a thread has under way (ETHREAD.IrpList)."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.synchronous: Request | None = None
        """The one it is blocked on."""


class Request:
    """One request while it lasts."""

    def __init__(self, thread: Thread, file: FileObject) -> None:
        self.thread = thread
        self.process = thread.process
        self.file = file
        self.event: Event | None = None
        self.event_object: KernelObject | None = None
        self.keep: list[KernelObject] = []
        """Referenced until the request is over."""
        self.apc_routine = 0
        self.apc_context = 0
        self.status_block = 0
        self.buffer = 0
        """Where output goes in the caller's memory, `length` bytes at most."""
        self.length = 0
        self.data = b""
        """Captured input: what to write, or the input buffer of a control code."""
        self.code = 0
        self.offset = 0
        self.key = 0
        self.status: NTSTATUS = STATUS.PENDING
        self.information = 0
        self.done = False
        self.is_pending = False
        self.account = OTHER
        """Which of its process's I/O counters it counts in."""
        self._cancel: Callable[[], None] | None = None

    # ------------------------------------------------------------ the driver's side

    def complete(self, status: NTSTATUS = STATUS.SUCCESS, information: int = 0, output: bytes = b"") -> None:
        """Answer the request. At once a bad buffer raises GuestFault; later it is too late to tell
        anybody.
        """
        if self.done:
            return
        if not self.is_pending:
            self._write(status, information, output)
            self.status, self.information, self.done = status, information, True
            self._count()
            return
        self.status, self.information, self.done = status, information, True
        self._count()
        self.file.pending.remove(self)
        self.thread.part(Pending).requests.remove(self)
        try:
            self._write(status, information, output)
        except GuestFault:
            # The caller gave its buffer back while the request was under way; NT drops the write just so.
            self.status = STATUS.ACCESS_VIOLATION
        self.tell(was_pending=True)

    def pend(self, cancel: Callable[[], None]) -> None:
        """Leave the request under way; `cancel` makes the driver forget it (it is then completed as
        CANCELLED).
        """
        self.is_pending = True
        self._cancel = cancel
        for obj in (self.file, *((self.event_object,) if self.event_object is not None else ())):
            ob.reference(obj)
            self.keep.append(obj)
        self.file.pending.append(self)
        self.thread.part(Pending).requests.append(self)

    def cancel(self) -> None:
        """IoCancelIrp."""
        if self.is_pending and not self.done:
            if self._cancel is not None:
                self._cancel()
            self.complete(STATUS.CANCELLED)

    def fail(self, error: NtError) -> None:
        """Complete a pending request with an error that arose later."""
        self.complete(error.status)

    # ------------------------------------------------------------ the manager's side

    def _write(self, status: NTSTATUS, information: int, output: bytes) -> None:
        if output:
            self.put(output)
        if self.status_block and (self.is_pending or not status.is_error):
            block = struct.pack("<QQ", int(status), information & 0xFFFF_FFFF_FFFF_FFFF)
            self.process.memory.write(self.status_block, block)

    def _count(self) -> None:
        """One operation more, and what it has moved, in EPROCESS (ReadOperationCount and the five after it)."""
        kernel, place = self.process.kernel, self.process.address + self.account
        words, locate = kernel.platform.physical.words, kernel.memory.locate
        words[locate(place) >> 3] += 1
        if self.status.is_success:
            words[locate(place + TRANSFERS) >> 3] += self.information

    def put(self, output: bytes) -> None:
        """Write the output where the caller wants it."""
        self.process.memory.write(self.buffer, output)

    def tell(self, *, was_pending: bool) -> None:
        """Set the events, queue the APC, post the packet."""
        file, status = self.file, self.status
        if status.is_error and not was_pending:
            self._release()
            return
        quiet = file.completion_modes & SKIP_SET_EVENT_ON_HANDLE and not file.is_synchronous
        if self.event is not None:
            self.event.set()
        if (self.event is None and not quiet) or file.is_synchronous:
            file.event.set()
        if self.apc_routine:
            arguments = (self.apc_context, self.status_block, 0)
            apc.queue_user(self.thread, apc.UserApc(self.apc_routine, arguments))
        elif file.completion is not None and self.apc_context and not file.is_synchronous:
            skip = file.completion_modes & SKIP_COMPLETION_PORT_ON_SUCCESS and not was_pending
            if not skip or not status.is_success:
                port, key = file.completion
                port.post(key, self.apc_context, int(status), self.information)
        self._release()

    def _release(self) -> None:
        kept, self.keep = self.keep, []
        for obj in kept:
            ob.dereference(obj)


def cancel_thread(thread: Thread) -> None:
    """Cancel what a thread that ends has under way (IoCancelThreadIo); `ps` calls it at thread exit."""
    for request in list(thread.part(Pending).requests):
        request.cancel()
