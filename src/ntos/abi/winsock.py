"""Windows Sockets: error codes (winsock2.h)."""

from __future__ import annotations

from typing import Final


class WSA:
    """Winsock errors without their WSA prefix; WSAGetLastError gives them."""

    EFAULT: Final = 10014
    EINVAL: Final = 10022
    ENOTSOCK: Final = 10038
    EAFNOSUPPORT: Final = 10047
    ENETDOWN: Final = 10050
    ENOBUFS: Final = 10055
    VERNOTSUPPORTED: Final = 10092
    NOTINITIALISED: Final = 10093


SOCKET_ERROR: Final = 0xFFFF_FFFF
INVALID_SOCKET: Final = 0xFFFF_FFFF_FFFF_FFFF
INADDR_NONE: Final = 0xFFFF_FFFF
