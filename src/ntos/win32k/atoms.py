"""Atoms of the window manager: class names, registered messages, window properties (UserAddAtom)."""

from __future__ import annotations

from ntos.abi.status import STATUS, NtError
from ntos.rtl.text import upcase

FIRST_ATOM = 0xC000
LAST_ATOM = 0xFFFF


class AtomTable:
    """Numbers for names, counted."""

    def __init__(self) -> None:
        self._by_name: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._counts: dict[int, int] = {}

    def add(self, name: str) -> int:
        """The atom of a name, with one use more."""
        atom = self.find(name)
        if not atom:
            # 0xC000 itself is what MAKEINTATOM(0) rounds to elsewhere: RtlCreateAtomTable begins with 0xC001.
            atom = next((number for number in range(FIRST_ATOM + 1, LAST_ATOM) if number not in self._names), 0)
            if not atom:
                raise NtError(STATUS.NO_MEMORY)
            self._by_name[upcase(name)] = atom
            self._names[atom] = name
        self._counts[atom] = self._counts.get(atom, 0) + 1
        return atom

    def find(self, name: str) -> int:
        """The atom of a name (any case), or 0."""
        return self._by_name.get(upcase(name), 0)

    def name(self, atom: int) -> str:
        """The name of an atom; `#123` for a number that needs none; empty for no atom."""
        if atom < FIRST_ATOM:
            return f"#{atom}" if atom else ""
        return self._names.get(atom, "")

    def delete(self, atom: int) -> None:
        """One use less; the last one lets the name go."""
        if atom not in self._names:
            return
        self._counts[atom] -= 1
        if not self._counts[atom]:
            del self._by_name[upcase(self._names.pop(atom))]
            del self._counts[atom]
