"""`win32(thread, "Name", …)`: a function of kernelbase, found in the process and called as guest code."""

from __future__ import annotations

from collections.abc import Coroutine

from ntos.um.modules import find_export
from ntos.um.thread import UserThread


class Entries:
    """Where the process has what was asked for."""

    def __init__(self) -> None:
        self.addresses: dict[tuple[str, str], int] = {}


def entry(thread: UserThread, name: str, module: str = "kernelbase.dll") -> int:
    """The address of an export, looked up once per process."""
    addresses = thread.state(Entries).addresses
    address = addresses.get((module, name))
    if address is None:
        address = addresses[module, name] = find_export(thread, module, name)
    return address


def win32(thread: UserThread, name: str, *arguments: int) -> Coroutine[None, None, int]:
    """Call a Win32 function of kernelbase; gives RAX."""
    return thread.call(entry(thread, name), *arguments)
