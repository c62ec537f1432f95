"""A thread's message queue: posted messages as QMSGs, the bits that say what has come, and looking for a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32k import MLIST, MSG, QMSG
from ntos.abi.winuser import QS_ALLPOSTMESSAGE, QS_POSTED, QS_POSTMESSAGE, QS_TIMER, THREAD_MESSAGES, TYPE_WINDOW, WM
from ntos.ke.win32_service import UserError
from ntos.win32k.clock import milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ntos.win32k.process import ThreadInfo
    from ntos.win32k.session import Session

MESSAGE_TAG = b"Usqm"
MAXIMUM_POSTED = 10_000
TIF_QUITPOSTED = 0x1
HUNG_AFTER = 5 * 10_000_000


class Filter(NamedTuple):
    """Which messages a GetMessage or PeekMessage wants."""

    window: int
    first: int
    last: int

    def admits(self, info: ThreadInfo, hwnd: int, message: int) -> bool:
        """Whether this message is one of them."""
        if (self.first or self.last) and not self.first <= message <= self.last:
            return False
        if not self.window or self.window == hwnd:
            return True
        if self.window == THREAD_MESSAGES:
            return not hwnd
        objects = info.session.objects
        above, below = objects.find(self.window, TYPE_WINDOW), objects.find(hwnd, TYPE_WINDOW)
        return above is not None and below is not None and above.contains(below)


class MessageList:
    """The posted messages of a thread, oldest first (tagMLIST)."""

    def __init__(self, session: Session, view: MLIST) -> None:
        self.session = session
        self.view = view

    def __iter__(self) -> Iterator[QMSG]:
        address = int(self.view.pqmsgRead)
        while address:
            entry = QMSG(self.session.kernel.memory, address)
            address = int(entry.pqmsgNext)
            yield entry

    def append(self, message: tuple[int, int, int, int]) -> None:
        """One more: (window, message, wParam, lParam)."""
        if int(self.view.cMsgs) >= MAXIMUM_POSTED:
            raise UserError(ERROR.NOT_ENOUGH_QUOTA)
        entry = QMSG(self.session.kernel.memory, self.session.pool.allocate(QMSG.size, MESSAGE_TAG))
        entry.msg.hwnd, entry.msg.message, entry.msg.wParam, entry.msg.lParam = message
        entry.msg.time = milliseconds(self.session.kernel)
        last = int(self.view.pqmsgWriteLast)
        entry.pqmsgPrev = last
        if last:
            QMSG(self.session.kernel.memory, last).pqmsgNext = entry.address
        else:
            self.view.pqmsgRead = entry.address
        self.view.pqmsgWriteLast = entry.address
        self.view.cMsgs = int(self.view.cMsgs) + 1

    def remove(self, entry: QMSG) -> None:
        """Take one out."""
        memory = self.session.kernel.memory
        before, after = int(entry.pqmsgPrev), int(entry.pqmsgNext)
        if before:
            QMSG(memory, before).pqmsgNext = after
        else:
            self.view.pqmsgRead = after
        if after:
            QMSG(memory, after).pqmsgPrev = before
        else:
            self.view.pqmsgWriteLast = before
        self.view.cMsgs = int(self.view.cMsgs) - 1
        self.session.pool.free(entry.address)

    def clear(self) -> None:
        """Forget all of them."""
        for entry in list(self):
            self.remove(entry)


def wake(info: ThreadInfo, bits: int) -> None:
    """Something has come: say so, and wake the thread if it sleeps for that (SetWakeBit)."""
    client = info.client
    client.fsWakeBits = int(client.fsWakeBits) | bits
    client.fsChangeBits = int(client.fsChangeBits) | bits
    if int(client.fsWakeMask) & bits:
        info.event.set()


def settle(info: ThreadInfo, bits: int) -> None:
    """Nothing of that kind is left."""
    client = info.client
    client.fsWakeBits = int(client.fsWakeBits) & ~bits


def seen(info: ThreadInfo, bits: int) -> None:
    """What has come so far is no longer new."""
    info.client.fsChangeBits = int(info.client.fsChangeBits) & ~bits


def post(info: ThreadInfo, hwnd: int, message: int, parameter: int, long_parameter: int) -> None:
    """Put a message into a thread's queue (_PostMessage)."""
    info.posted.append((hwnd, message, parameter, long_parameter))
    wake(info, QS_POSTED)


def post_quit(info: ThreadInfo, code: int) -> None:
    """PostQuitMessage: WM_QUIT follows when nothing else is left."""
    info.view.TIF_flags = int(info.view.TIF_flags) | TIF_QUITPOSTED
    info.view.exitCode = code
    wake(info, QS_POSTED)


def drop_messages(info: ThreadInfo, hwnd: int) -> None:
    """A window is destroyed: what was posted to it is never seen."""
    for entry in list(info.posted):
        if int(entry.msg.hwnd) == hwnd:
            info.posted.remove(entry)
    _settle_posted(info)


def _settle_posted(info: ThreadInfo) -> None:
    if not int(info.posted.view.cMsgs) and not int(info.view.TIF_flags) & TIF_QUITPOSTED:
        settle(info, QS_POSTMESSAGE | QS_ALLPOSTMESSAGE)


def hung(info: ThreadInfo) -> bool:
    """Whether the thread has not looked for messages for five seconds (IsHungAppWindow)."""
    return not info.reading and info.thread.kernel.clock.now - info.last_read > HUNG_AFTER


def look(info: ThreadInfo, wanted: Filter, *, remove: bool) -> MSG | None:
    """The next message in the queue's order: posted, quit, timers. Sent ones have been served before."""
    found = _posted(info, wanted, remove) or _quit(info, remove) or _timer(info, wanted, remove)
    if found is not None:
        info.view.timeLast, info.view.ptLastX, info.view.ptLastY = found.time, found.x, found.y
    return found


def _posted(info: ThreadInfo, wanted: Filter, remove: bool) -> MSG | None:
    for entry in info.posted:
        if wanted.admits(info, int(entry.msg.hwnd), int(entry.msg.message)):
            message = MSG.parse(bytes(entry.msg))
            info.view.idLast = entry.address
            if remove:
                info.posted.remove(entry)
                _settle_posted(info)
            return message
    return None


def _quit(info: ThreadInfo, remove: bool) -> MSG | None:
    flags = int(info.view.TIF_flags)
    if not flags & TIF_QUITPOSTED:
        return None
    if remove:
        info.view.TIF_flags = flags & ~TIF_QUITPOSTED
        _settle_posted(info)
    return make_message(info, 0, WM.QUIT, int(info.view.exitCode) & 0xFFFF_FFFF, 0)


def _timer(info: ThreadInfo, wanted: Filter, remove: bool) -> MSG | None:
    for timer in info.timers:
        if timer.ready and wanted.admits(info, timer.hwnd, timer.message):
            if remove:
                info.timers.remove(timer)
                info.timers.append(timer)
                timer.taken()
                if not any(each.ready for each in info.timers):
                    settle(info, QS_TIMER)
            return make_message(info, timer.hwnd, timer.message, timer.id, timer.procedure)
    return None


def make_message(info: ThreadInfo, hwnd: int, message: int, parameter: int, long_parameter: int) -> MSG:
    """A message that stood in no list."""
    made = MSG.new()
    made.hwnd, made.message, made.wParam, made.lParam = hwnd, message, parameter, long_parameter
    made.time = milliseconds(info.thread.kernel)
    return made
