"""Moving an image that could not stand where it wanted to (LdrpProtectAndRelocateImage, LdrRelocateImage)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.pe import image as layout
from ntos.abi.pe.headers import FileFlag, ImageHeaders
from ntos.abi.pe.relocations import apply, relocation_table
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import PVOID, SIZE_T, ULONG
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.ldr.image import reader
from ntos.um import nt

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

PAGE_READWRITE = 4
IMAGE_BASE_FIELD = 0x30


async def protect(thread: UserThread, address: int, size: int, protection: int) -> int:
    """Change the protection of a range; gives the old one."""
    with thread.frame() as frame:
        base, length, old = frame.new(PVOID), frame.new(SIZE_T), frame.new(ULONG)
        base.write(address)
        length.write(size)
        await guest.settle(
            nt.NtProtectVirtualMemory(
                thread, guest.CURRENT_PROCESS, base.address, length.address, protection, old.address
            )
        )
        return int(old.read())


async def relocate(thread: UserThread, base: int, headers: ImageHeaders) -> None:
    """Make the image mapped at `base` right for that address."""
    delta = base - headers.image_base
    table = relocation_table(reader(thread.memory, base), headers)
    if not table:
        if headers.characteristics & FileFlag.RELOCS_STRIPPED:
            raise NtError(STATUS.CONFLICTING_ADDRESSES)
        return
    parts = [part for part in layout.regions(headers) if part.protection != layout.PAGE_NOACCESS]
    image = bytearray(headers.size_of_image)
    for part in parts:
        image[part.rva : part.rva + part.size] = thread.memory.read(base + part.rva, part.size)
    original = bytes(image)
    apply(image, table, delta)
    field = headers.nt_offset + 0x18 + 0x18
    image[field : field + 8] = base.to_bytes(8, "little")
    for part in parts:
        changed = image[part.rva : part.rva + part.size]
        if changed != original[part.rva : part.rva + part.size]:
            old = await protect(thread, base + part.rva, part.size, PAGE_READWRITE)
            thread.memory.write(base + part.rva, changed)
            await protect(thread, base + part.rva, part.size, old)
