"""Windows Sockets: the structure WSAStartup fills (winsock2.h)."""

from __future__ import annotations

from ntos.abi.struct import Struct, at, chars
from ntos.abi.types import PVOID, USHORT, WORD


class WSADATA(Struct, size=0x198):
    """What WSAStartup tells of the implementation."""

    wVersion       = at(0x000, WORD)
    wHighVersion   = at(0x002, WORD)
    iMaxSockets    = at(0x004, USHORT)
    iMaxUdpDg      = at(0x006, USHORT)
    lpVendorInfo   = at(0x008, PVOID)
    szDescription  = at(0x010, chars(257))
    szSystemStatus = at(0x111, chars(129))
