"""SIDs and descriptors as text (sddl.h); sechost exports the same."""

from __future__ import annotations

from dataclasses import replace

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Out, Ptr
from ntos.abi.se import (
    DACL_SECURITY_INFORMATION,
    GROUP_SECURITY_INFORMATION,
    LABEL_SECURITY_INFORMATION,
    OWNER_SECURITY_INFORMATION,
    SACL_SECURITY_INFORMATION,
)
from ntos.abi.status import NtError
from ntos.abi.types import BOOL, DWORD, PVOID, ULONG, WCHAR
from ntos.dll.kernelbase.services import allocate_bytes, rtl_status
from ntos.dll.kernelbase.sid import read_sid
from ntos.dll.kernelbase.text import export_both, text_of
from ntos.rtl import sddl
from ntos.rtl import sid as sids
from ntos.rtl.security import Control, Descriptor, parse_descriptor
from ntos.rtl.text import to_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

SDDL_REVISION = 1
SE_SELF_RELATIVE = 0x80
INVALID_SID, UNKNOWN_REVISION = 1337, 1305


async def _give_text(thread: UserThread, text: str, narrow: bool, place: Out[PVOID]) -> int:
    data = text.encode("ascii", "replace") + b"\0" if narrow else to_utf16(text) + b"\0\0"
    place.write(await allocate_bytes(thread, data))
    return len(data) // (1 if narrow else 2)


@export
async def ConvertSidToStringSidW(thread: UserThread, Sid: PVOID, StringSid: Out[PVOID]) -> BOOL:
    """A SID as `S-1-…`, to be freed with LocalFree."""
    await _give_text(thread, sids.to_text(read_sid(thread, Sid)), False, StringSid)
    return BOOL(1)


@export
async def ConvertSidToStringSidA(thread: UserThread, Sid: PVOID, StringSid: Out[PVOID]) -> BOOL:
    """The same in 8-bit characters."""
    await _give_text(thread, sids.to_text(read_sid(thread, Sid)), True, StringSid)
    return BOOL(1)


@export_both()
async def ConvertStringSidToSidW(thread: UserThread, StringSid: Ptr[WCHAR], Sid: Ptr[PVOID]) -> BOOL:
    """The SID a text (`S-1-…` or an alias) names, to be freed with LocalFree."""
    if not StringSid or not Sid:
        raise WinError(ERROR.INVALID_PARAMETER)
    try:
        data = sddl.parse_sid(text_of(StringSid))
    except NtError:
        raise WinError(INVALID_SID) from None
    Sid.write(await allocate_bytes(thread, data))
    return BOOL(1)


@export_both(partial="aliases of domain accounts (DA, LA …) are not known")
async def ConvertStringSecurityDescriptorToSecurityDescriptorW(
    thread: UserThread,
    StringSecurityDescriptor: Ptr[WCHAR],
    StringSDRevision: DWORD,
    SecurityDescriptor: Ptr[PVOID],
    SecurityDescriptorSize: Ptr[ULONG] | None,
) -> BOOL:
    """The descriptor a text means, in one piece, to be freed with LocalFree."""
    if not StringSecurityDescriptor or not SecurityDescriptor:
        raise WinError(ERROR.INVALID_PARAMETER)
    if StringSDRevision != SDDL_REVISION:
        raise WinError(UNKNOWN_REVISION)
    data = sddl.parse(text_of(StringSecurityDescriptor)).to_bytes()
    SecurityDescriptor.write(await allocate_bytes(thread, data))
    if SecurityDescriptorSize is not None:
        SecurityDescriptorSize.write(len(data))
    return BOOL(1)


async def _self_relative(thread: UserThread, descriptor: int) -> bytes:
    """A caller's descriptor in one piece."""
    with thread.frame() as frame:
        length = frame.bytes((0x4000).to_bytes(4, "little"))
        if thread.memory.read(descriptor + 3, 1)[0] & SE_SELF_RELATIVE:
            place = descriptor
        else:
            place = frame.allocate(0x4000)
            await rtl_status(thread, "RtlAbsoluteToSelfRelativeSD", descriptor, place, length)
        size = await thread.call(thread.entry("ntdll", "RtlLengthSecurityDescriptor"), place)
        return thread.memory.read(place, size & 0xFFFF_FFFF)


@export
async def ConvertSecurityDescriptorToStringSecurityDescriptorW(
    thread: UserThread,
    SecurityDescriptor: PVOID,
    RequestedStringSDRevision: DWORD,
    SecurityInformation: DWORD,
    StringSecurityDescriptor: Out[PVOID],
    StringSecurityDescriptorLen: Ptr[ULONG] | None,
) -> BOOL:
    """A descriptor's parts as text, to be freed with LocalFree."""
    return await _unparse(
        thread, SecurityDescriptor, SecurityInformation, StringSecurityDescriptor, StringSecurityDescriptorLen, False
    )


@export
async def ConvertSecurityDescriptorToStringSecurityDescriptorA(
    thread: UserThread,
    SecurityDescriptor: PVOID,
    RequestedStringSDRevision: DWORD,
    SecurityInformation: DWORD,
    StringSecurityDescriptor: Out[PVOID],
    StringSecurityDescriptorLen: Ptr[ULONG] | None,
) -> BOOL:
    """The same in 8-bit characters."""
    return await _unparse(
        thread, SecurityDescriptor, SecurityInformation, StringSecurityDescriptor, StringSecurityDescriptorLen, True
    )


def wanted_parts(descriptor: Descriptor, parts: int) -> Descriptor:
    """A descriptor with only the parts SECURITY_INFORMATION names."""
    control = descriptor.control
    if not parts & DACL_SECURITY_INFORMATION:
        control &= ~Control.DACL_PRESENT
    if not parts & (SACL_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION):
        control &= ~Control.SACL_PRESENT
    return replace(
        descriptor,
        owner=descriptor.owner if parts & OWNER_SECURITY_INFORMATION else None,
        group=descriptor.group if parts & GROUP_SECURITY_INFORMATION else None,
        dacl=descriptor.dacl if control & Control.DACL_PRESENT else None,
        sacl=descriptor.sacl if control & Control.SACL_PRESENT else None,
        control=control,
    )


async def _unparse(
    thread: UserThread, descriptor: int, parts: int, place: Out[PVOID], length: Ptr[ULONG] | None, narrow: bool
) -> BOOL:
    found = parse_descriptor(await _self_relative(thread, descriptor))
    wanted = wanted_parts(found, parts)
    count = await _give_text(thread, sddl.unparse(wanted), narrow, place)
    if length is not None:
        length.write(count)
    return BOOL(1)
