"""DOS paths: their kind, their full form, the NT name they stand for, and the current directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.io import IO_STATUS_BLOCK
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.pointer import In, Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOLEAN, HANDLE, NTSTATUS, PVOID, ULONG, WCHAR
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.guest import settle
from ntos.dll.ntdll.ldr import search
from ntos.dll.ntdll.rtl_environment import peb_lock
from ntos.dll.ntdll.rtl_string import make
from ntos.rtl import path as paths
from ntos.rtl.text import to_utf16
from ntos.um import nt
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

LONGEST_PATH = 269
DIRECTORY_ACCESS = 0x10_0020
DIRECTORY_SHARE = 3
DIRECTORY_OPTIONS = 0x21
CURRENT_DIRECTORY_ROOM = 520
RELATIVE_NAME_SIZE = 0x20
FILE_BASIC_SIZE = 0x28


def full(thread: UserThread, name: str) -> paths.FullPath:
    """The full path of a DOS path, as the process sees it now."""
    return paths.full_path(name, search.current_directory(thread), search.drive_directory(thread))


def nt_name(thread: UserThread, name: str) -> str:
    r"""The NT name (`\??\…`) of a DOS path, as the process sees it now."""
    return paths.dos_to_nt(name, search.current_directory(thread), search.drive_directory(thread))


@export
def RtlDetermineDosPathNameType_U(thread: UserThread, DosFileName: Ptr[WCHAR]) -> ULONG:
    """What kind of DOS path this is."""
    return ULONG(paths.path_type(DosFileName.text()))


@export
def RtlIsDosDeviceName_U(thread: UserThread, DosFileName: Ptr[WCHAR]) -> ULONG:
    """Offset (high word) and length (low word), in bytes, of the DOS device a path names; 0 for none."""
    found = paths.dos_device_name(DosFileName.text())
    return ULONG(found[0] * 2 << 16 | found[1] * 2 if found is not None else 0)


@export
def RtlGetLongestNtPathLength(thread: UserThread) -> ULONG:
    """The longest path without the long-path prefix, in characters."""
    return ULONG(LONGEST_PATH)


@export
def RtlAreLongPathsEnabled(thread: UserThread) -> BOOLEAN:
    """Whether this process's DOS paths may be longer than MAX_PATH (PEB.IsLongPathAwareProcess)."""
    return BOOLEAN(thread.peb.IsLongPathAwareProcess)


async def _to_nt(
    thread: UserThread,
    name: Ptr[WCHAR] | None,
    destination: Ptr[UNICODE_STRING],
    file_part: Out[PVOID] | None,
    relative: Ptr[PVOID] | None,
) -> NTSTATUS:
    if name is None:
        raise NtError(STATUS.OBJECT_NAME_INVALID)
    text = name.text()
    if not text:
        raise NtError(STATUS.OBJECT_NAME_INVALID)
    result = nt_name(thread, text)
    await make(thread, destination, to_utf16(result), 2)
    if file_part is not None:
        cut = result.rfind("\\") + 1
        buffer = int(destination.read().Buffer)
        file_part.write(buffer + 2 * cut if cut < len(result) else 0)
    if relative is not None:
        # The name is given absolute: callers then use it instead of the relative one.
        relative.write_bytes(bytes(RELATIVE_NAME_SIZE))
    return STATUS.SUCCESS


@export
async def RtlDosPathNameToNtPathName_U_WithStatus(
    thread: UserThread,
    DosFileName: Ptr[WCHAR] | None,
    NtFileName: Ptr[UNICODE_STRING],
    FilePart: Out[PVOID] | None,
    RelativeName: Ptr[PVOID] | None,
) -> NTSTATUS:
    """The NT name of a DOS path, in a buffer the caller frees."""
    return await _to_nt(thread, DosFileName, NtFileName, FilePart, RelativeName)


@export
async def RtlDosPathNameToRelativeNtPathName_U_WithStatus(
    thread: UserThread,
    DosFileName: Ptr[WCHAR] | None,
    NtFileName: Ptr[UNICODE_STRING],
    FilePart: Out[PVOID] | None,
    RelativeName: Ptr[PVOID] | None,
) -> NTSTATUS:
    """The same; a relative part is never given."""
    return await _to_nt(thread, DosFileName, NtFileName, FilePart, RelativeName)


@export
async def RtlDosPathNameToNtPathName_U(
    thread: UserThread,
    DosFileName: Ptr[WCHAR] | None,
    NtFileName: Ptr[UNICODE_STRING],
    FilePart: Out[PVOID] | None,
    RelativeName: Ptr[PVOID] | None,
) -> BOOLEAN:
    """The NT name of a DOS path; FALSE when it has none."""
    await _to_nt(thread, DosFileName, NtFileName, FilePart, RelativeName)
    return BOOLEAN(1)


@export
async def RtlDosPathNameToRelativeNtPathName_U(
    thread: UserThread,
    DosFileName: Ptr[WCHAR] | None,
    NtFileName: Ptr[UNICODE_STRING],
    FilePart: Out[PVOID] | None,
    RelativeName: Ptr[PVOID] | None,
) -> BOOLEAN:
    """The NT name of a DOS path; a relative part is never given."""
    await _to_nt(thread, DosFileName, NtFileName, FilePart, RelativeName)
    return BOOLEAN(1)


@export
def RtlReleaseRelativeName(thread: UserThread, RelativeName: PVOID) -> None:
    """Nothing is held for a relative name."""


@export
async def RtlNtPathNameToDosPathName(
    thread: UserThread,
    Flags: ULONG,
    Path: Ptr[UNICODE_STRING],
    Disposition: Out[ULONG] | None,
    FilePart: Out[PVOID] | None,
) -> NTSTATUS:
    """Turn an NT name in a buffer into the DOS path it stands for."""
    target = Path.read()
    text = paths.nt_to_dos(target.text)
    data = to_utf16(text)
    thread.memory.write(int(target.Buffer), data)
    target.Length = len(data)
    if Disposition is not None:
        Disposition.write(paths.path_type(text))
    return STATUS.SUCCESS


@export
def RtlGetFullPathName_U(
    thread: UserThread,
    FileName: Ptr[WCHAR],
    BufferLength: ULONG,
    Buffer: Ptr[WCHAR],
    FilePart: Out[PVOID] | None,
) -> ULONG:
    """The full path: its bytes without NUL, or those needed with it when the buffer is too small; 0 fails."""
    try:
        found = full(thread, FileName.text())
    except NtError:
        return ULONG(0)
    data = to_utf16(found.full)
    if len(data) + 2 > BufferLength:
        return ULONG(len(data) + 2)
    Buffer.write_bytes(data + b"\0\0")
    if FilePart is not None:
        part = found.file_part
        FilePart.write(Buffer.address + len(to_utf16(found.full[:part])) if part is not None else 0)
    return ULONG(len(data))


@export
def RtlGetFullPathName_UEx(
    thread: UserThread,
    FileName: Ptr[WCHAR],
    BufferLength: ULONG,
    Buffer: Ptr[WCHAR],
    FilePart: Out[PVOID] | None,
    BytesRequired: Out[ULONG] | None,
) -> NTSTATUS:
    """RtlGetFullPathName_U with a status."""
    found = full(thread, FileName.text())
    data = to_utf16(found.full)
    if BytesRequired is not None:
        BytesRequired.write(len(data) + (0 if len(data) + 2 <= BufferLength else 2))
    if len(data) + 2 > BufferLength:
        return STATUS.BUFFER_TOO_SMALL
    Buffer.write_bytes(data + b"\0\0")
    if FilePart is not None:
        part = found.file_part
        FilePart.write(Buffer.address + len(to_utf16(found.full[:part])) if part is not None else 0)
    return STATUS.SUCCESS


@export
def RtlGetCurrentDirectory_U(thread: UserThread, BufferLength: ULONG, Buffer: Ptr[WCHAR]) -> ULONG:
    """The current directory: its bytes without NUL, or those needed with it."""
    data = to_utf16(search.current_directory(thread))
    if len(data) + 2 > BufferLength:
        return ULONG(len(data) + 2)
    Buffer.write_bytes(data + b"\0\0")
    return ULONG(len(data))


@export
async def RtlSetCurrentDirectory_U(thread: UserThread, PathName: In[UNICODE_STRING]) -> NTSTATUS:
    """Change the current directory; the process keeps a handle on it."""
    await set_current_directory(thread, PathName.text)
    return STATUS.SUCCESS


async def set_current_directory(thread: UserThread, name: str) -> None:
    """Open the directory and make it the current one."""
    async with peb_lock(thread):
        target = full(thread, name).full
        if not target.endswith("\\"):
            target += "\\"
        data = to_utf16(target)
        current = search.parameters(thread).CurrentDirectory
        if len(data) + 2 > max(int(current.DosPath.MaximumLength), CURRENT_DIRECTORY_ROOM):
            raise NtError(STATUS.NAME_TOO_LONG)
        handle = await _open_directory(thread, target)
        old = int(current.Handle)
        if int(current.DosPath.MaximumLength) < len(data) + 2:
            current.DosPath.Buffer = await guest.allocate(thread, CURRENT_DIRECTORY_ROOM)
            current.DosPath.MaximumLength = CURRENT_DIRECTORY_ROOM
        thread.memory.write(int(current.DosPath.Buffer), data + b"\0\0")
        current.DosPath.Length = len(data)
        current.Handle = handle
        if old & ~3:
            await settle(nt.NtClose(thread, old & ~3))


async def _open_directory(thread: UserThread, path: str) -> int:
    with thread.frame() as frame:
        handle, io = frame.new(HANDLE), frame.new(IO_STATUS_BLOCK)
        attributes = guest.object_attributes(frame, paths.dos_to_nt(path))
        await settle(
            nt.NtOpenFile(
                thread,
                handle.address,
                DIRECTORY_ACCESS,
                attributes,
                io.address,
                DIRECTORY_SHARE,
                DIRECTORY_OPTIONS,
            )
        )
        return int(handle.read())


async def exists(thread: UserThread, path: str) -> bool:
    """Whether something bears this DOS path."""
    with thread.frame() as frame:
        attributes = guest.object_attributes(frame, nt_name(thread, path))
        try:
            await settle(nt.NtQueryAttributesFile(thread, attributes, frame.allocate(FILE_BASIC_SIZE)))
        except NtError as error:
            return error.status in (STATUS.SHARING_VIOLATION, STATUS.ACCESS_DENIED)
    return True


@export
async def RtlDoesFileExists_U(thread: UserThread, FileName: Ptr[WCHAR]) -> BOOLEAN:
    """Whether a file of that DOS path exists."""
    return BOOLEAN(await exists(thread, FileName.text()))


@export
async def RtlDosSearchPath_U(
    thread: UserThread,
    Path: Ptr[WCHAR],
    FileName: Ptr[WCHAR],
    Extension: Ptr[WCHAR] | None,
    BufferLength: ULONG,
    Buffer: Ptr[WCHAR],
    FilePart: Out[PVOID] | None,
) -> ULONG:
    """Look for a file along a list of directories: bytes of the path found, or needed; 0 when not found."""
    name = FileName.text()
    if Extension is not None and "." not in name.rpartition("\\")[2]:
        name += Extension.text()
    relative = paths.path_type(name) is paths.PathType.RELATIVE
    places = [f"{each}\\{name}" for each in Path.text().split(";") if each] if relative else [name]
    for candidate in places:
        if await exists(thread, candidate):
            found = full(thread, candidate)
            data = to_utf16(found.full)
            if len(data) + 2 > BufferLength:
                return ULONG(len(data) + 2)
            Buffer.write_bytes(data + b"\0\0")
            if FilePart is not None:
                part = found.file_part
                FilePart.write(Buffer.address + len(to_utf16(found.full[:part])) if part is not None else 0)
            return ULONG(len(data))
    return ULONG(0)


@export
async def RtlGetSearchPath(thread: UserThread, SearchPath: Out[PVOID]) -> NTSTATUS:
    """The directories SearchPath looks through, in a buffer that RtlReleasePath frees."""
    root = search.system_root(thread)
    rows = [search.application_directory(thread), f"{root}\\system32", f"{root}\\system", root, "."]
    text = ";".join([*rows, *search.path_variable(thread)])
    SearchPath.write(await guest.allocate_bytes(thread, to_utf16(text) + b"\0\0"))
    return STATUS.SUCCESS


@export
async def RtlReleasePath(thread: UserThread, Path: PVOID) -> None:
    """Free a path that ntdll gave."""
    await guest.free(thread, Path)


@export
async def RtlGetExePath(thread: UserThread, Name: Ptr[WCHAR], Path: Out[PVOID]) -> NTSTATUS:
    """The directories a program is looked for in."""
    root = search.system_root(thread)
    rows = [search.application_directory(thread)]
    without_current = search.variable(thread, "NoDefaultCurrentDirectoryInExePath")
    if without_current is None or "\\" in Name.text():
        rows.append(".")
    rows += [f"{root}\\system32", f"{root}\\system", root, *search.path_variable(thread)]
    Path.write(await guest.allocate_bytes(thread, to_utf16(";".join(rows)) + b"\0\0"))
    return STATUS.SUCCESS
