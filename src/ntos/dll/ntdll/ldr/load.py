"""From a request to a mapped module: loaded already, a KnownDLL, or a file found by the search order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.io import IO_STATUS_BLOCK
from ntos.abi.pe.headers import Machine
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import HANDLE, LARGE_INTEGER, PVOID, SIZE_T
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.guest import settle
from ntos.dll.ntdll.ldr import cookie, options, relocate, search
from ntos.dll.ntdll.ldr.image import headers_of
from ntos.dll.ntdll.ldr.module import Origin, insert
from ntos.rtl.path import dos_to_nt
from ntos.um import nt

if TYPE_CHECKING:
    from ntos.dll.ntdll.ldr.search import Request
    from ntos.dll.ntdll.ldr.state import Loader, Module
    from ntos.um.thread import UserThread

FILE_ACCESS = 0x100021
"""SYNCHRONIZE, FILE_EXECUTE, FILE_READ_DATA."""
FILE_SHARE = 5
FILE_OPTIONS = 0x60
SECTION_ACCESS = 0xD
SEC_IMAGE = 0x1000000
PAGE_EXECUTE = 0x10
PAGE_EXECUTE_WRITECOPY = 0x80
VIEW_SHARE = 1
ARBITRARY_USER_POINTER = 0x28
NOT_THERE = frozenset(
    (
        STATUS.OBJECT_NAME_NOT_FOUND,
        STATUS.OBJECT_PATH_NOT_FOUND,
        STATUS.OBJECT_NAME_INVALID,
        STATUS.OBJECT_PATH_SYNTAX_BAD,
        STATUS.NO_SUCH_FILE,
        STATUS.NO_SUCH_DEVICE,
        STATUS.FILE_IS_A_DIRECTORY,
        STATUS.NO_MEDIA_IN_DEVICE,
        STATUS.BAD_NETWORK_PATH,
        STATUS.BAD_NETWORK_NAME,
    )
)


def find_loaded(loader: Loader, request: Request) -> Module | None:
    """The module that already satisfies the request (LdrpFindLoadedDll)."""
    name = request.resolved
    if search.is_bare(name):
        return loader.named(name)
    return loader.at_path(name)


async def find_or_map(thread: UserThread, loader: Loader, request: Request, origin: Origin) -> tuple[Module, bool]:
    """The module for the request, and whether it was mapped just now (LdrpFindOrPrepareLoadingModule)."""
    if not request.resolved:
        search.preprocess(request)
    loaded = find_loaded(loader, request)
    if loaded is not None:
        return loaded, False
    if search.is_bare(request.resolved) and loader.known_dlls:
        section = await _known_section(thread, loader, request.resolved)
        if section:
            path = f"{loader.known_path}\\{request.resolved}"
            return await _map_and_insert(thread, loader, section, path, _found(request, origin, "KnownDLLs"))
    await options.read_search_settings(thread, loader.settings)
    for rule, path in search.candidates(thread, loader, request):
        already = loader.at_path(path)
        if already is not None:
            return already, False
        try:
            section = await open_image(thread, path)
        except NtError as error:
            if error.status not in NOT_THERE:
                raise _bad_file(request, path, error) from error
            request.tried(rule, path, int(error.status))
            continue
        return await _map_and_insert(thread, loader, section, path, _found(request, origin, rule))
    raise request.not_found()


def _found(request: Request, origin: Origin, rule: str) -> Origin:
    source = f"{request.rule}, {rule}" if request.rule else rule
    return Origin(source, origin.reason, origin.parent, origin.flags, origin.static)


def _bad_file(request: Request, path: str, error: NtError) -> NtError:
    inputs = {"dll": request.name, "importer": request.importer, "path": path}
    return NtError(error.status, error.because or Denied("DLL image section", inputs))


async def _known_section(thread: UserThread, loader: Loader, name: str) -> int:
    with thread.frame() as frame:
        handle = frame.new(HANDLE)
        attributes = guest.object_attributes(frame, name, loader.known_dlls)
        try:
            await settle(nt.NtOpenSection(thread, handle.address, SECTION_ACCESS, attributes))
        except NtError as error:
            if error.status not in NOT_THERE:
                raise
            return 0
        return int(handle.read())


async def open_image(thread: UserThread, path: str) -> int:
    """An image section of the file at a DOS path (LdrpMapDllNtFileName)."""
    with thread.frame() as frame:
        file = await open_file(thread, path)
        try:
            section = frame.new(HANDLE)
            await settle(
                nt.NtCreateSection(thread, section.address, SECTION_ACCESS, 0, 0, PAGE_EXECUTE, SEC_IMAGE, file)
            )
            return int(section.read())
        finally:
            await settle(nt.NtClose(thread, file))


async def open_file(thread: UserThread, path: str, access: int = FILE_ACCESS) -> int:
    """A handle to the file at a DOS path, opened as the loader opens files."""
    with thread.frame() as frame:
        handle = frame.new(HANDLE)
        io = frame.new(IO_STATUS_BLOCK)
        attributes = guest.object_attributes(frame, dos_to_nt(path))
        await settle(nt.NtOpenFile(thread, handle.address, access, attributes, io.address, FILE_SHARE, FILE_OPTIONS))
        return int(handle.read())


async def map_section(thread: UserThread, section: int, path: str) -> tuple[int, int]:
    """Map an image section; (base, status). Debuggers find its name through TEB.ArbitraryUserPointer."""
    with thread.frame() as frame:
        base, size, offset = frame.new(PVOID), frame.new(SIZE_T), frame.new(LARGE_INTEGER)
        pointer = thread.context.gs_base + ARBITRARY_USER_POINTER
        before = guest.u64(thread.memory, pointer)
        guest.put64(thread.memory, pointer, frame.wide(path))
        try:
            status = await settle(
                nt.NtMapViewOfSection(
                    thread,
                    section,
                    guest.CURRENT_PROCESS,
                    base.address,
                    0,
                    0,
                    offset.address,
                    size.address,
                    VIEW_SHARE,
                    0,
                    PAGE_EXECUTE_WRITECOPY,
                )
            )
        finally:
            guest.put64(thread.memory, pointer, before)
        return int(base.read()), int(status or 0)


async def unmap(thread: UserThread, base: int) -> None:
    """Take an image out of the address space."""
    await settle(nt.NtUnmapViewOfSection(thread, guest.CURRENT_PROCESS, base))


async def _map_and_insert(
    thread: UserThread, loader: Loader, section: int, path: str, origin: Origin
) -> tuple[Module, bool]:
    try:
        base, status = await map_section(thread, section, path)
    finally:
        await settle(nt.NtClose(thread, section))
    headers = headers_of(thread.memory, base)
    if headers.machine != Machine.AMD64:
        await unmap(thread, base)
        inputs = {"path": path, "machine": f"0x{headers.machine:X}"}
        raise NtError(STATUS.INVALID_IMAGE_FORMAT, Denied("machine type", inputs, "use a 64-bit (x64) image"))
    same = await _same_image(thread, loader, base, path)
    if same is not None:
        await unmap(thread, base)
        return same, False
    if status == STATUS.IMAGE_NOT_AT_BASE:
        await relocate.relocate(thread, base, headers)
    module = await insert(thread, loader, base, path, origin)
    await cookie.initialize(thread, module)
    return module, True


async def _same_image(thread: UserThread, loader: Loader, base: int, path: str) -> Module | None:
    """The module that is the same file under another spelling (LdrpFindLoadedDllByMapping)."""
    headers = headers_of(thread.memory, base)
    for module in loader:
        alike = module.headers.time_date_stamp == headers.time_date_stamp and module.size == headers.size_of_image
        if alike and module.headers.checksum == headers.checksum:
            try:
                await settle(nt.NtAreMappedFilesTheSame(thread, module.base, base))
            except NtError:
                continue
            return module
    return None
