"""Status codes become the Win32 errors programs expect."""

from __future__ import annotations

import pytest

from ntos.abi.errors import ERROR
from ntos.abi.status import STATUS
from ntos.rtl.error import nt_status_to_dos_error
from ntos.rtl.message import system_message


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (STATUS.SUCCESS, ERROR.SUCCESS),
        (STATUS.PENDING, ERROR.IO_PENDING),
        (STATUS.TIMEOUT, ERROR.TIMEOUT),
        (STATUS.BUFFER_OVERFLOW, ERROR.MORE_DATA),
        (STATUS.BREAKPOINT, int(STATUS.BREAKPOINT)),
        (STATUS.ACCESS_VIOLATION, ERROR.NOACCESS),
        (STATUS.INVALID_HANDLE, ERROR.INVALID_HANDLE),
        (STATUS.OBJECT_NAME_NOT_FOUND, ERROR.FILE_NOT_FOUND),
        (STATUS.OBJECT_NAME_COLLISION, ERROR.ALREADY_EXISTS),
        (STATUS.BUFFER_TOO_SMALL, ERROR.INSUFFICIENT_BUFFER),
        (STATUS.SXS_CANT_GEN_ACTCTX, 14001),
        (0xC007_0005, ERROR.ACCESS_DENIED),
        (0xE06D_7363, 0xE06D_7363),
        (0xC0DE_0001, ERROR.MR_MID_NOT_FOUND),
    ],
)
def test_a_status_becomes_its_win32_error(status: int, error: int) -> None:
    """RtlNtStatusToDosError maps by table, then by facility, and keeps what is a program's own."""
    assert nt_status_to_dos_error(status) == error


def test_a_signed_status_is_the_same_status() -> None:
    """The sign a caller sees in an NTSTATUS makes no difference."""
    assert nt_status_to_dos_error(int(STATUS.ACCESS_DENIED) - (1 << 32)) == ERROR.ACCESS_DENIED


def test_common_errors_have_the_system_wording() -> None:
    """FormatMessage's text for a known error, and none for an unknown one."""
    assert system_message(ERROR.ACCESS_DENIED) == "Access is denied."
    assert system_message(ERROR.FILE_NOT_FOUND) == "The system cannot find the file specified."
    assert system_message(0x7FFF_FFFF) is None
