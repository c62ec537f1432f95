"""Texts and names at win32k's doors: UNICODE_STRINGs and LARGE_STRINGs, and names that are atoms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.errors import ERROR
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.layout.win32k import LARGE_STRING
from ntos.ke.win32_service import UserError
from ntos.rtl.nls.codepage import ansi as from_ansi
from ntos.rtl.text import from_utf16, to_utf16

if TYPE_CHECKING:
    from ntos.ke.thread import Thread
    from ntos.win32k.session import Session

INTEGER_ATOM_LIMIT = 0x1_0000
LONGEST = 0x10_0000


def large_text(thread: Thread, address: int) -> str | None:
    """The text of the LARGE_STRING at an address; None for NULL."""
    if not address:
        return None
    view = LARGE_STRING.parse(thread.memory.read(address, LARGE_STRING.size))
    if not view.Buffer:
        return None
    if int(view.Length) > LONGEST:
        raise UserError(ERROR.INVALID_PARAMETER)
    data = thread.memory.read(int(view.Buffer), int(view.Length))
    return from_ansi(data) if view.bAnsi else from_utf16(data)


def atom_or_large_text(thread: Thread, address: int) -> int | str:
    """A class's name: an atom in the pointer's place, or a text."""
    if address < INTEGER_ATOM_LIMIT:
        return address
    return large_text(thread, address) or ""


def atom_or_text(name: UNICODE_STRING) -> int | str:
    """The same in a UNICODE_STRING: an atom is where the buffer's address would be."""
    if int(name.Buffer) < INTEGER_ATOM_LIMIT:
        return int(name.Buffer)
    return name.text


def find_atom(session: Session, name: int | str) -> int:
    """The atom a name has, or 0; `#123` means the number."""
    if isinstance(name, int):
        return name
    if name.startswith("#") and name[1:].isdigit():
        return int(name[1:])
    return session.atoms.find(name)


def add_atom(session: Session, name: int | str) -> int:
    """The atom of a name, with one use more."""
    if isinstance(name, int):
        return name
    if not name or len(name) > 255:
        raise UserError(ERROR.INVALID_PARAMETER)
    return find_atom(session, name) if name.startswith("#") else session.atoms.add(name)


def put_text(thread: Thread, place: UNICODE_STRING, text: str) -> int:
    """Fill the caller's UNICODE_STRING with what fits and a NUL; gives the characters stored."""
    room = int(place.MaximumLength) // 2
    if not room:
        raise UserError(ERROR.INSUFFICIENT_BUFFER)
    data = to_utf16(text)[: (room - 1) * 2]
    thread.memory.write(int(place.Buffer), data + b"\0\0")
    return len(data) // 2
