"""NtCreateToken: only with its privilege, only for a logon session that is there, only with fitting parts."""

from __future__ import annotations

import struct

import pytest

from ntos import ob
from ntos.abi.access import TOKEN_ALL_ACCESS
from ntos.abi.se import SE_PRIVILEGE, TOKEN_ELEVATION_TYPE
from ntos.abi.se import TOKEN_INFORMATION_CLASS as CLASS
from ntos.abi.status import STATUS
from ntos.init.services import load_service_modules
from ntos.ke.thread import Thread
from ntos.rtl import sid as sids
from ntos.se import logon, luid, well_known
from ntos.se.privileges import Setting, apply, plan
from ntos.se.token import TYPE, Token
from ntos.se.token_information import elevation_type
from tests.se.conftest import SecureWorld

load_service_modules()
NEVER = 0x7FFF_FFFF_FFFF_FFFF
USER, NONE = sids.make(5, 21, 1, 2, 3, 1005), sids.make(5, 21, 1, 2, 3, 513)
STRANGER = sids.make(5, 21, 9, 9, 9, 1)


class Maker:
    """A thread that asks for tokens."""

    def __init__(self, secure: SecureWorld, *, privileged: bool = True) -> None:
        self.world = secure.world
        self.kernel = secure.kernel
        bearer = well_known.system(secure.kernel)
        on = 2 if privileged else 0
        apply(bearer, plan(bearer.claims, [Setting(SE_PRIVILEGE.CREATE_TOKEN, on), Setting(SE_PRIVILEGE.TCB, on)]))
        self.thread: Thread = secure.thread_as(bearer)

    def session(self) -> int:
        """A new logon session."""
        number = luid.allocate(self.kernel)
        logon.create(self.kernel, number, "somebody", "MACHINE")
        return number

    def put(self, data: bytes) -> int:
        """The address of a copy."""
        place = self.world.room(self.thread, len(data))
        self.thread.memory.write(place, data)
        return place

    def pointer_to(self, sid: bytes) -> int:
        """TOKEN_OWNER, TOKEN_PRIMARY_GROUP."""
        return self.put(struct.pack("<Q", self.put(sid)))

    def ask(self, session: int, *, primary: bytes = NONE, owner: bytes = USER, kind: int = 1) -> tuple[int, int]:
        """(status, handle) of NtCreateToken for a user of two groups with one privilege."""
        groups = ((NONE, 7), (sids.USERS, 7), (sids.HIGH_LABEL, 0x60))
        rows = b"".join(struct.pack("<QQ", self.put(sid), flags) for sid, flags in groups)
        place = self.world.room(self.thread, 8)
        status = self.world.call(
            self.thread, "NtCreateToken", place, TOKEN_ALL_ACCESS, 0, kind, self.put(session.to_bytes(8, "little")),
            self.put(NEVER.to_bytes(8, "little")), self.put(struct.pack("<QQ", self.put(USER), 0)),
            self.put(struct.pack("<Q", len(groups)) + rows),
            self.put(struct.pack("<IQI", 1, SE_PRIVILEGE.CHANGE_NOTIFY, 3)), self.pointer_to(owner),
            self.pointer_to(primary), 0, self.put(b"Test    " + bytes(8)),
        )  # fmt: skip
        return status, self.world.integer(self.thread, place)

    def token(self, session: int) -> tuple[int, Token]:
        """A token and a handle to it."""
        status, handle = self.ask(session)
        assert status == 0
        made = ob.by_handle(self.thread, handle, 0, TYPE)
        assert isinstance(made, Token)
        return handle, made


def test_a_token_says_what_it_was_made_of(secure: SecureWorld) -> None:
    """User, groups, privileges, label and logon session are the caller's words."""
    maker = Maker(secure)
    session = maker.session()
    _, made = maker.token(session)
    claims = made.claims
    assert [group.sid for group in claims.groups] == [USER, NONE, sids.USERS, sids.HIGH_LABEL]
    assert (claims.level, claims.present) == (0x3000, 1 << SE_PRIVILEGE.CHANGE_NOTIFY)
    assert (made.authentication_id, made.primary_group, made.is_primary) == (session, NONE, True)
    assert bytes(made.body.TokenSource.SourceName).rstrip() == b"Test"


def test_without_the_privilege(secure: SecureWorld) -> None:
    """SeCreateTokenPrivilege must be enabled."""
    maker = Maker(secure, privileged=False)
    assert maker.ask(maker.session())[0] == STATUS.PRIVILEGE_NOT_HELD


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"primary": STRANGER}, STATUS.INVALID_PRIMARY_GROUP),
        ({"owner": sids.USERS}, STATUS.INVALID_OWNER),
        ({"kind": 3}, STATUS.BAD_TOKEN_TYPE),
        ({"kind": 2}, STATUS.BAD_IMPERSONATION_LEVEL),
    ],
    ids=["primary group not a member", "owner not marked as one", "no such type", "impersonation without a level"],
)
def test_parts_must_fit(secure: SecureWorld, changes: dict[str, object], status: int) -> None:
    """Owner and primary group are the token's own; an impersonation token needs its level."""
    maker = Maker(secure)
    assert maker.ask(maker.session(), **changes)[0] == status  # type: ignore[arg-type]


def test_no_such_session(secure: SecureWorld) -> None:
    """A logon session must be there first."""
    assert Maker(secure).ask(0x123456)[0] == STATUS.NO_SUCH_LOGON_SESSION


def test_two_tokens_become_one_split_logon(secure: SecureWorld) -> None:
    """TokenLinkedToken makes the given one the limited half; a half has one other half."""
    maker = Maker(secure)
    (full_handle, full), (handle, limited) = maker.token(maker.session()), maker.token(maker.session())
    place = maker.put(handle.to_bytes(8, "little"))
    call = (maker.thread, "NtSetInformationToken", full_handle, CLASS.TokenLinkedToken, place, 8)
    assert maker.world.call(*call) == 0
    assert elevation_type(full) == TOKEN_ELEVATION_TYPE.TokenElevationTypeFull
    assert elevation_type(limited) == TOKEN_ELEVATION_TYPE.TokenElevationTypeLimited
    assert maker.world.call(*call) == STATUS.INVALID_PARAMETER
