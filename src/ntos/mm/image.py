"""Image control areas: a PE file laid out section by section, moved once per boot to the base it has in
every process.

Relocation happens when the area is made, so the pages that processes share are right for all of them, and the
ImageBase in the mapped header is already the actual base (image-loader.md section 8).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.layout.section import MI_SECTION_IMAGE_INFORMATION
from ntos.abi.memory import PAGE_SIZE
from ntos.abi.pe import image as pe_image
from ntos.abi.pe import relocations
from ntos.abi.pe.headers import ImageHeaders, SectionFlag, align_up, parse_headers
from ntos.abi.pe.reader import reader_of
from ntos.mm.backing import Signed, Versioned
from ntos.mm.control import ControlArea, Part
from ntos.mm.layout import FOUR_GIGABYTES
from ntos.mm.protect import from_page, software

if TYPE_CHECKING:
    from ntos.mm.backing import Backing
    from ntos.mm.manager import MemoryManager

_OPTIONAL_HEADER = 24
_BASE_64 = _OPTIONAL_HEADER + 24
_BASE_32 = _OPTIONAL_HEADER + 28


class ImageArea(ControlArea):
    """The pages of one image."""

    tag = b"MmCi"
    is_image = True

    def __init__(self, manager: MemoryManager, backing: Backing) -> None:
        data = backing.read(0, backing.size)
        self.headers = parse_headers(data, len(data))
        self.file_size = len(data)
        self.original_base = self.headers.image_base
        self.version = backing.version if isinstance(backing, Versioned) else None
        self.identity = backing.identity
        known = manager.image_bases.get(self.identity)
        self.base = manager.placement.base_for(self.headers) if known is None else known
        manager.image_bases[self.identity] = self.base
        self.bytes = _relocated(data, self.headers, self.base)
        super().__init__(manager, _parts(self.headers), backing)
        self.segment.BasedAddress = self.base
        self.segment.SegmentFlags.ImageSigningLevel = backing.signing_level if isinstance(backing, Signed) else 0
        self._set_all_prototypes()
        self.information = self._describe()

    @property
    def size(self) -> int:
        """SizeOfImage in whole pages."""
        return self.pages * PAGE_SIZE

    @property
    def signing_level(self) -> int:
        """How well the file was signed when the area was made (SE_SIGNING_LEVEL)."""
        return int(self.segment.SegmentFlags.ImageSigningLevel)

    def content(self, page: int) -> bytes | memoryview:
        """A page of the image as relocated."""
        return memoryview(self.bytes)[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]

    def _set_all_prototypes(self) -> None:
        entries = []
        for part in self.parts:
            from_file = -(-part.file_size // PAGE_SIZE)
            entries += [self.file_entry(part).to_bytes(8, "little")] * min(from_file, part.used)
            zeroes = part.used - min(from_file, part.used)
            entries += [software(part.protection).to_bytes(8, "little")] * zeroes
            entries += [software(0x18).to_bytes(8, "little")] * (part.count - part.used)
        self.kernel.memory.write(self.prototypes, b"".join(entries))

    def unused(self) -> None:
        """Stay, where the file can say later that it is still the same; the file itself is let go."""
        if self.version is None:
            self.destroy()
        else:
            self.let_file_go()

    def revive(self, backing: Backing) -> None:
        """Lead to a file again, after a time without any section or view."""
        self.backing = backing
        self.hold_file()

    def destroy(self) -> None:
        """Forget the image; its base it keeps until the next boot."""
        if self.manager.images.get(self.identity) is self:
            del self.manager.images[self.identity]
        self.kernel.pool.free(self.information.address)
        super().destroy()

    def _describe(self) -> MI_SECTION_IMAGE_INFORMATION:
        """SECTION_IMAGE_INFORMATION and its extension, in pool, where the segment points."""
        headers = self.headers
        address = self.kernel.pool.allocate(MI_SECTION_IMAGE_INFORMATION.size, b"MmIi", paged=True)
        made = MI_SECTION_IMAGE_INFORMATION(self.kernel.memory, address)
        self.segment.u2.ImageInformation = address
        told = made.ExportedImageInformation
        told.TransferAddress = self.base + headers.entry_point if headers.entry_point else 0
        told.MaximumStackSize, told.CommittedStackSize = headers.stack_reserve, headers.stack_commit
        told.SubSystemType = headers.subsystem
        told.SubSystemMajorVersion, told.SubSystemMinorVersion = headers.subsystem_version
        told.MajorOperatingSystemVersion, told.MinorOperatingSystemVersion = headers.operating_system_version
        told.ImageCharacteristics, told.DllCharacteristics = (
            headers.characteristics,
            headers.dll_characteristics,
        )
        told.Machine = headers.machine
        told.ImageContainsCode = headers.size_of_code != 0 or any(
            section.characteristics & SectionFlag.CODE for section in headers.sections
        )
        told.ImageDynamicallyRelocated = self.base != self.original_base
        told.ImageMappedFlat = headers.is_low_alignment
        told.BaseBelow4gb = self.original_base < FOUR_GIGABYTES
        told.LoaderFlags = headers.loader_flags
        told.ImageFileSize = self.file_size
        told.CheckSum = headers.checksum
        inner = made.InternalImageInformation
        inner.SizeOfHeaders, inner.SizeOfImage = headers.size_of_headers, self.size
        inner.TimeDateStamp = headers.time_date_stamp
        return made


def _parts(headers: ImageHeaders) -> list[Part]:
    """One subsection for the headers and one for each section, without gaps."""
    total = align_up(headers.size_of_image, PAGE_SIZE) // PAGE_SIZE
    parts = []
    for region in pe_image.regions(headers):
        first = region.rva // PAGE_SIZE
        used = min(-(-region.size // PAGE_SIZE), total - first)
        protection = from_page(region.protection)
        file_size = min(region.file_size, used * PAGE_SIZE)
        parts.append(Part(first, used, used, protection, region.file_offset, file_size, region.shared))
    for part, following in zip(parts, [*(later.first for later in parts[1:]), total], strict=True):
        part.count = following - part.first
        part.used = min(part.used, part.count)
    return [part for part in parts if part.count > 0]


def _relocated(data: bytes, headers: ImageHeaders, base: int) -> bytearray:
    """The image in memory order, as it must read at `base`."""
    laid_out = pe_image.map_image(data, headers)
    delta = base - headers.image_base
    if delta:
        table = relocations.relocation_table(reader_of(laid_out), headers)
        relocations.apply(laid_out, table, delta)
        if headers.is_pe32_plus:
            struct.pack_into("<Q", laid_out, headers.nt_offset + _BASE_64, base)
        else:
            struct.pack_into("<I", laid_out, headers.nt_offset + _BASE_32, base)
    return laid_out
