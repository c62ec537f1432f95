"""What `@service` makes of an annotated function: a door with a number, decoding, probing, tracing and errors.

The registry is filled when service modules are imported; a door's code is compiled from its signature on first use.
`nt.NtX(thread, …)` in user-mode Python goes through the same door as a `syscall` instruction does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from ntos.abi import signature as signatures
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.signature import Kind, Signature
from ntos.abi.status import STATUS, Denied, GuestFault, NtError, status_name
from ntos.abi.types import NTSTATUS, Scalar
from ntos.etw.account import plain, reason
from ntos.etw.event import Missing, Refused, ServiceCalled

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ntos.ke.thread import Thread

F = TypeVar("F", bound="Callable[..., Any]")


class ServiceDoor:
    """One system service: its handler, its number, and what is said about it."""

    __slots__ = (
        "_call",
        "_enter",
        "_fetch",
        "_signature",
        "function",
        "is_async",
        "name",
        "number",
        "partial",
        "table",
    )

    def __init__(self, function: Callable[..., Any], table: str, partial: str) -> None:
        self.name = function.__name__
        self.function = function
        self.table = table
        self.partial = partial
        """What is missing, in words; empty when nothing is."""
        self.number = -1
        self.is_async = function.__code__.co_flags & 0x80 != 0
        self._signature: Signature | None = None
        self._fetch: Callable[[Any, Any], tuple[Any, ...]] | None = None
        self._call: Callable[..., Any] | None = None
        self._enter: Callable[..., Any] | None = None

    @property
    def signature(self) -> Signature:
        """The decoded annotations."""
        if self._signature is None:
            self._signature = signatures.of(self.function)
        return self._signature

    # ------------------------------------------------------------ from a syscall instruction

    def enter(self, thread: Thread) -> Coroutine[None, None, None] | None:
        """Serve the call in the thread's registers."""
        if self._enter is None:
            self._enter = self.signature.entry(self.function, "r10", probe=True)
        if self.is_async:
            return self._enter_async(thread)
        context, memory, told = thread.context, thread.memory, thread.log.calls
        arguments: tuple[int, ...] = ()
        because: Denied | None = None
        try:
            if told:
                arguments = self._arguments(thread)
            status = self._enter(thread, memory, context)
        except NtError as error:
            status, because = self._refuse(thread, error), error.because
        except GuestFault as fault:
            status = fault.status
        if told:
            self._trace(thread, arguments, status, because)
        if status is not None:
            context.rax = status & 0xFFFF_FFFF
        return None

    async def _enter_async(self, thread: Thread) -> None:
        assert self._enter is not None
        context, memory, told = thread.context, thread.memory, thread.log.calls
        arguments: tuple[int, ...] = ()
        because: Denied | None = None
        try:
            if told:
                arguments = self._arguments(thread)
            status = await self._enter(thread, memory, context)
        except NtError as error:
            status, because = self._refuse(thread, error), error.because
        except GuestFault as fault:
            status = fault.status
        if told:
            self._trace(thread, arguments, status, because)
        if status is not None:
            context.rax = status & 0xFFFF_FFFF

    def _arguments(self, thread: Thread) -> tuple[int, ...]:
        if self._fetch is None:
            self._fetch = self.signature.fetcher("r10")
        return self._fetch(thread.context, thread.memory)

    # ------------------------------------------------------------ from user-mode Python

    def invoke(self, thread: Thread, arguments: tuple[int, ...]) -> Any:
        """Call with raw arguments; error statuses are raised as NtError. A coroutine for services that can block."""
        if self._call is None:
            self._call = self.signature.caller(self.function, probe=True)
        if self.is_async:
            return self._invoke_async(thread, arguments)
        try:
            status = self._call(thread, thread.memory, *arguments)
        except NtError as error:
            self._refuse(thread, error)
            if thread.log.calls:
                self._trace(thread, arguments, error.status, error.because)
            raise
        except GuestFault as fault:
            raise NtError(fault.status) from fault
        if thread.log.calls:
            self._trace(thread, arguments, status)
        return _checked(status)

    async def _invoke_async(self, thread: Thread, arguments: tuple[int, ...]) -> Any:
        assert self._call is not None
        try:
            status = await self._call(thread, thread.memory, *arguments)
        except NtError as error:
            self._refuse(thread, error)
            if thread.log.calls:
                self._trace(thread, arguments, error.status, error.because)
            raise
        except GuestFault as fault:
            raise NtError(fault.status) from fault
        if thread.log.calls:
            self._trace(thread, arguments, status)
        return _checked(status)

    # ------------------------------------------------------------ telling

    def _refuse(self, thread: Thread, error: NtError) -> NTSTATUS:
        thread.refusal = error.because
        if error.because is not None and thread.kernel.log.wants(Refused):
            because = error.because
            thread.kernel.log.emit(
                Refused(
                    name=self.name,
                    status=int(error.status),
                    status_name=status_name(error.status),
                    rule=because.rule,
                    inputs={key: plain(value) for key, value in because.inputs.items()},
                    flip=because.flip,
                )
            )
        return error.status

    def _trace(
        self, thread: Thread, arguments: tuple[int, ...], status: Any, because: Denied | None = None
    ) -> None:
        if not thread.log.wants(ServiceCalled):
            return
        before, after = describe(self.signature, thread, arguments)
        thread.kernel.log.emit(
            ServiceCalled(
                name=self.name,
                arguments=before,
                status=int(status or 0) & 0xFFFF_FFFF,
                results=after,
                because=reason(because),
            )
        )


def _checked(status: Any) -> Any:
    if isinstance(status, int) and (status & 0xC000_0000) == 0xC000_0000:
        raise NtError(NTSTATUS(status))
    return status


def describe(signature: Signature, thread: Thread, arguments: tuple[int, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(arguments by name, results written through `Out`), in values JSON can hold."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for parameter, raw in zip(signature.parameters, arguments, strict=False):
        if parameter.kind is Kind.VALUE and isinstance(parameter.type, type) and issubclass(parameter.type, Scalar):
            before[parameter.name] = parameter.type.wrap(raw)
        else:
            before[parameter.name] = plain(raw)
        if parameter.kind is Kind.IN and raw:
            before[parameter.name] = _structure(parameter.type, thread, raw)
        if parameter.kind is Kind.OUT and raw and issubclass(parameter.type, Scalar):
            try:
                after[parameter.name] = int(parameter.type.load(thread.memory, raw))
            except GuestFault:
                continue
    return before, after


def _structure(kind: Any, thread: Thread, address: int) -> Any:
    try:
        if issubclass(kind, Scalar):
            return int(kind.load(thread.memory, address))
        view = kind.load(thread.memory, address)
        if kind is OBJECT_ATTRIBUTES:
            return UNICODE_STRING(thread.memory, view.ObjectName).text if view.ObjectName else ""
        return view.text if isinstance(view, UNICODE_STRING) else f"0x{address:X}"
    except (GuestFault, UnicodeDecodeError):
        return f"0x{address:X}"


registry: dict[str, ServiceDoor] = {}


@overload
def service(function: F) -> F: ...
@overload
def service(*, partial: str = "", table: str = "nt") -> Callable[[F], F]: ...
def service(function: F | None = None, *, partial: str = "", table: str = "nt") -> F | Callable[[F], F]:
    """Declare a system service. `partial` says in words what is missing; the coverage table prints it."""

    def register(handler: F) -> F:
        door = ServiceDoor(handler, table, partial)
        if door.name in registry and registry[door.name].function.__module__ != handler.__module__:
            raise TypeError(f"service {door.name} is declared twice")
        registry[door.name] = door
        return handler

    return register(function) if function is not None else register


def missing(thread: Thread, name: str, caller: str, arguments: list[int]) -> NTSTATUS:
    """Tell that a service does not exist here, and give the status NT gives for what it does not implement."""
    thread.kernel.log.emit(Missing(module="ntdll", name=name, caller=caller, arguments=arguments))
    return STATUS.NOT_IMPLEMENTED
