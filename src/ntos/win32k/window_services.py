"""Services that make, show, move, find and end windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.errors import ERROR
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.pointer import In, Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, DWORD, HANDLE, INT, NTSTATUS, PVOID, UINT, ULONG_PTR, WCHAR
from ntos.abi.winuser import (
    HWND_MESSAGE,
    WINDOW_ACTIVE,
    WINDOW_FOCUS,
    WINDOW_IS_HUNG,
    WINDOW_PROCESS,
    WINDOW_THREAD,
)
from ntos.ke.win32_service import UserError, user_service
from ntos.ob import by_handle, open_by_pointer
from ntos.rtl.text import equal_insensitive, to_utf16
from ntos.win32k import classes, create, destroy, focus, position, show
from ntos.win32k.process import current
from ntos.win32k.queue import hung
from ntos.win32k.station import DESKTOP_TYPE
from ntos.win32k.text import atom_or_large_text, atom_or_text, find_atom, large_text
from ntos.win32k.window import find_window

if TYPE_CHECKING:
    from ntos.ke.thread import Thread
    from ntos.win32k.process import ThreadInfo
    from ntos.win32k.window import Window

DESKTOP_ENUMERATE = 0x40
MSGFLT_RESET, MSGFLT_ALLOW, MSGFLT_DISALLOW = 0, 1, 2
GA_PARENT, GA_ROOT, GA_ROOTOWNER = 1, 2, 3


@user_service()
async def NtUserCreateWindowEx(
    thread: Thread,
    dwExStyle: DWORD,
    pstrClassName: PVOID,
    pstrClsVersion: PVOID,
    pstrWindowName: PVOID,
    dwStyle: DWORD,
    x: INT,
    y: INT,
    nWidth: INT,
    nHeight: INT,
    hwndParent: HANDLE,
    hmenu: HANDLE,
    hModule: HANDLE,
    pParam: PVOID,
    dwFlags: DWORD,
    pActCtx: PVOID,
) -> HANDLE:
    """Create a window; its procedure sees WM_NCCREATE and WM_CREATE before this comes back."""
    info = current(thread)
    name = atom_or_large_text(thread, pstrClassName)
    atom = find_atom(info.session, name)
    kind = classes.find_class(info.owner, atom, hModule) if atom else None
    if kind is None:
        raise UserError(ERROR.CANNOT_FIND_WND_CLASS)
    wish = create.Wish(
        kind, name if isinstance(name, str) else kind.name, large_text(thread, pstrWindowName), dwStyle, dwExStyle,
        (x, y, nWidth, nHeight), hwndParent, hmenu, hModule, pParam,
    )  # fmt: skip
    return HANDLE((await create.create_window(info, wish)).handle)


@user_service()
async def NtUserDestroyWindow(thread: Thread, hwnd: HANDLE) -> BOOL:
    """Destroy a window of this thread, what it owns and what lies in it."""
    await destroy.destroy_window(current(thread), find_window(thread, hwnd))
    return BOOL(1)


@user_service(partial="style bits, messages, activation; nothing is painted")
async def NtUserShowWindow(thread: Thread, hwnd: HANDLE, nCmdShow: INT) -> BOOL:
    """Show or hide a window; whether it was visible."""
    return BOOL(await show.show_window(current(thread), find_window(thread, hwnd), nCmdShow))


@user_service()
async def NtUserSetWindowPos(
    thread: Thread, hWnd: HANDLE, hWndInsertAfter: HANDLE, x: INT, y: INT, cx: INT, cy: INT, dwFlags: UINT
) -> BOOL:
    """Move, size, show, hide or reorder a window."""
    await position.set_position(current(thread), find_window(thread, hWnd), hWndInsertAfter, (x, y, cx, cy), dwFlags)
    return BOOL(1)


@user_service()
async def NtUserMoveWindow(
    thread: Thread, hwnd: HANDLE, x: INT, y: INT, cx: INT, cy: INT, fRepaint: BOOL
) -> BOOL:
    """Move and size a window."""
    place = (x, y, cx, cy)
    await position.set_position(current(thread), find_window(thread, hwnd), 0, place, position.SWP_NOZORDER)
    return BOOL(1)


@user_service()
def NtUserSetParent(thread: Thread, hwndChild: HANDLE, hwndNewParent: HANDLE) -> HANDLE:
    """Let a window lie in another; gives its former parent."""
    info, window = current(thread), find_window(thread, hwndChild)
    root, messages = info.desktop.root, info.desktop.messages
    parent = root if not hwndNewParent else (
        messages if hwndNewParent == HWND_MESSAGE else find_window(thread, hwndNewParent)
    )
    if parent is None or parent is window or window.contains(parent):
        raise UserError(ERROR.INVALID_PARAMETER)
    former = window.parent
    window.unlink()
    window.link(parent, top=True)
    return HANDLE(former.handle if former is not None else 0)


@user_service()
def NtUserGetAncestor(thread: Thread, hwnd: HANDLE, gaFlags: UINT) -> HANDLE:
    """A window's parent, root, or root owner."""
    window = find_window(thread, hwnd)
    if gaFlags == GA_PARENT:
        parent = window.parent
        return HANDLE(parent.handle if parent is not None else 0)
    if gaFlags not in (GA_ROOT, GA_ROOTOWNER):
        raise UserError(ERROR.INVALID_PARAMETER)
    root = window.top_level()
    while gaFlags == GA_ROOTOWNER and root.owner is not None:
        root = root.owner.top_level()
    return HANDLE(root.handle)


# ------------------------------------------------------------------ finding


@user_service()
def NtUserFindWindowEx(
    thread: Thread,
    hwndParent: HANDLE,
    hwndChild: HANDLE,
    pstrClassName: In[UNICODE_STRING] | None,
    pstrWindowName: In[UNICODE_STRING] | None,
    dwType: DWORD,
) -> HANDLE:
    """The first window behind `hwndChild` of that class and text among those of a parent."""
    info = current(thread)
    wanted = atom_or_text(pstrClassName) if pstrClassName is not None else ""
    atom = find_atom(info.session, wanted) if wanted else 0
    if wanted and not atom:
        return HANDLE(0)
    title = pstrWindowName.text if pstrWindowName is not None and pstrWindowName.Buffer else None
    for parent in _parents(info, hwndParent):
        candidates = parent.children()
        if hwndChild:
            after = find_window(thread, hwndChild)
            candidates = candidates[candidates.index(after) + 1 :] if after in candidates else []
        for window in candidates:
            if (not atom or window.kind.atom == atom) and (title is None or equal_insensitive(window.text, title)):
                return HANDLE(window.handle)
    return HANDLE(0)


def _parents(info: ThreadInfo, handle: int) -> list[Window]:
    """Where to look: NULL means top-level windows and then message-only ones."""
    root, messages = info.desktop.root, info.desktop.messages
    assert root is not None
    assert messages is not None
    if handle == HWND_MESSAGE:
        return [messages]
    return [find_window(info.thread, handle)] if handle else [root, messages]


@user_service()
def NtUserBuildHwndList(
    thread: Thread,
    hdesk: HANDLE,
    hwndNext: HANDLE,
    fEnumChildren: BOOL,
    fRemoveImmersive: BOOL,
    idThread: DWORD,
    cHwndMax: UINT,
    phwndFirst: Ptr[HANDLE] | None,
    pcHwndNeeded: Out[UINT],
) -> NTSTATUS:
    """The windows of a desktop, of a thread, or in a window, in their order; the list ends with 1."""
    info = current(thread)
    handles = [window.handle for window in _listed(info, hdesk, hwndNext, bool(fEnumChildren), idThread)] + [1]
    pcHwndNeeded.write(len(handles))
    if phwndFirst is None or len(handles) > cHwndMax:
        raise NtError(STATUS.BUFFER_TOO_SMALL)
    for index, handle in enumerate(handles):
        phwndFirst[index] = handle
    return STATUS.SUCCESS


def _listed(info: ThreadInfo, hdesk: int, hwnd: int, inside: bool, thread_id: int) -> list[Window]:
    desktop = by_handle(info.thread, hdesk, DESKTOP_ENUMERATE, DESKTOP_TYPE) if hdesk else info.desktop
    if hwnd:
        window = find_window(info.thread, hwnd)
        return _below(window) if inside else window.children()
    listed = desktop.root.children() if desktop.root is not None else []
    if thread_id:
        listed = [each for each in listed if each.owner_thread and each.owner_thread.thread.id == thread_id]
    return listed


def _below(window: Window) -> list[Window]:
    found = []
    for child in window.children():
        found += [child, *_below(child)]
    return found


# ------------------------------------------------------------------ asking


@user_service(partial="process, thread, active and focus window, whether it hangs")
def NtUserQueryWindow(thread: Thread, hwnd: HANDLE, WindowInfo: UINT) -> ULONG_PTR:
    """A fact about a window by number."""
    window = find_window(thread, hwnd)
    owner = window.owner_thread
    if owner is None:
        return ULONG_PTR(0)
    if WindowInfo in (WINDOW_ACTIVE, WINDOW_FOCUS):
        return ULONG_PTR(focus.handle_in(owner, focus.ACTIVE if WindowInfo == WINDOW_ACTIVE else focus.FOCUS))
    if WindowInfo == WINDOW_PROCESS:
        return ULONG_PTR(owner.thread.process.id)
    if WindowInfo == WINDOW_THREAD:
        return ULONG_PTR(owner.thread.id)
    if WindowInfo == WINDOW_IS_HUNG:
        return ULONG_PTR(hung(owner))
    raise UserError(ERROR.INVALID_PARAMETER)


@user_service()
def NtUserInternalGetWindowText(thread: Thread, hWnd: HANDLE, pString: Ptr[WCHAR], cchMaxCount: INT) -> INT:
    """A window's text as win32k keeps it, without asking its procedure."""
    window = find_window(thread, hWnd)
    if cchMaxCount <= 0:
        return INT(0)
    data = to_utf16(window.text)[: (cchMaxCount - 1) * 2]
    pString.write_bytes(data + b"\0\0")
    return INT(len(data) // 2)


@user_service()
def NtUserDefSetText(thread: Thread, hWnd: HANDLE, pstrText: PVOID) -> BOOL:
    """Keep a text for a window, and tell nobody."""
    find_window(thread, hWnd).text = large_text(thread, pstrText) or ""
    return BOOL(1)


@user_service(partial="the extended status says nothing")
def NtUserChangeWindowMessageFilterEx(
    thread: Thread, hwnd: HANDLE, message: UINT, action: DWORD, pChangeFilterStruct: PVOID
) -> BOOL:
    """Let a message of processes of lower integrity pass to a window (1), no longer (2), or only the usual ones (0)."""
    window = find_window(thread, hwnd)
    if window.owner_thread is None or window.owner_thread.owner is not current(thread).owner:
        raise UserError(ERROR.ACCESS_DENIED)
    if action == MSGFLT_ALLOW:
        window.admitted.add(int(message))
    elif action == MSGFLT_DISALLOW:
        window.admitted.discard(int(message))
    elif action == MSGFLT_RESET:
        window.admitted.clear()
    else:
        raise UserError(ERROR.INVALID_PARAMETER)
    return BOOL(1)


# ------------------------------------------------------------------ properties


@user_service()
def NtUserSetProp(thread: Thread, hwnd: HANDLE, dwProp: DWORD, hData: HANDLE) -> BOOL:
    """Keep a value with a window under an atom."""
    info, window = current(thread), find_window(thread, hwnd)
    name = info.session.atoms.name(dwProp & 0xFFFF)
    if not name:
        raise UserError(ERROR.INVALID_PARAMETER)
    if dwProp & 0xFFFF not in window.properties and not name.startswith("#"):
        info.session.atoms.add(name)
    window.properties[dwProp & 0xFFFF] = hData
    return BOOL(1)


@user_service()
def NtUserGetProp(thread: Thread, hwnd: HANDLE, dwProp: DWORD) -> HANDLE:
    """The value kept under an atom, or 0."""
    return HANDLE(find_window(thread, hwnd).properties.get(dwProp & 0xFFFF, 0))


@user_service()
def NtUserRemoveProp(thread: Thread, hwnd: HANDLE, dwProp: DWORD) -> HANDLE:
    """Forget the value kept under an atom, and give it."""
    window = find_window(thread, hwnd)
    value = window.properties.pop(dwProp & 0xFFFF, None)
    if value is None:
        return HANDLE(0)
    window.session.atoms.delete(dwProp & 0xFFFF)
    return HANDLE(value)


@user_service()
def NtUserGetWindowProcessHandle(thread: Thread, hwnd: HANDLE, dwDesiredAccess: DWORD) -> HANDLE:
    """A handle to the process whose window it is."""
    owner = find_window(thread, hwnd).owner_thread
    if owner is None:
        raise UserError(ERROR.INVALID_PARAMETER)
    return HANDLE(open_by_pointer(thread, owner.thread.process, dwDesiredAccess))
