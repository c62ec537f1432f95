"""When a program cannot start: the message Windows shows, the reason as data, and the end of the process."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Never

from ntos.abi.status import STATUS, NtError, status_name
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.guest import settle
from ntos.etw.event import Refused
from ntos.um import nt

if TYPE_CHECKING:
    from ntos.dll.ntdll.ldr.state import Loader
    from ntos.um.thread import Frame, UserThread

OPTION_OK = 1


async def initialization_failed(thread: UserThread, loader: Loader, error: NtError) -> Never:
    """Show the hard error of the failure and end the process with its status (LdrpInitializationFailure)."""
    refused(thread, "LdrpInitializeProcess", error)
    await hard_error(thread, error)
    await settle(nt.NtTerminateProcess(thread, guest.CURRENT_PROCESS, int(error.status)))
    raise error


def refused(thread: UserThread, name: str, error: NtError) -> None:
    """Tell the event stream why the loader refused."""
    because = error.because
    if because is not None and thread.log.wants(Refused):
        thread.log.emit(
            Refused(
                name=name,
                status=int(error.status),
                status_name=status_name(error.status),
                rule=because.rule,
                inputs=dict(because.inputs),
                flip=because.flip,
            )
        )


async def hard_error(thread: UserThread, error: NtError) -> None:
    """NtRaiseHardError with the parameters that the status's text wants."""
    inputs = error.because.inputs if error.because else {}
    with thread.frame() as frame:
        status, parameters, mask = _parameters(frame, error, {key: str(value) for key, value in inputs.items()})
        array = frame.bytes(struct.pack(f"<{len(parameters)}Q", *parameters)) if parameters else 0
        response = frame.allocate(4)
        await settle(nt.NtRaiseHardError(thread, status, len(parameters), mask, array, OPTION_OK, response))


def _parameters(frame: Frame, error: NtError, inputs: dict[str, str]) -> tuple[int, list[int], int]:
    text = frame.unicode_string
    match error.status:
        case STATUS.DLL_NOT_FOUND:
            return int(error.status), [text(_base_name(inputs.get("resolved", ""))), text("")], 3
        case STATUS.ENTRYPOINT_NOT_FOUND:
            names = [text(inputs.get("function", "")), text(inputs.get("importer", ""))]
            return int(error.status), names, 3
        case STATUS.ORDINAL_NOT_FOUND:
            names = [int(inputs.get("function", "0")), text(inputs.get("importer", ""))]
            return int(error.status), names, 2
        case STATUS.INVALID_IMAGE_FORMAT:
            return int(error.status), [text(inputs.get("path", "")), int(error.status)], 1
        case _:
            return int(STATUS.APP_INIT_FAILURE), [int(error.status)], 0


def _base_name(path: str) -> str:
    return path.rpartition("\\")[2]
