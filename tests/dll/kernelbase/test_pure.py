"""Rules of kernelbase that need no machine: names, flags, twins, blocks, attribute lists."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

import pytest

import ntos.dll.kernelbase  # noqa: F401 - fills the export registry
from ntos.abi.layout.win32 import STARTUPINFOA, STARTUPINFOW, WIN32_FIND_DATAA
from ntos.abi.memory import BufferMemory
from ntos.abi.pointer import Ptr
from ntos.abi.status import NtError
from ntos.abi.types import CHAR, WCHAR
from ntos.dll.kernelbase import file, text
from ntos.dll.kernelbase.attribute_list import ATTRIBUTE_LIST
from ntos.dll.kernelbase.creation import name
from ntos.dll.kernelbase.creation.convert import Wishes, wishes_of
from ntos.dll.kernelbase.creation.request import Request
from ntos.dll.kernelbase.creation.validate import check
from ntos.dll.kernelbase.find import split_entries
from ntos.dll.kernelbase.memory import view_protection
from ntos.um.export import WinError, dos_error, registry


@pytest.fixture
def memory() -> BufferMemory:
    """64 KB of memory at 0."""
    return BufferMemory(bytearray(0x10000))


@pytest.fixture
def thread(memory: BufferMemory) -> Any:
    """A thread that has memory and a last error, and nothing else."""
    return SimpleNamespace(memory=memory, context=SimpleNamespace(gs_base=0xE000))


def enter(thread: Any, name: str, *arguments: int) -> int:
    """Call a door with raw arguments."""
    door = registry["kernelbase"][name]
    return int(door.signature.caller(door.function, probe=False)(thread, thread.memory, *arguments) or 0)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("prog", ["prog"]),
        ("prog one two", ["prog", "prog one", "prog one two"]),
        (r"C:\Program Files\A B\c.exe x", [
            r"C:\Program", r"C:\Program Files\A", r"C:\Program Files\A B\c.exe", r"C:\Program Files\A B\c.exe x",
        ]),
        ("prog  tail", ["prog", "prog  tail"]),
        ("prog ", ["prog"]),
    ],
)  # fmt: skip
def test_unquoted_names_grow_blank_by_blank(line: str, names: list[str]) -> None:
    """Without quotes CreateProcess tries each prefix that ends before a blank (Microsoft Learn, CreateProcessW)."""
    assert name.candidates(line) == (names, False)


def test_a_quoted_name_is_tried_once() -> None:
    """What stands in quotes is the name; nothing else is tried."""
    assert name.candidates('"C:\\a b.exe" c d') == (["C:\\a b.exe"], True)
    assert name.candidates('"unclosed name') == (["unclosed name"], True)


@pytest.mark.parametrize(
    ("flags", "disposition", "options"),
    [
        (0, 3, 0x60),
        (0x4000_0000, 3, 0x40),
        (0x0200_0000, 3, 0x4020),
        (0x0400_0000, 2, 0x1060),
        (0x0020_0000 | 0x0200_0000, 3, 0x20_4020),
        (0x0300_0010, 1, 0x4021),
        (0xB800_0000, 3, 0x086E),
    ],
)
def test_file_flags_become_create_options(flags: int, disposition: int, options: int) -> None:
    """FILE_FLAG_… bits map to NtCreateFile's options; no FILE_FLAG_OVERLAPPED means synchronous (0x20)."""
    assert file.create_options(flags, disposition) == options


VIEWS = [(4, 2), (2, 4), (6, 4), (1, 8), (0x24, 0x20), (0x26, 0x40), (0x21, 0x80), (0x40, 1), (0x20, 1)]


@pytest.mark.parametrize(("access", "protection"), VIEWS)
def test_view_access_becomes_page_protection(access: int, protection: int) -> None:
    """FILE_MAP_READ, WRITE, COPY and EXECUTE choose the protection of a view."""
    assert view_protection(access) == protection


def test_an_ansi_twin_reads_and_writes_bytes(memory: BufferMemory) -> None:
    """Text helpers convert by the pointer's type: the A twin is the W function with CHAR pointers."""
    memory.write(0x100, b"caf\xe9\0")
    narrow: Any = Ptr[CHAR](memory, 0x100)
    assert text.text_of(narrow) == "café"
    assert text.put_text(narrow, 3, "café") == 5
    assert memory.read(0x100, 5) == b"caf\xe9\0"
    wide = Ptr[WCHAR](memory, 0x200)
    assert text.put_text(wide, 5, "café") == 4
    assert memory.read(0x200, 10) == "café\0".encode("utf-16-le")


def test_twins_have_narrow_signatures() -> None:
    """`FindFirstFileA` takes narrow text and the narrow structure."""
    parameters = registry["kernelbase"]["FindFirstFileA"].signature.parameters
    assert [parameter.type for parameter in parameters] == [CHAR, WIN32_FIND_DATAA]
    startup = registry["kernelbase"]["CreateProcessA"].signature.parameters[8]
    assert startup.type is STARTUPINFOA


def _list(thread: Any, capacity: int) -> None:
    thread.memory.write(0x300, struct.pack("<Q", 0x200))
    assert enter(thread, "InitializeProcThreadAttributeList", 0x400, capacity, 0, 0x300) == 1


def test_an_attribute_list_says_how_much_room_it_needs(thread: Any) -> None:
    """Without a buffer the size comes back with ERROR_INSUFFICIENT_BUFFER: 0x18 and 0x18 for each attribute."""
    with pytest.raises(NtError) as caught:
        enter(thread, "InitializeProcThreadAttributeList", 0, 2, 0, 0x300)
    assert dos_error(caught.value) == 122
    assert thread.memory.read(0x300, 8) == struct.pack("<Q", 0x48)


def test_attributes_reach_the_kernel_under_its_names(thread: Any) -> None:
    """A handle list goes on as a pointer, a parent process as the handle itself."""
    _list(thread, 2)
    thread.memory.write(0x600, struct.pack("<QQ", 0x44, 0x48))
    assert enter(thread, "UpdateProcThreadAttribute", 0x400, 0, 0x20002, 0x600, 16, 0, 0) == 1
    assert enter(thread, "UpdateProcThreadAttribute", 0x400, 0, 0x20000, 0x600, 8, 0, 0) == 1
    with pytest.raises(StopIteration) as done:
        wishes_of(thread, 0x400).send(None)
    wishes = done.value.value
    assert isinstance(wishes, Wishes)
    assert wishes.native == [(0x2000B, 0x600, 16), (0x60000, 0x44, 8)]
    assert wishes.parent == 0x44


@pytest.mark.parametrize(
    ("attribute", "size", "error"), [(0x12345, 8, 50), (0x20000, 4, 24), (0x20002, 7, 24), (0x20002, 8, 698)]
)
def test_bad_attributes_are_refused(thread: Any, attribute: int, size: int, error: int) -> None:
    """Unknown, of a wrong size, or given twice."""
    _list(thread, 3)
    enter(thread, "UpdateProcThreadAttribute", 0x400, 0, 0x20002, 0x600, 8, 0, 0)
    with pytest.raises(NtError) as caught:
        enter(thread, "UpdateProcThreadAttribute", 0x400, 0, attribute, 0x600, size, 0, 0)
    assert dos_error(caught.value) == error


def test_a_full_attribute_list_takes_no_more(thread: Any) -> None:
    """One too many is ERROR_GEN_FAILURE."""
    _list(thread, 0)
    with pytest.raises(NtError) as caught:
        enter(thread, "UpdateProcThreadAttribute", 0x400, 0, 0x20000, 0x600, 8, 0, 0)
    assert dos_error(caught.value) == 31
    assert ATTRIBUTE_LIST(thread.memory, 0x400).LastAttribute == 0


def _request(
    flags: int, *, application: str | None = "a.exe", line: str | None = None, cb: int = 0x68
) -> Request:
    startup = STARTUPINFOW.new()
    startup.cb = cb
    return Request(application, line, None, None, False, flags, 0, None, startup, False)


@pytest.mark.parametrize(
    "request_",
    [
        _request(0, application=None),
        _request(0x18),
        _request(0x1800),
        _request(0x80000),
    ],
)
def test_create_process_refuses_what_excludes_itself(request_: Request) -> None:
    """No name at all, two consoles, two VDMs, an extended start-up structure of the wrong size."""
    with pytest.raises(WinError) as caught:
        check(request_)
    assert caught.value.code == 87


def test_no_window_counts_only_alone() -> None:
    """CREATE_NO_WINDOW with CREATE_NEW_CONSOLE or DETACHED_PROCESS is ignored (Microsoft Learn)."""
    assert _request(0x0800_0010).console_flags == 0x10
    assert _request(0x0800_0000).console_flags == 0x0800_0000


def test_directory_answers_come_apart(memory: BufferMemory) -> None:
    """Each entry says where the next begins; the last says 0."""
    data = struct.pack("<I", 12) + b"one.name" + struct.pack("<I", 0) + b"two"
    assert split_entries(data) == [data[:12], data[12:]]


def test_movable_memory_has_handles_that_are_no_pointers(thread: Any) -> None:
    """A pseudo handle of GlobalAlloc has bit 3 set; an unknown one is ERROR_INVALID_HANDLE."""
    thread.state = lambda kind: kind()
    with pytest.raises(WinError) as caught:
        enter(thread, "GlobalLock", 0x1238)
    assert caught.value.code == 6
    assert enter(thread, "GlobalLock", 0x1230) == 0x1230


def test_wide_and_narrow_conversions_count_units(thread: Any) -> None:
    """MultiByteToWideChar and WideCharToMultiByte tell sizes, and refuse a buffer too small."""
    memory = thread.memory
    memory.write(0x100, b"ab\xe9\0")
    assert enter(thread, "MultiByteToWideChar", 1252, 0, 0x100, 0xFFFF_FFFF, 0, 0) == 4
    assert enter(thread, "MultiByteToWideChar", 1252, 0, 0x100, 3, 0x200, 8) == 3
    assert memory.read(0x200, 6) == "abé".encode("utf-16-le")
    assert enter(thread, "WideCharToMultiByte", 65001, 0, 0x200, 3, 0x300, 16, 0, 0) == 4
    with pytest.raises(NtError) as caught:
        enter(thread, "WideCharToMultiByte", 65001, 0, 0x200, 3, 0x300, 2, 0, 0)
    assert dos_error(caught.value) == 122


@pytest.mark.parametrize("attribute", [0x2000C, 0x20011, 0x20013, 0x20017])
def test_attributes_that_nothing_honours_are_refused(thread: Any, attribute: int) -> None:
    """A version to test for, an origin claim, isolated names, an isolation manifest: ERROR_NOT_SUPPORTED, with why."""
    _list(thread, 1)
    size = {0x2000C: 8, 0x20011: 8, 0x20013: 0x114, 0x20017: 16}[attribute]
    assert enter(thread, "UpdateProcThreadAttribute", 0x400, 0, attribute, 0x600, size, 0, 0) == 1
    with pytest.raises(WinError) as caught:
        wishes_of(thread, 0x400).send(None)
    assert caught.value.code == 50
    assert caught.value.because is not None


def test_refusals_of_stage_one_say_why() -> None:
    """Each refusal before any file is looked at carries its rule and what would flip it."""
    for request in (_request(0, application=None), _request(0x18), _request(0x1800), _request(0x80000)):
        with pytest.raises(WinError) as caught:
            check(request)
        assert caught.value.because is not None
        assert caught.value.because.flip
