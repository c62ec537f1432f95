"""A PE file on the host, as far as its dependencies go: only the directories that are asked for are read."""

from __future__ import annotations

import mmap
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from ntos.abi.pe import directories, resources
from ntos.abi.pe.exports import Exports
from ntos.abi.pe.headers import PAGE_SIZE, SECTOR, Directory, DllFlag, ImageHeaders, align_up, parse_headers
from ntos.abi.pe.reader import Read, bad_image
from ntos.abi.status import STATUS, NtError, status_name

if TYPE_CHECKING:
    from ntos.abi.pe.directories import BoundImport, DelayImport, ImportedModule

HEADER_BYTES: Final = 0x10000
MAXIMUM_MANIFEST: Final = 1 << 20
MAXIMUM_EXPORTS: Final = 64 << 20
T = TypeVar("T")


class FileReader:
    """Reads a file by RVA as if it were mapped; what the file does not give is zero."""

    def __init__(self, data: mmap.mmap, headers: ImageHeaders) -> None:
        self._data = data
        self._limit = align_up(headers.size_of_image, PAGE_SIZE)
        rows = [(0, align_up(headers.size_of_headers, PAGE_SIZE), 0, headers.size_of_headers)]
        if headers.is_low_alignment:
            rows = [(0, self._limit, 0, headers.size_of_image)]
        else:
            for section in headers.sections:
                size = align_up(section.mapped_size, PAGE_SIZE)
                present = min(section.raw_size, size) if section.raw_offset else 0
                rows.append((section.virtual_address, size, section.raw_offset & ~(SECTOR - 1), present))
        self._rows = rows
        self._starts = [row[0] for row in rows]

    def __call__(self, rva: int, size: int) -> bytes:
        """`size` bytes at `rva`, across sections where need be."""
        if rva < 0 or size < 0 or rva + size > self._limit:
            bad_image()
        parts: list[bytes] = []
        while size:
            start, span, offset, present = self._rows[bisect_right(self._starts, rva) - 1]
            inside = rva - start
            take = min(size, span - inside)
            if take <= 0:
                bad_image()
            available = max(0, min(take, present - inside))
            piece = self._data[offset + inside : offset + inside + available]
            parts.append(piece if len(piece) == take else piece + bytes(take - len(piece)))
            rva += take
            size -= take
        return parts[0] if len(parts) == 1 else b"".join(parts)


@dataclass
class Image:
    """One file's imports, exports and load settings. A damaged directory is a `problem`, never an exception."""

    path: Path
    size: int
    headers: ImageHeaders
    imports: tuple[ImportedModule, ...] = ()
    delay: tuple[DelayImport, ...] = ()
    bound: tuple[BoundImport, ...] = ()
    dependent_load_flags: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def no_isolation(self) -> bool:
        """Whether the image asks that its manifest be ignored."""
        return bool(self.headers.dll_characteristics & DllFlag.NO_ISOLATION)

    @cached_property
    def exports(self) -> Exports | None:
        """The export table; None where there is none or it cannot be read."""
        rva, size = self.headers.directory(Directory.EXPORT)
        if not rva or not size:
            return None
        return self._guarded("export directory", lambda: Exports(self._export_reader(rva, size), rva, size), None)

    def manifest(self, *identifiers: int) -> bytes | None:
        """The RT_MANIFEST resource with the first of these ids that is there."""
        rva, size = self.headers.directory(Directory.RESOURCE)
        if not rva or not size:
            return None

        def find() -> bytes | None:
            with mapped(self.path) as data:
                read = FileReader(data, self.headers)
                found: dict[resources.ResourceId, bytes] = {}
                for leaf in resources.resources(read, self.headers):
                    if leaf.type == resources.ResourceType.MANIFEST and leaf.name not in found:
                        found[leaf.name] = read(leaf.rva, min(leaf.size, MAXIMUM_MANIFEST))
                return next((found[each] for each in identifiers if each in found), None)

        return self._guarded("resource directory", find, None)

    def _export_reader(self, rva: int, size: int) -> Read:
        """Reads the directory's own bytes from memory, and reopens the file for what lies elsewhere."""
        with mapped(self.path) as data:
            room = min(size, MAXIMUM_EXPORTS, align_up(self.headers.size_of_image, PAGE_SIZE) - rva)
            kept = FileReader(data, self.headers)(rva, room)

        def read(address: int, length: int) -> bytes:
            inside = address - rva
            if inside >= 0 and inside + length <= len(kept):
                return kept[inside : inside + length]
            with mapped(self.path) as again:
                return FileReader(again, self.headers)(address, length)

        return read

    def _guarded(self, what: str, action: Callable[[], T], otherwise: T) -> T:
        try:
            return action()
        except (NtError, struct.error, OSError, ValueError, UnicodeDecodeError) as error:
            reason = status_name(error.status) if isinstance(error, NtError) else str(error)
            self.problems.append(f"{what} cannot be read ({reason})")
            return otherwise


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap]:
    """The file's bytes, read-only, for the length of a `with`."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


def open_image(path: Path) -> Image:
    """Read the tables that name dependencies. NtError with the loader's status where it is no image; OSError."""
    size = path.stat().st_size
    if size == 0:
        raise NtError(STATUS.INVALID_FILE_FOR_SECTION)
    with mapped(path) as data:
        headers = parse_headers(data[:_header_size(data)], size)
        read = FileReader(data, headers)
        made = Image(path, size, headers)
        guarded = made._guarded  # noqa: SLF001 - this function makes what the class is
        made.imports = guarded("import directory", lambda: directories.imports(read, headers), ())
        made.delay = guarded("delay-import directory", lambda: directories.delay_imports(read, headers), ())
        made.bound = guarded("bound-import directory", lambda: directories.bound_imports(read, headers), ())
        config = guarded("load configuration", lambda: directories.load_config(read, headers), None)
        made.dependent_load_flags = config.dependent_load_flags if config else 0
    return made


def _header_size(data: mmap.mmap) -> int:
    """How much of the file can hold headers: up to 64 KB past the PE signature."""
    if len(data) < 0x40:
        return len(data)
    (at,) = struct.unpack("<I", data[0x3C:0x40])
    return HEADER_BYTES + min(int(at), len(data))
