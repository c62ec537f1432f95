"""Security descriptors as text: `O:BAG:SYD:P(A;OICI;FA;;;WD)`.

Grammar: Microsoft Learn, "Security Descriptor String Format"; [MS-DTYP] 2.5.1. Conditional and
resource entries have no text form here, and are refused.
"""

from __future__ import annotations

import re

from ntos.abi.status import STATUS, NtError
from ntos.rtl import guid
from ntos.rtl import sid as sids
from ntos.rtl.security import OBJECT_ACES, Ace, Acl, Control, Descriptor

SID_ALIASES: dict[str, bytes] = {
    "WD": sids.WORLD,
    "CO": sids.CREATOR_OWNER,
    "CG": sids.CREATOR_GROUP,
    "OW": sids.OWNER_RIGHTS,
    "NU": sids.NETWORK,
    "IU": sids.INTERACTIVE,
    "SU": sids.SERVICE,
    "AN": sids.ANONYMOUS,
    "PS": sids.PRINCIPAL_SELF,
    "AU": sids.AUTHENTICATED_USERS,
    "RC": sids.RESTRICTED,
    "WR": sids.WRITE_RESTRICTED,
    "SY": sids.LOCAL_SYSTEM,
    "LS": sids.LOCAL_SERVICE,
    "NS": sids.NETWORK_SERVICE,
    "BA": sids.ADMINISTRATORS,
    "BU": sids.USERS,
    "BG": sids.GUESTS,
    "PU": sids.POWER_USERS,
    "AO": sids.make(5, 32, 548),
    "SO": sids.make(5, 32, 549),
    "PO": sids.make(5, 32, 550),
    "BO": sids.BACKUP_OPERATORS,
    "RE": sids.make(5, 32, 552),
    "RU": sids.make(5, 32, 554),
    "RD": sids.make(5, 32, 555),
    "NO": sids.make(5, 32, 556),
    "MU": sids.make(5, 32, 558),
    "LU": sids.make(5, 32, 559),
    "IS": sids.make(5, 32, 568),
    "CY": sids.make(5, 32, 569),
    "ER": sids.make(5, 32, 573),
    "HA": sids.make(5, 32, 578),
    "AA": sids.make(5, 32, 579),
    "RM": sids.make(5, 32, 580),
    "AC": sids.ALL_APPLICATION_PACKAGES,
    "LW": sids.LOW_LABEL,
    "ME": sids.MEDIUM_LABEL,
    "MP": sids.MEDIUM_PLUS_LABEL,
    "HI": sids.HIGH_LABEL,
    "SI": sids.SYSTEM_LABEL,
}
DOMAIN_RIDS = {
    "LA": 500, "LG": 501,
    "DA": 512, "DU": 513, "DG": 514, "DC": 515, "DD": 516, "CA": 517, "SA": 518, "EA": 519,
    "PA": 520, "AP": 525, "RS": 553,
}  # fmt: skip
"""Aliases of accounts in a domain: the caller says which."""

ACE_TYPES = {
    "A": 0, "D": 1, "AU": 2, "AL": 3, "OA": 5, "OD": 6, "OU": 7, "OL": 8, "ML": 17, "SP": 19, "TL": 20,
}  # fmt: skip
ACE_FLAGS = {"OI": 1, "CI": 2, "NP": 4, "IO": 8, "ID": 0x10, "CR": 0x20, "SA": 0x40, "FA": 0x80}
RIGHTS = {
    "GR": 0x80000000, "GW": 0x40000000, "GX": 0x20000000, "GA": 0x10000000,
    "RC": 0x20000, "SD": 0x10000, "WD": 0x40000, "WO": 0x80000,
    "CC": 0x1, "DC": 0x2, "LC": 0x4, "SW": 0x8, "RP": 0x10, "WP": 0x20, "DT": 0x40, "LO": 0x80, "CR": 0x100,
    "FA": 0x1F01FF, "FR": 0x120089, "FW": 0x120116, "FX": 0x1200A0,
    "KA": 0xF003F, "KR": 0x20019, "KW": 0x20006, "KX": 0x20019,
}  # fmt: skip
LABEL_RIGHTS = {"NW": 1, "NR": 2, "NX": 4}
_PRINTED_WHOLE = ("FA", "FR", "FW", "FX", "KA", "KR", "KW", "GA")
_PRINTED_BITS = (
    "GA", "GR", "GW", "GX", "CC", "DC", "LC", "SW", "RP", "WP", "DT", "LO", "CR", "SD", "RC", "WD", "WO",
)  # fmt: skip

_SECTION = re.compile(r"\s*([OGDS]):\s*")
_ENTRY = re.compile(r"\s*\(([^()]*)\)\s*")
_ACL_FLAGS = re.compile(r"\s*((?:P|AR|AI|NO_ACCESS_CONTROL)*)")


def parse_sid(text: str, domain: bytes | None = None) -> bytes:
    """The SID that an alias or an `S-1-…` text names; `domain` is for aliases like DA and LA."""
    name = text.strip().upper()
    if name in SID_ALIASES:
        return SID_ALIASES[name]
    if name in DOMAIN_RIDS and domain is not None:
        return sids.child(domain, DOMAIN_RIDS[name])
    return sids.from_text(name)


def format_sid(value: bytes) -> str:
    """The alias of a SID, or its `S-1-…` text."""
    return _ALIAS_OF.get(value) or sids.to_text(value)


_ALIAS_OF = {value: name for name, value in SID_ALIASES.items()}


def parse(text: str, domain: bytes | None = None) -> Descriptor:
    """The descriptor a text means (ConvertStringSecurityDescriptorToSecurityDescriptor)."""
    descriptor: dict[str, bytes | Acl | None] = {}
    control = Control(0)
    position = 0
    while position < len(text):
        match = _SECTION.match(text, position)
        if match is None or match.group(1) in descriptor:
            raise NtError(STATUS.INVALID_PARAMETER)
        section, position = match.group(1), match.end()
        if section in {"O", "G"}:
            name, position = _sid_token(text, position)
            descriptor[section] = parse_sid(name, domain)
        else:
            descriptor[section], flags, position = _parse_acl(text, position, domain)
            control |= _section_control(section, flags)
    owner, group, dacl, sacl = (descriptor.get(key) for key in "OGDS")
    assert not isinstance(owner, Acl)
    assert not isinstance(group, Acl)
    assert not isinstance(dacl, bytes)
    assert not isinstance(sacl, bytes)
    return Descriptor(owner, group, dacl, sacl, control)


def _sid_token(text: str, position: int) -> tuple[str, int]:
    match = re.compile(r"S-[0-9A-Fx-]+|[A-Z]{2}", re.IGNORECASE).match(text, position)
    if match is None:
        raise NtError(STATUS.INVALID_SID)
    token = match.group()
    # `O:S-1-5-18D:` and `G:S-1-5-18D:…`: a hexadecimal digit before a colon opens the next section.
    if text[match.end() : match.end() + 1] == ":":
        token = token[:-1]
    return token, position + len(token)


def _section_control(section: str, flags: str) -> Control:
    shift = 0 if section == "D" else 1
    control = Control.DACL_PRESENT << (2 * shift)
    rest = flags.replace("NO_ACCESS_CONTROL", "")
    for name, bit in (("AR", 0x100), ("AI", 0x400), ("P", 0x1000)):
        if name in rest:
            control |= bit << shift
            rest = rest.replace(name, "")
    return Control(control)


def _parse_acl(text: str, position: int, domain: bytes | None) -> tuple[Acl | None, str, int]:
    match = _ACL_FLAGS.match(text, position)
    assert match is not None  # the pattern accepts nothing
    flags, position = match.group(1), match.end()
    acl = Acl()
    while entry := _ENTRY.match(text, position):
        acl = acl.add(parse_ace(entry.group(1), domain))
        position = entry.end()
    return (None if "NO_ACCESS_CONTROL" in flags else acl), flags, position


def parse_ace(text: str, domain: bytes | None = None) -> Ace:
    """The entry that `A;OICI;FA;;;WD` means."""
    fields = [field.strip() for field in text.split(";")]
    if len(fields) != 6 or fields[0].upper() not in ACE_TYPES:
        raise NtError(STATUS.INVALID_ACL)
    kind = ACE_TYPES[fields[0].upper()]
    rights = RIGHTS | LABEL_RIGHTS if kind == 17 else RIGHTS
    types = [guid.from_text(f"{{{field}}}") if field else None for field in fields[3:5]]
    if any(types) and kind not in OBJECT_ACES:
        raise NtError(STATUS.INVALID_ACL)
    mask = _parse_mask(fields[2], rights)
    flags = _parse_pairs(fields[1], ACE_FLAGS)
    return Ace(kind, flags, mask, parse_sid(fields[5], domain), b"", types[0], types[1])


def _parse_mask(text: str, rights: dict[str, int]) -> int:
    if text[:1].isdigit():
        try:
            return int(text, 8 if text.isdigit() and text.startswith("0") else 0) & 0xFFFFFFFF
        except ValueError:
            raise NtError(STATUS.INVALID_ACL) from None
    return _parse_pairs(text, rights)


def _parse_pairs(text: str, names: dict[str, int]) -> int:
    letters = text.replace(" ", "").upper()
    value = 0
    for index in range(0, len(letters), 2):
        name = letters[index : index + 2]
        if name not in names:
            raise NtError(STATUS.INVALID_ACL)
        value |= names[name]
    return value


def unparse(descriptor: Descriptor) -> str:
    """The text of a descriptor (ConvertSecurityDescriptorToStringSecurityDescriptor)."""
    text = ""
    if descriptor.owner is not None:
        text += "O:" + format_sid(descriptor.owner)
    if descriptor.group is not None:
        text += "G:" + format_sid(descriptor.group)
    if descriptor.control & Control.DACL_PRESENT:
        text += "D:" + _format_acl(descriptor.dacl, descriptor.control)
    if descriptor.control & Control.SACL_PRESENT:
        text += "S:" + _format_acl(descriptor.sacl, descriptor.control >> 1)
    return text


def _format_acl(acl: Acl | None, control: int) -> str:
    """The flags of an ACL and its entries; `control` has the DACL's bits where the ACL's are."""
    flags = "".join(name for name, bit in (("P", 0x1000), ("AR", 0x100), ("AI", 0x400)) if control & bit)
    if acl is None:
        return flags + "NO_ACCESS_CONTROL"
    return flags + "".join(f"({format_ace(ace)})" for ace in acl.aces)


def format_ace(ace: Ace) -> str:
    """`A;OICI;FA;;;WD` for an entry."""
    if ace.type not in _TYPE_NAMES or ace.extra:
        raise NtError(STATUS.INVALID_ACL)
    flags = "".join(name for name, bit in ACE_FLAGS.items() if ace.flags & bit)
    types = [
        guid.to_text(value)[1:-1].lower() if value else ""
        for value in (ace.object_type, ace.inherited_object_type)
    ]
    return ";".join([_TYPE_NAMES[ace.type], flags, _format_mask(ace), *types, format_sid(ace.sid)])


_TYPE_NAMES = {value: name for name, value in ACE_TYPES.items()}


def _format_mask(ace: Ace) -> str:
    if ace.type == 17:
        names = [name for name, bit in LABEL_RIGHTS.items() if ace.mask & bit]
        return "".join(names) if ace.mask < 8 else f"0x{ace.mask:x}"
    for name in _PRINTED_WHOLE:
        if RIGHTS[name] == ace.mask:
            return name
    names = [name for name in _PRINTED_BITS if ace.mask & RIGHTS[name]]
    return "".join(names) if sum(RIGHTS[name] for name in names) == ace.mask else f"0x{ace.mask:x}"
