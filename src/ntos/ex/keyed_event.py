"""Keyed events: a thread that waits for a key meets one that releases it. Both sides block until the other is
there.

The waiting threads hang in the object's list by ETHREAD.KeyedWaitChain; KeyedWaitValue is the key, with bit 0
set for one that releases; each sleeps on its own KeyedWaitSemaphore. Keys of different processes never meet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi import access as rights
from ntos.abi.layout.enums import KWAIT_REASON
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.layout.thread import ETHREAD
from ntos.abi.pointer import In, Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import ACCESS_MASK, BOOLEAN, HANDLE, LARGE_INTEGER, NTSTATUS, PVOID, ULONG
from ntos.ke.semaphore import Semaphore
from ntos.ke.service import service
from ntos.ke.wait import wait
from ntos.ob.boot import add_permanent, directory
from ntos.ob.handle import by_handle
from ntos.ob.insert import create_or_open, open_by_name
from ntos.ob.object import create, dereference, reference
from ntos.ob.types import Body, ObjectType

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread

BODY_SIZE = 0x18
"""A push lock and a list head."""
LIST = 0x08
RELEASING = 1
CHAIN = ETHREAD.offset("KeyedWaitChain")
SEMAPHORE = ETHREAD.offset("KeyedWaitSemaphore")
OUT_OF_MEMORY_EVENT = "CritSecOutOfMemoryEvent"


class KeyedEvent(Body):
    """The object; who waits is in the list in its body."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        super().__init__(kernel, address)
        self.waiting = LIST_ENTRY(kernel.memory, address + LIST)
        self.waiting.initialize()

    def meet(self, thread: Thread, key: int, *, releasing: bool) -> bool:
        """Wake the longest waiting counterpart of this process and key; whether there was one."""
        wanted = key | (0 if releasing else RELEASING)
        for entry in self.waiting.iterate():
            other = self.kernel.threads[entry - CHAIN]
            if int(other.ethread.KeyedWaitValue) == wanted and other.process is thread.process:
                other.ethread.KeyedWaitChain.remove()
                other.ethread.KeyedWaitValue = other.ethread.KeyedEventInUse = 0
                Semaphore(self.kernel, other.address + SEMAPHORE).release(1)
                return True
        return False

    async def rendezvous(
        self, thread: Thread, key: int, *, releasing: bool, alertable: bool, timeout: int | None
    ) -> NTSTATUS:
        """Meet a counterpart, waiting for one if need be."""
        if self.meet(thread, key, releasing=releasing):
            return STATUS.SUCCESS
        semaphore = Semaphore(self.kernel, thread.address + SEMAPHORE)
        semaphore.initialize(0, 1)
        before = int(thread.ethread.KeyedWaitValue)  # TerminationPort, which lies in the same place
        thread.ethread.KeyedWaitValue = key | (RELEASING if releasing else 0)
        thread.ethread.KeyedEventInUse = 1
        self.waiting.insert_tail(thread.ethread.KeyedWaitChain)
        try:
            return await wait(
                thread, (semaphore,), timeout=timeout, alertable=alertable, reason=KWAIT_REASON.WrKeyedEvent
            )
        finally:
            if thread.ethread.KeyedEventInUse:  # nobody came; the key itself may be 0
                thread.ethread.KeyedWaitChain.remove()
                thread.ethread.KeyedEventInUse = 0
            thread.ethread.KeyedWaitValue = before


KEYED_EVENT: ObjectType[KeyedEvent] = ObjectType(
    "KeyedEvent",
    BODY_SIZE,
    KeyedEvent,
    valid_access=rights.KEYEDEVENT_ALL_ACCESS | rights.SYNCHRONIZE,
    generic_mapping=(0x20001, 0x20002, 0x20000, rights.KEYEDEVENT_ALL_ACCESS),
    tag=b"Keye",
    paged=True,
)


@service
def NtCreateKeyedEvent(
    thread: Thread,
    KeyedEventHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    Flags: ULONG,
) -> NTSTATUS:
    """Create a keyed event, or open the one that already bears the name."""
    if Flags:
        raise NtError(STATUS.INVALID_PARAMETER_4)
    handle, status = create_or_open(
        thread, KEYED_EVENT, ObjectAttributes, DesiredAccess, lambda: create(thread.kernel, KEYED_EVENT)
    )
    KeyedEventHandle.write(handle)
    return status


@service
def NtOpenKeyedEvent(
    thread: Thread,
    KeyedEventHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
) -> NTSTATUS:
    """Open a keyed event by name."""
    KeyedEventHandle.write(0)
    KeyedEventHandle.write(open_by_name(thread, KEYED_EVENT, ObjectAttributes, DesiredAccess))
    return STATUS.SUCCESS


@service
async def NtWaitForKeyedEvent(
    thread: Thread,
    KeyedEventHandle: HANDLE,
    KeyValue: PVOID,
    Alertable: BOOLEAN,
    Timeout: In[LARGE_INTEGER] | None,
) -> NTSTATUS:
    """Block until another thread of this process releases the key."""
    return await _rendezvous(thread, KeyedEventHandle, KeyValue, Alertable, Timeout, releasing=False)


@service
async def NtReleaseKeyedEvent(
    thread: Thread,
    KeyedEventHandle: HANDLE,
    KeyValue: PVOID,
    Alertable: BOOLEAN,
    Timeout: In[LARGE_INTEGER] | None,
) -> NTSTATUS:
    """Wake one thread of this process that waits for the key; block until there is one."""
    return await _rendezvous(thread, KeyedEventHandle, KeyValue, Alertable, Timeout, releasing=True)


async def _rendezvous(
    thread: Thread, handle: int, key: int, alertable: int, timeout: int | None, *, releasing: bool
) -> NTSTATUS:
    if key & 1:
        raise NtError(STATUS.INVALID_PARAMETER_1)
    if handle:
        access = rights.KEYEDEVENT_WAKE if releasing else rights.KEYEDEVENT_WAIT
        target = by_handle(thread, handle, access, KEYED_EVENT)
    else:
        target = machine_wide(thread.kernel)
    reference(target)
    try:
        return await target.rendezvous(
            thread, key, releasing=releasing, alertable=bool(alertable), timeout=timeout
        )
    finally:
        dereference(target)


def machine_wide(kernel: Kernel) -> KeyedEvent:
    r"""The keyed event that a NULL handle means: `\KernelObjects\CritSecOutOfMemoryEvent`."""
    found = directory(kernel, "KernelObjects").find(OUT_OF_MEMORY_EVENT)
    if found is None:
        found = create(kernel, KEYED_EVENT)
        add_permanent(kernel, f"KernelObjects\\{OUT_OF_MEMORY_EVENT}", found)
    assert isinstance(found, KeyedEvent)
    return found
