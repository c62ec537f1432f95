r"""The client side of the Windows subsystem: a connection to csrss's `\Windows\ApiPort`, and calls through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi import alpc as lpc
from ntos.abi.csr import API_PORT
from ntos.abi.layout.alpc import PORT_MESSAGE
from ntos.abi.layout.csr import CSR_API_HEADER
from ntos.abi.pointer import Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOLEAN, NTSTATUS, PVOID, SIZE_T, ULONG, ULONGLONG, WCHAR
from ntos.um import alpc, nt
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

HEADER = PORT_MESSAGE.size


class Connection:
    """This process's connection: `thread.state(Connection)`."""

    def __init__(self) -> None:
        self.port = 0
        self.server = 0
        """csrss's process id."""


@export
async def CsrClientConnectToServer(
    thread: UserThread,
    ObjectDirectory: Ptr[WCHAR],
    ServerDllIndex: ULONG,
    ConnectionInfo: PVOID,
    ConnectionInfoSize: ULONG,
    CalledFromServer: Out[BOOLEAN] | None,
) -> NTSTATUS:
    """Connect the process to its session's csrss, once; csrss refuses whom nobody has announced."""
    connection = thread.state(Connection)
    if CalledFromServer is not None:
        CalledFromServer.write(0)
    if not connection.port:
        directory = ObjectDirectory.text()
        port, said = await alpc.connect(thread, f"{directory}\\{API_PORT}", bytes(ConnectionInfoSize))
        connection.port = port
        connection.server = int.from_bytes(said[:8], "little")
    return STATUS.SUCCESS


@export
async def CsrClientCallServer(
    thread: UserThread, ApiMessage: PVOID, CaptureBuffer: PVOID, ApiNumber: ULONG, ArgLength: ULONG
) -> NTSTATUS:
    """Send a CSR_API_MSG and wait; gives what csrss has to say, which the message holds, too."""
    connection, memory = thread.state(Connection), thread.memory
    if CaptureBuffer:
        raise NtError(STATUS.NOT_IMPLEMENTED)
    if not connection.port:
        raise NtError(STATUS.INVALID_PORT_HANDLE)
    header = CSR_API_HEADER(memory, ApiMessage + HEADER)
    header.CaptureData, header.ApiNumber = PVOID(0), ApiNumber
    size = CSR_API_HEADER.size + ArgLength
    sizes = size.to_bytes(2, "little") + (size + HEADER).to_bytes(2, "little")
    memory.write(ApiMessage, sizes.ljust(HEADER, b"\0"))
    with thread.frame() as frame:
        length = frame.new(SIZE_T)
        length.write(size + HEADER)
        await nt.NtAlpcSendWaitReceivePort(
            thread, connection.port, lpc.ALPC_MSGFLG_SYNC_REQUEST, ApiMessage, 0, ApiMessage, length.address, 0, 0
        )
    return NTSTATUS(int(header.ReturnValue) & 0xFFFF_FFFF)


@export
def CsrGetProcessId(thread: UserThread) -> ULONGLONG:
    """The process id of the csrss this process is connected to."""
    return ULONGLONG(thread.state(Connection).server)
