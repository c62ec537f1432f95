"""Access lists and security descriptors in a program's memory (securitybaseapi.h): ntdll does the work."""

from __future__ import annotations

import struct

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Out, Ptr
from ntos.abi.types import BOOL, DWORD, PVOID, UCHAR, USHORT
from ntos.dll.kernelbase.objects import new_handle
from ntos.dll.kernelbase.services import rtl, rtl_status
from ntos.rtl.security import map_generic
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

RM_CONTROL_VALID = 0x4000
ACL_REVISION_INFORMATION = 1


async def _done(thread: UserThread, name: str, *arguments: int) -> BOOL:
    await rtl_status(thread, name, *arguments)
    return BOOL(1)


@export
async def InitializeAcl(thread: UserThread, pAcl: PVOID, nAclLength: DWORD, dwAclRevision: DWORD) -> BOOL:
    """An empty access list."""
    return await _done(thread, "RtlCreateAcl", pAcl, nAclLength, dwAclRevision)


@export
async def IsValidAcl(thread: UserThread, pAcl: PVOID) -> BOOL:
    """Whether an access list's sizes hold together."""
    return BOOL(await rtl(thread, "RtlValidAcl", pAcl) & 0xFF != 0)


@export
async def AddAccessAllowedAce(
    thread: UserThread, pAcl: PVOID, dwAceRevision: DWORD, AccessMask: DWORD, pSid: PVOID
) -> BOOL:
    """Add an entry that allows."""
    return await _done(thread, "RtlAddAccessAllowedAce", pAcl, dwAceRevision, AccessMask, pSid)


@export
async def AddAccessAllowedAceEx(
    thread: UserThread, pAcl: PVOID, dwAceRevision: DWORD, AceFlags: DWORD, AccessMask: DWORD, pSid: PVOID
) -> BOOL:
    """Add an entry that allows, with flags of inheritance."""
    return await _done(thread, "RtlAddAccessAllowedAceEx", pAcl, dwAceRevision, AceFlags, AccessMask, pSid)


@export
async def AddAccessDeniedAce(
    thread: UserThread, pAcl: PVOID, dwAceRevision: DWORD, AccessMask: DWORD, pSid: PVOID
) -> BOOL:
    """Add an entry that denies."""
    return await _done(thread, "RtlAddAccessDeniedAce", pAcl, dwAceRevision, AccessMask, pSid)


@export
async def AddAccessDeniedAceEx(
    thread: UserThread, pAcl: PVOID, dwAceRevision: DWORD, AceFlags: DWORD, AccessMask: DWORD, pSid: PVOID
) -> BOOL:
    """Add an entry that denies, with flags of inheritance."""
    return await _done(thread, "RtlAddAccessDeniedAceEx", pAcl, dwAceRevision, AceFlags, AccessMask, pSid)


@export
async def AddMandatoryAce(
    thread: UserThread, pAcl: PVOID, dwAceRevision: DWORD, AceFlags: DWORD, MandatoryPolicy: DWORD, pLabelSid: PVOID
) -> BOOL:
    """Add an integrity label."""
    kind = 0x11
    return await _done(thread, "RtlAddMandatoryAce", pAcl, dwAceRevision, AceFlags, pLabelSid, kind, MandatoryPolicy)


@export
async def AddAce(
    thread: UserThread,
    pAcl: PVOID,
    dwAceRevision: DWORD,
    dwStartingAceIndex: DWORD,
    pAceList: PVOID,
    nAceListLength: DWORD,
) -> BOOL:
    """Add ready-made entries."""
    return await _done(thread, "RtlAddAce", pAcl, dwAceRevision, dwStartingAceIndex, pAceList, nAceListLength)


@export
async def DeleteAce(thread: UserThread, pAcl: PVOID, dwAceIndex: DWORD) -> BOOL:
    """Take an entry out."""
    return await _done(thread, "RtlDeleteAce", pAcl, dwAceIndex)


@export
async def GetAce(thread: UserThread, pAcl: PVOID, dwAceIndex: DWORD, pAce: Ptr[PVOID]) -> BOOL:
    """Where an entry stands."""
    return await _done(thread, "RtlGetAce", pAcl, dwAceIndex, pAce.address)


@export
async def FindFirstFreeAce(thread: UserThread, pAcl: PVOID, pAce: Ptr[PVOID]) -> BOOL:
    """Where the next entry would stand."""
    return BOOL(await rtl(thread, "RtlFirstFreeAce", pAcl, pAce.address) & 0xFF != 0)


@export
async def GetAclInformation(
    thread: UserThread, pAcl: PVOID, pAclInformation: PVOID, nAclInformationLength: DWORD, dwAclInformationClass: DWORD
) -> BOOL:
    """A list's revision (1) or its sizes (2)."""
    return await _done(
        thread, "RtlQueryInformationAcl", pAcl, pAclInformation, nAclInformationLength, dwAclInformationClass
    )


@export
def SetAclInformation(
    thread: UserThread, pAcl: PVOID, pAclInformation: PVOID, nAclInformationLength: DWORD, dwAclInformationClass: DWORD
) -> BOOL:
    """Raise a list's revision."""
    if dwAclInformationClass != ACL_REVISION_INFORMATION or nAclInformationLength < 4:
        raise WinError(ERROR.INVALID_PARAMETER)
    wanted, current = thread.memory.read(pAclInformation, 1)[0], thread.memory.read(pAcl, 1)[0]
    if wanted < current:
        raise WinError(ERROR.INVALID_PARAMETER)
    thread.memory.write(pAcl, bytes([wanted]))
    return BOOL(1)


# ---------------------------------------------------------------- descriptors


@export
async def InitializeSecurityDescriptor(thread: UserThread, pSecurityDescriptor: PVOID, dwRevision: DWORD) -> BOOL:
    """An absolute descriptor that says nothing yet."""
    return await _done(thread, "RtlCreateSecurityDescriptor", pSecurityDescriptor, dwRevision)


@export
async def IsValidSecurityDescriptor(thread: UserThread, pSecurityDescriptor: PVOID) -> BOOL:
    """Whether a descriptor and its parts hold together."""
    return BOOL(await rtl(thread, "RtlValidSecurityDescriptor", pSecurityDescriptor) & 0xFF != 0)


@export
async def GetSecurityDescriptorLength(thread: UserThread, pSecurityDescriptor: PVOID) -> DWORD:
    """The size of a descriptor with its parts."""
    return DWORD(await rtl(thread, "RtlLengthSecurityDescriptor", pSecurityDescriptor) & 0xFFFF_FFFF)


@export
async def GetSecurityDescriptorControl(
    thread: UserThread, pSecurityDescriptor: PVOID, pControl: Ptr[USHORT], lpdwRevision: Ptr[DWORD]
) -> BOOL:
    """A descriptor's control word and revision."""
    return await _done(
        thread, "RtlGetControlSecurityDescriptor", pSecurityDescriptor, pControl.address, lpdwRevision.address
    )


@export
async def SetSecurityDescriptorControl(
    thread: UserThread, pSecurityDescriptor: PVOID, ControlBitsOfInterest: USHORT, ControlBitsToSet: USHORT
) -> BOOL:
    """Change bits of the control word."""
    return await _done(
        thread, "RtlSetControlSecurityDescriptor", pSecurityDescriptor, ControlBitsOfInterest, ControlBitsToSet
    )


async def _part(thread: UserThread, name: str, descriptor: int, sid: Ptr[PVOID], defaulted: Ptr[BOOL]) -> BOOL:
    with thread.frame() as frame:
        flag = frame.allocate(8)
        await rtl_status(thread, name, descriptor, sid.address, flag)
        defaulted.write(thread.memory.read(flag, 1)[0])
    return BOOL(1)


@export
async def GetSecurityDescriptorOwner(
    thread: UserThread, pSecurityDescriptor: PVOID, pOwner: Ptr[PVOID], lpbOwnerDefaulted: Ptr[BOOL]
) -> BOOL:
    """Where a descriptor's owner stands."""
    return await _part(thread, "RtlGetOwnerSecurityDescriptor", pSecurityDescriptor, pOwner, lpbOwnerDefaulted)


@export
async def GetSecurityDescriptorGroup(
    thread: UserThread, pSecurityDescriptor: PVOID, pGroup: Ptr[PVOID], lpbGroupDefaulted: Ptr[BOOL]
) -> BOOL:
    """Where a descriptor's group stands."""
    return await _part(thread, "RtlGetGroupSecurityDescriptor", pSecurityDescriptor, pGroup, lpbGroupDefaulted)


async def _list(
    thread: UserThread, name: str, descriptor: int, present: Ptr[BOOL], acl: Ptr[PVOID], defaulted: Ptr[BOOL]
) -> BOOL:
    with thread.frame() as frame:
        flags, place = frame.allocate(16), new_handle(frame)
        await rtl_status(thread, name, descriptor, flags, place.address, flags + 8)
        is_present = thread.memory.read(flags, 1)[0]
        present.write(is_present)
        if is_present:
            acl.write(int(place.read()))
            defaulted.write(thread.memory.read(flags + 8, 1)[0])
    return BOOL(1)


@export
async def GetSecurityDescriptorDacl(
    thread: UserThread,
    pSecurityDescriptor: PVOID,
    lpbDaclPresent: Ptr[BOOL],
    pDacl: Ptr[PVOID],
    lpbDaclDefaulted: Ptr[BOOL],
) -> BOOL:
    """Where a descriptor's access list stands, if it has one."""
    name = "RtlGetDaclSecurityDescriptor"
    return await _list(thread, name, pSecurityDescriptor, lpbDaclPresent, pDacl, lpbDaclDefaulted)


@export
async def GetSecurityDescriptorSacl(
    thread: UserThread,
    pSecurityDescriptor: PVOID,
    lpbSaclPresent: Ptr[BOOL],
    pSacl: Ptr[PVOID],
    lpbSaclDefaulted: Ptr[BOOL],
) -> BOOL:
    """Where a descriptor's system list stands, if it has one."""
    name = "RtlGetSaclSecurityDescriptor"
    return await _list(thread, name, pSecurityDescriptor, lpbSaclPresent, pSacl, lpbSaclDefaulted)


@export
async def SetSecurityDescriptorOwner(
    thread: UserThread, pSecurityDescriptor: PVOID, pOwner: PVOID, bOwnerDefaulted: BOOL
) -> BOOL:
    """Point an absolute descriptor to an owner."""
    return await _done(thread, "RtlSetOwnerSecurityDescriptor", pSecurityDescriptor, pOwner, int(bOwnerDefaulted != 0))


@export
async def SetSecurityDescriptorGroup(
    thread: UserThread, pSecurityDescriptor: PVOID, pGroup: PVOID, bGroupDefaulted: BOOL
) -> BOOL:
    """Point an absolute descriptor to a group."""
    return await _done(thread, "RtlSetGroupSecurityDescriptor", pSecurityDescriptor, pGroup, int(bGroupDefaulted != 0))


@export
async def SetSecurityDescriptorDacl(
    thread: UserThread, pSecurityDescriptor: PVOID, bDaclPresent: BOOL, pDacl: PVOID, bDaclDefaulted: BOOL
) -> BOOL:
    """Point an absolute descriptor to an access list; NULL grants everything."""
    present, defaulted = int(bDaclPresent != 0), int(bDaclDefaulted != 0)
    return await _done(thread, "RtlSetDaclSecurityDescriptor", pSecurityDescriptor, present, pDacl, defaulted)


@export
async def SetSecurityDescriptorSacl(
    thread: UserThread, pSecurityDescriptor: PVOID, bSaclPresent: BOOL, pSacl: PVOID, bSaclDefaulted: BOOL
) -> BOOL:
    """Point an absolute descriptor to a system list."""
    present, defaulted = int(bSaclPresent != 0), int(bSaclDefaulted != 0)
    return await _done(thread, "RtlSetSaclSecurityDescriptor", pSecurityDescriptor, present, pSacl, defaulted)


@export
def GetSecurityDescriptorRMControl(thread: UserThread, SecurityDescriptor: PVOID, RMControl: Out[UCHAR]) -> DWORD:
    """The resource manager's byte, if it is valid."""
    manager, control = struct.unpack("<xBH", thread.memory.read(SecurityDescriptor, 4))
    valid = bool(control & RM_CONTROL_VALID)
    RMControl.write(manager if valid else 0)
    return DWORD(ERROR.SUCCESS if valid else ERROR.INVALID_DATA)


@export
async def MakeAbsoluteSD(
    thread: UserThread,
    pSelfRelativeSecurityDescriptor: PVOID,
    pAbsoluteSecurityDescriptor: PVOID,
    lpdwAbsoluteSecurityDescriptorSize: PVOID,
    pDacl: PVOID,
    lpdwDaclSize: PVOID,
    pSacl: PVOID,
    lpdwSaclSize: PVOID,
    pOwner: PVOID,
    lpdwOwnerSize: PVOID,
    pPrimaryGroup: PVOID,
    lpdwPrimaryGroupSize: PVOID,
) -> BOOL:
    """A self-relative descriptor taken apart."""
    return await _done(
        thread, "RtlSelfRelativeToAbsoluteSD", pSelfRelativeSecurityDescriptor, pAbsoluteSecurityDescriptor,
        lpdwAbsoluteSecurityDescriptorSize, pDacl, lpdwDaclSize, pSacl, lpdwSaclSize, pOwner, lpdwOwnerSize,
        pPrimaryGroup, lpdwPrimaryGroupSize,
    )  # fmt: skip


@export
async def MakeSelfRelativeSD(
    thread: UserThread,
    pAbsoluteSecurityDescriptor: PVOID,
    pSelfRelativeSecurityDescriptor: PVOID,
    lpdwBufferLength: PVOID,
) -> BOOL:
    """An absolute descriptor in one piece."""
    return await _done(
        thread, "RtlMakeSelfRelativeSD", pAbsoluteSecurityDescriptor, pSelfRelativeSecurityDescriptor, lpdwBufferLength
    )


# ---------------------------------------------------------------- masks


@export
def MapGenericMask(thread: UserThread, AccessMask: Ptr[DWORD], GenericMapping: PVOID) -> None:
    """Replace generic rights by a type's own."""
    mapping = struct.unpack("<4I", thread.memory.read(GenericMapping, 16))
    AccessMask.write(map_generic(int(AccessMask.read()), *mapping))


@export
def AreAllAccessesGranted(thread: UserThread, GrantedAccess: DWORD, DesiredAccess: DWORD) -> BOOL:
    """Whether every right asked is among those granted."""
    return BOOL(DesiredAccess & ~GrantedAccess == 0)


@export
def AreAnyAccessesGranted(thread: UserThread, GrantedAccess: DWORD, DesiredAccess: DWORD) -> BOOL:
    """Whether any right asked is among those granted."""
    return BOOL(DesiredAccess & GrantedAccess != 0)
