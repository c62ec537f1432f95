"""A thread as user-mode Python sees it. `ke.Thread` satisfies this; nothing else of the kernel is visible here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ntos.abi.layout.peb import PEB
    from ntos.abi.layout.teb import TEB
    from ntos.abi.memory import Memory
    from ntos.abi.registers import Context
    from ntos.abi.status import GuestFault
    from ntos.etw.log import Log

T = TypeVar("T")


class Frame(Protocol):
    """Temporaries on the guest stack."""

    def allocate(self, size: int) -> int:
        """The address of `size` zeroed bytes, 16-aligned."""

    def new(self, kind: Any) -> Any:
        """Zeroed room for one `kind`: a `Ptr[kind]` for scalars, a view for structures."""

    def bytes(self, data: bytes) -> int:
        """The address of a copy of `data`."""

    def wide(self, text: str) -> int:
        """The address of `text` as NUL-terminated UTF-16."""

    def unicode_string(self, text: str) -> int:
        """The address of a UNICODE_STRING."""


class UserThread(Protocol):
    """What code in user mode may do with the thread it runs on."""

    @property
    def context(self) -> Context: ...
    @property
    def memory(self) -> Memory: ...
    @property
    def id(self) -> int: ...
    @property
    def teb(self) -> TEB: ...
    @property
    def peb(self) -> PEB: ...
    @property
    def log(self) -> Log: ...

    def frame(self) -> AbstractContextManager[Frame]:
        """Temporaries on the guest stack for as long as the block lasts."""

    async def call(self, code: int, *arguments: int) -> int:
        """Run guest code until it returns; gives RAX."""

    def system_call(self, name: str, arguments: tuple[int, ...]) -> Any:
        """What `nt.<name>` does."""

    def state(self, kind: type[T]) -> T:
        """This process's one object of class `kind`, made by `kind()` on first use: what bytes cannot hold."""

    def own(self, kind: type[T]) -> T:
        """This thread's one object of class `kind`."""

    def raise_exception(self, code: int, information: tuple[int, ...] = (), *, noncontinuable: bool = False) -> None:
        """Dispatch an exception at the call now being served."""

    def raise_fault(self, fault: GuestFault) -> None:
        """The same for an address that could not be used."""

    def entry(self, module: str, name: str) -> int:
        """The address of a system DLL's export (ntdll only: it is at one place in all processes)."""

    def module_at(self, address: int) -> str:
        """`module+offset` of a code address."""
