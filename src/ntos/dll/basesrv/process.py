"""What csrss does when a client has made a process or a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi import csr
from ntos.abi.layout.csr import BASE_CREATEPROCESS_MSG, BASE_CREATETHREAD_MSG
from ntos.abi.status import STATUS
from ntos.abi.types import NTSTATUS, PVOID
from ntos.abi.win32 import CREATE_NEW_PROCESS_GROUP
from ntos.dll.csrsrv.server import Server
from ntos.etw import account
from ntos.um.export import export
from ntos.um.handles import take_handle
from ntos.um.thread import UserThread

if TYPE_CHECKING:
    from ntos.dll.csrsrv.server import Call

HANDLE_BITS = ~3
"""The low bits of the process and thread handle say things about the creation."""


@export
async def ServerDllInitialization(thread: UserThread, LoadedServerDll: PVOID) -> NTSTATUS:
    """Put this DLL's calls into csrss's table."""
    thread.state(Server).handlers.update(
        {csr.BasepCreateProcess2: create_process, csr.BasepCreateThread: create_thread}
    )
    return STATUS.SUCCESS


async def create_process(thread: UserThread, call: Call) -> bytes:
    """BaseSrvCreateProcess2: the process a client has made becomes a client itself."""
    said = BASE_CREATEPROCESS_MSG.parse(call.arguments)
    owner = int(call.process.ProcessHandle)
    process = take_handle(thread, owner, int(said.ProcessHandle) & HANDLE_BITS)
    first = take_handle(thread, owner, int(said.ThreadHandle) & HANDLE_BITS)
    ids = int(said.ClientId.UniqueProcess), int(said.ClientId.UniqueThread)
    account.step(thread.log, 5, "BaseSrvCreateProcess2", ids[0], PebAddressNative=said.PebAddressNative)
    new_group = int(said.CreationFlags) & CREATE_NEW_PROCESS_GROUP
    flags = csr.CSR_CREATE_NEW_GROUP if new_group else 0
    group = ids[0] if new_group else int(call.process.ProcessGroupId)
    await call.clients.add_process(thread, ids, process, first, flags, group)
    return call.arguments


async def create_thread(thread: UserThread, call: Call) -> bytes:
    """BaseSrvCreateThread: one more thread of a client, which need not be the sender."""
    said = BASE_CREATETHREAD_MSG.parse(call.arguments)
    ids = int(said.ClientId.UniqueProcess), int(said.ClientId.UniqueThread)
    process = call.clients.find(thread, ids[0])
    if process is not None and call.clients.find_thread(thread, ids) is None:
        handle = take_handle(thread, int(call.process.ProcessHandle), int(said.ThreadHandle))
        await call.clients.add_thread(thread, process, ids, handle)
    return call.arguments
