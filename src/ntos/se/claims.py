"""What a token says about its bearer, as a value: who, in which groups, how trusted, with which privileges.

The bytes of the token stay the truth; `Token.claims` reads them into this form, and the access check works on
it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ntos.abi import se as constants
from ntos.rtl import sid as sids

ENABLED = constants.SE_GROUP_ENABLED
DENY_ONLY = constants.SE_GROUP_USE_FOR_DENY_ONLY
ORDINARY_GROUP = constants.SE_GROUP_MANDATORY | constants.SE_GROUP_ENABLED_BY_DEFAULT | constants.SE_GROUP_ENABLED
INTEGRITY_GROUP = constants.SE_GROUP_INTEGRITY | constants.SE_GROUP_INTEGRITY_ENABLED
NO_INDEX = 0xFFFF_FFFF

POLICY_NO_WRITE_UP = 1
POLICY_NEW_PROCESS_MIN = 2


@dataclass(frozen=True, slots=True)
class Group:
    """A SID and how it counts (SID_AND_ATTRIBUTES)."""

    sid: bytes
    attributes: int = ORDINARY_GROUP

    @property
    def deny_only(self) -> bool:
        return bool(self.attributes & DENY_ONLY)

    @property
    def text(self) -> str:
        return sids.to_text(self.sid)


@dataclass(frozen=True, slots=True)
class Claims:
    """A token's contents. `groups[0]` is the user; privileges are bit masks by LUID."""

    groups: tuple[Group, ...]
    present: int = 0
    enabled: int = 0
    enabled_by_default: int = 0
    restricted: tuple[Group, ...] = ()
    integrity_index: int = NO_INDEX
    owner_index: int = 0
    policy: int = POLICY_NO_WRITE_UP
    flags: int = 0
    package: bytes | None = None
    """The AppContainer's SID, for a LowBox token."""
    capabilities: tuple[Group, ...] = ()

    @property
    def user(self) -> bytes:
        """The user's SID."""
        return self.groups[0].sid

    @property
    def owner(self) -> bytes:
        """Who owns what the bearer creates."""
        return self.groups[self.owner_index].sid

    @property
    def integrity(self) -> bytes:
        """The mandatory label; a token without one counts as untrusted."""
        return sids.UNTRUSTED_LABEL if self.integrity_index == NO_INDEX else self.groups[self.integrity_index].sid

    @property
    def level(self) -> int:
        """The integrity level as a number: 0x2000 is Medium."""
        return sids.sub_authorities(self.integrity)[0]

    @property
    def is_restricted(self) -> bool:
        return bool(self.restricted)

    @property
    def write_restricted(self) -> bool:
        """Whether the restricting SIDs count for write access only."""
        return bool(self.flags & constants.TOKEN_WRITE_RESTRICTED)

    def holds(self, privilege: int) -> bool:
        """Whether a privilege is present and enabled."""
        return bool(self.enabled >> privilege & 1)

    def has(self, sid: bytes, *, denying: bool = False, restricted: bool = False) -> bool:
        """Whether a SID counts: in entries that allow, or (denying) in those that deny. SepSidInToken."""
        members = self.restricted if restricted else self.groups
        for index, group in enumerate(members):
            if group.sid != sid:
                continue
            if denying and group.attributes & (ENABLED | DENY_ONLY):
                return True
            # The user (and a restricting SID) counts without being enabled, unless for deny only.
            if not group.deny_only and (group.attributes & ENABLED or restricted or index == 0):
                return True
        return False

    def has_capability(self, sid: bytes) -> bool:
        """Whether a SID counts for the AppContainer: its own, all packages', or an enabled capability."""
        if sid in (self.package, sids.ALL_APPLICATION_PACKAGES):
            return True
        return any(group.sid == sid and group.attributes & ENABLED for group in self.capabilities)

    def may_own(self, sid: bytes) -> bool:
        """Whether the bearer may make this SID an owner: itself, or a group marked as owner."""
        if sid == self.user:
            return True
        wanted = constants.SE_GROUP_OWNER | ENABLED
        return any(group.sid == sid and group.attributes & wanted == wanted for group in self.groups)

    @property
    def logon_sid(self) -> bytes | None:
        """The SID of the logon session (S-1-5-5-x-y), if a group is marked as it."""
        mark = constants.SE_GROUP_LOGON_ID
        return next((group.sid for group in self.groups if group.attributes & mark == mark), None)

    @property
    def elevated(self) -> bool:
        """Whether the bearer has administrative groups or privileges (TOKEN_ELEVATION)."""
        if self.present & _ELEVATED_PRIVILEGES:
            return True
        return any(not group.deny_only and _is_elevated_rid(group.sid) for group in self.groups)

    def with_privileges(self, present: int, enabled: int) -> Claims:
        """The same with other privileges."""
        return replace(self, present=present, enabled=enabled & present)


_ELEVATED_PRIVILEGES = sum(1 << number for number in (2, 7, 9, 10, 17, 18, 20, 29, 32, 36))
"""Those a filtered token must lose: CreateToken, Tcb, TakeOwnership, LoadDriver, Backup, Restore, Debug,
Impersonate, Relabel, DelegateSessionUserImpersonate (Windows Internals 7, part 1, chapter 7, "UAC")."""
_ELEVATED_ALIASES = frozenset({544, 547, 548, 549, 550, 551, 552, 554, 556, 569})
_ELEVATED_DOMAIN_RIDS = frozenset({512, 516, 517, 518, 519, 520, 498, 553})


def _is_elevated_rid(sid: bytes) -> bool:
    parts = sids.sub_authorities(sid)
    if sids.authority(sid) != 5 or not parts:
        return False
    if parts[0] == 32 and len(parts) == 2:
        return parts[1] in _ELEVATED_ALIASES
    return parts[0] == 21 and parts[-1] in _ELEVATED_DOMAIN_RIDS


ELEVATED_PRIVILEGES = _ELEVATED_PRIVILEGES


def is_elevated_group(sid: bytes) -> bool:
    """Whether a filtered token must hold this group for deny only (RtlIsElevatedRid)."""
    return _is_elevated_rid(sid) or sid == sids.LOCAL_ACCOUNT_AND_ADMINISTRATOR
