"""Pipes, named and not (namedpipeapi.h)."""

from __future__ import annotations

from dataclasses import dataclass

from ntos.abi.access import (
    FILE_READ_ATTRIBUTES,
    FILE_WRITE_ATTRIBUTES,
    GENERIC_READ,
    GENERIC_WRITE,
    SYNCHRONIZE,
)
from ntos.abi.errors import ERROR
from ntos.abi.io import (
    FILE_CREATE,
    FILE_INFORMATION_CLASS,
    FILE_NON_DIRECTORY_FILE,
    FILE_OPEN_IF,
    FILE_SHARE_READ,
    FILE_SHARE_WRITE,
    FILE_SYNCHRONOUS_IO_NONALERT,
    FILE_WRITE_THROUGH,
    FSCTL_PIPE_DISCONNECT,
    FSCTL_PIPE_GET_CONNECTION_ATTRIBUTE,
    FSCTL_PIPE_IMPERSONATE,
    FSCTL_PIPE_LISTEN,
    FSCTL_PIPE_PEEK,
    FSCTL_PIPE_TRANSCEIVE,
    FSCTL_PIPE_WAIT,
)
from ntos.abi.layout.file_info import FILE_PIPE_INFORMATION, FILE_PIPE_LOCAL_INFORMATION
from ntos.abi.layout.win32 import OVERLAPPED, SECURITY_ATTRIBUTES
from ntos.abi.pointer import Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, DWORD, HANDLE, LARGE_INTEGER, NTSTATUS, PVOID, ULONG, WCHAR
from ntos.abi.win32 import (
    FILE_FLAG_FIRST_PIPE_INSTANCE,
    FILE_FLAG_OVERLAPPED,
    FILE_FLAG_WRITE_THROUGH,
    INVALID_HANDLE_VALUE,
    NMPWAIT_USE_DEFAULT_WAIT,
    NMPWAIT_WAIT_FOREVER,
    OPEN_EXISTING,
    PIPE_NOWAIT,
    PIPE_READMODE_MESSAGE,
    PIPE_REJECT_REMOTE_CLIENTS,
    PIPE_TYPE_MESSAGE,
    PIPE_UNLIMITED_INSTANCES,
)
from ntos.dll.kernelbase.file import create_file
from ntos.dll.kernelbase.file_info import query, set_information
from ntos.dll.kernelbase.file_io import begin, wait_for
from ntos.dll.kernelbase.objects import attributes, new_handle, new_status, nt_path, real_handle
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.text import export_both, text_of
from ntos.rtl.text import to_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

DEFAULT_TIMEOUT = -500_000
ANONYMOUS_TIMEOUT = -1_200_000_000
DEFAULT_SIZE = 4096
PEEK_HEADER = 16
PIPE_ROOT = "\\\\.\\pipe\\"
WRITE_DAC_AND_OWNER = 0x010C_0000
CREATE_PIPE_INSTANCE = 4


@dataclass
class PipeNumbers:
    """How many anonymous pipes the process has made: part of their names."""

    made: int = 0


@export
async def CreatePipe(
    thread: UserThread,
    hReadPipe: Ptr[HANDLE],
    hWritePipe: Ptr[HANDLE],
    lpPipeAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    nSize: DWORD,
) -> BOOL:
    r"""An anonymous pipe: really `\Device\NamedPipe\Win32Pipes.<process>.<number>`."""
    numbers = thread.state(PipeNumbers)
    numbers.made += 1
    process = int(thread.teb.ClientId.UniqueProcess)
    name = f"\\Device\\NamedPipe\\Win32Pipes.{process:08x}.{numbers.made:08x}"
    size = nSize or DEFAULT_SIZE
    with thread.frame() as frame:
        reader, writer, status = new_handle(frame), new_handle(frame), new_status(frame)
        wait: Ptr[LARGE_INTEGER] = frame.new(LARGE_INTEGER)
        wait.write(ANONYMOUS_TIMEOUT)
        where = attributes(frame, name, security=lpPipeAttributes)
        await nt.NtCreateNamedPipeFile(
            thread,
            reader.address,
            GENERIC_READ | FILE_WRITE_ATTRIBUTES | SYNCHRONIZE,
            where,
            status.address,
            FILE_SHARE_READ | FILE_SHARE_WRITE,
            FILE_CREATE,
            FILE_SYNCHRONOUS_IO_NONALERT,
            0,
            0,
            0,
            1,
            size,
            size,
            wait.address,
        )
        try:
            await nt.NtOpenFile(
                thread,
                writer.address,
                GENERIC_WRITE | FILE_READ_ATTRIBUTES | SYNCHRONIZE,
                where,
                status.address,
                FILE_SHARE_READ,
                FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE,
            )
        except NtError:
            await nt.NtClose(thread, int(reader.read()))
            raise
        hReadPipe.write(int(reader.read()))
        hWritePipe.write(int(writer.read()))
    return BOOL(1)


@export_both(fails=INVALID_HANDLE_VALUE)
async def CreateNamedPipeW(
    thread: UserThread,
    lpName: Ptr[WCHAR],
    dwOpenMode: DWORD,
    dwPipeMode: DWORD,
    nMaxInstances: DWORD,
    nOutBufferSize: DWORD,
    nInBufferSize: DWORD,
    nDefaultTimeOut: DWORD,
    lpSecurityAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
) -> HANDLE:
    """The server's end of a named pipe: the first instance or another."""
    message_reads = dwPipeMode & PIPE_READMODE_MESSAGE and not dwPipeMode & PIPE_TYPE_MESSAGE
    if not 1 <= nMaxInstances <= PIPE_UNLIMITED_INSTANCES or not dwOpenMode & 3 or message_reads:
        raise WinError(ERROR.INVALID_PARAMETER)
    access = SYNCHRONIZE | dwOpenMode & WRITE_DAC_AND_OWNER
    share = 0
    if dwOpenMode & 1:
        access |= GENERIC_READ
        share |= FILE_SHARE_WRITE
    if dwOpenMode & 2:
        access |= GENERIC_WRITE
        share |= FILE_SHARE_READ
    options = 0 if dwOpenMode & FILE_FLAG_OVERLAPPED else FILE_SYNCHRONOUS_IO_NONALERT
    options |= FILE_WRITE_THROUGH if dwOpenMode & FILE_FLAG_WRITE_THROUGH else 0
    with thread.frame() as frame:
        handle = new_handle(frame)
        wait: Ptr[LARGE_INTEGER] = frame.new(LARGE_INTEGER)
        wait.write(-nDefaultTimeOut * 10_000 if nDefaultTimeOut else DEFAULT_TIMEOUT)
        if nDefaultTimeOut == NMPWAIT_WAIT_FOREVER:
            wait.write(-(1 << 63))
        await nt.NtCreateNamedPipeFile(
            thread,
            handle.address,
            access,
            attributes(frame, nt_path(thread, text_of(lpName)), security=lpSecurityAttributes),
            new_status(frame).address,
            share,
            FILE_CREATE if dwOpenMode & FILE_FLAG_FIRST_PIPE_INSTANCE else FILE_OPEN_IF,
            options,
            int(dwPipeMode & PIPE_TYPE_MESSAGE != 0) | (2 if dwPipeMode & PIPE_REJECT_REMOTE_CLIENTS else 0),
            int(dwPipeMode & PIPE_READMODE_MESSAGE != 0),
            int(dwPipeMode & PIPE_NOWAIT != 0),
            0xFFFF_FFFF if nMaxInstances == PIPE_UNLIMITED_INSTANCES else nMaxInstances,
            nInBufferSize,
            nOutBufferSize,
            wait.address,
        )
        return HANDLE(handle.read())


async def control(
    thread: UserThread,
    handle: int,
    code: int,
    source: tuple[int, int] = (0, 0),
    target: tuple[int, int] = (0, 0),
    overlapped: Ptr[OVERLAPPED] | None = None,
) -> tuple[int, int]:
    """A file system control: (status, Information); a pending one is waited for unless overlapped."""
    with thread.frame() as frame:
        event, context = begin(overlapped) if overlapped else (0, 0)
        block = new_status(frame)
        place = overlapped.address if overlapped else block.address
        status = await nt.NtFsControlFile(thread, handle, event, 0, context, place, code, *source, *target)
        if status == STATUS.PENDING and overlapped is None:
            status = await wait_for(thread, handle, block)
        if status >> 30 == 3 or (overlapped is not None and status == STATUS.PENDING):
            raise NtError(NTSTATUS(status))
        count = int(overlapped.read().InternalHigh) if overlapped else int(block.Information)
        return status, count


@export
async def ConnectNamedPipe(thread: UserThread, hNamedPipe: HANDLE, lpOverlapped: Ptr[OVERLAPPED] | None) -> BOOL:
    """Wait for a client; one already there is an error of its own, ERROR_PIPE_CONNECTED."""
    await control(thread, hNamedPipe, FSCTL_PIPE_LISTEN, overlapped=lpOverlapped)
    return BOOL(1)


@export
async def DisconnectNamedPipe(thread: UserThread, hNamedPipe: HANDLE) -> BOOL:
    """Send the client away."""
    await control(thread, hNamedPipe, FSCTL_PIPE_DISCONNECT)
    return BOOL(1)


@export
async def ImpersonateNamedPipeClient(thread: UserThread, hNamedPipe: HANDLE) -> BOOL:
    """Act as the client."""
    await control(thread, hNamedPipe, FSCTL_PIPE_IMPERSONATE)
    return BOOL(1)


@export
async def PeekNamedPipe(
    thread: UserThread,
    hNamedPipe: HANDLE,
    lpBuffer: PVOID,
    nBufferSize: DWORD,
    lpBytesRead: Out[DWORD] | None,
    lpTotalBytesAvail: Out[DWORD] | None,
    lpBytesLeftThisMessage: Out[DWORD] | None,
) -> BOOL:
    """What a pipe holds, without taking it."""
    room = PEEK_HEADER + (nBufferSize if lpBuffer else 0)
    with thread.frame() as frame:
        place = frame.allocate(room)
        handle = real_handle(thread, hNamedPipe)
        _, count = await control(thread, handle, FSCTL_PIPE_PEEK, target=(place, room))
        data = thread.memory.read(place, room)
    read = max(count - PEEK_HEADER, 0)
    if lpBuffer and read:
        thread.memory.write(lpBuffer, data[PEEK_HEADER : PEEK_HEADER + read])
    available = int.from_bytes(data[4:8], "little")
    message = int.from_bytes(data[12:16], "little")
    for out, value in (
        (lpBytesRead, read),
        (lpTotalBytesAvail, available),
        (lpBytesLeftThisMessage, max(message - read, 0)),
    ):
        if out is not None:
            out.write(value)
    return BOOL(1)


@export
async def TransactNamedPipe(
    thread: UserThread,
    hNamedPipe: HANDLE,
    lpInBuffer: PVOID,
    nInBufferSize: DWORD,
    lpOutBuffer: PVOID,
    nOutBufferSize: DWORD,
    lpBytesRead: Out[DWORD] | None,
    lpOverlapped: Ptr[OVERLAPPED] | None,
) -> BOOL:
    """Write a message and read the answer."""
    status, count = await control(
        thread,
        hNamedPipe,
        FSCTL_PIPE_TRANSCEIVE,
        (lpInBuffer, nInBufferSize),
        (lpOutBuffer, nOutBufferSize),
        lpOverlapped,
    )
    if lpBytesRead is not None:
        lpBytesRead.write(count)
    if status >> 31:
        raise NtError(NTSTATUS(status))
    return BOOL(1)


async def wait_pipe(thread: UserThread, path: str, milliseconds: int) -> None:
    """Wait until a pipe has an instance free."""
    name = path.replace("/", "\\")
    head, _, rest = name.lower().partition("\\pipe\\")
    if not rest or not head.startswith("\\\\"):
        raise WinError(ERROR.BAD_PATHNAME)
    if head not in ("\\\\.", "\\\\localhost", "\\\\127.0.0.1"):
        raise WinError(ERROR.BAD_NETPATH)
    short = to_utf16(name[len(name) - len(rest) :])
    when = 0
    if milliseconds != NMPWAIT_USE_DEFAULT_WAIT:
        when = -(1 << 63) if milliseconds == NMPWAIT_WAIT_FOREVER else -milliseconds * 10_000
    data = when.to_bytes(8, "little", signed=True) + len(short).to_bytes(4, "little")
    data += bytes((int(milliseconds != NMPWAIT_USE_DEFAULT_WAIT), 0)) + short
    with thread.frame() as frame:
        device, status = new_handle(frame), new_status(frame).address
        where = attributes(frame, "\\??\\pipe\\")
        share = FILE_SHARE_READ | FILE_SHARE_WRITE
        access = SYNCHRONIZE | FILE_READ_ATTRIBUTES
        options = FILE_SYNCHRONOUS_IO_NONALERT
        await nt.NtOpenFile(thread, device.address, access, where, status, share, options)
        try:
            await control(thread, int(device.read()), FSCTL_PIPE_WAIT, (frame.bytes(data), len(data)))
        except NtError as error:
            raise WinError(ERROR.SEM_TIMEOUT) if error.status == STATUS.IO_TIMEOUT else error from error
        finally:
            await nt.NtClose(thread, int(device.read()))


@export_both()
async def WaitNamedPipeW(thread: UserThread, lpNamedPipeName: Ptr[WCHAR], nTimeOut: DWORD) -> BOOL:
    """Wait until a pipe has an instance free."""
    await wait_pipe(thread, text_of(lpNamedPipeName), nTimeOut)
    return BOOL(1)


@export_both()
async def CallNamedPipeW(
    thread: UserThread,
    lpNamedPipeName: Ptr[WCHAR],
    lpInBuffer: PVOID,
    nInBufferSize: DWORD,
    lpOutBuffer: PVOID,
    nOutBufferSize: DWORD,
    lpBytesRead: Ptr[DWORD],
    nTimeOut: DWORD,
) -> BOOL:
    """Connect, transact, close."""
    path, access = text_of(lpNamedPipeName), GENERIC_READ | GENERIC_WRITE
    share = FILE_SHARE_READ | FILE_SHARE_WRITE
    while True:
        try:
            pipe = await create_file(thread, path, access, share, None, OPEN_EXISTING, 0)
            break
        except NtError as error:
            if error.status != STATUS.PIPE_NOT_AVAILABLE:
                raise
            await wait_pipe(thread, path, nTimeOut)
    try:
        await _set_mode(thread, pipe, PIPE_READMODE_MESSAGE)
        target = (lpOutBuffer, nOutBufferSize)
        status, count = await control(thread, pipe, FSCTL_PIPE_TRANSCEIVE, (lpInBuffer, nInBufferSize), target)
        lpBytesRead.write(count)
    finally:
        await nt.NtClose(thread, pipe)
    if status >> 31:
        raise NtError(NTSTATUS(status))
    return BOOL(1)


async def _set_mode(thread: UserThread, pipe: int, mode: int) -> None:
    view = FILE_PIPE_INFORMATION.new()
    view.ReadMode = ULONG(mode & PIPE_READMODE_MESSAGE != 0)
    view.CompletionMode = ULONG(mode & PIPE_NOWAIT != 0)
    await set_information(thread, pipe, view, FILE_INFORMATION_CLASS.FilePipeInformation)


@export(partial="collection limits, which only remote pipes have, are ignored")
async def SetNamedPipeHandleState(
    thread: UserThread,
    hNamedPipe: HANDLE,
    lpMode: Ptr[DWORD] | None,
    lpMaxCollectionCount: PVOID,
    lpCollectDataTimeout: PVOID,
) -> BOOL:
    """How a pipe end is read, and whether it waits."""
    if lpMode is not None:
        await _set_mode(thread, hNamedPipe, int(lpMode.read()))
    return BOOL(1)


@export_both(partial="user names of clients are not told")
async def GetNamedPipeHandleStateW(
    thread: UserThread,
    hNamedPipe: HANDLE,
    lpState: Out[DWORD] | None,
    lpCurInstances: Out[DWORD] | None,
    lpMaxCollectionCount: Out[DWORD] | None,
    lpCollectDataTimeout: Out[DWORD] | None,
    lpUserName: Ptr[WCHAR],
    nMaxUserNameSize: DWORD,
) -> BOOL:
    """How a pipe end is read, and how many instances there are."""
    if lpUserName:
        raise WinError(ERROR.NOT_SUPPORTED)
    if lpState is not None:
        mode = await query(thread, hNamedPipe, FILE_PIPE_INFORMATION)
        lpState.write((PIPE_READMODE_MESSAGE if mode.ReadMode else 0) | (PIPE_NOWAIT if mode.CompletionMode else 0))
    if lpCurInstances is not None:
        local = await query(thread, hNamedPipe, FILE_PIPE_LOCAL_INFORMATION)
        lpCurInstances.write(local.CurrentInstances)
    for out in (lpMaxCollectionCount, lpCollectDataTimeout):
        if out is not None:
            raise WinError(ERROR.INVALID_PARAMETER)
    return BOOL(1)


@export
async def GetNamedPipeInfo(
    thread: UserThread,
    hNamedPipe: HANDLE,
    lpFlags: Out[DWORD] | None,
    lpOutBufferSize: Out[DWORD] | None,
    lpInBufferSize: Out[DWORD] | None,
    lpMaxInstances: Out[DWORD] | None,
) -> BOOL:
    """What a pipe is: its type, end, buffers and instances."""
    view = await query(thread, hNamedPipe, FILE_PIPE_LOCAL_INFORMATION)
    most = int(view.MaximumInstances)
    flags = int(view.NamedPipeEnd) & 1 | (PIPE_TYPE_MESSAGE if view.NamedPipeType else 0)
    for out, value in (
        (lpFlags, flags),
        (lpOutBufferSize, int(view.OutboundQuota)),
        (lpInBufferSize, int(view.InboundQuota)),
        (lpMaxInstances, PIPE_UNLIMITED_INSTANCES if most == 0xFFFF_FFFF else most),
    ):
        if out is not None:
            out.write(value)
    return BOOL(1)


async def _attribute(thread: UserThread, pipe: int, name: bytes, place: Ptr[DWORD]) -> BOOL:
    with thread.frame() as frame:
        text, answer = frame.bytes(name + b"\0"), frame.allocate(8)
        source, target = (text, len(name) + 1), (answer, 8)
        await control(thread, pipe, FSCTL_PIPE_GET_CONNECTION_ATTRIBUTE, source, target)
        place.write(int.from_bytes(thread.memory.read(answer, 4), "little"))
    return BOOL(1)


@export
async def GetNamedPipeClientProcessId(thread: UserThread, Pipe: HANDLE, ClientProcessId: Ptr[DWORD]) -> BOOL:
    """The id of the client's process."""
    return await _attribute(thread, Pipe, b"ClientProcessId", ClientProcessId)


@export
async def GetNamedPipeServerProcessId(thread: UserThread, Pipe: HANDLE, ServerProcessId: Ptr[DWORD]) -> BOOL:
    """The id of the server's process."""
    return await _attribute(thread, Pipe, b"ServerProcessId", ServerProcessId)
