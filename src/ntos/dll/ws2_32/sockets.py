"""Sockets: none can be made, so nothing is one."""

from __future__ import annotations

from typing import Never

from ntos.abi.pointer import Ptr
from ntos.abi.types import DWORD, HANDLE, INT, PVOID, UINT
from ntos.abi.winsock import INVALID_SOCKET, SOCKET_ERROR, WSA
from ntos.dll.ws2_32.startup import require_started
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread


def _no_network(thread: UserThread) -> Never:
    require_started(thread)
    raise WinError(WSA.ENETDOWN)


def _no_socket(thread: UserThread) -> Never:
    require_started(thread)
    raise WinError(WSA.ENOTSOCK)


@export(fails=INVALID_SOCKET)
def socket(thread: UserThread, af: INT, type: INT, protocol: INT) -> HANDLE:
    """Make a socket: there is no network, and the provider says that it is down."""
    _no_network(thread)


@export(fails=INVALID_SOCKET, aliases=("WSASocketA",))
def WSASocketW(
    thread: UserThread, af: INT, type: INT, protocol: INT, lpProtocolInfo: PVOID, g: UINT, dwFlags: DWORD
) -> HANDLE:
    """Make a socket: there is no network, and the provider says that it is down."""
    _no_network(thread)


@export(
    fails=SOCKET_ERROR,
    aliases=(
        "WSAConnect", "WSADuplicateSocketA", "WSADuplicateSocketW", "WSAEnumNetworkEvents", "WSAEventSelect",
        "WSAIoctl", "WSARecv", "WSARecvDisconnect", "WSARecvFrom", "WSASend", "WSASendDisconnect", "WSASendTo", "bind",
        "connect", "getpeername", "getsockname", "getsockopt", "ioctlsocket", "listen", "recv", "recvfrom", "send",
        "sendto", "setsockopt", "shutdown",
    ),
)  # fmt: skip
def closesocket(thread: UserThread, s: HANDLE) -> INT:
    """What is asked of a socket: the value is none."""
    _no_socket(thread)


@export(fails=INVALID_SOCKET, aliases=("WSAAccept",))
def accept(thread: UserThread, s: HANDLE) -> HANDLE:
    """Take a connection: the value is no socket."""
    _no_socket(thread)


@export
def WSAGetOverlappedResult(thread: UserThread, s: HANDLE) -> INT:
    """The result of a request: the value is no socket."""
    _no_socket(thread)


@export(fails=SOCKET_ERROR)
def select(
    thread: UserThread,
    nfds: INT,
    readfds: Ptr[UINT] | None,
    writefds: Ptr[UINT] | None,
    exceptfds: Ptr[UINT] | None,
    timeout: PVOID,
) -> INT:
    """Wait for sockets: the sets hold none, or what is not one."""
    require_started(thread)
    if any(chosen is not None and chosen.read() for chosen in (readfds, writefds, exceptfds)):
        raise WinError(WSA.ENOTSOCK)
    raise WinError(WSA.EINVAL)


@export
def __WSAFDIsSet(thread: UserThread, fd: HANDLE, fdset: PVOID) -> INT:
    """Whether a set holds a socket."""
    count = int.from_bytes(thread.memory.read(fdset, 4), "little")
    members = thread.memory.read(fdset + 8, 8 * count)
    return INT(fd in (int.from_bytes(members[place : place + 8], "little") for place in range(0, len(members), 8)))
