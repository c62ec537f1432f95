"""Where win32k hooks into processes and threads (PsEstablishWin32Callouts), and the change into a GUI thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, Denied, GuestFault, NtError
from ntos.ke.win32_service import GuiConversion

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread


class Win32Callouts(GuiConversion):
    """What win32k is told: (process or thread, True) when it becomes a GUI one, False when it ends.

    The first may refuse with NtError; it sets EPROCESS.Win32Process and KTHREAD.Win32Thread.
    """

    def __init__(
        self, process: Callable[[Process, bool], None], thread: Callable[[Thread, bool], None]
    ) -> None:
        self.process = process
        self.thread = thread

    def convert(self, thread: Thread) -> None:
        """PsConvertToGuiThread."""
        eprocess, tcb = thread.process.eprocess, thread.tcb
        if eprocess.MitigationFlagsValues.DisallowWin32kSystemCalls:
            raise NtError(
                STATUS.ACCESS_DENIED,
                because=Denied(
                    "the process may make no win32k calls",
                    {"process": thread.process.id, "policy": "ProcessSystemCallDisablePolicy"},
                    "create it without PROCESS_CREATION_MITIGATION_POLICY_WIN32K_SYSTEM_CALL_DISABLE_ALWAYS_ON",
                ),
            )
        if not eprocess.Win32Process:
            self.process(thread.process, True)
        tcb.GuiThread = 1
        try:
            self.thread(thread, True)
        except (NtError, GuestFault):
            tcb.GuiThread = 0
            raise


def establish_win32_callouts(kernel: Kernel, callouts: Win32Callouts) -> None:
    """PsEstablishWin32Callouts."""
    kernel.install(callouts, GuiConversion)


def exit_thread(thread: Thread) -> None:
    """A GUI thread ends."""
    if thread.tcb.Win32Thread:
        callouts = thread.kernel[GuiConversion]
        assert isinstance(callouts, Win32Callouts)
        callouts.thread(thread, False)


def exit_process(process: Process) -> None:
    """The last thread of a GUI process has left."""
    if process.eprocess.Win32Process:
        callouts = process.kernel[GuiConversion]
        assert isinstance(callouts, Win32Callouts)
        callouts.process(process, False)
