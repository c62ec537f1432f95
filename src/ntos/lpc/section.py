"""Port sections: memory for messages that are too large to copy.

A section of mm's with a handle of the connection's; views are cut from it in regions, first fit, at the
granularity views are mapped with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import mm, ob
from ntos.abi import access as rights
from ntos.abi.alpc import ALPC_SECURE_SECTION
from ntos.abi.layout.alpc_parts import KALPC_SECTION
from ntos.abi.pointer import Out
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import HANDLE, NTSTATUS, SIZE_T, ULONG
from ntos.ke.service import service
from ntos.lpc.port import Port, port_by_handle
from ntos.mm.section import SECTION_TYPE

if TYPE_CHECKING:
    from ntos.ke.thread import Thread
    from ntos.lpc.view import Region
    from ntos.mm import Section

TAG = b"AlSc"
GRANULARITY = 0x10000
MAP_ACCESS = rights.SECTION_MAP_READ | rights.SECTION_MAP_WRITE


class PortSection:
    """KALPC_SECTION at `address`, with a reference to the section object."""

    def __init__(self, port: Port, section: Section, size: int, *, internal: bool, secure: bool) -> None:
        """Takes over the caller's reference to `section`."""
        self.kernel = port.kernel
        self.address = self.kernel.pool.allocate(KALPC_SECTION.size, TAG, paged=True)
        self.view = KALPC_SECTION(self.kernel.memory, self.address)
        self.view.RegionListHead.initialize()
        self.view.SectionObject = section.address
        self.view.Size = size
        self.view.OwnerProcess = int(port.view.OwnerProcess)
        self.view.OwnerPort = port.address
        self.view.Internal = int(internal)
        self.view.Secure = int(secure)
        self.port = port
        self.section = section
        self.size = size
        self.regions: list[Region] = []
        self.handle = port.link.handles.insert(self)
        self.view.HandleTable = port.link.view.HandleTable.address
        self.view.SectionHandle = self.handle
        port.owned.append(self)

    @property
    def secure(self) -> bool:
        """The receiver of a view may not write to it."""
        return bool(self.view.Secure)

    def place(self, size: int) -> int:
        """The offset of a free piece. NO_MEMORY where none is large enough."""
        offset = 0
        for region in sorted(self.regions, key=lambda region: region.offset):
            if region.offset - offset >= size:
                break
            offset = -(-(region.offset + region.size) // GRANULARITY) * GRANULARITY
        if offset + size > self.size:
            raise NtError(STATUS.NO_MEMORY)
        return offset

    def delete(self) -> None:
        """Its handle is closed; regions in use keep the memory."""
        if self.handle:
            self.port.link.handles.remove(self.handle)
            self.port.owned.remove(self)
            self.handle = 0
            self.view.SectionHandle = 0
            self.settle()

    def settle(self) -> None:
        """Go, if neither a handle nor a region is left."""
        if not self.handle and not self.regions:
            ob.dereference(self.section)
            self.kernel.pool.free(self.address)


def _check_size(port: Port, size: int) -> None:
    limits = port.view.PortAttributes
    total = size + sum(one.size for one in port.owned if isinstance(one, PortSection))
    if size > limits.MaxSectionSize or total > limits.MaxTotalSectionSize:
        raise NtError(
            STATUS.SECTION_TOO_BIG,
            because=Denied(
                "a port's sections are no larger than its attributes allow",
                {
                    "size": size,
                    "MaxSectionSize": int(limits.MaxSectionSize),
                    "all together": total,
                    "MaxTotalSectionSize": int(limits.MaxTotalSectionSize),
                },
                "make the port with larger limits",
            ),
        )


@service
def NtAlpcCreatePortSection(
    thread: Thread,
    PortHandle: HANDLE,
    Flags: ULONG,
    SectionHandle: HANDLE,
    SectionSize: SIZE_T,
    AlpcSectionHandle: Out[HANDLE],
    ActualSectionSize: Out[SIZE_T],
) -> NTSTATUS:
    """Give a communication port memory to cut views from: new, or a section the caller has."""
    port = port_by_handle(thread, PortHandle)
    secure = bool(Flags & ALPC_SECURE_SECTION)
    if Flags & ~ALPC_SECURE_SECTION or (secure and SectionHandle) or not (SectionSize or SectionHandle):
        raise NtError(STATUS.INVALID_PARAMETER)
    if SectionHandle:
        section = ob.by_handle(thread, SectionHandle, MAP_ACCESS, SECTION_TYPE)
        size = SectionSize or section.size
        if section.is_image or size > section.size:
            raise NtError(STATUS.INVALID_PARAMETER)
        _check_size(port, size)
        ob.reference(section)
    else:
        _check_size(port, SectionSize)
        section = mm.create_section(thread.kernel, None, SectionSize)
        size = section.size
    made = PortSection(port, section, size, internal=not SectionHandle, secure=secure)
    AlpcSectionHandle.write(made.handle)
    ActualSectionSize.write(size)
    return STATUS.SUCCESS


@service
def NtAlpcDeletePortSection(thread: Thread, PortHandle: HANDLE, Flags: ULONG, SectionHandle: HANDLE) -> NTSTATUS:
    """Close a port section's handle; its views stay."""
    port = port_by_handle(thread, PortHandle)
    if Flags:
        raise NtError(STATUS.INVALID_PARAMETER)
    port.link.handles.find(SectionHandle, PortSection).delete()
    return STATUS.SUCCESS
