r"""Getting a console, and making one of two pipes: AllocConsole, AttachConsole, CreatePseudoConsole (consoleapi.h).

A pseudo console handle points at three handles (signal, reference, process); CreateProcess takes the second of them.
"""

from __future__ import annotations

import struct

from ntos.abi import console as driver
from ntos.abi.access import FILE_ALL_ACCESS, SYNCHRONIZE
from ntos.abi.errors import ERROR
from ntos.abi.io import FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT
from ntos.abi.ob import OBJ_CASE_INSENSITIVE, OBJ_INHERIT
from ntos.abi.pointer import Out
from ntos.abi.types import BOOL, DWORD, HANDLE, HRESULT, PVOID
from ntos.dll.kernelbase.console import control
from ntos.dll.kernelbase.objects import attributes, new_handle, new_status, parameters
from ntos.dll.kernelbase.services import allocate_bytes, free, nt
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

DEVICE = "\\Device\\ConDrv\\"
NEW_CONSOLE = 0
INHERIT_CURSOR = 1
E_INVALIDARG = 0x8007_0057
PSEUDO_CONSOLE = struct.Struct("<QQQ")
"""HPCON: signal pipe (none here: the server handle in its place), reference, process of the console host (none)."""
HANDLES = (("StandardInput", "Input"), ("StandardOutput", "Output"), ("StandardError", "Output"))


async def _open(thread: UserThread, name: str, root: int = 0, flags: int = 0) -> int:
    """A handle to a part of the console driver."""
    with thread.frame() as frame:
        where = attributes(frame, name, root=root, flags=OBJ_CASE_INSENSITIVE | flags)
        place, status = new_handle(frame), new_status(frame)
        access = FILE_ALL_ACCESS | SYNCHRONIZE
        await nt.NtCreateFile(
            thread, place.address, access, where, status.address, 0, 0, 7, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, 0, 0
        )
        return int(place.read())


async def _attach(thread: UserThread, wanted: int) -> None:
    """Belong to a console, and let the standard handles that are missing lead to it."""
    connection = await _open(thread, DEVICE + "Connect")
    try:
        await control(thread, connection, driver.IOCTL_CONSOLE_ATTACH, (wanted & 0xFFFF_FFFF).to_bytes(4, "little"))
    finally:
        await nt.NtClose(thread, connection)
    view = parameters(thread)
    view.ConsoleHandle = await _open(thread, DEVICE + "Connect")
    for field, name in HANDLES:
        if wanted == NEW_CONSOLE or not int(getattr(view, field)):
            setattr(view, field, await _open(thread, DEVICE + name, flags=OBJ_INHERIT))


@export
async def AllocConsole(thread: UserThread) -> BOOL:
    """A console of the process's own; ERROR_ACCESS_DENIED where it has one."""
    await _attach(thread, NEW_CONSOLE)
    return BOOL(1)


@export
async def AttachConsole(thread: UserThread, dwProcessId: DWORD) -> BOOL:
    """Another process's console, or with ATTACH_PARENT_PROCESS the parent's."""
    if not dwProcessId:
        raise WinError(ERROR.INVALID_PARAMETER)
    await _attach(thread, dwProcessId)
    return BOOL(1)


# ---------------------------------------------------------------- pseudo consoles


@export(partial="text goes out as it is written: no renderer, so no sequences for what API calls draw")
async def CreatePseudoConsole(
    thread: UserThread, size: DWORD, hInput: HANDLE, hOutput: HANDLE, dwFlags: DWORD, phPC: Out[PVOID]
) -> HRESULT:
    """A console for children whose keyboard is one pipe and whose screen another; a COORD is passed in a register."""
    width, height = size & 0xFFFF, size >> 16
    if not width or not height or dwFlags & ~INHERIT_CURSOR:
        return HRESULT(E_INVALIDARG)
    server = await _open(thread, DEVICE + "Server")
    reference = 0
    try:
        start = struct.pack("<HH4xQQ", width, height, hInput, hOutput)
        await control(thread, server, driver.IOCTL_CONSOLE_START_PSEUDO, start)
        reference = await _open(thread, "Reference", server)
    finally:
        if not reference:
            await nt.NtClose(thread, server)
    phPC.write(PVOID(await allocate_bytes(thread, PSEUDO_CONSOLE.pack(server, reference, 0))))
    return HRESULT(0)


def _parts(thread: UserThread, console: int) -> tuple[int, int]:
    server, reference, _ = PSEUDO_CONSOLE.unpack(thread.memory.read(console, PSEUDO_CONSOLE.size))
    return server, reference


@export
async def ResizePseudoConsole(thread: UserThread, hPC: PVOID, size: DWORD) -> HRESULT:
    """Another size for the screen."""
    if not hPC:
        return HRESULT(E_INVALIDARG)
    server, _ = _parts(thread, hPC)
    await control(thread, server, driver.IOCTL_CONSOLE_RESIZE_PSEUDO, size.to_bytes(4, "little"))
    return HRESULT(0)


@export
async def ClosePseudoConsole(thread: UserThread, hPC: PVOID) -> None:
    """Close the console: its programs get CTRL_CLOSE_EVENT, its pipes are let go with the last of them."""
    if not hPC:
        return
    for handle in reversed(_parts(thread, hPC)):
        await nt.NtClose(thread, handle)
    await free(thread, hPC)
