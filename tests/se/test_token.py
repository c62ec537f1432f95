"""Tokens are true bytes, and copies of them are no stronger than they are asked to be."""

from __future__ import annotations

import struct

from ntos import ob
from ntos.abi.layout.token import SID_AND_ATTRIBUTES, TOKEN
from ntos.abi.se import LUA_TOKEN, SE_GROUP_USE_FOR_DENY_ONLY, SE_PRIVILEGE, TOKEN_IS_RESTRICTED
from ntos.rtl import sid as sids
from ntos.se import filtering, token
from tests.se.conftest import SecureWorld


def test_the_user_and_the_groups_stand_in_the_variable_part(secure: SecureWorld) -> None:
    """UserAndGroups points to SID_AND_ATTRIBUTES whose first entry is the user (what Volatility's getsids
    reads).
    """
    logon = secure.logon()
    body = TOKEN(secure.kernel.memory, logon.token.address)
    entry = SID_AND_ATTRIBUTES(secure.kernel.memory, int(body.UserAndGroups))
    assert secure.kernel.memory.read(int(entry.Sid), len(logon.user.sid)) == logon.user.sid
    assert int(body.UserAndGroupCount) == len(logon.token.claims.groups)
    assert int(body.UserAndGroups) == logon.token.address + TOKEN.offset("VariablePart")


def test_claims_read_back_what_was_written(secure: SecureWorld) -> None:
    """A token made from the claims of another says the same of its bearer."""
    original = secure.logon().token
    copy = token.duplicate(original, token.PRIMARY)
    assert copy.claims == original.claims
    assert copy.id != original.id
    assert copy.default_dacl == original.default_dacl
    assert copy.primary_group == original.primary_group


def test_system_is_elevated_and_the_user_is_not(secure: SecureWorld) -> None:
    """SYSTEM runs at System integrity and is elevated; the ordinary user at Medium and is not."""
    user = secure.logon().token.claims
    system = secure.system_token.claims
    assert (system.level, system.elevated, system.owner) == (0x4000, True, sids.ADMINISTRATORS)
    assert (user.level, user.elevated, user.holds(SE_PRIVILEGE.CHANGE_NOTIFY)) == (0x2000, False, True)


def test_an_administrator_has_a_split_token(secure: SecureWorld) -> None:
    """The limited half holds Administrators for deny only, the full half runs at High integrity and owns by
    group.
    """
    logon = secure.logon("admin", administrator=True)
    assert logon.full is not None
    limited, full = logon.token.claims, logon.full.claims
    group = next(group for group in limited.groups if group.sid == sids.ADMINISTRATORS)
    assert group.attributes == SE_GROUP_USE_FOR_DENY_ONLY
    assert (limited.elevated, full.elevated, full.level, full.owner) == (
        False,
        True,
        0x3000,
        sids.ADMINISTRATORS,
    )
    assert limited.logon_sid == full.logon_sid == logon.logon_sid


def test_a_filtered_token_has_less(secure: SecureWorld) -> None:
    """SIDs to disable are held for deny only, privileges go, restricting SIDs come; the parent is
    remembered.
    """
    source = secure.logon("admin", administrator=True).elevated
    weaker = filtering.filter_token(
        source, disable=(sids.USERS,), remove=1 << SE_PRIVILEGE.DEBUG, restrict=(sids.RESTRICTED,)
    )
    claims = weaker.claims
    assert claims.has(sids.USERS, denying=True)
    assert not claims.has(sids.USERS)
    assert not claims.present >> SE_PRIVILEGE.DEBUG & 1
    assert claims.has(sids.RESTRICTED, restricted=True)
    assert claims.flags & TOKEN_IS_RESTRICTED
    assert token.birth_of(weaker).parent == source.id


def test_a_lua_token_is_an_ordinary_users(secure: SecureWorld) -> None:
    """LUA_TOKEN takes administrative groups and privileges and comes down to Medium."""
    claims = filtering.filter_token(secure.logon("admin", administrator=True).elevated, LUA_TOKEN).claims
    assert (claims.level, claims.elevated) == (0x2000, False)
    assert claims.owner == claims.user


def test_the_process_keeps_its_token_with_a_fast_reference(secure: SecureWorld) -> None:
    """EPROCESS.Token is an EX_FAST_REF; the token lives as long as the process has it."""
    bearer = secure.logon().token
    thread = secure.thread_as(bearer)
    assert int(thread.process.eprocess.Token.Value) == bearer.address | 0xF
    assert token.primary_token(thread.process) is bearer
    assert ob.pointer_count(bearer) == 16
    token.release_primary_token(thread.process)
    assert bearer.address not in secure.world.manager.objects


def test_the_sid_hash_finds_every_group(secure: SecureWorld) -> None:
    """SidHash has, for the low byte of each SID's last RID, the group's bit in the tables of both nibbles."""
    bearer = secure.logon().token
    table = bearer.body.SidHash
    words = struct.unpack("<32Q", bytes(table.Hash))
    for index, group in enumerate(bearer.claims.groups):
        assert words[group.sid[-4] & 0xF] >> index & 1
        assert words[16 + (group.sid[-4] >> 4)] >> index & 1
