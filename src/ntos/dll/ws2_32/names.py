"""The host's own name."""

from __future__ import annotations

from collections.abc import Callable

from ntos.abi.pointer import Ptr
from ntos.abi.types import CHAR, INT, WCHAR
from ntos.abi.winsock import SOCKET_ERROR, WSA
from ntos.dll.kernelbase.system_info import DNS_HOST, computer_name
from ntos.dll.ws2_32.startup import require_started
from ntos.rtl.nls.codepage import to_ansi
from ntos.rtl.text import to_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread


async def _host_name(thread: UserThread, encode: Callable[[str], bytes], room: int) -> bytes:
    require_started(thread)
    data = encode(await computer_name(thread, DNS_HOST) + "\0")
    if len(data) > room:
        raise WinError(WSA.EFAULT)
    return data


@export(fails=SOCKET_ERROR)
async def GetHostNameW(thread: UserThread, name: Ptr[WCHAR], namelen: INT) -> INT:
    """The name of this host."""
    name.write_bytes(await _host_name(thread, to_utf16, 2 * namelen))
    return INT(0)


@export(fails=SOCKET_ERROR)
async def gethostname(thread: UserThread, name: Ptr[CHAR], namelen: INT) -> INT:
    """The name of this host, in the ANSI code page."""
    name.write_bytes(await _host_name(thread, to_ansi, namelen))
    return INT(0)
