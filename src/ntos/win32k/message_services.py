"""Services of the message loop: get, dispatch, post, send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32k import MSG, SNDMSGCALLBACK, SNDMSGTIMEOUT
from ntos.abi.pointer import In, Out
from ntos.abi.types import BOOL, DWORD, HANDLE, LONG_PTR, PVOID, UINT, ULONG_PTR
from ntos.abi.winuser import (
    FNID_CALLWNDPROC,
    FNID_DEFWINDOWPROC,
    FNID_SENDMESSAGE,
    FNID_SENDMESSAGECALLBACK,
    FNID_SENDMESSAGEWTOOPTION,
    FNID_SENDNOTIFYMESSAGE,
    HWND_BROADCAST,
    ISMEX_CALLBACK,
    PM_REMOVE,
    POINTER_MESSAGES,
    QS_ALLINPUT,
    QS_SENDMESSAGE,
    THREAD_MESSAGES,
    WM,
)
from ntos.ke.wait import wait
from ntos.ke.win32_service import UserError, user_service
from ntos.ps.manager import ProcessManager
from ntos.win32k import message, uipi
from ntos.win32k.clock import milliseconds
from ntos.win32k.default import default_procedure
from ntos.win32k.payload import payload
from ntos.win32k.process import ThreadInfo, current
from ntos.win32k.queue import Filter, look, post, seen
from ntos.win32k.window import find_window

if TYPE_CHECKING:
    from ntos.ke.thread import Thread
    from ntos.win32k.window import Window

FAILURE = 0xFFFF_FFFF
QUIT = int(WM.QUIT)


async def _next(info: ThreadInfo, wanted: Filter, *, remove: bool) -> MSG | None:
    """Serve what was sent, then look for a message."""
    info.last_read = info.thread.kernel.clock.now
    await message.receive(info)
    seen(info, QS_ALLINPUT)
    return look(info, wanted, remove=remove)


async def sleep(info: ThreadInfo, mask: int) -> None:
    """Until something of that kind comes; the program is ready for input."""
    info.owner.is_idle()
    info.client.fsWakeMask = mask
    info.event.reset()
    info.reading = True
    try:
        await wait(info.thread, (info.event,), reason=message.USER_REQUEST)
    finally:
        info.reading = False
        info.last_read = info.thread.kernel.clock.now
        info.client.fsWakeMask = 0


def _filter(thread: Thread, hwnd: int, first: int, last: int) -> Filter:
    if hwnd == FAILURE:
        hwnd = THREAD_MESSAGES
    if hwnd not in (0, THREAD_MESSAGES):
        hwnd = find_window(thread, hwnd).handle
    return Filter(hwnd, first, last)


@user_service(fails=FAILURE)
async def NtUserGetMessage(
    thread: Thread, pmsg: Out[MSG], hwnd: HANDLE, wMsgFilterMin: UINT, wMsgFilterMax: UINT
) -> BOOL:
    """The next message, waiting for it; 0 for WM_QUIT."""
    info = current(thread)
    wanted = _filter(thread, hwnd, wMsgFilterMin, wMsgFilterMax)
    while (found := await _next(info, wanted, remove=True)) is None:
        await sleep(info, QS_ALLINPUT)
    pmsg.write(found)
    return BOOL(int(found.message) != QUIT)


@user_service(partial="PM_QS_* and PM_NOYIELD say nothing")
async def NtUserPeekMessage(
    thread: Thread, pmsg: Out[MSG], hwnd: HANDLE, wMsgFilterMin: UINT, wMsgFilterMax: UINT, wRemoveMsg: UINT,
    bProcessSideEffects: BOOL,
) -> BOOL:  # fmt: skip
    """The next message if there is one."""
    wanted = _filter(thread, hwnd, wMsgFilterMin, wMsgFilterMax)
    found = await _next(current(thread), wanted, remove=bool(wRemoveMsg & PM_REMOVE))
    if found is None:
        return BOOL(0)
    pmsg.write(found)
    return BOOL(1)


@user_service()
async def NtUserWaitMessage(thread: Thread) -> BOOL:
    """Wait until a message comes that nobody has looked at yet."""
    info = current(thread)
    while not int(info.client.fsChangeBits) & QS_ALLINPUT:
        await sleep(info, QS_ALLINPUT)
        if info.received:
            await message.receive(info)
            seen(info, QS_SENDMESSAGE)
    return BOOL(1)


@user_service()
async def NtUserDispatchMessage(thread: Thread, pmsg: In[MSG]) -> LONG_PTR:
    """Call the procedure of the message's window, or the timer's function."""
    info = current(thread)
    number, procedure = int(pmsg.message), int(pmsg.lParam)
    if number in (WM.TIMER, WM.SYSTIMER) and procedure:
        if not any(timer.procedure == procedure for timer in info.timers):
            return LONG_PTR(0)
        now = milliseconds(thread.kernel)
        return LONG_PTR(await thread.call(procedure, int(pmsg.hwnd), number, int(pmsg.wParam), now))
    if not pmsg.hwnd:
        return LONG_PTR(0)
    window = find_window(thread, int(pmsg.hwnd))
    if window.owner_thread is not info:
        raise UserError(ERROR.MESSAGE_SYNC_ONLY)
    return LONG_PTR(await message.send_own(info, window, number, int(pmsg.wParam), procedure, narrow=False))


@user_service(partial="a key's message makes no WM_CHAR: there is no keyboard layout")
def NtUserTranslateMessage(thread: Thread, pmsg: In[MSG], flags: UINT) -> BOOL:
    """Whether the message was a key's and made a character's."""
    return BOOL(0)


# ------------------------------------------------------------------ posting


def _postable(number: int) -> None:
    if number in POINTER_MESSAGES:
        raise UserError(ERROR.MESSAGE_SYNC_ONLY)


@user_service()
def NtUserPostMessage(
    thread: Thread, hwnd: HANDLE, msg: UINT, wParam: ULONG_PTR, lParam: LONG_PTR
) -> BOOL:
    """Put a message into the queue of the thread whose window it is; all top-level windows for HWND_BROADCAST."""
    info = current(thread)
    _postable(msg)
    long_parameter = lParam & message.WORD
    if not hwnd:
        post(info, 0, msg, wParam, long_parameter)
    elif hwnd & 0xFFFF_FFFF == HWND_BROADCAST:
        for window in _everybody(info):
            if window.owner_thread is not None and uipi.may(info, window.owner_thread, window, msg):
                post(window.owner_thread, window.handle, msg, wParam, long_parameter)
    else:
        window = find_window(thread, hwnd)
        if window.owner_thread is None:
            raise UserError(ERROR.ACCESS_DENIED)
        uipi.check(info, window.owner_thread, window, msg)
        post(window.owner_thread, window.handle, msg, wParam, long_parameter)
    return BOOL(1)


@user_service()
def NtUserPostThreadMessage(
    thread: Thread, idThread: DWORD, msg: UINT, wParam: ULONG_PTR, lParam: LONG_PTR
) -> BOOL:
    """Put a message without a window into a GUI thread's queue."""
    _postable(msg)
    target = thread.kernel[ProcessManager].thread_by_id(idThread)
    if target is None or not target.has(ThreadInfo):
        raise UserError(ERROR.INVALID_THREAD_ID)
    uipi.check(current(thread), target[ThreadInfo], None, msg)
    post(target[ThreadInfo], 0, msg, wParam, lParam & message.WORD)
    return BOOL(1)


def _everybody(info: ThreadInfo) -> list[Window]:
    """The top-level windows of the desktop."""
    root = info.desktop.root
    return root.children() if root is not None else []


# ------------------------------------------------------------------ sending


@user_service(partial="sending, DefWindowProc and CallWindowProc")
async def NtUserMessageCall(
    thread: Thread,
    hwnd: HANDLE,
    msg: UINT,
    wParam: ULONG_PTR,
    lParam: LONG_PTR,
    ResultInfo: PVOID,
    dwType: DWORD,
    bAnsi: BOOL,
) -> LONG_PTR:
    """A message on its way by one of the functions that send: `dwType` says which."""
    call = CALLS.get(dwType)
    if call is None:
        raise UserError(ERROR.INVALID_PARAMETER)
    letter = Letter(hwnd, msg, wParam, lParam & message.WORD, ResultInfo, bool(bAnsi))
    return LONG_PTR(await call(current(thread), letter))


class Letter:
    """NtUserMessageCall's arguments."""

    def __init__(self, hwnd: int, number: int, parameter: int, long_parameter: int, extra: int, narrow: bool) -> None:
        self.hwnd = hwnd
        self.number = number
        self.parameter = parameter
        self.long_parameter = long_parameter
        self.extra = extra
        self.narrow = narrow

    @property
    def broadcast(self) -> bool:
        """For all top-level windows."""
        return self.hwnd & 0xFFFF_FFFF == HWND_BROADCAST


async def _send(info: ThreadInfo, letter: Letter, timeout: int | None = None, flags: int = 0) -> int:
    windows = _everybody(info) if letter.broadcast else [find_window(info.thread, letter.hwnd)]
    result = 0
    for window in windows:
        if window.alive and (not letter.broadcast or _reaches(info, window, letter.number)):
            result = await message.send(
                info, window, letter.number, letter.parameter, letter.long_parameter, narrow=letter.narrow,
                timeout=timeout, flags=flags,
            )  # fmt: skip
    return 1 if letter.broadcast else result


def _reaches(info: ThreadInfo, window: Window, number: int) -> bool:
    """Whether a broadcast goes to that window."""
    return window.owner_thread is not None and uipi.may(info, window.owner_thread, window, number)


async def _send_timeout(info: ThreadInfo, letter: Letter) -> int:
    """SendMessageTimeout: the answer goes into the structure, whether there was one is the result."""
    asked = SNDMSGTIMEOUT(info.thread.memory, letter.extra)
    asked.result = await _send(info, letter, int(asked.timeout), int(asked.flags))
    return 1


async def _send_notify(info: ThreadInfo, letter: Letter) -> int:
    _postable(letter.number)
    for window in _everybody(info) if letter.broadcast else [find_window(info.thread, letter.hwnd)]:
        if window.owner_thread is info:
            await message.send_own(
                info, window, letter.number, letter.parameter, letter.long_parameter, narrow=letter.narrow
            )
        elif not letter.broadcast or _reaches(info, window, letter.number):
            message.notify(info, window, letter.number, letter.parameter, letter.long_parameter)
    return 1


async def _send_callback(info: ThreadInfo, letter: Letter) -> int:
    _postable(letter.number)
    asked = SNDMSGCALLBACK.parse(info.thread.memory.read(letter.extra, SNDMSGCALLBACK.size))
    callback = int(asked.callback), int(asked.data)
    numbers = letter.number, letter.parameter, letter.long_parameter
    for window in _everybody(info) if letter.broadcast else [find_window(info.thread, letter.hwnd)]:
        target = window.owner_thread
        if target is info:
            result = await message.send_own(info, window, *numbers, narrow=letter.narrow)
            await info.thread.call(callback[0], window.handle, letter.number, callback[1], result)
        elif target is not None and (not letter.broadcast or _reaches(info, window, letter.number)):
            sent = message.queue_sent(info, target, window, numbers, ISMEX_CALLBACK, narrow=letter.narrow)
            sent.callback = callback
    return 1


async def _default(info: ThreadInfo, letter: Letter) -> int:
    window = find_window(info.thread, letter.hwnd)
    return await default_procedure(
        info, window, letter.number, letter.parameter, letter.long_parameter, narrow=letter.narrow
    )


async def _call(info: ThreadInfo, letter: Letter) -> int:
    """CallWindowProc with a CPD handle: a procedure of the other character set."""
    procedure = message.procedure_of(info.owner, letter.extra, letter.narrow)
    carried = payload(letter.number, letter.parameter, letter.long_parameter)
    carried.take(info.thread, letter.narrow)
    result = await message.call_code(info, procedure, letter.hwnd, letter.number, carried)
    return carried.give(info.thread, result, letter.narrow)


CALLS = {
    FNID_SENDMESSAGE: _send, FNID_SENDMESSAGEWTOOPTION: _send_timeout, FNID_SENDNOTIFYMESSAGE: _send_notify,
    FNID_SENDMESSAGECALLBACK: _send_callback, FNID_DEFWINDOWPROC: _default, FNID_CALLWNDPROC: _call,
}  # fmt: skip
