"""Sections of memory and of data files: one set of pages for all who map them."""

from __future__ import annotations

from typing import Any

import pytest

from ntos import mm, ob
from ntos.abi.mm import (
    MEM_COMMIT,
    MEM_MAPPED,
    MEM_RESERVE,
    PAGE_NOACCESS,
    PAGE_READONLY,
    PAGE_READWRITE,
    PAGE_WRITECOPY,
    SEC_RESERVE,
)
from ntos.abi.status import STATUS, GuestFault, NtError
from ntos.hal.paging import DIRTY
from ntos.mm.datafile import FileArea


class Failing(mm.BytesBacking):
    """A file whose disk is broken."""

    def read(self, offset: int, size: int) -> bytes:
        raise NtError(STATUS.DEVICE_DATA_ERROR)


@pytest.fixture
def file() -> mm.BytesBacking:
    """A file of ten thousand bytes."""
    return mm.BytesBacking(bytes(range(250)) * 40, "\\Device\\HarddiskVolume1\\data.bin")


def test_shared_memory_is_one_memory(memory: Any) -> None:
    """What one process writes into shared memory the other reads, whichever touched it first."""
    section = mm.create_section(memory.kernel, None, 0x5000)
    other = memory.new_process()
    mine, size, _ = mm.map_view(memory.process, section)
    theirs, _, _ = mm.map_view(other, section)
    assert size == 0x5000
    assert other.memory.read(theirs + 0x1000, 2) == b"\0\0"
    memory.process.memory.write(mine + 0xFFF, b"ab")
    assert other.memory.read(theirs + 0xFFF, 2) == b"ab"
    other.memory.write(theirs, b"back")
    assert memory.process.memory.read(mine, 4) == b"back"


def test_shared_memory_lives_as_long_as_a_view(memory: Any) -> None:
    """Closing the section keeps the memory for its views; the last unmap gives frames and commit back."""
    memory.process.memory.read(mm.allocate(memory.process, 0x1000), 1)
    before, committed = memory.frames(), mm.manager(memory.kernel).committed
    section = mm.create_section(memory.kernel, None, 0x4000)
    base, _, _ = mm.map_view(memory.process, section)
    memory.process.memory.write(base, b"still here")
    ob.dereference(section)
    assert memory.process.memory.read(base, 5) == b"still"
    assert mm.manager(memory.kernel).committed == committed + 4
    mm.unmap_view(memory.process, base)
    assert (memory.frames(), mm.manager(memory.kernel).committed) == (before, committed)


def test_a_reserved_section_is_committed_through_a_view(memory: Any) -> None:
    """Pages of a SEC_RESERVE section exist once MEM_COMMIT through any view has asked for them."""
    section = mm.create_section(memory.kernel, None, 0x8000, PAGE_READWRITE, SEC_RESERVE)
    other = memory.new_process()
    mine, _, _ = mm.map_view(memory.process, section)
    theirs, _, _ = mm.map_view(other, section)
    with pytest.raises(GuestFault):
        memory.process.memory.read(mine, 1)
    mm.commit(memory.process, mine + 0x2000, 0x1000)
    memory.process.memory.write(mine + 0x2000, b"x")
    assert other.memory.read(theirs + 0x2000, 1) == b"x"
    assert mm.query(memory.space, mine).state == MEM_RESERVE
    region = mm.query(memory.space, mine + 0x2000)
    assert (region.state, region.size, region.type) == (MEM_COMMIT, 0x1000, MEM_MAPPED)
    with pytest.raises(NtError) as error:
        mm.protect(memory.process, mine, 0x8000, PAGE_READONLY)
    assert error.value.status == STATUS.NOT_COMMITTED


def test_a_file_is_read_page_by_page_and_zero_behind_its_end(memory: Any, file: mm.BytesBacking) -> None:
    """A view shows the file, and zeroes behind its end."""
    section = mm.create_section(memory.kernel, file, 0, PAGE_READONLY)
    base, size, _ = mm.map_view(memory.process, section)
    assert size == 0x3000
    assert memory.process.memory.read(base, 10000) == bytes(file.data)
    assert memory.process.memory.read(base + 10000, 100) == bytes(100)


def test_what_is_written_reaches_the_file_when_the_view_goes(memory: Any, file: mm.BytesBacking) -> None:
    """Modified pages are written at unmap, not beyond the end of the file; clean pages are not."""
    section = mm.create_section(memory.kernel, file, 0, PAGE_READWRITE)
    base, _, _ = mm.map_view(memory.process, section)
    memory.process.memory.read(base, 0x2000)
    assert not memory.process.tables.entry(base) & DIRTY
    memory.process.memory.write(base + 0x2000, b"written")
    assert bytes(file.data[0x2000:0x2007]) != b"written"
    mm.unmap_view(memory.process, base)
    assert bytes(file.data[0x2000:0x2007]) == b"written"
    assert (len(file.data), file.version) == (10000, 1)


def test_all_sections_of_a_file_share_pages(memory: Any, file: mm.BytesBacking) -> None:
    """Two sections made of the same file show each other's writes; flushing makes entries clean again."""
    first = mm.create_section(memory.kernel, file, 0, PAGE_READWRITE)
    second = mm.create_section(
        memory.kernel, mm.BytesBacking(b"", identity=file.identity), 100, PAGE_READWRITE
    )
    other = memory.new_process()
    mine, _, _ = mm.map_view(memory.process, first)
    theirs, _, _ = mm.map_view(other, second)
    memory.process.memory.write(mine, b"seen")
    assert other.memory.read(theirs, 4) == b"seen"
    first.area.flush(0, 1)
    assert bytes(file.data[:4]) == b"seen"
    assert not memory.process.tables.entry(mine) & DIRTY
    memory.process.memory.write(mine, b"anew")
    assert memory.process.tables.entry(mine) & DIRTY


def test_a_copying_view_keeps_its_writes_to_itself(memory: Any, file: mm.BytesBacking) -> None:
    """PAGE_WRITECOPY gives a private page at the first write; the file and others do not change."""
    section = mm.create_section(memory.kernel, file, 0, PAGE_READONLY)
    mine, _, _ = mm.map_view(memory.process, section, protection=PAGE_WRITECOPY)
    again, _, _ = mm.map_view(memory.process, section)
    memory.process.memory.write(mine + 1, b"private")
    assert memory.process.memory.read(again, 8) == bytes(range(8))
    assert mm.query(memory.space, mine).protect == PAGE_READWRITE
    assert mm.query(memory.space, mine).size == 0x1000
    assert mm.query(memory.space, mine + 0x1000).protect == PAGE_WRITECOPY
    mm.unmap_view(memory.process, mine)
    assert bytes(file.data[:8]) == bytes(range(8))


def test_a_view_may_not_do_more_than_its_section(memory: Any, file: mm.BytesBacking) -> None:
    """A writable view of a read-only section, and protecting a view for more, give SECTION_PROTECTION."""
    section = mm.create_section(memory.kernel, file, 0, PAGE_READONLY)
    with pytest.raises(NtError) as error:
        mm.map_view(memory.process, section, protection=PAGE_READWRITE)
    assert error.value.status == STATUS.SECTION_PROTECTION
    base, _, _ = mm.map_view(memory.process, section)
    with pytest.raises(NtError) as error:
        mm.protect(memory.process, base, 1, PAGE_READWRITE)
    assert error.value.status == STATUS.SECTION_PROTECTION
    assert mm.protect(memory.process, base, 0x1000, PAGE_NOACCESS) == PAGE_READONLY
    with pytest.raises(GuestFault):
        memory.process.memory.read(base, 1)
    mm.protect(memory.process, base, 0x1000, PAGE_READONLY)
    assert memory.process.memory.read(base, 2) == b"\0\1"


def test_a_writable_section_makes_its_file_longer(memory: Any, file: mm.BytesBacking) -> None:
    """A section larger than its file extends it if it may write, else SECTION_TOO_BIG; no empty ones."""
    with pytest.raises(NtError) as error:
        mm.create_section(memory.kernel, file, 20000, PAGE_READONLY)
    assert error.value.status == STATUS.SECTION_TOO_BIG
    mm.create_section(memory.kernel, file, 20000, PAGE_READWRITE)
    assert len(file.data) == 20000
    with pytest.raises(NtError) as error:
        mm.create_section(memory.kernel, mm.BytesBacking(b""), 0, PAGE_READONLY)
    assert error.value.status == STATUS.MAPPED_FILE_SIZE_ZERO


def test_a_longer_section_of_a_mapped_file_grows_its_pages(memory: Any, file: mm.BytesBacking) -> None:
    """Extending keeps the pages that are mapped and adds a subsection for the new ones."""
    first = mm.create_section(memory.kernel, file, 0, PAGE_READWRITE)
    base, _, _ = mm.map_view(memory.process, first)
    memory.process.memory.write(base, b"kept")
    second = mm.create_section(memory.kernel, file, 0x9000, PAGE_READWRITE)
    longer, size, _ = mm.map_view(memory.process, second)
    assert size == 0x9000
    memory.process.memory.write(longer + 0x8FFF, b"!")
    assert memory.process.memory.read(longer, 4) == b"kept"
    assert len(second.area.parts) == 2
    mm.unmap_view(memory.process, longer)
    assert bytes(file.data[0x8FFF:]) == b"!"


def test_file_and_mapped_pages_agree_for_those_who_use_both(memory: Any, file: mm.BytesBacking) -> None:
    """`collect` writes modified pages before a read of the file, `changed` shows a write in the views."""
    section = mm.create_section(memory.kernel, file, 0, PAGE_READWRITE)
    base, _, _ = mm.map_view(memory.process, section)
    memory.process.memory.write(base + 5, b"mapped")
    area = section.area
    assert isinstance(area, FileArea)
    area.collect(0, 100)
    assert bytes(file.data[5:11]) == b"mapped"
    area.changed(0xFFE, b"file")
    memory.process.memory.read(base + 0x1000, 1)
    area.changed(0x1000, b"le")
    assert memory.process.memory.read(base + 0x1000, 2) == b"le"
    assert memory.process.memory.read(base + 0xFFE, 2) == b"fi"


def test_a_broken_disk_is_an_in_page_error(memory: Any) -> None:
    """A page whose file cannot be read raises a fault with the file's status."""
    section = mm.create_section(memory.kernel, Failing(bytes(100)), 0, PAGE_READONLY)
    base, _, _ = mm.map_view(memory.process, section)
    with pytest.raises(GuestFault) as fault:
        memory.process.memory.read(base, 1)
    assert fault.value.status == STATUS.DEVICE_DATA_ERROR


def test_views_begin_at_64_kilobytes(memory: Any) -> None:
    """Offsets and addresses of views are multiples of the allocation granularity."""
    section = mm.create_section(memory.kernel, None, 0x40000)
    for offset, address in ((0x1000, 0), (0, 0x5000_1000)):
        with pytest.raises(NtError) as error:
            mm.map_view(memory.process, section, offset=offset, address=address)
        assert error.value.status == STATUS.MAPPED_ALIGNMENT
    whole, _, _ = mm.map_view(memory.process, section)
    part, size, _ = mm.map_view(memory.process, section, offset=0x20000, size=0x1800)
    assert size == 0x2000
    memory.process.memory.write(whole + 0x21000, b"x")
    assert memory.process.memory.read(part + 0x1000, 1) == b"x"
    with pytest.raises(NtError) as error:
        mm.map_view(memory.process, section, offset=0x30000, size=0x20000)
    assert error.value.status == STATUS.INVALID_VIEW_SIZE


def test_the_shared_page_of_the_kernel_is_everywhere(memory: Any) -> None:
    """KUSER_SHARED_DATA is one frame, read-only at 0x7FFE0000, which nobody can change or release."""
    manager = mm.manager(memory.kernel)
    manager.shared_data = memory.physical.allocate()
    memory.physical.buffer[manager.shared_data : manager.shared_data + 4] = b"tick"
    process = memory.new_process()
    assert process.memory.read(0x7FFE0000, 4) == b"tick"
    with pytest.raises(GuestFault):
        process.memory.write(0x7FFE0000, b"x")
    for change in (lambda: mm.free(process, 0x7FFE0000), lambda: mm.protect(process, 0x7FFE0000, 1, 4)):
        with pytest.raises(NtError):
            change()
    mm.release_tables(process)
    assert memory.physical.references[manager.shared_data >> 12] == 1
