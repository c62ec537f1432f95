r"""OutputDebugString: text for a debugger of the process or, failing that, for one who watches the session's.

Where neither a debugger nor a vectored handler takes the exception that carries the text, it goes to whoever has made
the section `DBWIN_BUFFER` (DebugView and its like): first the writer's process id, then the text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ntos.abi.ob import CURRENT_PROCESS
from ntos.abi.pointer import Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import CHAR, LARGE_INTEGER, PVOID, SIZE_T, WCHAR
from ntos.dll.kernelbase.objects import named, new_handle
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.text import text_of
from ntos.dll.ntdll.raising import offer
from ntos.etw.event import DebugPrint
from ntos.rtl.nls.codepage import to_ansi
from ntos.rtl.text import unit_count
from ntos.um.export import export
from ntos.um.thread import UserThread

BUFFER_SIZE = 0x1000
TEXT_ROOM = BUFFER_SIZE - 4
PATIENCE = -10 * 10_000_000
"""Ten seconds for a watcher to take what is in its buffer."""
SECTION_MAP_WRITE, PAGE_READWRITE, VIEW_UNMAP = 2, 4, 2
SYNCHRONIZE, EVENT_MODIFY_STATE, MUTANT_ALL_ACCESS = 0x10_0000, 2, 0x1F_0001


@export
async def OutputDebugStringA(thread: UserThread, lpOutputString: Ptr[CHAR]) -> None:
    """Text for a debugger."""
    data = lpOutputString.string() if lpOutputString else b""
    thread.log.emit(DebugPrint(text=text_of(lpOutputString)))  # type: ignore[arg-type]
    await _output(thread, data)


@export
async def OutputDebugStringW(thread: UserThread, lpOutputString: Ptr[WCHAR]) -> None:
    """Text for a debugger: wide, and in ANSI for one that does not know wide text."""
    text = text_of(lpOutputString)
    thread.log.emit(DebugPrint(text=text))
    data = to_ansi(text)
    if _somebody(thread):
        with thread.frame() as frame:
            narrow, wide = frame.bytes(data + b"\0"), int(lpOutputString or 0) or frame.wide("")
            if await offer(
                thread, int(STATUS.DBG_PRINTEXCEPTION_WIDE_C), unit_count(text) + 1, wide, len(data) + 1, narrow
            ):
                return
    await _output(thread, data)


def _somebody(thread: UserThread) -> bool:
    """Whether anybody could see the exception: it never leaves the function that raises it."""
    return bool(thread.peb.BeingDebugged or thread.peb.ProcessUsingVEH)


async def _output(thread: UserThread, data: bytes) -> None:
    with thread.frame() as frame:
        if _somebody(thread) and await offer(
            thread, int(STATUS.DBG_PRINTEXCEPTION_C), len(data) + 1, frame.bytes(data + b"\0")
        ):
            return
    opened: list[int] = []
    try:
        await _tell_watcher(thread, data, opened)
    except NtError:
        return  # nobody watches
    finally:
        for handle in reversed(opened):
            await nt.NtClose(thread, handle)


async def _open(
    thread: UserThread, service: Callable[..., Awaitable[int]], name: str, access: int, opened: list[int]
) -> int:
    with thread.frame() as frame:
        place = new_handle(frame)
        await service(thread, place.address, access, named(thread, frame, name))
        opened.append(int(place.read()))
    return opened[-1]


async def _tell_watcher(thread: UserThread, data: bytes, opened: list[int]) -> None:
    """Piece by piece into the watcher's buffer, one writer at a time."""
    section = await _open(thread, nt.NtOpenSection, "DBWIN_BUFFER", SECTION_MAP_WRITE, opened)
    ready = await _open(thread, nt.NtOpenEvent, "DBWIN_BUFFER_READY", SYNCHRONIZE, opened)
    filled = await _open(thread, nt.NtOpenEvent, "DBWIN_DATA_READY", EVENT_MODIFY_STATE, opened)
    with thread.frame() as frame:
        place = new_handle(frame)
        await nt.NtCreateMutant(
            thread, place.address, MUTANT_ALL_ACCESS, named(thread, frame, "DBWinMutex", create=True), 0
        )
        mutant = int(place.read())
        opened.append(mutant)
        base, size, offset = frame.new(PVOID), frame.new(SIZE_T), frame.new(LARGE_INTEGER)
        await nt.NtMapViewOfSection(
            thread, section, CURRENT_PROCESS, base.address, 0, 0, offset.address, size.address, VIEW_UNMAP, 0,
            PAGE_READWRITE,
        )  # fmt: skip
        await nt.NtWaitForSingleObject(thread, mutant, 0, 0)
        limit = frame.bytes(PATIENCE.to_bytes(8, "little", signed=True))
        try:
            for start in range(0, max(len(data), 1), TEXT_ROOM - 1):
                if await nt.NtWaitForSingleObject(thread, ready, 0, limit) != STATUS.WAIT_0:
                    return
                piece = data[start : start + TEXT_ROOM - 1] + b"\0"
                process = int(thread.teb.ClientId.UniqueProcess)
                thread.memory.write(int(base.read()), process.to_bytes(4, "little") + piece)
                await nt.NtSetEvent(thread, filled, 0)
        finally:
            await nt.NtReleaseMutant(thread, mutant, 0)
            await nt.NtUnmapViewOfSection(thread, CURRENT_PROCESS, int(base.read()))
