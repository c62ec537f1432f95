"""Services on cursors and icons: handles that say which resource they show. There is no display to show them on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.errors import ERROR
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.layout.win32k import CURSOR
from ntos.abi.pointer import In
from ntos.abi.types import BOOL, DWORD, HANDLE, PVOID
from ntos.abi.winuser import TYPE_CURSOR
from ntos.ke.win32_service import UserError, user_service
from ntos.rtl.text import equal_insensitive
from ntos.win32k.process import current
from ntos.win32k.text import atom_or_text, find_atom

if TYPE_CHECKING:
    from ntos.ke.thread import Thread
    from ntos.win32k.session import Session

SYSTEM_MODULE = "USER32"
OEM_IDS = frozenset((*range(32512, 32519), *range(32640, 32652)))
"""IDC_ARROW … IDC_PERSON, IDI_APPLICATION … IDI_SHIELD (winuser.h)."""


class Cursor:
    """A cursor or icon."""

    def __init__(self, session: Session, owner: int) -> None:
        self.session = session
        self.module = ""
        self.view = CURSOR(session.kernel.memory, session.heap.allocate(CURSOR.size))
        self.handle = session.objects.add(self, self.view.address, TYPE_CURSOR, owner)

    def release(self) -> None:
        """It is gone."""
        self.session.objects.remove(self.view.address)
        self.session.heap.free(self.view.address)


@user_service(partial="sizes say nothing")
def NtUserFindExistingCursorIcon(
    thread: Thread, pustrModule: In[UNICODE_STRING], pustrName: In[UNICODE_STRING], pParam: PVOID
) -> HANDLE:
    """The shared cursor or icon of a module's resource; the system's own are there from the first question on."""
    session = current(thread).session
    module, name = pustrModule.text, find_atom(session, atom_or_text(pustrName))
    for each in session.objects.by_address.values():
        if isinstance(each, Cursor) and each.view.shared and int(each.view.idResource) == name and equal_insensitive(
            each.module, module
        ):
            return HANDLE(each.handle)
    if equal_insensitive(module, SYSTEM_MODULE) and name in OEM_IDS:
        made = Cursor(session, 0)
        made.module = SYSTEM_MODULE
        made.view.shared, made.view.idResource = 1, name
        return HANDLE(made.handle)
    return HANDLE(0)


@user_service()
def NtUserCreateEmptyCursorObject(thread: Thread, dwFlags: DWORD) -> HANDLE:
    """A cursor without an image."""
    info = current(thread)
    return HANDLE(Cursor(info.session, info.owner.view.address).handle)


@user_service(partial="which resource it is, not its image")
def NtUserSetCursorIconData(
    thread: Thread,
    hCursor: HANDLE,
    pustrModule: In[UNICODE_STRING] | None,
    pustrName: In[UNICODE_STRING] | None,
    pCursorData: PVOID,
) -> BOOL:
    """Say which resource a cursor shows."""
    cursor = _find(thread, hCursor)
    cursor.module = pustrModule.text if pustrModule is not None else ""
    if pustrName is not None:
        cursor.view.idResource = find_atom(cursor.session, atom_or_text(pustrName))
    cursor.view.shared = 1
    return BOOL(1)


@user_service()
def NtUserDestroyCursor(thread: Thread, hCursor: HANDLE, Flags: DWORD) -> BOOL:
    """Destroy a cursor of the program's own; shared ones stay."""
    cursor = _find(thread, hCursor)
    if not cursor.view.shared:
        cursor.release()
    return BOOL(1)


def _find(thread: Thread, handle: int) -> Cursor:
    found = current(thread).session.objects.find(handle, TYPE_CURSOR)
    if not isinstance(found, Cursor):
        raise UserError(ERROR.INVALID_CURSOR_HANDLE)
    return found
