"""Logon sessions: what tokens of one logon share, kept as true SEP_LOGON_SESSION_REFERENCES in pool."""

from __future__ import annotations

from ntos.abi.layout.token import SEP_LOGON_SESSION_REFERENCES
from ntos.abi.status import STATUS, NtError
from ntos.ke.kernel import Kernel
from ntos.rtl.text import to_utf16
from ntos.se import luid


class LogonSessions:
    """Sessions by their LUID (SepLogonSessions)."""

    def __init__(self) -> None:
        self.by_id: dict[int, SEP_LOGON_SESSION_REFERENCES] = {}


def create(kernel: Kernel, session: int, account: str, authority: str) -> SEP_LOGON_SESSION_REFERENCES:
    """A logon session, linked in front of the others (SeCreateLogonSession)."""
    sessions = kernel.part(LogonSessions)
    if session in sessions.by_id:
        raise NtError(STATUS.LOGON_SESSION_EXISTS)
    address = kernel.pool.allocate(SEP_LOGON_SESSION_REFERENCES.size, b"SeLs", paged=True)
    record = SEP_LOGON_SESSION_REFERENCES(kernel.memory, address)
    record.clear()
    record.Next = next(reversed(sessions.by_id.values())).address if sessions.by_id else 0
    luid.put(record.LogonId, session)
    for name, text in ((record.AccountName, account), (record.AuthorityName, authority)):
        data = to_utf16(text)
        buffer = kernel.pool.allocate(len(data) + 2, b"SeLs", paged=True)
        kernel.memory.write(buffer, data + b"\0\0")
        name.Length, name.MaximumLength, name.Buffer = len(data), len(data) + 2, buffer
    record.TokenList.initialize()
    record.RevocationBlock.RevocationInfos.initialize()
    sessions.by_id[session] = record
    return record


def find(kernel: Kernel, session: int) -> SEP_LOGON_SESSION_REFERENCES:
    """The session with this LUID; NO_SUCH_LOGON_SESSION where there is none."""
    record = kernel.part(LogonSessions).by_id.get(session)
    if record is None:
        raise NtError(STATUS.NO_SUCH_LOGON_SESSION)
    return record


def link(kernel: Kernel, one: int, other: int) -> None:
    """Make two sessions the halves of one split logon."""
    luid.put(find(kernel, one).BuddyLogonId, other)
    luid.put(find(kernel, other).BuddyLogonId, one)


def reference(kernel: Kernel, session: int) -> int:
    """One more token of this session; gives the record's address."""
    record = find(kernel, session)
    record.ReferenceCount = int(record.ReferenceCount) + 1
    return record.address


def dereference(kernel: Kernel, address: int) -> None:
    """One token less. Sessions stay until the authority that made them deletes them."""
    if address:
        record = SEP_LOGON_SESSION_REFERENCES(kernel.memory, address)
        record.ReferenceCount = int(record.ReferenceCount) - 1
