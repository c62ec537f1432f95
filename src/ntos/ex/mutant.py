"""Mutants, which Win32 calls mutexes. What owning one means is `ke.mutant`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi import access as rights
from ntos.abi.layout.api import MUTANT_BASIC_INFORMATION, MUTANT_OWNER_INFORMATION
from ntos.abi.layout.dispatcher import KMUTANT
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.pointer import In, Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import ACCESS_MASK, BOOLEAN, HANDLE, LONG, NTSTATUS, PVOID, ULONG
from ntos.ke.mutant import Mutant
from ntos.ke.service import service
from ntos.ob import answer
from ntos.ob.handle import by_handle
from ntos.ob.insert import create_or_open, open_by_name
from ntos.ob.object import create
from ntos.ob.types import ObjectType

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

MUTANT: ObjectType[Mutant] = ObjectType(
    "Mutant",
    KMUTANT.size,
    Mutant,
    valid_access=rights.MUTANT_ALL_ACCESS,
    generic_mapping=(0x20001, 0x20000, 0x120000, rights.MUTANT_ALL_ACCESS),
    default_dispatcher=0,
    tag=b"Muta",
    invalid_attributes=0x100,
)
BASIC, OWNER = 0, 1


def _delete(mutant: Mutant) -> None:
    """A mutant that goes while it is held leaves its owner's list."""
    if mutant.view.OwnerThread:
        mutant.view.MutantListEntry.remove()


MUTANT.delete = _delete


@service
def NtCreateMutant(
    thread: Thread,
    MutantHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    InitialOwner: BOOLEAN,
) -> NTSTATUS:
    """Create a mutant, owned by the caller on request, or open the one that already bears the name."""

    def make() -> Mutant:
        made = create(thread.kernel, MUTANT)
        made.initialize(thread if InitialOwner else None)
        return made

    handle, status = create_or_open(thread, MUTANT, ObjectAttributes, DesiredAccess, make)
    MutantHandle.write(handle)
    return status


@service
def NtOpenMutant(
    thread: Thread,
    MutantHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
) -> NTSTATUS:
    """Open a mutant by name."""
    MutantHandle.write(open_by_name(thread, MUTANT, ObjectAttributes, DesiredAccess))
    return STATUS.SUCCESS


@service
def NtReleaseMutant(thread: Thread, MutantHandle: HANDLE, PreviousCount: Out[LONG] | None) -> NTSTATUS:
    """Give up one acquisition; MUTANT_NOT_OWNED unless the caller holds it."""
    former = by_handle(thread, MutantHandle, 0, MUTANT).release(thread)
    if PreviousCount is not None:
        PreviousCount.write(former)
    return STATUS.SUCCESS


@service
def NtQueryMutant(
    thread: Thread,
    MutantHandle: HANDLE,
    MutantInformationClass: ULONG,
    MutantInformation: PVOID,
    MutantInformationLength: ULONG,
    ReturnLength: Out[ULONG] | None,
) -> NTSTATUS:
    """A mutant's count (basic, 0) or who owns it (1)."""
    mutant = by_handle(thread, MutantHandle, rights.MUTANT_QUERY_STATE, MUTANT)
    owner = int(mutant.view.OwnerThread)
    if MutantInformationClass == BASIC:
        basic = MUTANT_BASIC_INFORMATION.new()
        basic.CurrentCount = mutant.header.SignalState
        basic.OwnedByCaller = int(owner == thread.address)
        basic.AbandonedState = mutant.view.Abandoned
        return answer.exact(thread, MutantInformation, MutantInformationLength, basic, ReturnLength)
    if MutantInformationClass != OWNER:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    information = MUTANT_OWNER_INFORMATION.new()
    if owner:
        information.ClientId = thread.kernel.threads[owner].ethread.Cid
    return answer.exact(thread, MutantInformation, MutantInformationLength, information, ReturnLength)
