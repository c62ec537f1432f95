"""WSAStartup and WSACleanup, the last error, and the catalogue of protocols."""

from __future__ import annotations

from dataclasses import dataclass

from ntos.abi.layout.winsock import WSADATA
from ntos.abi.pointer import Ptr
from ntos.abi.types import DWORD, INT, PVOID, WORD
from ntos.abi.winsock import SOCKET_ERROR, WSA
from ntos.um.export import WinError, export, last_error, set_last_error
from ntos.um.thread import UserThread

HIGHEST = (2, 2)
SOCKETS_OF_VERSION_1 = (32767, 65467)
"""iMaxSockets and iMaxUdpDg, which version 2 no longer says."""


@dataclass
class Winsock:
    """How often the process has started Winsock."""

    started: int = 0


def require_started(thread: UserThread) -> None:
    """WSANOTINITIALISED unless the process has called WSAStartup."""
    if not thread.state(Winsock).started:
        raise WinError(WSA.NOTINITIALISED)


@export
def WSAStartup(thread: UserThread, wVersionRequested: WORD, lpWSAData: Ptr[WSADATA] | None) -> INT:
    """Begin to use Winsock, at the highest version both sides know; the error is the result."""
    wanted = (wVersionRequested & 0xFF, wVersionRequested >> 8)
    if wanted < (1, 0):
        return INT(WSA.VERNOTSUPPORTED)
    if lpWSAData is None:
        return INT(WSA.EFAULT)
    chosen = min(wanted, HIGHEST)
    lpWSAData.write_bytes(bytes(WSADATA.size))
    view = lpWSAData.read()
    view.wVersion, view.wHighVersion = chosen[0] | chosen[1] << 8, HIGHEST[0] | HIGHEST[1] << 8
    if chosen[0] == 1:
        view.iMaxSockets, view.iMaxUdpDg = SOCKETS_OF_VERSION_1
    view.szDescription, view.szSystemStatus = b"WinSock 2.0", b"Running"
    thread.state(Winsock).started += 1
    return INT(0)


@export(fails=SOCKET_ERROR)
def WSACleanup(thread: UserThread) -> INT:
    """Take back one WSAStartup."""
    require_started(thread)
    thread.state(Winsock).started -= 1
    return INT(0)


@export
def WSAGetLastError(thread: UserThread) -> INT:
    """The thread's last error."""
    return INT(last_error(thread))


@export
def WSASetLastError(thread: UserThread, iError: INT) -> None:
    """Set the thread's last error."""
    set_last_error(thread, iError)


@export(fails=SOCKET_ERROR)
def WSAEnumProtocolsW(
    thread: UserThread, lpiProtocols: PVOID, lpProtocolBuffer: PVOID, lpdwBufferLength: Ptr[DWORD] | None
) -> INT:
    """How many transport protocols there are: none."""
    require_started(thread)
    if lpdwBufferLength is None:
        raise WinError(WSA.EFAULT)
    lpdwBufferLength.write(0)
    return INT(0)


@export(fails=SOCKET_ERROR)
def WSAEnumProtocolsA(
    thread: UserThread, lpiProtocols: PVOID, lpProtocolBuffer: PVOID, lpdwBufferLength: Ptr[DWORD] | None
) -> INT:
    """How many transport protocols there are: none."""
    return WSAEnumProtocolsW(thread, lpiProtocols, lpProtocolBuffer, lpdwBufferLength)
