"""What there is once per session: pool and heap, USER objects, atoms, window stations, system classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.win32k.atoms import AtomTable
from ntos.win32k.memory import SessionPool, SharedHeap
from ntos.win32k.objects import UserObjects

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.win32k.classes import WindowClass
    from ntos.win32k.station import WindowStation

NO_SESSION = 0


class Session:
    """One session's window manager."""

    def __init__(self, kernel: Kernel, number: int) -> None:
        self.kernel = kernel
        self.number = number
        self.stations: list[WindowStation] = []
        self.atoms = AtomTable()
        self.classes: list[WindowClass] = []
        """The system's own, there for every process."""
        self.timer_id = 0x7FFF
        self._heap: SharedHeap | None = None
        self._objects: UserObjects | None = None

    @property
    def pool(self) -> SessionPool:
        """The session pool."""
        return self.kernel[SessionPool]

    @property
    def heap(self) -> SharedHeap:
        """The shared heap, made when the first GUI thread comes."""
        if self._heap is None:
            self._heap = SharedHeap(self.kernel, self.number)
        return self._heap

    @property
    def objects(self) -> UserObjects:
        """The USER handles."""
        if self._objects is None:
            self._objects = UserObjects(self.heap)
        return self._objects


class Sessions:
    """All sessions by number."""

    def __init__(self) -> None:
        self.by_number: dict[int, Session] = {}

    def get(self, kernel: Kernel, number: int) -> Session:
        """The session, made on first use."""
        found = self.by_number.get(number)
        if found is None:
            found = self.by_number[number] = Session(kernel, number)
        return found


def session_of(process: Process) -> Session:
    """The session a process belongs to; what is in none counts to session 0."""
    space = int(process.eprocess.Session)
    number = int.from_bytes(process.kernel.memory.read(space + 8, 4), "little") if space else NO_SESSION
    return process.kernel.part(Sessions).get(process.kernel, number)
