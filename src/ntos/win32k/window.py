"""Windows: a WND in the shared heap, its place in the tree, its text; what needs no message to be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32k import DESKTOPINFO, WND
from ntos.abi.winuser import TYPE_WINDOW, WS_CHILD
from ntos.ke.win32_service import UserError
from ntos.rtl.text import from_utf16, to_utf16
from ntos.win32k.classes import system_classes
from ntos.win32k.session import session_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ntos.ke.thread import Thread
    from ntos.win32k.classes import WindowClass
    from ntos.win32k.process import ThreadInfo
    from ntos.win32k.session import Session
    from ntos.win32k.station import Desktop

QUEUE_FIELDS = ("spwndCapture", "spwndFocus", "spwndActive")
HANDLE_QUOTA = 10_000
"""USERProcessHandleQuota's default."""


class Window:
    """One window. The tree and everything a program can ask for is in the WND."""

    def __init__(self, session: Session, kind: WindowClass, owner: ThreadInfo | None, desktop: Desktop) -> None:
        self.session = session
        self.kind = kind
        self.owner_thread = owner
        """The thread whose window it is; None for the desktop's own."""
        self.desktop = desktop
        self.alive = True
        self.destroying = False
        self.admitted: set[int] = set()
        """Messages it lets pass from processes of lower integrity."""
        self.properties: dict[int, int] = {}
        """SetProp's values by atom."""
        size = WND.size + int(kind.view.cbwndExtra)
        self.view = WND(session.kernel.memory, session.heap.allocate(size))
        self.view.cbwndExtra = kind.view.cbwndExtra
        thread_address = owner.view.address if owner is not None else 0
        self.handle = self._take_handle(owner)
        self.view.head.pti, self.view.head.rpdesk = thread_address, desktop.address
        self.view.pcls = kind.view.address
        self.view.lpfnWndProc, self.view.fnid = kind.view.lpfnWndProc, kind.view.fnid
        self.view.bUnicode = int(not kind.ansi)
        kind.count(1)
        if owner is not None:
            owner.windows.append(self)
            owner.view.cWindows = int(owner.view.cWindows) + 1
            owner.owner.count_handle(1)

    def _take_handle(self, owner: ThreadInfo | None) -> int:
        """A handle, unless the process has as many as it may."""
        try:
            if owner is not None and int(owner.owner.view.W32.UserHandleCount) >= HANDLE_QUOTA:
                raise UserError(ERROR.NO_MORE_USER_HANDLES)
            address = owner.view.address if owner is not None else 0
            return self.session.objects.add(self, self.view.address, TYPE_WINDOW, address)
        except UserError:
            self.session.heap.free(self.view.address)
            raise

    def __repr__(self) -> str:
        return f"Window(0x{self.handle:X})"

    @property
    def ansi(self) -> bool:
        """Whether its procedure expects ANSI texts."""
        return not self.view.bUnicode

    @property
    def style(self) -> int:
        """WS_… bits."""
        return int(self.view.style)

    # ------------------------------------------------------------ the tree

    def at(self, address: int) -> Window | None:
        """The window whose WND is at an address."""
        return self.session.objects.by_address[address] if address else None

    @property
    def parent(self) -> Window | None:
        """The window it lies in: the desktop for top-level ones."""
        return self.at(int(self.view.spwndParent))

    @property
    def owner(self) -> Window | None:
        """The window it belongs to without lying in it."""
        return self.at(int(self.view.spwndOwner))

    def children(self) -> list[Window]:
        """Its children, the topmost first."""
        return list(self._siblings(int(self.view.spwndChild)))

    def _siblings(self, address: int) -> Iterator[Window]:
        while address:
            window = self.at(address)
            assert window is not None
            address = int(window.view.spwndNext)
            yield window

    def link(self, parent: Window, *, top: bool) -> None:
        """Put it among the parent's children."""
        siblings = parent.children()
        siblings.insert(0 if top else len(siblings), self)
        self.view.spwndParent = parent.view.address
        parent.order(siblings)

    def unlink(self) -> None:
        """Take it out of the tree."""
        parent = self.parent
        if parent is not None:
            siblings = parent.children()
            if self in siblings:
                siblings.remove(self)
                parent.order(siblings)
        self.view.spwndNext = self.view.spwndPrev = self.view.spwndParent = 0

    def order(self, children: list[Window]) -> None:
        """Write the chain of children."""
        addresses = [child.view.address for child in children]
        self.view.spwndChild = addresses[0] if addresses else 0
        for index, child in enumerate(children):
            child.view.spwndPrev = addresses[index - 1] if index else 0
            child.view.spwndNext = addresses[index + 1] if index + 1 < len(addresses) else 0

    def contains(self, other: Window) -> bool:
        """Whether `other` is a child of it, at whatever depth (IsChild)."""
        window: Window | None = other
        while window is not None and window.style & WS_CHILD:
            window = window.parent
            if window is self:
                return True
        return False

    def top_level(self) -> Window:
        """The ancestor that is no child: itself if it is none."""
        window = self
        while window.style & WS_CHILD:
            parent = window.parent
            if parent is None:
                break
            window = parent
        return window

    # ------------------------------------------------------------ text

    @property
    def text(self) -> str:
        """What SetWindowText said."""
        name = self.view.strName
        if not name.Buffer:
            return ""
        return from_utf16(self.session.kernel.memory.read(int(name.Buffer), int(name.Length)))

    @text.setter
    def text(self, value: str) -> None:
        name = self.view.strName
        if name.Buffer:
            self.session.heap.free(int(name.Buffer))
            name.Buffer = name.Length = name.MaximumLength = 0
        data = to_utf16(value)
        if data:
            buffer = self.session.heap.allocate(len(data) + 2)
            self.session.kernel.memory.write(buffer, data)
            name.Buffer, name.Length, name.MaximumLength = buffer, len(data), len(data) + 2

    # ------------------------------------------------------------ the end

    def release(self) -> None:
        """The window and what lies in it go, and nobody is told (xxxFreeWindow's last part)."""
        for child in self.children():
            child.release()
        for other in self.session.objects.by_address.values():
            if isinstance(other, Window) and int(other.view.spwndOwner) == self.view.address:
                other.view.spwndOwner = 0
        self.alive = False
        self._leave_queue()
        self.unlink()
        self.text = ""
        for atom in self.properties:
            self.session.atoms.delete(atom)
        owner = self.owner_thread
        if owner is not None:
            owner.windows.remove(self)
            owner.view.cWindows = int(owner.view.cWindows) - 1
            owner.owner.count_handle(-1)
            for timer in [each for each in owner.timers if each.window is self]:
                timer.kill()
        self.kind.count(-1)
        self.session.objects.remove(self.view.address)
        self.session.heap.free(self.view.address)


    def _leave_queue(self) -> None:
        """No queue and no desktop leads to it any more."""
        owner, address = self.owner_thread, self.view.address
        if owner is not None:
            for field in QUEUE_FIELDS:
                if int(getattr(owner.queue, field)) == address:
                    setattr(owner.queue, field, 0)
        if int(self.desktop.view.spwndForeground) == address:
            self.desktop.view.spwndForeground = 0


def find_window(thread: Thread, handle: int) -> Window:
    """The window a handle means; ERROR_INVALID_WINDOW_HANDLE where it means none (ValidateHwnd)."""
    found = session_of(thread.process).objects.find(handle, TYPE_WINDOW)
    if not isinstance(found, Window):
        raise UserError(ERROR.INVALID_WINDOW_HANDLE)
    return found


def make_desktop_windows(session: Session, desktop: Desktop) -> None:
    """The desktop's own windows: the root of all top-level ones, and the parent of message-only ones."""
    if desktop.root is not None:
        return
    classes = system_classes(session)
    desktop.root = Window(session, classes[0], None, desktop)
    desktop.messages = Window(session, classes[1], None, desktop)
    desktop.view.spwndMessage = desktop.messages.view.address
    desktop.view.pheapDesktop = session.heap.base
    information = DESKTOPINFO(session.kernel.memory, session.heap.allocate(DESKTOPINFO.size))
    information.spwnd = desktop.root.view.address
    desktop.view.pDeskInfo = information.address
