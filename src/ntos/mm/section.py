"""Section objects: something to map, made of a file, an image or nothing but zeroes.

A section is a handle on a control area with a size and the most a view may do. All data sections of one file
share one control area, and so do all its image sections (MmCreateSection).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import access as rights
from ntos.abi.layout.section import SECTION, SECTION_IMAGE_INFORMATION
from ntos.abi.memory import PAGE_SIZE
from ntos.abi.mm import (
    PAGE_READONLY,
    PAGE_READWRITE,
    SEC_COMMIT,
    SEC_IMAGE,
    SEC_IMAGE_NO_EXECUTE,
    SEC_RESERVE,
)
from ntos.abi.status import STATUS, Denied, NtError
from ntos.mm.backing import OfFile, Unmade, Versioned
from ntos.mm.control import ControlArea, SharedMemory
from ntos.mm.datafile import FileArea
from ntos.mm.image import ImageArea
from ntos.mm.manager import manager
from ntos.mm.protect import WRITES, from_page
from ntos.ob.types import Body, ObjectType

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.mm.backing import Backing

_NO_EXECUTE_ONLY = SEC_IMAGE_NO_EXECUTE & ~SEC_IMAGE
MAXIMUM_SIZE = 1 << 47


class Section(Body):
    """SECTION at `address`, leading to a control area.

    A section of an image whose bytes nobody has asked for yet leads to the file instead, as NT's sections of remote
    images do, until somebody looks at it.
    """

    def __init__(self, kernel: Kernel, address: int) -> None:
        super().__init__(kernel, address)
        self.view = SECTION(kernel.memory, address)
        self._area: ControlArea | None = None
        self._backing: Backing | None = None
        self._size = 0
        self.protection = 0
        """The most a view may do, in five bits."""
        self.attributes = 0

    def begin(self, protection: int, attributes: int) -> None:
        """Say what views may do and what the section is made with."""
        self.protection = from_page(protection)
        self.attributes = attributes
        self.view.InitialPageProtection = protection

    def lead_to(self, area: ControlArea, size: int) -> None:
        """Let the object lead to `area`."""
        self._area, self._size = area, size
        self.view.u1.ControlArea = area.address
        self.view.SizeOfSection = size
        self.view.u.LongFlags = int(area.area.u.LongFlags)
        area.add_section()

    def wait_for(self, backing: Backing) -> None:
        """Let the object lead to the file of an image to be made later."""
        self._backing = backing
        if isinstance(backing, OfFile):
            ob.reference(backing.file)
            self.view.u1.FileObject = backing.file.address
        self.view.u1.RemoteImageFileObject = 1

    @property
    def area(self) -> ControlArea:
        """What is mapped."""
        area = self._area
        if area is None:
            assert self._backing is not None
            area = image_area(self.kernel, self._backing)
            self.lead_to(area, area.size)
            self._let_file_go()
        return area

    @property
    def size(self) -> int:
        """Bytes that can be mapped."""
        return self.area.pages * PAGE_SIZE if self._area is None else self._size

    @size.setter
    def size(self, size: int) -> None:
        self._size = size

    @property
    def is_image(self) -> bool:
        """SEC_IMAGE."""
        return bool(self.attributes & SEC_IMAGE)

    def _let_file_go(self) -> None:
        backing: object = self._backing
        self._backing = None
        if isinstance(backing, OfFile):
            ob.dereference(backing.file)

    @property
    def no_execute(self) -> bool:
        """SEC_IMAGE_NO_EXECUTE: an image whose views run no code."""
        return self.attributes & SEC_IMAGE_NO_EXECUTE == SEC_IMAGE_NO_EXECUTE

    @property
    def base(self) -> int:
        """Where an image lies in every process that has room there; 0 for other sections."""
        return self.area.base

    @property
    def signing_level(self) -> int:
        """SE_SIGNING_LEVEL of an image's file; 0 for other sections."""
        return self.area.signing_level if isinstance(self.area, ImageArea) else 0

    def image_information(self) -> SECTION_IMAGE_INFORMATION:
        """What the headers said; SECTION_NOT_IMAGE for other sections. TransferAddress is where it is at
        `base`.
        """
        if not isinstance(self.area, ImageArea):
            raise NtError(STATUS.SECTION_NOT_IMAGE)
        return self.area.information.ExportedImageInformation

    def deleted(self) -> None:
        """The last reference is gone; views keep the control area."""
        self._let_file_go()
        if self._area is not None:
            self._area.remove_section()


SECTION_TYPE: ObjectType[Section] = ObjectType(
    "Section",
    SECTION.size,
    Section,
    valid_access=rights.SECTION_ALL_ACCESS | rights.SYNCHRONIZE,
    generic_mapping=(0x20005, 0x20002, 0x20008, rights.SECTION_ALL_ACCESS),
    paged=True,
    tag=b"Sect",
)
SECTION_TYPE.delete = Section.deleted


def create_section(
    kernel: Kernel,
    backing: Backing | None,
    size: int = 0,
    protection: int = PAGE_READWRITE,
    attributes: int = SEC_COMMIT,
) -> Section:
    """A section object with one reference (MmCreateSection); `size` 0 means all of the file."""
    bits = from_page(protection)
    area: ControlArea | None
    if attributes & SEC_IMAGE:
        if backing is None:
            raise NtError(STATUS.INVALID_FILE_FOR_SECTION)
        made = not isinstance(backing, Unmade) or not backing.unmade
        area = image_area(kernel, backing) if made else None
        size = area.pages * PAGE_SIZE if area is not None else 0
    elif backing is not None:
        area, size = file_area(kernel, backing, size, writable=bits & 7 in WRITES)
    else:
        area, size = _shared_memory(kernel, size, bits, attributes)
    section = ob.create(kernel, SECTION_TYPE)
    section.begin(protection, attributes)
    if area is not None:
        section.lead_to(area, size)
    elif backing is not None:
        section.wait_for(backing)
    return section


def create_image_section(kernel: Kernel, backing: Backing) -> Section:
    """An image section of a file, as process creation and the loader make them."""
    return create_section(kernel, backing, 0, PAGE_READONLY, SEC_IMAGE)


def image_area(kernel: Kernel, backing: Backing) -> ImageArea:
    """The file's image control area, parsed and relocated unless that is done already."""
    state = manager(kernel)
    known = state.images.get(backing.identity)
    if isinstance(known, ImageArea):
        if known.in_use:
            return known
        if isinstance(backing, Versioned) and backing.version == known.version:
            known.revive(backing)
            return known
        known.destroy()
    made = ImageArea(state, backing)
    state.images[backing.identity] = made
    return made


def file_area(kernel: Kernel, backing: Backing, size: int, *, writable: bool) -> tuple[FileArea, int]:
    """The file's data control area, and the size of a section that asks for `size` bytes of it."""
    state = manager(kernel)
    present = backing.size
    wanted = size or present
    if not wanted:
        raise NtError(STATUS.MAPPED_FILE_SIZE_ZERO)
    if wanted > present:
        if not writable:
            inputs = {"file size": present, "section size": wanted}
            raise NtError(
                STATUS.SECTION_TOO_BIG,
                because=Denied(
                    "a section that cannot write cannot make its file longer", inputs, "PAGE_READWRITE"
                ),
            )
        backing.write(wanted - 1, b"\0")
    known = state.files.get(backing.identity)
    if isinstance(known, FileArea):
        known.extend(wanted)
        return known, wanted
    made = FileArea(state, backing, wanted)
    state.files[backing.identity] = made
    return made, wanted


def _shared_memory(kernel: Kernel, size: int, protection: int, attributes: int) -> tuple[SharedMemory, int]:
    if not size:
        raise NtError(STATUS.INVALID_PARAMETER_4)
    if size > MAXIMUM_SIZE:
        raise NtError(STATUS.SECTION_TOO_BIG)
    pages = -(-size // PAGE_SIZE)
    committed = not attributes & SEC_RESERVE
    return SharedMemory(manager(kernel), pages, protection, committed=committed), pages * PAGE_SIZE


def flush_image_section(kernel: Kernel, backing: Backing) -> bool:
    """Forget the file's image if nobody uses it; False when somebody does (MmFlushImageSection)."""
    known = manager(kernel).images.get(backing.identity)
    if known is None:
        return True
    if known.in_use:
        return False
    known.destroy()
    return True
