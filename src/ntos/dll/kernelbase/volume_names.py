"""Drive letters and devices: what the DOS device directory says of them."""

from __future__ import annotations

from ntos.abi.access import SYMBOLIC_LINK_QUERY
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.status import STATUS, NtError
from ntos.dll.kernelbase.objects import attributes, new_handle
from ntos.dll.kernelbase.services import nt
from ntos.um.thread import UserThread

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NAME_ROOM = 0x400


async def link_target(thread: UserThread, name: str) -> str | None:
    """Where a symbolic link of the object name space leads; None where there is none."""
    with thread.frame() as frame:
        link = new_handle(frame)
        try:
            await nt.NtOpenSymbolicLinkObject(thread, link.address, SYMBOLIC_LINK_QUERY, attributes(frame, name))
        except NtError as error:
            known = (STATUS.OBJECT_NAME_NOT_FOUND, STATUS.OBJECT_TYPE_MISMATCH, STATUS.OBJECT_PATH_NOT_FOUND)
            if error.status in known:
                return None
            raise
        try:
            target: UNICODE_STRING = frame.new(UNICODE_STRING)
            target.Buffer, target.MaximumLength = frame.allocate(NAME_ROOM), NAME_ROOM
            await nt.NtQuerySymbolicLinkObject(thread, int(link.read()), target.address, 0)
            return target.text
        finally:
            await nt.NtClose(thread, int(link.read()))


async def drive_target(thread: UserThread, letter: str) -> str | None:
    """The device a drive letter stands for."""
    return await link_target(thread, f"\\??\\{letter}:")


async def drives(thread: UserThread) -> str:
    """The drive letters there are."""
    return "".join([letter for letter in LETTERS if await drive_target(thread, letter) is not None])


async def drive_of_device(thread: UserThread, device: str) -> str | None:
    """The drive letter that leads to a device."""
    for letter in LETTERS:
        target = await drive_target(thread, letter)
        if target is not None and target.lower() == device.lower():
            return letter
    return None
