"""The API port: csrss's beginning, and the loop that answers its clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi import alpc as lpc
from ntos.abi import csr
from ntos.abi.layout.csr import CSR_API_HEADER, CSR_PROCESS
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.ob import CURRENT_PROCESS
from ntos.abi.pointer import Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import CHAR, NTSTATUS, PVOID, ULONG
from ntos.dll.csrsrv.clients import Clients
from ntos.um import alpc, nt
from ntos.um.export import export
from ntos.um.modules import find_export
from ntos.um.ntdll import rtl_status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ntos.um.thread import UserThread

EVENT_MODIFY_STATE = 2


@dataclass(slots=True)
class Call:
    """A client's message, for the server DLL it is meant for."""

    clients: Clients
    process: CSR_PROCESS
    """The client."""
    client: tuple[int, int]
    arguments: bytes


class Server:
    """What csrss serves: `thread.state(Server)`."""

    def __init__(self) -> None:
        self.handlers: dict[int, Callable[[UserThread, Call], Awaitable[bytes]]] = {}
        """By API number; server DLLs put theirs here when they are loaded."""
        self.api_port = self.sb_port = 0


@export
async def CsrServerInitialization(thread: UserThread, ArgumentCount: ULONG, Arguments: Ptr[Ptr[CHAR]]) -> NTSTATUS:
    """Ports, root process, server DLLs, threads; then tell the session manager."""
    server, clients = thread.state(Server), thread.state(Clients)
    session = int(thread.peb.SessionId)
    directory = csr.directory_of(session)
    server.api_port = await alpc.create_port(thread, f"{directory}\\{csr.API_PORT}")
    server.sb_port = await alpc.create_port(thread, f"{directory}\\{csr.SB_API_PORT}", alpc.SYSTEM_ONLY)
    await clients.prepare(thread, session, server.api_port)
    await _load_server_dlls(thread)
    for routine in ("CsrApiRequestThread", "CsrSbApiRequestThread"):
        await _start_thread(thread, routine)
    await alpc.connect(thread, csr.SM_API_PORT, session.to_bytes(4, "little"))
    _announce(thread)
    return STATUS.SUCCESS


async def _load_server_dlls(thread: UserThread) -> None:
    """`ServerDll=name[:routine],index` of the command line; those this build has no image of are passed over."""
    parameters = RTL_USER_PROCESS_PARAMETERS(thread.memory, int(thread.peb.ProcessParameters))
    words = [word.removeprefix("ServerDll=") for word in parameters.CommandLine.text.split() if "ServerDll=" in word]
    for word in words:
        name = word.partition(",")[0].partition(":")[0]
        if name not in SERVED:
            continue
        with thread.frame() as frame:
            await rtl_status(thread, "LdrLoadDll", 0, 0, frame.unicode_string(f"{name}.dll"), frame.allocate(8))
        await thread.call(find_export(thread, f"{name}.dll", "ServerDllInitialization"), 0)


SERVED = ("basesrv",)
"""Server DLLs that exist here: winsrv's windows are the kernel's, sxssrv's manifests are read by nobody yet."""


async def _start_thread(thread: UserThread, routine: str) -> None:
    with thread.frame() as frame:
        handle = frame.allocate(8)
        begin = find_export(thread, "csrsrv.dll", routine)
        await rtl_status(thread, "RtlCreateUserThread", CURRENT_PROCESS, 0, 0, 0, 0, 0, begin, 0, handle, 0)
        nt.NtClose(thread, int.from_bytes(thread.memory.read(handle, 8), "little"))


def _announce(thread: UserThread) -> None:
    with thread.frame() as frame:
        handle = frame.allocate(8)
        nt.NtOpenEvent(thread, handle, EVENT_MODIFY_STATE, alpc.object_attributes(frame, csr.SESSION_READY))
        event = int.from_bytes(thread.memory.read(handle, 8), "little")
        nt.NtSetEvent(thread, event, 0)
        nt.NtClose(thread, event)


@export
async def CsrApiRequestThread(thread: UserThread, Parameter: PVOID) -> NTSTATUS:
    """Answer clients: connections, calls, and the news that one has gone."""
    server, clients = thread.state(Server), thread.state(Clients)
    with thread.frame() as frame:
        talk = alpc.Server(thread, server.api_port, frame)
        request, answer = None, b""
        while True:
            arrived = await talk.receive(request, answer)
            request, answer = None, b""
            match arrived.kind:
                case lpc.LPC_CONNECTION_REQUEST:
                    _connect(thread, talk, clients, arrived)
                case lpc.LPC_CLIENT_DIED:
                    await clients.remove_thread(thread, arrived.client)
                case lpc.LPC_REQUEST:
                    request, answer = arrived, await _serve(thread, server, clients, arrived)
                case _:
                    pass


def _connect(thread: UserThread, talk: alpc.Server, clients: Clients, request: alpc.Received) -> None:
    """Only whom the creator has announced may connect (CsrApiHandleConnectionRequest)."""
    process = clients.find(thread, request.client[0])
    if process is None or int(process.ClientPort):
        talk.accept(request, accepted=False)
        return
    own = int(thread.teb.ClientId.UniqueProcess)
    process.ClientPort = talk.accept(request, process.address, own.to_bytes(8, "little"))


async def _serve(thread: UserThread, server: Server, clients: Clients, request: alpc.Received) -> bytes:
    """One call: its answer, with the status in the header."""
    header = CSR_API_HEADER.parse(request.data[: CSR_API_HEADER.size].ljust(CSR_API_HEADER.size, b"\0"))
    handler = server.handlers.get(int(header.ApiNumber))
    process = clients.find(thread, request.client[0])
    body = request.data[CSR_API_HEADER.size :]
    try:
        if handler is None or process is None:
            raise NtError(STATUS.ILLEGAL_FUNCTION)
        body = await handler(thread, Call(clients, process, request.client, body))
        header.ReturnValue = 0
    except NtError as error:
        header.ReturnValue = int(error.status) - (1 << 32) if int(error.status) >> 31 else int(error.status)
    return bytes(header) + body
