"""NtRaiseHardError: a message for whoever sits at the machine, and the answer of a machine without anybody.

In Windows the request goes to csrss, which shows a box. Here it becomes an event; where the only possible answer
is OK it is given, everything else goes back to the caller (as Windows does while no port is set).
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING

from ntos.abi.pointer import Out
from ntos.abi.se import SE_PRIVILEGE
from ntos.abi.status import STATUS, Denied, NtError, status_name
from ntos.abi.types import NTSTATUS, PVOID, ULONG
from ntos.etw.event import HardError
from ntos.ke.service import service
from ntos.ob import read_unicode_string
from ntos.rtl.error import nt_status_to_dos_error
from ntos.rtl.message import system_message
from ntos.se import privileges

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

MAXIMUM_PARAMETERS = 4
OVERRIDE_ERROR_MODE = 0x1000_0000
"""In ErrorStatus: show the box whatever the error mode says."""
SHOW_CRITICAL_ERRORS = 1
"""EPROCESS.DefaultHardErrorProcessing: bit 0 is the inverse of SEM_FAILCRITICALERRORS."""
THREAD_FAIL_CRITICAL_ERRORS = 0x10


class Option(IntEnum):
    """HARDERROR_RESPONSE_OPTION: the buttons."""

    ABORT_RETRY_IGNORE = 0
    OK = 1
    OK_CANCEL = 2
    RETRY_CANCEL = 3
    YES_NO = 4
    YES_NO_CANCEL = 5
    SHUTDOWN_SYSTEM = 6
    OK_NO_WAIT = 7
    CANCEL_TRY_CONTINUE = 8


RESPONSE_RETURN_TO_CALLER, RESPONSE_OK = 0, 6
TEXTS: dict[int, tuple[str, str]] = {
    0xC0000005: ("Application Error", "The instruction at 0x{0:X} referenced memory at 0x{1:X}."),
    0xC000007B: ("Bad Image", "{0} is either not designed to run on Windows or it contains an error."),
    0xC0000135: ("System Error", "The code execution cannot proceed because {0} was not found."),
    0xC0000138: ("Ordinal Not Found", "The ordinal {0} could not be located in the library {1}."),
    0xC0000139: (
        "Entry Point Not Found",
        "The procedure entry point {0} could not be located in the library {1}.",
    ),
    0xC0000142: ("Application Error", "The application was unable to start correctly ({0})."),
    0xC0000143: ("Missing System File", "The required system file {0} is bad or missing."),
    0xC0000144: ("Application Error", "The exception 0x{0:08X} occurred at 0x{1:X}."),
    0x50000018: ("{1}", "{0}"),
}
"""Status to (caption, text); `{0}` is the first parameter. 0x50000018 is STATUS_SERVICE_NOTIFICATION."""


@service
def NtRaiseHardError(
    thread: Thread,
    ErrorStatus: NTSTATUS,
    NumberOfParameters: ULONG,
    UnicodeStringParameterMask: ULONG,
    Parameters: PVOID,
    ValidResponseOptions: ULONG,
    Response: Out[ULONG],
) -> NTSTATUS:
    """Tell about an error; the answer is OK where nothing else can be answered, else back to the caller."""
    if NumberOfParameters > MAXIMUM_PARAMETERS:
        raise NtError(
            STATUS.INVALID_PARAMETER_2, Denied("number of parameters", {"count": NumberOfParameters}, "4")
        )
    if ValidResponseOptions > Option.CANCEL_TRY_CONTINUE:
        raise NtError(
            STATUS.INVALID_PARAMETER_4, Denied("response option", {"option": ValidResponseOptions}, "0 to 8")
        )
    if int(ValidResponseOptions) == Option.SHUTDOWN_SYSTEM:
        privileges.require(thread, SE_PRIVILEGE.SHUTDOWN)
    parameters = _parameters(thread, NumberOfParameters, UnicodeStringParameterMask, Parameters)
    status = ErrorStatus & ~OVERRIDE_ERROR_MODE
    if not ErrorStatus & OVERRIDE_ERROR_MODE and not _wanted(thread):
        Response.write(RESPONSE_RETURN_TO_CALLER)
        return STATUS.SUCCESS
    caption, text = describe(status, parameters)
    thread.kernel.log.emit(
        HardError(
            status=status, status_name=status_name(status), text=text, caption=caption or thread.process.name
        )
    )
    answered = int(ValidResponseOptions) in {Option.OK, Option.OK_NO_WAIT}
    Response.write(RESPONSE_OK if answered else RESPONSE_RETURN_TO_CALLER)
    return STATUS.SUCCESS


def _parameters(thread: Thread, count: int, mask: int, address: int) -> list[int | str]:
    if not count or not address:
        return []
    words = struct.unpack(f"<{count}Q", thread.memory.read(address, 8 * count))
    return [
        read_unicode_string(thread.memory, word) if mask >> index & 1 else word
        for index, word in enumerate(words)
    ]


def _wanted(thread: Thread) -> bool:
    """Whether process and thread want to hear of critical errors (SetErrorMode, SetThreadErrorMode)."""
    if thread.ethread.HardErrorsAreDisabled:
        return False
    if int(thread.tcb.Teb) and int(thread.teb.HardErrorMode) & THREAD_FAIL_CRITICAL_ERRORS:
        return False
    return bool(int(thread.process.eprocess.DefaultHardErrorProcessing) & SHOW_CRITICAL_ERRORS)


def describe(status: int, parameters: list[int | str]) -> tuple[str, str]:
    """(caption, text) of a hard error."""
    known = TEXTS.get(status)
    if known is not None:
        padded = [*parameters, *[""] * (MAXIMUM_PARAMETERS - len(parameters))]
        try:
            return known[0].format(*padded), known[1].format(*padded)
        except ValueError:
            pass  # a string where the text wants a number: say it plainly instead
    text = system_message(nt_status_to_dos_error(status)) or status_name(status)
    shown = [f"0x{value:X}" if isinstance(value, int) else value for value in parameters]
    return "", " ".join([text.strip(), *([f"({', '.join(shown)})"] if shown else [])])
