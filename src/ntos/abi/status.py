"""Status codes and the errors that carry them.

Exception
├── NtError        a status, and where a rule refused, the rule as data
└── GuestFault     an address the guest (or we for it) could not use that way
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ntos.abi.status_values import STATUS
from ntos.abi.types import NTSTATUS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["STATUS", "Denied", "GuestFault", "NtError", "status_name"]


@dataclass(frozen=True, slots=True)
class Denied:
    """Why a rule refused: which rule, what it looked at, and the smallest change that would flip it."""

    rule: str
    inputs: Mapping[str, object] = field(default_factory=dict)
    flip: str = ""
    stage: int = 0
    """Of a process creation, where one was refused (1 to 7), and the routine it had come to."""
    routine: str = ""


class NtError(Exception):
    """Raised where a failure is found; the door turns it into the status."""

    def __init__(self, status: NTSTATUS, because: Denied | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.because = because

    def __str__(self) -> str:
        return status_name(self.status) + (f" ({self.because.rule})" if self.because else "")


class GuestFault(Exception):
    """A guest address that cannot be used that way; `status` is what the page-fault path made of it."""

    def __init__(self, address: int, access: int, status: NTSTATUS = STATUS.ACCESS_VIOLATION) -> None:
        super().__init__(address, access, status)
        self.address = address
        self.access = access
        """0 read, 1 write, 8 execute, as in EXCEPTION_RECORD.ExceptionInformation[0]."""
        self.status = status

    def __str__(self) -> str:
        return f"{status_name(self.status)} at 0x{self.address:X} (access {self.access})"


def status_name(status: int) -> str:
    """`STATUS_ACCESS_DENIED` for 0xC0000022; the number in hexadecimal where no name is known."""
    if not NTSTATUS.names:
        for owner in reversed(STATUS.__mro__):
            for name, value in vars(owner).items():
                if isinstance(value, NTSTATUS):
                    NTSTATUS.names.setdefault(int(value), name if name.startswith("DBG_") else f"STATUS_{name}")
    return NTSTATUS.names.get(int(status)) or f"0x{int(status):08X}"
