"""What kernelbase tells the Windows subsystem (csrss): that this process is here, and which ones it makes.

A process that csrss does not know (whoever made it said nothing, as native programs do) runs without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi import csr
from ntos.abi.layout.alpc import PORT_MESSAGE
from ntos.abi.layout.csr import BASE_CREATEPROCESS_MSG, BASE_CREATETHREAD_MSG, CSR_API_HEADER
from ntos.abi.status import NtError
from ntos.dll.kernelbase.services import rtl_status

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

ARGUMENTS = PORT_MESSAGE.size + CSR_API_HEADER.size
PROCESSOR_ARCHITECTURE_AMD64 = 9
CONNECTION_SIZE = 0x240


class Subsystem:
    """Whether this process is a client of csrss: `thread.state(Subsystem)`."""

    def __init__(self) -> None:
        self.client = 0
        """The id of the process that connected; a clone of it has no connection of its own."""


def is_client(thread: UserThread) -> bool:
    """Whether csrss knows this process."""
    return thread.state(Subsystem).client == int(thread.teb.ClientId.UniqueProcess)


async def connect(thread: UserThread) -> None:
    """Make this process a client, if csrss knows it."""
    session = int(thread.peb.SessionId)
    with thread.frame() as frame:
        directory = frame.wide(csr.directory_of(session))
        try:
            await rtl_status(
                thread, "CsrClientConnectToServer", directory, csr.BASESRV_SERVERDLL_INDEX, 0, CONNECTION_SIZE, 0
            )
        except NtError:
            return
    thread.state(Subsystem).client = int(thread.teb.ClientId.UniqueProcess)


async def announce_process(
    thread: UserThread, handles: tuple[int, int], client: tuple[int, int], flags: int, peb: int
) -> None:
    """Stage 5 of CreateProcess: csrss learns of the new process before its first thread runs."""
    if not is_client(thread):
        return
    said = BASE_CREATEPROCESS_MSG.new()
    said.ProcessHandle, said.ThreadHandle = handles
    said.ClientId.UniqueProcess, said.ClientId.UniqueThread = client
    said.CreationFlags = flags
    said.PebAddressNative = peb
    said.ProcessorArchitecture = PROCESSOR_ARCHITECTURE_AMD64
    await _call(thread, csr.BasepCreateProcess2, bytes(said))


async def announce_thread(thread: UserThread, handle: int, client: tuple[int, int]) -> None:
    """The same for a thread."""
    said = BASE_CREATETHREAD_MSG.new()
    said.ThreadHandle = handle
    said.ClientId.UniqueProcess, said.ClientId.UniqueThread = client
    await _call(thread, csr.BasepCreateThread, bytes(said))


async def _call(thread: UserThread, number: int, arguments: bytes) -> None:
    with thread.frame() as frame:
        message = frame.allocate(ARGUMENTS + len(arguments))
        thread.memory.write(message + ARGUMENTS, arguments)
        await rtl_status(thread, "CsrClientCallServer", message, 0, number, len(arguments))
