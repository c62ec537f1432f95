from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntos.abi.status import NtError
from ntos.rtl import sddl, security, sid
from ntos.rtl.security import Ace, Acl, Control, Descriptor
from ntos.rtl.sid_names import SidUse, lookup_name, lookup_sid

SIDS = st.builds(
    lambda authority, rest: sid.make(authority, *rest),
    st.integers(0, (1 << 48) - 1),
    st.lists(st.integers(0, (1 << 32) - 1), min_size=1, max_size=15),
)


def test_sid_bytes() -> None:
    """The authority is big-endian, sub-authorities are little-endian."""
    assert bytes.fromhex("010100000000000512000000") == sid.LOCAL_SYSTEM
    assert sid.to_text(sid.ADMINISTRATORS) == "S-1-5-32-544"
    assert sid.to_text(sid.make(1 << 40, 1)) == "S-1-0x010000000000-1"


@given(SIDS)
def test_sid_text_round_trip(value: bytes) -> None:
    """Every SID has a text that leads back to it."""
    assert sid.from_text(sid.to_text(value)) == value
    assert sid.take(b"\0\0" + value + b"\xff", 2) == value
    assert sid.is_valid(value)


@pytest.mark.parametrize("text", ["", "S-1-5", "S-2-5-18", "S-1-5-4294967296", "S-1-5-x", "SY"])
def test_bad_sid_text(text: str) -> None:
    """Text that is no SID is STATUS_INVALID_SID."""
    with pytest.raises(NtError):
        sid.from_text(text)


def test_names() -> None:
    """Well-known accounts are found by SID and, without case, by name."""
    account = lookup_sid(sid.LOCAL_SYSTEM)
    assert account == ("NT AUTHORITY", "SYSTEM", SidUse.WELL_KNOWN_GROUP)
    assert lookup_name("nt authority\\system") == sid.LOCAL_SYSTEM
    assert lookup_name("everyone") == sid.WORLD
    assert lookup_name("nobody") is None


@pytest.mark.parametrize(
    "text",
    [
        "O:BAG:SYD:(A;;FA;;;WD)",
        "O:S-1-5-21-1-2-3-1001G:S-1-5-18D:PAI(D;OICI;GR;;;AN)(A;OICIID;0x1200a9;;;BU)",
        "D:NO_ACCESS_CONTROL",
        "D:",
        "D:P",
        "O:LSS:(ML;;NW;;;LW)",
        "S:PAR(AU;SAFA;FA;;;WD)",
        "D:(OA;;RPWP;bf967aba-0de6-11d0-a285-00aa003049e2;;AU)",
    ],
)
def test_sddl_round_trip(text: str) -> None:
    """A descriptor goes from text to bytes and back unchanged."""
    descriptor = sddl.parse(text.replace("G:S-1-5-18D", "G:SYD"))
    data = descriptor.to_bytes()
    again = security.parse_descriptor(data)
    assert sddl.unparse(again) == text.replace("G:S-1-5-18D", "G:SYD")
    assert sddl.parse(text).to_bytes() == data


def test_sddl_numbers_and_domains() -> None:
    """Masks may be numbers, and domain aliases need a domain."""
    domain = sid.from_text("S-1-5-21-1-2-3")
    descriptor = sddl.parse("O:DAD:(A;;0x1f0003;;;LA)", domain)
    assert descriptor.owner == sid.child(domain, 512)
    assert descriptor.dacl is not None
    assert descriptor.dacl.aces[0].mask == 0x1F0003
    with pytest.raises(NtError):
        sddl.parse("O:DA")


@pytest.mark.parametrize("text", ["X:BA", "O:BAO:BA", "D:(A;;FA;;WD)", "D:(Q;;FA;;;WD)", "D:(A;;ZZ;;;WD)"])
def test_bad_sddl(text: str) -> None:
    """What the grammar does not know is refused."""
    with pytest.raises(NtError):
        sddl.parse(text)


def test_acl_bytes() -> None:
    """An ACL has an eight-byte header and entries of a multiple of four bytes."""
    acl = Acl().add(Ace(0, 0, 0x1F01FF, sid.WORLD))
    data = acl.to_bytes()
    assert data.hex() == "02001c0001000000" + "00001400ff011f00" + sid.WORLD.hex()
    assert security.parse_acl(data) == acl
    assert not security.is_valid_acl(data[:-1])
    assert len(acl.to_bytes(100)) == 100


def test_canonical_order() -> None:
    """Explicit denials, then explicit grants, then what was inherited."""
    allow, deny = Ace(0, 0, 1, sid.WORLD), Ace(1, 0, 1, sid.WORLD)
    inherited = Ace(1, 0x10, 1, sid.WORLD)
    acl = Acl((inherited, allow, deny))
    assert not acl.is_canonical
    assert acl.canonical().aces == (deny, allow, inherited)


def test_null_dacl_differs_from_empty() -> None:
    """A NULL DACL is present without an ACL; an empty one is an ACL without entries."""
    null = Descriptor().with_dacl(None)
    empty = Descriptor().with_dacl(Acl())
    assert security.parse_descriptor(null.to_bytes()).dacl is None
    assert security.parse_descriptor(empty.to_bytes()).dacl == Acl()
    assert null.present_dacl


def test_absolute_header() -> None:
    """An absolute descriptor holds addresses and no self-relative bit."""
    header = security.absolute_header(Control.SELF_RELATIVE | Control.DACL_PRESENT, 1, 2, 3, 4)
    assert len(header) == security.DESCRIPTOR_SIZE
    assert security.parse_absolute_header(header) == (Control.DACL_PRESENT, 1, 2, 3, 4)


def test_map_generic() -> None:
    """Generic rights give way to the type's own."""
    assert security.map_generic(0x80000000 | 0x10000, 1, 2, 4, 7) == 0x10001
