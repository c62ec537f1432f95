"""The machine's network adapters (iphlpapi.h): there is none, not even a loopback."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Ptr
from ntos.abi.types import DWORD, PVOID, ULONG
from ntos.um.export import export
from ntos.um.thread import UserThread


@export
def GetAdaptersAddresses(
    thread: UserThread, Family: ULONG, Flags: ULONG, Reserved: PVOID, AdapterAddresses: PVOID, SizePointer: Ptr[ULONG]
) -> DWORD:
    """The addresses of all adapters; ERROR_NO_DATA, for there are no adapters."""
    SizePointer.read()
    return DWORD(ERROR.NO_DATA)
