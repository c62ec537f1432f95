"""Arbitrary code guard: what a process whose policy prohibits dynamic code may not do with memory.

It can have no new executable memory but images: neither allocate it, nor make what was writable executable, nor make
code writable, nor map data to run it (MiArbitraryCodeBlocked; Microsoft Learn,
PROCESS_MITIGATION_DYNAMIC_CODE_POLICY). A thread may opt out where the policy lets it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, Denied, NtError
from ntos.mm.protect import EXECUTABLE, WRITES

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread


def check(thread: Thread, process: Process, protection: int, before: int | None = None) -> None:
    """DYNAMIC_CODE_BLOCKED where the process may not have memory of that protection.

    `before` is what the memory had (both in the five bits); None for memory that is new to the process.
    """
    wanted = protection & 7
    runs = wanted in EXECUTABLE
    ran = before is not None and before & 7 in EXECUTABLE
    if not runs and not (ran and wanted in WRITES):
        return
    if runs and ran and wanted not in WRITES:
        return
    values = process.eprocess.MitigationFlagsValues
    if not values.DisableDynamicCode or _opted_out(thread, process):
        return
    rule = "the process's policy prohibits dynamic code"
    inputs = {"process": process.id, "new": before is None, "executable": runs, "writable": wanted in WRITES}
    raise NtError(STATUS.DYNAMIC_CODE_BLOCKED, because=Denied(rule, inputs, "a process without the policy"))


def _opted_out(thread: Thread, process: Process) -> bool:
    """Whether the policy lets threads of the process opt out, and this one has."""
    allowed = process.eprocess.MitigationFlagsValues.DisableDynamicCodeAllowOptOut
    return bool(allowed and thread.process is process and thread.ethread.DisableDynamicCodeOptOut)
