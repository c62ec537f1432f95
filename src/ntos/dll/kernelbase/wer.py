"""What error reporting is told of a process (werapi.h): kept, for there is no reporting service to act on it."""

from __future__ import annotations

from ntos.abi.ob import CURRENT_PROCESS
from ntos.abi.pointer import Out
from ntos.abi.types import DWORD, HANDLE, HRESULT
from ntos.dll.kernelbase.error import ErrorState
from ntos.um.export import export
from ntos.um.thread import UserThread

S_OK, E_INVALIDARG, E_ACCESSDENIED = 0, 0x8007_0057, 0x8007_0005
KNOWN_FLAGS = 0x1FF


@export
def WerSetFlags(thread: UserThread, dwFlags: DWORD) -> HRESULT:
    """Say how faults of this process are to be reported."""
    if dwFlags & ~KNOWN_FLAGS:
        return HRESULT(E_INVALIDARG)
    thread.state(ErrorState).wer_flags = int(dwFlags)
    return HRESULT(S_OK)


@export(partial="this process's flags only")
def WerGetFlags(thread: UserThread, hProcess: HANDLE, pdwFlags: Out[DWORD]) -> HRESULT:
    """What WerSetFlags said."""
    if hProcess != CURRENT_PROCESS:
        return HRESULT(E_ACCESSDENIED)
    pdwFlags.write(thread.state(ErrorState).wer_flags)
    return HRESULT(S_OK)
