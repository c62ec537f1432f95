"""Image sections: laid out, relocated once, shared among processes until somebody writes."""

from __future__ import annotations

import struct
import time
from typing import Any

import pytest

from ntos import mm, ob
from ntos.abi.layout.section import CONTROL_AREA, SEGMENT, SUBSECTION
from ntos.abi.mm import (
    MEM_COMMIT,
    MEM_IMAGE,
    PAGE_EXECUTE_READ,
    PAGE_EXECUTE_READWRITE,
    PAGE_EXECUTE_WRITECOPY,
    PAGE_READONLY,
    PAGE_READWRITE,
    PAGE_WRITECOPY,
    SEC_IMAGE_NO_EXECUTE,
)
from ntos.abi.pe.build import CODE, DEFAULT_DLL_FLAGS, READ_ONLY, READ_WRITE, ImageBuilder
from ntos.abi.status import STATUS, GuestFault, NtError
from ntos.hal.paging import COPY_ON_WRITE, PRESENT

PREFERRED = 0x1_8000_0000
TEXT, DATA = 0x1000, 0x3000


def image(*, pages: int = 1, relocatable: bool = True) -> bytes:
    """A library with code, a pointer to itself in its data, and read-only data."""
    flags = DEFAULT_DLL_FLAGS if relocatable else 0x100
    builder = ImageBuilder(base=PREFERRED, dll_characteristics=flags)
    builder.section(".text", b"\xc3" + b"\x90" * 0x1FFF, CODE)
    content = struct.pack("<Q", PREFERRED + TEXT) + b"data"
    assert builder.section(".data", content, READ_WRITE, virtual_size=0x3000) == DATA
    builder.section(".rdata", b"constant" * 512 * pages, READ_ONLY)
    if relocatable:
        builder.relocate([DATA])
    return builder.build()


@pytest.fixture
def library() -> mm.BytesBacking:
    """A library file."""
    return mm.BytesBacking(image(), "\\Device\\HarddiskVolume1\\library.dll")


def test_an_image_lies_at_its_base_relocated(memory: Any, library: mm.BytesBacking) -> None:
    """The mapped header and every relocated pointer name the base that the image has in this boot."""
    section = mm.create_image_section(memory.kernel, library)
    base, size, status = mm.map_view(memory.process, section)
    user = memory.process.memory
    assert (base, status) == (section.base, STATUS.SUCCESS)
    assert 0x7FF0_0000_0000 <= base < 0x8000_0000_0000
    nt = struct.unpack("<I", user.read(base + 0x3C, 4))[0]
    assert struct.unpack("<Q", user.read(base + nt + 0x30, 8))[0] == base
    assert struct.unpack("<Q", user.read(base + DATA, 8))[0] == base + TEXT
    assert user.read(base + DATA + 8, 4) == b"data"
    assert user.read(base + DATA + 0x2000, 16) == bytes(16)
    assert size >= 0x8000


def test_each_section_has_its_protection(memory: Any, library: mm.BytesBacking) -> None:
    """VirtualQuery tells each part's protection, and EXECUTE_WRITECOPY for the whole."""
    base, _, _ = mm.map_view(memory.process, mm.create_image_section(memory.kernel, library))
    told = []
    address = base
    while (region := mm.query(memory.space, address)).allocation_base == base:
        assert (region.type, region.state, region.allocation_protect) == (
            MEM_IMAGE, MEM_COMMIT, PAGE_EXECUTE_WRITECOPY,
        )  # fmt: skip
        told.append((address - base, region.size, region.protect))
        address += region.size
    assert told == [
        (0, 0x1000, PAGE_READONLY),
        (TEXT, 0x2000, PAGE_EXECUTE_READ),
        (DATA, 0x3000, PAGE_WRITECOPY),
        (0x6000, 0x2000, PAGE_READONLY),
    ]


def test_processes_share_frames_until_one_writes(memory: Any, library: mm.BytesBacking) -> None:
    """Two processes see one frame; a write gives the writer a copy and leaves the other's page alone."""
    section = mm.create_image_section(memory.kernel, library)
    other = memory.new_process()
    base, _, _ = mm.map_view(memory.process, section)
    assert mm.map_view(other, section)[0] == base
    page = base + DATA
    assert memory.process.memory.read(page, 8) == other.memory.read(page, 8)
    assert memory.process.tables.entry(page) == other.tables.entry(page)
    assert memory.process.tables.entry(page) & COPY_ON_WRITE
    memory.process.memory.write(page + 8, b"mine")
    assert other.memory.read(page + 8, 4) == b"data"
    assert memory.process.memory.read(page, 12)[8:] == b"mine"
    assert mm.query(memory.space, page).protect == PAGE_READWRITE
    assert int(memory.process.eprocess.CommitCharge) == 1
    assert not memory.process.tables.entry(page) & COPY_ON_WRITE


def test_code_cannot_be_written_until_protected(memory: Any, library: mm.BytesBacking) -> None:
    """Writing code is an access violation; after VirtualProtect it makes a private copy."""
    section = mm.create_image_section(memory.kernel, library)
    other = memory.new_process()
    base, _, _ = mm.map_view(memory.process, section)
    mm.map_view(other, section)
    with pytest.raises(GuestFault):
        memory.process.memory.write(base + TEXT, b"\xcc")
    assert mm.protect(memory.process, base + TEXT, 1, PAGE_EXECUTE_READWRITE) == PAGE_EXECUTE_READ
    assert mm.query(memory.space, base + TEXT).protect == PAGE_EXECUTE_WRITECOPY
    memory.process.memory.write(base + TEXT, b"\xcc")
    assert mm.protect(memory.process, base + TEXT, 1, PAGE_EXECUTE_READ) == PAGE_EXECUTE_READWRITE
    assert memory.process.memory.read(base + TEXT, 1) == b"\xcc"
    assert other.memory.read(base + TEXT, 1) == b"\xc3"


def test_a_second_view_in_the_same_process_is_not_at_its_base(memory: Any, library: mm.BytesBacking) -> None:
    """An image whose base is taken is mapped elsewhere with IMAGE_NOT_AT_BASE."""
    section = mm.create_image_section(memory.kernel, library)
    base, _, _ = mm.map_view(memory.process, section)
    other, _, status = mm.map_view(memory.process, section)
    assert (other != base, status) == (True, STATUS.IMAGE_NOT_AT_BASE)
    assert struct.unpack("<Q", memory.process.memory.read(other + DATA, 8))[0] == base + TEXT


def test_an_image_without_relocations_keeps_its_base(memory: Any) -> None:
    """An image that is not relocatable lies at the base its header asks for."""
    section = mm.create_image_section(memory.kernel, mm.BytesBacking(image(relocatable=False)))
    assert mm.map_view(memory.process, section)[0] == PREFERRED
    assert not section.image_information().ImageDynamicallyRelocated


def test_one_file_has_one_image_per_boot(memory: Any, library: mm.BytesBacking) -> None:
    """A second section of the same file leads to the same control area, also when the first is gone."""
    first = mm.create_image_section(memory.kernel, library)
    area = first.area
    ob.dereference(first)
    second = mm.create_image_section(memory.kernel, library)
    assert second.area is area


def test_a_changed_file_is_read_again_at_the_same_base(memory: Any, library: mm.BytesBacking) -> None:
    """A file written after its image was used gives a new image, at the base it had."""
    first = mm.create_image_section(memory.kernel, library)
    area, base = first.area, first.base
    ob.dereference(first)
    library.write(len(library.data) - 1, b"\1")
    second = mm.create_image_section(memory.kernel, library)
    assert second.area is not area
    assert second.base == base


def test_views_of_a_no_execute_image_run_nothing(memory: Any, library: mm.BytesBacking) -> None:
    """SEC_IMAGE_NO_EXECUTE maps code for reading only."""
    section = mm.create_section(memory.kernel, library, 0, PAGE_READONLY, SEC_IMAGE_NO_EXECUTE)
    base, _, _ = mm.map_view(memory.process, section)
    assert mm.query(memory.space, base + TEXT).protect == PAGE_READONLY
    with pytest.raises(GuestFault):
        memory.process.memory.fault(base + TEXT, 8)


def test_what_is_no_image_is_refused(memory: Any) -> None:
    """A file that does not begin with MZ gives INVALID_IMAGE_NOT_MZ."""
    with pytest.raises(NtError) as error:
        mm.create_image_section(memory.kernel, mm.BytesBacking(b"text" * 100))
    assert error.value.status == STATUS.INVALID_IMAGE_NOT_MZ


def test_the_structures_lead_to_one_another(memory: Any, library: mm.BytesBacking) -> None:
    """Subsections follow the control area, the segment leads back, prototype entries lead to frames."""
    section = mm.create_image_section(memory.kernel, library)
    base, _, _ = mm.map_view(memory.process, section)
    kernel_memory = memory.kernel.memory
    area = CONTROL_AREA(kernel_memory, int(section.view.u1.ControlArea))
    segment = SEGMENT(kernel_memory, int(area.Segment))
    assert int(segment.ControlArea) == area.address
    assert int(area.u.Flags.Image) == 1
    subsection, pages = area.address + CONTROL_AREA.size, 0
    while subsection:
        view = SUBSECTION(kernel_memory, subsection)
        assert int(view.ControlArea) == area.address
        assert int(view.SubsectionBase) == int(segment.PrototypePte) + 8 * pages
        pages += int(view.PtesInSubsection)
        subsection = int(view.NextSubsection)
    assert pages == int(segment.TotalNumberOfPtes) == int(segment.SizeOfSegment) >> 12
    memory.process.memory.read(base + TEXT, 1)
    entry = int.from_bytes(kernel_memory.read(int(segment.PrototypePte) + 8, 8), "little")
    frame = entry & 0xFFFF_FFFF_F000
    assert entry & PRESENT
    assert memory.process.tables.entry(base + TEXT) & 0xFFFF_FFFF_F000 == frame


def test_unmapping_gives_everything_back(memory: Any, library: mm.BytesBacking) -> None:
    """Views, copies and a forgotten image leave no frame and no commit behind."""
    user = memory.process.memory
    user.read(mm.allocate(memory.process, 0x1000), 1)

    def live() -> None:
        section = mm.create_image_section(memory.kernel, library)
        process = memory.new_process()
        base, _, _ = mm.map_view(process, section)
        process.memory.write(base + DATA, b"copy")
        process.memory.read(base, 0x6000)
        mm.unmap_view(process, base + 0x2345)
        mm.map_view(process, section)
        process.memory.read(base, 0x6000)
        mm.release_tables(process)
        ob.dereference(section)
        assert mm.flush_image_section(memory.kernel, library)

    before, committed = memory.frames(), mm.manager(memory.kernel).committed
    live()
    assert memory.frames() == before
    assert mm.manager(memory.kernel).committed == committed


def test_an_image_in_use_cannot_be_flushed(memory: Any, library: mm.BytesBacking) -> None:
    """MmFlushImageSection refuses while a section or view is there."""
    section = mm.create_image_section(memory.kernel, library)
    assert not mm.flush_image_section(memory.kernel, library)
    base, _, _ = mm.map_view(memory.process, section)
    ob.dereference(section)
    assert not mm.flush_image_section(memory.kernel, library)
    mm.unmap_view(memory.process, base)
    assert mm.flush_image_section(memory.kernel, library)


def test_mapping_again_costs_little(memory: Any) -> None:
    """A library another process has mapped costs less than a tenth of the first time."""
    backing = mm.BytesBacking(image(pages=1000))
    started = time.perf_counter()
    section = mm.create_image_section(memory.kernel, backing)
    mm.map_view(memory.process, section)
    first = time.perf_counter() - started
    other = memory.new_process()
    started = time.perf_counter()
    mm.map_view(other, mm.create_image_section(memory.kernel, backing))
    assert time.perf_counter() - started < first / 10
