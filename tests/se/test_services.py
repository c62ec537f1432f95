"""The doors of security: tokens opened, asked, adjusted, copied; descriptors read and replaced; every open
checked.
"""

from __future__ import annotations

import struct

import pytest

from ntos import ob
from ntos.abi.access import PROCESS_ALL_ACCESS, TOKEN_ALL_ACCESS, TOKEN_DUPLICATE, TOKEN_QUERY
from ntos.abi.ob import CURRENT_PROCESS, CURRENT_PROCESS_TOKEN, CURRENT_THREAD, CURRENT_THREAD_TOKEN, OBJ_INHERIT
from ntos.abi.se import SE_PRIVILEGE
from ntos.abi.se import TOKEN_INFORMATION_CLASS as CLASS
from ntos.abi.status import STATUS, NtError
from ntos.init.services import load_service_modules
from ntos.ke.thread import Thread
from ntos.rtl import sddl, security
from ntos.rtl import sid as sids
from ntos.se import token
from tests.se.conftest import SecureWorld

load_service_modules()
ENABLED, REMOVED = 2, 4


def open_own(secure: SecureWorld, thread: Thread, access: int = TOKEN_ALL_ACCESS) -> int:
    """A handle to the thread's process's token."""
    place = secure.world.room(thread, 8)
    assert secure.world.call(thread, "NtOpenProcessToken", CURRENT_PROCESS, access, place) == 0
    return secure.world.integer(thread, place)


def ask(secure: SecureWorld, thread: Thread, handle: int, information: int) -> tuple[int, bytes]:
    """(where it stands, the answer) of NtQueryInformationToken."""
    world = secure.world
    length = world.room(thread, 4)
    status = world.call(thread, "NtQueryInformationToken", handle, information, 0, 0, length)
    assert status == STATUS.BUFFER_TOO_SMALL
    size = world.integer(thread, length, 4)
    place = world.room(thread, size)
    assert world.call(thread, "NtQueryInformationToken", handle, information, place, size, length) == 0
    return place, thread.memory.read(place, size)


def sid_at(thread: Thread, address: int) -> bytes:
    """The SID in user memory."""
    return thread.memory.read(address, 8 + 4 * thread.memory.read(address + 1, 1)[0])


def test_the_user_of_ones_own_token(secure: SecureWorld, thread: Thread) -> None:
    """TokenUser points to the SID behind it; the pseudo handle -4 needs no opening."""
    _, data = ask(secure, thread, CURRENT_PROCESS_TOKEN, CLASS.TokenUser)
    (pointer, attributes) = struct.unpack("<QQ", data[:16])
    user = secure.accounts.find("user")
    assert user is not None
    assert (sid_at(thread, pointer), attributes) == (user.sid, 0)


@pytest.mark.parametrize("information", sorted(CLASS), ids=lambda number: number.name)
def test_every_class_answers_or_is_refused(secure: SecureWorld, thread: Thread, information: CLASS) -> None:
    """A class is answered in full, or refused with the status Windows has for it."""
    handle = open_own(secure, thread)
    world = secure.world
    place, length = world.room(thread, 0x1000), world.room(thread, 4)
    status = world.call(thread, "NtQueryInformationToken", handle, information, place, 0x1000, length)
    refusals = {STATUS.INVALID_INFO_CLASS, STATUS.INVALID_PARAMETER, STATUS.NO_SUCH_LOGON_SESSION}
    assert status == 0 or status in refusals


def test_integrity_and_elevation_of_a_split_logon(secure: SecureWorld) -> None:
    """The limited half says Limited and not elevated, and leads to the full half, which may only be looked
    at.
    """
    logon = secure.logon("admin", administrator=True)
    thread = secure.thread_as(logon.token)
    handle = open_own(secure, thread)
    assert ask(secure, thread, handle, CLASS.TokenElevationType)[1] == struct.pack("<I", 3)
    assert ask(secure, thread, handle, CLASS.TokenElevation)[1] == bytes(4)
    (linked,) = struct.unpack("<Q", ask(secure, thread, handle, CLASS.TokenLinkedToken)[1])
    assert ask(secure, thread, linked, CLASS.TokenElevation)[1] == struct.pack("<I", 1)
    assert ask(secure, thread, linked, CLASS.TokenImpersonationLevel)[1] == struct.pack("<I", 1)
    place, data = ask(secure, thread, handle, CLASS.TokenIntegrityLevel)
    assert sid_at(thread, struct.unpack("<Q", data[:8])[0]) == sids.MEDIUM_LABEL
    assert place + 16 == struct.unpack("<Q", data[:8])[0]


def privileges_at(secure: SecureWorld, thread: Thread, *entries: tuple[int, int]) -> int:
    """TOKEN_PRIVILEGES in user memory."""
    data = struct.pack("<I", len(entries)) + b"".join(struct.pack("<QI", *entry) for entry in entries)
    return secure.world.put(thread, data)


def test_a_privilege_is_enabled_and_the_former_state_told(secure: SecureWorld, thread: Thread) -> None:
    """NtAdjustPrivilegesToken gives back what it changed, so that it can be undone."""
    handle = open_own(secure, thread)
    state = privileges_at(secure, thread, (SE_PRIVILEGE.SHUTDOWN, ENABLED))
    previous, length = secure.world.room(thread, 64), secure.world.room(thread, 4)
    status = secure.world.call(thread, "NtAdjustPrivilegesToken", handle, 0, state, 64, previous, length)
    assert status == STATUS.SUCCESS
    assert thread.memory.read(previous, 16) == struct.pack("<IQI", 1, SE_PRIVILEGE.SHUTDOWN, 0)
    assert token.primary_token(thread.process).claims.holds(SE_PRIVILEGE.SHUTDOWN)
    assert secure.world.call(thread, "NtAdjustPrivilegesToken", handle, 0, previous, 0, 0, 0) == 0
    assert not token.primary_token(thread.process).claims.holds(SE_PRIVILEGE.SHUTDOWN)


def test_what_the_token_has_not_is_not_assigned(secure: SecureWorld, thread: Thread) -> None:
    """Enabling a privilege that is not in the token succeeds with NOT_ALL_ASSIGNED."""
    handle = open_own(secure, thread)
    state = privileges_at(secure, thread, (SE_PRIVILEGE.DEBUG, ENABLED))
    status = secure.world.call(thread, "NtAdjustPrivilegesToken", handle, 0, state, 0, 0, 0)
    assert status == STATUS.NOT_ALL_ASSIGNED


def test_a_removed_privilege_does_not_come_back(secure: SecureWorld, thread: Thread) -> None:
    """SE_PRIVILEGE_REMOVED takes a privilege out of the token for good."""
    handle = open_own(secure, thread)
    state = privileges_at(secure, thread, (SE_PRIVILEGE.SHUTDOWN, REMOVED))
    assert secure.world.call(thread, "NtAdjustPrivilegesToken", handle, 0, state, 0, 0, 0) == 0
    again = privileges_at(secure, thread, (SE_PRIVILEGE.SHUTDOWN, ENABLED))
    status = secure.world.call(thread, "NtAdjustPrivilegesToken", handle, 0, again, 0, 0, 0)
    assert status == STATUS.NOT_ALL_ASSIGNED


def test_without_room_for_the_former_state_nothing_changes(secure: SecureWorld, thread: Thread) -> None:
    """BUFFER_TOO_SMALL tells the length needed and leaves the token as it was."""
    handle = open_own(secure, thread)
    state = privileges_at(secure, thread, (SE_PRIVILEGE.SHUTDOWN, ENABLED))
    previous, length = secure.world.room(thread, 16), secure.world.room(thread, 4)
    status = secure.world.call(thread, "NtAdjustPrivilegesToken", handle, 0, state, 4, previous, length)
    assert status == STATUS.BUFFER_TOO_SMALL
    assert secure.world.integer(thread, length, 4) == 16
    assert not token.primary_token(thread.process).claims.holds(SE_PRIVILEGE.SHUTDOWN)


def test_mandatory_groups_stay_enabled(secure: SecureWorld, thread: Thread) -> None:
    """NtAdjustGroupsToken refuses to disable a mandatory group."""
    handle = open_own(secure, thread)
    everyone = secure.world.put(thread, sids.WORLD)
    groups = secure.world.put(thread, struct.pack("<QQQ", 1, everyone, 0))
    status = secure.world.call(thread, "NtAdjustGroupsToken", handle, 0, groups, 0, 0, 0)
    assert status == STATUS.CANT_DISABLE_MANDATORY


def duplicate(secure: SecureWorld, thread: Thread, handle: int, kind: int, level: int) -> tuple[int, int]:
    """(status, handle) of NtDuplicateToken."""
    world = secure.world
    quality = world.put(thread, struct.pack("<IIBBxx", 12, level, 0, 0))
    attributes = world.attributes(thread)
    thread.memory.write(attributes + 0x28, struct.pack("<Q", quality))
    place = world.room(thread, 8)
    status = world.call(thread, "NtDuplicateToken", handle, 0, attributes, 0, kind, place)
    return status, world.integer(thread, place)


def test_a_copy_impersonates_no_further_than_its_original(secure: SecureWorld, thread: Thread) -> None:
    """An identification token gives neither an impersonation nor a primary token."""
    handle = open_own(secure, thread)
    status, weak = duplicate(secure, thread, handle, token.IMPERSONATION, token.IDENTIFICATION)
    assert status == 0
    for kind, level in ((token.IMPERSONATION, token.IMPERSONATE), (token.PRIMARY, token.ANONYMOUS)):
        assert duplicate(secure, thread, weak, kind, level)[0] == STATUS.BAD_IMPERSONATION_LEVEL


def test_a_thread_without_impersonation_has_no_token(secure: SecureWorld, thread: Thread) -> None:
    """NtOpenThreadToken says NO_TOKEN until the thread impersonates."""
    place = secure.world.room(thread, 8)
    arguments = (CURRENT_THREAD, TOKEN_QUERY, 1, place)
    assert secure.world.call(thread, "NtOpenThreadToken", *arguments) == STATUS.NO_TOKEN
    client = token.duplicate(secure.system_token, token.IMPERSONATION, token.IMPERSONATE)
    token.impersonate(thread, client)
    _, data = ask(secure, thread, CURRENT_THREAD_TOKEN, CLASS.TokenUser)
    assert sid_at(thread, struct.unpack("<Q", data[:8])[0]) == sids.LOCAL_SYSTEM
    # SYSTEM's token lets nobody but SYSTEM and Administrators in: opening as self is refused.
    assert secure.world.call(thread, "NtOpenThreadToken", *arguments) == STATUS.ACCESS_DENIED


def test_a_user_may_not_open_what_system_runs(secure: SecureWorld, thread: Thread) -> None:
    """A process without an explicit descriptor is its own user's; the refusal says why."""
    service = secure.thread_as(secure.system_token)
    manager = secure.world.manager
    with pytest.raises(NtError, match="ACCESS_DENIED"):
        manager.check_access(thread, service.process, PROCESS_ALL_ACCESS)
    assert manager.check_access(thread, thread.process, PROCESS_ALL_ACCESS) == PROCESS_ALL_ACCESS


def query_security(secure: SecureWorld, thread: Thread, handle: int, parts: int) -> security.Descriptor:
    """An object's descriptor through NtQuerySecurityObject."""
    world = secure.world
    place, length = world.room(thread, 512), world.room(thread, 4)
    assert world.call(thread, "NtQuerySecurityObject", handle, parts, place, 512, length) == 0
    return security.parse_descriptor(thread.memory.read(place, world.integer(thread, length, 4)))


def test_a_named_event_is_its_creators(secure: SecureWorld, thread: Thread) -> None:
    """A new object gets owner, group and default DACL of its creator's token; others are refused by it."""
    world = secure.world
    name = "\\BaseNamedObjects\\mine"
    handle = world.handle_of(thread, "NtCreateEvent", 0x1F0003, world.attributes(thread, name), 0, 0)
    described = query_security(secure, thread, handle, 7)
    claims = token.primary_token(thread.process).claims
    assert described.owner == claims.user
    assert described.dacl is not None
    assert [ace.sid for ace in described.dacl.aces] == [claims.user, sids.LOCAL_SYSTEM, claims.logon_sid]
    other = secure.thread_as(secure.logon("other").token)
    place = world.room(other, 8)
    status = world.call(other, "NtOpenEvent", place, 0x1F0003, world.attributes(other, name))
    assert status == STATUS.ACCESS_DENIED
    assert other.refusal is not None
    assert other.refusal.rule == "no entry of the DACL grants it"


def test_a_new_dacl_takes_effect_at_the_next_open(secure: SecureWorld, thread: Thread) -> None:
    """NtSetSecurityObject changes what later opens get, not handles that are open."""
    world = secure.world
    name = "\\BaseNamedObjects\\shut"
    handle = world.handle_of(thread, "NtCreateEvent", 0x1F0003, world.attributes(thread, name), 0, 0)
    empty = world.put(thread, sddl.parse("D:").to_bytes())
    assert world.call(thread, "NtSetSecurityObject", handle, 4, empty) == 0
    place = world.room(thread, 8)
    status = world.call(thread, "NtOpenEvent", place, 2, world.attributes(thread, name))
    assert status == STATUS.ACCESS_DENIED
    # The owner may still read and change the DACL.
    assert world.call(thread, "NtOpenEvent", place, 0x60000, world.attributes(thread, name)) == 0
    assert world.call(thread, "NtSetEvent", handle, 0) == 0


def test_a_label_above_ones_own_is_refused(secure: SecureWorld, thread: Thread) -> None:
    """Labels can be lowered by the owner; raising one above oneself takes SeRelabelPrivilege."""
    world = secure.world
    attributes = world.attributes(thread, "\\BaseNamedObjects\\labelled")
    handle = world.handle_of(thread, "NtCreateEvent", 0x1F0003, attributes, 0, 0)
    high = world.put(thread, sddl.parse("S:(ML;;NW;;;HI)").to_bytes())
    assert world.call(thread, "NtSetSecurityObject", handle, 0x10, high) == STATUS.INVALID_LABEL
    low = world.put(thread, sddl.parse("S:(ML;;NW;;;LW)").to_bytes())
    assert world.call(thread, "NtSetSecurityObject", handle, 0x10, low) == 0
    described = query_security(secure, thread, handle, 0x10)
    assert described.sacl is not None
    assert described.sacl.aces[0].sid == sids.LOW_LABEL


@pytest.mark.parametrize(("desired", "verdict"), [(1, STATUS.SUCCESS), (2, STATUS.ACCESS_DENIED)])
def test_a_server_checks_its_client(secure: SecureWorld, thread: Thread, desired: int, verdict: int) -> None:
    """NtAccessCheck succeeds with the verdict beside it."""
    world = secure.world
    _, client = duplicate(secure, thread, open_own(secure, thread), token.IMPERSONATION, token.IDENTIFICATION)
    described = world.put(thread, sddl.parse("O:SYG:SYD:(A;;0x1;;;WD)").to_bytes())
    mapping = world.put(thread, struct.pack("<4I", 1, 2, 4, 7))
    used, length = world.room(thread, 32), world.put(thread, struct.pack("<I", 32))
    granted, status = world.room(thread, 4), world.room(thread, 4)
    arguments = (described, client, desired, mapping, used, length, granted, status)
    assert world.call(thread, "NtAccessCheck", *arguments) == 0
    assert world.integer(thread, status, 4) == verdict
    assert world.integer(thread, granted, 4) == (desired if verdict == 0 else 0)


def test_a_filtered_token_is_restricted(secure: SecureWorld, thread: Thread) -> None:
    """NtFilterToken with restricting SIDs makes a token that says it is restricted."""
    world = secure.world
    handle = open_own(secure, thread, TOKEN_DUPLICATE | TOKEN_QUERY)
    restricting = world.put(thread, struct.pack("<QQQ", 1, world.put(thread, sids.RESTRICTED), 0))
    place = world.room(thread, 8)
    assert world.call(thread, "NtFilterToken", handle, 1, 0, 0, restricting, place) == 0
    weaker = world.integer(thread, place)
    assert ask(secure, thread, weaker, CLASS.TokenHasRestrictions)[1] == struct.pack("<I", 1)
    found = ob.by_handle(thread, weaker, 0, token.TYPE)
    assert found.claims.present == 1 << SE_PRIVILEGE.CHANGE_NOTIFY


def test_handles_to_tokens_can_be_inherited(secure: SecureWorld, thread: Thread) -> None:
    """The Ex forms take attributes for the handle."""
    world = secure.world
    place = world.room(thread, 8)
    assert world.call(thread, "NtOpenProcessTokenEx", CURRENT_PROCESS, TOKEN_QUERY, OBJ_INHERIT, place) == 0
    entry = ob.granted(thread, world.integer(thread, place))
    assert entry is not None
    assert (entry.access, entry.attributes) == (TOKEN_QUERY, OBJ_INHERIT)
    status = world.call(thread, "NtOpenThreadTokenEx", CURRENT_THREAD, TOKEN_QUERY, 0, 0, place)
    assert status == STATUS.NO_TOKEN


def test_acting_as_nobody(secure: SecureWorld, thread: Thread) -> None:
    """NtImpersonateAnonymousToken leaves a token nobody may open, and access checks are refused for its level."""
    world = secure.world
    assert world.call(thread, "NtImpersonateAnonymousToken", CURRENT_THREAD) == 0
    place = world.room(thread, 8)
    status = world.call(thread, "NtOpenThreadToken", CURRENT_THREAD, TOKEN_QUERY, 1, place)
    assert status == STATUS.CANT_OPEN_ANONYMOUS


@pytest.mark.parametrize(("control", "verdict"), [(1, 0), (0, 1)])
def test_all_privileges_or_any(secure: SecureWorld, thread: Thread, control: int, verdict: int) -> None:
    """NtPrivilegeCheck asks for all of a set or for any, and marks those that are held."""
    world = secure.world
    wanted = (SE_PRIVILEGE.CHANGE_NOTIFY, SE_PRIVILEGE.DEBUG)
    data = struct.pack("<II", 2, control) + b"".join(struct.pack("<QI", number, 0) for number in wanted)
    privileges, result = world.put(thread, data), world.room(thread, 1)
    assert world.call(thread, "NtPrivilegeCheck", open_own(secure, thread), privileges, result) == 0
    assert world.integer(thread, result, 1) == verdict
    assert world.integer(thread, privileges + 16, 4) == 0x80000000
    assert world.integer(thread, privileges + 28, 4) == 0


def test_integrity_goes_down_and_not_up(secure: SecureWorld, thread: Thread) -> None:
    """NtSetInformationToken lowers the integrity level; raising it takes privileges."""
    world = secure.world
    handle = open_own(secure, thread)

    def set_level(label: bytes) -> int:
        place = world.put(thread, struct.pack("<QQ", world.put(thread, label), 0x20))
        return world.call(thread, "NtSetInformationToken", handle, CLASS.TokenIntegrityLevel, place, 16)

    assert set_level(sids.HIGH_LABEL) == STATUS.INVALID_LABEL
    assert set_level(sids.LOW_LABEL) == 0
    assert token.primary_token(thread.process).claims.level == 0x1000


def test_the_session_takes_tcb(secure: SecureWorld, thread: Thread) -> None:
    """Setting a token's session needs SeTcbPrivilege; the refusal names it."""
    world = secure.world
    place = world.put(thread, struct.pack("<I", 2))
    arguments = (open_own(secure, thread), CLASS.TokenSessionId, place, 4)
    assert world.call(thread, "NtSetInformationToken", *arguments) == STATUS.PRIVILEGE_NOT_HELD
    assert thread.refusal is not None
    assert thread.refusal.rule == "SeTcbPrivilege is not in the token"
