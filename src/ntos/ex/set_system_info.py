"""NtSetSystemInformation: what the session manager may change of the machine, by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import mm, ob
from ntos.abi.layout.peb import PEB
from ntos.abi.se import SE_PRIVILEGE
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.sysinfo import SYSTEM_INFORMATION_CLASS as CLASS
from ntos.abi.types import NTSTATUS, PVOID, ULONG
from ntos.ke.service import service
from ntos.ob.boot import has_session
from ntos.se import privileges
from ntos.se import token as tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.ke.thread import Thread


def _create_session(thread: Thread, buffer: int, length: int) -> None:
    """A new session with the calling process in it (MmSessionCreate); its number is the answer."""
    privileges.require(thread, SE_PRIVILEGE.LOAD_DRIVER)
    if length != ULONG.size:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    process, kernel = thread.process, thread.kernel
    if process.eprocess.ProcessInSession:
        because = Denied("a process is in one session", {"process": process.id}, "a process without a session")
        raise NtError(STATUS.ALREADY_COMMITTED, because)
    session = mm.session.next_number(kernel)
    if not has_session(kernel, session):
        ob.create_session(kernel, session)
    ULONG.store(thread.memory, buffer, session)
    mm.session.join(process, session)
    tokens.primary_token(process).body.SessionId = session
    PEB(process.memory, int(process.eprocess.Peb)).SessionId = session


SETTERS: dict[int, Callable[[Thread, int, int], None]] = {CLASS.SystemSessionCreate: _create_session}


@service(partial="SystemSessionCreate only")
def NtSetSystemInformation(
    thread: Thread, SystemInformationClass: ULONG, SystemInformation: PVOID, SystemInformationLength: ULONG
) -> NTSTATUS:
    """Change something of the machine, by class."""
    change = SETTERS.get(SystemInformationClass)
    if change is None:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    change(thread, SystemInformation, SystemInformationLength)
    return STATUS.SUCCESS
