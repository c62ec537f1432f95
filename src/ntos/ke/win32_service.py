"""Doors of service table 1: calls of win32k, which answer a value and leave the error in the TEB.

A thread's first such call makes it a GUI thread (KiConvertToGuiThread); `ps` installs how. User-mode Python sees
what user32 would see: `nt.NtUserX(…)` gives the value, and the last error is set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ntos.abi.signature import result_mask
from ntos.abi.status import GuestFault, NtError
from ntos.abi.types import NTSTATUS
from ntos.ke.service import ServiceDoor, registry
from ntos.rtl.error import nt_status_to_dos_error

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ntos.ke.thread import Thread

F = TypeVar("F", bound="Callable[..., Any]")
LAST_ERROR = 0x68
TABLE = "win32k"


class GuiConversion:
    """How a thread becomes a GUI thread; `ps` installs the real one."""

    def convert(self, thread: Thread) -> None:
        """Give the thread and its process win32k's structures; NtError where that is refused."""
        raise NotImplementedError


class UserError(NtError):
    """A failure with a Win32 error code of its own."""

    def __init__(self, code: int) -> None:
        super().__init__(NTSTATUS(0xC007_0000 | code & 0xFFFF))


class Win32Door(ServiceDoor):
    """One service of win32k."""

    __slots__ = ("_mask", "fails")

    def __init__(self, function: Callable[..., Any], partial: str, fails: int) -> None:
        super().__init__(function, TABLE, partial)
        self.fails = fails
        """What is returned when the service fails."""
        self._mask: int | None = None

    def enter(self, thread: Thread) -> Coroutine[None, None, None] | None:
        if self._enter is None:
            self._enter = self.signature.entry(self.function, "r10", probe=True)
            self._mask = result_mask(self.signature.returns)
        if self.is_async:
            return self._enter_async(thread)
        arguments: tuple[int, ...] = ()
        try:
            arguments = self._begin(thread)
            value = self._enter(thread, thread.memory, thread.context)
        except (NtError, GuestFault) as failure:
            value = self._fail(thread, failure)
        self._finish(thread, arguments, value)
        return None

    async def _enter_async(self, thread: Thread) -> None:
        assert self._enter is not None
        arguments: tuple[int, ...] = ()
        try:
            arguments = self._begin(thread)
            value = await self._enter(thread, thread.memory, thread.context)
        except (NtError, GuestFault) as failure:
            value = self._fail(thread, failure)
        self._finish(thread, arguments, value)

    def invoke(self, thread: Thread, arguments: tuple[int, ...]) -> Any:
        """Call with raw arguments; gives the value."""
        if self._call is None:
            self._call = self.signature.caller(self.function, probe=True)
            self._mask = result_mask(self.signature.returns)
        if self.is_async:
            return self._invoke_async(thread, arguments)
        try:
            convert(thread)
            value = self._call(thread, thread.memory, *arguments)
        except (NtError, GuestFault) as failure:
            value = self._fail(thread, failure)
        return self._answer(thread, arguments, value)

    async def _invoke_async(self, thread: Thread, arguments: tuple[int, ...]) -> Any:
        assert self._call is not None
        try:
            convert(thread)
            value = await self._call(thread, thread.memory, *arguments)
        except (NtError, GuestFault) as failure:
            value = self._fail(thread, failure)
        return self._answer(thread, arguments, value)

    def _begin(self, thread: Thread) -> tuple[int, ...]:
        convert(thread)
        return self._arguments(thread) if thread.log.calls else ()

    def _finish(self, thread: Thread, arguments: tuple[int, ...], value: Any) -> None:
        thread.context.rax = self._answer(thread, arguments, value)

    def _answer(self, thread: Thread, arguments: tuple[int, ...], value: Any) -> int:
        if thread.log.calls:
            self._trace(thread, arguments, value)
        return int(value or 0) & (self._mask or 0)

    def _fail(self, thread: Thread, failure: NtError | GuestFault) -> int:
        if isinstance(failure, NtError):
            self._refuse(thread, failure)
        if self.signature.returns is NTSTATUS:
            return int(failure.status)
        set_last_error(thread, nt_status_to_dos_error(int(failure.status)))
        return self.fails


def convert(thread: Thread) -> None:
    """Make the thread a GUI thread unless it is one."""
    if not thread.tcb.Win32Thread:
        if not thread.kernel.has(GuiConversion):
            thread.kernel.load_driver()
        thread.kernel[GuiConversion].convert(thread)


def set_last_error(thread: Thread, code: int) -> None:
    """TEB.LastErrorValue = `code` (UserSetLastError)."""
    teb = int(thread.tcb.Teb)
    if teb:
        thread.memory.write(teb + LAST_ERROR, (code & 0xFFFF_FFFF).to_bytes(4, "little"))


def user_service(*, partial: str = "", fails: int = 0) -> Callable[[F], F]:
    """Declare a service of win32k. `fails` is what it returns when it fails."""

    def register(handler: F) -> F:
        door = Win32Door(handler, partial, fails)
        if door.name in registry and registry[door.name].function.__module__ != handler.__module__:
            raise TypeError(f"service {door.name} is declared twice")
        registry[door.name] = door
        return handler

    return register
