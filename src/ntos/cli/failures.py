"""Sentences for what can go wrong before and while a program runs: what, why, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, status_name
from ntos.cli.exit_codes import FAILED, NOT_FOUND, NOT_RUNNABLE

if TYPE_CHECKING:
    from pathlib import Path

    from ntos.abi.status import NtError

MACHINES = {0x14C: "32-bit (x86)", 0x1C4: "32-bit ARM", 0xAA64: "ARM64", 0x200: "Itanium", 0x1C0: "ARM"}


def creation(program: str, error: NtError, path: Path | None) -> tuple[str, int]:
    """(sentence, exit code) for a program that could not be started."""
    status = error.status
    known = {
        int(STATUS.OBJECT_NAME_NOT_FOUND): ("there is no such file", NOT_FOUND),
        int(STATUS.OBJECT_PATH_NOT_FOUND): ("there is no such folder", NOT_FOUND),
        int(STATUS.NO_SUCH_FILE): ("there is no such file", NOT_FOUND),
        int(STATUS.ACCESS_DENIED): ("it may not be read; check its permissions", NOT_RUNNABLE),
        int(STATUS.FILE_IS_A_DIRECTORY): ("it is a folder", NOT_RUNNABLE),
        int(STATUS.INVALID_FILE_FOR_SECTION): ("the file is empty", NOT_RUNNABLE),
        int(STATUS.INVALID_IMAGE_NOT_MZ): ("it is not a Windows program (no MZ header)", NOT_RUNNABLE),
        int(STATUS.INVALID_IMAGE_PROTECT): ("it is a DOS program; 64-bit Windows cannot run it either", NOT_RUNNABLE),
        int(STATUS.INVALID_IMAGE_WIN_16): ("it is a 16-bit Windows program", NOT_RUNNABLE),
        int(STATUS.INVALID_IMAGE_NE_FORMAT): ("it is an OS/2 program", NOT_RUNNABLE),
        int(STATUS.INVALID_IMAGE_LE_FORMAT): ("it is a linear executable (a VxD or OS/2 program)", NOT_RUNNABLE),
        int(STATUS.INVALID_IMAGE_WIN_32): ("it is a 32-bit program; ntos runs 64-bit (x64) ones", NOT_RUNNABLE),
        int(STATUS.NO_MEMORY): ("the machine has no memory left; give it more with --memory", FAILED),
        int(STATUS.COMMITMENT_LIMIT): ("the machine has no memory left; give it more with --memory", FAILED),
    }
    because = error.because
    if int(status) in known:
        reason, code = known[int(status)]
    elif because is not None and "Machine" in because.inputs:
        machine = int(str(because.inputs["Machine"]), 16)
        reason, code = f"it is a program for {MACHINES.get(machine, hex(machine))}; ntos runs x64 ones", NOT_RUNNABLE
    elif because is not None:
        reason, code = f"{because.rule}" + (f"; needed: {because.flip}" if because.flip else ""), NOT_RUNNABLE
    else:
        reason, code = "the file is damaged or cut short", NOT_RUNNABLE
        if int(status) != STATUS.INVALID_IMAGE_FORMAT:
            reason = "it cannot be started"
    return f"cannot run {path or program}: {reason} ({status_name(status)})", code


def exit_status(name: str, code: int) -> str:
    """The line for an exit code the host cannot hold."""
    meaning = status_name(code)
    text = f" ({meaning})" if not meaning.startswith("0x") else ""
    return f"{name} exited with 0x{code:08X}{text}"
