"""Control areas: the pages of one file, image or piece of shared memory, with their prototype page-table
entries.

A CONTROL_AREA with its SUBSECTIONs behind it, a SEGMENT, and an array of prototype entries are bytes in
pool, as in NT. A prototype entry is valid once its page has been brought in; the area then holds one
reference to the frame, and each process that maps it another. Until then it says where the page comes from:
the file (a subsection entry) or zeroes (a demand-zero entry); empty, it is a page of a SEC_RESERVE section
that nobody has committed.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.layout.io import FILE_OBJECT
from ntos.abi.layout.memory import MMVAD
from ntos.abi.layout.section import CONTROL_AREA, MSUBSECTION, SECTION_OBJECT_POINTERS, SEGMENT, SUBSECTION
from ntos.abi.memory import PAGE_SIZE
from ntos.abi.status import STATUS
from ntos.hal.paging import DIRTY, FRAME_MASK, PRESENT, USER, WRITABLE
from ntos.mm.backing import OfFile
from ntos.mm.protect import CLEAN_BITS, MM_NOACCESS, PROTOTYPE, software

if TYPE_CHECKING:
    from ntos.abi.types import NTSTATUS
    from ntos.ke.kernel import Kernel
    from ntos.mm.backing import Backing
    from ntos.mm.manager import MemoryManager
    from ntos.mm.space import AddressSpace
    from ntos.mm.vad import Vad

_ADDRESS_SHIFT = 16
"""MMPTE_SUBSECTION keeps the lower 48 bits of the subsection's address from bit 16 on."""


@dataclass(slots=True)
class Part:
    """One subsection: `count` pages from `first` on, of which the first `used` may be touched."""

    first: int
    count: int
    used: int
    protection: int
    file_offset: int = 0
    file_size: int = 0
    shared: bool = False
    address: int = 0
    prototypes: int = 0


@dataclass(slots=True)
class View:
    """Where an area is mapped."""

    space: AddressSpace
    vad: Vad


class ControlArea:
    """Pages that views of several processes share."""

    tag = b"MmCa"
    is_image = False
    is_file = False
    base = 0

    def __init__(self, manager: MemoryManager, parts: list[Part], backing: Backing | None) -> None:
        self.manager = manager
        self.kernel: Kernel = manager.kernel
        self.words = manager.physical.words
        self.physical = manager.physical
        self.backing = backing
        self.file: ob.KernelObject | None = None
        self.parts = parts
        self._firsts = [part.first for part in parts]
        self.pages = parts[-1].first + parts[-1].count
        self.views: list[View] = []
        self.sections = 0
        self.charged = 0
        self._extensions: list[int] = []
        self._build()

    # ------------------------------------------------------------------ bytes

    def _build(self) -> None:
        kernel, pool = self.kernel, self.kernel.pool
        size = MSUBSECTION.size if self.is_file else SUBSECTION.size
        self.address = pool.allocate(CONTROL_AREA.size + size * len(self.parts), self.tag)
        self.segment_address = pool.allocate(SEGMENT.size, b"MmSm", paged=True)
        self.prototypes = pool.allocate(8 * self.pages, b"MmSt", paged=True)
        self.area = CONTROL_AREA(kernel.memory, self.address)
        self.segment = SEGMENT(kernel.memory, self.segment_address)
        self.area.Segment = self.segment_address
        self.area.ListHead.initialize()
        flags = self.area.u.Flags
        flags.Image, flags.File = self.is_image, self.backing is not None
        self.segment.ControlArea = self.address
        self.segment.TotalNumberOfPtes = self.pages
        self.segment.SizeOfSegment = self.pages * PAGE_SIZE
        self.segment.PrototypePte = self.prototypes
        for number, part in enumerate(self.parts):
            part.address = self.address + CONTROL_AREA.size + number * size
            part.prototypes = self.prototypes + 8 * part.first
            following = part.address + size if number + 1 < len(self.parts) else 0
            self._write_subsection(part, following)
        self.hold_file()

    def _write_subsection(self, part: Part, following: int) -> None:
        subsection = SUBSECTION(self.kernel.memory, part.address)
        subsection.ControlArea = self.address
        subsection.SubsectionBase = part.prototypes
        subsection.NextSubsection = following
        subsection.StartingSector = part.file_offset >> 9
        subsection.NumberOfFullSectors = part.file_size >> 9
        subsection.PtesInSubsection = part.count
        subsection.UnusedPtes = part.count - part.used
        flags = subsection.u.SubsectionFlags
        flags.Protection = part.protection
        flags.SectorEndOffset = part.file_size & 0x1FF

    def hold_file(self) -> None:
        """Keep the file object alive, where there is one, and lead from each to the other."""
        backing: object = self.backing
        if isinstance(backing, OfFile):
            self.file = backing.file
            ob.reference(self.file)
            self._link_file(self.file, self.address)

    def let_file_go(self) -> None:
        """Undo `hold_file`; the file object may be gone afterwards."""
        file, self.file = self.file, None
        if file is not None:
            self._link_file(file, 0)
            ob.dereference(file)

    def _link_file(self, file: ob.KernelObject, value: int) -> None:
        """FILE_OBJECT.SectionObjectPointer leads to the area (`value` 0: no longer), and the area to the
        file.
        """
        memory = self.kernel.memory
        pointers = int(FILE_OBJECT(memory, file.address).SectionObjectPointer)
        if pointers:
            linked = SECTION_OBJECT_POINTERS(memory, pointers)
            if self.is_image:
                linked.ImageSectionObject = value
            else:
                linked.DataSectionObject = value
        self.area.FilePointer.Value = file.address if value else 0

    # ------------------------------------------------------------------ pages

    def part_of(self, page: int) -> Part:
        """The subsection a page of the area belongs to."""
        return self.parts[bisect_right(self._firsts, page) - 1]

    def prototype_address(self, page: int) -> int:
        """Where a page's prototype entry stands."""
        part = self.parts[bisect_right(self._firsts, page) - 1]
        return part.prototypes + 8 * (page - part.first)

    def position(self, page: int) -> int:
        """The index in `words` of a page's prototype entry."""
        return self.kernel.memory.locate(self.prototype_address(page)) >> 3

    def protection_of(self, page: int) -> int:
        """The five bits the image or section gives a page."""
        part = self.parts[bisect_right(self._firsts, page) - 1]
        return part.protection if page - part.first < part.used else MM_NOACCESS

    def set_prototypes(self, first: int, end: int, entry: int) -> None:
        """Give pages that have none the entry `entry`."""
        words = self.words
        for page in range(first, end):
            position = self.position(page)
            if words[position] == 0:
                words[position] = entry

    def file_entry(self, part: Part) -> int:
        """The prototype entry of a page still in the file."""
        address = part.address & 0xFFFF_FFFF_FFFF
        return address << _ADDRESS_SHIFT | PROTOTYPE | software(part.protection)

    def frame_of(self, page: int, position: int) -> int:
        """The frame of a committed page, brought in if need be; NtError when its file cannot be read."""
        entry = self.words[position]
        if entry & PRESENT:
            return entry & FRAME_MASK
        frame = self.physical.allocate()
        data = self.content(page) if entry & PROTOTYPE else b""
        if data:
            self.physical.buffer[frame : frame + len(data)] = data
        self.words[position] = frame | CLEAN_BITS[self.protection_of(page)] & ~USER
        if not self.is_file and not self.is_image:
            self.manager.resident += 1
        return frame

    def content(self, page: int) -> bytes | memoryview:
        """The bytes a page begins with; what is missing is zero."""
        return b""

    def mark_dirty(self, page: int) -> None:
        """Somebody has written this page: the file no longer has its content."""
        self.words[self.position(page)] |= DIRTY

    # ------------------------------------------------------------------ lifetime

    def add_view(self, space: AddressSpace, vad: Vad) -> None:
        """A process maps the area."""
        self.views.append(View(space, vad))
        vad.link(self.address + CONTROL_AREA.offset("ListHead"), space.process.address)
        self.area.NumberOfMappedViews = len(self.views)
        self.area.NumberOfUserReferences = len(self.views) + self.sections

    def enter(self, space: AddressSpace, vad: Vad) -> None:
        """The same, and the range leads to the file."""
        self.add_view(space, vad)
        if self.file is not None:
            MMVAD(self.kernel.memory, vad.address).FileObject = self.file.address

    def remove_view(self, space: AddressSpace, vad: Vad) -> None:
        """A view goes; its pages have been released."""
        self.views = [view for view in self.views if view.vad is not vad]
        vad.unlink()
        self.area.NumberOfMappedViews = len(self.views)
        self.area.NumberOfUserReferences = len(self.views) + self.sections
        self.flush(vad.first_page, vad.first_page + vad.pages)
        self._rest()

    def add_section(self) -> None:
        """A section object leads here."""
        self.sections += 1
        self.area.NumberOfSectionReferences = self.sections
        self.area.NumberOfUserReferences = len(self.views) + self.sections

    def remove_section(self) -> None:
        """A section object is gone."""
        self.sections -= 1
        self.area.NumberOfSectionReferences = self.sections
        self.area.NumberOfUserReferences = len(self.views) + self.sections
        self._rest()

    @property
    def in_use(self) -> bool:
        """Whether a section object or a view holds the area."""
        return bool(self.sections or self.views)

    def _rest(self) -> None:
        if not self.in_use:
            self.unused()

    def unused(self) -> None:
        """Nobody holds the area any longer: shared memory is given back at once."""
        self.destroy()

    def flush(self, first: int, end: int) -> NTSTATUS:
        """Write dirty pages to the file; shared memory has none. Gives the last failure."""
        return STATUS.SUCCESS

    def destroy(self) -> None:
        """Give back frames, commit and pool."""
        words, physical, pool = self.words, self.physical, self.kernel.pool
        backend = self.kernel.platform.tables.backend
        for page in range(self.pages):
            position = self.position(page)
            entry = words[position]
            if entry & PRESENT:
                words[position] = 0
                if not self.is_file and not self.is_image:
                    self.manager.resident -= 1
                if physical.references[entry >> 12 & 0xF_FFFF_FFFF] == 1 and backend is not None:
                    backend.forget_code(entry & FRAME_MASK, PAGE_SIZE)
                physical.release(entry & FRAME_MASK)
        self.manager.uncharge(self.charged)
        self.charged = 0
        self.let_file_go()
        for block in (self.address, self.segment_address, self.prototypes, *self._extensions):
            pool.free(block)

    def clean_views(self, page: int) -> bool:
        """Gather the dirty bits of every entry that maps a page, and make those entries clean again."""
        words = self.words
        position = self.position(page)
        dirty = bool(words[position] & DIRTY)
        words[position] &= ~DIRTY
        for view in self.views:
            vad = view.vad
            offset = page - vad.first_page
            if not 0 <= offset < vad.pages:
                continue
            index = view.space.tables.entry_index((vad.start + offset) << 12)
            if index >= 0 and words[index] & (PRESENT | PROTOTYPE | DIRTY) == PRESENT | PROTOTYPE | DIRTY:
                dirty = True
                words[index] &= ~(DIRTY | WRITABLE)
                view.space.forget_translations()
        return dirty


class SharedMemory(ControlArea):
    """Memory backed by the paging file: zeroes at first."""

    def __init__(self, manager: MemoryManager, pages: int, protection: int, *, committed: bool) -> None:
        if committed:
            manager.charge(pages)
        super().__init__(manager, [Part(0, pages, pages, protection)], None)
        self.area.u.Flags.Commit = committed
        self.area.u.Flags.Reserve = not committed
        if committed:
            self.charged = pages
            self._commit_all(pages, protection)

    def _commit_all(self, pages: int, protection: int) -> None:
        entry = software(protection).to_bytes(8, "little")
        self.kernel.memory.write(self.prototypes, entry * pages)
        self.segment.NumberOfCommittedPages = pages

    def commit(self, first: int, end: int) -> None:
        """Commit pages of a SEC_RESERVE section that are not committed yet."""
        words = self.words
        positions = [self.position(page) for page in range(first, end)]
        fresh = [position for position in positions if words[position] == 0]
        self.manager.charge(len(fresh))
        self.charged += len(fresh)
        entry = software(self.parts[0].protection)
        for position in fresh:
            words[position] = entry
        self.segment.NumberOfCommittedPages = self.charged

    def has_uncommitted(self, first: int, end: int) -> bool:
        """Whether any of these pages is reserved only."""
        words = self.words
        return self.charged < self.pages and any(
            words[self.position(page)] == 0 for page in range(first, end)
        )
