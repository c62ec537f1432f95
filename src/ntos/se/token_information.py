"""What NtQueryInformationToken answers, class by class, as bytes for the place they will stand at."""

from __future__ import annotations

import struct
from collections.abc import Callable

from ntos.abi import se as constants
from ntos.abi.se import TOKEN_ELEVATION_TYPE
from ntos.abi.se import TOKEN_INFORMATION_CLASS as CLASS
from ntos.abi.status import STATUS, NtError
from ntos.se import luid, privileges
from ntos.se.claims import Group
from ntos.se.lowbox import number_of
from ntos.se.token import IMPERSONATION, Token

Builder = Callable[[Token, int], bytes]


def pack_privileges(settings: list[privileges.Setting]) -> bytes:
    """TOKEN_PRIVILEGES."""
    entries = b"".join(struct.pack("<QI", setting.privilege, setting.attributes) for setting in settings)
    return struct.pack("<I", len(settings)) + entries


def pack_groups(groups: tuple[Group, ...], base: int) -> bytes:
    """TOKEN_GROUPS that will stand at `base`, the SIDs behind the array."""
    return struct.pack("<Q", len(groups)) + pack_sids(groups, base + 8)


def pack_sids(groups: tuple[Group, ...], base: int) -> bytes:
    """SID_AND_ATTRIBUTES entries that will stand at `base`, the SIDs behind them."""
    head, text = b"", b""
    for group in groups:
        head += struct.pack("<QQ", base + 16 * len(groups) + len(text), group.attributes)
        text += group.sid
    return head + text


def _number(read: Callable[[Token], int]) -> Builder:
    return lambda token, _base: struct.pack("<I", read(token))


def _sid(read: Callable[[Token], bytes]) -> Builder:
    """A structure that is one pointer to a SID behind it."""
    return lambda token, base: struct.pack("<Q", base + 8) + read(token)


def _flag(bit: int) -> Builder:
    return _number(lambda token: int(bool(int(token.body.TokenFlags) & bit)))


def _zeros(size: int) -> Builder:
    return lambda _token, _base: bytes(size)


def _user(token: Token, base: int) -> bytes:
    return pack_sids(token.claims.groups[:1], base)


def _groups(token: Token, base: int) -> bytes:
    return pack_groups(token.claims.groups[1:], base)


def _restricted(token: Token, base: int) -> bytes:
    return pack_groups(token.claims.restricted, base)


def _privileges(token: Token, base: int) -> bytes:
    return pack_privileges(privileges.settings(token.claims))


def _default_dacl(token: Token, base: int) -> bytes:
    dacl = token.default_dacl
    return bytes(8) if dacl is None else struct.pack("<Q", base + 8) + dacl.to_bytes()


def _source(token: Token, base: int) -> bytes:
    return bytes(token.body.TokenSource)


def _impersonation_level(token: Token, base: int) -> bytes:
    if int(token.body.TokenType) != IMPERSONATION:
        raise NtError(STATUS.INVALID_PARAMETER)
    return struct.pack("<I", token.level)


def _statistics(token: Token, base: int) -> bytes:
    body, claims = token.body, token.claims
    return struct.pack(
        "<QQqIIIIIIQ",
        token.id,
        token.authentication_id,
        int(body.ExpirationTime),
        int(body.TokenType),
        token.level,
        int(body.DynamicCharged),
        int(body.DynamicAvailable),
        len(claims.groups) - 1,
        claims.present.bit_count(),
        luid.get(body.ModifiedId),
    )


def _groups_and_privileges(token: Token, base: int) -> bytes:
    claims = token.claims
    size = 0x38
    members = pack_sids(claims.groups, base + size)
    members += bytes(-len(members) % 8)
    restricted = pack_sids(claims.restricted, base + size + len(members))
    restricted += bytes(-len(restricted) % 8)
    rights = pack_privileges(privileges.settings(claims))[4:]
    head = struct.pack(
        "<IIQIIQIIQQ",
        len(claims.groups),
        len(members),
        base + size,
        len(claims.restricted),
        len(restricted),
        base + size + len(members) if restricted else 0,
        claims.present.bit_count(),
        len(rights),
        base + size + len(members) + len(restricted),
        token.authentication_id,
    )
    return head + members + restricted + rights


def _integrity(token: Token, base: int) -> bytes:
    claims = token.claims
    return pack_sids((Group(claims.integrity, constants.SE_GROUP_INTEGRITY | 0x40),), base)


def _logon_sid(token: Token, base: int) -> bytes:
    sid = token.claims.logon_sid
    if sid is None:
        raise NtError(STATUS.NOT_FOUND)
    group = next(group for group in token.claims.groups if group.sid == sid)
    return pack_groups((group,), base)


def _origin(token: Token, base: int) -> bytes:
    return struct.pack("<Q", luid.get(token.body.OriginatingLogonSession))


def _package(token: Token, base: int) -> bytes:
    package = token.claims.package
    return struct.pack("<Q", base + 8) + package if package is not None else bytes(8)


def elevation_type(token: Token) -> int:
    """Whether the token is one half of a split one, and which."""
    if token.linked_session is None:
        return TOKEN_ELEVATION_TYPE.TokenElevationTypeDefault
    if int(token.body.TokenFlags) & constants.TOKEN_IS_FILTERED:
        return TOKEN_ELEVATION_TYPE.TokenElevationTypeLimited
    return TOKEN_ELEVATION_TYPE.TokenElevationTypeFull


def _is_filtered(token: Token) -> int:
    flags = constants.TOKEN_IS_FILTERED | constants.TOKEN_IS_RESTRICTED
    return int(bool(int(token.body.TokenFlags) & flags))


BUILDERS: dict[int, Builder] = {
    CLASS.TokenUser: _user,
    CLASS.TokenGroups: _groups,
    CLASS.TokenPrivileges: _privileges,
    CLASS.TokenOwner: _sid(lambda token: token.claims.owner),
    CLASS.TokenPrimaryGroup: _sid(lambda token: token.primary_group),
    CLASS.TokenDefaultDacl: _default_dacl,
    CLASS.TokenSource: _source,
    CLASS.TokenType: _number(lambda token: int(token.body.TokenType)),
    CLASS.TokenImpersonationLevel: _impersonation_level,
    CLASS.TokenStatistics: _statistics,
    CLASS.TokenRestrictedSids: _restricted,
    CLASS.TokenSessionId: _number(lambda token: token.session),
    CLASS.TokenGroupsAndPrivileges: _groups_and_privileges,
    CLASS.TokenSandBoxInert: _flag(constants.TOKEN_SANDBOX_INERT),
    CLASS.TokenOrigin: _origin,
    CLASS.TokenElevationType: _number(elevation_type),
    CLASS.TokenElevation: _number(lambda token: int(token.claims.elevated)),
    CLASS.TokenHasRestrictions: _number(_is_filtered),
    CLASS.TokenVirtualizationAllowed: _flag(constants.TOKEN_VIRTUALIZE_ALLOWED),
    CLASS.TokenVirtualizationEnabled: _flag(constants.TOKEN_VIRTUALIZE_ENABLED),
    CLASS.TokenIntegrityLevel: _integrity,
    CLASS.TokenUIAccess: _flag(constants.TOKEN_UIACCESS),
    CLASS.TokenMandatoryPolicy: _number(lambda token: token.claims.policy),
    CLASS.TokenLogonSid: _logon_sid,
    CLASS.TokenIsAppContainer: _flag(constants.TOKEN_LOWBOX),
    CLASS.TokenCapabilities: lambda token, base: pack_groups(token.claims.capabilities, base),
    CLASS.TokenAppContainerSid: _package,
    CLASS.TokenAppContainerNumber: _number(number_of),
    CLASS.TokenUserClaimAttributes: lambda _token, _base: struct.pack("<HHIQ", 1, 0, 0, 0),
    CLASS.TokenDeviceClaimAttributes: lambda _token, _base: struct.pack("<HHIQ", 1, 0, 0, 0),
    CLASS.TokenDeviceGroups: _zeros(8),
    CLASS.TokenRestrictedDeviceGroups: _zeros(8),
    CLASS.TokenSecurityAttributes: lambda _token, _base: struct.pack("<HHIQ", 1, 0, 0, 0),
    CLASS.TokenIsRestricted: _flag(constants.TOKEN_IS_RESTRICTED),
    CLASS.TokenProcessTrustLevel: _zeros(8),
    CLASS.TokenPrivateNameSpace: _zeros(4),
    CLASS.TokenBnoIsolation: _zeros(16),
    CLASS.TokenIsLessPrivilegedAppContainer: _zeros(4),
    CLASS.TokenIsSandboxed: _zeros(4),
}
"""Every class but TokenLinkedToken, which makes a handle. Tokens here have no claims."""
