"""Completion ports: packets that finished operations leave for whichever thread comes for them.

A packet is a block in pool whose first bytes link it into the port's KQUEUE, laid out as the mini packets
that NtSetIoCompletion makes (names as in IO_MINI_COMPLETION_PACKET_USER of public symbols).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi import access as rights
from ntos.abi.layout.api import FILE_IO_COMPLETION_INFORMATION, IO_COMPLETION_BASIC_INFORMATION
from ntos.abi.layout.dispatcher import KQUEUE
from ntos.abi.layout.enums import KWAIT_REASON
from ntos.abi.layout.io import IO_STATUS_BLOCK
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.pointer import In, Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.struct import Struct, at
from ntos.abi.types import (
    ACCESS_MASK,
    BOOLEAN,
    HANDLE,
    LARGE_INTEGER,
    LONG,
    NTSTATUS,
    PVOID,
    UCHAR,
    ULONG,
    ULONG_PTR,
)
from ntos.ke.queue import Queue
from ntos.ke.service import service
from ntos.ke.wait import wait
from ntos.ob import answer
from ntos.ob.handle import by_handle, referenced
from ntos.ob.insert import create_or_open, open_by_name
from ntos.ob.object import create
from ntos.ob.types import ObjectType

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

PACKET_TAG = b"Icp "
MINI_PACKET = 1
NO_LIMIT = (
    "a thread that blocks elsewhere does not let another one through: the concurrency limit is not kept"
)


class PACKET(Struct, size=0x50):
    """IO_MINI_COMPLETION_PACKET_USER."""

    ListEntry = at(0x00, LIST_ENTRY)
    PacketType = at(0x10, ULONG)
    KeyContext = at(0x18, PVOID)
    ApcContext = at(0x20, PVOID)
    IoStatus = at(0x28, LONG)
    IoStatusInformation = at(0x30, ULONG_PTR)
    MiniPacketCallback = at(0x38, PVOID)
    Context = at(0x40, PVOID)
    Allocated = at(0x48, UCHAR)


class CompletionPort(Queue):
    """An IoCompletion object."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        super().__init__(kernel, address)
        self.when_taken: dict[int, Callable[[], None]] = {}
        """Who wants to hear that a packet left the port, by the packet's address."""

    def post(self, key: int, apc_context: int, status: int, information: int) -> int:
        """Leave a packet (IoSetIoCompletion); its address."""
        packet = PACKET(self.kernel.memory, self.kernel.pool.allocate(PACKET.size, PACKET_TAG))
        packet.PacketType = MINI_PACKET
        packet.KeyContext = key
        packet.ApcContext = apc_context
        packet.IoStatus = status
        packet.IoStatusInformation = information
        packet.Allocated = 1
        self.insert(packet.address)
        return packet.address

    def receive(self, entry: int) -> FILE_IO_COMPLETION_INFORMATION:
        """What a packet that was taken out says; its block goes back."""
        packet = PACKET(self.kernel.memory, entry)
        information = FILE_IO_COMPLETION_INFORMATION.new()
        information.KeyContext = packet.KeyContext
        information.ApcContext = packet.ApcContext
        information.IoStatusBlock.Status = packet.IoStatus
        information.IoStatusBlock.Information = packet.IoStatusInformation
        self.kernel.pool.free(entry)
        self.when_taken.pop(entry, _nobody)()
        return information

    def withdraw(self, entry: int) -> None:
        """Take a packet back that nobody has come for."""
        self.when_taken.pop(entry, None)
        self.remove(entry)
        self.kernel.pool.free(entry)

    def drop_all(self) -> None:
        """The last handle is closed: who still waits is told, what still waits is dropped."""
        for entry in self.run_down():
            self.kernel.pool.free(entry)
            self.when_taken.pop(entry, _nobody)()


def _nobody() -> None:
    return None


def _close(process: Process, port: CompletionPort, handles: int) -> None:
    if handles == 1:
        port.drop_all()


IO_COMPLETION: ObjectType[CompletionPort] = ObjectType(
    "IoCompletion",
    KQUEUE.size,
    CompletionPort,
    valid_access=rights.IO_COMPLETION_ALL_ACCESS,
    generic_mapping=(0x20001, 0x20002, 0x120000, rights.IO_COMPLETION_ALL_ACCESS),
    default_dispatcher=0,
    tag=b"IoCo",
    invalid_attributes=0x110,
)
IO_COMPLETION.close = _close
IO_COMPLETION.delete = CompletionPort.drop_all


@service
def NtCreateIoCompletion(
    thread: Thread,
    IoCompletionHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    Count: ULONG,
) -> NTSTATUS:
    """Create a completion port for Count running threads (0: one a processor)."""

    def make() -> CompletionPort:
        made = create(thread.kernel, IO_COMPLETION)
        made.initialize(Count)
        return made

    handle, status = create_or_open(thread, IO_COMPLETION, ObjectAttributes, DesiredAccess, make)
    IoCompletionHandle.write(handle)
    return status


@service
def NtOpenIoCompletion(
    thread: Thread,
    IoCompletionHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
) -> NTSTATUS:
    """Open a completion port by name."""
    IoCompletionHandle.write(open_by_name(thread, IO_COMPLETION, ObjectAttributes, DesiredAccess))
    return STATUS.SUCCESS


@service
def NtSetIoCompletion(
    thread: Thread,
    IoCompletionHandle: HANDLE,
    KeyContext: PVOID,
    ApcContext: PVOID,
    IoStatus: NTSTATUS,
    IoStatusInformation: ULONG_PTR,
) -> NTSTATUS:
    """Leave a packet in a port."""
    port = by_handle(thread, IoCompletionHandle, rights.IO_COMPLETION_MODIFY_STATE, IO_COMPLETION)
    port.post(KeyContext, ApcContext, IoStatus, IoStatusInformation)
    return STATUS.SUCCESS


@service(partial=NO_LIMIT)
async def NtRemoveIoCompletion(
    thread: Thread,
    IoCompletionHandle: HANDLE,
    KeyContext: Out[PVOID],
    ApcContext: Out[PVOID],
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    Timeout: In[LARGE_INTEGER] | None,
) -> NTSTATUS:
    """Take the first packet from a port, waiting for one if need be."""
    access = rights.IO_COMPLETION_MODIFY_STATE
    with referenced(thread, IoCompletionHandle, access, IO_COMPLETION) as port:
        status = await wait(thread, (port,), timeout=Timeout, reason=KWAIT_REASON.WrQueue)
        if status == STATUS.SUCCESS:
            packet = port.receive(port.take(thread))
            KeyContext.write(packet.KeyContext)
            ApcContext.write(packet.ApcContext)
            thread.memory.write(IoStatusBlock.address, bytes(packet.IoStatusBlock))
        return status


@service(partial=NO_LIMIT)
async def NtRemoveIoCompletionEx(
    thread: Thread,
    IoCompletionHandle: HANDLE,
    IoCompletionInformation: Ptr[FILE_IO_COMPLETION_INFORMATION],
    Count: ULONG,
    NumEntriesRemoved: Out[ULONG],
    Timeout: In[LARGE_INTEGER] | None,
    Alertable: BOOLEAN,
) -> NTSTATUS:
    """Take up to Count packets from a port, waiting for the first if need be."""
    if not Count:
        raise NtError(STATUS.INVALID_PARAMETER)
    access = rights.IO_COMPLETION_MODIFY_STATE
    with referenced(thread, IoCompletionHandle, access, IO_COMPLETION) as port:
        status = await wait(
            thread, (port,), timeout=Timeout, alertable=bool(Alertable), reason=KWAIT_REASON.WrQueue
        )
        taken = 0
        if status == STATUS.SUCCESS:
            entry = port.take(thread)
            while entry:
                (IoCompletionInformation + taken).write_bytes(bytes(port.receive(entry)))
                taken += 1
                entry = port.pop() if taken < Count else 0
        NumEntriesRemoved.write(taken)
        return status


@service
def NtQueryIoCompletion(
    thread: Thread,
    IoCompletionHandle: HANDLE,
    IoCompletionInformationClass: ULONG,
    IoCompletionInformation: PVOID,
    IoCompletionInformationLength: ULONG,
    ReturnLength: Out[ULONG] | None,
) -> NTSTATUS:
    """How many packets a port holds."""
    if IoCompletionInformationClass:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    port = by_handle(thread, IoCompletionHandle, rights.IO_COMPLETION_QUERY_STATE, IO_COMPLETION)
    information = IO_COMPLETION_BASIC_INFORMATION.new()
    information.Depth = port.header.SignalState
    return answer.exact(
        thread, IoCompletionInformation, IoCompletionInformationLength, information, ReturnLength
    )
