"""LowBox tokens: what a token of an AppContainer may still do, and what the second walk over a DACL asks."""

from __future__ import annotations

import pytest

from ntos.abi import se as constants
from ntos.abi.status import STATUS, NtError
from ntos.ke.kernel import Kernel
from ntos.ob.types import GenericMapping
from ntos.rtl import sddl
from ntos.rtl import sid as sids
from ntos.se import access, lowbox, token, well_known
from ntos.se.account import Accounts
from ntos.se.claims import Group
from tests.ps.test_create import Yard, machine, yard

__all__ = ["machine", "yard"]
PACKAGE = sids.make(15, 2, 1, 2, 3, 4, 5, 6, 7)
CAPABILITY = sids.make(15, 3, 1)
MAPPING = GenericMapping(1, 2, 4, 0x1F_0007)
SELF = 0xFFFF_FFFF_FFFF_FFFF


@pytest.fixture
def kernel(machine: object) -> Kernel:
    """A kernel with accounts."""
    return machine.kernel  # type: ignore[attr-defined]


def _made(kernel: Kernel) -> token.Token:
    user = well_known.interactive(kernel, kernel[Accounts].users[-1]).token
    return lowbox.create(user, PACKAGE, (Group(CAPABILITY),), [])


def _granted(made: token.Token, text: str, desired: int = 1) -> int:
    return access.check(made.claims, sddl.parse(text), desired, MAPPING).access


def test_the_token_is_confined(kernel: Kernel) -> None:
    """Low integrity, only harmless privileges, the package and its capabilities, a number of its own."""
    made = _made(kernel)
    claims = made.claims
    assert (claims.level, claims.package) == (0x1000, PACKAGE)
    assert [group.sid for group in claims.capabilities] == [CAPABILITY]
    assert claims.flags & constants.TOKEN_LOWBOX
    assert not claims.present & ~lowbox.KEPT_PRIVILEGES
    assert lowbox.number_of(made) == lowbox.number_of(_made(kernel)) > 0
    copy = token.duplicate(made, token.PRIMARY)
    assert copy.claims == claims
    assert int(copy.body.LowboxNumberEntry) == int(made.body.LowboxNumberEntry)


@pytest.mark.parametrize(
    "trustee", ["AC", sids.to_text(PACKAGE), sids.to_text(CAPABILITY)], ids=["all packages", "package", "capability"]
)
def test_both_walks_must_grant(kernel: Kernel, trustee: str) -> None:
    """Everybody's entry alone is not enough for an AppContainer, nor is the package's alone."""
    made = _made(kernel)
    assert _granted(made, f"D:(A;;0x1;;;WD)(A;;0x1;;;{trustee})") == 1
    for text in ("D:(A;;0x1;;;WD)", f"D:(A;;0x1;;;{trustee})"):
        with pytest.raises(NtError) as caught:
            _granted(made, text)
        assert caught.value.status == STATUS.ACCESS_DENIED
        assert caught.value.because is not None
    assert _granted(made, f"D:(A;;0x3;;;WD)(A;;0x5;;;{trustee})", 0x0200_0000) == 1


def test_another_packages_entry_does_not_count(kernel: Kernel) -> None:
    """A package's SID in an entry is that package's only."""
    with pytest.raises(NtError):
        _granted(_made(kernel), "D:(A;;0x1;;;WD)(A;;0x1;;;S-1-15-2-7-6-5-4-3-2-1)")


def test_integrity_up_to_medium_does_not_stop_it(kernel: Kernel) -> None:
    """What the package is granted it may write although its token is Low; a High object stays closed."""
    made = _made(kernel)
    assert _granted(made, "D:(A;;0x3;;;WD)(A;;0x3;;;AC)S:(ML;;NW;;;ME)", 2) == 2
    with pytest.raises(NtError):
        _granted(made, "D:(A;;0x3;;;WD)(A;;0x3;;;AC)S:(ML;;NW;;;HI)", 2)


def test_the_service_wants_the_right_sids(yard: Yard) -> None:
    """A package SID that is none, a capability that is none, a token that is in a container: INVALID_PARAMETER."""
    own = yard._made_last("NtOpenProcessToken", SELF, 0xF01FF)
    package, capability = yard.data(PACKAGE), yard.data(CAPABILITY)
    pair = yard.data(capability.to_bytes(8, "little") + bytes(8))
    wrong = yard.data(package.to_bytes(8, "little") + bytes(8))

    def make(source: int, sid: int, capabilities: int) -> int | str:
        return yard.status("NtCreateLowBoxToken", place, source, 0xF01FF, 0, sid, 1, capabilities, 0, 0)

    place = yard.room(8)
    assert make(own, capability, pair) == STATUS.INVALID_PARAMETER
    assert make(own, package, wrong) == STATUS.INVALID_PARAMETER
    assert make(own, package, pair) == 0
    boxed = yard.word(place)
    assert make(boxed, package, pair) == STATUS.INVALID_PARAMETER
    answer = yard.room(0x80)
    assert yard.status("NtQueryInformationToken", boxed, 31, answer, 0x80, yard.room(8)) == 0
    assert yard.memory.read(yard.word(answer), len(PACKAGE)) == PACKAGE
    for handle in (boxed, own):
        assert yard.status("NtClose", handle) == 0


def test_kept_handles_go_with_the_last_token(yard: Yard) -> None:
    """Objects named at creation live until the container's last token is gone."""
    before = yard.held()
    own = yard._made_last("NtOpenProcessToken", SELF, 0xF01FF)
    event = yard._made("NtCreateEvent", 0x1F0003, 0, 0, 0)
    place = yard.room(8)
    assert yard.status("NtCreateLowBoxToken", place, own, 0xF01FF, 0, yard.data(PACKAGE), 0, 0, 1,
                       yard.data(event.to_bytes(8, "little"))) == 0
    assert yard.status("NtClose", event) == 0
    assert yard.held().objects == before.objects + 2
    for handle in (yard.word(place), own):
        assert yard.status("NtClose", handle) == 0
    assert yard.held()[:3] == before[:3]
