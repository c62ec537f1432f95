"""The access check against a table of documented cases ([MS-DTYP] 2.5.3, "How AccessCheck works", MIC)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from ntos.abi import se as constants
from ntos.abi.se import SE_PRIVILEGE as P
from ntos.abi.status import STATUS, NtError
from ntos.ob.types import GenericMapping
from ntos.rtl import sddl
from ntos.rtl import sid as sids
from ntos.se.access import Request, check
from ntos.se.claims import DENY_ONLY, INTEGRITY_GROUP, Claims, Group

USER = sids.from_text("S-1-5-21-1-2-3-1001")
MAPPING = GenericMapping(0x2_0001, 0x2_0002, 0x2_0004, 0xF_0007)
"""Read 1, write 2, execute 4, each with READ_CONTROL."""
READ, WRITE, EXECUTE, ALL = 1, 2, 4, 0xF_0007
READ_CONTROL, WRITE_DAC, WRITE_OWNER, DELETE = 0x2_0000, 0x4_0000, 0x8_0000, 0x1_0000
SYSTEM_SECURITY, MAXIMUM = 0x100_0000, 0x200_0000
DENIED, NOT_HELD = STATUS.ACCESS_DENIED, STATUS.PRIVILEGE_NOT_HELD
LABELS = {0x1000: sids.LOW_LABEL, 0x2000: sids.MEDIUM_LABEL, 0x3000: sids.HIGH_LABEL}


def bearer(
    *,
    level: int = 0x2000,
    privileges: tuple[int, ...] = (),
    administrators: int | None = None,
    restricted: tuple[bytes, ...] = (),
    write_restricted: bool = False,
) -> Claims:
    """A user in Users and Everyone, with what the case adds."""
    groups = [Group(USER, 0), Group(sids.USERS), Group(sids.WORLD)]
    if administrators is not None:
        groups.append(Group(sids.ADMINISTRATORS, administrators))
    mask = sum(1 << number for number in privileges)
    return Claims(
        (*groups, Group(LABELS[level], INTEGRITY_GROUP)),
        present=mask,
        enabled=mask,
        restricted=tuple(Group(sid) for sid in restricted),
        integrity_index=len(groups),
        flags=constants.TOKEN_WRITE_RESTRICTED if write_restricted else 0,
    )


ORDINARY = bearer()
PLAIN = Request()


@dataclass(frozen=True)
class Case:
    """One row: who, on what, asking for what, and the answer."""

    name: str
    sd: str
    desired: int
    answer: int
    who: Claims = ORDINARY
    request: Request = PLAIN


ME = "S-1-5-21-1-2-3-1001"
ADMIN = bearer(administrators=0xF)
FILTERED_ADMIN = bearer(administrators=DENY_ONLY)
LOW, HIGH = bearer(level=0x1000), bearer(level=0x3000)
RESTRICTED = bearer(restricted=(sids.RESTRICTED,))

CASES = [
    # The DACL: presence, order, matching
    Case("no DACL grants everything", "O:SYG:SY", ALL, ALL),
    Case("a NULL DACL grants everything", "O:SYG:SYD:NO_ACCESS_CONTROL", ALL, ALL),
    Case("a NULL DACL and MAXIMUM_ALLOWED give all rights", "O:SYG:SY", MAXIMUM, ALL),
    Case("an empty DACL grants nothing", "O:SYG:SYD:", READ, DENIED),
    Case("an allowing entry for the user grants", f"O:SYG:SYD:(A;;0x1;;;{ME})", READ, READ),
    Case("an allowing entry for a group grants", "O:SYG:SYD:(A;;0x1;;;BU)", READ, READ),
    Case("an entry for somebody else grants nothing", "O:SYG:SYD:(A;;0x1;;;LS)", READ, DENIED),
    Case("rights add up over entries", "O:SYG:SYD:(A;;0x1;;;BU)(A;;0x2;;;WD)", READ | WRITE, READ | WRITE),
    Case("part of what is asked is not enough", "O:SYG:SYD:(A;;0x1;;;WD)", READ | WRITE, DENIED),
    Case("a denying entry first refuses", "O:SYG:SYD:(D;;0x1;;;BU)(A;;0x1;;;WD)", READ, DENIED),
    Case("an allowing entry first wins", "O:SYG:SYD:(A;;0x1;;;WD)(D;;0x1;;;BU)", READ, READ),
    Case("a denial of other rights is no denial", "O:SYG:SYD:(D;;0x2;;;BU)(A;;0x1;;;WD)", READ, READ),
    Case("a denial for somebody else is no denial", "O:SYG:SYD:(D;;0x1;;;LS)(A;;0x1;;;WD)", READ, READ),
    Case("an inherit-only entry does not count", "O:SYG:SYD:(A;OICIIO;0x1;;;WD)", READ, DENIED),
    Case("an inherited entry counts", "O:SYG:SYD:(A;ID;0x1;;;WD)", READ, READ),
    Case("generic rights asked are mapped", "O:SYG:SYD:(A;;0x20001;;;WD)", 0x8000_0000, 0x2_0001),
    Case("generic rights in an entry are mapped", "O:SYG:SYD:(A;;GR;;;WD)", READ, READ),
    Case("rights granted before are kept", "O:SYG:SYD:", READ, READ, request=Request(previously=READ)),
    # Deny-only groups
    Case("a deny-only group allows nothing", "O:SYG:SYD:(A;;0x1;;;BA)", READ, DENIED, FILTERED_ADMIN),
    Case("a deny-only group still denies", "O:SYG:SYD:(D;;0x1;;;BA)(A;;0x1;;;WD)", READ, DENIED, FILTERED_ADMIN),
    Case("the same group enabled allows", "O:SYG:SYD:(A;;0x1;;;BA)", READ, READ, ADMIN),
    # The owner
    Case("the owner may change the DACL", f"O:{ME}G:SYD:", WRITE_DAC | READ_CONTROL, WRITE_DAC | READ_CONTROL),
    Case("the owner gets no more than that", f"O:{ME}G:SYD:", READ, DENIED),
    Case("an owner by group counts too", "O:BAG:SYD:", WRITE_DAC, WRITE_DAC, ADMIN),
    Case("a deny-only group is no owner", "O:BAG:SYD:", WRITE_DAC, DENIED, FILTERED_ADMIN),
    Case("OWNER RIGHTS takes the implicit rights away", f"O:{ME}G:SYD:(A;;0x1;;;OW)", WRITE_DAC, DENIED),
    Case("OWNER RIGHTS grants to the owner", f"O:{ME}G:SYD:(A;;0x1;;;OW)", READ, READ),
    Case("OWNER RIGHTS is nothing to others", "O:SYG:SYD:(A;;0x1;;;OW)", READ, DENIED),
    # MAXIMUM_ALLOWED
    Case("MAXIMUM_ALLOWED gathers what is granted", "O:SYG:SYD:(A;;0x1;;;BU)(A;;0x4;;;WD)", MAXIMUM, 5),
    Case("MAXIMUM_ALLOWED leaves out what was denied first", "O:SYG:SYD:(D;;0x1;;;BU)(A;;0x7;;;WD)", MAXIMUM, 6),
    Case("MAXIMUM_ALLOWED with nothing granted is refused", "O:SYG:SYD:(A;;0x1;;;LS)", MAXIMUM, DENIED),
    Case("MAXIMUM_ALLOWED and a right that is missing", "O:SYG:SYD:(A;;0x1;;;WD)", MAXIMUM | WRITE, DENIED),
    # Mandatory labels
    Case("low may not write up", "O:SYG:SYD:(A;;0x7;;;WD)", WRITE, DENIED, LOW),
    Case("low may read up", "O:SYG:SYD:(A;;0x7;;;WD)", READ | EXECUTE, READ | EXECUTE, LOW),
    Case("no read up", "O:SYG:SYD:(A;;0x7;;;WD)S:(ML;;NWNR;;;ME)", READ, DENIED, LOW),
    Case("low may write to low", "O:SYG:SYD:(A;;0x7;;;WD)S:(ML;;NW;;;LW)", WRITE, WRITE, LOW),
    Case("medium may not write to high", "O:SYG:SYD:(A;;0x7;;;WD)S:(ML;;NW;;;HI)", WRITE, DENIED),
    Case("high may write to high", "O:SYG:SYD:(A;;0x7;;;WD)S:(ML;;NW;;;HI)", WRITE, WRITE, HIGH),
    Case("the label caps MAXIMUM_ALLOWED", "O:SYG:SYD:(A;;0x7;;;WD)S:(ML;;NW;;;HI)", MAXIMUM, 5),
    Case(
        "a token without the policy is not held by labels",
        "O:SYG:SYD:(A;;0x7;;;WD)S:(ML;;NW;;;HI)",
        WRITE,
        WRITE,
        replace(bearer(), policy=0),
    ),
    # Restricting SIDs
    Case("both walks must grant", "O:SYG:SYD:(A;;0x1;;;WD)", READ, DENIED, RESTRICTED),
    Case("both walks grant", "O:SYG:SYD:(A;;0x1;;;WD)(A;;0x1;;;RC)", READ, READ, RESTRICTED),
    Case("restricting SIDs alone are not enough", "O:SYG:SYD:(A;;0x1;;;RC)", READ, DENIED, RESTRICTED),
    Case(
        "write-restricted tokens read as before",
        "O:SYG:SYD:(A;;0x7;;;WD)",
        READ,
        READ,
        bearer(restricted=(sids.WRITE_RESTRICTED,), write_restricted=True),
    ),
    Case(
        "write-restricted tokens write by restricting SIDs only",
        "O:SYG:SYD:(A;;0x7;;;WD)",
        WRITE,
        DENIED,
        bearer(restricted=(sids.WRITE_RESTRICTED,), write_restricted=True),
    ),
    # Privileges
    Case("the SACL needs SeSecurityPrivilege", "O:SYG:SY", SYSTEM_SECURITY, NOT_HELD),
    Case(
        "SeSecurityPrivilege",
        "O:SYG:SYD:",
        SYSTEM_SECURITY,
        SYSTEM_SECURITY,
        bearer(privileges=(P.SECURITY,)),
    ),
    Case("SeTakeOwnership", "O:SYG:SYD:", WRITE_OWNER, WRITE_OWNER, bearer(privileges=(P.TAKE_OWNERSHIP,))),
    Case("SeTakeOwnership gives no more", "O:SYG:SYD:", READ, DENIED, bearer(privileges=(P.TAKE_OWNERSHIP,))),
    Case("SeBackup only where called upon", "O:SYG:SYD:", READ, DENIED, bearer(privileges=(P.BACKUP,))),
    Case("SeBackup reads", "O:SYG:SYD:", READ, READ, bearer(privileges=(P.BACKUP,)), Request(backup=True)),
    Case(
        "SeRestore writes",
        "O:SYG:SYD:",
        WRITE | DELETE,
        WRITE | DELETE,
        bearer(privileges=(P.RESTORE,)),
        Request(restore=True),
    ),
    # Object and callback entries
    Case(
        "an object entry counts for its property only",
        "O:SYG:SYD:(OA;;0x1;bf967aba-0de6-11d0-a285-00aa003049e2;;WD)",
        READ,
        DENIED,
    ),
    Case(
        "an object entry for the property asked",
        "O:SYG:SYD:(OA;;0x1;bf967aba-0de6-11d0-a285-00aa003049e2;;WD)",
        READ,
        READ,
        request=Request(object_type=bytes.fromhex("ba7a96bfe60dd011a28500aa003049e2")),
    ),
    Case(
        "PRINCIPAL SELF is who the caller says",
        "O:SYG:SYD:(A;;0x1;;;PS)",
        READ,
        READ,
        request=Request(principal_self=USER),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_access_check(case: Case) -> None:
    """Each documented case has the documented answer."""
    descriptor = sddl.parse(case.sd)
    if case.answer in {int(DENIED), int(NOT_HELD)}:
        with pytest.raises(NtError) as refused:
            check(case.who, descriptor, case.desired, MAPPING, case.request)
        assert refused.value.status == case.answer
        assert refused.value.because is not None
        assert refused.value.because.flip
    else:
        assert check(case.who, descriptor, case.desired, MAPPING, case.request).access == case.answer


def test_a_refusal_names_the_entry_that_denied() -> None:
    """The refusing entry's index and trustee are in the refusal, and what would flip it."""
    with pytest.raises(NtError) as refused:
        check(bearer(), sddl.parse("O:SYG:SYD:(A;;0x4;;;WD)(D;;0x1;;;BU)(A;;0x1;;;WD)"), READ, MAPPING)
    because = refused.value.because
    assert because is not None
    assert because.inputs["entry"] == 1
    assert because.inputs["trustee"] == "BUILTIN\\Users"
    assert because.flip == "take entry 1 (denies 0x1 to BUILTIN\\Users) out of the DACL"


def test_a_check_says_which_privileges_it_took() -> None:
    """The privileges used are told, so that they can be audited."""
    grant = check(bearer(privileges=(P.SECURITY,)), sddl.parse("O:SYG:SY"), SYSTEM_SECURITY, MAPPING)
    assert grant.privileges == 1 << P.SECURITY
