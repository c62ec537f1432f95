"""How an image file lies in memory, and what may be done with each part of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ntos.abi.pe.headers import PAGE_SIZE, SECTOR, ImageHeaders, SectionFlag, align_up

PAGE_NOACCESS: Final = 0x01
PAGE_READONLY: Final = 0x02
PAGE_READWRITE: Final = 0x04
PAGE_WRITECOPY: Final = 0x08
PAGE_EXECUTE: Final = 0x10
PAGE_EXECUTE_READ: Final = 0x20
PAGE_EXECUTE_READWRITE: Final = 0x40
PAGE_EXECUTE_WRITECOPY: Final = 0x80


@dataclass(frozen=True, slots=True)
class Region:
    """A run of pages of one image with one protection (a subsection, in the memory manager's words)."""

    name: str
    rva: int
    size: int
    protection: int
    file_offset: int
    file_size: int
    shared: bool = False


def section_protection(characteristics: int) -> int:
    """The ``PAGE_*`` value for a section's characteristics (MiGetImageProtection)."""
    execute = bool(characteristics & SectionFlag.EXECUTE)
    if characteristics & SectionFlag.WRITE:
        if characteristics & SectionFlag.SHARED:
            return PAGE_EXECUTE_READWRITE if execute else PAGE_READWRITE
        return PAGE_EXECUTE_WRITECOPY if execute else PAGE_WRITECOPY
    if characteristics & SectionFlag.READ:
        return PAGE_EXECUTE_READ if execute else PAGE_READONLY
    return PAGE_EXECUTE if execute else PAGE_NOACCESS


def regions(headers: ImageHeaders) -> tuple[Region, ...]:
    """The image's parts in address order, headers first; sizes are whole pages."""
    size_of_image = align_up(headers.size_of_image, PAGE_SIZE)
    if headers.is_low_alignment:
        whole = Region("", 0, size_of_image, PAGE_EXECUTE_WRITECOPY, 0, headers.size_of_image)
        return (whole,)
    parts = [
        Region(
            "",
            0,
            align_up(headers.size_of_headers, headers.section_alignment),
            PAGE_READONLY,
            0,
            headers.size_of_headers,
        )
    ]
    for section in headers.sections:
        size = align_up(section.mapped_size, PAGE_SIZE)
        # Windows rounds PointerToRawData down to a sector, whatever FileAlignment says.
        offset = section.raw_offset & ~(SECTOR - 1)
        present = min(section.raw_size, size) if section.raw_offset else 0
        shared = bool(section.characteristics & SectionFlag.SHARED)
        protection = section_protection(section.characteristics)
        parts.append(Region(section.name, section.virtual_address, size, protection, offset, present, shared))
    return tuple(parts)


def map_image(data: bytes | memoryview, headers: ImageHeaders) -> bytearray:
    """The image as it lies in memory before relocation; what the file does not give is zero."""
    image = bytearray(align_up(headers.size_of_image, PAGE_SIZE))
    for region in regions(headers):
        content = data[region.file_offset : region.file_offset + region.file_size]
        available = min(len(content), len(image) - region.rva)
        image[region.rva : region.rva + available] = content[:available]
    return image
