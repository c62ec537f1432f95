"""Atoms: 16-bit numbers for strings, of the process (Add…, Find…) and of all (Global…) (winbase.h).

On Windows the process's table is ntdll's and the global one the window station's; here both are kept for the process,
which is all a program without windows can see of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, DWORD, INT, UINT, USHORT, WCHAR
from ntos.dll.kernelbase.text import export_both, put_cut, text_of
from ntos.rtl.text import case_key
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

MAXINTATOM = 0xC000
LONGEST = 255
OWN_TABLE = "other processes do not see the process's global atoms"


@dataclass
class Table:
    """Strings by atom, with how often each was added."""

    names: dict[int, str] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)

    def find(self, name: str) -> int:
        """The atom of a string, or 0."""
        wanted = case_key(name)
        return next((atom for atom, text in self.names.items() if case_key(text) == wanted), 0)

    def add(self, name: str) -> int:
        """The atom of a string, new or counted once more."""
        atom = self.find(name) or next(n for n in range(MAXINTATOM, 0x10000) if n not in self.names)
        self.names.setdefault(atom, name)
        self.counts[atom] = self.counts.get(atom, 0) + 1
        return atom

    def delete(self, atom: int) -> bool:
        """Count an atom down; it goes with the last."""
        if atom not in self.counts:
            return False
        self.counts[atom] -= 1
        if not self.counts[atom]:
            del self.counts[atom], self.names[atom]
        return True


@dataclass
class Tables:
    """Both tables of a process."""

    own: Table = field(default_factory=Table)
    everyone: Table = field(default_factory=Table)


def integer_atom(text: str) -> int:
    """The number in `#123`; 0 for other strings."""
    return int(text[1:]) if text.startswith("#") and text[1:].isdigit() and 0 < int(text[1:]) < MAXINTATOM else 0


def _given(pointer: Ptr[WCHAR]) -> str | int:
    """A caller's string, or the integer atom it is."""
    if not pointer.address >> 16:
        if not 0 < pointer.address < MAXINTATOM:
            raise WinError(ERROR.INVALID_PARAMETER)
        return pointer.address
    text = text_of(pointer)
    if not text or len(text) > LONGEST:
        raise WinError(ERROR.INVALID_PARAMETER)
    return integer_atom(text) or text


def _add(table: Table, pointer: Ptr[WCHAR]) -> USHORT:
    given = _given(pointer)
    return USHORT(given if isinstance(given, int) else table.add(given))


def _find(table: Table, pointer: Ptr[WCHAR]) -> USHORT:
    given = _given(pointer)
    atom = given if isinstance(given, int) else table.find(given)
    if not atom:
        raise WinError(ERROR.FILE_NOT_FOUND)
    return USHORT(atom)


def _delete(thread: UserThread, table: Table, atom: int) -> USHORT:
    if atom >= MAXINTATOM and not table.delete(atom):
        raise WinError(ERROR.INVALID_HANDLE)
    return USHORT(0)


def _name(table: Table, atom: int, place: Ptr[WCHAR], size: int) -> UINT:
    name = f"#{atom}" if 0 < atom < MAXINTATOM else table.names.get(atom)
    if name is None:
        raise WinError(ERROR.INVALID_HANDLE)
    if size <= 0:
        raise WinError(ERROR.MORE_DATA)
    return UINT(put_cut(place, size, name))


@export_both()
def AddAtomW(thread: UserThread, lpString: Ptr[WCHAR]) -> USHORT:
    """The atom of a string in the process's table, added if need be."""
    return _add(thread.state(Tables).own, lpString)


@export_both()
def FindAtomW(thread: UserThread, lpString: Ptr[WCHAR]) -> USHORT:
    """The atom of a string in the process's table."""
    return _find(thread.state(Tables).own, lpString)


@export
def DeleteAtom(thread: UserThread, nAtom: USHORT) -> USHORT:
    """Count an atom of the process down; 0 says that it was there."""
    return _delete(thread, thread.state(Tables).own, nAtom)


@export_both()
def GetAtomNameW(thread: UserThread, nAtom: USHORT, lpBuffer: Ptr[WCHAR], nSize: INT) -> UINT:
    """The string of an atom of the process, cut where the buffer is short."""
    return _name(thread.state(Tables).own, nAtom, lpBuffer, nSize)


@export
def InitAtomTable(thread: UserThread, nSize: DWORD) -> BOOL:
    """The table grows by itself."""
    return BOOL(1)


@export_both(partial=OWN_TABLE)
def GlobalAddAtomW(thread: UserThread, lpString: Ptr[WCHAR]) -> USHORT:
    """The global atom of a string, added if need be."""
    return _add(thread.state(Tables).everyone, lpString)


@export_both(partial=OWN_TABLE)
def GlobalFindAtomW(thread: UserThread, lpString: Ptr[WCHAR]) -> USHORT:
    """The global atom of a string."""
    return _find(thread.state(Tables).everyone, lpString)


@export(partial=OWN_TABLE)
def GlobalDeleteAtom(thread: UserThread, nAtom: USHORT) -> USHORT:
    """Count a global atom down."""
    return _delete(thread, thread.state(Tables).everyone, nAtom)


@export_both(partial=OWN_TABLE)
def GlobalGetAtomNameW(thread: UserThread, nAtom: USHORT, lpBuffer: Ptr[WCHAR], nSize: INT) -> UINT:
    """The string of a global atom, cut where the buffer is short."""
    return _name(thread.state(Tables).everyone, nAtom, lpBuffer, nSize)
