"""The driver's entry: from here on processes and threads can become GUI ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.ps.win32 import Win32Callouts, establish_win32_callouts
from ntos.win32k.process import process_callout, thread_callout

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel


def driver_entry(kernel: Kernel) -> None:
    """Tell `ps` whom to call (DriverEntry of win32kbase)."""
    establish_win32_callouts(kernel, Win32Callouts(process_callout, thread_callout))
