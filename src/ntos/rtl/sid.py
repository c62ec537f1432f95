"""Security identifiers: bytes, text, and the well-known names."""

from __future__ import annotations

import re
import struct

from ntos.abi.status import STATUS, NtError

REVISION = 1
MAXIMUM_SUB_AUTHORITIES = 15

_TEXT = re.compile(r"S-1-(0x[0-9a-f]{1,12}|\d{1,10})((?:-(?:\d{1,10}|0x[0-9a-f]{1,8})){1,15})", re.IGNORECASE)


def make(authority: int, *sub_authorities: int) -> bytes:
    """The bytes of a SID (RtlAllocateAndInitializeSid)."""
    count = len(sub_authorities)
    if count > MAXIMUM_SUB_AUTHORITIES:
        raise NtError(STATUS.INVALID_SID)
    return struct.pack(f">BB6s{count}I", REVISION, count, authority.to_bytes(6, "big"), *sub_authorities)[
        :8
    ] + (struct.pack(f"<{count}I", *sub_authorities))


def length(data: bytes, offset: int = 0) -> int:
    """How many bytes the SID at an offset takes, by its own count (RtlLengthSid)."""
    return 8 + 4 * data[offset + 1]


def take(data: bytes, offset: int = 0) -> bytes:
    """The valid SID that stands at an offset; STATUS_INVALID_SID where none does."""
    sid = data[offset : offset + length(data, offset)] if offset + 2 <= len(data) else b""
    if not is_valid(sid):
        raise NtError(STATUS.INVALID_SID)
    return sid


def is_valid(sid: bytes) -> bool:
    """Whether the bytes are a SID (RtlValidSid)."""
    return (
        len(sid) >= 8
        and sid[0] & 0xF == REVISION
        and sid[1] <= MAXIMUM_SUB_AUTHORITIES
        and len(sid) >= length(sid)
    )


def authority(sid: bytes) -> int:
    """The identifier authority (RtlIdentifierAuthoritySid)."""
    return int.from_bytes(sid[2:8], "big")


def sub_authorities(sid: bytes) -> tuple[int, ...]:
    """All sub-authorities; the last is the RID."""
    return struct.unpack_from(f"<{sid[1]}I", sid, 8)


def to_text(sid: bytes) -> str:
    """`S-1-5-18` (RtlConvertSidToUnicodeString)."""
    value = authority(sid)
    head = f"0x{value:012X}" if value >> 32 else str(value)
    return "-".join(["S", str(sid[0]), head, *map(str, sub_authorities(sid))])


def from_text(text: str) -> bytes:
    """The SID in `S-1-…` form; STATUS_INVALID_SID for anything else."""
    match = _TEXT.fullmatch(text)
    if match is None:
        raise NtError(STATUS.INVALID_SID)
    head, *rest = (int(part, 0) for part in _parts(match))
    if head >> 48 or any(part >> 32 for part in rest):
        raise NtError(STATUS.INVALID_SID)
    return make(head, *rest)


def _parts(match: re.Match[str]) -> list[str]:
    parts = [match.group(1), *match.group(2).split("-")[1:]]
    return [part if part[:2].lower() == "0x" else part.lstrip("0") or "0" for part in parts]


def child(sid: bytes, rid: int) -> bytes:
    """The SID with one more sub-authority: an account of a domain."""
    return make(authority(sid), *sub_authorities(sid), rid)


def parent(sid: bytes) -> bytes:
    """The SID without its last sub-authority: an account's domain."""
    return make(authority(sid), *sub_authorities(sid)[:-1])


def equal_prefix(left: bytes, right: bytes) -> bool:
    """Whether two SIDs differ in nothing but the last sub-authority (RtlEqualPrefixSid)."""
    return len(left) == len(right) and left[1] > 0 and left[:-4] == right[:-4]


NULL = make(0, 0)
WORLD = make(1, 0)
LOCAL = make(2, 0)
CONSOLE_LOGON = make(2, 1)
CREATOR_OWNER = make(3, 0)
CREATOR_GROUP = make(3, 1)
OWNER_RIGHTS = make(3, 4)
NT_AUTHORITY = make(5)
DIALUP = make(5, 1)
NETWORK = make(5, 2)
BATCH = make(5, 3)
INTERACTIVE = make(5, 4)
SERVICE = make(5, 6)
ANONYMOUS = make(5, 7)
PRINCIPAL_SELF = make(5, 10)
AUTHENTICATED_USERS = make(5, 11)
RESTRICTED = make(5, 12)
TERMINAL_SERVER_USER = make(5, 13)
REMOTE_INTERACTIVE = make(5, 14)
THIS_ORGANIZATION = make(5, 15)
LOCAL_SYSTEM = make(5, 18)
LOCAL_SERVICE = make(5, 19)
NETWORK_SERVICE = make(5, 20)
WRITE_RESTRICTED = make(5, 33)
LOCAL_ACCOUNT = make(5, 113)
LOCAL_ACCOUNT_AND_ADMINISTRATOR = make(5, 114)
BUILTIN = make(5, 32)
ADMINISTRATORS = make(5, 32, 544)
USERS = make(5, 32, 545)
GUESTS = make(5, 32, 546)
POWER_USERS = make(5, 32, 547)
BACKUP_OPERATORS = make(5, 32, 551)
NTLM_AUTHENTICATION = make(5, 64, 10)
ALL_SERVICES = make(5, 80, 0)
TRUSTED_INSTALLER = from_text("S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464")
ALL_APPLICATION_PACKAGES = make(15, 2, 1)
ALL_RESTRICTED_APPLICATION_PACKAGES = make(15, 2, 2)
UNTRUSTED_LABEL = make(16, 0)
LOW_LABEL = make(16, 0x1000)
MEDIUM_LABEL = make(16, 0x2000)
MEDIUM_PLUS_LABEL = make(16, 0x2100)
HIGH_LABEL = make(16, 0x3000)
SYSTEM_LABEL = make(16, 0x4000)
PROTECTED_PROCESS_LABEL = make(16, 0x5000)
