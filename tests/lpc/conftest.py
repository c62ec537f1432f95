"""A small kernel with memory, security and ports; clients and servers that talk through the doors."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from ntos import lpc, mm, ob
from ntos import se as ntos_se
from ntos.abi import alpc
from ntos.abi.layout.alpc import ALPC_PORT_ATTRIBUTES, PORT_MESSAGE
from ntos.abi.layout.alpc_api import ALPC_MESSAGE_ATTRIBUTES
from ntos.abi.layout.process import EPROCESS
from ntos.ex.handle import CidTable
from ntos.ke.kernel import Kernel
from ntos.ke.process import PROCESS_OBJECT, Process
from ntos.ke.thread import Thread
from ntos.lpc.attributes import Buffer
from ntos.lpc.port import Port
from ntos.ob.manager import ObjectManager
from ntos.ob.types import ObjectType
from ntos.se import boot as security
from ntos.se import token as tokens
from ntos.se import well_known
from ntos.se.account import Accounts
from ntos.se.security import set_sddl
from ntos.se.token import Token
from tests.conftest import World

for package in (lpc, mm, ntos_se):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)

SECOND = 10_000_000
ROOM = 0x200
SYNC, RELEASE = alpc.ALPC_MSGFLG_SYNC_REQUEST, alpc.ALPC_MSGFLG_RELEASE_MESSAGE
NAME = "\\Port"
LPC_CLOSED, LPC_ASKED = alpc.LPC_PORT_CLOSED, alpc.LPC_CONNECTION_REQUEST
PORT_DEFAULTS = {
    "MaxMessageLength": 0x1000,
    "MaxSectionSize": 1 << 30,
    "MaxViewSize": 1 << 30,
    "MaxTotalSectionSize": 1 << 30,
}


def _no_wrap(kernel: Kernel, address: int) -> Process:
    raise NotImplementedError


PROCESS: ObjectType[Process] = ObjectType(
    "Process", EPROCESS.size, _no_wrap, valid_access=0x1FFFFF, default_dispatcher=0
)


class Seen(NamedTuple):
    """A PORT_MESSAGE as its receiver sees it."""

    type: int
    data: bytes
    id: int
    callback: int
    client: tuple[int, int]
    address: int


class Talk(World):
    """The kernel, and what clients and servers do."""

    def __init__(self) -> None:
        super().__init__()
        self.system: Token = security.initialize(self.kernel, seed=7)
        lpc.install(self.kernel)
        self.places: dict[int, int] = {}

    # ------------------------------------------------------------ who

    def process(self, parent: Process | None = None, token: Token | None = None) -> Process:  # type: ignore[override]
        """A process with an address space and a token (SYSTEM's)."""
        tables = mm.create_address_space(self.kernel)
        made = ob.create(self.kernel, PROCESS, wrap=lambda kernel, at: Process(kernel, at, tables))
        made.initialize_header(PROCESS_OBJECT, EPROCESS.size, 0)
        made.eprocess.UniqueProcessId = self.kernel[CidTable].assign(made.address)
        made.eprocess.Pcb.DirectoryTableBase = tables.root
        ob.create_handle_table(made)
        mm.attach(made)
        lpc.initialize_process(made)
        bearer = token or self.system
        ob.reference(bearer)
        tokens.set_primary_token(made, bearer)
        return made

    def user(self, name: str = "user", *, administrator: bool = False) -> Token:
        """A logged-on user's token."""
        accounts = self.kernel[Accounts]
        account = accounts.find(name) or accounts.add(name, administrator=administrator)
        return well_known.interactive(self.kernel, account).token

    def thread_of(self, token: Token) -> Thread:
        """A thread in a process of that user's."""
        return self.thread(self.process(token=token))

    def room(self, thread: Thread, size: int) -> int:
        process = thread.process
        if process.address not in self.places:
            self.places[process.address] = mm.allocate(process, 0x100000)
        address = self.places[process.address]
        self.places[process.address] += (size + 15) & ~15
        return address

    def die(self, thread: Thread) -> None:
        """What ps does when a thread ends that is its process's last."""
        lpc.exit_thread(thread)
        thread.process.threads.remove(thread)
        if not thread.process.threads:
            ob.close_all(thread.process)

    # ------------------------------------------------------------ messages

    def message(self, thread: Thread, data: bytes = b"", *, number: int = 0, callback: int = 0, kind: int = 0) -> int:
        """A PORT_MESSAGE with room for more."""
        place = self.room(thread, PORT_MESSAGE.size + ROOM)
        view = PORT_MESSAGE(thread.memory, place)
        view.u1.s1.DataLength = len(data)
        view.u1.s1.TotalLength = len(data) + PORT_MESSAGE.size
        view.u2.s2.Type = kind
        view.MessageId, view.CallbackId = number, callback
        if data:
            thread.memory.write(place + PORT_MESSAGE.size, data)
        return place

    def reply(self, thread: Thread, seen: Seen, data: bytes = b"") -> int:
        """An answer to what was received."""
        return self.message(thread, data, number=seen.id, callback=seen.callback)

    def read(self, thread: Thread, place: int) -> Seen:
        """What stands at an address."""
        view = PORT_MESSAGE(thread.memory, place)
        size = int(view.u1.s1.DataLength)
        return Seen(
            int(view.u2.s2.Type) & 0xFFFF,
            thread.memory.read(place + PORT_MESSAGE.size, size) if size else b"",
            int(view.MessageId),
            int(view.CallbackId),
            (int(view.ClientId.UniqueProcess), int(view.ClientId.UniqueThread)),
            place,
        )

    def size(self, thread: Thread, value: int = PORT_MESSAGE.size + ROOM) -> int:
        """A SIZE_T."""
        return self.put(thread, value.to_bytes(8, "little"))

    def port_attributes(self, thread: Thread, **fields: int) -> int:
        """ALPC_PORT_ATTRIBUTES; Level, Dynamic and EffectiveOnly are those of its quality of service."""
        view = ALPC_PORT_ATTRIBUTES(thread.memory, self.room(thread, ALPC_PORT_ATTRIBUTES.size))
        quality = view.SecurityQos
        quality.Length = 12
        quality.ImpersonationLevel = fields.pop("Level", 2)
        quality.ContextTrackingMode = fields.pop("Dynamic", 0)
        quality.EffectiveOnly = fields.pop("EffectiveOnly", 0)
        for name, value in {**PORT_DEFAULTS, **fields}.items():
            setattr(view, name, value)
        return view.address

    def carrying(self, thread: Thread, allocated: int, valid: int = 0) -> Buffer:
        """An ALPC_MESSAGE_ATTRIBUTES with room for these."""
        place = self.room(thread, 0x100)
        view = ALPC_MESSAGE_ATTRIBUTES(thread.memory, place)
        view.AllocatedAttributes, view.ValidAttributes = allocated, valid
        return Buffer(thread.memory, place)

    # ------------------------------------------------------------ calls

    def serve(self, thread: Thread, name: str = NAME, limits: dict[str, int] | None = None) -> int:
        """A connection port."""
        return self.handle_of(
            thread, "NtAlpcCreatePort", self.attributes(thread, name), self.port_attributes(thread, **(limits or {}))
        )

    async def connect(
        self,
        thread: Thread,
        name: str = NAME,
        data: bytes = b"",
        *,
        timeout: int = 0,
        sid: bytes = b"",
        limits: dict[str, int] | None = None,
    ) -> tuple[int, int, Seen]:
        """(status, handle, what the server said)."""
        place, message = self.room(thread, 8), self.message(thread, data)
        mine = self.port_attributes(thread, **(limits or {}))
        status = await self.call_async(
            thread, "NtAlpcConnectPort", place, self.string(thread, name), 0, mine, SYNC,
            self.put(thread, sid) if sid else 0, message, self.size(thread), 0, 0,
            self.large(thread, timeout) if timeout else 0,
        )  # fmt: skip
        return status, self.integer(thread, place), self.read(thread, message)

    async def exchange(
        self,
        thread: Thread,
        port: int,
        flags: int = 0,
        send: int = 0,
        *,
        sent: Buffer | None = None,
        wanted: Buffer | None = None,
        receive: bool = True,
        room: int = PORT_MESSAGE.size + ROOM,
        timeout: int | None = None,
    ) -> tuple[int, Seen]:
        """NtAlpcSendWaitReceivePort: the status and what was received."""
        place, length = self.room(thread, PORT_MESSAGE.size + ROOM), self.size(thread, room)
        status = await self.call_async(
            thread, "NtAlpcSendWaitReceivePort", port, flags, send, sent.address if sent else 0,
            place if receive else 0, length if receive else 0, wanted.address if wanted else 0,
            0 if timeout is None else self.large(thread, timeout),
        )  # fmt: skip
        return status, self.read(thread, place)

    def accept(
        self, thread: Thread, port: int, asked: Seen, data: bytes = b"", *, yes: bool = True, context: int = 0
    ) -> tuple[int, int]:
        """NtAlpcAcceptConnectPort: the status and the communication port."""
        place = self.room(thread, 8)
        status = self.call(
            thread,
            "NtAlpcAcceptConnectPort",
            place,
            port,
            0,
            0,
            0,
            context,
            self.reply(thread, asked, data),
            0,
            int(yes),
        )
        return status, self.integer(thread, place)

    def connected(self, server: Thread, client: Thread, **fields: int) -> tuple[int, int, int]:
        """(connection port, server's port, client's port); fields with an `s` before are the server's."""
        listening = {name[1:]: fields.pop(name) for name in list(fields) if name[0] == "s"}
        port = self.serve(server, limits=listening)
        set_sddl(self.port(server, port), "O:SYG:SYD:(A;;GA;;;WD)")
        handles: list[int] = []

        async def ask() -> None:
            status, handle, _ = await self.connect(client, limits=fields)
            assert status == 0, hex(status)
            handles.append(handle)

        async def answer() -> None:
            _, asked = await self.exchange(server, port)
            handles.append(self.accept(server, port, asked, context=0x5E)[1])

        self.start(client, ask())
        self.start(server, answer())
        self.run()
        return port, handles[0], handles[1]

    def port(self, thread: Thread, handle: int) -> Port:
        """The port object behind a handle."""
        found = ob.by_handle(thread, handle, 0)
        assert isinstance(found, Port)
        return found

    def blocks(self) -> int:
        """Pool blocks in use."""
        return sum(usage.allocations - usage.frees for _, _, usage in self.kernel.pool.tags())  # type: ignore[attr-defined]

    def objects(self) -> int:
        """Kernel objects."""
        return len(self.kernel[ObjectManager].objects)


@pytest.fixture
def talk() -> Iterator[Talk]:
    """A fresh kernel."""
    made = Talk()
    yield made
    for thread in made.kernel.threads.values():
        if thread.coroutine is not None:
            thread.coroutine.close()
            thread.coroutine = None
    for coroutine in made.started:
        coroutine.close()
    made.platform.close()


@pytest.fixture
def server(talk: Talk) -> Thread:
    """A thread of SYSTEM's."""
    return talk.thread(talk.process())


@pytest.fixture
def client(talk: Talk) -> Thread:
    """A thread of another process of SYSTEM's."""
    return talk.thread(talk.process())
