"""SIDs in a program's memory (securitybaseapi.h)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, BYTE, DWORD, PVOID, UCHAR
from ntos.dll.kernelbase.services import allocate_bytes, free
from ntos.rtl import sid as sids
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

HEADER = 8
NON_ACCOUNT_SID = 1257
BUILTIN_AUTHORITY, NT_AUTHORITY = 32, 5


def read_sid(thread: UserThread, address: int) -> bytes:
    """The SID at an address; ERROR_INVALID_SID when it is none."""
    if not address:
        raise NtError(STATUS.INVALID_SID)
    count = min(thread.memory.read(address, 2)[1], sids.MAXIMUM_SUB_AUTHORITIES)
    data = thread.memory.read(address, HEADER + 4 * count)
    if not sids.is_valid(data):
        raise NtError(STATUS.INVALID_SID)
    return data


_FIXED = {
    0: (0, 0), 1: (1, 0), 2: (2, 0), 3: (3, 0), 4: (3, 1), 5: (3, 2), 6: (3, 3), 7: (5,), 8: (5, 1), 9: (5, 2),
    10: (5, 3), 11: (5, 4), 12: (5, 6), 13: (5, 7), 14: (5, 8), 15: (5, 9), 16: (5, 10), 17: (5, 11), 18: (5, 12),
    19: (5, 13), 20: (5, 14), 22: (5, 18), 23: (5, 19), 24: (5, 20), 25: (5, 32), 26: (5, 32, 544),
    27: (5, 32, 545), 28: (5, 32, 546), 29: (5, 32, 547), 30: (5, 32, 548), 31: (5, 32, 549), 32: (5, 32, 550),
    33: (5, 32, 551), 34: (5, 32, 552), 35: (5, 32, 554), 36: (5, 32, 555), 37: (5, 32, 556), 51: (5, 64, 10),
    52: (5, 64, 21), 53: (5, 64, 14), 54: (5, 15), 55: (5, 1000), 57: (5, 32, 558), 58: (5, 32, 559),
    61: (5, 32, 562), 62: (5, 32, 568), 64: (5, 32, 569), 65: (16, 0), 66: (16, 4096), 67: (16, 8192),
    68: (16, 12288), 69: (16, 16384), 70: (5, 33), 71: (3, 4), 79: (16, 8448), 80: (2, 1), 84: (15, 2, 1),
}  # fmt: skip
"""WELL_KNOWN_SID_TYPE: authority and sub-authorities (winnt.h; MS-DTYP 2.4.2.4)."""
_IN_DOMAIN = {
    38: 500, 39: 501, 40: 502, 41: 512, 42: 513, 43: 514, 44: 515, 45: 516, 46: 517, 47: 518, 48: 519, 49: 520,
    50: 553,
}  # fmt: skip
"""The same for accounts of a domain: the last sub-authority."""


def well_known(kind: int, domain: bytes | None) -> bytes:
    """The SID of a WELL_KNOWN_SID_TYPE; ERROR_INVALID_PARAMETER where there is none or no domain is given."""
    if kind in _FIXED:
        return sids.make(*_FIXED[kind])
    if kind not in _IN_DOMAIN or domain is None:
        raise WinError(ERROR.INVALID_PARAMETER)
    return sids.child(domain, _IN_DOMAIN[kind])


def is_well_known(sid: bytes, kind: int) -> bool:
    """Whether a SID is of a WELL_KNOWN_SID_TYPE, in whatever domain."""
    if kind in _FIXED:
        return sid == sids.make(*_FIXED[kind])
    parts = sids.sub_authorities(sid)
    return len(parts) == 5 and parts[0] == 21 and parts[-1] == _IN_DOMAIN.get(kind, -1)


@export
def IsValidSid(thread: UserThread, pSid: PVOID) -> BOOL:
    """Whether a SID stands there."""
    if not pSid:
        return BOOL(0)
    revision, count = thread.memory.read(pSid, 2)
    return BOOL(revision & 0xF == sids.REVISION and count <= sids.MAXIMUM_SUB_AUTHORITIES)


@export
def GetLengthSid(thread: UserThread, pSid: PVOID) -> DWORD:
    """A SID's size by its own count."""
    return DWORD(HEADER + 4 * thread.memory.read(pSid, 2)[1])


@export
def GetSidLengthRequired(thread: UserThread, nSubAuthorityCount: UCHAR) -> DWORD:
    """The size of a SID with so many sub-authorities."""
    return DWORD(HEADER + 4 * nSubAuthorityCount)


@export
def InitializeSid(thread: UserThread, Sid: PVOID, pIdentifierAuthority: Ptr[BYTE], nSubAuthorityCount: BYTE) -> BOOL:
    """Write a SID's header."""
    if nSubAuthorityCount > sids.MAXIMUM_SUB_AUTHORITIES:
        raise WinError(ERROR.INVALID_PARAMETER)
    thread.memory.write(Sid, bytes((sids.REVISION, nSubAuthorityCount)) + pIdentifierAuthority.read_bytes(6))
    return BOOL(1)


@export
async def AllocateAndInitializeSid(
    thread: UserThread,
    pIdentifierAuthority: Ptr[BYTE],
    nSubAuthorityCount: BYTE,
    nSubAuthority0: DWORD,
    nSubAuthority1: DWORD,
    nSubAuthority2: DWORD,
    nSubAuthority3: DWORD,
    nSubAuthority4: DWORD,
    nSubAuthority5: DWORD,
    nSubAuthority6: DWORD,
    nSubAuthority7: DWORD,
    pSid: Out[PVOID],
) -> BOOL:
    """A SID with up to eight sub-authorities, to be freed with FreeSid."""
    if nSubAuthorityCount > 8:
        raise NtError(STATUS.INVALID_SID)
    parts = (
        nSubAuthority0, nSubAuthority1, nSubAuthority2, nSubAuthority3,
        nSubAuthority4, nSubAuthority5, nSubAuthority6, nSubAuthority7,
    )  # fmt: skip
    authority = int.from_bytes(pIdentifierAuthority.read_bytes(6), "big")
    pSid.write(await allocate_bytes(thread, sids.make(authority, *parts[:nSubAuthorityCount])))
    return BOOL(1)


@export
async def FreeSid(thread: UserThread, pSid: PVOID) -> PVOID:
    """Free what AllocateAndInitializeSid made."""
    await free(thread, pSid)
    return PVOID(0)


@export
def CopySid(thread: UserThread, nDestinationSidLength: DWORD, pDestinationSid: PVOID, pSourceSid: PVOID) -> BOOL:
    """Copy a SID where there is room."""
    data = read_sid(thread, pSourceSid)
    if len(data) > nDestinationSidLength:
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    thread.memory.write(pDestinationSid, data)
    return BOOL(1)


@export
def EqualSid(thread: UserThread, pSid1: PVOID, pSid2: PVOID) -> BOOL:
    """Whether two SIDs are the same."""
    return BOOL(read_sid(thread, pSid1) == read_sid(thread, pSid2))


@export
def EqualPrefixSid(thread: UserThread, pSid1: PVOID, pSid2: PVOID) -> BOOL:
    """Whether two SIDs differ in nothing but the last sub-authority."""
    return BOOL(sids.equal_prefix(read_sid(thread, pSid1), read_sid(thread, pSid2)))


def domain_of(sid: bytes) -> bytes:
    """The domain an account's SID belongs to; ERROR_NON_ACCOUNT_SID for others."""
    parts = sids.sub_authorities(sid)
    if sids.authority(sid) != NT_AUTHORITY or len(parts) < 4 or parts[0] != 21:
        raise WinError(NON_ACCOUNT_SID)
    return sids.make(NT_AUTHORITY, *parts[:4])


@export
def EqualDomainSid(thread: UserThread, pSid1: PVOID, pSid2: PVOID, pfEqual: Out[BOOL]) -> BOOL:
    """Whether two accounts are of one domain."""
    pfEqual.write(int(domain_of(read_sid(thread, pSid1)) == domain_of(read_sid(thread, pSid2))))
    return BOOL(1)


def _put(thread: UserThread, data: bytes, place: int, size: Ptr[DWORD]) -> BOOL:
    room = int(size.read())
    size.write(len(data))
    if room < len(data) or not place:
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    thread.memory.write(place, data)
    return BOOL(1)


@export
def GetWindowsAccountDomainSid(thread: UserThread, pSid: PVOID, pDomainSid: PVOID, cbDomainSid: Ptr[DWORD]) -> BOOL:
    """The domain of an account."""
    return _put(thread, domain_of(read_sid(thread, pSid)), pDomainSid, cbDomainSid)


@export
def CreateWellKnownSid(
    thread: UserThread, WellKnownSidType: DWORD, DomainSid: PVOID, pSid: PVOID, cbSid: Ptr[DWORD]
) -> BOOL:
    """The SID everybody knows by its number."""
    domain = read_sid(thread, DomainSid) if DomainSid else None
    return _put(thread, well_known(WellKnownSidType, domain), pSid, cbSid)


@export
def IsWellKnownSid(thread: UserThread, pSid: PVOID, WellKnownSidType: DWORD) -> BOOL:
    """Whether a SID is the one of that number."""
    return BOOL(is_well_known(read_sid(thread, pSid), WellKnownSidType))


@export
def GetSidIdentifierAuthority(thread: UserThread, pSid: PVOID) -> PVOID:
    """Where a SID's authority stands."""
    return PVOID(pSid + 2)


@export
def GetSidSubAuthority(thread: UserThread, pSid: PVOID, nSubAuthority: DWORD) -> PVOID:
    """Where a sub-authority stands."""
    return PVOID(pSid + HEADER + 4 * nSubAuthority)


@export
def GetSidSubAuthorityCount(thread: UserThread, pSid: PVOID) -> PVOID:
    """Where the count of sub-authorities stands."""
    return PVOID(pSid + 1)
