"""Window classes (winuser.h: RegisterClass and what belongs to it)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32k import CLS, WNDCLASSEXW
from ntos.abi.memory import read_wide
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, CHAR, DWORD, HANDLE, INT, PVOID, ULONG_PTR, USHORT, WCHAR
from ntos.dll.kernelbase.text import export_both, put_cut
from ntos.dll.user32.shared import class_of, window
from ntos.dll.user32.string import name_string, room
from ntos.um import nt
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

LONGEST_NAME = 512
ANSI = 1
HEAD = 4
"""How much further everything is in WNDCLASSEX than in WNDCLASS: cbSize, then padding moves nothing."""
GCL_FIELDS = {
    -8: "lpszMenuName", -10: "hbrBackground", -12: "spcur", -14: "spicn", -16: "hModule", -18: "cbwndExtra",
    -20: "cbclsExtra", -24: "lpfnWndProc", -26: "style", -32: "atomClassName", -34: "spicnSm",
}  # fmt: skip
"""GetClassLongPtr's indices."""


def _extended(data: bytes) -> WNDCLASSEXW:
    """A WNDCLASS as a WNDCLASSEX: it lacks the size at the start and the small icon at the end."""
    view = WNDCLASSEXW.new()
    view.memory.write(0, WNDCLASSEXW.size.to_bytes(4, "little") + data[:4] + data[8:])
    return view


def _register(thread: UserThread, view: WNDCLASSEXW, *, narrow: bool) -> USHORT:
    if view.cbSize != WNDCLASSEXW.size:
        raise WinError(ERROR.INVALID_PARAMETER)
    shape = Ptr[CHAR] if narrow else Ptr[WCHAR]
    with thread.frame() as frame:
        name = name_string(frame, shape(thread.memory, int(view.lpszClassName)))  # type: ignore[arg-type]
        place = frame.bytes(bytes(view))
        return USHORT(int(nt.NtUserRegisterClassExWOW(thread, place, name, 0, 0, 0, ANSI if narrow else 0, 0)))


@export
def RegisterClassExW(thread: UserThread, lpwcx: Ptr[WNDCLASSEXW]) -> USHORT:
    """Register a class whose windows get wide texts; gives its atom."""
    return _register(thread, WNDCLASSEXW.parse(lpwcx.read_bytes(WNDCLASSEXW.size)), narrow=False)


@export
def RegisterClassExA(thread: UserThread, lpwcx: Ptr[WNDCLASSEXW]) -> USHORT:
    """Register a class whose windows get ANSI texts; gives its atom."""
    return _register(thread, WNDCLASSEXW.parse(lpwcx.read_bytes(WNDCLASSEXW.size)), narrow=True)


@export
def RegisterClassW(thread: UserThread, lpWndClass: Ptr[WCHAR]) -> USHORT:
    """RegisterClassEx without size and small icon."""
    return _register(thread, _extended(lpWndClass.read_bytes(WNDCLASSEXW.size - 8)), narrow=False)


@export
def RegisterClassA(thread: UserThread, lpWndClass: Ptr[CHAR]) -> USHORT:
    """RegisterClassEx without size and small icon."""
    return _register(thread, _extended(lpWndClass.read_bytes(WNDCLASSEXW.size - 8)), narrow=True)


@export_both()
def UnregisterClassW(thread: UserThread, lpClassName: Ptr[WCHAR], hInstance: HANDLE) -> BOOL:
    """Forget a class that has no windows."""
    with thread.frame() as frame:
        return BOOL(int(nt.NtUserUnregisterClass(thread, name_string(frame, lpClassName), hInstance, 0)))


def _information(thread: UserThread, instance: int, name: Ptr[WCHAR]) -> tuple[int, WNDCLASSEXW]:
    with thread.frame() as frame:
        place = frame.allocate(WNDCLASSEXW.size)
        atom = int(nt.NtUserGetClassInfoEx(thread, instance, name_string(frame, name), place, 0, 0))
        told = WNDCLASSEXW.parse(thread.memory.read(place, WNDCLASSEXW.size))
    told.lpszClassName = name.address
    return atom, told


@export_both()
def GetClassInfoExW(
    thread: UserThread, hinst: HANDLE, lpszClass: Ptr[WCHAR], lpwcx: Ptr[WNDCLASSEXW]
) -> BOOL:
    """What a class was registered with; gives its atom."""
    atom, told = _information(thread, hinst, lpszClass)
    if atom:
        lpwcx.write_bytes(bytes(told))
    return BOOL(atom)


@export_both()
def GetClassInfoW(thread: UserThread, hInstance: HANDLE, lpClassName: Ptr[WCHAR], lpWndClass: PVOID) -> BOOL:
    """GetClassInfoEx without size and small icon."""
    atom, told = _information(thread, hInstance, lpClassName)
    if atom:
        data = bytes(told)
        thread.memory.write(lpWndClass, data[4:8] + bytes(4) + data[8:-8])
    return BOOL(1 if atom else 0)


def class_name(thread: UserThread, handle: int) -> str:
    """The name of a window's class; empty where the handle means none."""
    with thread.frame() as frame:
        place, buffer = room(frame, LONGEST_NAME)
        length = int(nt.NtUserGetClassName(thread, handle, 0, place))
        return read_wide(thread.memory, buffer, length) if length else ""


@export_both()
def GetClassNameW(thread: UserThread, hWnd: HANDLE, lpClassName: Ptr[WCHAR], nMaxCount: INT) -> INT:
    """The name of a window's class."""
    name = class_name(thread, hWnd)
    return INT(put_cut(lpClassName, nMaxCount, name) if name else 0)


@export_both()
def RealGetWindowClassW(thread: UserThread, hwnd: HANDLE, ptszClassName: Ptr[WCHAR], cchClassNameMax: DWORD) -> DWORD:
    """The name of a window's class."""
    name = class_name(thread, hwnd)
    return DWORD(put_cut(ptszClassName, cchClassNameMax, name) if name else 0)


@export(aliases=("SetClassLongPtrA",), partial="no bytes of the program's own")
def SetClassLongPtrW(thread: UserThread, hWnd: HANDLE, nIndex: INT, dwNewLong: ULONG_PTR) -> ULONG_PTR:
    """Change one of a class's values; gives the former one."""
    return ULONG_PTR(int(nt.NtUserSetClassLongPtr(thread, hWnd, nIndex, dwNewLong, 0)))


def _class_long(thread: UserThread, handle: int, index: int) -> int:
    view: CLS = class_of(thread, window(thread, handle))
    if index not in GCL_FIELDS:
        raise WinError(ERROR.INVALID_INDEX)
    return int(getattr(view, GCL_FIELDS[index]))


@export(aliases=("GetClassLongPtrA",), partial="no bytes of the program's own")
def GetClassLongPtrW(thread: UserThread, hWnd: HANDLE, nIndex: INT) -> ULONG_PTR:
    """One of a class's values."""
    return ULONG_PTR(_class_long(thread, hWnd, nIndex))


@export(aliases=("GetClassLongA",), partial="no bytes of the program's own")
def GetClassLongW(thread: UserThread, hWnd: HANDLE, nIndex: INT) -> DWORD:
    """The same, 32 bits of it."""
    return DWORD(_class_long(thread, hWnd, nIndex) & 0xFFFF_FFFF)
