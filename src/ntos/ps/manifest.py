"""The manifest of a program: the resource of type 24 with number 1, where it lies in a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.pe.headers import Directory, parse_headers
from ntos.abi.pe.resources import ResourceType, find_resource
from ntos.abi.status import GuestFault, NtError

if TYPE_CHECKING:
    from ntos.ke.process import Process

HEADER_ROOM = 0x1000
ANY_SIZE = 1 << 40
"""What is mapped has no file size to hold its section table against."""
PROCESS_MANIFEST = 1
NONE = (0, 0)


def find(process: Process, base: int) -> tuple[int, int]:
    """(address, size) of the manifest of the image at `base`; zeros where there is none that can be read."""
    memory = process.memory
    try:
        headers = parse_headers(memory.read(base, HEADER_ROOM), ANY_SIZE)
        if not headers.directory(Directory.RESOURCE)[0]:
            return NONE
        found = find_resource(lambda rva, size: memory.read(base + rva, size), headers,
                              ResourceType.MANIFEST, PROCESS_MANIFEST)  # fmt: skip
    except (GuestFault, NtError):
        return NONE  # a broken resource tree is the program's own affair
    return NONE if found is None else (base + found.rva, found.size)
