"""Looking for windows."""

from __future__ import annotations

from collections.abc import Iterable

from ntos.abi.pointer import Code, Ptr
from ntos.abi.types import BOOL, DWORD, HANDLE, LONG_PTR, WCHAR
from ntos.dll.kernelbase.text import export_both, optional_text
from ntos.dll.user32.string import name_string
from ntos.um import nt
from ntos.um.export import export
from ntos.um.thread import UserThread

ROOM = 64
BUFFER_TOO_SMALL = 0xC000_0023


def windows(thread: UserThread, desktop: int, parent: int, *, inside: bool = False, thread_id: int = 0) -> list[int]:
    """Handles of top-level windows, of a thread's, or of those in a window."""
    room = ROOM
    while True:
        with thread.frame() as frame:
            needed, buffer = frame.allocate(8), frame.allocate(room * 8)
            status = int(
                nt.NtUserBuildHwndList(thread, desktop, parent, int(inside), 0, thread_id, room, buffer, needed)
            )
            count = int.from_bytes(thread.memory.read(needed, 4), "little")
            if status == 0:
                data = thread.memory.read(buffer, (count - 1) * 8)
                return [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]
            if status != BUFFER_TOO_SMALL:
                return []
            room = count + ROOM


async def _tell(thread: UserThread, handles: Iterable[int], code: Code, parameter: int) -> BOOL:
    """Call a function for each until it says no."""
    for handle in handles:
        if not await thread.call(code, handle, parameter) & 0xFFFF_FFFF:
            return BOOL(0)
    return BOOL(1)


@export
async def EnumWindows(thread: UserThread, lpEnumFunc: Code, lParam: LONG_PTR) -> BOOL:
    """Call a function for every top-level window."""
    return await _tell(thread, windows(thread, 0, 0), lpEnumFunc, lParam)


@export
async def EnumThreadWindows(thread: UserThread, dwThreadId: DWORD, lpfn: Code, lParam: LONG_PTR) -> BOOL:
    """Call a function for a thread's top-level windows."""
    return await _tell(thread, windows(thread, 0, 0, thread_id=dwThreadId), lpfn, lParam)


@export
async def EnumChildWindows(thread: UserThread, hWndParent: HANDLE, lpEnumFunc: Code, lParam: LONG_PTR) -> BOOL:
    """Call a function for all windows in a window, at whatever depth."""
    handles = windows(thread, 0, hWndParent, inside=True) if hWndParent else windows(thread, 0, 0)
    return await _tell(thread, handles, lpEnumFunc, lParam)


@export
async def EnumDesktopWindows(thread: UserThread, hDesktop: HANDLE, lpfn: Code, lParam: LONG_PTR) -> BOOL:
    """Call a function for the top-level windows of a desktop."""
    return await _tell(thread, windows(thread, hDesktop, 0), lpfn, lParam)


@export_both()
def FindWindowExW(
    thread: UserThread, hWndParent: HANDLE, hWndChildAfter: HANDLE, lpszClass: Ptr[WCHAR] | None,
    lpszWindow: Ptr[WCHAR] | None,
) -> HANDLE:  # fmt: skip
    """The first window of a class and text in a window, behind another."""
    return _find(thread, hWndParent, hWndChildAfter, lpszClass, lpszWindow)


@export_both()
def FindWindowW(thread: UserThread, lpClassName: Ptr[WCHAR] | None, lpWindowName: Ptr[WCHAR] | None) -> HANDLE:
    """The first top-level window of a class and text."""
    return _find(thread, 0, 0, lpClassName, lpWindowName)


def _find(
    thread: UserThread, parent: int, after: int, name: Ptr[WCHAR] | None, title: Ptr[WCHAR] | None
) -> HANDLE:
    with thread.frame() as frame:
        text = optional_text(title)
        class_name = name_string(frame, name) if name else 0
        caption = frame.unicode_string(text) if text is not None else 0
        return HANDLE(int(nt.NtUserFindWindowEx(thread, parent, after, class_name, caption, 0)))
