"""Port objects: the server's connection port, and the pair of communication ports each connection has.

An ALPC_PORT is a set of queues. The four heads hold messages that wait to be received, that were too large for
the buffer offered, that were received and are to be answered, and that were cancelled meanwhile; the fifth holds
the threads that wait. Three ports share one ALPC_COMMUNICATION_INFO, through which each finds the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ntos import ob
from ntos.abi import access as rights
from ntos.abi.alpc import (
    ALPC_MAXIMUM_MESSAGE_LENGTH,
    ALPC_PORFLG_LPC_MODE,
    ALPC_PORFLG_SYSTEM_PROCESS,
    ALPC_PORFLG_WAITABLE_PORT,
)
from ntos.abi.layout.alpc import ALPC_COMMUNICATION_INFO, ALPC_PORT, ALPC_PORT_ATTRIBUTES
from ntos.abi.layout.dispatcher import KSEMAPHORE
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.status import STATUS, NtError
from ntos.ke.semaphore import Semaphore
from ntos.lpc.handle import HandleTable
from ntos.ob.types import Body, ObjectType

if TYPE_CHECKING:
    from ntos.io import CompletionPort
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread
    from ntos.lpc.security import SecurityData
    from ntos.ob.types import KernelObject

CONNECTION, SERVER, CLIENT = 1, 2, 3
"""ALPC_PORT.u1.s1.Type."""
QUEUES = (
    "MainQueue", "LargeMessageQueue", "PendingQueue", "DirectQueue", "CanceledQueue", "WaitQueue", "ResourceListHead",
)  # fmt: skip
NO_LIMIT = 0xFFFF_FFFF_FFFF_FFFF
SEMAPHORE_LIMIT = 0x7FFF_FFFF
HIGHEST_LEVEL = 3
COMMUNICATION_TAG = b"AlCI"
INTERNAL_TAG = b"AlIn"


class Owned(Protocol):
    """A view, section, security context or reserve of a port's."""

    def delete(self) -> None: ...


class PortList:
    """AlpcpPortList: all ports of the machine."""

    def __init__(self) -> None:
        self.address = 0

    def head(self, kernel: Kernel) -> LIST_ENTRY:
        """The head of the list."""
        if not self.address:
            self.address = kernel.pool.allocate(LIST_ENTRY.size, INTERNAL_TAG)
            LIST_ENTRY(kernel.memory, self.address).initialize()
        return LIST_ENTRY(kernel.memory, self.address)


class Communication:
    """The ports of one connection; a connection port has one, too, which heads the list of its connections."""

    def __init__(self, connection: Port) -> None:
        self.kernel = connection.kernel
        self.address = self.kernel.pool.allocate(ALPC_COMMUNICATION_INFO.size, COMMUNICATION_TAG, paged=True)
        self.view = ALPC_COMMUNICATION_INFO(self.kernel.memory, self.address)
        self.view.ConnectionPort = connection.address
        self.view.CommunicationList.initialize()
        self.connection = connection
        self.server: Port | None = None
        self.client: Port | None = None
        self.handles = HandleTable(self.kernel, self.view.HandleTable)
        self.ports = 0
        """How many port objects there are for it."""

    def attach(self, port: Port) -> None:
        """`port` belongs to this connection."""
        self.ports += 1
        port.communication = self
        port.view.CommunicationInfo = self.address
        if port.kind == CLIENT:
            self.client = port
            self.view.ClientCommunicationPort = port.address
        elif port.kind == SERVER:
            self.server = port
            self.view.ServerCommunicationPort = port.address
        if port.kind != CONNECTION:
            ob.reference(self.connection)

    def join(self) -> None:
        """Enter the list of the connection port's connections."""
        self.connection.link.view.CommunicationList.insert_tail(self.view.CommunicationList)
        self.kernel.part(Communications).known[self.address] = self

    def detach(self, port: Port) -> None:
        """The port object goes away; with the last one this does."""
        self.ports -= 1
        if port is self.client:
            self.client = None
            self.view.ClientCommunicationPort = 0
        elif port is self.server:
            self.server = None
            self.view.ServerCommunicationPort = 0
        if not self.ports:
            self.view.CommunicationList.remove()
            self.kernel.part(Communications).known.pop(self.address, None)
            self.handles.delete()
            self.kernel.pool.free(self.address)
        if port.kind != CONNECTION:
            ob.dereference(self.connection)

    def peer_of(self, port: Port) -> Port | None:
        """Where what this port sends is received: the server receives at its connection port."""
        return self.connection if port is self.client else self.client

    def connections(self) -> list[Communication]:
        """The connections in the list this heads."""
        offset = ALPC_COMMUNICATION_INFO.offset("CommunicationList")
        known = self.kernel.part(Communications).known
        return [known[entry - offset] for entry in self.view.CommunicationList.iterate()]


class Communications:
    """The Python objects beside the connections that are in a list."""

    def __init__(self) -> None:
        self.known: dict[int, Communication] = {}


class Port(Body):
    """An ALPC port: ALPC_PORT at `address`."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        super().__init__(kernel, address)
        self.view = ALPC_PORT(kernel.memory, address)
        self.communication: Communication | None = None
        self.completion: CompletionPort | None = None
        self.completion_object: KernelObject | None = None
        self.semaphore: Semaphore | None = None
        """Counts what waits in the main queue, for a port one can wait on."""
        self.connection_length = 0
        """How many bytes a legacy client may say when it connects."""
        self.static_security: SecurityData | None = None
        self.owned: list[Owned] = []
        """What goes when the port is closed."""

    # ------------------------------------------------------------ what it is

    @property
    def kind(self) -> int:
        """CONNECTION, SERVER or CLIENT."""
        return self.view.u1.s1.Type

    @property
    def is_lpc(self) -> bool:
        """Made by a legacy call: its messages carry no continuation bit."""
        return bool(self.view.u1.s1.Lpc)

    @property
    def flags(self) -> int:
        """ALPC_PORT_ATTRIBUTES.Flags."""
        return int(self.view.PortAttributes.Flags)

    @property
    def owner(self) -> Process:
        """The process that made it."""
        return self.kernel.processes[int(self.view.OwnerProcess)]

    @property
    def queue_port(self) -> Port:
        """Where a thread that receives through this port looks: a server's is its connection port."""
        if self.kind == SERVER and self.communication is not None:
            return self.communication.connection
        return self

    @property
    def link(self) -> Communication:
        """The connection it belongs to. INVALID_PORT_HANDLE where it has none."""
        if self.communication is None:
            raise NtError(STATUS.INVALID_PORT_HANDLE)
        return self.communication

    @property
    def disconnected(self) -> bool:
        """Nothing can be sent or received any more."""
        return bool(self.view.u1.s1.Disconnected)

    def next_sequence(self) -> int:
        """The next message's sequence number."""
        number = int(self.view.SequenceNo) + 1
        self.view.SequenceNo = number
        return number

    # ------------------------------------------------------------ its life

    def begin(self, process: Process, kind: int, attributes: ALPC_PORT_ATTRIBUTES | None, *, lpc: bool = False) -> None:
        """Make the empty queues and write what the creator said."""
        view = self.view
        for name in QUEUES:
            getattr(view, name).initialize()
        self.kernel.part(PortList).head(self.kernel).insert_tail(view.PortListEntry)
        view.OwnerProcess = process.address
        ob.reference(process)
        view.u1.s1.Type = kind
        view.u1.s1.Initialized = 1
        if lpc:
            view.u1.s1.Lpc = 1
        if attributes is not None:
            view.PortAttributes.assign(attributes)
        else:
            default_limits(view.PortAttributes)
        view.u1.s1.DynamicSecurity = int(bool(view.PortAttributes.SecurityQos.ContextTrackingMode))
        if self.flags & ALPC_PORFLG_WAITABLE_PORT:
            view.u1.s1.Waitable = 1
            view.Semaphore = self.kernel.pool.allocate(KSEMAPHORE.size, INTERNAL_TAG)
            self.semaphore = Semaphore(self.kernel, int(view.Semaphore))
            self.semaphore.initialize(0, SEMAPHORE_LIMIT)

    def deleted(self) -> None:
        """The last reference is gone: nothing is queued any more (AlpcpDeletePort)."""
        if not self.view.u1.s1.Initialized:
            return
        self.view.PortListEntry.remove()
        if self.semaphore is not None:
            self.kernel.pool.free(self.semaphore.address)
        if self.completion_object is not None:
            ob.dereference(self.completion_object)
        if self.communication is not None:
            self.communication.detach(self)
        ob.dereference(self.owner)

    def waits_on(self) -> Semaphore:
        """What a wait on the handle is for. OBJECT_TYPE_MISMATCH where the port was not made waitable."""
        if self.semaphore is None:
            raise NtError(STATUS.OBJECT_TYPE_MISMATCH)
        return self.semaphore


ALPC_PORT_TYPE: ObjectType[Port] = ObjectType(
    "ALPC Port",
    ALPC_PORT.size,
    Port,
    valid_access=rights.PORT_ALL_ACCESS,
    generic_mapping=(0x20001, 0x10001, 0, rights.PORT_ALL_ACCESS),
    default_dispatcher=0,
    tag=b"ALPC",
)
ALPC_PORT_TYPE.delete = Port.deleted
ALPC_PORT_TYPE.waits_on = Port.waits_on


def default_limits(view: ALPC_PORT_ATTRIBUTES) -> None:
    """What a port without attributes may do: messages of any length, no handles, no impersonation."""
    view.MaxMessageLength = ALPC_MAXIMUM_MESSAGE_LENGTH
    for name in ("MemoryBandwidth", "MaxPoolUsage", "MaxSectionSize", "MaxViewSize", "MaxTotalSectionSize"):
        setattr(view, name, NO_LIMIT)


def check_attributes(attributes: ALPC_PORT_ATTRIBUTES | None) -> None:
    """INVALID_PARAMETER for what user mode may not ask (AlpcpValidateAndSetPortAttributes)."""
    if attributes is None:
        return
    if (
        int(attributes.Flags) & (ALPC_PORFLG_LPC_MODE | ALPC_PORFLG_SYSTEM_PROCESS)
        or int(attributes.MaxMessageLength) > ALPC_MAXIMUM_MESSAGE_LENGTH
        or int(attributes.SecurityQos.ImpersonationLevel) > HIGHEST_LEVEL
    ):
        raise NtError(STATUS.INVALID_PARAMETER)


def make_port(
    process: Process, kind: int, attributes: ALPC_PORT_ATTRIBUTES | None, *, lpc: bool = False
) -> Port:
    """A port object with one reference; a connection port comes with the head of its connections."""
    kernel = process.kernel
    port = ob.create(kernel, ALPC_PORT_TYPE)
    port.begin(process, kind, attributes, lpc=lpc)
    if kind == CONNECTION:
        Communication(port).attach(port)
    return port


def port_by_handle(thread: Thread, handle: int) -> Port:
    """The port behind a handle, for use before the next await."""
    return ob.by_handle(thread, handle, rights.PORT_CONNECT, ALPC_PORT_TYPE)
