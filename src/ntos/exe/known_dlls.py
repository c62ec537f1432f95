r"""\KnownDlls: sections of the DLLs that every process takes from System32 without looking for them.

The session manager makes one for each file named in Session Manager\KnownDLLs and for all that those import, and the
link KnownDllPath, which says where they lie (Microsoft Learn, "Dynamic-link library search order").
"""

from __future__ import annotations

import struct
from itertools import count
from typing import TYPE_CHECKING

from ntos.abi.layout.io import IO_STATUS_BLOCK
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.mm import PAGE_EXECUTE, PAGE_EXECUTE_WRITECOPY, SEC_IMAGE
from ntos.abi.ob import CURRENT_PROCESS, OBJ_PERMANENT
from ntos.abi.pe import directories
from ntos.abi.pe.headers import parse_headers
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import HANDLE, PVOID, SIZE_T
from ntos.exe import launch
from ntos.rtl import sddl
from ntos.um import alpc, images, nt
from ntos.um.ntdll import rtl_status

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

SESSION_MANAGER = "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager"
KEY_QUERY_VALUE, VALUE_FULL = 1, 1
REG_SZ = 1
ROOM = 0x1000
FILE_ACCESS, SHARE_READ_DELETE, SYNCHRONOUS_NON_DIRECTORY = 0x100021, 5, 0x60
SECTION_ACCESS, LINK_ACCESS = 0xF001F, 0xF0001
VIEW_UNMAP = 2
HEADER_PAGE = 0x1000
ANY_SIZE = 1 << 40
"""A mapped image has no file size to hold its section table against; the kernel has done so."""
FOR_READERS = sddl.parse("D:(A;;0x2000d;;;WD)(A;;0x2000d;;;AC)(A;;0xf001f;;;BA)(A;;0xf001f;;;SY)").to_bytes()
"""Everybody may map and run them."""
LINK_FOR_READERS = sddl.parse("D:(A;;0x20001;;;WD)(A;;0x20001;;;AC)(A;;0xf0001;;;SY)").to_bytes()


async def make(thread: UserThread) -> None:
    """Make the sections and the link (SmpInitializeKnownDlls)."""
    listed = await _values(thread, f"{SESSION_MANAGER}\\KnownDLLs")
    folder = await _expand(thread, _text(listed.pop("DllDirectory", (0, b""))[1]))
    if not folder:
        return
    excluded = (await _values(thread, SESSION_MANAGER)).get("ExcludeFromKnownDlls", (0, b""))[1]
    seen = {name.lower() for name in excluded.decode("utf-16-le", "replace").split("\0")}
    _make_link(thread, folder)
    waiting = [_text(data) for kind, data in listed.values() if kind == REG_SZ]
    while waiting:
        name = waiting.pop(0)
        if name.lower() not in seen:
            seen.add(name.lower())
            waiting += await _make_section(thread, folder, name)


def _text(data: bytes) -> str:
    return data.decode("utf-16-le", "replace").rstrip("\0")


async def _values(thread: UserThread, path: str) -> dict[str, tuple[int, bytes]]:
    """Type and data of a key's values, but those too long for any list of names."""
    found: dict[str, tuple[int, bytes]] = {}
    with thread.frame() as frame:
        handle, room, size = frame.new(HANDLE), frame.allocate(ROOM), frame.allocate(8)
        nt.NtOpenKey(thread, handle.address, KEY_QUERY_VALUE, alpc.object_attributes(frame, path))
        key = int(handle.read())
        for index in count():
            if nt.NtEnumerateValueKey(thread, key, index, VALUE_FULL, room, ROOM, size) == STATUS.NO_MORE_ENTRIES:
                break
            data = thread.memory.read(room, ROOM)
            _, kind, offset, length, name = struct.unpack_from("<5I", data)
            if offset + length <= ROOM:
                found[data[20 : 20 + name].decode("utf-16-le", "replace")] = kind, data[offset : offset + length]
        launch.close(thread, key)
    return found


async def _expand(thread: UserThread, text: str) -> str:
    with thread.frame() as frame:
        result = frame.bytes(struct.pack("<HH4xQ", 0, 520, frame.allocate(520)))
        source = frame.unicode_string(text)
        await rtl_status(thread, "RtlExpandEnvironmentStrings_U", 0, source, result, 0)
        return UNICODE_STRING(thread.memory, result).text


def _make_link(thread: UserThread, folder: str) -> None:
    with thread.frame() as frame:
        handle = frame.new(HANDLE)
        named = alpc.object_attributes(
            frame, "\\KnownDlls\\KnownDllPath", descriptor=LINK_FOR_READERS, attributes=OBJ_PERMANENT
        )
        nt.NtCreateSymbolicLinkObject(thread, handle.address, LINK_ACCESS, named, frame.unicode_string(folder))
        launch.close(thread, int(handle.read()))


async def _make_section(thread: UserThread, folder: str, name: str) -> list[str]:
    """Make one section, unless the file is missing or no image; gives the names of what it imports."""
    with thread.frame() as frame:
        file, section = frame.new(HANDLE), frame.new(HANDLE)
        where = alpc.object_attributes(frame, f"\\??\\{folder}\\{name}")
        status = frame.new(IO_STATUS_BLOCK)
        named = alpc.object_attributes(
            frame, f"\\KnownDlls\\{name}", descriptor=FOR_READERS, attributes=OBJ_PERMANENT
        )
        try:
            nt.NtOpenFile(
                thread, file.address, FILE_ACCESS, where, status.address, SHARE_READ_DELETE, SYNCHRONOUS_NON_DIRECTORY
            )
        except NtError:
            return []
        try:
            nt.NtCreateSection(
                thread, section.address, SECTION_ACCESS, named, 0, PAGE_EXECUTE, SEC_IMAGE, int(file.read())
            )
        except NtError:
            return []
        finally:
            launch.close(thread, int(file.read()))
        try:
            return await _imports(thread, name, int(section.read()))
        finally:
            launch.close(thread, int(section.read()))


async def _imports(thread: UserThread, name: str, section: int) -> list[str]:
    """What a DLL imports: of the machine's own that is known without making them, others are mapped to be read."""
    stem = name.lower().removesuffix(".dll")
    if images.available(stem):
        return [module for module, _ in images.imports_of(stem)]
    with thread.frame() as frame:
        base, size = frame.new(PVOID), frame.new(SIZE_T)
        await nt.NtMapViewOfSection(
            thread, section, CURRENT_PROCESS, base.address, 0, 0, 0, size.address, VIEW_UNMAP, 0,
            PAGE_EXECUTE_WRITECOPY,
        )  # fmt: skip
        start = int(base.read())
        try:
            headers = parse_headers(thread.memory.read(start, HEADER_PAGE), ANY_SIZE)
            needed = directories.imports(lambda rva, length: thread.memory.read(start + rva, length), headers)
            return [module.name for module in needed]
        finally:
            await nt.NtUnmapViewOfSection(thread, CURRENT_PROCESS, start)
