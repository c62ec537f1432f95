"""What goes with messages: handles, views, and whom the server may become."""

from __future__ import annotations

import pytest

from ntos import ob
from ntos.abi import alpc
from ntos.abi.layout.alpc_api import ALPC_DATA_VIEW_ATTR, ALPC_HANDLE_ATTR, ALPC_SECURITY_ATTR, ALPC_TOKEN_ATTR
from ntos.abi.layout.alpc_parts import KALPC_VIEW
from ntos.abi.se import SE_PRIVILEGE
from ntos.abi.status import STATUS, GuestFault
from ntos.ex.handle import HandleTable
from ntos.ke.thread import Thread
from ntos.lpc.attributes import Buffer
from ntos.se.security import set_sddl
from ntos.se.token import IDENTIFICATION, IMPERSONATE, impersonate, impersonation_token
from tests.lpc.conftest import RELEASE, SYNC, Seen, Talk

HANDLE = alpc.ALPC_MESSAGE_HANDLE_ATTRIBUTE
VIEW = alpc.ALPC_MESSAGE_VIEW_ATTRIBUTE
SECURITY = alpc.ALPC_MESSAGE_SECURITY_ATTRIBUTE
TOKEN = alpc.ALPC_MESSAGE_TOKEN_ATTRIBUTE
EVERYTHING = HANDLE | VIEW | SECURITY | TOKEN | alpc.ALPC_MESSAGE_CONTEXT_ATTRIBUTE
EVENT = alpc.OBJECT_TYPE_CODES["Event"]
TAKES_EVENTS = {"sFlags": alpc.ALPC_PORFLG_ALLOW_DUP_OBJECT, "sDupObjectTypes": EVENT}
MAY_IMPERSONATE = {"Flags": alpc.ALPC_PORFLG_ALLOW_IMPERSONATION}
EVENT_ALL, EVENT_MODIFY, EVENT_QUERY = 0x1F0003, 2, 1
SYNCHRONIZE = 0x100000


def with_handle(talk: Talk, thread: Thread, handle: int, flags: int, access: int = 0, code: int = EVENT) -> Buffer:
    """A handle attribute."""
    sent = talk.carrying(thread, EVERYTHING, HANDLE)
    said = ALPC_HANDLE_ATTR(thread.memory, sent.place(HANDLE))
    said.Flags, said.Handle, said.ObjectType, said.DesiredAccess = flags, handle, code, access
    return sent


def post(talk: Talk, client: Thread, mine: int, server: Thread, port: int, sent: Buffer) -> tuple[int, Buffer, Seen]:
    """The status of sending a message, and what the server gets with it."""
    got: list[tuple[int, Buffer, Seen]] = []

    async def both() -> None:
        status, _ = await talk.exchange(client, mine, 0, talk.message(client, b"m"), sent=sent, receive=False)
        wanted = talk.carrying(server, EVERYTHING)
        _, seen = await talk.exchange(server, port, wanted=wanted, timeout=0)
        got.append((status, Buffer(server.memory, wanted.address), seen))

    talk.start(server, both())
    talk.run()
    return got[0]


def test_a_handle_travels(talk: Talk, server: Thread, client: Thread) -> None:
    """The receiver gets a handle of its own to the same object, with the access asked for and no more."""
    port, _, mine = talk.connected(server, client, **TAKES_EVENTS)
    event = talk.handle_of(client, "NtCreateEvent", EVENT_ALL, 0, 0, 0)
    sent = with_handle(talk, client, event, 0, EVENT_MODIFY | SYNCHRONIZE)
    status, got, _ = post(talk, client, mine, server, port, sent)
    said = ALPC_HANDLE_ATTR(server.memory, got.place(HANDLE))
    assert (status, got.valid & HANDLE) == (0, HANDLE)
    assert (int(said.ObjectType), int(said.DesiredAccess)) == (EVENT, EVENT_MODIFY | SYNCHRONIZE)
    assert talk.call(server, "NtSetEvent", int(said.Handle), 0) == 0
    room = talk.room(server, 8)
    assert talk.call(server, "NtQueryEvent", int(said.Handle), 0, room, 8, 0) == STATUS.ACCESS_DENIED
    room = talk.room(client, 8)
    assert talk.call(client, "NtQueryEvent", event, 0, room, 8, 0) == 0
    assert talk.integer(client, room + 4, 4) == 1


@pytest.mark.parametrize(("takes", "code", "kind", "status"), [
    ({}, EVENT, "NtCreateEvent", STATUS.ACCESS_DENIED),
    ({"sFlags": alpc.ALPC_PORFLG_ALLOW_DUP_OBJECT}, EVENT, "NtCreateEvent", STATUS.ACCESS_DENIED),
    (TAKES_EVENTS, 0x80, "NtCreateEvent", STATUS.OBJECT_TYPE_MISMATCH),
    (TAKES_EVENTS, 0, "NtCreateTimer", STATUS.OBJECT_TYPE_MISMATCH),
    (TAKES_EVENTS, 0, "", STATUS.INVALID_HANDLE),
])  # fmt: skip
def test_a_port_is_given_only_what_it_takes(
    talk: Talk, server: Thread, client: Thread, takes: dict[str, int], code: int, kind: str, status: int
) -> None:
    """A handle the receiving port has not said it takes is refused before anything is sent; nothing leaks."""
    port, _, mine = talk.connected(server, client, **takes)
    arguments = (EVENT_ALL, 0, 0, 0) if kind == "NtCreateEvent" else (EVENT_ALL, 0, 0)
    handle = talk.handle_of(client, kind, *arguments) if kind else 0x7770
    before = talk.objects(), talk.blocks()
    sent = with_handle(talk, client, handle, alpc.ALPC_HANDLEFLG_DUPLICATE_SAME_ACCESS, 0, code)
    refused, got, _ = post(talk, client, mine, server, port, sent)
    assert (refused, got.valid) == (status, 0)
    assert (talk.objects(), talk.blocks()) == before


def test_a_handle_nobody_takes_is_let_go(talk: Talk, server: Thread, client: Thread) -> None:
    """A receiver without room for the attribute gets no handle, and the object is not kept."""
    port, _, mine = talk.connected(server, client, **TAKES_EVENTS)
    event = talk.handle_of(client, "NtCreateEvent", EVENT_ALL, 0, 0, 0)
    before = server.process[HandleTable].count, talk.objects()
    sent = with_handle(talk, client, event, alpc.ALPC_HANDLEFLG_DUPLICATE_SAME_ACCESS)

    async def both() -> None:
        await talk.exchange(client, mine, 0, talk.message(client), sent=sent, receive=False)
        await talk.exchange(server, port)

    talk.start(server, both())
    talk.run()
    assert (server.process[HandleTable].count, talk.objects()) == before
    talk.call(client, "NtClose", event)
    assert talk.objects() == before[1] - 1


def test_several_handles_travel_together(talk: Talk, server: Thread, client: Thread) -> None:
    """INDIRECT: the receiver learns how many, and each by NtAlpcQueryInformationMessage."""
    flags = alpc.ALPC_PORFLG_ALLOW_DUP_OBJECT | alpc.ALPC_PORFLG_ALLOW_MULTIHANDLE_ATTRIBUTE
    port, _, mine = talk.connected(server, client, sFlags=flags, sDupObjectTypes=EVENT)
    same = alpc.ALPC_HANDLEFLG_DUPLICATE_SAME_ACCESS
    array = b""
    for _ in range(2):
        event = talk.handle_of(client, "NtCreateEvent", EVENT_ALL, 0, 0, 0)
        array += b"".join(value.to_bytes(4, "little") for value in (same, event, EVENT, 0))
    sent = talk.carrying(client, EVERYTHING, HANDLE)
    said = ALPC_HANDLE_ATTR(client.memory, sent.place(HANDLE))
    said.Flags, said.HandleAttrArray, said.HandleCount = alpc.ALPC_HANDLEFLG_INDIRECT, talk.put(client, array), 2
    status, got, seen = post(talk, client, mine, server, port, sent)
    assert (status, int(ALPC_HANDLE_ATTR(server.memory, got.place(HANDLE)).HandleCount)) == (0, 2)
    place = talk.room(server, 20)
    for index, wanted in ((0, 0), (1, 0), (2, STATUS.INVALID_PARAMETER)):
        server.memory.write(place, index.to_bytes(4, "little"))
        name = "NtAlpcQueryInformationMessage"
        assert talk.call(server, name, port, seen.address, 3, place, 20, 0) == wanted
    assert talk.call(server, "NtSetEvent", talk.integer(server, place + 8, 4), 0) == 0


# ---------------------------------------------------------------- views


def section_and_view(talk: Talk, thread: Thread, port: int, flags: int = 0) -> tuple[int, int, int]:
    """(section handle, the view's address, its attributes) of a communication port."""
    handle, size = talk.room(thread, 8), talk.room(thread, 8)
    assert talk.call(thread, "NtAlpcCreatePortSection", port, flags, 0, 0x20000, handle, size) == 0
    view = ALPC_DATA_VIEW_ATTR(thread.memory, talk.room(thread, ALPC_DATA_VIEW_ATTR.size))
    view.SectionHandle, view.ViewSize = talk.integer(thread, handle), 0x3000
    assert talk.call(thread, "NtAlpcCreateSectionView", port, 0, view.address) == 0
    return int(view.SectionHandle), int(view.ViewBase), view.address


def with_view(talk: Talk, thread: Thread, section: int, base: int, flags: int = 0) -> Buffer:
    """A view attribute."""
    sent = talk.carrying(thread, EVERYTHING, VIEW)
    said = ALPC_DATA_VIEW_ATTR(thread.memory, sent.place(VIEW))
    said.Flags, said.SectionHandle, said.ViewBase, said.ViewSize = flags, section, base, 0x3000
    return sent


def test_a_view_shows_the_receiver_the_same_memory(talk: Talk, server: Thread, client: Thread) -> None:
    """What the sender wrote into its view the receiver reads in its own, and the other way round."""
    port, _, mine = talk.connected(server, client)
    section, base, _ = section_and_view(talk, client, mine)
    client.memory.write(base, b"large data")
    status, got, _ = post(talk, client, mine, server, port, with_view(talk, client, section, base))
    said = ALPC_DATA_VIEW_ATTR(server.memory, got.place(VIEW))
    assert (status, got.valid & VIEW, int(said.ViewSize)) == (0, VIEW, 0x3000)
    assert server.memory.read(int(said.ViewBase), 10) == b"large data"
    server.memory.write(int(said.ViewBase) + 6, b"news")
    assert client.memory.read(base, 10) == b"large news"
    head = server.process.eprocess.AlpcContext.ViewListHead
    offset = KALPC_VIEW.offset("ProcessViewListEntry")
    assert [int(KALPC_VIEW(talk.kernel.memory, entry - offset).Address) for entry in head.iterate()] == [said.ViewBase]
    assert talk.call(server, "NtAlpcDeleteSectionView", port, 0, int(said.ViewBase)) == 0
    with pytest.raises(GuestFault):
        server.memory.read(int(said.ViewBase), 1)
    assert client.memory.read(base, 5) == b"large"


def test_a_view_can_go_with_its_message(talk: Talk, server: Thread, client: Thread) -> None:
    """AUTO_RELEASE: the receiver's view is gone once the message is answered."""
    port, _, mine = talk.connected(server, client)
    section, base, _ = section_and_view(talk, client, mine)
    sent = with_view(talk, client, section, base, alpc.ALPC_VIEWFLG_AUTO_RELEASE)
    _, got, seen = post(talk, client, mine, server, port, sent)
    theirs = int(ALPC_DATA_VIEW_ATTR(server.memory, got.place(VIEW)).ViewBase)
    server.memory.read(theirs, 1)

    async def answers() -> None:
        await talk.exchange(server, port, RELEASE, talk.reply(server, seen), receive=False)

    talk.start(server, answers())
    talk.run()
    with pytest.raises(GuestFault):
        server.memory.read(theirs, 1)


def test_a_secure_view_is_only_read(talk: Talk, server: Thread, client: Thread) -> None:
    """The receiver of a secure section's view cannot write to it."""
    port, _, mine = talk.connected(server, client)
    section, base, _ = section_and_view(talk, client, mine, alpc.ALPC_SECURE_SECTION)
    _, got, _ = post(talk, client, mine, server, port, with_view(talk, client, section, base))
    theirs = int(ALPC_DATA_VIEW_ATTR(server.memory, got.place(VIEW)).ViewBase)
    server.memory.read(theirs, 1)
    with pytest.raises(GuestFault):
        server.memory.write(theirs, b"x")


def test_sections_and_views_have_limits(talk: Talk, server: Thread, client: Thread) -> None:
    """Larger sections than the port allows, larger views than their section, views from nowhere are refused."""
    port, _, mine = talk.connected(server, client, MaxSectionSize=0x20000)
    place = talk.room(client, 16)
    assert talk.call(client, "NtAlpcCreatePortSection", mine, 0, 0, 0x30000, place, place + 8) == STATUS.SECTION_TOO_BIG
    section, base, view = section_and_view(talk, client, mine)
    ALPC_DATA_VIEW_ATTR(client.memory, view).ViewSize = 0x40000
    assert talk.call(client, "NtAlpcCreateSectionView", mine, 0, view) == STATUS.INVALID_VIEW_SIZE
    status, _, _ = post(talk, client, mine, server, port, with_view(talk, client, section, base + 0x1000))
    assert status == STATUS.INVALID_PARAMETER
    assert talk.call(client, "NtAlpcDeletePortSection", mine, 0, section) == 0
    assert talk.call(client, "NtAlpcDeletePortSection", mine, 0, section) == STATUS.INVALID_HANDLE
    assert talk.call(client, "NtAlpcDeleteSectionView", mine, 0, base) == 0
    assert talk.call(client, "NtAlpcDeleteSectionView", mine, 0, base) == STATUS.INVALID_PARAMETER


def test_closing_the_port_takes_its_views_along(talk: Talk, server: Thread, client: Thread) -> None:
    """Sections, regions and views are freed on both sides."""
    port, theirs, mine = talk.connected(server, client)
    before = talk.blocks(), talk.objects()
    section, base, _ = section_and_view(talk, client, mine)
    post(talk, client, mine, server, port, with_view(talk, client, section, base))
    for thread, handle in ((client, mine), (server, theirs), (server, port)):
        assert talk.call(thread, "NtClose", handle) == 0
    for thread in (client, server):
        assert thread.process.eprocess.AlpcContext.ViewListHead.is_empty()
    assert talk.objects() == before[1] - 3
    assert talk.blocks() < before[0]


# ---------------------------------------------------------------- security


def impersonated(talk: Talk, server: Thread, port: int, seen: Seen, flags: int = 0) -> tuple[int, bytes | None, int]:
    """(status, the user the server has become, the level); it is itself again afterwards."""
    status = talk.call(server, "NtAlpcImpersonateClientOfPort", port, seen.address, flags)
    who = impersonation_token(server)
    result = (status, who.token.claims.user if who else None, who.level if who else -1)
    impersonate(server, None)
    return result


def ask(talk: Talk, client: Thread, mine: int, server: Thread, port: int, sent: Buffer | None = None) -> Seen:
    """A request the server has received and not answered."""
    return post(talk, client, mine, server, port, sent or talk.carrying(client, EVERYTHING))[2]


@pytest.mark.parametrize("level", [IDENTIFICATION, IMPERSONATE])
def test_a_server_becomes_its_client(talk: Talk, server: Thread, level: int) -> None:
    """As far as the client's quality of service lets it."""
    bearer = talk.user()
    client = talk.thread_of(bearer)
    port, _, mine = talk.connected(server, client, Level=level, **MAY_IMPERSONATE)
    seen = ask(talk, client, mine, server, port)
    assert impersonated(talk, server, port, seen) == (0, bearer.claims.user, level)
    required = alpc.ALPC_IMPERSONATEFLG_REQUIRE_IMPERSONATE | IMPERSONATE << 2
    status = 0 if level == IMPERSONATE else STATUS.BAD_IMPERSONATION_LEVEL
    assert impersonated(talk, server, port, seen, required)[0] == status
    assert talk.call(server, "NtImpersonateClientOfPort", port, seen.address) == 0
    impersonate(server, None)


def test_a_client_may_keep_its_identity(talk: Talk, server: Thread, client: Thread) -> None:
    """Without ALLOW_IMPERSONATION the server cannot become it: CANNOT_IMPERSONATE, with the rule."""
    port, _, mine = talk.connected(server, client)
    seen = ask(talk, client, mine, server, port)
    assert impersonated(talk, server, port, seen)[0] == STATUS.CANNOT_IMPERSONATE
    assert server.refusal is not None
    assert impersonated(talk, server, port, seen, alpc.ALPC_IMPERSONATEFLG_ANONYMOUS)[0] == 0


def test_without_the_privilege_a_stranger_is_only_identified(talk: Talk) -> None:
    """A server of another user, without SeImpersonatePrivilege, gets the client's token for identification."""
    server, bearer = talk.thread_of(talk.user("bob")), talk.user("alice")
    assert not talk.user("bob").claims.holds(SE_PRIVILEGE.IMPERSONATE)
    client = talk.thread_of(bearer)
    system = talk.thread(talk.process())
    directory = talk.handle_of(system, "NtCreateDirectoryObject", 0xF000F, talk.attributes(system, "\\Ports"))
    set_sddl(ob.by_handle(system, directory, 0), "O:SYG:SYD:(A;;GA;;;WD)")
    port = talk.serve(server, "\\Ports\\Bob")
    set_sddl(talk.port(server, port), "O:SYG:SYD:(A;;GA;;;WD)")
    record: list[tuple[int, bytes | None, int]] = []

    async def asks() -> None:
        status, mine, _ = await talk.connect(client, "\\Ports\\Bob", limits=MAY_IMPERSONATE)
        assert status == 0
        await talk.exchange(client, mine, SYNC, talk.message(client))

    async def serves() -> None:
        _, asked = await talk.exchange(server, port)
        talk.accept(server, port, asked)
        _, seen = await talk.exchange(server, port)
        record.append(impersonated(talk, server, port, seen))

    talk.start(client, asks())
    talk.start(server, serves())
    talk.run()
    assert record == [(0, bearer.claims.user, IDENTIFICATION)]


@pytest.mark.parametrize("dynamic", [0, 1])
def test_tracking_decides_who_is_meant(talk: Talk, server: Thread, client: Thread, dynamic: int) -> None:
    """Static: who connected. Dynamic: who sends, which may be another the client impersonates."""
    port, _, mine = talk.connected(server, client, Dynamic=dynamic, **MAY_IMPERSONATE)
    other = talk.user()
    impersonate(client, other, IMPERSONATE)
    seen = ask(talk, client, mine, server, port)
    wanted = other.claims.user if dynamic else talk.system.claims.user
    assert impersonated(talk, server, port, seen)[1] == wanted
    place = talk.room(server, 64)
    name = "NtAlpcQueryInformationMessage"
    assert talk.call(server, name, port, seen.address, 0, place, 64, 0) == 0
    assert server.memory.read(place, len(wanted)) == wanted
    assert talk.call(server, name, port, seen.address, 1, place, 8, 0) == 0
    assert talk.call(server, name, port, seen.address, 0, place, 4, 0) == STATUS.BUFFER_TOO_SMALL


def test_a_security_context_goes_with_a_message(talk: Talk, server: Thread, client: Thread) -> None:
    """Made while impersonating, named by later messages, revoked for those under way, closed by its handle."""
    port, _, mine = talk.connected(server, client, **MAY_IMPERSONATE)
    other = talk.user()
    quality = talk.put(client, b"\x0c\0\0\0\x02\0\0\0\0\0\0\0")
    attribute = ALPC_SECURITY_ATTR(client.memory, talk.room(client, ALPC_SECURITY_ATTR.size))
    attribute.QoS = quality
    impersonate(client, other, IMPERSONATE)
    assert talk.call(client, "NtAlpcCreateSecurityContext", mine, 0, attribute.address) == 0
    impersonate(client, None)
    context = int(attribute.ContextHandle)
    sent = talk.carrying(client, EVERYTHING, SECURITY)
    ALPC_SECURITY_ATTR(client.memory, sent.place(SECURITY)).ContextHandle = context
    _, got, seen = post(talk, client, mine, server, port, sent)
    assert got.valid & (SECURITY | TOKEN) == SECURITY | TOKEN
    assert ALPC_TOKEN_ATTR(server.memory, got.place(TOKEN)).AuthenticationId == other.authentication_id
    assert impersonated(talk, server, port, seen)[:2] == (0, other.claims.user)
    assert talk.call(client, "NtAlpcRevokeSecurityContext", mine, 0, context) == 0
    assert impersonated(talk, server, port, seen)[0] == STATUS.CANNOT_IMPERSONATE
    assert talk.call(client, "NtAlpcDeleteSecurityContext", mine, 0, context) == 0
    assert talk.call(client, "NtAlpcDeleteSecurityContext", mine, 0, context) == STATUS.INVALID_HANDLE


def test_nobody_lends_more_than_was_lent(talk: Talk, server: Thread, client: Thread) -> None:
    """A client that itself only identifies another cannot offer a server to impersonate it."""
    talk.connected(server, client)
    impersonate(client, talk.user(), IDENTIFICATION)

    async def asks() -> None:
        talk.record.append((await talk.connect(client, limits=MAY_IMPERSONATE))[0])

    talk.start(client, asks())
    talk.run()
    assert talk.record == [STATUS.BAD_IMPERSONATION_LEVEL]


def test_a_server_opens_its_sender(talk: Talk, server: Thread, client: Thread) -> None:
    """NtAlpcOpenSenderProcess and …Thread: handles by the message alone, while the sender is alive."""
    port, _, mine = talk.connected(server, client)
    seen = ask(talk, client, mine, server, port)
    for name, wanted in (("NtAlpcOpenSenderProcess", client.process), ("NtAlpcOpenSenderThread", client)):
        place = talk.room(server, 8)
        assert talk.call(server, name, place, port, seen.address, 0, 0x1FFFFF, talk.attributes(server)) == 0
        assert ob.by_handle(server, talk.integer(server, place), 0) is wanted
