"""Data control areas: pages of a file, the same frames in every view, written back when views go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.section import MSUBSECTION, SUBSECTION
from ntos.abi.memory import PAGE_SIZE
from ntos.abi.status import STATUS, NtError
from ntos.hal.paging import FRAME_MASK, PRESENT
from ntos.mm.backing import Coherent
from ntos.mm.control import ControlArea, Part
from ntos.mm.protect import MM_EXECUTE_READWRITE

if TYPE_CHECKING:
    from ntos.abi.types import NTSTATUS
    from ntos.mm.backing import Backing
    from ntos.mm.manager import MemoryManager


class FileArea(ControlArea):
    """The pages of one file that sections of it share."""

    is_file = True
    backing: Backing

    def __init__(self, manager: MemoryManager, backing: Backing, size: int) -> None:
        pages = -(-size // PAGE_SIZE)
        self.size = size
        part = Part(0, pages, pages, MM_EXECUTE_READWRITE, 0, size)
        super().__init__(manager, [part], backing)
        self._set_prototypes(part)
        if isinstance(backing, Coherent):
            backing.show_mapped(self)

    def _set_prototypes(self, part: Part) -> None:
        entry = self.file_entry(part).to_bytes(8, "little")
        self.kernel.memory.write(part.prototypes, entry * part.count)

    def content(self, page: int) -> bytes:
        """What the file holds there now."""
        return self.backing.read(page * PAGE_SIZE, PAGE_SIZE)

    def extend(self, size: int) -> None:
        """Cover `size` bytes of the file: a further subsection with prototype entries of its own."""
        if size <= self.size:
            return
        pages = -(-size // PAGE_SIZE)
        self.size = size
        if pages > self.pages:
            pool = self.kernel.pool
            count = pages - self.pages
            part = Part(
                self.pages, count, count, MM_EXECUTE_READWRITE, self.pages * PAGE_SIZE, count * PAGE_SIZE
            )
            part.address = pool.allocate(MSUBSECTION.size, self.tag)
            part.prototypes = pool.allocate(8 * count, b"MmSt", paged=True)
            self._extensions += [part.address, part.prototypes]
            self._write_subsection(part, 0)
            SUBSECTION(self.kernel.memory, self.parts[-1].address).NextSubsection = part.address
            self.parts.append(part)
            self._firsts.append(part.first)
            self.pages = pages
            self._set_prototypes(part)
        self.segment.TotalNumberOfPtes = self.pages
        self.segment.SizeOfSegment = self.pages * PAGE_SIZE

    def resident(self, first: int, end: int) -> list[tuple[int, int]]:
        """(page, frame) of those pages of [first, end) that are in memory."""
        found = []
        for page in range(first, min(end, self.pages)):
            entry = self.words[self.position(page)]
            if entry & PRESENT:
                found.append((page, entry & FRAME_MASK))
        return found

    def flush(self, first: int, end: int) -> NTSTATUS:
        """Write the dirty pages of [first, end) to the file; what lies behind its end is not written."""
        buffer = self.physical.buffer
        status = STATUS.SUCCESS
        for page, frame in self.resident(first, end):
            if not self.clean_views(page):
                continue
            size = min(PAGE_SIZE, max(self.size, self.backing.size) - page * PAGE_SIZE)
            try:
                self.backing.write(page * PAGE_SIZE, bytes(buffer[frame : frame + max(size, 0)]))
            except NtError as error:
                self.mark_dirty(page)
                status = error.status
        return status

    def collect(self, offset: int, size: int) -> None:
        """Write modified pages in that range to the file: somebody reads it by other means."""
        self.flush(offset // PAGE_SIZE, -(-(offset + size) // PAGE_SIZE))

    def changed(self, offset: int, data: bytes) -> None:
        """The file was written by other means: bring the pages in memory up to date."""
        buffer = self.physical.buffer
        end = offset + len(data)
        for page, frame in self.resident(offset // PAGE_SIZE, -(-end // PAGE_SIZE)):
            start = max(offset, page * PAGE_SIZE)
            stop = min(end, (page + 1) * PAGE_SIZE)
            into = frame + start - page * PAGE_SIZE
            buffer[into : into + stop - start] = data[start - offset : stop - offset]

    def unused(self) -> None:
        """Write back what is dirty and let the pages go."""
        self.flush(0, self.pages)
        self.manager.files.pop(self.backing.identity, None)
        if isinstance(self.backing, Coherent):
            self.backing.show_mapped(None)
        self.destroy()


def check_truncation(area: FileArea, size: int) -> None:
    """USER_MAPPED_FILE where a view or section covers bytes past `size` (MmCanFileBeTruncated)."""
    if area.in_use and -(-size // PAGE_SIZE) < area.pages:
        raise NtError(STATUS.USER_MAPPED_FILE)
