"""Sentences for what can go wrong before and while a program runs: what, why, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, status_name
from ntos.cli.exit_codes import FAILED, NOT_FOUND, NOT_RUNNABLE

if TYPE_CHECKING:
    from pathlib import Path

    from ntos.abi.status import NtError

WARNING = 0x8000_0000
"""Codes from here on are statuses that say what went wrong; smaller ones are the program's own numbers."""
PE32_PLUS = 0x20B
CLR_DIRECTORY = 14
MACHINES = {0x14C: "a 32-bit (x86) program", 0x1C4: "a 32-bit ARM program", 0xAA64: "an ARM64 program",
            0x200: "an Itanium program", 0x1C0: "an ARM program"}  # fmt: skip


KNOWN = {
    int(STATUS.OBJECT_NAME_NOT_FOUND): ("there is no such file", NOT_FOUND),
    int(STATUS.OBJECT_PATH_NOT_FOUND): ("there is no such folder", NOT_FOUND),
    int(STATUS.NO_SUCH_FILE): ("there is no such file", NOT_FOUND),
    int(STATUS.ACCESS_DENIED): ("it may not be read; check its permissions", NOT_RUNNABLE),
    int(STATUS.FILE_IS_A_DIRECTORY): ("it is a folder", NOT_RUNNABLE),
    int(STATUS.INVALID_FILE_FOR_SECTION): ("the file is empty", NOT_RUNNABLE),
    int(STATUS.INVALID_IMAGE_FORMAT): ("the file is damaged or cut short", NOT_RUNNABLE),
    int(STATUS.INVALID_IMAGE_NOT_MZ): ("it is not a Windows program (no MZ header)", NOT_RUNNABLE),
    int(STATUS.INVALID_IMAGE_PROTECT): ("it is a DOS program; 64-bit Windows cannot run it either", NOT_RUNNABLE),
    int(STATUS.INVALID_IMAGE_WIN_16): ("it is a 16-bit Windows program", NOT_RUNNABLE),
    int(STATUS.INVALID_IMAGE_NE_FORMAT): ("it is a 16-bit program (NE)", NOT_RUNNABLE),
    int(STATUS.INVALID_IMAGE_LE_FORMAT): ("it is a linear executable (a VxD or OS/2 program)", NOT_RUNNABLE),
    int(STATUS.INVALID_IMAGE_WIN_32): ("it is a 32-bit program; ntos runs x64 programs", NOT_RUNNABLE),
    int(STATUS.IMAGE_SUBSYSTEM_NOT_PRESENT): ("it is a driver or another native image, not a program", NOT_RUNNABLE),
    int(STATUS.NO_MEMORY): ("the machine has no memory left; give it more with --memory", FAILED),
    int(STATUS.COMMITMENT_LIMIT): ("the machine has no memory left; give it more with --memory", FAILED),
}


def creation(program: str, error: NtError, path: Path | None) -> tuple[str, int]:
    """(sentence, exit code) for a program that could not be started."""
    reason, code = _reason(error, path)
    return f"cannot run {path or program}: {reason} ({status_name(error.status)})", code


def _reason(error: NtError, path: Path | None) -> tuple[str, int]:
    because = error.because
    if path is not None and is_dotnet(path):
        return "it is a .NET program; ntos has no .NET runtime", NOT_RUNNABLE
    if because is not None and "Machine" in because.inputs:
        machine = int(str(because.inputs["Machine"]), 16)
        return f"it is {MACHINES.get(machine, 'for another processor')}; ntos runs x64 programs", NOT_RUNNABLE
    if because is not None and "characteristics" in because.inputs:
        return because.rule, NOT_RUNNABLE
    return KNOWN.get(int(error.status), ("it cannot be started", NOT_RUNNABLE))


def is_dotnet(path: Path) -> bool:
    """Whether the file is a PE image with a CLR header."""
    try:
        data = path.read_bytes()
        at = int.from_bytes(data[0x3C:0x40], "little")
        wide = int.from_bytes(data[at + 24 : at + 26], "little") == PE32_PLUS
        entry = at + 24 + (112 if wide else 96) + 8 * CLR_DIRECTORY
        return data[at : at + 4] == b"PE\0\0" and any(data[entry : entry + 4])
    except OSError:
        return False


def exit_status(name: str, code: int, reason: str = "") -> str:
    """The line for an exit code the host cannot hold."""
    meaning = status_name(code)
    text = f" ({meaning})" if code >= WARNING and not meaning.startswith("0x") else ""
    return f"{name} exited with 0x{code:08X}{text}" + (f": {reason}" if reason else "")
