"""Symbolic links: a name that stands for another name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi import access as rights
from ntos.abi.layout.object import OBJECT_SYMBOLIC_LINK
from ntos.abi.status import STATUS, NtError
from ntos.ob.object import create
from ntos.ob.types import Body, KernelObject, ObjectType, ParseRequest, Reparse
from ntos.rtl.text import to_utf16

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread


class SymbolicLink(Body):
    """OBJECT_SYMBOLIC_LINK."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        super().__init__(kernel, address)
        self.view = OBJECT_SYMBOLIC_LINK(kernel.memory, address)

    @property
    def target(self) -> str:
        """The name it stands for."""
        return self.view.LinkTarget.text


def _parse(
    who: Thread | Kernel, link: SymbolicLink, rest: str, request: ParseRequest
) -> KernelObject | Reparse:
    if rest and not rest.startswith("\\"):  # only the name below a root directory begins so
        raise NtError(STATUS.OBJECT_TYPE_MISMATCH)
    return Reparse(link.target + rest)


def _delete(link: SymbolicLink) -> None:
    buffer = int(link.view.LinkTarget.Buffer)
    if buffer:
        link.kernel.pool.free(buffer)


SYMBOLIC_LINK: ObjectType[SymbolicLink] = ObjectType(
    "SymbolicLink",
    OBJECT_SYMBOLIC_LINK.size,
    SymbolicLink,
    valid_access=0xFFFFF,
    generic_mapping=(0x20001, 0x20000, 0x20001, rights.SYMBOLIC_LINK_ALL_ACCESS),
    paged=True,
    tag=b"Symb",
    invalid_attributes=0x100,
)
SYMBOLIC_LINK.parse = _parse
SYMBOLIC_LINK.delete = _delete


def create_link(kernel: Kernel, target: str) -> SymbolicLink:
    """A new link to `target`, with one reference and no name yet."""
    link = create(kernel, SYMBOLIC_LINK)
    data = to_utf16(target)
    view = link.view
    view.CreationTime = kernel.clock.system_time
    if data:
        buffer = kernel.pool.allocate(len(data), b"Symt", paged=True)
        kernel.memory.write(buffer, data)
        view.LinkTarget.Buffer = buffer
    view.LinkTarget.Length = len(data)
    view.LinkTarget.MaximumLength = len(data)
    return link
