"""Privileges switched on and off: RtlAdjustPrivilege."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.access import TOKEN_ADJUST_PRIVILEGES, TOKEN_QUERY
from ntos.abi.ob import CURRENT_PROCESS, CURRENT_THREAD
from ntos.abi.pointer import Out
from ntos.abi.se import SE_PRIVILEGE_ENABLED
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOLEAN, HANDLE, NTSTATUS, ULONG
from ntos.um import nt
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import Frame, UserThread

OPEN_AS_CALLER = 0


@export
def RtlAdjustPrivilege(
    thread: UserThread, Privilege: ULONG, Enable: BOOLEAN, Client: BOOLEAN, WasEnabled: Out[BOOLEAN]
) -> NTSTATUS:
    """Switch a privilege of the process's (or the impersonated client's) token; PRIVILEGE_NOT_HELD without it."""
    with thread.frame() as frame:
        place = frame.new(HANDLE)
        access = TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY
        if Client:
            nt.NtOpenThreadToken(thread, CURRENT_THREAD, access, OPEN_AS_CALLER, place.address)
        else:
            nt.NtOpenProcessToken(thread, CURRENT_PROCESS, access, place.address)
        token = int(place.read())
        try:
            WasEnabled.write(BOOLEAN(_switch(thread, frame, token, Privilege, enable=bool(Enable))))
        finally:
            nt.NtClose(thread, token)
    return STATUS.SUCCESS


def _switch(thread: UserThread, frame: Frame, token: int, privilege: int, *, enable: bool) -> bool:
    """Whether it was on before."""
    state = frame.bytes(struct.pack("<IQI", 1, privilege, SE_PRIVILEGE_ENABLED if enable else 0))
    former, length = frame.allocate(16), frame.allocate(8)
    if nt.NtAdjustPrivilegesToken(thread, token, 0, state, 16, former, length) == STATUS.NOT_ALL_ASSIGNED:
        raise NtError(STATUS.PRIVILEGE_NOT_HELD)
    changed, attributes = struct.unpack("<I8xI", thread.memory.read(former, 16))
    return bool(attributes & SE_PRIVILEGE_ENABLED) if changed else enable
