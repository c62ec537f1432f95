"""Views: a section shown in an address space, and taken out of it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.memory import PAGE_SIZE
from ntos.abi.pe.headers import Machine
from ntos.abi.status import STATUS, Denied, NtError
from ntos.mm.control import SharedMemory
from ntos.mm.image import ImageArea
from ntos.mm.layout import GRANULARITY, LIBRARY_TOP, is_user_span
from ntos.mm.protect import (
    MM_EXECUTE_WRITECOPY,
    MM_WRITECOPY,
    PROTECT_TO_VALUE,
    from_page,
    is_compatible,
)
from ntos.mm.space import AddressSpace, space_of
from ntos.mm.vad import VAD_IMAGE_MAP, VAD_NONE, Vad

if TYPE_CHECKING:
    from ntos.abi.types import NTSTATUS
    from ntos.ke.process import Process
    from ntos.mm.section import Section


def map_view(
    process: Process,
    section: Section,
    *,
    address: int = 0,
    offset: int = 0,
    size: int = 0,
    protection: int | None = None,
    top_down: bool = False,
    limit: int = 0,
    inherit: bool = False,
    commit: int = 0,
) -> tuple[int, int, NTSTATUS]:
    """Show a section; gives (base, size, status). IMAGE_NOT_AT_BASE when an image must be relocated
    (MmMapViewOfSection).

    `protection` is a PAGE_* value; left out, what the section itself allows.
    """
    space = space_of(process)
    wanted = section.protection if protection is None else from_page(protection)
    if isinstance(section.area, ImageArea):
        return _map_image(space, section, section.area, address, limit, inherit=inherit)
    if not is_compatible(section.protection, wanted):
        inputs = {"section": PROTECT_TO_VALUE[section.protection], "wanted": PROTECT_TO_VALUE[wanted]}
        raise NtError(
            STATUS.SECTION_PROTECTION,
            because=Denied(
                "a view allows no more than its section", inputs, "make the section with that protection"
            ),
        )
    if offset % GRANULARITY or address % GRANULARITY:
        raise NtError(STATUS.MAPPED_ALIGNMENT)
    if offset >= section.size or size > section.size - offset:
        raise NtError(STATUS.INVALID_VIEW_SIZE)
    pages = -(-(size or section.size - offset) // PAGE_SIZE)
    start = _place(space, pages, address, top_down=top_down, limit=limit)
    vad = Vad(
        space.kernel,
        start,
        start + pages,
        wanted,
        kind=VAD_NONE,
        area=section.area,
        first_page=offset // PAGE_SIZE,
    )
    vad.inherit = inherit
    space.insert(vad)
    section.area.enter(space, vad)
    if commit and isinstance(section.area, SharedMemory):
        first = vad.first_page
        section.area.commit(first, first + min(pages, -(-commit // PAGE_SIZE)))
    return vad.base, vad.size, STATUS.SUCCESS


def _place(space: AddressSpace, pages: int, address: int, *, top_down: bool, limit: int) -> int:
    if not address:
        return space.place(pages, top_down=top_down, limit=limit)
    start = address >> 12
    if not is_user_span(address, pages * PAGE_SIZE) or space.vads.overlaps(start, start + pages):
        raise NtError(STATUS.CONFLICTING_ADDRESSES)
    return start


def _map_image(
    space: AddressSpace, section: Section, area: ImageArea, address: int, limit: int, *, inherit: bool
) -> tuple[int, int, NTSTATUS]:
    if address % GRANULARITY:
        raise NtError(STATUS.MAPPED_ALIGNMENT)
    _check_signing(space, area)
    if address:
        start = _place(space, area.pages, address, top_down=False, limit=0)
    else:
        start = area.base >> 12
        if (
            not is_user_span(area.base, area.size)
            or (limit and area.base + area.size > limit)
            or space.vads.overlaps(start, start + area.pages)
        ):
            start = space.vads.find_top_down(area.pages, 16, (limit or LIBRARY_TOP) >> 12)
            if not start:
                raise NtError(STATUS.NO_MEMORY)
    protection = MM_WRITECOPY if section.no_execute else MM_EXECUTE_WRITECOPY
    vad = Vad(space.kernel, start, start + area.pages, protection, kind=VAD_IMAGE_MAP, area=area)
    vad.no_execute, vad.inherit = section.no_execute, inherit
    space.insert(vad)
    area.enter(space, vad)
    for announce in space.manager.image_mapped:
        announce(space.process, vad, area)
    if vad.base != area.base:
        return vad.base, vad.size, STATUS.IMAGE_NOT_AT_BASE
    if area.headers.machine != Machine.AMD64:
        return vad.base, vad.size, STATUS.IMAGE_MACHINE_TYPE_MISMATCH
    return vad.base, vad.size, STATUS.SUCCESS


def _check_signing(space: AddressSpace, area: ImageArea) -> None:
    """A protected process, or one with a signature policy, maps only what is signed well enough.

    Levels above WINDOWS are compared with it: what is signed for the trusted computing base maps everywhere.
    """
    needed = int(space.process.eprocess.SectionSignatureLevel) & 0xF
    if area.signing_level < needed:
        path = area.backing.path if area.backing is not None else ""
        inputs = {"image": path, "signing level": area.signing_level, "process wants": needed}
        because = Denied("the image is not signed as well as the process demands", inputs, "a signed image")
        raise NtError(STATUS.INVALID_IMAGE_HASH, because=because)


def unmap_view(process: Process, address: int) -> None:
    """Take the view that covers `address` away (MmUnmapViewOfSection); NOT_MAPPED_VIEW if there is none."""
    space = space_of(process)
    vad = space.find(address)
    if vad is None or vad.area is None:
        raise NtError(STATUS.NOT_MAPPED_VIEW)
    remove_view(space, vad)


def remove_view(space: AddressSpace, vad: Vad) -> None:
    """Give a view's pages back, and the view."""
    area = vad.area
    assert area is not None
    base = vad.base
    space.release(vad, vad.start, vad.end)
    space.uncharge(vad, vad.charge)
    if area.is_image:
        for announce in space.manager.image_unmapped:
            announce(space.process, base, area)
    area.remove_view(space, vad)
    space.remove(vad)
