"""The Sb port, by which the session manager introduces a session's first program."""

from __future__ import annotations

from ntos.abi import alpc as lpc
from ntos.abi.access import PROCESS_DUP_HANDLE
from ntos.abi.layout.api import RTL_USER_PROCESS_INFORMATION
from ntos.abi.status import STATUS
from ntos.abi.types import NTSTATUS, PVOID
from ntos.dll.csrsrv.clients import Clients
from ntos.dll.csrsrv.server import Server
from ntos.um import alpc, nt
from ntos.um.export import export
from ntos.um.handles import open_process, take_handle
from ntos.um.thread import UserThread


@export
async def CsrSbApiRequestThread(thread: UserThread, Parameter: PVOID) -> NTSTATUS:
    """Answer the session manager until it hangs up."""
    with thread.frame() as frame:
        talk = alpc.Server(thread, thread.state(Server).sb_port, frame)
        arrived = await talk.receive()
        while arrived.kind != lpc.LPC_PORT_CLOSED:
            if arrived.kind == lpc.LPC_CONNECTION_REQUEST:
                talk.accept(arrived)
                arrived = await talk.receive()
            else:
                await _introduce(thread, arrived)
                arrived = await talk.receive(arrived, bytes(8))
    return STATUS.SUCCESS


async def _introduce(thread: UserThread, request: alpc.Received) -> None:
    """SbCreateSession: the session's first program becomes a client."""
    made = RTL_USER_PROCESS_INFORMATION.parse(request.data[8:])
    sender = open_process(thread, request.client[0], PROCESS_DUP_HANDLE)
    process = take_handle(thread, sender, int(made.ProcessHandle))
    first = take_handle(thread, sender, int(made.ThreadHandle))
    nt.NtClose(thread, sender)
    ids = int(made.ClientId.UniqueProcess), int(made.ClientId.UniqueThread)
    await thread.state(Clients).add_process(thread, ids, process, first, 0, 0)
