"""Services on window classes and atoms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.errors import ERROR
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.layout.win32k import WNDCLASSEXW
from ntos.abi.pointer import In, Ptr
from ntos.abi.types import BOOL, DWORD, HANDLE, INT, PVOID, UINT, ULONG, USHORT
from ntos.ke.win32_service import UserError, user_service
from ntos.win32k import classes
from ntos.win32k.process import current
from ntos.win32k.text import add_atom, atom_or_text, find_atom, put_text
from ntos.win32k.window import find_window

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

ANSI_CLASS = 1
"""dwFlags: registered by RegisterClassA."""


@user_service(partial="menu names are kept as they are given; no version of a side-by-side class")
def NtUserRegisterClassExWOW(
    thread: Thread,
    lpwcx: In[WNDCLASSEXW],
    pustrClassName: In[UNICODE_STRING],
    pustrCNVersion: PVOID,
    pClassMenuName: PVOID,
    fnID: DWORD,
    dwFlags: DWORD,
    pdwWowData: PVOID,
) -> USHORT:
    """Register a window class; gives its atom."""
    info = current(thread)
    atom = add_atom(info.session, atom_or_text(pustrClassName))
    if not atom:
        raise UserError(ERROR.INVALID_PARAMETER)
    try:
        classes.register(info.owner, lpwcx, atom, ansi=bool(dwFlags & ANSI_CLASS))
    except UserError:
        info.session.atoms.delete(atom)
        raise
    return USHORT(atom)


@user_service()
def NtUserUnregisterClass(
    thread: Thread, pustrClassName: In[UNICODE_STRING], hInstance: HANDLE, pClassMenuName: PVOID
) -> BOOL:
    """Forget a class of the process's that has no windows."""
    info = current(thread)
    atom = find_atom(info.session, atom_or_text(pustrClassName))
    found = classes.find_class(info.owner, atom, hInstance)
    if found is None:
        raise UserError(ERROR.CLASS_DOES_NOT_EXIST)
    classes.unregister(info.owner, found)
    return BOOL(1)


@user_service()
def NtUserGetClassInfoEx(
    thread: Thread,
    hInstance: HANDLE,
    pustrClassName: In[UNICODE_STRING],
    lpWndClass: Ptr[WNDCLASSEXW],
    ppszMN: PVOID,
    bAnsi: BOOL,
) -> USHORT:
    """What a class was registered with; gives its atom."""
    info = current(thread)
    atom = find_atom(info.session, atom_or_text(pustrClassName))
    found = classes.find_class(info.owner, atom, hInstance) if atom else None
    if found is None:
        raise UserError(ERROR.CLASS_DOES_NOT_EXIST)
    told = WNDCLASSEXW.new()
    view = found.view
    told.cbSize, told.style, told.lpfnWndProc = WNDCLASSEXW.size, view.style, view.lpfnWndProc
    told.cbClsExtra, told.cbWndExtra, told.hInstance = view.cbclsExtra, view.cbwndExtra, view.hModule
    told.hIcon, told.hCursor, told.hIconSm = view.spicn, view.spcur, view.spicnSm
    told.hbrBackground, told.lpszMenuName = view.hbrBackground, view.lpszMenuName
    lpWndClass.write_bytes(bytes(told))
    return USHORT(atom)


@user_service()
def NtUserGetClassName(thread: Thread, hWnd: HANDLE, bReal: BOOL, pustrClassName: Ptr[UNICODE_STRING]) -> INT:
    """The name of a window's class."""
    window = find_window(thread, hWnd)
    return INT(put_text(thread, pustrClassName.read(), window.kind.name))


@user_service()
def NtUserGetAtomName(thread: Thread, nAtom: USHORT, pustrName: Ptr[UNICODE_STRING]) -> ULONG:
    """The name of an atom of the window manager."""
    name = current(thread).session.atoms.name(nAtom)
    if not name:
        raise UserError(ERROR.INVALID_HANDLE)
    return ULONG(put_text(thread, pustrName.read(), name))


@user_service()
def NtUserRegisterWindowMessage(thread: Thread, pustrMessage: In[UNICODE_STRING]) -> UINT:
    """The number all programs of the session get for a message of that name."""
    text = pustrMessage.text
    if not text:
        raise UserError(ERROR.INVALID_PARAMETER)
    return UINT(add_atom(current(thread).session, text))
