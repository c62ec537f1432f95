r"""SECURITY_CAPABILITIES: a LowBox token for the child, and the directory of its named objects (BasepCreateLowBox).

A package has `\Sessions\N\AppContainerNamedObjects\<package SID>` in place of BaseNamedObjects; the token keeps it.
"""

from __future__ import annotations

import struct

from ntos.abi.access import TOKEN_DUPLICATE, TOKEN_QUERY
from ntos.abi.errors import ERROR
from ntos.abi.ob import CURRENT_PROCESS, OBJ_CASE_INSENSITIVE, OBJ_OPENIF
from ntos.abi.se import TOKEN_INFORMATION_CLASS
from ntos.dll.kernelbase.creation.refusal import refusal
from ntos.dll.kernelbase.creation.request import Request
from ntos.dll.kernelbase.objects import attributes, container_directory, new_handle
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.sid import read_sid
from ntos.dll.kernelbase.token import token_sids
from ntos.rtl import sddl
from ntos.rtl.sid import to_text
from ntos.um.thread import Frame, UserThread

DIRECTORY_ALL_ACCESS, LINK_ALL_ACCESS, TOKEN_ALL_ACCESS = 0xF000F, 0xF0001, 0xF01FF
LINKS = ("Local", "Global", "Session")
RPC_CONTROL = "RPC Control"
DESCRIPTOR = "D:(A;;GA;;;SY)(A;;GA;;;{user})(A;;GA;;;{package})S:(ML;;NW;;;LW)"


async def enter(thread: UserThread, request: Request) -> None:
    """Make the token where the caller wants an AppContainer; `leave` closes it."""
    place = request.wishes.capabilities
    if not place:
        return
    package, array, count, reserved = struct.unpack("<QQII", thread.memory.read(place, 24))
    if reserved:
        raise refusal(ERROR.INVALID_PARAMETER, "SECURITY_CAPABILITIES.Reserved", {"Reserved": reserved}, "0")
    with thread.frame() as frame:
        token, opened = request.token, 0
        if not token:
            own = new_handle(frame)
            await nt.NtOpenProcessToken(thread, CURRENT_PROCESS, TOKEN_QUERY | TOKEN_DUPLICATE, own.address)
            token = opened = int(own.read())
        kept = await _names(thread, frame, token, to_text(read_sid(thread, package)))
        made = new_handle(frame)
        try:
            handles = frame.bytes(struct.pack(f"<{len(kept)}Q", *kept))
            await nt.NtCreateLowBoxToken(
                thread, made.address, token, TOKEN_ALL_ACCESS, 0, package, count, array, len(kept), handles
            )
            request.lowbox = int(made.read())
        finally:
            for handle in (*kept, opened):
                if handle:
                    await nt.NtClose(thread, handle)


async def leave(thread: UserThread, request: Request) -> None:
    """The child has its token now, or never will."""
    handle, request.lowbox = request.lowbox, 0
    if handle:
        await nt.NtClose(thread, handle)


async def _names(thread: UserThread, frame: Frame, token: int, package: str) -> list[int]:
    """Handles to the package's directory of names and what stands in it."""
    user = (await token_sids(thread, token, TOKEN_INFORMATION_CLASS.TokenUser))[0][0]
    text = DESCRIPTOR.format(user=to_text(user), package=package)
    descriptor = frame.bytes(sddl.parse(text).to_bytes())
    root = container_directory(int(thread.peb.SessionId), package)
    handles = []

    async def make(service: str, name: str, access: int, *more: int) -> None:
        where = attributes(frame, name, flags=OBJ_CASE_INSENSITIVE | OBJ_OPENIF, descriptor=descriptor)
        handle = new_handle(frame)
        await getattr(nt, service)(thread, handle.address, access, where, *more)
        handles.append(int(handle.read()))

    await make("NtCreateDirectoryObject", root, DIRECTORY_ALL_ACCESS)
    await make("NtCreateDirectoryObject", f"{root}\\{RPC_CONTROL}", DIRECTORY_ALL_ACCESS)
    for name in LINKS:
        await make("NtCreateSymbolicLinkObject", f"{root}\\{name}", LINK_ALL_ACCESS, frame.unicode_string(root))
    return handles
