"""SIDs and security descriptors as text (sddl.h). Results are LocalAlloc blocks, as documented."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, DWORD, PVOID, WCHAR
from ntos.dll.kernelbase.services import rtl
from ntos.dll.kernelbase.sid import read_sid
from ntos.dll.kernelbase.text import export_both, text_of
from ntos.rtl import sddl
from ntos.rtl import sid as sids
from ntos.rtl.nls.codepage import to_ansi
from ntos.rtl.text import to_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

REVISION = 1


async def local_block(thread: UserThread, data: bytes) -> int:
    """A LocalAlloc block that holds `data`."""
    block = await rtl(thread, "RtlAllocateHeap", int(thread.peb.ProcessHeap), 0, len(data))
    if not block:
        raise WinError(ERROR.NOT_ENOUGH_MEMORY)
    thread.memory.write(block, data)
    return block


@export
async def ConvertSidToStringSidW(thread: UserThread, Sid: PVOID, StringSid: Ptr[PVOID]) -> BOOL:
    """`S-1-…` of a SID."""
    StringSid.write(await local_block(thread, to_utf16(sids.to_text(read_sid(thread, Sid))) + b"\0\0"))
    return BOOL(1)


@export
async def ConvertSidToStringSidA(thread: UserThread, Sid: PVOID, StringSid: Ptr[PVOID]) -> BOOL:
    """`S-1-…` of a SID."""
    StringSid.write(await local_block(thread, to_ansi(sids.to_text(read_sid(thread, Sid))) + b"\0"))
    return BOOL(1)


@export_both()
async def ConvertStringSidToSidW(thread: UserThread, StringSid: Ptr[WCHAR], Sid: Ptr[PVOID]) -> BOOL:
    """The SID of `S-1-…`, or of a two-letter abbreviation."""
    Sid.write(await local_block(thread, sddl.parse_sid(text_of(StringSid))))
    return BOOL(1)


@export_both()
async def ConvertStringSecurityDescriptorToSecurityDescriptorW(
    thread: UserThread,
    StringSecurityDescriptor: Ptr[WCHAR],
    StringSDRevision: DWORD,
    SecurityDescriptor: Ptr[PVOID],
    SecurityDescriptorSize: Ptr[DWORD] | None,
) -> BOOL:
    """A self-relative security descriptor out of SDDL."""
    if StringSDRevision != REVISION:
        raise WinError(ERROR.UNKNOWN_REVISION)
    data = sddl.parse(text_of(StringSecurityDescriptor)).to_bytes()
    SecurityDescriptor.write(await local_block(thread, data))
    if SecurityDescriptorSize is not None:
        SecurityDescriptorSize.write(len(data))
    return BOOL(1)
