"""The message loop, and sending (winuser.h)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32k import MSG, SNDMSGCALLBACK, SNDMSGTIMEOUT
from ntos.abi.pointer import Code, Ptr
from ntos.abi.types import BOOL, DWORD, HANDLE, INT, LONG, LONG_PTR, PVOID, UINT, ULONG_PTR, WCHAR
from ntos.abi.winuser import (
    CPD_HIGH,
    FNID_CALLWNDPROC,
    FNID_DEFWINDOWPROC,
    FNID_SENDMESSAGE,
    FNID_SENDMESSAGECALLBACK,
    FNID_SENDMESSAGEWTOOPTION,
    FNID_SENDNOTIFYMESSAGE,
    MWMO_WAITALL,
    WM,
    Simple,
    ThreadState,
)
from ntos.dll.kernelbase.text import export_both, text_of
from ntos.rtl.nls.codepage import ansi, to_ansi
from ntos.rtl.text import from_utf16, to_utf16
from ntos.um import nt
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

CHARACTERS: frozenset[int] = frozenset({WM.CHAR, WM.SYSCHAR, WM.DEADCHAR, WM.SYSDEADCHAR})
QS_INPUT = 7
FIRST_KEY, LAST_KEY = 0x100, 0x107
FAILED = 0xFFFF_FFFF


def narrow_character(value: int) -> int:
    """A UTF-16 unit in the ANSI page."""
    return value & ~0xFFFF | int.from_bytes(to_ansi(from_utf16((value & 0xFFFF).to_bytes(2, "little"))), "little")


def wide_character(value: int) -> int:
    """A character of the ANSI page as UTF-16."""
    data = (value & 0xFFFF).to_bytes(2, "little")
    return value & ~0xFFFF | int.from_bytes(to_utf16(ansi(data if data[1] else data[:1]))[:2], "little")


def _narrow(message: MSG) -> None:
    """What an ANSI program gets of a character's message."""
    if int(message.message) in CHARACTERS:
        message.wParam = narrow_character(int(message.wParam))


# ------------------------------------------------------------------ the loop


@export(fails=FAILED)
async def GetMessageW(
    thread: UserThread, lpMsg: Ptr[MSG], hWnd: HANDLE, wMsgFilterMin: UINT, wMsgFilterMax: UINT
) -> BOOL:
    """The next message, waiting for it; 0 for WM_QUIT, -1 for a failure."""
    return BOOL(int(await nt.NtUserGetMessage(thread, lpMsg.address, hWnd, wMsgFilterMin, wMsgFilterMax)))


@export(fails=FAILED)
async def GetMessageA(
    thread: UserThread, lpMsg: Ptr[MSG], hWnd: HANDLE, wMsgFilterMin: UINT, wMsgFilterMax: UINT
) -> BOOL:
    """GetMessage for ANSI programs: characters are of the ANSI page."""
    answer = int(await nt.NtUserGetMessage(thread, lpMsg.address, hWnd, wMsgFilterMin, wMsgFilterMax))
    if answer != FAILED:
        _narrow(lpMsg.read())
    return BOOL(answer)


@export
async def PeekMessageW(
    thread: UserThread, lpMsg: Ptr[MSG], hWnd: HANDLE, wMsgFilterMin: UINT, wMsgFilterMax: UINT, wRemoveMsg: UINT
) -> BOOL:
    """The next message if there is one."""
    return BOOL(
        int(await nt.NtUserPeekMessage(thread, lpMsg.address, hWnd, wMsgFilterMin, wMsgFilterMax, wRemoveMsg, 1))
    )


@export
async def PeekMessageA(
    thread: UserThread, lpMsg: Ptr[MSG], hWnd: HANDLE, wMsgFilterMin: UINT, wMsgFilterMax: UINT, wRemoveMsg: UINT
) -> BOOL:
    """PeekMessage for ANSI programs: characters are of the ANSI page."""
    there = int(await nt.NtUserPeekMessage(thread, lpMsg.address, hWnd, wMsgFilterMin, wMsgFilterMax, wRemoveMsg, 1))
    if there:
        _narrow(lpMsg.read())
    return BOOL(there)


@export
async def WaitMessage(thread: UserThread) -> BOOL:
    """Wait until a message comes that nobody has looked at."""
    return BOOL(int(await nt.NtUserWaitMessage(thread)))


@export(partial="a key's message makes no WM_CHAR: there is no keyboard layout")
def TranslateMessage(thread: UserThread, lpMsg: Ptr[MSG]) -> BOOL:
    """Whether the message was a key's and made a character's."""
    return BOOL(int(nt.NtUserTranslateMessage(thread, lpMsg.address, 0)))


@export(aliases=("TranslateAcceleratorA",))
def TranslateAcceleratorW(thread: UserThread, hWnd: HANDLE, hAccTable: HANDLE, lpMsg: Ptr[MSG]) -> INT:
    """Whether a key's message was a command's key: there are no tables of such keys."""
    if FIRST_KEY <= int(lpMsg.read().message) <= LAST_KEY:
        raise WinError(ERROR.INVALID_ACCEL_HANDLE)
    return INT(0)


@export
async def DispatchMessageW(thread: UserThread, lpMsg: Ptr[MSG]) -> LONG_PTR:
    """Call the procedure of the message's window, or the timer's function."""
    return LONG_PTR(int(await nt.NtUserDispatchMessage(thread, lpMsg.address)))


@export
async def DispatchMessageA(thread: UserThread, lpMsg: Ptr[MSG]) -> LONG_PTR:
    """DispatchMessage for ANSI programs."""
    message = MSG.parse(lpMsg.read_bytes(MSG.size))
    if int(message.message) not in CHARACTERS:
        return LONG_PTR(int(await nt.NtUserDispatchMessage(thread, lpMsg.address)))
    message.wParam = wide_character(int(message.wParam))
    with thread.frame() as frame:
        return LONG_PTR(int(await nt.NtUserDispatchMessage(thread, frame.bytes(bytes(message)))))


@export
def PostQuitMessage(thread: UserThread, nExitCode: INT) -> None:
    """Let GetMessage give WM_QUIT when nothing else is left."""
    nt.NtUserCallOneParam(thread, nExitCode & 0xFFFF_FFFF, Simple.POST_QUIT_MESSAGE)


# ------------------------------------------------------------------ posting


@export
def PostMessageW(thread: UserThread, hWnd: HANDLE, Msg: UINT, wParam: ULONG_PTR, lParam: LONG_PTR) -> BOOL:
    """Put a message into the queue of the window's thread."""
    return BOOL(int(nt.NtUserPostMessage(thread, hWnd, Msg, wParam, lParam)))


@export
def PostMessageA(thread: UserThread, hWnd: HANDLE, Msg: UINT, wParam: ULONG_PTR, lParam: LONG_PTR) -> BOOL:
    """PostMessage for ANSI programs."""
    value = wide_character(wParam) if Msg in CHARACTERS else int(wParam)
    return BOOL(int(nt.NtUserPostMessage(thread, hWnd, Msg, value, lParam)))


@export(aliases=("PostThreadMessageA",))
def PostThreadMessageW(
    thread: UserThread, idThread: DWORD, Msg: UINT, wParam: ULONG_PTR, lParam: LONG_PTR
) -> BOOL:
    """Put a message without a window into a thread's queue."""
    return BOOL(int(nt.NtUserPostThreadMessage(thread, idThread, Msg, wParam, lParam)))


@export_both()
def RegisterWindowMessageW(thread: UserThread, lpString: Ptr[WCHAR]) -> UINT:
    """The number of a message that all programs know by this name."""
    with thread.frame() as frame:
        return UINT(int(nt.NtUserRegisterWindowMessage(thread, frame.unicode_string(text_of(lpString)))))


# ------------------------------------------------------------------ sending


async def send(
    thread: UserThread, hwnd: int, number: int, parameter: int, long_parameter: int, *, narrow: bool = False
) -> int:
    """SendMessage."""
    answer = nt.NtUserMessageCall(thread, hwnd, number, parameter, long_parameter, 0, FNID_SENDMESSAGE, int(narrow))
    return int(await answer)


@export
async def SendMessageW(
    thread: UserThread, hWnd: HANDLE, Msg: UINT, wParam: ULONG_PTR, lParam: LONG_PTR
) -> LONG_PTR:
    """Call a window's procedure, in whatever thread it is, and wait for its answer."""
    return LONG_PTR(await send(thread, hWnd, Msg, wParam, lParam))


@export
async def SendMessageA(
    thread: UserThread, hWnd: HANDLE, Msg: UINT, wParam: ULONG_PTR, lParam: LONG_PTR
) -> LONG_PTR:
    """SendMessage with ANSI texts."""
    return LONG_PTR(await send(thread, hWnd, Msg, wParam, lParam, narrow=True))


async def _send_timeout(
    thread: UserThread, call: tuple[int, int, int, int], limits: tuple[int, int], result: Ptr[ULONG_PTR] | None,
    narrow: int,
) -> LONG_PTR:  # fmt: skip
    with thread.frame() as frame:
        asked = frame.new(SNDMSGTIMEOUT)
        asked.flags, asked.timeout = limits
        done = int(await nt.NtUserMessageCall(thread, *call, asked.address, FNID_SENDMESSAGEWTOOPTION, narrow))
        if result is not None:
            result.write(int(asked.result))
    return LONG_PTR(done)


@export
async def SendMessageTimeoutW(
    thread: UserThread, hWnd: HANDLE, Msg: UINT, wParam: ULONG_PTR, lParam: LONG_PTR, fuFlags: UINT, uTimeout: UINT,
    lpdwResult: Ptr[ULONG_PTR] | None,
) -> LONG_PTR:  # fmt: skip
    """SendMessage that waits only so long; 0 when no answer came."""
    return await _send_timeout(thread, (hWnd, Msg, wParam, lParam), (fuFlags, uTimeout), lpdwResult, 0)


@export
async def SendMessageTimeoutA(
    thread: UserThread, hWnd: HANDLE, Msg: UINT, wParam: ULONG_PTR, lParam: LONG_PTR, fuFlags: UINT, uTimeout: UINT,
    lpdwResult: Ptr[ULONG_PTR] | None,
) -> LONG_PTR:  # fmt: skip
    """SendMessageTimeout with ANSI texts."""
    return await _send_timeout(thread, (hWnd, Msg, wParam, lParam), (fuFlags, uTimeout), lpdwResult, 1)


@export(aliases=("SendNotifyMessageA",))
async def SendNotifyMessageW(
    thread: UserThread, hWnd: HANDLE, Msg: UINT, wParam: ULONG_PTR, lParam: LONG_PTR
) -> BOOL:
    """SendMessage that does not wait for another thread."""
    return BOOL(int(await nt.NtUserMessageCall(thread, hWnd, Msg, wParam, lParam, 0, FNID_SENDNOTIFYMESSAGE, 0)))


@export(aliases=("SendMessageCallbackA",))
async def SendMessageCallbackW(
    thread: UserThread, hWnd: HANDLE, Msg: UINT, wParam: ULONG_PTR, lParam: LONG_PTR, lpResultCallBack: Code,
    dwData: ULONG_PTR,
) -> BOOL:  # fmt: skip
    """SendMessage whose answer a function gets when it is there."""
    with thread.frame() as frame:
        asked = frame.new(SNDMSGCALLBACK)
        asked.callback, asked.data = lpResultCallBack, dwData
        answer = nt.NtUserMessageCall(
            thread, hWnd, Msg, wParam, lParam, asked.address, FNID_SENDMESSAGECALLBACK, 0
        )
        return BOOL(int(await answer))


@export
def ReplyMessage(thread: UserThread, lResult: LONG_PTR) -> BOOL:
    """Answer the message another thread has sent, before the procedure is done with it."""
    return BOOL(int(nt.NtUserCallOneParam(thread, lResult, Simple.REPLY_MESSAGE)))


@export
def InSendMessageEx(thread: UserThread, lpReserved: PVOID) -> DWORD:
    """Whether another thread's message is being served, and how it was sent."""
    return DWORD(int(nt.NtUserGetThreadState(thread, ThreadState.IN_SEND_MESSAGE)))


@export
def InSendMessage(thread: UserThread) -> BOOL:
    """Whether another thread's message is being served."""
    return BOOL(bool(int(nt.NtUserGetThreadState(thread, ThreadState.IN_SEND_MESSAGE))))


# ------------------------------------------------------------------ procedures


async def _default(thread: UserThread, call: tuple[int, int, int, int], *, narrow: int) -> LONG_PTR:
    return LONG_PTR(int(await nt.NtUserMessageCall(thread, *call, 0, FNID_DEFWINDOWPROC, narrow)))


@export(partial="what needs no drawing, no menu and no keyboard")
async def DefWindowProcW(
    thread: UserThread, hWnd: HANDLE, Msg: UINT, wParam: ULONG_PTR, lParam: LONG_PTR
) -> LONG_PTR:
    """What a window does when its program says nothing."""
    return await _default(thread, (hWnd, Msg, wParam, lParam), narrow=0)


@export(partial="what needs no drawing, no menu and no keyboard")
async def DefWindowProcA(
    thread: UserThread, hWnd: HANDLE, Msg: UINT, wParam: ULONG_PTR, lParam: LONG_PTR
) -> LONG_PTR:
    """The same with ANSI texts."""
    return await _default(thread, (hWnd, Msg, wParam, lParam), narrow=1)


async def _call(thread: UserThread, procedure: int, call: tuple[int, int, int, int], *, narrow: int) -> LONG_PTR:
    if procedure & CPD_HIGH != CPD_HIGH:
        return LONG_PTR(await thread.call(procedure, *call))
    return LONG_PTR(int(await nt.NtUserMessageCall(thread, *call, procedure, FNID_CALLWNDPROC, narrow)))


@export
async def CallWindowProcW(
    thread: UserThread, lpPrevWndFunc: PVOID, hWnd: HANDLE, Msg: UINT, wParam: ULONG_PTR, lParam: LONG_PTR
) -> LONG_PTR:
    """Call a window procedure that SetWindowLongPtr gave back."""
    return await _call(thread, lpPrevWndFunc, (hWnd, Msg, wParam, lParam), narrow=0)


@export
async def CallWindowProcA(
    thread: UserThread, lpPrevWndFunc: PVOID, hWnd: HANDLE, Msg: UINT, wParam: ULONG_PTR, lParam: LONG_PTR
) -> LONG_PTR:
    """The same with ANSI texts."""
    return await _call(thread, lpPrevWndFunc, (hWnd, Msg, wParam, lParam), narrow=1)


# ------------------------------------------------------------------ what has come


@export
def GetMessageTime(thread: UserThread) -> LONG:
    """When the last message came, in milliseconds since boot."""
    return LONG(int(nt.NtUserGetThreadState(thread, ThreadState.MESSAGE_TIME)))


@export
def GetMessagePos(thread: UserThread) -> DWORD:
    """Where the cursor was then: there is none."""
    return DWORD(int(nt.NtUserCallNoParam(thread, Simple.MESSAGE_POSITION)))


@export
def GetMessageExtraInfo(thread: UserThread) -> LONG_PTR:
    """What its device said of the last message: there is none."""
    return LONG_PTR(int(nt.NtUserGetThreadState(thread, ThreadState.EXTRA_INFORMATION)))


@export
def GetQueueStatus(thread: UserThread, flags: UINT) -> DWORD:
    """Which messages are there, and which are new."""
    return DWORD(int(nt.NtUserGetQueueStatus(thread, flags)))


@export
def GetInputState(thread: UserThread) -> BOOL:
    """Whether there are messages of keyboard or mouse."""
    return BOOL(int(nt.NtUserGetQueueStatus(thread, QS_INPUT)) >> 16 != 0)


@export(fails=FAILED)
async def MsgWaitForMultipleObjectsEx(
    thread: UserThread, nCount: DWORD, pHandles: Ptr[HANDLE] | None, dwMilliseconds: DWORD, dwWakeMask: DWORD,
    dwFlags: DWORD,
) -> DWORD:  # fmt: skip
    """Wait for objects or for messages."""
    place = pHandles.address if pHandles is not None else 0
    return DWORD(
        int(await nt.NtUserMsgWaitForMultipleObjectsEx(thread, nCount, place, dwMilliseconds, dwWakeMask, dwFlags))
    )


@export(fails=FAILED)
async def MsgWaitForMultipleObjects(
    thread: UserThread, nCount: DWORD, pHandles: Ptr[HANDLE] | None, fWaitAll: BOOL, dwMilliseconds: DWORD,
    dwWakeMask: DWORD,
) -> DWORD:  # fmt: skip
    """Wait for objects or for messages."""
    place = pHandles.address if pHandles is not None else 0
    flags = MWMO_WAITALL if fWaitAll else 0
    return DWORD(
        int(await nt.NtUserMsgWaitForMultipleObjectsEx(thread, nCount, place, dwMilliseconds, dwWakeMask, flags))
    )


@export(fails=FAILED)
async def WaitForInputIdle(thread: UserThread, hProcess: HANDLE, dwMilliseconds: DWORD) -> DWORD:
    """Wait until a GUI program waits for input."""
    return DWORD(int(await nt.NtUserWaitForInputIdle(thread, hProcess, dwMilliseconds, 0)))


@export
def IsGUIThread(thread: UserThread, bConvert: BOOL) -> BOOL:
    """Whether the thread is known to win32k; it becomes so where wanted."""
    if bConvert:
        nt.NtUserGetThreadState(thread, ThreadState.INPUT_STATE)
    if not int(thread.teb.Win32ThreadInfo):
        raise WinError(ERROR.INVALID_PARAMETER)
    return BOOL(1)
