"""OBJECT_ATTRIBUTES as a service got them: checked, and the name captured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.ob import OBJ_KERNEL_HANDLE, OBJ_VALID_ATTRIBUTES
from ntos.abi.status import STATUS, NtError
from ntos.rtl.text import from_utf16

if TYPE_CHECKING:
    from ntos.abi.memory import Memory
    from ntos.ob.types import ObjectType


@dataclass(frozen=True, slots=True)
class Attributes:
    """What OBJECT_ATTRIBUTES say."""

    name: str | None = None
    """None where there is no ObjectName at all."""
    root: int = 0
    flags: int = 0
    security_descriptor: int = 0
    """User address, or 0."""
    quality_of_service: int = 0


NONE = Attributes()


LONGEST_NAME = 0xFFFC
"""In bytes: a name and its NUL must have a length that a UNICODE_STRING can say."""


def read_unicode_string(memory: Memory, address: int) -> str:
    """The name in the UNICODE_STRING at `address`: OBJECT_NAME_INVALID where its length is odd or too great.

    The buffer is probed for its alignment first; the UNICODE_STRING itself may stand anywhere.
    """
    view = UNICODE_STRING.parse(memory.read(address, UNICODE_STRING.size))
    length, buffer = int(view.Length), int(view.Buffer)
    if not length:
        return ""
    if buffer & 1:
        raise NtError(STATUS.DATATYPE_MISALIGNMENT)
    if length & 1 or length > LONGEST_NAME:
        raise NtError(STATUS.OBJECT_NAME_INVALID)
    return from_utf16(memory.read(buffer, length))


def capture(attributes: OBJECT_ATTRIBUTES | None, kind: ObjectType[Any] | None = None) -> Attributes:
    """Check and read them (ObpCaptureObjectCreateInformation). INVALID_PARAMETER for bits nobody knows."""
    if attributes is None:
        return NONE
    flags = int(attributes.Attributes)
    invalid = ~OBJ_VALID_ATTRIBUTES | (kind.invalid_attributes if kind is not None else 0)
    if int(attributes.Length) != OBJECT_ATTRIBUTES.size or flags & invalid:
        raise NtError(STATUS.INVALID_PARAMETER)
    root = int(attributes.RootDirectory)
    name_address = int(attributes.ObjectName)
    name: str | None = None
    if name_address:
        name = read_unicode_string(attributes.memory.origin, name_address)
    elif root:
        raise NtError(STATUS.OBJECT_NAME_INVALID)
    return Attributes(
        name=name,
        root=root,
        flags=flags & ~OBJ_KERNEL_HANDLE,  # user mode cannot ask for kernel handles
        security_descriptor=int(attributes.SecurityDescriptor),
        quality_of_service=int(attributes.SecurityQualityOfService),
    )
