"""A thread's queue through its services: order, filters, quit, timers, what is new."""

from __future__ import annotations

from ntos.abi.layout.win32k import MSG
from ntos.win32k.process import ThreadInfo
from tests.ke.test_boundary import Lab
from tests.win32k.test_process import class_name, gui

REMOVE, KEEP = 1, 0
WM_QUIT, WM_TIMER, WM_USER = 0x12, 0x113, 0x400
POST_QUIT = 1
QS_POSTMESSAGE, QS_TIMER = 8, 0x10
ERROR_NOT_ENOUGH_QUOTA = 1816
ERROR_MESSAGE_SYNC_ONLY = 1159
ERROR_INVALID_WINDOW_HANDLE = 1400
THREAD_MESSAGES = 0xFFFF_FFFF_FFFF_FFFF


def peek(lab: Lab, window: int = 0, first: int = 0, last: int = 0, how: int = REMOVE) -> tuple[int, int, int] | None:
    """(window, message, wParam) of the next message."""
    place = lab.room(MSG.size)
    if lab.status("NtUserPeekMessage", place, window, first, last, how, 1) != 1:
        return None
    found = MSG(lab.memory, place)
    return int(found.hwnd), int(found.message), int(found.wParam)


def window(lab: Lab) -> int:
    """A hidden window."""
    made = lab.status("NtUserCreateWindowEx", 0, class_name(lab), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    assert isinstance(made, int)
    return made


def post(lab: Lab, hwnd: int, message: int, parameter: int = 0) -> None:
    """PostMessage."""
    assert lab.status("NtUserPostMessage", hwnd, message, parameter, 0) == 1


def test_messages_come_in_the_order_they_were_posted(lab: Lab) -> None:
    """First in, first out; a look without PM_REMOVE takes nothing away."""
    hwnd = window(lab)
    for number in range(3):
        post(lab, hwnd, WM_USER + number, number)
    assert peek(lab, how=KEEP) == (hwnd, WM_USER, 0)
    assert [peek(lab) for _ in range(4)] == [(hwnd, WM_USER + n, n) for n in range(3)] + [None]


def test_filters_choose(lab: Lab) -> None:
    """By window, by range, or the thread's own messages (hWnd -1)."""
    hwnd, other = window(lab), window(lab)
    post(lab, hwnd, WM_USER)
    post(lab, other, WM_USER + 1)
    post(lab, 0, WM_USER + 2)
    assert peek(lab, window=other, how=KEEP) == (other, WM_USER + 1, 0)
    assert peek(lab, first=WM_USER + 2, last=WM_USER + 9, how=KEEP) == (0, WM_USER + 2, 0)
    assert peek(lab, window=THREAD_MESSAGES) == (0, WM_USER + 2, 0)
    assert lab.status("NtUserGetMessage", lab.room(MSG.size), 0xDEAD0, 0, 0) == 0xFFFF_FFFF
    assert int(lab.thread.teb.LastErrorValue) == ERROR_INVALID_WINDOW_HANDLE


def test_quit_comes_last(lab: Lab) -> None:
    """WM_QUIT follows when no posted message is left, whatever the filter."""
    hwnd = window(lab)
    assert lab.status("NtUserCallOneParam", 7, POST_QUIT) == 1
    post(lab, hwnd, WM_USER)
    assert peek(lab) == (hwnd, WM_USER, 0)
    assert peek(lab, first=WM_USER, last=WM_USER) == (0, WM_QUIT, 7)
    assert peek(lab) is None


def test_a_queue_holds_ten_thousand(lab: Lab) -> None:
    """One more is refused with ERROR_NOT_ENOUGH_QUOTA."""
    gui(lab)
    for _ in range(10_000):
        post(lab, 0, WM_USER)
    assert lab.status("NtUserPostMessage", 0, WM_USER, 0, 0) == 0
    assert int(lab.thread.teb.LastErrorValue) == ERROR_NOT_ENOUGH_QUOTA


def test_a_message_with_a_pointer_is_not_posted(lab: Lab) -> None:
    """WM_SETTEXT could not be answered: ERROR_MESSAGE_SYNC_ONLY."""
    assert lab.status("NtUserPostMessage", window(lab), 0xC, 0, 0) == 0
    assert int(lab.thread.teb.LastErrorValue) == ERROR_MESSAGE_SYNC_ONLY


def test_a_timer_is_one_message_until_it_is_taken(lab: Lab) -> None:
    """WM_TIMER comes after posted messages, once per look however late, then again a period on."""
    hwnd, clock = window(lab), lab.kernel.clock
    assert lab.status("NtUserSetTimer", hwnd, 3, 50, 0, 0) == 3
    assert peek(lab) is None
    clock.advance_to(clock.now + 1_800_000)
    lab.kernel.scheduler.timers.expire()
    post(lab, hwnd, WM_USER)
    assert [peek(lab) for _ in range(3)] == [(hwnd, WM_USER, 0), (hwnd, WM_TIMER, 3), None]
    clock.advance_to(clock.now + 500_000)
    lab.kernel.scheduler.timers.expire()
    assert peek(lab) == (hwnd, WM_TIMER, 3)
    assert lab.status("NtUserKillTimer", hwnd, 3) == 1
    assert lab.status("NtUserKillTimer", hwnd, 3) == 0


def test_what_is_new_is_told_once(lab: Lab) -> None:
    """GetQueueStatus: the high word says what is there, the low word what came since the last look."""
    gui(lab)
    post(lab, 0, WM_USER)
    assert lab.status("NtUserGetQueueStatus", QS_POSTMESSAGE | QS_TIMER) == QS_POSTMESSAGE << 16 | QS_POSTMESSAGE
    assert lab.status("NtUserGetQueueStatus", QS_POSTMESSAGE | QS_TIMER) == QS_POSTMESSAGE << 16
    peek(lab)
    assert lab.status("NtUserGetQueueStatus", QS_POSTMESSAGE | QS_TIMER) == 0


def test_messages_of_a_destroyed_window_are_never_seen(lab: Lab) -> None:
    """DestroyWindow takes what was posted to the window along, and its timers."""
    hwnd = window(lab)
    post(lab, hwnd, WM_USER)
    lab.status("NtUserSetTimer", hwnd, 1, 20, 0, 0)
    assert lab.status("NtUserDestroyWindow", hwnd) == 1
    assert peek(lab) is None
    assert lab.thread[ThreadInfo].timers == []


def test_a_handle_of_a_destroyed_window_means_nothing(lab: Lab) -> None:
    """Its index is used again with another uniqueness, so the old handle stays invalid."""
    old = window(lab)
    lab.status("NtUserDestroyWindow", old)
    new = window(lab)
    assert new & 0xFFFF == old & 0xFFFF
    assert new != old
    assert lab.status("NtUserPostMessage", old, WM_USER, 0, 0) == 0
    assert int(lab.thread.teb.LastErrorValue) == ERROR_INVALID_WINDOW_HANDLE
    post(lab, new, WM_USER)
