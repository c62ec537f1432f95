"""The service's port: calls come in pieces, and are answered one by one."""

from __future__ import annotations

import json

from ntos.abi import alpc as lpc
from ntos.abi.lsa import SECLOGON_PORT
from ntos.abi.status import NtError
from ntos.abi.types import DWORD, PVOID
from ntos.dll.seclogon.create import Client, create
from ntos.rtl import marshal
from ntos.um import alpc, nt
from ntos.um.export import dos_error, export
from ntos.um.thread import UserThread


@export
async def SvcEntry_Seclogon(thread: UserThread, dwArgc: DWORD, lpszArgv: PVOID) -> None:
    """ServiceMain: answer for ever."""
    port = await alpc.create_port(thread, SECLOGON_PORT)
    clients: dict[int, Client] = {}
    with thread.frame() as frame:
        talk = alpc.Server(thread, port, frame)
        request, answer = None, b""
        while True:
            arrived = await talk.receive(request, answer)
            request, answer = None, b""
            if arrived.kind == lpc.LPC_CONNECTION_REQUEST:
                number = max(clients, default=0) + 1
                clients[number] = Client(talk, talk.accept(arrived, number))
            elif arrived.kind == lpc.LPC_PORT_CLOSED:
                nt.NtClose(thread, clients.pop(arrived.context).port)
            elif arrived.kind == lpc.LPC_REQUEST:
                request, answer = arrived, await _serve(thread, clients[arrived.context], arrived)


async def _serve(thread: UserThread, client: Client, request: alpc.Received) -> bytes:
    """Keep a piece, or do what the whole call asks; the answer says how it went."""
    client.said += request.data[1:]
    if request.data[:1] == b"\1":
        return b""
    client.request, said, client.said = request, client.said, b""
    try:
        made = await create(thread, client, said)
    except NtError as error:
        why = error.because
        rule, inputs, flip = (why.rule, dict(why.inputs), why.flip) if why is not None else ("", {}, "")
        told = json.dumps(inputs, default=str)
        return marshal.pack(dos_error(error), 0, 0, 0, 0, rule, told, flip)
    return marshal.pack(0, *made, "", "{}", "")
