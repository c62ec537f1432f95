"""Messages: a KALPC_MESSAGE in pool with the data behind it, in one queue at a time.

A message that wants an answer lives until it is answered: it waits in the receiver's main queue, then (received)
in the pending queue, and the answer is the same message with other data. Its id leads to it all that time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ntos import ob
from ntos.abi.alpc import LPC_CONTINUATION_REQUIRED, LPC_NO_IMPERSONATE, LPC_TYPE_MASK
from ntos.abi.layout.alpc import KALPC_MESSAGE, PORT_MESSAGE
from ntos.abi.status import STATUS, Denied, NtError

if TYPE_CHECKING:
    from ntos.abi.memory import Memory
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread
    from ntos.lpc.attributes import Transfer
    from ntos.lpc.port import Communication, Port
    from ntos.lpc.security import SecurityData
    from ntos.lpc.view import Region, View

TAG = b"AlMs"
HEADER = PORT_MESSAGE.size
NO_QUEUE, MAIN, LARGE, PENDING, CANCELED = 0, 1, 2, 3, 4
"""KALPC_MESSAGE.u1.s1.QueueType."""
QUEUE_NAMES = {MAIN: "MainQueue", LARGE: "LargeMessageQueue", PENDING: "PendingQueue", CANCELED: "CanceledQueue"}
FIRST_ID, STEP = 4, 4
ENTRY = KALPC_MESSAGE.offset("Entry")


class MessageTable:
    """AlpcpMessageTable: messages by id and by address; and the callback ids given out."""

    def __init__(self) -> None:
        self.by_id: dict[int, Message] = {}
        self.by_address: dict[int, Message] = {}
        self.next_id = FIRST_ID
        self.next_callback = 1

    def assign(self, message: Message) -> int:
        """A free id for a new message."""
        while self.next_id in self.by_id:
            self.next_id = self.next_id + STEP & 0x7FFF_FFFF or FIRST_ID
        number = self.next_id
        self.next_id = number + STEP & 0x7FFF_FFFF or FIRST_ID
        self.by_id[number] = message
        self.by_address[message.address] = message
        return number

    def callback(self) -> int:
        """A new CallbackId: tells one round of a conversation from the next."""
        number = self.next_callback
        self.next_callback = number + 1 & 0x7FFF_FFFF
        return number


class Said(NamedTuple):
    """A PORT_MESSAGE as a program gave it."""

    data: bytes
    type: int
    id: int
    callback: int
    data_info: int


class Message:
    """One message while it lasts."""

    def __init__(self, owner: Port, data: bytes, kind: int, client: tuple[int, int]) -> None:
        """A message of `owner`'s; `client` is the sender's process and thread id."""
        kernel = owner.kernel
        self.kernel: Kernel = kernel
        self.capacity = len(data)
        self.address = kernel.pool.allocate(KALPC_MESSAGE.size + len(data), TAG, paged=True)
        self.view = KALPC_MESSAGE(kernel.memory, self.address)
        self.view.Entry.initialize()
        self.view.CancelListEntry.initialize()
        self.owner = owner
        self.view.OwnerPort = owner.address
        self.view.u1.s1.OwnerPortReference = 1
        ob.reference(owner)
        self.communication: Communication = owner.link
        self.view.CommunicationInfo = self.communication.address
        self.view.ConnectionPort = self.communication.connection.address
        self.handles: list[Transfer] = []
        """Objects to be given to whoever receives it."""
        self.region: Region | None = None
        """What it shows the receiver."""
        self.auto_release = False
        self.shown: View | None = None
        """The view the receiver got; with `auto_release` it goes with the message."""
        self.given: list[tuple[int, int, int]] = []
        """(handle, type code, access) of the handles the receiver got."""
        self.security: SecurityData | None = None
        header = self.view.PortMessage
        header.ClientId.UniqueProcess, header.ClientId.UniqueThread = client
        self.kind = kind
        header.MessageId = kernel.part(MessageTable).assign(self)
        header.CallbackId = kernel.part(MessageTable).callback()
        self.data = data

    # ------------------------------------------------------------ what it says

    @property
    def id(self) -> int:
        """PORT_MESSAGE.MessageId."""
        return int(self.view.PortMessage.MessageId)

    @property
    def kind(self) -> int:
        """PORT_MESSAGE.u2.s2.Type without the flags."""
        return int(self.view.PortMessage.u2.s2.Type) & LPC_TYPE_MASK

    @kind.setter
    def kind(self, value: int) -> None:
        field = self.view.PortMessage.u2.s2
        field.Type = value | int(field.Type) & LPC_NO_IMPERSONATE

    @property
    def continues(self) -> bool:
        """Whoever receives it must answer or release it."""
        return bool(int(self.view.PortMessage.u2.s2.Type) & LPC_CONTINUATION_REQUIRED)

    @continues.setter
    def continues(self, value: bool) -> None:
        field = self.view.PortMessage.u2.s2
        field.Type = int(field.Type) & ~LPC_CONTINUATION_REQUIRED | (LPC_CONTINUATION_REQUIRED if value else 0)

    @property
    def data(self) -> bytes:
        """What stands behind the header."""
        extension = int(self.view.ExtensionBuffer)
        place = extension or self.address + KALPC_MESSAGE.size
        return self.kernel.memory.read(place, int(self.view.PortMessage.u1.s1.DataLength) & 0xFFFF)

    @data.setter
    def data(self, data: bytes) -> None:
        self._free_extension()
        place = self.address + KALPC_MESSAGE.size
        if len(data) > self.capacity:
            place = self.kernel.pool.allocate(len(data), TAG, paged=True)
            self.view.ExtensionBuffer = place
            self.view.ExtensionBufferSize = len(data)
        if data:
            self.kernel.memory.write(place, data)
        header = self.view.PortMessage
        header.u1.s1.DataLength = len(data)
        header.u1.s1.TotalLength = len(data) + HEADER

    @property
    def total(self) -> int:
        """The size of header and data."""
        return HEADER + (int(self.view.PortMessage.u1.s1.DataLength) & 0xFFFF)

    @property
    def client(self) -> tuple[int, int]:
        """Process and thread id of who sent it last."""
        said = self.view.PortMessage.ClientId
        return int(said.UniqueProcess), int(said.UniqueThread)

    @client.setter
    def client(self, value: tuple[int, int]) -> None:
        said = self.view.PortMessage.ClientId
        said.UniqueProcess, said.UniqueThread = value

    @property
    def waiting_thread(self) -> Thread | None:
        """Who is blocked until it is answered."""
        return self.kernel.threads.get(int(self.view.WaitingThread))

    # ------------------------------------------------------------ where it is

    @property
    def queue(self) -> int:
        """MAIN, LARGE, PENDING, CANCELED or NO_QUEUE."""
        return self.view.u1.s1.QueueType

    def enter(self, port: Port, queue: int) -> None:
        """Go last into a queue of `port`, out of the one it is in."""
        self.leave()
        name = QUEUE_NAMES[queue]
        getattr(port.view, name).insert_tail(self.view.Entry)
        setattr(port.view, name + "Length", getattr(port.view, name + "Length") + 1)
        self.view.PortQueue = port.address
        self.view.u1.s1.QueueType = queue
        self.view.u1.s1.QueuePortType = port.kind
        self.view.u1.s1.InCanceledQueue = int(queue == CANCELED)
        if queue == MAIN and port.semaphore is not None:
            port.semaphore.release(1)

    def leave(self) -> None:
        """Out of its queue."""
        queue = self.queue
        if not queue:
            return
        port: Port = ob.at_address(self.kernel, int(self.view.PortQueue))
        name = QUEUE_NAMES[queue] + "Length"
        self.view.Entry.remove()
        setattr(port.view, name, getattr(port.view, name) - 1)
        if queue == MAIN and port.semaphore is not None and port.semaphore.header.SignalState > 0:
            port.semaphore.header.SignalState = int(port.semaphore.header.SignalState) - 1
        self.view.u1.s1.QueueType = NO_QUEUE
        self.view.u1.s1.InCanceledQueue = 0
        self.view.PortQueue = 0

    def is_at(self, port: Port, queue: int) -> bool:
        """Whether it is in that queue of that port."""
        return self.queue == queue and int(self.view.PortQueue) == port.address

    # ------------------------------------------------------------ what it carries

    def drop_attributes(self) -> None:
        """Let go of what went with the last round: objects not taken, view, security."""
        for transfer in self.handles:
            ob.dereference(transfer.obj)
        self.handles = []
        self.given = []
        self._free_handle_data()
        if self.region is not None:
            if self.auto_release and self.shown is not None and self.shown in self.region.views:
                self.shown.delete()
            self.shown = None
            self.region.release()
            self.region = None
            self.view.MessageAttributes.View = 0
        if self.security is not None:
            self.security.release()
            self.security = None
            self.view.MessageAttributes.SecurityData = 0

    def free(self) -> None:
        """The message is over (AlpcpDestroyBlob)."""
        self.leave()
        self.drop_attributes()
        self._free_extension()
        table = self.kernel.part(MessageTable)
        table.by_id.pop(self.id, None)
        table.by_address.pop(self.address, None)
        self.kernel.pool.free(self.address)
        ob.dereference(self.owner)

    def _free_extension(self) -> None:
        if self.view.ExtensionBuffer:
            self.kernel.pool.free(int(self.view.ExtensionBuffer))
            self.view.ExtensionBuffer = 0
            self.view.ExtensionBufferSize = 0

    def _free_handle_data(self) -> None:
        attributes = self.view.MessageAttributes
        if attributes.HandleData:
            self.kernel.pool.free(int(attributes.HandleData))
            attributes.HandleData = 0


def messages_in(port: Port, queue: int) -> list[Message]:
    """The messages in one of a port's queues, in order."""
    table = port.kernel.part(MessageTable).by_address
    return [table[entry - ENTRY] for entry in getattr(port.view, QUEUE_NAMES[queue]).iterate()]


def first_in(port: Port, queue: int) -> Message | None:
    """The first of them."""
    head = getattr(port.view, QUEUE_NAMES[queue])
    return None if head.is_empty() else port.kernel.part(MessageTable).by_address[int(head.Flink) - ENTRY]


def of_port(port: Port) -> list[Message]:
    """All messages that port has sent and that still live."""
    return [message for message in port.kernel.part(MessageTable).by_id.values() if message.owner is port]


def lookup(port: Port, said: PORT_MESSAGE | Said) -> Message:
    """The message a server has received and not yet answered, by its id. REPLY_MESSAGE_MISMATCH where there is none.

    One that was cancelled meanwhile is given up here, and the caller told so.
    """
    identifier, callback = (said.id, said.callback) if isinstance(said, Said) else (said.MessageId, said.CallbackId)
    message = port.kernel.part(MessageTable).by_id.get(int(identifier))
    expected = 0 if message is None else int(message.view.PortMessage.CallbackId)
    if message is None or not _received_by(port, message) or int(callback) & 0xFFFF_FFFF not in {0, expected}:
        raise NtError(
            STATUS.REPLY_MESSAGE_MISMATCH,
            because=Denied(
                "only a message that was received through this port and not yet answered can be answered",
                {"MessageId": int(identifier), "CallbackId": int(callback)},
                "pass the header of a received message unchanged",
            ),
        )
    if message.queue == CANCELED:
        gone = message.owner.disconnected or message.communication.client is None
        message.free()
        raise NtError(STATUS.PORT_DISCONNECTED if gone else STATUS.REQUEST_CANCELED)
    return message


def _received_by(port: Port, message: Message) -> bool:
    where = port.queue_port
    if port is not where and message.communication is not port.communication:
        return False
    return message.is_at(where, PENDING) or message.is_at(where, CANCELED)


def capture(memory: Memory, header: PORT_MESSAGE, limit: int) -> Said:
    """Header and data as a program gives them. INVALID_PARAMETER for lengths that cannot be, PORT_MESSAGE_TOO_LONG."""
    data = int(header.u1.s1.DataLength) & 0xFFFF
    total = int(header.u1.s1.TotalLength) & 0xFFFF
    if total < HEADER or data > total - HEADER:
        raise NtError(STATUS.INVALID_PARAMETER)
    if total > limit:
        raise NtError(
            STATUS.PORT_MESSAGE_TOO_LONG,
            because=Denied(
                "a message is no longer than its port allows",
                {"TotalLength": total, "MaxMessageLength": limit},
                "send less, or put the data into a view",
            ),
        )
    return Said(
        memory.read(header.address + HEADER, data) if data else b"",
        int(header.u2.s2.Type) & 0xFFFF,
        int(header.MessageId),
        int(header.CallbackId),
        int(header.u2.s2.DataInfoOffset) & 0xFFFF,
    )


def client_id(thread: Thread) -> tuple[int, int]:
    """Process and thread id of a sender."""
    process: Process = thread.process
    return process.id, thread.id
