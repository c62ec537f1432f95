"""The access check: may the bearer of a token do this to an object with that descriptor, and if not, why not.

The order is Windows' ([MS-DTYP] 2.5.3.2, 2.5.3.3): generic rights are mapped, the mandatory label takes
rights away, privileges give some, the owner may read and write the DACL, then the entries of the DACL are
walked in order; with restricting SIDs the walk is made twice and both must grant.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

from ntos.abi import access as rights
from ntos.abi.se import (
    PRIVILEGE_NAMES,
    SE_PRIVILEGE,
    SYSTEM_MANDATORY_LABEL_NO_EXECUTE_UP,
    SYSTEM_MANDATORY_LABEL_NO_READ_UP,
    SYSTEM_MANDATORY_LABEL_NO_WRITE_UP,
)
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import NTSTATUS
from ntos.ob.types import GenericMapping
from ntos.rtl import security
from ntos.rtl import sid as sids
from ntos.rtl.security import Ace, AceType, Descriptor
from ntos.rtl.sid_names import lookup_sid
from ntos.se.claims import POLICY_NO_WRITE_UP, Claims

ALL_BITS = 0xFFFF_FFFF
USER, RESTRICTED, PACKAGE = "user", "restricting SIDs", "app container"
"""The walks over a DACL: each that a token calls for must grant."""
UNGRANTED = {
    USER: "no entry of the DACL grants it",
    RESTRICTED: "no entry of the DACL grants it to a restricting SID",
    PACKAGE: "no entry of the DACL grants it to the app container or one of its capabilities",
}
_ALLOWING = frozenset({AceType.ACCESS_ALLOWED, AceType.ACCESS_ALLOWED_OBJECT})
_DENYING = frozenset(
    {
        AceType.ACCESS_DENIED,
        AceType.ACCESS_DENIED_OBJECT,
        AceType.ACCESS_DENIED_CALLBACK,
        AceType.ACCESS_DENIED_CALLBACK_OBJECT,
    }
)
# A condition we cannot evaluate is "unknown": it does not allow, and it does deny ([MS-DTYP] 2.5.3.1.4).


class Grant(NamedTuple):
    """What a check gave, and the privileges it took to give it (a mask by LUID)."""

    access: int
    privileges: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked besides the access: rights already granted, and privileges the opener called upon."""

    previously: int = 0
    backup: bool = False
    """SeBackupPrivilege may grant read access (FILE_OPEN_FOR_BACKUP_INTENT, REG_OPTION_BACKUP_RESTORE)."""
    restore: bool = False
    """SeRestorePrivilege may grant write access."""
    object_type: bytes | None = None
    """The property whose entries count (a GUID's sixteen bytes)."""
    principal_self: bytes | None = None
    """Whom PRINCIPAL_SELF stands for."""


PLAIN = Request()


@functools.lru_cache(maxsize=1024)
def parse(descriptor: bytes) -> Descriptor:
    """The descriptor in self-relative bytes; the same bytes are read once."""
    return security.parse_descriptor(descriptor)


def check(
    claims: Claims,
    descriptor: Descriptor | None,
    desired: int,
    mapping: GenericMapping,
    request: Request = PLAIN,
) -> Grant:
    """The granted access, or NtError saying which rule refused. SeAccessCheck for user mode.

    An object without a descriptor grants what is asked: nobody restricted it.
    """
    if desired & (rights.GENERIC_ALL | rights.GENERIC_EXECUTE | rights.GENERIC_READ | rights.GENERIC_WRITE):
        desired = mapping.apply(desired)
    maximum = bool(desired & rights.MAXIMUM_ALLOWED)
    desired &= ~rights.MAXIMUM_ALLOWED
    previously = request.previously
    if descriptor is None:
        return Grant(desired | previously | (mapping.all if maximum else 0))
    return _Check(claims, descriptor, desired & ~previously, mapping, request, maximum=maximum).run()


class _Check:
    """One check under way."""

    def __init__(
        self,
        claims: Claims,
        descriptor: Descriptor,
        desired: int,
        mapping: GenericMapping,
        request: Request,
        *,
        maximum: bool,
    ) -> None:
        self.claims = claims
        self.descriptor = descriptor
        self.desired = desired
        self.mapping = mapping
        self.request = request
        self.maximum = maximum
        self.by_privilege = 0
        self.privileges = 0

    def run(self) -> Grant:
        """All rules in order."""
        ceiling = self._mandatory_ceiling()
        if self.desired & ~ceiling:
            raise self._refuse_by_label(self.desired & ~ceiling)
        self._system_security()
        self._take_ownership()
        self._backup_and_restore()
        self.by_privilege &= ceiling
        remaining = self.desired & ~self.by_privilege
        granted = self._by_owner_and_dacl(remaining, ceiling)
        total = granted | self.by_privilege | self.request.previously
        if total == 0 and self.maximum:
            raise self._refuse_nothing()
        return Grant(total, self.privileges)

    # ------------------------------------------------------------ mandatory label

    def _mandatory_ceiling(self) -> int:
        """Every right the object's mandatory label leaves to this bearer."""
        level, policy = label_of(self.descriptor)
        if self.claims.package is not None and level <= DEFAULT_LABEL[0]:
            return ALL_BITS  # what an AppContainer may do up to Medium its package's entries say
        if self.claims.level >= level or not self.claims.policy & POLICY_NO_WRITE_UP:
            return ALL_BITS
        mapping = self.mapping
        allowed = rights.ACCESS_SYSTEM_SECURITY
        if not policy & SYSTEM_MANDATORY_LABEL_NO_READ_UP:
            allowed |= mapping.read
        if not policy & SYSTEM_MANDATORY_LABEL_NO_WRITE_UP:
            allowed |= mapping.write | mapping.all
        if not policy & SYSTEM_MANDATORY_LABEL_NO_EXECUTE_UP:
            allowed |= mapping.execute
        if self.claims.holds(SE_PRIVILEGE.RELABEL):
            allowed |= rights.WRITE_OWNER
        return allowed

    def _refuse_by_label(self, refused: int) -> NtError:
        level, policy = label_of(self.descriptor)
        return _denied(
            "mandatory integrity label",
            {
                "subject level": f"0x{self.claims.level:X}",
                "object level": f"0x{level:X}",
                "object policy": _policy_text(policy),
                "refused rights": f"0x{refused:X}",
            },
            f"run at integrity level 0x{level:X} or above, or do not ask for 0x{refused:X}",
        )

    # ------------------------------------------------------------ privileges

    def _system_security(self) -> None:
        if not self.desired & rights.ACCESS_SYSTEM_SECURITY:
            return
        if not self.claims.holds(SE_PRIVILEGE.SECURITY):
            raise privilege_not_held(self.claims, SE_PRIVILEGE.SECURITY)
        self._give(rights.ACCESS_SYSTEM_SECURITY, SE_PRIVILEGE.SECURITY)

    def _take_ownership(self) -> None:
        if not (self.desired & rights.WRITE_OWNER or self.maximum):
            return
        for privilege in (SE_PRIVILEGE.TAKE_OWNERSHIP, SE_PRIVILEGE.RELABEL):
            if self.claims.holds(privilege):
                self._give(rights.WRITE_OWNER, privilege)
                return

    def _backup_and_restore(self) -> None:
        asked = ALL_BITS if self.maximum else self.desired
        if self.request.backup and self.claims.holds(SE_PRIVILEGE.BACKUP):
            read = self.mapping.read | self.mapping.execute | rights.READ_CONTROL
            self._give(asked & (read | self.desired & rights.ACCESS_SYSTEM_SECURITY), SE_PRIVILEGE.BACKUP)
        if self.request.restore and self.claims.holds(SE_PRIVILEGE.RESTORE):
            write = self.mapping.write | rights.WRITE_DAC | rights.WRITE_OWNER | rights.DELETE
            self._give(asked & (write | self.desired & rights.ACCESS_SYSTEM_SECURITY), SE_PRIVILEGE.RESTORE)

    def _give(self, access: int, privilege: int) -> None:
        if access:
            self.by_privilege |= access
            self.privileges |= 1 << privilege

    # ------------------------------------------------------------ owner and DACL

    def _by_owner_and_dacl(self, remaining: int, ceiling: int) -> int:
        dacl = self.descriptor.dacl
        if dacl is None:
            return remaining | (self.mapping.all & ceiling if self.maximum else 0)
        if not remaining and not self.maximum:
            return 0
        granted = self._walk(dacl.aces, remaining, USER)
        if self.claims.is_restricted:
            granted = self._restricted_walk(dacl.aces, remaining, granted)
        if self.claims.package is not None:
            granted &= self._walk(dacl.aces, remaining, PACKAGE)
        return granted & ceiling | remaining

    def _restricted_walk(self, aces: tuple[Ace, ...], remaining: int, granted: int) -> int:
        if not self.claims.write_restricted:
            return granted & self._walk(aces, remaining, RESTRICTED)
        reading = self.mapping.read | self.mapping.execute
        writing = self._walk(aces, remaining & ~reading, RESTRICTED)
        return granted & (writing | reading)

    def _walk(self, aces: tuple[Ace, ...], remaining: int, walk: str) -> int:
        """What the owner's rights and the entries grant; refuses when `remaining` is not among it."""
        owner = walk != PACKAGE and self._is_owner(restricted=walk == RESTRICTED)
        granted = denied = 0
        if owner and not any(ace.sid == sids.OWNER_RIGHTS and not ace.inherit_only for ace in aces):
            granted = rights.READ_CONTROL | rights.WRITE_DAC
        for index, ace in enumerate(aces):
            if ace.inherit_only or not self._concerns(ace):
                continue
            mask = self.mapping.apply(ace.mask)
            if ace.type in _ALLOWING:
                if mask & ~granted & ~denied and self._matches(ace, walk, owner=owner):
                    granted |= mask & ~denied
            elif ace.type in _DENYING and self._matches(ace, walk, owner=owner, denying=True):
                if mask & remaining & ~granted:
                    raise self._refuse_by_entry(index, ace, mask & remaining & ~granted, walk)
                denied |= mask & ~granted
            if not self.maximum and not remaining & ~granted:
                break
        if remaining & ~granted:
            raise self._refuse_ungranted(remaining & ~granted, walk)
        return granted if self.maximum else granted & remaining

    def _is_owner(self, *, restricted: bool) -> bool:
        owner = self.descriptor.owner
        return owner is not None and self.claims.has(owner, restricted=restricted)

    def _concerns(self, ace: Ace) -> bool:
        return ace.object_type is None or ace.object_type == self.request.object_type

    def _matches(self, ace: Ace, walk: str, *, owner: bool, denying: bool = False) -> bool:
        sid = ace.sid
        if walk == PACKAGE:
            return self.claims.has_capability(sid)
        if sid == sids.OWNER_RIGHTS:
            return owner
        if sid == sids.PRINCIPAL_SELF and self.request.principal_self is not None:
            sid = self.request.principal_self
        return self.claims.has(sid, denying=denying, restricted=walk == RESTRICTED)

    # ------------------------------------------------------------ refusals

    def _refuse_by_entry(self, index: int, ace: Ace, refused: int, walk: str) -> NtError:
        return _denied(
            "an entry of the DACL denies",
            {
                "entry": index,
                "trustee": who(ace.sid),
                "entry mask": f"0x{ace.mask:X}",
                "refused rights": f"0x{refused:X}",
                **self._common(walk),
            },
            f"take entry {index} (denies 0x{ace.mask:X} to {who(ace.sid)}) out of the DACL",
        )

    def _refuse_ungranted(self, refused: int, walk: str) -> NtError:
        subject = self.claims.restricted[0].sid if walk == RESTRICTED else self.claims.user
        if walk == PACKAGE and self.claims.package is not None:
            subject = self.claims.package
        aces = self.descriptor.dacl.aces if self.descriptor.dacl is not None else ()
        disabled = [who(ace.sid) for ace in aces if ace.type in _ALLOWING and ace.mask & refused and walk != RESTRICTED]
        return _denied(
            UNGRANTED[walk],
            {
                "refused rights": f"0x{refused:X}",
                "entries": len(aces),
                "granted only to": disabled,
                **self._common(walk),
            },
            f"add an entry that allows 0x{refused:X} to {who(subject)}",
        )

    def _refuse_nothing(self) -> NtError:
        return _denied(
            "no right at all is granted",
            self._common(USER),
            f"add an entry that allows {who(self.claims.user)} something",
        )

    def _common(self, walk: str) -> dict[str, object]:
        owner = self.descriptor.owner
        return {
            "subject": who(self.claims.user),
            "owner": who(owner) if owner is not None else "",
            "desired access": f"0x{self.desired:X}",
            "walk": walk,
        }


@functools.lru_cache(maxsize=256)
def _label_of(aces: tuple[Ace, ...]) -> tuple[int, int]:
    for ace in aces:
        if ace.type == AceType.SYSTEM_MANDATORY_LABEL and not ace.inherit_only:
            return sids.sub_authorities(ace.sid)[0], ace.mask
    return DEFAULT_LABEL


DEFAULT_LABEL = (0x2000, SYSTEM_MANDATORY_LABEL_NO_WRITE_UP)
"""An object without a label counts as Medium, no write up."""


def label_of(descriptor: Descriptor) -> tuple[int, int]:
    """Integrity level of an object and its policy."""
    return DEFAULT_LABEL if descriptor.sacl is None else _label_of(descriptor.sacl.aces)


def who(sid: bytes) -> str:
    """A SID as a person would name it."""
    account = lookup_sid(sid)
    text = sids.to_text(sid)
    if account is None:
        return text
    return f"{account.domain}\\{account.name}" if account.domain else account.name


def _policy_text(policy: int) -> str:
    names = [(1, "no write up"), (2, "no read up"), (4, "no execute up")]
    return ", ".join(name for bit, name in names if policy & bit) or "none"


def _denied(rule: str, inputs: dict[str, object], flip: str, status: NTSTATUS = STATUS.ACCESS_DENIED) -> NtError:
    return NtError(status, because=Denied(rule, inputs, flip))


def privilege_not_held(claims: Claims, privilege: int) -> NtError:
    """STATUS_PRIVILEGE_NOT_HELD with what would flip it: enabling the privilege, or a token that has it."""
    name = PRIVILEGE_NAMES.get(privilege, str(privilege))
    present = bool(claims.present >> privilege & 1)
    return _denied(
        f"{name} is not enabled" if present else f"{name} is not in the token",
        {"privilege": name, "present": present, "subject": who(claims.user)},
        f"enable {name} (NtAdjustPrivilegesToken)" if present else f"run with a token that has {name}",
        STATUS.PRIVILEGE_NOT_HELD,
    )
