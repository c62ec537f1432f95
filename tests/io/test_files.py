"""Files on a volume in memory: opening, bytes, sharing, deletion, information."""

from __future__ import annotations

import struct

import pytest

from ntos.abi.status import STATUS
from tests.io.conftest import (
    ALL,
    CREATE,
    DELETE_ON_CLOSE,
    DIRECTORY,
    NOT_DIRECTORY,
    OPEN,
    OPEN_IF,
    OVERWRITE,
    OVERWRITE_IF,
    READ,
    SUPERSEDE,
    SYNCHRONOUS,
    WRITE,
    Caller,
)

SHARE_READ, SHARE_WRITE, SHARE_DELETE = 1, 2, 4


def test_what_is_written_is_read(caller: Caller) -> None:
    """A synchronous file keeps its position: reading after writing finds the end, from 0 the bytes."""
    file = caller.open("C:\\a.txt", disposition=CREATE)
    assert caller.information == 2
    assert caller.write(file, b"hello") == 0
    assert caller.information == 5
    assert caller.read(file) == STATUS.END_OF_FILE
    assert caller.read(file, offset=0) == b"hello"
    assert caller.read(file, offset=2, size=2) == b"ll"
    assert caller.read(file, size=9) == b"o"


def test_names_do_not_mind_case_and_keep_it(caller: Caller) -> None:
    """`MiXed.TXT` is found as `mixed.txt` and is told as it was created."""
    caller.close(caller.open("C:\\MiXed.TXT", disposition=CREATE))
    file = caller.open("C:\\mixed.txt")
    length = struct.unpack_from("<I", caller.query(file, 9))[0]
    assert caller.query(file, 9)[4 : 4 + length].decode("utf-16-le") == "\\MiXed.TXT"


@pytest.mark.parametrize(
    ("disposition", "exists", "expected"),
    [
        (OPEN, False, STATUS.OBJECT_NAME_NOT_FOUND), (OVERWRITE, False, STATUS.OBJECT_NAME_NOT_FOUND),
        (CREATE, False, 2), (OPEN_IF, False, 2), (OVERWRITE_IF, False, 2), (SUPERSEDE, False, 2),
        (OPEN, True, 1), (OVERWRITE, True, 3), (CREATE, True, STATUS.OBJECT_NAME_COLLISION),
        (OPEN_IF, True, 1), (OVERWRITE_IF, True, 3), (SUPERSEDE, True, 0),
    ],
)  # fmt: skip
def test_dispositions(caller: Caller, disposition: int, exists: bool, expected: int) -> None:
    """Each disposition has one answer for a name that exists and one for a name that does not."""
    if exists:
        made = caller.open("C:\\x", disposition=CREATE)
        caller.write(made, b"old")
        caller.close(made)
    file = caller.open("C:\\x", disposition=disposition)
    assert (file if file >> 30 == 3 else caller.information) == expected
    if exists and disposition in {OVERWRITE, OVERWRITE_IF, SUPERSEDE}:
        assert caller.read(file, offset=0) == STATUS.END_OF_FILE


def test_paths_that_lead_nowhere(caller: Caller) -> None:
    """A missing directory on the way is another error than a missing file; `..` is no name on a volume."""
    caller.close(caller.open("C:\\file", disposition=CREATE))
    assert caller.open("C:\\none\\x") == STATUS.OBJECT_PATH_NOT_FOUND
    assert caller.open("C:\\file\\x") == STATUS.OBJECT_PATH_NOT_FOUND
    assert caller.open("C:\\x\\..\\file") == STATUS.OBJECT_NAME_INVALID
    assert caller.open("C:\\a?b", disposition=CREATE) == STATUS.OBJECT_NAME_INVALID
    assert caller.open("C:\\" + "n" * 256, disposition=CREATE) == STATUS.OBJECT_NAME_INVALID
    assert caller.open("D:\\x") == STATUS.OBJECT_PATH_NOT_FOUND


def test_directories_and_files_are_told_apart(caller: Caller) -> None:
    """FILE_DIRECTORY_FILE refuses files, FILE_NON_DIRECTORY_FILE directories."""
    caller.close(caller.open("C:\\d", disposition=CREATE, options=DIRECTORY | SYNCHRONOUS))
    caller.close(caller.open("C:\\f", disposition=CREATE))
    assert caller.open("C:\\f", options=DIRECTORY | SYNCHRONOUS) == STATUS.NOT_A_DIRECTORY
    assert caller.open("C:\\d", options=NOT_DIRECTORY | SYNCHRONOUS) == STATUS.FILE_IS_A_DIRECTORY
    assert caller.open("C:\\f\\") == STATUS.OBJECT_NAME_INVALID
    assert caller.open("C:\\d\\") >> 30 != 3
    assert caller.open("C:\\d", options=DIRECTORY | NOT_DIRECTORY | SYNCHRONOUS) == STATUS.INVALID_PARAMETER


@pytest.mark.parametrize("first", [READ, WRITE, 0x110000])
@pytest.mark.parametrize("second", [READ, WRITE, 0x110000])
@pytest.mark.parametrize("share", range(8))
@pytest.mark.parametrize("other", [0, 7])
def test_sharing(caller: Caller, first: int, second: int, share: int, other: int) -> None:
    """Two opens stand together if each shares what the other does ([MS-FSA] 2.1.5.1.2.2)."""
    caller.close(caller.open("C:\\s", disposition=CREATE))
    bit = {READ: SHARE_READ, WRITE: SHARE_WRITE, 0x110000: SHARE_DELETE}
    assert caller.open("C:\\s", first, share=share) >> 30 != 3
    allowed = bool(share & bit[second]) and bool(other & bit[first])
    got = caller.other().open("C:\\s", second, share=other)
    assert (got != STATUS.SHARING_VIOLATION) == allowed


def test_attribute_opens_disturb_nobody(caller: Caller) -> None:
    """An open for attributes alone neither conflicts nor counts."""
    caller.open("C:\\s", disposition=CREATE, share=0)
    assert caller.open("C:\\s", 0x100080) >> 30 != 3


def test_delete_on_close(caller: Caller) -> None:
    """The name goes with the last handle; until then new opens see DELETE_PENDING."""
    first = caller.open("C:\\t", disposition=CREATE, options=SYNCHRONOUS | DELETE_ON_CLOSE)
    second = caller.open("C:\\t")
    caller.close(first)
    assert caller.open("C:\\t") == STATUS.DELETE_PENDING
    caller.close(second)
    assert caller.open("C:\\t") == STATUS.OBJECT_NAME_NOT_FOUND


def test_disposition_can_be_taken_back(caller: Caller) -> None:
    """A file marked for deletion and unmarked again stays."""
    file = caller.open("C:\\t", disposition=CREATE)
    assert caller.set(file, 13, b"\1") == 0
    assert caller.query(file, 5)[20] == 1
    assert caller.set(file, 13, b"\0") == 0
    caller.close(file)
    assert caller.open("C:\\t") >> 30 != 3


def test_posix_deletion_frees_the_name_at_once(caller: Caller) -> None:
    """With POSIX semantics the name is free when the deleting handle closes; other handles read on."""
    reader = caller.open("C:\\t", disposition=CREATE)
    caller.write(reader, b"still here")
    deleter = caller.open("C:\\t")
    assert caller.set(deleter, 64, struct.pack("<I", 3)) == 0
    caller.close(deleter)
    assert caller.open("C:\\t") == STATUS.OBJECT_NAME_NOT_FOUND
    assert caller.read(reader, offset=0) == b"still here"
    assert caller.open("C:\\t", disposition=CREATE) >> 30 != 3


def test_a_directory_that_holds_something_stays(caller: Caller) -> None:
    """Deleting a directory with entries is refused."""
    directory = caller.open("C:\\d", disposition=CREATE, options=DIRECTORY | SYNCHRONOUS)
    caller.close(caller.open("C:\\d\\f", disposition=CREATE))
    assert caller.set(directory, 13, b"\1") == STATUS.DIRECTORY_NOT_EMPTY


def test_read_only_files(caller: Caller) -> None:
    """READONLY forbids writing and deleting, not reading; its creator may still write."""
    file = caller.open("C:\\r", disposition=CREATE, attributes=1)
    assert caller.write(file, b"x") == 0
    assert caller.set(file, 13, b"\1") == STATUS.CANNOT_DELETE
    caller.close(file)
    assert caller.open("C:\\r", WRITE) == STATUS.ACCESS_DENIED
    assert caller.open("C:\\r", READ) >> 30 != 3
    assert caller.open("C:\\r", disposition=OVERWRITE_IF) == STATUS.ACCESS_DENIED


def test_end_of_file_and_sparse_writes(caller: Caller) -> None:
    """Writing behind the end leaves zeros between; cutting and extending loses and zeroes."""
    file = caller.open("C:\\e", disposition=CREATE)
    caller.write(file, b"abc")
    caller.write(file, b"z", offset=0x20000)
    assert caller.read(file, offset=0, size=6) == b"abc\0\0\0"
    assert caller.set(file, 20, struct.pack("<q", 2)) == 0
    assert caller.set(file, 20, struct.pack("<q", 5)) == 0
    assert caller.read(file, offset=0) == b"ab\0\0\0"
    assert caller.set(file, 20, struct.pack("<q", -1)) == STATUS.INVALID_PARAMETER


def test_append_only_opens_write_at_the_end(caller: Caller) -> None:
    """A handle with FILE_APPEND_DATA alone ignores where it is told to write."""
    file = caller.open("C:\\log", disposition=CREATE)
    caller.write(file, b"one")
    log = caller.open("C:\\log", 0x100004)
    assert caller.write(log, b"two", offset=0) == 0
    assert caller.read(file, offset=0) == b"onetwo"


def test_byte_range_locks_are_mandatory(caller: Caller) -> None:
    """Another process can neither read nor write what is locked; its owner can; unlocking must be exact."""
    file = caller.open("C:\\l", disposition=CREATE)
    caller.write(file, b"0123456789")
    offset, length = caller.world.large(caller.thread, 2), caller.world.large(caller.thread, 4)
    assert caller.do("NtLockFile", file, 0, 0, 0, caller.block, offset, length, 0, 1, 1) == 0
    other = caller.other()
    theirs = other.open("C:\\l")
    assert other.read(theirs, offset=0, size=3) == STATUS.FILE_LOCK_CONFLICT
    assert other.write(theirs, b"x", offset=5) == STATUS.FILE_LOCK_CONFLICT
    assert other.read(theirs, offset=6, size=2) == b"67"
    assert caller.read(file, offset=0, size=4) == b"0123"
    assert caller.do("NtUnlockFile", file, caller.block, offset, caller.world.large(caller.thread, 3), 0) == (
        STATUS.RANGE_NOT_LOCKED
    )
    assert caller.do("NtUnlockFile", file, caller.block, offset, length, 0) == 0
    assert other.read(theirs, offset=0, size=3) == b"012"


def test_information_classes(caller: Caller) -> None:
    """Standard, access, mode, all and network-open information agree with each other."""
    file = caller.open("C:\\i", disposition=CREATE)
    caller.write(file, b"12345")
    assert struct.unpack_from("<qqIBB", caller.query(file, 5)) == (0x1000, 5, 1, 0, 0)
    assert struct.unpack("<I", caller.query(file, 8)) == (ALL,)
    assert struct.unpack("<I", caller.query(file, 16)) == (SYNCHRONOUS,)
    assert struct.unpack("<q", caller.query(file, 14)) == (5,)
    every = caller.query(file, 18)
    assert every[0x28:0x40] == caller.query(file, 5)
    assert every[0x60:] == caller.query(file, 9)
    assert struct.unpack_from("<qqI", caller.query(file, 34), 0x20) == (0x1000, 5, 0x20)


def test_a_name_that_does_not_fit_is_cut(caller: Caller) -> None:
    """FileNameInformation into too little room gives BUFFER_OVERFLOW, the whole length and part of the
    name.
    """
    file = caller.open("C:\\a_rather_long_name", disposition=CREATE)
    status = caller.call("NtQueryInformationFile", file, caller.block, caller.buffer, 12, 9)
    assert status == STATUS.BUFFER_OVERFLOW
    data = caller.thread.memory.read(caller.buffer, 12)
    assert data[:4] == struct.pack("<I", 38)
    assert data[4:].decode("utf-16-le") == "\\a_r"
    assert caller.call("NtQueryInformationFile", file, caller.block, caller.buffer, 7, 9) == (
        STATUS.INFO_LENGTH_MISMATCH
    )


def test_asking_by_name(caller: Caller) -> None:
    """NtQueryAttributesFile and NtQueryFullAttributesFile ask without a handle, whoever has the file open."""
    file = caller.open("C:\\q", disposition=CREATE, share=0)
    caller.write(file, b"123")
    where = caller.attributes("\\??\\C:\\q")
    assert caller.call("NtQueryFullAttributesFile", where, caller.buffer) == 0
    assert struct.unpack("<qI", caller.thread.memory.read(caller.buffer + 0x28, 12)) == (3, 0x20)
    assert caller.call("NtQueryAttributesFile", caller.attributes("\\??\\C:\\no"), caller.buffer) == (
        STATUS.OBJECT_NAME_NOT_FOUND
    )


def test_deleting_by_name(caller: Caller) -> None:
    """NtDeleteFile opens, deletes and closes."""
    caller.close(caller.open("C:\\gone", disposition=CREATE))
    assert caller.call("NtDeleteFile", caller.attributes("\\??\\C:\\gone")) == 0
    assert caller.open("C:\\gone") == STATUS.OBJECT_NAME_NOT_FOUND


def test_relative_opens(caller: Caller) -> None:
    """A name with a root directory handle starts there."""
    directory = caller.open("C:\\d", disposition=CREATE, options=DIRECTORY | SYNCHRONOUS)
    caller.close(caller.open("f", disposition=CREATE, root=directory))
    assert caller.open("C:\\d\\f") >> 30 != 3


def test_opening_by_file_id(caller: Caller) -> None:
    """A file whose id was asked for opens by it."""
    file = caller.open("C:\\byid", disposition=CREATE)
    number = caller.query(file, 6)
    root = caller.open("C:\\", options=DIRECTORY | SYNCHRONOUS)
    assert caller.open(number.decode("utf-16-le"), options=0x2000 | SYNCHRONOUS, root=root) >> 30 != 3


def test_volume_information(caller: Caller) -> None:
    """A file on a disk tells the disk's type (GetFileType), the file system's name and its sectors."""
    file = caller.open("C:\\v", disposition=CREATE)

    def volume(kind: int) -> bytes:
        assert caller.call("NtQueryVolumeInformationFile", file, caller.block, caller.buffer, 0x100, kind) == 0
        return caller.thread.memory.read(caller.buffer, caller.information)

    assert struct.unpack_from("<I", volume(4)) == (7,)
    assert volume(5)[12:].decode("utf-16-le") == "NTFS"
    assert struct.unpack_from("<II", volume(3), 16) == (8, 512)


def test_scattered_pages(caller: Caller) -> None:
    """NtWriteFileGather and NtReadFileScatter move whole pages from and to several places."""
    file = caller.open("C:\\pages", disposition=CREATE)
    first, second = caller.buffer + 0x1000 & ~0xFFF, (caller.buffer + 0x1000 & ~0xFFF) + 0x1000
    caller.thread.memory.write(first, b"A" * 0x1000)
    caller.thread.memory.write(second, b"B" * 0x1000)
    segments = caller.world.put(caller.thread, struct.pack("<QQQ", second, first, 0))
    zero = caller.world.large(caller.thread, 0)
    assert caller.do("NtWriteFileGather", file, 0, 0, 0, caller.block, segments, 0x2000, zero, 0) == 0
    assert caller.read(file, offset=0xFFF, size=2) == b"BA"
    assert caller.do("NtReadFileScatter", file, 0, 0, 0, caller.block, segments, 0x2000, zero, 0) == 0
    assert caller.thread.memory.read(first, 1) == b"A"
    assert caller.do("NtFlushBuffersFile", file, caller.block) == 0
    assert caller.do("NtFlushBuffersFileEx", file, 0, 0, 0, caller.block) == 0


def test_the_null_device(caller: Caller) -> None:
    """NUL takes everything and has nothing."""
    null = caller.open("\\??\\NUL")
    assert caller.write(null, b"gone") == 0
    assert caller.information == 4
    assert caller.read(null) == STATUS.END_OF_FILE


def test_the_name_of_a_file_object_is_true_bytes(caller: Caller) -> None:
    """FILE_OBJECT holds the name below the device, and the device's header its own: what Volatility joins."""
    from ntos import io, ob

    file = ob.by_handle(caller.thread, caller.open("C:\\n.txt", disposition=CREATE), 0, io.FILE)
    assert file.view.FileName.text == "\\n.txt"
    assert int(file.view.DeviceObject) == file.device.address
    assert ob.full_name(file) == "\\Device\\HarddiskVolume2\\n.txt"
    assert int(file.view.Type) == 5


def test_a_file_tells_its_name_through_its_handle(caller: Caller) -> None:
    """NtQueryObject: too short for the header is a wrong length, too short for a file's name is an overflow."""
    file = caller.open("C:\\named", disposition=CREATE)
    place, length = (caller.world.room(caller.thread, size) for size in (0x200, 4))
    assert caller.call("NtQueryObject", file, 1, place, 8, length) == STATUS.INFO_LENGTH_MISMATCH
    assert caller.call("NtQueryObject", file, 1, place, 0x10, length) == STATUS.BUFFER_OVERFLOW
    needed = struct.unpack("<I", caller.thread.memory.read(length, 4))[0]
    assert caller.call("NtQueryObject", file, 1, place, needed, length) == 0
    assert caller.thread.memory.read(place + 0x10, needed - 0x12).decode("utf-16-le").endswith("\\named")
