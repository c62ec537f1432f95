"""What a hook is for: the text somebody writes, and the address it means in one process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos import mm
from ntos.abi import apiset
from ntos.abi.pe import exports as export_tables
from ntos.abi.pe.exports import Exports, split_forwarder
from ntos.abi.pe.headers import Directory, ImageHeaders, parse_headers
from ntos.abi.status import GuestFault, NtError
from ntos.mm.space import AddressSpace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ntos.ke.process import Process
    from ntos.mm.vad import Vad

HEADER_PAGE = 0x1000
ANY_SIZE = 1 << 40
LONGEST_CHAIN = 16
"""Forwarders that lead in circles end here."""


@dataclass(frozen=True, slots=True)
class Target:
    """A function: by name or ordinal in a module, at an offset in one, or at an address (no module)."""

    module: str
    name: str | int = ""
    offset: int = 0

    @classmethod
    def parse(cls, text: str | int) -> Target:
        """`kernel32!CreateFileW`, `ws2_32!#115`, `program.exe+0x1234`, or an address. ValueError for what is none."""
        if isinstance(text, int):
            return cls("", offset=text)
        module, mark, function = text.partition("!")
        if mark and module and function:
            return cls(file_name(module), int(function[1:]) if function.startswith("#") else function)
        module, mark, offset = text.rpartition("+")
        if mark and module:
            return cls(file_name(module), offset=int(offset, 0))
        raise ValueError(f"{text!r} is neither module!function nor module+offset")


def file_name(module: str) -> str:
    """The file a module's name means: `.dll` where no extension is given, an API set's host for its contract."""
    name = module.lower()
    if name.startswith(("api-", "ext-")):
        name = (apiset.resolve(name.removesuffix(".dll") + ".dll") or name).lower()
    return name if "." in name else name + ".dll"


@dataclass(slots=True)
class Image:
    """An image mapped in a process."""

    process: Process
    name: str
    base: int
    size: int

    @property
    def headers(self) -> ImageHeaders:
        """Its PE headers, as they are in memory."""
        return parse_headers(self.process.memory.read(self.base, HEADER_PAGE), ANY_SIZE)

    def read(self, rva: int, size: int) -> bytes:
        """Bytes of it."""
        return self.process.memory.read(self.base + rva, size)

    def exports(self) -> Exports | None:
        """Its export table."""
        return export_tables.exports(self.read, self.headers)

    def imports_something(self) -> bool:
        """Whether there is an import directory."""
        return bool(self.headers.directory(Directory.IMPORT)[0])


def image_of(process: Process, vad: Vad) -> Image | None:
    """The image a range of addresses shows; None for all else."""
    if vad.area is None or not vad.area.is_image or vad.area.backing is None:
        return None
    return Image(process, vad.area.backing.path.rpartition("\\")[2].lower(), vad.base, vad.size)


def images_of(process: Process) -> Iterator[Image]:
    """All images mapped in a process."""
    if process.has(AddressSpace) and not process[AddressSpace].deleted:
        for vad in list(mm.space_of(process).vads.vads):
            image = image_of(process, vad)
            if image is not None:
                yield image


def resolve(process: Process, target: Target) -> tuple[int, str, str] | None:
    """(address, module, function) of a target, forwarders followed; None as long as its module is not mapped."""
    images = {image.name: image for image in images_of(process)}
    for _ in range(LONGEST_CHAIN):
        if not target.module:
            return target.offset, "", f"0x{target.offset:X}"
        image = images.get(target.module)
        if image is None:
            return None
        short = image.name.removesuffix(".dll")
        if not target.name:
            return image.base + target.offset, short, f"+0x{target.offset:X}"
        try:
            table = image.exports()
        except (GuestFault, NtError):
            return None
        if table is None:
            return None
        found = table.by_ordinal(target.name) if isinstance(target.name, int) else table.find(target.name)
        if found is None:
            return None
        if found.forwarder is None:
            return image.base + found.rva, short, found.name or f"#{found.ordinal}"
        module, function = split_forwarder(found.forwarder)
        target = Target(file_name(module), function)
    return None
