"""Files are checked like every other object: against a descriptor, with a reason when it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ntos import io
from ntos.abi.status import STATUS, NtError
from ntos.machine import Machine

READ, WRITE, DELETE = 0x120089, 0x120116, 0x10000
SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "bin"


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A machine with a user's program in it, not yet run."""
    with Machine(drives={"D": SAMPLES}) as made:
        yield made


def opened(machine: Machine, path: str, access: int, disposition: int = 1) -> int:
    """Open as the user's first thread would; gives the status."""
    process = machine.create_process("D:\\hello_printf.exe")
    thread = process.kernel_process.threads[0]
    try:
        io.open_file(thread, path, access=access, share=7, disposition=disposition)
    except NtError as error:
        explained = error.because is not None or error.status != STATUS.ACCESS_DENIED
        return int(error.status) if explained else -1  # a refusal says why
    return 0


@pytest.mark.parametrize(
    ("path", "access", "disposition", "status"),
    [
        ("\\??\\C:\\Windows\\System32\\ntdll.dll", READ, 1, 0),
        ("\\??\\C:\\Windows\\System32\\ntdll.dll", WRITE, 1, STATUS.ACCESS_DENIED),
        ("\\??\\C:\\Windows\\System32\\ntdll.dll", DELETE, 1, STATUS.ACCESS_DENIED),
        ("\\??\\C:\\Windows\\System32\\planted.dll", WRITE, 2, STATUS.ACCESS_DENIED),
        ("\\??\\C:\\Windows\\Temp\\mine.txt", WRITE, 2, 0),
        ("\\??\\C:\\Users\\user\\AppData\\Local\\Temp\\mine.txt", WRITE, 2, 0),
        ("\\??\\D:\\hello_printf.exe", READ, 1, 0),
    ],
)
def test_a_user_reads_the_windows_folder_and_changes_what_is_his(
    machine: Machine, path: str, access: int, disposition: int, status: int
) -> None:
    """A standard user may read the Windows folder, not write into it, and has full access elsewhere."""
    assert opened(machine, path, access, disposition) == int(status)
