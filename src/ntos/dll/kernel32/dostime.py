"""DOS dates, which only kernel32 knows."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32 import FILETIME
from ntos.abi.pointer import Out, Ptr
from ntos.abi.types import BOOL, WORD
from ntos.dll.kernelbase.time import file_time, put_file_time
from ntos.rtl import time as calendar
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread


@export
def FileTimeToDosDateTime(
    thread: UserThread, lpFileTime: Ptr[FILETIME], lpFatDate: Out[WORD], lpFatTime: Out[WORD]
) -> BOOL:
    """The DOS words of a time."""
    words = calendar.to_dos(file_time(lpFileTime.read()))
    if words is None:
        raise WinError(ERROR.INVALID_PARAMETER)
    lpFatDate.write(words[0])
    lpFatTime.write(words[1])
    return BOOL(1)


@export
def DosDateTimeToFileTime(thread: UserThread, wFatDate: WORD, wFatTime: WORD, lpFileTime: Ptr[FILETIME]) -> BOOL:
    """The time of DOS words."""
    time = calendar.from_dos(wFatDate, wFatTime)
    if time is None:
        raise WinError(ERROR.INVALID_PARAMETER)
    put_file_time(lpFileTime.read(), time)
    return BOOL(1)
