"""The console: modes, code pages, reading and writing (consoleapi.h).

Requests go to the console driver through the private codes of `abi.console`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ntos.abi import console as driver
from ntos.abi.errors import ERROR
from ntos.abi.layout.console import CONSOLE_CURSOR_INFO, CONSOLE_SCREEN_BUFFER_INFO, COORD
from ntos.abi.pointer import Code, Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, DWORD, HANDLE, PVOID, UINT, ULONG, WCHAR, WORD
from ntos.abi.win32 import CTRL_BREAK_EVENT, CTRL_C_EVENT
from ntos.dll.kernelbase.objects import new_status, parameters, real_handle
from ntos.dll.kernelbase.services import nt, rtl
from ntos.dll.kernelbase.text import encoded, export_both, is_narrow, put_cut, text_of
from ntos.rtl.nls import codepage
from ntos.rtl.text import from_utf16, to_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

NOT_A_CONSOLE = (
    STATUS.INVALID_DEVICE_REQUEST,
    STATUS.OBJECT_TYPE_MISMATCH,
    STATUS.NOT_SUPPORTED,
    STATUS.ILLEGAL_FUNCTION,
)
IGNORE_CTRL_C = 1
STATUS_CONTROL_C_EXIT = 0xC000_013A
LONGEST = 0x8000


@dataclass
class Handlers:
    """What SetConsoleCtrlHandler registered, first to last."""

    routines: list[int] = field(default_factory=list)


async def control(thread: UserThread, handle: int, code: int, data: bytes = b"", room: int = 0) -> bytes:
    """One request to the console driver; ERROR_INVALID_HANDLE where the handle is no console's."""
    with thread.frame() as frame:
        status = new_status(frame)
        source = frame.bytes(data) if data else 0
        target = frame.allocate(room) if room else 0
        try:
            answer = await nt.NtDeviceIoControlFile(
                thread,
                real_handle(thread, handle),
                0,
                0,
                0,
                status.address,
                code,
                source,
                len(data),
                target,
                room,
            )
        except NtError as error:
            if error.status in NOT_A_CONSOLE:
                raise WinError(ERROR.INVALID_HANDLE) from error
            raise
        if answer == STATUS.PENDING:
            await nt.NtWaitForSingleObject(thread, real_handle(thread, handle), 0, 0)
        return thread.memory.read(target, min(int(status.Information), room)) if room else b""


async def any_console(thread: UserThread) -> int:
    """A handle to the process's console, for calls that name none: an output of its own, or an input."""
    view = parameters(thread)
    for candidate in (view.StandardOutput, view.StandardError, view.StandardInput, view.ConsoleHandle):
        if not int(candidate):
            continue
        try:
            await control(thread, int(candidate), driver.IOCTL_CONSOLE_GET_MODE, room=4)
        except NtError:
            continue
        return int(candidate)
    raise WinError(ERROR.INVALID_HANDLE)


@export
async def GetConsoleMode(thread: UserThread, hConsoleHandle: HANDLE, lpMode: Ptr[DWORD]) -> BOOL:
    """The mode of a console input or output."""
    data = await control(thread, hConsoleHandle, driver.IOCTL_CONSOLE_GET_MODE, room=4)
    lpMode.write(int.from_bytes(data, "little"))
    return BOOL(1)


@export
async def SetConsoleMode(thread: UserThread, hConsoleHandle: HANDLE, dwMode: DWORD) -> BOOL:
    """Change the mode of a console input or output."""
    await control(thread, hConsoleHandle, driver.IOCTL_CONSOLE_SET_MODE, dwMode.to_bytes(4, "little"))
    return BOOL(1)


async def code_pages(thread: UserThread) -> driver.CONSOLE_CODE_PAGES:
    """The console's code pages."""
    handle = await any_console(thread)
    data = await control(thread, handle, driver.IOCTL_CONSOLE_GET_CODE_PAGES, room=8)
    return driver.CONSOLE_CODE_PAGES.parse(data)


@export
async def GetConsoleCP(thread: UserThread) -> UINT:
    """The code page of console input; 0 without a console."""
    return UINT((await code_pages(thread)).Input)


@export
async def GetConsoleOutputCP(thread: UserThread) -> UINT:
    """The code page of console output; 0 without a console."""
    return UINT((await code_pages(thread)).Output)


async def _set_pages(thread: UserThread, *, source: int = 0, target: int = 0) -> BOOL:
    page = source or target
    if not page or not codepage.is_valid(codepage.resolve(page)):
        raise WinError(ERROR.INVALID_PARAMETER)
    view = driver.CONSOLE_CODE_PAGES.new()
    view.Input, view.Output = ULONG(source), ULONG(target)
    await control(thread, await any_console(thread), driver.IOCTL_CONSOLE_SET_CODE_PAGES, bytes(view))
    return BOOL(1)


@export
async def SetConsoleCP(thread: UserThread, wCodePageID: UINT) -> BOOL:
    """Choose the code page of console input."""
    return await _set_pages(thread, source=wCodePageID)


@export
async def SetConsoleOutputCP(thread: UserThread, wCodePageID: UINT) -> BOOL:
    """Choose the code page of console output."""
    return await _set_pages(thread, target=wCodePageID)


def _counted(place: Ptr[WCHAR], count: int, page: int) -> str:
    if is_narrow(place):
        return codepage.to_wide(place.read_bytes(count), page)
    return from_utf16(place.read_bytes(2 * count))


@export_both()
async def WriteConsoleW(
    thread: UserThread,
    hConsoleOutput: HANDLE,
    lpBuffer: Ptr[WCHAR],
    nNumberOfCharsToWrite: DWORD,
    lpNumberOfCharsWritten: Ptr[DWORD] | None,
    lpReserved: PVOID,
) -> BOOL:
    """Text to the console; `…A` speaks the output code page."""
    page = int((await code_pages(thread)).Output) if is_narrow(lpBuffer) else 0
    data = to_utf16(_counted(lpBuffer, nNumberOfCharsToWrite, page))
    for start in range(0, len(data) or 1, LONGEST):
        await control(thread, hConsoleOutput, driver.IOCTL_CONSOLE_WRITE, data[start : start + LONGEST])
    if lpNumberOfCharsWritten is not None:
        lpNumberOfCharsWritten.write(nNumberOfCharsToWrite)
    return BOOL(1)


@export_both()
async def ReadConsoleW(
    thread: UserThread,
    hConsoleInput: HANDLE,
    lpBuffer: Ptr[WCHAR],
    nNumberOfCharsToRead: DWORD,
    lpNumberOfCharsRead: Ptr[DWORD],
    pInputControl: PVOID,
) -> BOOL:
    """Text from the console, a line at a time in line mode."""
    room = min(2 * nNumberOfCharsToRead, LONGEST)
    data = await control(thread, hConsoleInput, driver.IOCTL_CONSOLE_READ, room=room)
    if is_narrow(lpBuffer):
        page = int((await code_pages(thread)).Input)
        data = codepage.to_multi(from_utf16(data), page).data[:nNumberOfCharsToRead]
        lpNumberOfCharsRead.write(len(data))
    else:
        lpNumberOfCharsRead.write(len(data) // 2)
    lpBuffer.write_bytes(data)
    return BOOL(1)


@export
async def GetConsoleScreenBufferInfo(
    thread: UserThread, hConsoleOutput: HANDLE, lpConsoleScreenBufferInfo: Ptr[CONSOLE_SCREEN_BUFFER_INFO]
) -> BOOL:
    """Size, cursor, colours and window of a screen buffer."""
    size = CONSOLE_SCREEN_BUFFER_INFO.size
    data = await control(thread, hConsoleOutput, driver.IOCTL_CONSOLE_GET_SCREEN_BUFFER_INFO, room=size)
    lpConsoleScreenBufferInfo.write_bytes(data)
    return BOOL(1)


@export
async def SetConsoleTextAttribute(thread: UserThread, hConsoleOutput: HANDLE, wAttributes: WORD) -> BOOL:
    """The colours of what is written from now on."""
    data = wAttributes.to_bytes(2, "little")
    await control(thread, hConsoleOutput, driver.IOCTL_CONSOLE_SET_TEXT_ATTRIBUTE, data)
    return BOOL(1)


@export
async def SetConsoleCursorPosition(thread: UserThread, hConsoleOutput: HANDLE, dwCursorPosition: DWORD) -> BOOL:
    """Move the cursor; a COORD is passed in a register."""
    data = dwCursorPosition.to_bytes(4, "little")
    await control(thread, hConsoleOutput, driver.IOCTL_CONSOLE_SET_CURSOR_POSITION, data)
    return BOOL(1)


@export
async def SetConsoleScreenBufferSize(thread: UserThread, hConsoleOutput: HANDLE, dwSize: DWORD) -> BOOL:
    """Resize a screen buffer."""
    data = dwSize.to_bytes(4, "little")
    await control(thread, hConsoleOutput, driver.IOCTL_CONSOLE_SET_SCREEN_BUFFER_SIZE, data)
    return BOOL(1)


@export
async def GetConsoleCursorInfo(
    thread: UserThread, hConsoleOutput: HANDLE, lpConsoleCursorInfo: Ptr[CONSOLE_CURSOR_INFO]
) -> BOOL:
    """Size and visibility of the cursor."""
    size = CONSOLE_CURSOR_INFO.size
    lpConsoleCursorInfo.write_bytes(
        await control(thread, hConsoleOutput, driver.IOCTL_CONSOLE_GET_CURSOR_INFO, room=size)
    )
    return BOOL(1)


@export
async def SetConsoleCursorInfo(
    thread: UserThread, hConsoleOutput: HANDLE, lpConsoleCursorInfo: Ptr[CONSOLE_CURSOR_INFO]
) -> BOOL:
    """Change size and visibility of the cursor."""
    data = lpConsoleCursorInfo.read_bytes(CONSOLE_CURSOR_INFO.size)
    await control(thread, hConsoleOutput, driver.IOCTL_CONSOLE_SET_CURSOR_INFO, data)
    return BOOL(1)


async def fill(thread: UserThread, output: int, kind: int, element: int, length: int, start: int) -> int:
    """Fill a run of cells; how many were filled."""
    view = driver.CONSOLE_FILL.new()
    view.Kind, view.Element, view.Length = WORD(kind), WORD(element), ULONG(length)
    view.Start = COORD.parse(start.to_bytes(4, "little"))
    data = await control(thread, output, driver.IOCTL_CONSOLE_FILL, bytes(view), 4)
    return int.from_bytes(data, "little")


@export
async def FillConsoleOutputCharacterW(
    thread: UserThread, hConsoleOutput: HANDLE, cCharacter: WORD, nLength: DWORD, dwWriteCoord: DWORD,
    lpNumberOfCharsWritten: Out[DWORD],
) -> BOOL:  # fmt: skip
    """Write one character again and again."""
    lpNumberOfCharsWritten.write(await fill(thread, hConsoleOutput, 0, cCharacter, nLength, dwWriteCoord))
    return BOOL(1)


@export
async def FillConsoleOutputCharacterA(
    thread: UserThread, hConsoleOutput: HANDLE, cCharacter: WORD, nLength: DWORD, dwWriteCoord: DWORD,
    lpNumberOfCharsWritten: Out[DWORD],
) -> BOOL:  # fmt: skip
    """The same with a character of the output code page."""
    page = int((await code_pages(thread)).Output)
    element = ord(codepage.to_wide(bytes([cCharacter & 0xFF]), page)[:1] or "\0")
    lpNumberOfCharsWritten.write(await fill(thread, hConsoleOutput, 0, element, nLength, dwWriteCoord))
    return BOOL(1)


@export
async def FillConsoleOutputAttribute(
    thread: UserThread, hConsoleOutput: HANDLE, wAttribute: WORD, nLength: DWORD, dwWriteCoord: DWORD,
    lpNumberOfAttrsWritten: Out[DWORD],
) -> BOOL:  # fmt: skip
    """Colour a run of cells."""
    lpNumberOfAttrsWritten.write(await fill(thread, hConsoleOutput, 1, wAttribute, nLength, dwWriteCoord))
    return BOOL(1)


@export_both()
async def GetConsoleTitleW(thread: UserThread, lpConsoleTitle: Ptr[WCHAR], nSize: DWORD) -> DWORD:
    """The title; as much as fits."""
    data = await control(thread, await any_console(thread), driver.IOCTL_CONSOLE_GET_TITLE, room=0x1000)
    text = from_utf16(data)
    put_cut(lpConsoleTitle, nSize, text)
    return DWORD(len(encoded(lpConsoleTitle, text)) // (1 if is_narrow(lpConsoleTitle) else 2))


@export_both()
async def SetConsoleTitleW(thread: UserThread, lpConsoleTitle: Ptr[WCHAR]) -> BOOL:
    """Change the title."""
    data = to_utf16(text_of(lpConsoleTitle))
    await control(thread, await any_console(thread), driver.IOCTL_CONSOLE_SET_TITLE, data)
    return BOOL(1)


@export
async def GetConsoleProcessList(thread: UserThread, lpdwProcessList: Ptr[DWORD], dwProcessCount: DWORD) -> DWORD:
    """The ids of the processes attached to the console."""
    if not lpdwProcessList or dwProcessCount == 0:
        raise WinError(ERROR.INVALID_PARAMETER)
    handle = await any_console(thread)
    data = await control(thread, handle, driver.IOCTL_CONSOLE_GET_PROCESSES, room=0x400)
    count = len(data) // 4
    if count <= dwProcessCount:
        lpdwProcessList.write_bytes(data)
    return DWORD(count)


@export
def GetConsoleWindow(thread: UserThread) -> HANDLE:
    """The console's window: it has none."""
    return HANDLE(0)


@export
def SetConsoleCtrlHandler(thread: UserThread, HandlerRoutine: Code, Add: BOOL) -> BOOL:
    """Add or take away a control handler; NULL makes Ctrl+C be ignored, or not."""
    if not HandlerRoutine:
        view = parameters(thread)
        view.ConsoleFlags = ULONG(int(view.ConsoleFlags) & ~IGNORE_CTRL_C | (IGNORE_CTRL_C if Add else 0))
        return BOOL(1)
    routines = thread.state(Handlers).routines
    if Add:
        routines.append(int(HandlerRoutine))
    elif int(HandlerRoutine) in routines:
        routines.reverse()
        routines.remove(int(HandlerRoutine))
        routines.reverse()
    else:
        raise WinError(ERROR.INVALID_PARAMETER)
    return BOOL(1)


@export
async def CtrlRoutine(thread: UserThread, dwCtrlEvent: DWORD) -> DWORD:
    """What a control event's thread runs: the handlers, last first, and the default one, which ends
    the process.
    """
    if dwCtrlEvent == CTRL_C_EVENT and int(parameters(thread).ConsoleFlags) & IGNORE_CTRL_C:
        return DWORD(0)
    for routine in reversed(list(thread.state(Handlers).routines)):
        if await thread.call(routine, dwCtrlEvent) & 0xFFFF_FFFF:
            return DWORD(0)
    await rtl(thread, "RtlExitUserProcess", STATUS_CONTROL_C_EXIT)
    return DWORD(0)


@export
async def GenerateConsoleCtrlEvent(thread: UserThread, dwCtrlEvent: DWORD, dwProcessGroupId: DWORD) -> BOOL:
    """Send Ctrl+C or Ctrl+Break to a process group."""
    if dwCtrlEvent not in (CTRL_C_EVENT, CTRL_BREAK_EVENT):
        raise WinError(ERROR.INVALID_PARAMETER)
    view = driver.CONSOLE_CONTROL_EVENT.new()
    view.Event, view.Group = ULONG(dwCtrlEvent), ULONG(dwProcessGroupId)
    await control(thread, await any_console(thread), driver.IOCTL_CONSOLE_CONTROL_EVENT, bytes(view))
    return BOOL(1)


@export
async def FreeConsole(thread: UserThread) -> BOOL:
    """Leave the console."""
    await control(thread, await any_console(thread), driver.IOCTL_CONSOLE_DETACH)
    view = parameters(thread)
    connection, view.ConsoleHandle = int(view.ConsoleHandle), 0
    if connection:
        await nt.NtClose(thread, connection)
    return BOOL(1)
