"""Session spaces: what the memory manager keeps of each session, and which processes are in it.

On Windows each session has kernel memory of its own (win32k's pool and images), mapped only in its processes;
nothing lives there yet, so an MM_SESSION_SPACE here says which session it is, since when, and who belongs to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.session import MM_SESSION_SPACE

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process

TAG = b"MmSe"
LOCALE_EN_US = 0x409


class SessionSpaces:
    """All sessions by number; they stay for the life of the machine."""

    def __init__(self) -> None:
        self.by_id: dict[int, MM_SESSION_SPACE] = {}

    def space(self, kernel: Kernel, session: int) -> MM_SESSION_SPACE:
        """The session's space, made on first use (MmSessionCreate)."""
        known = self.by_id.get(session)
        if known is not None:
            return known
        view = MM_SESSION_SPACE(kernel.memory, kernel.pool.allocate(MM_SESSION_SPACE.size, TAG))
        view.ReferenceCount = 1
        view.u.Flags.Initialized = 1
        view.SessionId = session
        view.LocaleId = LOCALE_EN_US
        view.CreateTime = kernel.clock.system_time
        view.ProcessList.initialize()
        self.by_id[session] = view
        return view


def next_number(kernel: Kernel) -> int:
    """The number of the next session."""
    return max(kernel.part(SessionSpaces).by_id, default=-1) + 1


def join(process: Process, session: int) -> None:
    """Count a process into a session (MiSessionAddProcess)."""
    space = process.kernel.part(SessionSpaces).space(process.kernel, session)
    eprocess = process.eprocess
    eprocess.Session = space.address
    eprocess.ProcessInSession = 1
    space.ProcessList.insert_tail(eprocess.SessionProcessLinks)
    space.ProcessReferenceToSession = int(space.ProcessReferenceToSession) + 1


def leave(process: Process) -> None:
    """Count it out at its end (MiSessionRemoveProcess); it goes on saying which session it was in."""
    eprocess = process.eprocess
    if not eprocess.ProcessInSession:
        return
    eprocess.ProcessInSession = 0
    eprocess.SessionProcessLinks.remove()
    eprocess.SessionProcessLinks.initialize()
    space = MM_SESSION_SPACE(process.kernel.memory, int(eprocess.Session))
    space.ProcessReferenceToSession = int(space.ProcessReferenceToSession) - 1
