"""Sending, answering and receiving through a port (NtAlpcSendWaitReceivePort), and what legacy calls make of it.

A message with id 0 is new; one with an id goes on with a conversation: it is the answer to what was received under
that id. A request waits for its answer (SYNC_REQUEST) or finds it later in its own port's queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import alpc
from ntos.abi.access import PORT_CONNECT
from ntos.abi.alpc import LPC_DATAGRAM, LPC_NO_IMPERSONATE, LPC_REPLY, LPC_REQUEST
from ntos.abi.layout.alpc import PORT_MESSAGE
from ntos.abi.pointer import In, Ptr
from ntos.abi.status import STATUS, Denied, GuestFault, NtError
from ntos.abi.types import HANDLE, LARGE_INTEGER, NTSTATUS, PVOID, SIZE_T, ULONG
from ntos.ke.service import service
from ntos.lpc import attributes, security
from ntos.lpc.attributes import Buffer, attributes_at
from ntos.lpc.message import CANCELED, LARGE, PENDING, Message, Said, capture, client_id, lookup
from ntos.lpc.port import ALPC_PORT_TYPE, CLIENT, CONNECTION, Port
from ntos.lpc.queue import answer_waiter, begin_wait, dispatch, receive, wait_answer

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

FLAGS = (
    alpc.ALPC_MSGFLG_REPLY_MESSAGE | alpc.ALPC_MSGFLG_LPC_MODE | alpc.ALPC_MSGFLG_RELEASE_MESSAGE
    | alpc.ALPC_MSGFLG_SYNC_REQUEST | alpc.ALPC_MSGFLG_TRACK_PORT_REFERENCES | alpc.ALPC_MSGFLG_WAIT_USER_MODE
    | alpc.ALPC_MSGFLG_WAIT_ALERTABLE
)  # fmt: skip


def limit_of(port: Port) -> int:
    """How long a message through this port may be: no longer than its server allows."""
    own = int(port.view.PortAttributes.MaxMessageLength)
    return min(own, int(port.link.connection.view.PortAttributes.MaxMessageLength))


def target_of(port: Port) -> Port:
    """Where a new message of this port goes. PORT_DISCONNECTED; a connection port alone leads nowhere."""
    if port.kind == CONNECTION:
        raise NtError(
            STATUS.LPC_INVALID_CONNECTION_USAGE,
            because=Denied(
                "a connection port has many clients: it can only receive and answer",
                {"port": f"0x{port.address:X}"},
                "send through the communication port that NtAlpcAcceptConnectPort gave",
            ),
        )
    target = port.link.peer_of(port)
    if port.disconnected or port.view.u1.s1.ConnectionPending or target is None or target.disconnected:
        raise NtError(STATUS.PORT_DISCONNECTED)
    return target


# ---------------------------------------------------------------- sending


def new_message(thread: Thread, port: Port, said: Said, kind: int, buffer: Buffer | None = None) -> Message:
    """A message of this thread's with what goes with it; nothing is left behind where that is refused."""
    message = Message(port, said.data, kind, client_id(thread))
    header = message.view.PortMessage
    header.u2.s2.Type = kind | said.type & LPC_NO_IMPERSONATE
    header.u2.s2.DataInfoOffset = said.data_info
    ticket = message.view.MessageAttributes.WorkOnBehalfData.Ticket
    ticket.ThreadId = thread.id
    ticket.ThreadCreationTimeLow = int(thread.ethread.CreateTime) & 0xFFFF_FFFF
    try:
        attributes.capture(thread, port, message, buffer)
        if port.kind == CLIENT:
            security.capture_dynamic(thread, message)
    except (NtError, GuestFault):
        message.free()
        raise
    return message


def send(thread: Thread, port: Port, said: Said, kind: int, buffer: Buffer | None = None) -> Message:
    """Send a new message and go on: a datagram, or a request whose answer will be received at this port."""
    target = target_of(port)
    message = new_message(thread, port, said, kind, buffer)
    message.view.u1.s1.ReleaseMessage = int(kind == LPC_DATAGRAM)
    message.continues = kind == LPC_REQUEST
    dispatch(message, target)
    attributes.tell_sender(message, buffer)
    return message


def answer(
    thread: Thread,
    port: Port,
    said: Said,
    kind: int,
    buffer: Buffer | None = None,
    *,
    release: bool,
    wait: bool = False,
) -> Message:
    """Answer a received message: to the thread that waits for it, else into its sender's queue.

    With `release` that is the end of the conversation; with `wait` the caller will wait for what follows.
    """
    message = lookup(port, said)
    link = message.communication
    back = link.client if port.kind != CLIENT else link.connection
    if back is None or back.disconnected:
        message.free()
        raise NtError(STATUS.PORT_DISCONNECTED)
    attributes.capture(thread, port, message, buffer)
    message.leave()
    message.data = said.data
    header = message.view.PortMessage
    header.u2.s2.Type = kind | said.type & LPC_NO_IMPERSONATE
    header.u2.s2.DataInfoOffset = said.data_info
    message.client = client_id(thread)
    message.continues = not release
    message.view.u1.s1.ReleaseMessage = int(release)
    message.view.u1.s1.ReplyWaitReply = int(wait)
    message.view.ServerThread = 0
    waiting = message.waiting_thread
    if wait:
        if waiting is not None:
            answer_waiter(message)
            message.view.WaitingThread = thread.address
        begin_wait(thread, message)
    if waiting is None:
        dispatch(message, back)
    elif not wait:
        message.view.SequenceNo = back.next_sequence()
        answer_waiter(message)
    attributes.tell_sender(message, buffer)
    return message


# ---------------------------------------------------------------- receiving


def deliver(thread: Thread, port: Port, message: Message, place: int, buffer: Buffer | None = None) -> None:
    """Write a message into the receiver's memory: what must be answered is pending then; what need not be is over."""
    where = port.queue_port
    shown = PORT_MESSAGE.parse(bytes(message.view.PortMessage))
    if not message.continues or where.is_lpc:
        shown.u2.s2.Type = int(shown.u2.s2.Type) & ~alpc.LPC_CONTINUATION_REQUIRED
    try:
        thread.memory.write(place, bytes(shown) + message.data)
        attributes.expose(thread, port, message, buffer)
    except (NtError, GuestFault):
        message.free()
        raise
    finish(thread, where, message)


def finish(thread: Thread, where: Port, message: Message) -> None:
    """A message has been received: keep it until it is answered, or let it go."""
    if message.continues:
        message.view.ServerThread = thread.address
        message.view.u1.s1.ReceiverReference = 1
        message.enter(where, CANCELED if message.view.u1.s1.Canceled else PENDING)
    else:
        message.free()


# ---------------------------------------------------------------- the service


class Call:
    """The arguments of one NtAlpcSendWaitReceivePort, checked."""

    def __init__(
        self, thread: Thread, flags: int, place: int, length: Ptr[SIZE_T] | None, sent: int, wanted: int
    ) -> None:
        self.thread = thread
        self.flags = flags
        self.place = place
        self.length = length
        self.room = int(length.read()) if length is not None else alpc.ALPC_MAXIMUM_MESSAGE_LENGTH
        self.sent = attributes_at(thread.memory, sent)
        self.wanted = attributes_at(thread.memory, wanted)

    @property
    def alertable(self) -> bool:
        """ALPC_MSGFLG_WAIT_ALERTABLE."""
        return bool(self.flags & alpc.ALPC_MSGFLG_WAIT_ALERTABLE)

    @property
    def release(self) -> bool:
        """ALPC_MSGFLG_RELEASE_MESSAGE."""
        return bool(self.flags & alpc.ALPC_MSGFLG_RELEASE_MESSAGE)

    def give(self, port: Port, message: Message) -> NTSTATUS:
        """Deliver, and say how long the message is; one too long for the buffer waits for a larger one."""
        size = message.total
        if size > self.room:
            message.enter(port.queue_port, LARGE)
        else:
            deliver(self.thread, port, message, self.place, self.wanted)
        if self.length is not None:
            self.length.write(size)
        return STATUS.BUFFER_TOO_SMALL if size > self.room else STATUS.SUCCESS


@service(partial="direct events are refused; port references are not tracked; no completion lists")
async def NtAlpcSendWaitReceivePort(
    thread: Thread,
    PortHandle: HANDLE,
    Flags: ULONG,
    SendMessage: In[PORT_MESSAGE] | None,
    SendMessageAttributes: PVOID,
    ReceiveMessage: PVOID,
    BufferLength: Ptr[SIZE_T] | None,
    ReceiveMessageAttributes: PVOID,
    Timeout: In[LARGE_INTEGER] | None,
) -> NTSTATUS:
    """Send a message, receive one, or both: a request and its answer, or an answer and the next request."""
    with ob.referenced(thread, PortHandle, PORT_CONNECT, ALPC_PORT_TYPE) as port:
        if Flags & ~FLAGS or (SendMessage is None and not ReceiveMessage):
            raise NtError(STATUS.INVALID_PARAMETER)
        call = Call(thread, Flags, ReceiveMessage, BufferLength, SendMessageAttributes, ReceiveMessageAttributes)
        said = None if SendMessage is None else capture(thread.memory, SendMessage, limit_of(port))
        if Flags & alpc.ALPC_MSGFLG_SYNC_REQUEST:
            return await _synchronous(call, port, said, Timeout)
        if said is not None:
            _send_or_answer(call, port, said)
        if not ReceiveMessage:
            return STATUS.SUCCESS
        found = await receive(port.queue_port, thread, call.room, Timeout, alertable=call.alertable)
        return call.give(port, found) if isinstance(found, Message) else found


def _send_or_answer(call: Call, port: Port, said: Said) -> None:
    if said.id:
        answer(call.thread, port, said, LPC_REPLY, call.sent, release=call.release)
    elif call.flags & alpc.ALPC_MSGFLG_REPLY_MESSAGE:
        raise NtError(STATUS.REPLY_MESSAGE_MISMATCH)
    else:
        send(call.thread, port, said, LPC_DATAGRAM if call.release else LPC_REQUEST, call.sent)


async def _synchronous(call: Call, port: Port, said: Said | None, timeout: int | None) -> NTSTATUS:
    if said is None or call.release:
        raise NtError(STATUS.INVALID_PARAMETER)
    if not call.place:
        raise NtError(STATUS.LPC_RECEIVE_BUFFER_EXPECTED)
    message = request(call.thread, port, said, call.sent)
    status, answered = await wait_answer(call.thread, message, timeout, alertable=call.alertable)
    if answered is None:
        return status
    return call.give(port, answered)


def request(thread: Thread, port: Port, said: Said, buffer: Buffer | None = None) -> Message:
    """Send a request, or go on with a conversation; `wait_answer` is to follow."""
    if said.id:
        return answer(thread, port, said, LPC_REQUEST, buffer, release=False, wait=True)
    target = target_of(port)
    message = new_message(thread, port, said, LPC_REQUEST, buffer)
    message.continues = True
    begin_wait(thread, message)
    dispatch(message, target)
    attributes.tell_sender(message, buffer)
    return message
