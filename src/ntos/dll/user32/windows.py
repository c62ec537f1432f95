"""Looking for windows: there are none, so nothing is found."""

from __future__ import annotations

from ntos.abi.pointer import Code, Ptr
from ntos.abi.types import BOOL, HANDLE, LONG_PTR, WCHAR
from ntos.dll.kernelbase.text import export_both
from ntos.um.export import export
from ntos.um.thread import UserThread


@export
def EnumWindows(thread: UserThread, lpEnumFunc: Code, lParam: LONG_PTR) -> BOOL:
    """Call a function for every top-level window: never, for want of any."""
    return BOOL(1)


@export_both()
def FindWindowW(thread: UserThread, lpClassName: Ptr[WCHAR] | None, lpWindowName: Ptr[WCHAR] | None) -> HANDLE:
    """The top-level window of a class or name: none."""
    return HANDLE(0)


@export
def GetForegroundWindow(thread: UserThread) -> HANDLE:
    """The window the user works with: none."""
    return HANDLE(0)
