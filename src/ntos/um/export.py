"""What `@export` makes of an annotated function: a named entry of a DLL's export table, served in Python.

The DLL is the package the module stands in (`ntos.dll.kernelbase.process` → kernelbase). An `NtError` raised inside
becomes what the function's type promises: an NTSTATUS is returned; otherwise the thread's last error is set from it
(`RtlNtStatusToDosError`) and the declared failure value returned. A `GuestFault` is raised in the guest where the
call stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never, TypeVar, overload

from ntos.abi import signature as signatures
from ntos.abi.memory import read_string, read_wide
from ntos.abi.signature import Kind, Signature, result_mask
from ntos.abi.status import Denied, GuestFault, NtError
from ntos.abi.types import CHAR, DOUBLE, FLOAT, HRESULT, LSTATUS, NTSTATUS, WCHAR
from ntos.etw.account import reason
from ntos.etw.event import ExportCalled
from ntos.rtl.error import nt_status_to_dos_error

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ntos.um.thread import UserThread

F = TypeVar("F", bound="Callable[..., Any]")
TABLE = 0x2000
"""Service table 2 (bits 12-13 of EAX): exports written in Python. Bits 16 and up say which module."""
LAST_ERROR = 0x68
LAST_STATUS = 0x1250
FACILITY_WIN32 = 0x8007_0000


class WinError(NtError):
    """A failure with a Win32 error code that no status maps to."""

    def __init__(self, code: int, because: Denied | None = None) -> None:
        super().__init__(NTSTATUS(0xC007_0000 | code & 0xFFFF), because)
        self.code = code


class ExportDoor:
    """One export: its handler and how it fails."""

    __slots__ = (
        "_enter", "_fetch", "_mask", "_signature", "aliases", "fails", "function", "is_async", "module", "name",
        "partial",
    )  # fmt: skip

    def __init__(self, function: Callable[..., Any], name: str, module: str, fails: int, partial: str) -> None:
        self.function = function
        self.name = name
        self.module = module
        self.fails = fails
        self.partial = partial
        """What is missing, in words; empty when nothing is."""
        self.aliases: tuple[str, ...] = ()
        self.is_async = function.__code__.co_flags & 0x80 != 0
        self._signature: Signature | None = None
        self._fetch: Callable[[Any, Any], tuple[Any, ...]] | None = None
        self._enter: Callable[..., Any] | None = None
        self._mask: int | None = None

    @property
    def signature(self) -> Signature:
        """The decoded annotations."""
        if self._signature is None:
            self._signature = signatures.of(self.function)
        return self._signature

    def enter(self, thread: UserThread) -> Coroutine[None, None, None] | None:
        """Serve the call in the thread's registers."""
        if self._enter is None:
            self._enter = self.signature.entry(self.function, "r10", probe=False)
            self._mask = result_mask(self.signature.returns)
        if self.is_async:
            return self._enter_async(thread)
        context, memory = thread.context, thread.memory
        arguments: tuple[Any, ...] = ()
        because: Denied | None = None
        try:
            if thread.log.calls:
                arguments = self._arguments(thread)
            result = self._enter(thread, memory, context)
        except NtError as error:
            result, because = self._fail(thread, error), error.because
        except GuestFault as fault:
            thread.raise_fault(fault)
            return None
        self._return(thread, arguments, result, because)
        return None

    async def _enter_async(self, thread: UserThread) -> None:
        assert self._enter is not None
        context, memory = thread.context, thread.memory
        rip, rsp = context.rip, context.rsp
        arguments: tuple[Any, ...] = ()
        because: Denied | None = None
        try:
            if thread.log.calls:
                arguments = self._arguments(thread)
            result = await self._enter(thread, memory, context)
        except NtError as error:
            context.rip, context.rsp = rip, rsp
            result, because = self._fail(thread, error), error.because
        except GuestFault as fault:
            context.rip, context.rsp = rip, rsp
            thread.raise_fault(fault)
            return
        self._return(thread, arguments, result, because)

    def _arguments(self, thread: UserThread) -> tuple[Any, ...]:
        if self._fetch is None:
            self._fetch = self.signature.fetcher("r10")
        return self._fetch(thread.context, thread.memory)

    def _return(
        self, thread: UserThread, arguments: tuple[Any, ...], result: Any, because: Denied | None
    ) -> None:
        if self._mask is not None:
            thread.context.rax = int(result) & self._mask
        elif self.signature.returns in (DOUBLE, FLOAT):
            thread.context.set_xmm(0, signatures.pack_floating(self.signature.returns, result))
        if thread.log.calls and self.signature.returns is not Never and thread.log.wants(ExportCalled):
            self._trace(thread, arguments, result, because)

    def _fail(self, thread: UserThread, error: NtError) -> int:
        returns = self.signature.returns
        if returns is NTSTATUS:
            return int(error.status)
        code = dos_error(error)
        if returns is LSTATUS:
            return code
        if returns is HRESULT:
            return FACILITY_WIN32 | code if code else int(error.status) | 0x1000_0000
        thread.memory.write(thread.context.gs_base + LAST_STATUS, int(error.status).to_bytes(4, "little"))
        set_last_error(thread, code)
        return self.fails

    def _trace(
        self, thread: UserThread, arguments: tuple[Any, ...], result: Any, because: Denied | None
    ) -> None:
        shown: dict[str, Any] = {}
        for parameter, raw in zip(self.signature.parameters, arguments, strict=False):
            shown[parameter.name] = _shown(parameter, thread, raw)
        caller = int.from_bytes(thread.memory.read(thread.context.rsp, 8), "little")
        thread.log.emit(
            ExportCalled(
                module=self.module,
                name=self.name,
                arguments=shown,
                result=result if isinstance(result, int | float | None) else str(result),
                caller=thread.module_at(caller),
                because=reason(because),
            )
        )


def _shown(parameter: signatures.Parameter, thread: UserThread, raw: Any) -> Any:
    if parameter.kind is Kind.POINTER and raw and parameter.type in (WCHAR, CHAR):
        try:
            read = read_wide if parameter.type is WCHAR else read_string
            text = read(thread.memory, raw, 260)
            return text if isinstance(text, str) else text.decode("latin-1")
        except (GuestFault, UnicodeDecodeError):
            return raw
    if parameter.kind is Kind.VALUE and hasattr(parameter.type, "wrap"):
        return parameter.type.wrap(raw)
    return raw


def dos_error(error: NtError) -> int:
    """The Win32 error code of a failure."""
    return error.code if isinstance(error, WinError) else nt_status_to_dos_error(int(error.status))


def set_last_error(thread: UserThread, code: int) -> None:
    """TEB.LastErrorValue = `code`."""
    thread.memory.write(thread.context.gs_base + LAST_ERROR, (code & 0xFFFF_FFFF).to_bytes(4, "little"))


def last_error(thread: UserThread) -> int:
    """TEB.LastErrorValue."""
    return int.from_bytes(thread.memory.read(thread.context.gs_base + LAST_ERROR, 4), "little")


registry: dict[str, dict[str, ExportDoor]] = {}


@overload
def export(function: F) -> F: ...
@overload
def export(
    *, fails: int = 0, name: str = "", aliases: tuple[str, ...] = (), module: str = "", partial: str = ""
) -> Callable[[F], F]: ...
def export(
    function: F | None = None,
    *,
    fails: int = 0,
    name: str = "",
    aliases: tuple[str, ...] = (),
    module: str = "",
    partial: str = "",
) -> F | Callable[[F], F]:
    """Declare an export of the DLL this module belongs to.

    `fails` is what the function returns when it fails; `name` where Python's spelling cannot be the export's;
    `aliases` are further names of the same function; `partial` says in words what is missing.
    """

    def register(handler: F) -> F:
        dll = module or handler.__module__.split(".")[2]
        door = ExportDoor(handler, name or handler.__name__, dll, fails, partial)
        door.aliases = aliases
        names = registry.setdefault(dll, {})
        for spelling in (door.name, *aliases):
            if spelling in names and names[spelling].function.__module__ != handler.__module__:
                raise TypeError(f"{dll}!{spelling} is declared twice")
            names[spelling] = door
        return handler

    return register(function) if function is not None else register
