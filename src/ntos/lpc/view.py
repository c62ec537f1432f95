"""Views: a region of a port section as each side sees it.

The sender makes a view and writes into it; a message that carries it brings its region to the receiver, in whose
process it is mapped on receipt. What each process sees hangs in its EPROCESS.AlpcContext.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import mm
from ntos.abi.layout.alpc_api import ALPC_DATA_VIEW_ATTR
from ntos.abi.layout.alpc_parts import KALPC_REGION, KALPC_VIEW
from ntos.abi.mm import PAGE_READONLY, PAGE_READWRITE
from ntos.abi.pointer import Ptr
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import HANDLE, NTSTATUS, PVOID, ULONG
from ntos.ke.service import service
from ntos.lpc.port import CONNECTION, Port, port_by_handle
from ntos.lpc.section import PortSection

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

REGION_TAG, VIEW_TAG = b"AlRg", b"AlVi"
PAGE = 0x1000


def initialize_process(process: Process) -> None:
    """A process sees no views yet (EPROCESS.AlpcContext)."""
    head = process.eprocess.AlpcContext.ViewListHead
    if not head.Flink:
        head.initialize()


class Region:
    """KALPC_REGION at `address`: lives while a view shows it or a message brings it."""

    def __init__(self, section: PortSection, size: int) -> None:
        self.kernel = section.kernel
        self.section = section
        self.size = -(-size // PAGE) * PAGE
        self.offset = section.place(self.size)
        self.address = self.kernel.pool.allocate(KALPC_REGION.size, REGION_TAG, paged=True)
        self.view = KALPC_REGION(self.kernel.memory, self.address)
        self.view.ViewListHead.initialize()
        self.view.Section = section.address
        self.view.Offset = self.offset
        self.view.Size = self.size
        self.view.ViewSize = size
        self.view.Secure = int(section.secure)
        section.view.RegionListHead.insert_tail(self.view.RegionListEntry)
        section.view.NumberOfRegions = int(section.view.NumberOfRegions) + 1
        section.regions.append(self)
        self.views: list[View] = []
        self.messages = 0

    def view_for(self, port: Port) -> View:
        """How it is seen through a port, mapped into the port's owner now if it is not yet."""
        for view in self.views:
            if view.port is port:
                return view
        return View(self, port, writable=not self.section.secure)

    def hold(self) -> Region:
        """A message brings it."""
        self.messages += 1
        return self

    def release(self) -> None:
        """The message is over."""
        self.messages -= 1
        self.settle()

    def settle(self) -> None:
        """Go, if nobody sees it and no message brings it."""
        if self.views or self.messages:
            return
        self.view.RegionListEntry.remove()
        self.section.view.NumberOfRegions = int(self.section.view.NumberOfRegions) - 1
        self.section.regions.remove(self)
        self.kernel.pool.free(self.address)
        self.section.settle()


class View:
    """KALPC_VIEW at `address`: a region in one process, owned by that process's port."""

    def __init__(self, region: Region, port: Port, *, writable: bool) -> None:
        self.kernel = region.kernel
        self.region = region
        self.port = port
        self.process = port.owner
        protection = PAGE_READWRITE if writable else PAGE_READONLY
        self.base, self.size, _ = mm.map_view(
            self.process, region.section.section, offset=region.offset, size=region.size, protection=protection
        )
        self.address = self.kernel.pool.allocate(KALPC_VIEW.size, VIEW_TAG, paged=True)
        self.view = KALPC_VIEW(self.kernel.memory, self.address)
        self.view.Region = region.address
        self.view.OwnerPort = port.address
        self.view.OwnerProcess = self.process.address
        self.view.Address = self.base
        self.view.Size = int(region.view.ViewSize)
        self.view.WriteAccess = int(writable)
        region.view.ViewListHead.insert_tail(self.view.ViewListEntry)
        region.view.NumberOfViews = int(region.view.NumberOfViews) + 1
        setattr(region.view, "ReadWriteView" if writable else "ReadOnlyView", self.address)
        region.views.append(self)
        port.owned.append(self)
        initialize_process(self.process)
        self.process.eprocess.AlpcContext.ViewListHead.insert_tail(self.view.ProcessViewListEntry)

    def delete(self) -> None:
        """Take it out of the process."""
        region = self.region
        if not mm.space_of(self.process).deleted:
            try:
                mm.unmap_view(self.process, self.base)
            except NtError:
                self.base = 0  # the program has unmapped it itself
        self.view.ViewListEntry.remove()
        self.view.ProcessViewListEntry.remove()
        region.view.NumberOfViews = int(region.view.NumberOfViews) - 1
        for name in ("ReadWriteView", "ReadOnlyView"):
            if getattr(region.view, name) == self.address:
                setattr(region.view, name, 0)
        region.views.remove(self)
        self.port.owned.remove(self)
        self.kernel.pool.free(self.address)
        region.settle()


def view_at(port: Port, base: int) -> View | None:
    """The view that begins at an address and is the port's, or that of a port whose messages it receives."""
    ports = [port, port.queue_port]
    if port.kind == CONNECTION:
        ports += [link.server for link in port.link.connections() if link.server is not None]
    owned = (one for owner in ports for one in owner.owned)
    return next((one for one in owned if isinstance(one, View) and one.base == base), None)


@service(partial="the sender of a secure section's view keeps its own write access")
def NtAlpcCreateSectionView(
    thread: Thread, PortHandle: HANDLE, Flags: ULONG, ViewAttributes: Ptr[ALPC_DATA_VIEW_ATTR]
) -> NTSTATUS:
    """Cut a view from a port section and map it into the caller: ViewBase and ViewSize come back."""
    port = port_by_handle(thread, PortHandle)
    said = ALPC_DATA_VIEW_ATTR.parse(ViewAttributes.read_bytes(ALPC_DATA_VIEW_ATTR.size))
    if Flags or said.Flags or not said.ViewSize:
        raise NtError(STATUS.INVALID_PARAMETER)
    section = port.link.handles.find(said.SectionHandle, PortSection)
    limit = int(port.view.PortAttributes.MaxViewSize)
    if said.ViewSize > min(limit, section.size):
        raise NtError(
            STATUS.INVALID_VIEW_SIZE,
            because=Denied(
                "a view is no larger than port and section allow",
                {"ViewSize": int(said.ViewSize), "MaxViewSize": limit, "section": section.size},
                "ask for less",
            ),
        )
    region = Region(section, int(said.ViewSize))
    try:
        view = View(region, port, writable=True)
    except NtError:
        region.settle()
        raise
    answer = ViewAttributes.read()
    answer.ViewBase = view.base
    answer.ViewSize = view.size
    return STATUS.SUCCESS


@service
def NtAlpcDeleteSectionView(thread: Thread, PortHandle: HANDLE, Flags: ULONG, ViewBase: PVOID) -> NTSTATUS:
    """Unmap a view the port's owner has, made here or received."""
    port = port_by_handle(thread, PortHandle)
    if Flags:
        raise NtError(STATUS.INVALID_PARAMETER)
    view = view_at(port, ViewBase)
    if view is None:
        raise NtError(STATUS.INVALID_PARAMETER)
    view.delete()
    return STATUS.SUCCESS
