"""Numbers of the Windows subsystem: server DLLs, their calls, flags of its clients."""

from __future__ import annotations

from typing import Final

CSRSRV_SERVERDLL_INDEX: Final = 0
BASESRV_SERVERDLL_INDEX: Final = 1

BasepCreateThread: Final = 0x1_0001
BasepExitProcess: Final = 0x1_0003
BasepSetProcessShutdownParam: Final = 0x1_0008
BasepGetProcessShutdownParam: Final = 0x1_0009
BasepCreateProcess2: Final = 0x1_001D
"""The call's number since Windows 10 20H1."""

SbCreateSession: Final = 0

CSR_CREATE_NEW_GROUP: Final = 0x100
CSR_CONSOLE_APP: Final = 0x800
SHUTDOWN_LEVEL: Final = 0x280
FIRST_SEQUENCE_NUMBER: Final = 5
SM_API_PORT: Final = "\\SmApiPort"
SESSION_READY: Final = "\\CsrSbSyncEvent"
"""The event csrss sets when it answers for its session."""
API_PORT: Final = "ApiPort"
SB_API_PORT: Final = "SbApiPort"


def directory_of(session: int) -> str:
    """The directory of a session's ports."""
    return f"\\Sessions\\{session}\\Windows" if session else "\\Windows"
