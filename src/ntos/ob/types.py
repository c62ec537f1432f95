"""Object types: what a kind of object is called, how large it is, which rights it knows, who is told of its
fate.

An `ObjectType` is a declaration, made once where its owner stands (`EVENT = ObjectType("Event", …)`). Each
running kernel has an OBJECT_TYPE of its own for it, a true object in memory, found through ObTypeIndexTable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from ntos.abi import access as rights

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.ke.dispatcher import DispatcherObject
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread


class KernelObject(Protocol):
    """What every Python object beside a kernel object has."""

    @property
    def kernel(self) -> Kernel: ...
    @property
    def address(self) -> int: ...


class Body:
    """A kernel object that nobody waits for: its body at `address`, its header 0x30 below."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        self.kernel = kernel
        self.address = address


T = TypeVar("T", bound=KernelObject)
AnyObject = KernelObject


@dataclass(frozen=True, slots=True)
class GenericMapping:
    """What the generic rights mean for a type (GENERIC_MAPPING)."""

    read: int
    write: int
    execute: int
    all: int

    def apply(self, desired: int) -> int:
        """`desired` with its generic bits replaced (RtlMapGenericMask)."""
        mapped = desired & 0x0FFF_FFFF
        if desired & rights.GENERIC_READ:
            mapped |= self.read
        if desired & rights.GENERIC_WRITE:
            mapped |= self.write
        if desired & rights.GENERIC_EXECUTE:
            mapped |= self.execute
        if desired & rights.GENERIC_ALL:
            mapped |= self.all
        return mapped


@dataclass(slots=True)
class ParseRequest:
    """What a parse procedure may want to know about the open it serves."""

    kind: ObjectType[Any] | None
    """The type the caller wants; None for any."""
    access: int
    attributes: int
    name: str
    """The whole name, as it was before the first reparse."""
    context: Any = None
    """What the opener passed for the parse procedure it expects (io: create options; cm: class)."""
    granted: int | None = None
    """Set by a parse procedure that has done the access check itself; the handle then gets exactly this."""
    directory: KernelObject | None = None
    """The directory the parsed object was found in."""

    @property
    def case_insensitive(self) -> bool:
        """OBJ_CASE_INSENSITIVE."""
        return self.attributes & 0x40 != 0


@dataclass(frozen=True, slots=True)
class Reparse:
    """A parse procedure's answer: start again with this name (STATUS_REPARSE)."""

    name: str


class ObjectType(Generic[T]):
    """A kind of object. Its procedures are attributes that the owner sets."""

    def __init__(
        self,
        name: str,
        body_size: int,
        wrap: Callable[[Kernel, int], T],
        *,
        valid_access: int = rights.STANDARD_RIGHTS_ALL,
        generic_mapping: GenericMapping | tuple[int, int, int, int] | None = None,
        default_dispatcher: int | None = None,
        paged: bool = False,
        tag: bytes = b"",
        invalid_attributes: int = 0,
        maintain_handle_count: bool = False,
        maintain_type_list: bool = False,
        security_required: bool = False,
    ) -> None:
        self.name = name
        self.body_size = body_size
        self.wrap = wrap
        self.valid_access = valid_access
        if isinstance(generic_mapping, tuple):
            generic_mapping = GenericMapping(*generic_mapping)
        self.mapping = generic_mapping or GenericMapping(0x20000, 0x20000, 0x20000, valid_access)
        self.default_dispatcher = default_dispatcher
        """Offset in the body of the dispatcher object a wait is for; None where waiting makes no sense."""
        self.paged = paged
        self.tag = tag or name.encode()[:4].ljust(4)
        self.invalid_attributes = invalid_attributes
        self.maintain_handle_count = maintain_handle_count
        self.maintain_type_list = maintain_type_list
        self.security_required = security_required
        """Unnamed objects of this type have security descriptors too (processes, threads, tokens)."""
        self.open: Callable[[Process, T, int], None] | None = None
        """(process, object, granted access): a handle is being made."""
        self.close: Callable[[Process, T, int], None] | None = None
        """(process, object, handles open before): a handle is being closed; 1 says it is the last."""
        self.delete: Callable[[T], None] | None = None
        """(object): the last reference is gone; the body is still there."""
        self.parse: Callable[[Thread | Kernel, T, str, ParseRequest], KernelObject | Reparse] | None = None
        """(who, object, rest of the name, request): an object with a reference, or a reparse."""
        self.withheld: Callable[[Thread, T, int, int], int] | None = None
        """(opener, object, access asked, access granted): what is left of it, or ACCESS_DENIED. A rule that stands
        above descriptors and privileges."""
        self.security: Callable[..., Any] | None = None
        """The security procedure, in the shape `se` gives it."""
        self.query_name: Callable[[T], str] | None = None
        """(object): the full name, for objects named below a parse procedure (files, keys)."""
        self.okay_to_close: Callable[[Process, T, int], bool] | None = None
        self.waits_on: Callable[[T], DispatcherObject] | None = None
        """(object): what a wait for it is for, where the body only points there (ports)."""

    def __repr__(self) -> str:
        return f"ObjectType({self.name})"


TYPE_NAMES = (
    "Type", "Directory", "SymbolicLink", "Token", "Job", "Process", "Thread", "Partition",
    "UserApcReserve", "IoCompletionReserve", "ActivityReference", "PsSiloContextPaged",
    "PsSiloContextNonPaged", "DebugObject", "Event", "Mutant", "Callback", "Semaphore", "Timer",
    "IRTimer", "Profile", "KeyedEvent", "WindowStation", "Desktop", "Composition", "RawInputManager",
    "CoreMessaging", "ActivationObject", "TpWorkerFactory", "Adapter", "Controller", "Device", "Driver",
    "IoCompletion", "WaitCompletionPacket", "File", "TmTm", "TmTx", "TmRm", "TmEn", "Section",
    "Session", "Key", "RegistryTransaction", "ALPC Port", "EnergyTracker", "PowerRequest", "WmiGuid",
    "EtwRegistration", "EtwSessionDemuxEntry", "EtwConsumer", "CoverageSampler", "DmaAdapter",
)  # fmt: skip
"""The types of the reference build in the order it makes them; the first has index 2."""
FIRST_INDEX = 2
