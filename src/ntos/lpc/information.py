"""What can be asked of ports and messages, and set: contexts, completion ports, senders, cancelling, impersonating."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ntos import ob
from ntos.abi import access as rights
from ntos.abi import alpc
from ntos.abi.layout.alpc import ALPC_PORT_ATTRIBUTES, PORT_MESSAGE
from ntos.abi.layout.alpc_api import (
    ALPC_BASIC_INFORMATION,
    ALPC_CONTEXT_ATTR,
    ALPC_MESSAGE_HANDLE_INFORMATION,
    ALPC_PORT_ASSOCIATE_COMPLETION_PORT,
    ALPC_SECURITY_ATTR,
    ALPC_SERVER_SESSION_INFORMATION,
)
from ntos.abi.layout.alpc_parts import KALPC_RESERVE
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.pointer import In, Out, Ptr
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import ACCESS_MASK, HANDLE, NTSTATUS, PVOID, SIZE_T, ULONG
from ntos.ex.handle import CidTable
from ntos.ke.service import service
from ntos.lpc import attributes, security
from ntos.lpc.message import MAIN, PENDING, MessageTable, lookup
from ntos.lpc.port import CONNECTION, Port, check_attributes, port_by_handle
from ntos.lpc.queue import abandon_waiter, cancel
from ntos.lpc.security import SecurityData
from ntos.ob import answer
from ntos.ob.manager import ObjectManager
from ntos.se import token as tokens

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

BASIC, PORT_ATTRIBUTES, COMPLETION, CONNECTED_SID = 0, 1, 2, 3
SERVER_SESSION = 12
MESSAGE_SID, MESSAGE_TOKEN_MODIFIED, MESSAGE_HANDLE = 0, 1, 3
RESERVE_TAG = b"AlRe"


@service(partial="basic, connected-SID and server-session information only")
def NtAlpcQueryInformation(
    thread: Thread,
    PortHandle: HANDLE,
    PortInformationClass: ULONG,
    PortInformation: PVOID,
    Length: ULONG,
    ReturnLength: Out[ULONG] | None,
) -> NTSTATUS:
    """What a port is and whom it is connected to."""
    port = port_by_handle(thread, PortHandle)
    if PortInformationClass == BASIC:
        basic = ALPC_BASIC_INFORMATION.new()
        basic.Flags, basic.SequenceNo = port.flags, int(port.view.SequenceNo)
        basic.PortContext = int(port.view.PortContext)
        return answer.exact(thread, PortInformation, Length, basic, ReturnLength)
    if PortInformationClass == CONNECTED_SID:
        return _compare_sid(thread, port, PortInformation)
    if PortInformationClass == SERVER_SESSION:
        owner = port.link.connection.owner
        session = ALPC_SERVER_SESSION_INFORMATION.new()
        session.SessionId, session.ProcessId = tokens.primary_token(owner).session, owner.id
        return answer.exact(thread, PortInformation, Length, session, ReturnLength)
    raise NtError(STATUS.INVALID_INFO_CLASS)


def _compare_sid(thread: Thread, port: Port, address: int) -> NTSTATUS:
    if port.kind == CONNECTION:
        raise NtError(STATUS.INVALID_PARAMETER)
    head = thread.memory.read(address, 8)
    security.check_server(port.link.connection, head + thread.memory.read(address + 8, 4 * head[1]))
    return STATUS.SUCCESS


@service(partial="port attributes and completion ports only: no completion lists, no message zones")
def NtAlpcSetInformation(
    thread: Thread, PortHandle: HANDLE, PortInformationClass: ULONG, PortInformation: PVOID, Length: ULONG
) -> NTSTATUS:
    """Change a port's attributes, or let a completion port know of its messages."""
    port = port_by_handle(thread, PortHandle)
    if PortInformationClass == PORT_ATTRIBUTES:
        changed = ALPC_PORT_ATTRIBUTES.parse(_exactly(thread, PortInformation, Length, ALPC_PORT_ATTRIBUTES.size))
        check_attributes(changed)
        changed.Flags = int(changed.Flags) & ~alpc.ALPC_PORFLG_WAITABLE_PORT | (
            port.flags & alpc.ALPC_PORFLG_WAITABLE_PORT
        )
        port.view.PortAttributes.assign(changed)
        return STATUS.SUCCESS
    if PortInformationClass != COMPLETION:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    size = ALPC_PORT_ASSOCIATE_COMPLETION_PORT.size
    said = ALPC_PORT_ASSOCIATE_COMPLETION_PORT.parse(_exactly(thread, PortInformation, Length, size))
    _associate(thread, port, said)
    return STATUS.SUCCESS


def _exactly(thread: Thread, address: int, length: int, size: int) -> bytes:
    if length != size:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    return thread.memory.read(address, size)


def _associate(thread: Thread, port: Port, said: ALPC_PORT_ASSOCIATE_COMPLETION_PORT) -> None:
    """Packets with that key from now on, and one for each message that waits already."""
    kind = thread.kernel[ObjectManager].find_type("IoCompletion")
    found = None
    if said.CompletionPort:
        found = ob.by_handle(thread, said.CompletionPort, rights.IO_COMPLETION_MODIFY_STATE, kind)
        ob.reference(found)
    if port.completion_object is not None:
        ob.dereference(port.completion_object)
    port.completion = port.completion_object = found
    port.view.CompletionPort = found.address if found is not None else 0
    port.view.CompletionKey = int(said.CompletionKey)
    if port.completion is not None:
        for _ in range(int(port.view.MainQueueLength)):
            port.completion.post(int(said.CompletionKey), int(port.view.PortContext), STATUS.SUCCESS, 0)


@service(partial="the sender's SID, its token's ModifiedId, and handles that came with a message")
def NtAlpcQueryInformationMessage(
    thread: Thread,
    PortHandle: HANDLE,
    PortMessage: In[PORT_MESSAGE],
    MessageInformationClass: ULONG,
    MessageInformation: PVOID,
    Length: ULONG,
    ReturnLength: Out[ULONG] | None,
) -> NTSTATUS:
    """What is known of a received message besides its bytes."""
    message = lookup(port_by_handle(thread, PortHandle), PortMessage)
    if MessageInformationClass == MESSAGE_HANDLE:
        return _handle_information(thread, message.given, MessageInformation, Length, ReturnLength)
    if MessageInformationClass not in {MESSAGE_SID, MESSAGE_TOKEN_MODIFIED}:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    data = security.of_message(message)
    if data is None:
        raise NtError(STATUS.CANNOT_IMPERSONATE)
    if MessageInformationClass == MESSAGE_SID:
        known = data.token.claims.user
    else:
        known = attributes.modified_id(data).to_bytes(8, "little")
    return answer.variable(thread, MessageInformation, Length, known, ReturnLength, STATUS.BUFFER_TOO_SMALL)


def _handle_information(
    thread: Thread, given: list[tuple[int, int, int]], place: int, length: int, returned: Out[ULONG] | None
) -> NTSTATUS:
    size = ALPC_MESSAGE_HANDLE_INFORMATION.size
    said = ALPC_MESSAGE_HANDLE_INFORMATION.parse(_exactly(thread, place, length, size))
    if said.Index >= len(given):
        raise NtError(STATUS.INVALID_PARAMETER)
    said.Handle, said.ObjectType, said.GrantedAccess = given[said.Index]
    return answer.exact(thread, place, length, said, returned)


# ---------------------------------------------------------------- senders


def _sender(thread: Thread, port_handle: int, said: PORT_MESSAGE, kind: str) -> Any:
    message = lookup(port_by_handle(thread, port_handle), said)
    process, sender = message.client
    address = thread.kernel[CidTable].find(process if kind == "Process" else sender)
    living = thread.kernel.processes if kind == "Process" else thread.kernel.threads
    if address not in living:
        raise NtError(STATUS.INVALID_CID)
    return living[address]


@service
def NtAlpcOpenSenderProcess(
    thread: Thread,
    ProcessHandle: Out[HANDLE],
    PortHandle: HANDLE,
    PortMessage: In[PORT_MESSAGE],
    Flags: ULONG,
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES],
) -> NTSTATUS:
    """A handle to the process a received message came from."""
    said = ob.capture(ObjectAttributes)
    found = _sender(thread, PortHandle, PortMessage, "Process")
    ProcessHandle.write(ob.open_by_pointer(thread, found, DesiredAccess, said.flags))
    return STATUS.SUCCESS


@service
def NtAlpcOpenSenderThread(
    thread: Thread,
    ThreadHandle: Out[HANDLE],
    PortHandle: HANDLE,
    PortMessage: In[PORT_MESSAGE],
    Flags: ULONG,
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES],
) -> NTSTATUS:
    """A handle to the thread a received message came from."""
    said = ob.capture(ObjectAttributes)
    found = _sender(thread, PortHandle, PortMessage, "Thread")
    ThreadHandle.write(ob.open_by_pointer(thread, found, DesiredAccess, said.flags))
    return STATUS.SUCCESS


@service
def NtAlpcImpersonateClientOfPort(
    thread: Thread, PortHandle: HANDLE, Message: In[PORT_MESSAGE], Flags: ULONG
) -> NTSTATUS:
    """Act for the sender of a received message, as far as it lets the server."""
    security.impersonate_client(thread, lookup(port_by_handle(thread, PortHandle), Message), Flags)
    return STATUS.SUCCESS


@service(partial="a server is not sent a message about it")
def NtAlpcCancelMessage(
    thread: Thread, PortHandle: HANDLE, Flags: ULONG, MessageContext: In[ALPC_CONTEXT_ATTR]
) -> NTSTATUS:
    """Take back a message this port sent. MESSAGE_RETRIEVED where TRY_CANCEL comes too late."""
    port = port_by_handle(thread, PortHandle)
    message = thread.kernel.part(MessageTable).by_id.get(int(MessageContext.MessageId))
    if message is None or message.owner is not port or message.queue not in {MAIN, PENDING}:
        raise NtError(STATUS.MESSAGE_NOT_FOUND)
    if not Flags & alpc.ALPC_CANCELFLG_NO_CONTEXT_CHECK:
        known = attributes.context_of(port, message)
        if MessageContext.MessageContext != known:
            raise NtError(
                STATUS.CONTEXT_MISMATCH,
                because=Denied(
                    "a message is cancelled by the context it was sent with",
                    {"MessageContext": f"0x{int(MessageContext.MessageContext):X}", "sent with": f"0x{known:X}"},
                    "pass the context attribute of the send, or ALPC_CANCELFLG_NO_CONTEXT_CHECK",
                ),
            )
    if message.queue == PENDING and Flags & alpc.ALPC_CANCELFLG_TRY_CANCEL:
        return STATUS.MESSAGE_RETRIEVED
    abandon_waiter(message, STATUS.REQUEST_CANCELED)
    cancel(message)
    return STATUS.SUCCESS


# ---------------------------------------------------------------- security contexts


@service
def NtAlpcCreateSecurityContext(
    thread: Thread, PortHandle: HANDLE, Flags: ULONG, SecurityAttribute: Ptr[ALPC_SECURITY_ATTR]
) -> NTSTATUS:
    """Capture the caller as a context that messages can name; ContextHandle comes back."""
    port = port_by_handle(thread, PortHandle)
    said = ALPC_SECURITY_ATTR.parse(SecurityAttribute.read_bytes(ALPC_SECURITY_ATTR.size))
    if Flags or said.Flags:
        raise NtError(STATUS.INVALID_PARAMETER)
    quality = security.read_quality(thread.memory, int(said.QoS))
    made = attributes.create_context(thread, port, quality)
    SecurityAttribute.read().ContextHandle = int(made.view.ContextHandle)
    return STATUS.SUCCESS


@service
def NtAlpcDeleteSecurityContext(thread: Thread, PortHandle: HANDLE, Flags: ULONG, ContextHandle: HANDLE) -> NTSTATUS:
    """Close a context's handle; messages that carry it keep it."""
    port = port_by_handle(thread, PortHandle)
    if Flags:
        raise NtError(STATUS.INVALID_PARAMETER)
    port.link.handles.find(ContextHandle, SecurityData).delete()
    return STATUS.SUCCESS


@service
def NtAlpcRevokeSecurityContext(thread: Thread, PortHandle: HANDLE, Flags: ULONG, ContextHandle: HANDLE) -> NTSTATUS:
    """Let nobody impersonate by this context any more, also by messages that are on their way."""
    port = port_by_handle(thread, PortHandle)
    if Flags:
        raise NtError(STATUS.INVALID_PARAMETER)
    port.link.handles.find(ContextHandle, SecurityData).view.Revoked = 1
    return STATUS.SUCCESS


# ---------------------------------------------------------------- reserves


class Reserve:
    """KALPC_RESERVE at `address`: room for one message."""

    def __init__(self, port: Port, size: int) -> None:
        self.kernel = port.kernel
        self.port = port
        self.address = self.kernel.pool.allocate(KALPC_RESERVE.size + size, RESERVE_TAG, paged=True)
        view = KALPC_RESERVE(self.kernel.memory, self.address)
        self.handle = port.link.handles.insert(self)
        view.OwnerPort, view.Handle, view.Size = port.address, self.handle, size
        view.HandleTable = port.link.view.HandleTable.address
        port.owned.append(self)

    def delete(self) -> None:
        """Give the room back."""
        self.port.link.handles.remove(self.handle)
        self.port.owned.remove(self)
        self.kernel.pool.free(self.address)


@service(partial="the room is held, but messages do not draw on it")
def NtAlpcCreateResourceReserve(
    thread: Thread, PortHandle: HANDLE, Flags: ULONG, MessageSize: SIZE_T, ResourceId: Out[ULONG]
) -> NTSTATUS:
    """Set pool aside for a message of that size."""
    port = port_by_handle(thread, PortHandle)
    if Flags or not 0 < MessageSize <= alpc.ALPC_MAXIMUM_MESSAGE_LENGTH:
        raise NtError(STATUS.INVALID_PARAMETER)
    ResourceId.write(Reserve(port, MessageSize).handle)
    return STATUS.SUCCESS


@service
def NtAlpcDeleteResourceReserve(thread: Thread, PortHandle: HANDLE, Flags: ULONG, ResourceId: ULONG) -> NTSTATUS:
    """Give a reserve back."""
    port = port_by_handle(thread, PortHandle)
    if Flags:
        raise NtError(STATUS.INVALID_PARAMETER)
    port.link.handles.find(ResourceId, Reserve).delete()
    return STATUS.SUCCESS
