"""What a new object's security descriptor is, and how parts of one are read and replaced."""

from __future__ import annotations

from dataclasses import replace

from ntos.abi import access as rights
from ntos.abi import se as constants
from ntos.abi.memory import Memory
from ntos.abi.se import SE_PRIVILEGE
from ntos.abi.status import STATUS, Denied, NtError
from ntos.ob.types import GenericMapping
from ntos.rtl import security
from ntos.rtl import sid as sids
from ntos.rtl.security import Ace, AceFlags, AceType, Acl, Control, Descriptor
from ntos.se.access import privilege_not_held, who
from ntos.se.claims import Claims
from ntos.se.subject import Subject

OWNER, GROUP = constants.OWNER_SECURITY_INFORMATION, constants.GROUP_SECURITY_INFORMATION
DACL, SACL = constants.DACL_SECURITY_INFORMATION, constants.SACL_SECURITY_INFORMATION
LABEL = constants.LABEL_SECURITY_INFORMATION
PROPAGATING = AceFlags.OBJECT_INHERIT | AceFlags.CONTAINER_INHERIT
ALWAYS_LABELLED = frozenset({"Process", "Thread", "Token", "Job"})
"""Types whose objects carry their creator's integrity level, with no read up for processes and threads."""
NO_READ_UP_TYPES = frozenset({"Process", "Thread"})
GENERIC_BITS = 0xF000_0000
MEDIUM = 0x2000
_PARTS_OF_SACL = {
    AceType.SYSTEM_MANDATORY_LABEL: LABEL,
    AceType.SYSTEM_RESOURCE_ATTRIBUTE: constants.ATTRIBUTE_SECURITY_INFORMATION,
    AceType.SYSTEM_SCOPED_POLICY_ID: constants.SCOPE_SECURITY_INFORMATION,
}


# ---------------------------------------------------------------- a new object's descriptor


def assign(
    subject: Subject,
    mapping: GenericMapping,
    *,
    parent: Descriptor | None = None,
    explicit: Descriptor | None = None,
    container: bool = False,
    type_name: str = "",
) -> bytes:
    """The descriptor of a new object, self-relative (SeAssignSecurity).

    The DACL is what the creator said; else what the parent's entries hand down; else the token's default
    DACL.
    """
    claims, token = subject.claims, subject.token
    owner = _assign_owner(claims, explicit)
    group = explicit.group if explicit is not None and explicit.group is not None else token.primary_group
    adapt = _Adapter(owner, group, mapping, container=container)
    control, dacl = _assign_dacl(adapt, parent, explicit, token.default_dacl)
    sacl = _assign_sacl(adapt, claims, parent, explicit, type_name)
    if sacl is not None:
        control |= Control.SACL_PRESENT
    return Descriptor(owner, group, dacl, sacl, control).to_bytes()


def _assign_owner(claims: Claims, explicit: Descriptor | None) -> bytes:
    if explicit is None or explicit.owner is None:
        return claims.owner
    check_owner(claims, explicit.owner)
    return explicit.owner


def check_owner(claims: Claims, owner: bytes) -> None:
    """INVALID_OWNER unless the bearer may make this SID an owner."""
    if not claims.may_own(owner) and not claims.holds(SE_PRIVILEGE.RESTORE):
        because = Denied(
            "the SID may not be made an owner",
            {"owner": who(owner), "subject": who(claims.user)},
            "name yourself or a group marked as owner, or enable SeRestorePrivilege",
        )
        raise NtError(STATUS.INVALID_OWNER, because=because)


def mapped(descriptor: Descriptor, mapping: GenericMapping) -> Descriptor:
    """The descriptor with the generic rights of its entries replaced by the type's own."""
    adapt = _Adapter(descriptor.owner or sids.NULL, descriptor.group or sids.NULL, mapping, container=False)
    return replace(descriptor, dacl=adapt.own(descriptor.dacl))


class _Adapter:
    """Makes entries fit one new object: generic rights mapped, CREATOR OWNER replaced, inheritance flags
    applied.
    """

    def __init__(self, owner: bytes, group: bytes, mapping: GenericMapping, *, container: bool) -> None:
        self.owner = owner
        self.group = group
        self.mapping = mapping
        self.container = container

    def own(self, acl: Acl | None) -> Acl | None:
        """A list that was given for this object itself."""
        if acl is None:
            return None
        return replace(acl, aces=tuple(ace for entry in acl.aces for ace in self._effective(entry, entry.flags)))

    def inherited(self, acl: Acl | None, *, mark: bool) -> tuple[Ace, ...]:
        """What a parent's list hands down; with `mark` the entries say that they are inherited."""
        found: list[Ace] = []
        flag = AceFlags.INHERITED if mark else AceFlags(0)
        for ace in acl.aces if acl is not None else ():
            flags = self._inherited_flags(ace.flags)
            if flags is None:
                continue
            if flags & AceFlags.INHERIT_ONLY:
                found.append(replace(ace, flags=flags | flag))
            else:
                found += self._effective(replace(ace, flags=flags | flag), flags | flag)
        return tuple(found)

    def _inherited_flags(self, flags: int) -> int | None:
        stop = flags & AceFlags.NO_PROPAGATE_INHERIT
        if not self.container:
            return 0 if flags & AceFlags.OBJECT_INHERIT else None
        if flags & AceFlags.CONTAINER_INHERIT:
            return 0 if stop else flags & PROPAGATING
        if flags & AceFlags.OBJECT_INHERIT and not stop:
            return AceFlags.OBJECT_INHERIT | AceFlags.INHERIT_ONLY
        return None

    def _effective(self, ace: Ace, flags: int) -> list[Ace]:
        """The entry as it counts here, and where it would lose something, an inherit-only copy for
        children.
        """
        if flags & AceFlags.INHERIT_ONLY:
            return [ace]
        sid = {sids.CREATOR_OWNER: self.owner, sids.CREATOR_GROUP: self.group}.get(ace.sid, ace.sid)
        mapped = self.mapping.apply(ace.mask)
        if (sid == ace.sid and mapped == ace.mask) or not flags & PROPAGATING:
            return [replace(ace, sid=sid, mask=mapped, flags=flags)]
        here = replace(ace, sid=sid, mask=mapped, flags=flags & ~PROPAGATING)
        return [here, replace(ace, flags=flags | AceFlags.INHERIT_ONLY)]


def _assign_dacl(
    adapt: _Adapter, parent: Descriptor | None, explicit: Descriptor | None, default: Acl | None
) -> tuple[Control, Acl | None]:
    automatic = parent is not None and bool(parent.control & Control.DACL_AUTO_INHERITED)
    inherited = adapt.inherited(parent.dacl, mark=automatic) if parent is not None else ()
    if explicit is not None and explicit.present_dacl and not explicit.control & Control.DACL_DEFAULTED:
        control = Control.DACL_PRESENT | explicit.control & Control.DACL_PROTECTED
        own = adapt.own(explicit.dacl)
        merge = explicit.control & Control.DACL_AUTO_INHERIT_REQ and not explicit.control & Control.DACL_PROTECTED
        if own is not None and merge and inherited:
            own = replace(own, aces=(*own.aces, *inherited))
            control |= Control.DACL_AUTO_INHERITED
        return control, own
    if inherited:
        control = Control.DACL_PRESENT | (Control.DACL_AUTO_INHERITED if automatic else Control(0))
        return control, Acl(inherited)
    if explicit is not None and explicit.present_dacl:
        return Control.DACL_PRESENT, adapt.own(explicit.dacl)
    if default is not None:
        return Control.DACL_PRESENT, adapt.own(default)
    return Control(0), None


def _assign_sacl(
    adapt: _Adapter,
    claims: Claims,
    parent: Descriptor | None,
    explicit: Descriptor | None,
    type_name: str,
) -> Acl | None:
    aces: tuple[Ace, ...] = ()
    if explicit is not None and explicit.sacl is not None:
        _check_sacl(claims, explicit.sacl)
        own = adapt.own(explicit.sacl)
        aces = own.aces if own is not None else ()
    elif parent is not None:
        aces = adapt.inherited(parent.sacl, mark=False)
    if not any(ace.type == AceType.SYSTEM_MANDATORY_LABEL for ace in aces):
        aces = (*aces, *_default_label(claims, type_name))
    return Acl(aces) if aces else None


def _default_label(claims: Claims, type_name: str) -> tuple[Ace, ...]:
    if type_name not in ALWAYS_LABELLED and claims.level >= MEDIUM:
        return ()
    policy = 3 if type_name in NO_READ_UP_TYPES else 1
    return (Ace(AceType.SYSTEM_MANDATORY_LABEL, 0, policy, claims.integrity),)


def _check_sacl(claims: Claims, sacl: Acl) -> None:
    """A label may not be above one's own; anything else in a SACL needs SeSecurityPrivilege."""
    for ace in sacl.aces:
        if ace.type == AceType.SYSTEM_MANDATORY_LABEL:
            check_label(claims, ace.sid)
        elif not claims.holds(SE_PRIVILEGE.SECURITY):
            raise privilege_not_held(claims, SE_PRIVILEGE.SECURITY)


def check_label(claims: Claims, label: bytes) -> None:
    """INVALID_LABEL where the label is above the bearer's own and SeRelabelPrivilege is not enabled."""
    if sids.sub_authorities(label)[0] > claims.level and not claims.holds(SE_PRIVILEGE.RELABEL):
        because = Denied(
            "a label above one's own",
            {"label": who(label), "subject level": f"0x{claims.level:X}"},
            "enable SeRelabelPrivilege, or run at that level",
        )
        raise NtError(STATUS.INVALID_LABEL, because=because)


# ---------------------------------------------------------------- reading and replacing parts


def query_access(information: int) -> int:
    """The access needed to read these parts (SeQuerySecurityAccessMask)."""
    access = rights.READ_CONTROL if information & ~SACL & 0xFFFF else 0
    return access | (rights.ACCESS_SYSTEM_SECURITY if information & SACL else 0)


def set_access(information: int) -> int:
    """The access needed to replace these parts (SeSetSecurityAccessMask)."""
    access = rights.WRITE_OWNER if information & (OWNER | GROUP | LABEL) else 0
    if information & DACL:
        access |= rights.WRITE_DAC
    if information & (SACL | constants.ATTRIBUTE_SECURITY_INFORMATION | constants.SCOPE_SECURITY_INFORMATION):
        access |= rights.ACCESS_SYSTEM_SECURITY
    return access


def query(descriptor: Descriptor, information: int) -> bytes:
    """The asked parts, self-relative (SeQuerySecurityDescriptorInfo)."""
    control = Control(0)
    dacl = sacl = None
    if information & DACL:
        bits = Control.DACL_PRESENT | Control.DACL_AUTO_INHERITED | Control.DACL_PROTECTED | Control.DACL_DEFAULTED
        control |= descriptor.control & bits
        dacl = descriptor.dacl
    if information & (SACL | LABEL | 0x60) and descriptor.sacl is not None:
        kept = tuple(ace for ace in descriptor.sacl.aces if information & _PARTS_OF_SACL.get(AceType(ace.type), SACL))
        if kept or information & SACL:
            sacl = replace(descriptor.sacl, aces=kept)
            control |= Control.SACL_PRESENT
            if information & SACL:
                control |= descriptor.control & (Control.SACL_AUTO_INHERITED | Control.SACL_PROTECTED)
    return Descriptor(
        descriptor.owner if information & OWNER else None,
        descriptor.group if information & GROUP else None,
        dacl,
        sacl,
        control,
        descriptor.resource_manager,
    ).to_bytes()


def update(current: Descriptor, new: Descriptor, information: int, subject: Subject, mapping: GenericMapping) -> bytes:
    """The current descriptor with parts replaced (SeSetSecurityDescriptorInfo)."""
    claims = subject.claims
    result = current
    if information & OWNER:
        if new.owner is None:
            raise NtError(STATUS.INVALID_OWNER)
        check_owner(claims, new.owner)
        result = replace(result, owner=new.owner)
    if information & GROUP:
        if new.group is None:
            raise NtError(STATUS.INVALID_PRIMARY_GROUP)
        result = replace(result, group=new.group)
    adapt = _Adapter(result.owner or sids.NULL, result.group or sids.NULL, mapping, container=False)
    if information & DACL:
        result = _update_dacl(result, new, information, adapt)
    if information & (SACL | LABEL | 0x60):
        result = _update_sacl(result, new, information, claims)
    return result.to_bytes()


def _update_dacl(current: Descriptor, new: Descriptor, information: int, adapt: _Adapter) -> Descriptor:
    keep = current.control & ~(
        Control.DACL_PRESENT | Control.DACL_AUTO_INHERITED | Control.DACL_PROTECTED | Control.DACL_DEFAULTED
    )
    control = keep | new.control & (Control.DACL_PRESENT | Control.DACL_PROTECTED | Control.DACL_DEFAULTED)
    asked = Control.DACL_AUTO_INHERIT_REQ | Control.DACL_AUTO_INHERITED
    if new.control & asked == asked:
        control |= Control.DACL_AUTO_INHERITED
    if information & constants.PROTECTED_DACL_SECURITY_INFORMATION:
        control |= Control.DACL_PROTECTED
    if information & constants.UNPROTECTED_DACL_SECURITY_INFORMATION:
        control &= ~Control.DACL_PROTECTED
    return replace(current, dacl=adapt.own(new.dacl), control=control)


def _update_sacl(current: Descriptor, new: Descriptor, information: int, claims: Claims) -> Descriptor:
    old = current.sacl.aces if current.sacl is not None else ()
    given = new.sacl.aces if new.sacl is not None else ()
    kept = [ace for ace in old if not information & _PARTS_OF_SACL.get(AceType(ace.type), SACL)]
    put = [ace for ace in given if information & _PARTS_OF_SACL.get(AceType(ace.type), SACL)]
    for ace in put:
        if ace.type == AceType.SYSTEM_MANDATORY_LABEL:
            check_label(claims, ace.sid)
    aces = (*kept, *put)
    if not aces:
        control = current.control & ~Control.SACL_PRESENT
        return replace(current, sacl=None, control=control)
    return current.with_sacl(Acl(aces))


def capture(memory: Memory, address: int) -> Descriptor:
    """The descriptor a caller points at, absolute or self-relative (SeCaptureSecurityDescriptor)."""
    head = memory.read(address, security.RELATIVE_HEADER_SIZE)
    control = int.from_bytes(head[2:4], "little")
    if head[0] != 1:
        raise NtError(STATUS.UNKNOWN_REVISION)
    if control & Control.SELF_RELATIVE:
        return security.parse_descriptor(_read_relative(memory, address, head))
    control, owner, group, sacl, dacl = security.parse_absolute_header(memory.read(address, security.DESCRIPTOR_SIZE))
    return Descriptor(
        read_sid(memory, owner) if owner else None,
        read_sid(memory, group) if group else None,
        read_acl(memory, dacl) if dacl and control & Control.DACL_PRESENT else None,
        read_acl(memory, sacl) if sacl and control & Control.SACL_PRESENT else None,
        Control(control),
    )


def _read_relative(memory: Memory, address: int, head: bytes) -> bytes:
    """All bytes of a self-relative descriptor: up to the end of the part that lies furthest."""
    owner, group, sacl, dacl = (int.from_bytes(head[at : at + 4], "little") for at in (4, 8, 12, 16))
    end = len(head)
    for offset in (owner, group):
        if offset:
            end = max(end, offset + 8 + 4 * memory.read(address + offset + 1, 1)[0])
    for offset in (sacl, dacl):
        if offset:
            end = max(end, offset + int.from_bytes(memory.read(address + offset + 2, 2), "little"))
    return memory.read(address, end)


def read_sid(memory: Memory, address: int) -> bytes:
    """The SID a caller points at."""
    return sids.take(memory.read(address, 8 + 4 * memory.read(address + 1, 1)[0]))


def read_acl(memory: Memory, address: int) -> Acl:
    """The ACL a caller points at."""
    return security.parse_acl(memory.read(address, int.from_bytes(memory.read(address + 2, 2), "little")))
