"""Memory for a process, as other parts of the kernel ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ntos.abi.memory import PAGE_SIZE
from ntos.abi.mm import PAGE_READWRITE
from ntos.abi.status import STATUS, NtError
from ntos.mm import virtual
from ntos.mm.layout import is_user_span
from ntos.mm.protect import from_page
from ntos.mm.space import space_of

if TYPE_CHECKING:
    from ntos.ke.process import Process


def allocate(
    process: Process,
    size: int,
    *,
    address: int | None = None,
    top_down: bool = False,
    kind: Literal["commit", "reserve"] = "commit",
    protection: int = PAGE_READWRITE,
) -> int:
    """The address of fresh zeroed memory, committed or only reserved (ZwAllocateVirtualMemory)."""
    space = space_of(process)
    pages = -(-size // PAGE_SIZE)
    if address is None:
        start = space.place(pages, top_down=top_down)
    else:
        start = address >> 12
        if not is_user_span(address, size) or space.vads.overlaps(start, start + pages):
            raise NtError(STATUS.CONFLICTING_ADDRESSES)
    bits = from_page(protection)
    return virtual.reserve_pages(space, start, pages, bits, commit=kind == "commit").base


def commit(process: Process, address: int, size: int, protection: int = PAGE_READWRITE) -> None:
    """Commit pages of a reserved range."""
    space = space_of(process)
    first, end = virtual.pages_of(address, size)
    vad = space.vads.find(first)
    if vad is None or end > vad.end:
        raise NtError(STATUS.CONFLICTING_ADDRESSES)
    virtual.commit_pages(space, vad, first, end, from_page(protection))


def protect(process: Process, address: int, size: int, protection: int) -> int:
    """Change a range's protection; gives the old one of its first page (ZwProtectVirtualMemory)."""
    return virtual.protect(space_of(process), address, size, from_page(protection))


def free(process: Process, address: int) -> None:
    """Give a range back by its base (ZwFreeVirtualMemory, MEM_RELEASE)."""
    virtual.release(space_of(process), address, 0)
