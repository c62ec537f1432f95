"""Wait completion packets: an object becomes signalled, a packet goes to a completion port, no thread waits.

A packet is in one of three states: idle, waiting for its object, or lying in the port.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi import access as rights
from ntos.abi.layout.dispatcher import KWAIT_BLOCK
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.pointer import In, Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import ACCESS_MASK, BOOLEAN, HANDLE, NTSTATUS, PVOID, ULONG_PTR
from ntos.ex.completion import IO_COMPLETION, CompletionPort
from ntos.ke.mutant import Mutant
from ntos.ke.notification import Notification
from ntos.ke.queue import Queue
from ntos.ke.service import service
from ntos.ob.handle import by_handle, waitable
from ntos.ob.insert import create_or_open
from ntos.ob.object import create, dereference, reference
from ntos.ob.types import Body, ObjectType

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

PACKET_ALL_ACCESS = rights.STANDARD_RIGHTS_REQUIRED | 1
ASSOCIATE = 1


class WaitPacket(Body):
    """The object; its body is the wait block that stands in the target's list."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        super().__init__(kernel, address)
        self.port: CompletionPort | None = None
        self.notification: Notification | None = None
        self.entry = 0
        """The packet in the port; 0 where there is none."""

    def associate(self, thread: Thread, port: CompletionPort, target: Body, message: tuple[int, int, int, int]) -> bool:
        """Wait for `target` and then leave `message` in `port`; True if it was signalled already."""
        if self.notification is not None or self.entry:
            raise NtError(STATUS.INVALID_PARAMETER_1)
        dispatcher = waitable(target)
        if isinstance(dispatcher, Queue | Mutant):
            raise NtError(STATUS.INVALID_PARAMETER_3)
        self.port = port
        reference(port)

        def deliver() -> None:
            if self.notification is not None:
                self.notification = None
                dereference(target)
            self.entry = port.post(*message)
            port.when_taken[self.entry] = self._idle

        notification = Notification(thread, self.address, dispatcher, deliver)
        if not notification.register(port.address):
            deliver()
            return True
        reference(target)
        self.notification = notification
        self._target = target
        return False

    _target: Body

    def _idle(self) -> None:
        self.entry = 0
        if self.port is not None:
            dereference(self.port)
            self.port = None

    def cancel(self, *, withdraw: bool) -> NTSTATUS:
        """Wait no longer. PENDING for a packet that lies in the port and may stay; CANCELLED where none waits."""
        if self.notification is not None:
            self.notification.cancel()
            self.notification = None
            dereference(self._target)
            self._idle()
            return STATUS.SUCCESS
        if not self.entry:
            return STATUS.CANCELLED
        if not withdraw or self.port is None:
            return STATUS.PENDING
        self.port.withdraw(self.entry)
        self._idle()
        return STATUS.SUCCESS


def _close(process: Process, packet: WaitPacket, handles: int) -> None:
    if handles == 1:
        packet.cancel(withdraw=True)


WAIT_PACKET: ObjectType[WaitPacket] = ObjectType(
    "WaitCompletionPacket",
    KWAIT_BLOCK.size,
    WaitPacket,
    valid_access=PACKET_ALL_ACCESS,
    generic_mapping=(1, 1, 1, PACKET_ALL_ACCESS),
    tag=b"Wcp ",
)
WAIT_PACKET.close = _close


@service
def NtCreateWaitCompletionPacket(
    thread: Thread,
    WaitCompletionPacketHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
) -> NTSTATUS:
    """Create a wait completion packet."""
    handle, status = create_or_open(
        thread, WAIT_PACKET, ObjectAttributes, DesiredAccess, lambda: create(thread.kernel, WAIT_PACKET)
    )
    WaitCompletionPacketHandle.write(handle)
    return status


@service
def NtAssociateWaitCompletionPacket(
    thread: Thread,
    WaitCompletionPacketHandle: HANDLE,
    IoCompletionHandle: HANDLE,
    TargetObjectHandle: HANDLE,
    KeyContext: PVOID,
    ApcContext: PVOID,
    IoStatus: NTSTATUS,
    IoStatusInformation: ULONG_PTR,
    AlreadySignaled: Out[BOOLEAN] | None,
) -> NTSTATUS:
    """Leave a packet in a port once an object is signalled."""
    packet = by_handle(thread, WaitCompletionPacketHandle, ASSOCIATE, WAIT_PACKET)
    port = by_handle(thread, IoCompletionHandle, rights.IO_COMPLETION_MODIFY_STATE, IO_COMPLETION)
    target = by_handle(thread, TargetObjectHandle, rights.SYNCHRONIZE)
    signalled = packet.associate(thread, port, target, (KeyContext, ApcContext, IoStatus, IoStatusInformation))
    if AlreadySignaled is not None:
        AlreadySignaled.write(signalled)
    return STATUS.SUCCESS


@service
def NtCancelWaitCompletionPacket(
    thread: Thread, WaitCompletionPacketHandle: HANDLE, RemoveSignaledPacket: BOOLEAN
) -> NTSTATUS:
    """Wait no longer, and take the packet back where it lies in the port already."""
    packet = by_handle(thread, WaitCompletionPacketHandle, ASSOCIATE, WAIT_PACKET)
    return packet.cancel(withdraw=bool(RemoveSignaledPacket))
