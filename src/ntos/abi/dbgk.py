"""Numbers of user-mode debugging: message kinds, state changes, flags (phnt, ntdbg.h)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class DBGKM_APINUMBER(IntEnum):
    """What a message of the kernel to a debugger is about."""

    DbgKmExceptionApi     = 0
    DbgKmCreateThreadApi  = 1
    DbgKmCreateProcessApi = 2
    DbgKmExitThreadApi    = 3
    DbgKmExitProcessApi   = 4
    DbgKmLoadDllApi       = 5
    DbgKmUnloadDllApi     = 6


class DBG_STATE(IntEnum):
    """DBGUI_WAIT_STATE_CHANGE.NewState."""

    DbgIdle                     = 0
    DbgReplyPending             = 1
    DbgCreateThreadStateChange  = 2
    DbgCreateProcessStateChange = 3
    DbgExitThreadStateChange    = 4
    DbgExitProcessStateChange   = 5
    DbgExceptionStateChange     = 6
    DbgBreakpointStateChange    = 7
    DbgSingleStepStateChange    = 8
    DbgLoadDllStateChange       = 9
    DbgUnloadDllStateChange     = 10


DEBUG_KILL_ON_CLOSE: Final = 1
"""NtCreateDebugObject: who is debugged dies with the debug object."""
DebugObjectKillProcessOnExitInformation: Final = 1
FLG_HEAP_ENABLE_TAIL_CHECK, FLG_HEAP_ENABLE_FREE_CHECK, FLG_HEAP_VALIDATE_PARAMETERS = 0x10, 0x20, 0x40
FLG_HEAP_DEBUG: Final = FLG_HEAP_ENABLE_TAIL_CHECK | FLG_HEAP_ENABLE_FREE_CHECK | FLG_HEAP_VALIDATE_PARAMETERS
"""What the loader sets in PEB.NtGlobalFlag of a program begun under a debugger."""
