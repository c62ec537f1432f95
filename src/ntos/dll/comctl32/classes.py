"""Registering the window classes of the common controls (commctrl.h)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Ptr
from ntos.abi.struct import Struct, at
from ntos.abi.types import BOOL, DWORD
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread


class INITCOMMONCONTROLSEX(Struct, size=0x08):
    """Which controls are wanted."""

    dwSize = at(0x00, DWORD)
    dwICC = at(0x04, DWORD)


@export(partial="it always fails: there are no window classes")
def InitCommonControlsEx(thread: UserThread, picce: Ptr[INITCOMMONCONTROLSEX]) -> BOOL:
    """Register the classes of some common controls; refused, as there is nothing to register them with."""
    if picce.read().dwSize != INITCOMMONCONTROLSEX.size:
        raise WinError(ERROR.INVALID_PARAMETER)
    raise WinError(ERROR.CALL_NOT_IMPLEMENTED)
