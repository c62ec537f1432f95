"""Window classes: tagCLS in the shared heap, private to a process, or the system's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32k import CLS
from ntos.abi.winuser import CS_GLOBALCLASS, FNID_DEFWINDOWPROC, FNID_MESSAGEWND
from ntos.ke.win32_service import UserError

if TYPE_CHECKING:
    from ntos.abi.layout.win32k import WNDCLASSEXW
    from ntos.win32k.process import ProcessInfo
    from ntos.win32k.session import Session

DESKTOP_ATOM = 32769
MESSAGE_CLASS = "Message"
STATIC_CLASS = "Static"


class WindowClass:
    """A class: its CLS, and what its windows begin with."""

    def __init__(self, session: Session, atom: int) -> None:
        self.session = session
        self.view = CLS(session.kernel.memory, session.heap.allocate(CLS.size))
        self.view.atomClassName = atom
        self.ansi = False
        """Registered by RegisterClassA: its windows expect ANSI texts."""
        self.menu_name = 0

    @property
    def atom(self) -> int:
        """The name as an atom."""
        return int(self.view.atomClassName)

    @property
    def name(self) -> str:
        """The name as a text."""
        return self.session.atoms.name(self.atom)

    def count(self, change: int) -> None:
        """A window of the class more or less."""
        self.view.cWndReferenceCount = int(self.view.cWndReferenceCount) + change

    def release(self) -> None:
        """The class is no more."""
        self.session.atoms.delete(self.atom)
        self.session.heap.free(self.view.address)


def find_class(owner: ProcessInfo, atom: int, instance: int) -> WindowClass | None:
    """The class a process means: its own of that module, its global ones, the system's."""
    for each in owner.classes:
        if each.atom == atom and (int(each.view.style) & CS_GLOBALCLASS or int(each.view.hModule) == instance
                                  or not instance):  # fmt: skip
            return each
    system_classes(owner.session)
    return next((each for each in owner.session.classes if each.atom == atom), None)


def register(owner: ProcessInfo, described: WNDCLASSEXW, atom: int, *, ansi: bool) -> WindowClass:
    """A new class of the process's (xxxRegisterClassEx); the atom's use becomes the class's."""
    instance = int(described.hInstance)
    clash = any(
        each.atom == atom and (int(each.view.hModule) == instance or described.style & CS_GLOBALCLASS)
        for each in owner.classes
    )
    if clash:
        raise UserError(ERROR.CLASS_ALREADY_EXISTS)
    if described.cbClsExtra < 0 or described.cbWndExtra < 0 or not described.lpfnWndProc:
        raise UserError(ERROR.INVALID_PARAMETER)
    made = WindowClass(owner.session, atom)
    view = made.view
    view.style, view.lpfnWndProc, view.hModule = described.style, described.lpfnWndProc, instance
    view.cbclsExtra, view.cbwndExtra = described.cbClsExtra, described.cbWndExtra
    view.spicn, view.spcur, view.spicnSm = described.hIcon, described.hCursor, described.hIconSm
    view.hbrBackground, view.lpszMenuName = described.hbrBackground, described.lpszMenuName
    made.ansi = ansi
    owner.classes.insert(0, made)
    _link(owner)
    return made


def unregister(owner: ProcessInfo, found: WindowClass) -> None:
    """UnregisterClass: refused while there are windows."""
    if found not in owner.classes:
        raise UserError(ERROR.CLASS_DOES_NOT_EXIST)
    if int(found.view.cWndReferenceCount):
        raise UserError(ERROR.CLASS_HAS_WINDOWS)
    owner.classes.remove(found)
    _link(owner)
    found.release()


def release_classes(owner: ProcessInfo) -> None:
    """The process ends: its classes go."""
    for each in owner.classes:
        each.release()
    owner.classes.clear()
    _link(owner)


def _link(owner: ProcessInfo) -> None:
    """Write the chain of classes (pclsPrivateList)."""
    chain = [each.view.address for each in owner.classes]
    owner.view.pclsPrivateList = chain[0] if chain else 0
    for each, following in zip(owner.classes, [*chain[1:], 0], strict=False):
        each.view.pclsNext = following


def system_classes(session: Session) -> list[WindowClass]:
    """The classes that are there from the start: desktop, message windows' parent, and what needs no drawing."""
    if not session.classes:
        for atom, fnid in (
            (DESKTOP_ATOM, FNID_DEFWINDOWPROC),
            (session.atoms.add(MESSAGE_CLASS), FNID_MESSAGEWND),
            (session.atoms.add(STATIC_CLASS), FNID_DEFWINDOWPROC),
        ):
            made = WindowClass(session, atom)
            made.view.fnid = fnid
            session.classes.append(made)
    return session.classes
