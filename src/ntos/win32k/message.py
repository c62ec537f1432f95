"""Messages on their way: calling a window procedure, sending to another thread, and the answer.

A procedure runs in its window's thread. A message for another thread waits in that thread's list until it looks
for messages (GetMessage, PeekMessage, or while it waits for an answer itself); the sender waits meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.errors import ERROR
from ntos.abi.status import STATUS
from ntos.abi.winuser import (
    CPD_HIGH,
    ISMEX_CALLBACK,
    ISMEX_NOTIFY,
    ISMEX_REPLIED,
    ISMEX_SEND,
    QS_SENDMESSAGE,
    SMTO_ABORTIFHUNG,
    SMTO_BLOCK,
    SMTO_ERRORONEXIT,
    SMTO_NOTIMEOUTIFNOTHUNG,
    WM,
    WS_CHILD,
    WS_EX_NOPARENTNOTIFY,
)
from ntos.ke.wait import wait
from ntos.ke.win32_service import UserError
from ntos.win32k import uipi
from ntos.win32k.payload import Payload, payload
from ntos.win32k.queue import hung, settle, wake

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ntos.win32k.process import ProcessInfo, ThreadInfo
    from ntos.win32k.window import Window

USER_REQUEST = 13
"""KWAIT_REASON WrUserRequest."""
MILLISECOND = 10_000
WORD = 0xFFFF_FFFF_FFFF_FFFF


class BuiltIn:
    """What system classes have for a procedure; `default` puts it here, for it sends messages itself."""

    procedure: Callable[..., Awaitable[int]]


class Sent:
    """A message between threads, from its sending to its answer (tagSMS)."""

    def __init__(self, sender: ThreadInfo | None, window: Window, message: int, carried: Payload, kind: int) -> None:
        self.sender = sender
        self.window = window
        self.message = message
        self.carried = carried
        self.kind = kind
        """ISMEX_SEND, ISMEX_NOTIFY or ISMEX_CALLBACK."""
        self.narrow = False
        self.callback: tuple[int, int] | None = None
        """(function, its datum) that gets the answer of SendMessageCallback, in the sender's thread."""
        self.done = False
        self.failed = False
        self.result = 0

    @property
    def state(self) -> int:
        """InSendMessageEx's bits."""
        return self.kind | (ISMEX_REPLIED if self.done and self.kind == ISMEX_SEND else 0)

    def answer(self, result: int) -> None:
        """Let the sender go on with the result."""
        if self.done:
            return
        self.done, self.result = True, result
        sender = self.sender
        if sender is None or not sender.alive:
            return
        if self.kind == ISMEX_CALLBACK:
            sender.received.append(Answer(sender, self))
            wake(sender, QS_SENDMESSAGE)
        elif self.kind == ISMEX_SEND:
            sender.event.set()

    def abandoned(self) -> None:
        """Nobody will answer: the receiver has ended, or its window has."""
        self.failed = not self.done
        self.answer(0)

    async def serve(self, info: ThreadInfo) -> None:
        """Run the procedure in the receiver's thread, and answer."""
        if not self.window.alive:
            self.abandoned()
            return
        info.serving.append(self)
        try:
            self.answer(await run_procedure(info, self.window, self.message, self.carried, self.narrow))
        finally:
            info.serving.remove(self)
            if not self.done:
                self.abandoned()  # the thread ends, or an exception was caught further out


class Answer(Sent):
    """A SendMessageCallback's answer on its way back: the callback runs in the sender's thread."""

    def __init__(self, info: ThreadInfo, answered: Sent) -> None:
        super().__init__(None, answered.window, answered.message, answered.carried, ISMEX_CALLBACK)
        self._answered = answered

    async def serve(self, info: ThreadInfo) -> None:
        assert self._answered.callback is not None
        function, datum = self._answered.callback
        await info.thread.call(function, self.window.handle, self.message, datum, self._answered.result)


async def receive(info: ThreadInfo) -> None:
    """Serve all messages that other threads have sent (xxxReceiveMessages)."""
    while info.received:
        sent = info.received.popleft()
        if not info.received:
            settle(info, QS_SENDMESSAGE)
        await sent.serve(info)


def procedure_of(owner: ProcessInfo, address: int, narrow: bool) -> tuple[int, bool]:
    """(code, whether it expects ANSI): a CPD handle stands for a procedure of the other character set."""
    if address & CPD_HIGH == CPD_HIGH and address & 0xFFFF < len(owner.foreign_procedures):
        return owner.foreign_procedures[address & 0xFFFF]
    return address, narrow


async def run_procedure(info: ThreadInfo, window: Window, message: int, carried: Payload, narrow: bool) -> int:
    """Call a window's procedure in its own thread with what a message carries."""
    if window.view.fnid or not window.view.lpfnWndProc:
        return await _built_in(info, window, message, carried, narrow)
    code, expects = procedure_of(info.owner, int(window.view.lpfnWndProc), window.ansi)
    return await call_code(info, (code, expects), window.handle, message, carried)


async def _built_in(info: ThreadInfo, window: Window, message: int, carried: Payload, narrow: bool) -> int:
    """A system class: win32k itself is the procedure."""
    thread = info.thread
    with thread.frame() as frame:
        parameter, long_parameter = carried.put(thread, frame, False)
        result = await BuiltIn.procedure(info, window, message, parameter, long_parameter, narrow=False)
        carried.collect(thread, result, False)
    return result


async def call_code(
    info: ThreadInfo, procedure: tuple[int, bool], hwnd: int, message: int, carried: Payload
) -> int:
    """Call a procedure (code, whether it expects ANSI) with what a message carries."""
    thread = info.thread
    code, narrow = procedure
    with thread.frame() as frame:
        parameter, long_parameter = carried.put(thread, frame, narrow)
        result = await thread.call(code, hwnd, message, parameter, long_parameter)
        carried.collect(thread, result, narrow)
    return result


async def send_own(
    info: ThreadInfo, window: Window, message: int, parameter: int, long_parameter: int, *, narrow: bool
) -> int:
    """A message to a window of this thread: its procedure runs now."""
    if not window.alive:
        return 0
    view = window.view
    code, expects = procedure_of(info.owner, int(view.lpfnWndProc), window.ansi)
    if expects == narrow and code and not view.fnid:
        return await info.thread.call(code, window.handle, message, parameter, long_parameter)
    carried = payload(message, parameter, long_parameter)
    carried.take(info.thread, narrow)
    result = await run_procedure(info, window, message, carried, narrow)
    return carried.give(info.thread, result, narrow)


async def send(
    info: ThreadInfo, window: Window, message: int, parameter: int, long_parameter: int, *,
    narrow: bool = False, timeout: int | None = None, flags: int = 0,
) -> int:  # fmt: skip
    """Send a message and wait for the answer (xxxSendMessageTimeout); `timeout` in milliseconds."""
    if not window.alive:
        return 0
    target = window.owner_thread
    if target is info:
        return await send_own(info, window, message, parameter, long_parameter, narrow=narrow)
    if target is None:
        return 0  # the desktop's own windows belong to csrss, which answers nothing
    if flags & SMTO_ABORTIFHUNG and hung(target):
        raise UserError(ERROR.TIMEOUT)
    sent = queue_sent(info, target, window, (message, parameter, long_parameter), ISMEX_SEND, narrow=narrow)
    try:
        await _wait_for(info, target, sent, timeout, flags)
    finally:
        sent.sender = None
    if sent.failed:
        if flags & SMTO_ERRORONEXIT:
            raise UserError(ERROR.INVALID_WINDOW_HANDLE)
        return 0
    return sent.carried.give(info.thread, sent.result, narrow)


def queue_sent(
    info: ThreadInfo, target: ThreadInfo, window: Window, message: tuple[int, int, int], kind: int, *, narrow: bool
) -> Sent:
    """Put a message into another thread's list of sent ones."""
    uipi.check(info, target, window, message[0])
    carried = payload(*message)
    carried.take(info.thread, narrow)
    sent = Sent(info, window, message[0], carried, kind)
    sent.narrow = narrow
    target.received.append(sent)
    wake(target, QS_SENDMESSAGE)
    return sent


async def _wait_for(info: ThreadInfo, target: ThreadInfo, sent: Sent, timeout: int | None, flags: int) -> None:
    """Until the answer is there; meanwhile others may send to this thread, unless it blocks them out."""
    clock = info.thread.kernel.clock
    deadline = None if timeout is None else clock.now + timeout * MILLISECOND
    while not sent.done:
        if info.received and not flags & SMTO_BLOCK:
            await receive(info)
            continue
        info.client.fsWakeMask = 0 if flags & SMTO_BLOCK else QS_SENDMESSAGE
        info.event.reset()
        left = None if deadline is None else -max(deadline - clock.now, 0)
        status = await wait(info.thread, (info.event,), timeout=left, reason=USER_REQUEST)
        info.client.fsWakeMask = 0
        if status != STATUS.TIMEOUT or sent.done:
            continue
        if flags & SMTO_NOTIMEOUTIFNOTHUNG and not hung(target):
            deadline = clock.now + (timeout or 1) * MILLISECOND
            continue
        raise UserError(ERROR.TIMEOUT)


async def notify_parents(info: ThreadInfo, window: Window, parameter: int) -> None:
    """WM_PARENTNOTIFY to all that a child lies in, unless one of them wants none sent (xxxParentNotify)."""
    below = window
    while below.alive and below.style & WS_CHILD and not int(below.view.ExStyle) & WS_EX_NOPARENTNOTIFY:
        parent = below.parent
        if parent is None or not window.alive:
            return
        await send(info, parent, WM.PARENTNOTIFY, parameter, window.handle)
        below = parent


def notify(info: ThreadInfo, window: Window, message: int, parameter: int, long_parameter: int) -> None:
    """SendNotifyMessage to another thread: nobody waits for the answer."""
    target = window.owner_thread
    if target is not None:
        queue_sent(info, target, window, (message, parameter, long_parameter), ISMEX_NOTIFY, narrow=False)
