"""The calls of NT 3.1 on a connection: requests, replies and datagrams of at most a few hundred bytes.

They are the same messages; a reply always ends the conversation, and types carry no continuation bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import access as rights
from ntos.abi.alpc import ALPC_MAXIMUM_MESSAGE_LENGTH, LPC_DATAGRAM, LPC_REPLY, LPC_REQUEST, LPC_TYPE_MASK
from ntos.abi.layout.alpc import PORT_MESSAGE
from ntos.abi.layout.alpc_api import PORT_DATA_ENTRY
from ntos.abi.pointer import In, Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import HANDLE, LARGE_INTEGER, NTSTATUS, PVOID, SIZE_T, ULONG
from ntos.ex.handle import CidTable
from ntos.ke.service import service
from ntos.lpc import security
from ntos.lpc.attributes import port_context
from ntos.lpc.exchange import answer, deliver, limit_of, request, send
from ntos.lpc.message import HEADER, Message, Said, capture, lookup
from ntos.lpc.port import ALPC_PORT_TYPE, Port, port_by_handle
from ntos.lpc.queue import receive, wait_answer

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

ENTRIES = 8
"""Where the entries begin in PORT_DATA_INFORMATION."""


@service
def NtRequestPort(thread: Thread, PortHandle: HANDLE, RequestMessage: In[PORT_MESSAGE]) -> NTSTATUS:
    """Send a datagram."""
    port = port_by_handle(thread, PortHandle)
    send(thread, port, capture(thread.memory, RequestMessage, limit_of(port)), LPC_DATAGRAM)
    return STATUS.SUCCESS


@service
async def NtRequestWaitReplyPort(
    thread: Thread, PortHandle: HANDLE, RequestMessage: In[PORT_MESSAGE], ReplyMessage: Out[PORT_MESSAGE]
) -> NTSTATUS:
    """Send a request and wait for its reply; one of type LPC_REQUEST calls the client back while it waits."""
    with ob.referenced(thread, PortHandle, rights.PORT_CONNECT, ALPC_PORT_TYPE) as port:
        said = capture(thread.memory, RequestMessage, limit_of(port))
        if said.type & LPC_TYPE_MASK != LPC_REQUEST:
            said = said._replace(id=0)
        message = request(thread, port, said)
        return await _reply_for(thread, port, message, ReplyMessage.address)


async def _reply_for(thread: Thread, port: Port, message: Message, place: int) -> NTSTATUS:
    status, answered = await wait_answer(thread, message, None, alertable=False)
    if answered is not None:
        deliver(thread, port, answered, place)
    return status


@service
def NtReplyPort(thread: Thread, PortHandle: HANDLE, ReplyMessage: In[PORT_MESSAGE]) -> NTSTATUS:
    """Answer a request that was received."""
    _reply(thread, port_by_handle(thread, PortHandle), ReplyMessage)
    return STATUS.SUCCESS


def _reply(thread: Thread, port: Port, reply: PORT_MESSAGE) -> None:
    answer(thread, port, capture(thread.memory, reply, limit_of(port)), LPC_REPLY, release=True)


@service
async def NtReplyWaitReplyPort(thread: Thread, PortHandle: HANDLE, ReplyMessage: In[PORT_MESSAGE]) -> NTSTATUS:
    """Answer the server's callback, and wait for the reply to the request it was made for."""
    with ob.referenced(thread, PortHandle, rights.PORT_CONNECT, ALPC_PORT_TYPE) as port:
        said: Said = capture(thread.memory, ReplyMessage, limit_of(port))
        message = answer(thread, port, said, LPC_REPLY, release=False, wait=True)
        return await _reply_for(thread, port, message, ReplyMessage.address)


@service
async def NtReplyWaitReceivePort(
    thread: Thread,
    PortHandle: HANDLE,
    PortContext: Out[PVOID] | None,
    ReplyMessage: In[PORT_MESSAGE] | None,
    ReceiveMessage: Out[PORT_MESSAGE],
) -> NTSTATUS:
    """Answer a request, if there is one to answer, and wait for the next message."""
    return await _reply_and_receive(thread, PortHandle, PortContext, ReplyMessage, ReceiveMessage.address, None)


@service
async def NtReplyWaitReceivePortEx(
    thread: Thread,
    PortHandle: HANDLE,
    PortContext: Out[PVOID] | None,
    ReplyMessage: In[PORT_MESSAGE] | None,
    ReceiveMessage: Out[PORT_MESSAGE],
    Timeout: In[LARGE_INTEGER] | None,
) -> NTSTATUS:
    """The same, for a limited time."""
    return await _reply_and_receive(thread, PortHandle, PortContext, ReplyMessage, ReceiveMessage.address, Timeout)


async def _reply_and_receive(
    thread: Thread,
    handle: int,
    context: Out[PVOID] | None,
    reply: PORT_MESSAGE | None,
    place: int,
    timeout: int | None,
) -> NTSTATUS:
    with ob.referenced(thread, handle, rights.PORT_CONNECT, ALPC_PORT_TYPE) as port:
        if reply is not None:
            _reply(thread, port, reply)
        found = await receive(port.queue_port, thread, ALPC_MAXIMUM_MESSAGE_LENGTH, timeout, alertable=False)
        if not isinstance(found, Message):
            return found
        if context is not None:
            context.write(port_context(port, found))
        deliver(thread, port, found, place)
        return STATUS.SUCCESS


@service
def NtImpersonateClientOfPort(thread: Thread, PortHandle: HANDLE, Message: In[PORT_MESSAGE]) -> NTSTATUS:
    """Act for the sender of a received request."""
    security.impersonate_client(thread, lookup(port_by_handle(thread, PortHandle), Message))
    return STATUS.SUCCESS


# ---------------------------------------------------------------- the client's buffers


def _entry(thread: Thread, port: Port, said: PORT_MESSAGE, index: int, size: int) -> tuple[Process, int]:
    """The client, and where its buffer is that the request names by this index."""
    message = lookup(port, said)
    offset = int(message.view.PortMessage.u2.s2.DataInfoOffset) - HEADER
    data = message.data
    if offset < 0 or offset + ENTRIES > len(data):
        raise NtError(STATUS.INVALID_PARAMETER)
    count = int.from_bytes(data[offset : offset + 4], "little")
    start = offset + ENTRIES + index * PORT_DATA_ENTRY.size
    if index >= count or start + PORT_DATA_ENTRY.size > len(data):
        raise NtError(STATUS.INVALID_PARAMETER)
    entry = PORT_DATA_ENTRY.parse(data[start : start + PORT_DATA_ENTRY.size])
    if size > int(entry.Size):
        raise NtError(STATUS.INVALID_PARAMETER)
    process = thread.kernel.processes.get(thread.kernel[CidTable].find(message.client[0]))
    if process is None or not process.threads:
        raise NtError(STATUS.INVALID_CID)
    return process, int(entry.Base)


@service
def NtReadRequestData(
    thread: Thread,
    PortHandle: HANDLE,
    Message: In[PORT_MESSAGE],
    DataEntryIndex: ULONG,
    Buffer: PVOID,
    BufferSize: SIZE_T,
    NumberOfBytesRead: Out[SIZE_T] | None,
) -> NTSTATUS:
    """Read from a buffer of the client's that its request names."""
    process, base = _entry(thread, port_by_handle(thread, PortHandle), Message, DataEntryIndex, BufferSize)
    thread.memory.write(Buffer, process.memory.read(base, BufferSize))
    if NumberOfBytesRead is not None:
        NumberOfBytesRead.write(BufferSize)
    return STATUS.SUCCESS


@service
def NtWriteRequestData(
    thread: Thread,
    PortHandle: HANDLE,
    Message: In[PORT_MESSAGE],
    DataEntryIndex: ULONG,
    Buffer: PVOID,
    BufferSize: SIZE_T,
    NumberOfBytesWritten: Out[SIZE_T] | None,
) -> NTSTATUS:
    """Write to a buffer of the client's that its request names."""
    process, base = _entry(thread, port_by_handle(thread, PortHandle), Message, DataEntryIndex, BufferSize)
    process.memory.write(base, thread.memory.read(Buffer, BufferSize))
    if NumberOfBytesWritten is not None:
        NumberOfBytesWritten.write(BufferSize)
    return STATUS.SUCCESS


@service
def NtQueryInformationPort(
    thread: Thread,
    PortHandle: HANDLE,
    PortInformationClass: ULONG,
    PortInformation: PVOID,
    Length: ULONG,
    ReturnLength: Out[ULONG] | None,
) -> NTSTATUS:
    """Nothing is known under any class, as in NT."""
    port_by_handle(thread, PortHandle)
    raise NtError(STATUS.INVALID_INFO_CLASS)
