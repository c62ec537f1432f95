"""The processes and threads csrss knows: CSR_PROCESS and CSR_THREAD in its heap, linked as in Windows."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.csr import FIRST_SEQUENCE_NUMBER, SHUTDOWN_LEVEL
from ntos.abi.layout.csr import CSR_NT_SESSION, CSR_PROCESS, CSR_THREAD
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.ob import CURRENT_PROCESS
from ntos.abi.status import STATUS, NtError
from ntos.etw import account
from ntos.um import nt
from ntos.um.ntdll import rtl

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

HASH_BUCKETS = 256
HEAP_ZERO_MEMORY = 8
PROCESS_EXCEPTION_PORT = 8
THREAD_HASH_SHIFT = 2


class Clients:
    """All clients of this csrss: `thread.state(Clients)`."""

    def __init__(self) -> None:
        self.session = 0
        self.root = 0
        """CsrRootProcess: csrss's own CSR_PROCESS, head of the list."""
        self.hash = 0
        """CsrThreadHashTable: list heads by thread id."""
        self.nt_session = 0
        self.port = 0
        """The API port, which is also every client's exception port."""
        self.sequence = FIRST_SEQUENCE_NUMBER
        self.processes: dict[int, int] = {}
        """Addresses of CSR_PROCESSes by process id: the list's index."""

    async def prepare(self, thread: UserThread, session: int, port: int) -> None:
        """The root process, the session, the thread table."""
        self.session, self.port = session, port
        self.hash = await allocate(thread, HASH_BUCKETS * LIST_ENTRY.size)
        heads = range(self.hash, self.hash + HASH_BUCKETS * LIST_ENTRY.size, LIST_ENTRY.size)
        thread.memory.write(self.hash, b"".join(struct.pack("<QQ", head, head) for head in heads))
        self.nt_session = await allocate(thread, CSR_NT_SESSION.size)
        view = CSR_NT_SESSION(thread.memory, self.nt_session)
        view.ReferenceCount = 1
        view.SessionLink.initialize()
        self.root = await allocate(thread, CSR_PROCESS.size)
        root = CSR_PROCESS(thread.memory, self.root)
        root.ClientId.UniqueProcess = int(thread.teb.ClientId.UniqueProcess)
        root.ProcessHandle = CURRENT_PROCESS
        root.ListLink.initialize()
        root.ThreadList.initialize()

    def find(self, thread: UserThread, process: int) -> CSR_PROCESS | None:
        """The client with this process id."""
        address = self.processes.get(process)
        return CSR_PROCESS(thread.memory, address) if address is not None else None

    def find_thread(self, thread: UserThread, client: tuple[int, int]) -> CSR_THREAD | None:
        """The client thread with these ids."""
        bucket = LIST_ENTRY(thread.memory, self._bucket(client[1]))
        offset = CSR_THREAD.offset("HashLinks")
        for entry in bucket.iterate():
            known = CSR_THREAD(thread.memory, entry - offset)
            if (int(known.ClientId.UniqueProcess), int(known.ClientId.UniqueThread)) == client:
                return known
        return None

    def _bucket(self, identifier: int) -> int:
        return self.hash + LIST_ENTRY.size * (identifier >> THREAD_HASH_SHIFT & HASH_BUCKETS - 1)

    async def add_process(
        self, thread: UserThread, client: tuple[int, int], process: int, first: int, flags: int, group: int
    ) -> CSR_PROCESS:
        """CsrCreateProcess: a client by handles of its process and its first thread, which stay here."""
        if client[0] in self.processes:
            raise NtError(STATUS.INVALID_PARAMETER)
        view = CSR_PROCESS(thread.memory, await allocate(thread, CSR_PROCESS.size))
        view.ClientId.UniqueProcess, view.ClientId.UniqueThread = client
        view.ThreadList.initialize()
        view.NtSession = self.nt_session
        view.ProcessHandle = process
        account.made(thread.log, "structure", "what csrss knows of it", view.address, None, structure="CSR_PROCESS")
        view.SequenceNumber = self.sequence
        view.Flags = flags
        view.ReferenceCount = 1
        view.ProcessGroupId = group or client[0]
        view.ShutdownLevel = SHUTDOWN_LEVEL
        self.sequence += 1
        with thread.frame() as frame:
            place = frame.bytes(self.port.to_bytes(8, "little"))
            nt.NtSetInformationProcess(thread, process, PROCESS_EXCEPTION_PORT, place, 8)
        CSR_PROCESS(thread.memory, self.root).ListLink.insert_tail(view.ListLink)
        self.processes[client[0]] = view.address
        session = CSR_NT_SESSION(thread.memory, self.nt_session)
        session.ReferenceCount = int(session.ReferenceCount) + 1
        await self.add_thread(thread, view, client, first)
        return view

    async def add_thread(
        self, thread: UserThread, process: CSR_PROCESS, client: tuple[int, int], handle: int
    ) -> CSR_THREAD:
        """CsrCreateThread: a thread of a client, by a handle that stays here."""
        view = CSR_THREAD(thread.memory, await allocate(thread, CSR_THREAD.size))
        view.ClientId.UniqueProcess, view.ClientId.UniqueThread = client
        account.made(thread.log, "structure", "and of its thread", view.address, None, structure="CSR_THREAD")
        view.Process = process.address
        view.ThreadHandle = handle
        view.ReferenceCount = 1
        process.ThreadList.insert_tail(view.Link)
        LIST_ENTRY(thread.memory, self._bucket(client[1])).insert_tail(view.HashLinks)
        return view

    async def remove_thread(self, thread: UserThread, client: tuple[int, int]) -> None:
        """A thread has ended; with the last one its process goes (CsrDestroyThread, CsrDestroyProcess)."""
        known = self.find_thread(thread, client)
        if known is None:
            return
        known.Link.remove()
        known.HashLinks.remove()
        nt.NtClose(thread, int(known.ThreadHandle))
        await free(thread, known.address)
        process = self.find(thread, client[0])
        if process is not None and process.ThreadList.is_empty():
            await self._remove_process(thread, process)

    async def _remove_process(self, thread: UserThread, process: CSR_PROCESS) -> None:
        del self.processes[int(process.ClientId.UniqueProcess)]
        process.ListLink.remove()
        for handle in (int(process.ClientPort), int(process.ProcessHandle)):
            if handle:
                nt.NtClose(thread, handle)
        session = CSR_NT_SESSION(thread.memory, self.nt_session)
        session.ReferenceCount = int(session.ReferenceCount) - 1
        await free(thread, process.address)


async def allocate(thread: UserThread, size: int) -> int:
    """Zeroed room in csrss's heap."""
    heap = int(thread.peb.ProcessHeap)
    address = await rtl(thread, "RtlAllocateHeap", heap, HEAP_ZERO_MEMORY, size)
    if not address:
        raise NtError(STATUS.NO_MEMORY)
    return address


async def free(thread: UserThread, address: int) -> None:
    """Give it back."""
    await rtl(thread, "RtlFreeHeap", int(thread.peb.ProcessHeap), 0, address)
