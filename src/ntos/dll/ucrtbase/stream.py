"""FILE: a stream's buffer, position and state, all in guest memory, where the old getc and putc macros work
on it.

The two runtimes lay the structure out differently (`UcrtFile`, `MsvcrtFile`); the flags here are ucrtbase's,
msvcrt's are translated. A stream writes through when it is stderr, a console's stdout, or was told so by
setvbuf.
"""

from __future__ import annotations

from ntos.abi.layout.win32 import CRITICAL_SECTION
from ntos.abi.struct import Struct, at
from ntos.abi.types import INT, LONG, PVOID
from ntos.dll.ucrtbase import lowio
from ntos.dll.ucrtbase.crt import Crt, CrtError, allocate, ntdll, process_data, release
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.um.thread import UserThread

READ, WRITE, UPDATE, EOF, ERROR, CTRLZ = 1, 2, 4, 8, 0x10, 0x20
BUFFER_CRT, BUFFER_USER, BUFFER_SETVBUF, BUFFER_NONE, COMMIT, ALLOCATED = (
    0x40,
    0x80,
    0x100,
    0x400,
    0x800,
    0x2000,
)
ANY_BUFFER = BUFFER_CRT | BUFFER_USER | BUFFER_NONE
BUFFER_SIZE = 4096
LEGACY_FLAGS = (
    (READ, 1), (WRITE, 2), (UPDATE, 0x80), (EOF, 0x10), (ERROR, 0x20), (CTRLZ, 0x2000), (BUFFER_CRT, 8),
    (BUFFER_USER, 0x100), (BUFFER_SETVBUF, 0x400), (BUFFER_NONE, 4), (COMMIT, 0x4000),
)  # fmt: skip
"""Our flag, msvcrt's (stdio.h of the Windows SDK: _IOREAD, _IOWRT, _IORW …)."""
IOB_ENTRIES = 20
OUTPUTS = frozenset({1, 2})
UNLOCKED, LOCKED = -1, -2


class UcrtFile(Struct, size=0x58):
    """ucrtbase's stream (__crt_stdio_stream_data)."""

    ptr = at(0x00, PVOID)
    base = at(0x08, PVOID)
    cnt = at(0x10, INT)
    flags = at(0x14, LONG)
    file = at(0x18, LONG)
    charbuf = at(0x1C, INT)
    bufsiz = at(0x20, INT)
    tmpfname = at(0x28, PVOID)
    lock = at(0x30, CRITICAL_SECTION)


class MsvcrtFile(Struct, size=0x30):
    """msvcrt's stream (struct _iobuf)."""

    ptr = at(0x00, PVOID)
    cnt = at(0x08, INT)
    base = at(0x10, PVOID)
    flags = at(0x18, INT)
    file = at(0x1C, INT)
    charbuf = at(0x20, INT)
    bufsiz = at(0x24, INT)
    tmpfname = at(0x28, PVOID)


class Locks:
    """Where the locks of msvcrt's streams are."""

    def __init__(self) -> None:
        self.addresses: dict[int, int] = {}


class Stream:
    """A stream for the time of one call."""

    __slots__ = ("legacy", "memory", "thread", "view")

    def __init__(self, thread: UserThread, address: int) -> None:
        self.thread = thread
        self.memory = thread.memory
        self.legacy = is_legacy(thread, address)
        self.view: UcrtFile | MsvcrtFile = (MsvcrtFile if self.legacy else UcrtFile)(thread.memory, address)

    @property
    def address(self) -> int:
        return self.view.address

    @property
    def descriptor(self) -> int:
        return int(self.view.file)

    @property
    def flags(self) -> int:
        raw = int(self.view.flags)
        if not self.legacy:
            return raw
        return sum(ours for ours, theirs in LEGACY_FLAGS if raw & theirs) | (ALLOCATED if raw else 0)

    @flags.setter
    def flags(self, value: int) -> None:
        if self.legacy:
            value = sum(theirs for ours, theirs in LEGACY_FLAGS if value & ours)
        self.view.flags = value

    def change(self, *, on: int = 0, off: int = 0) -> None:
        """Set and clear flags."""
        self.flags = self.flags & ~off | on

    @property
    def pending(self) -> int:
        """Bytes written that are still in the buffer."""
        flags = self.flags
        if not flags & WRITE or not flags & (BUFFER_CRT | BUFFER_USER) or not int(self.view.base):
            return 0
        return int(self.view.ptr) - int(self.view.base)

    @property
    def is_text(self) -> bool:
        return bool(int(lowio.slot(self.thread, self.descriptor).osfile) & lowio.FTEXT)

    @property
    def unicode(self) -> bool:
        """Whether the stream carries UTF-16 (a `ccs=` mode or _O_U8TEXT, _O_U16TEXT)."""
        return self.descriptor >= 0 and int(lowio.slot(self.thread, self.descriptor).textmode) != lowio.ANSI

    @property
    def _writes_through(self) -> bool:
        flags = self.flags
        if flags & BUFFER_NONE:
            return True
        if flags & ANY_BUFFER or self.descriptor not in OUTPUTS or self.address not in standard(self.thread):
            return False
        if self.address == standard(self.thread)[2]:
            return True
        return bool(int(lowio.slot(self.thread, self.descriptor).osfile) & lowio.FDEV)

    async def _get_buffer(self) -> None:
        if self.flags & ANY_BUFFER:
            return
        block = await allocate(self.thread, BUFFER_SIZE)
        if block:
            self.change(on=BUFFER_CRT)
            self.view.base, self.view.bufsiz = block, BUFFER_SIZE
        else:
            self._unbuffered()
        self.view.ptr, self.view.cnt = int(self.view.base), 0

    def _unbuffered(self) -> None:
        self.change(on=BUFFER_NONE)
        self.view.base = self.address + self.view.offset("charbuf")
        self.view.bufsiz = 2

    # -------------------------------------------------------------------- writing

    async def write(self, data: bytes) -> None:
        """Put bytes into the stream; CrtError (and the error mark) where the file does not take them."""
        self._to_writing()
        if not data:
            return
        if self._writes_through:
            await self._out(data)
            return
        await self._get_buffer()
        view = self.view
        if int(view.ptr) == int(view.base) and int(view.cnt) <= 0:
            view.cnt = int(view.bufsiz)
        while data:
            room = max(int(view.cnt), 0)
            if len(data) <= room:
                place = int(view.ptr)
                self.memory.write(place, data)
                view.ptr, view.cnt = place + len(data), room - len(data)
                return
            if not self.pending and len(data) >= int(view.bufsiz):
                whole = len(data) - len(data) % int(view.bufsiz)
                await self._out(data[:whole])
                data = data[whole:]
                continue
            place = int(view.ptr)
            self.memory.write(place, data[:room])
            view.ptr, view.cnt = place + room, 0
            data = data[room:]
            await self._drain()
            view.cnt = int(view.bufsiz)

    def _to_writing(self) -> None:
        flags = self.flags
        if not flags & (WRITE | UPDATE):
            self.change(on=ERROR)
            raise CrtError(ERRNO.EBADF)
        if flags & READ:
            self.view.cnt = 0
            if not flags & EOF:
                self.change(on=ERROR)
                raise CrtError(ERRNO.EINVAL)
            self.view.ptr = int(self.view.base)
        if flags & READ or not flags & WRITE or flags & EOF:
            self.change(on=WRITE, off=READ | EOF)
            self.view.ptr, self.view.cnt = int(self.view.base), 0

    async def _out(self, data: bytes) -> None:
        try:
            written = await lowio.write(self.thread, self.descriptor, data)
        except CrtError:
            self.change(on=ERROR)
            raise
        if written < len(data):
            self.change(on=ERROR)
            raise CrtError(ERRNO.ENOSPC)

    async def flush(self) -> None:
        """Write out what the buffer holds; an update stream may read or write after that."""
        await self._drain()
        if self.flags & UPDATE and self.flags & WRITE:
            self.change(off=WRITE)

    async def _drain(self) -> None:
        count = self.pending
        base = int(self.view.base)
        if count > 0:
            data = self.memory.read(base, count)
            self.view.ptr, self.view.cnt = base, 0
            await self._out(data)
        elif self.flags & WRITE and base:
            self.view.ptr, self.view.cnt = base, 0

    # -------------------------------------------------------------------- reading

    async def fill(self) -> bool:
        """Have at least one byte in the buffer; False at the end of the file (and the mark for it)."""
        if int(self.view.cnt) > 0 and self.flags & READ:
            return True
        flags = self.flags
        if flags & WRITE or not flags & (READ | UPDATE):
            self.change(on=ERROR)
            raise CrtError(ERRNO.EBADF)
        self.change(on=READ)
        await self._get_buffer()
        base = int(self.view.base)
        size = int(self.view.bufsiz) if not self.flags & BUFFER_NONE or self.unicode else 1
        try:
            count = await lowio.read(self.thread, self.descriptor, base, size)
        except CrtError:
            self.change(on=ERROR)
            raise
        self.view.ptr, self.view.cnt = base, count
        if not count:
            self.change(on=EOF, off=READ if self.flags & UPDATE else 0)
        return count > 0

    async def get(self) -> int:
        """The next byte, or -1."""
        if not await self.fill():
            return -1
        return self.take(1)[0]

    def take(self, limit: int) -> bytes:
        """Up to `limit` bytes of the buffer."""
        count = min(limit, max(int(self.view.cnt), 0))
        place = int(self.view.ptr)
        data = self.memory.read(place, count)
        self.view.ptr, self.view.cnt = place + count, int(self.view.cnt) - count
        return data

    async def read(self, size: int, *, line: bool = False) -> bytes:
        """Up to `size` bytes; up to and with a line feed if `line` is asked for."""
        pieces: list[bytes] = []
        while size > 0 and await self.fill():
            room = min(size, int(self.view.cnt))
            piece = self.memory.read(int(self.view.ptr), room)
            end = piece.find(b"\n") if line else -1
            pieces.append(self.take(end + 1 if end >= 0 else room))
            size -= len(pieces[-1])
            if end >= 0:
                break
        return b"".join(pieces)

    async def unget(self, byte: int) -> None:
        """Put a byte back."""
        flags = self.flags
        if not (flags & READ or (flags & UPDATE and not flags & WRITE)):
            raise CrtError(ERRNO.EINVAL)
        await self._get_buffer()
        base, place = int(self.view.base), int(self.view.ptr)
        if place == base:
            if int(self.view.cnt) > 0:
                raise CrtError(ERRNO.EINVAL)
            place += 1
        self.memory.write(place - 1, bytes([byte & 0xFF]))
        self.view.ptr, self.view.cnt = place - 1, max(int(self.view.cnt), 0) + 1
        self.change(on=READ, off=EOF)

    # -------------------------------------------------------------------- position

    async def tell(self) -> int:
        """Where the program is in the file: the file pointer, less what it has not read, plus what it
        wrote.
        """
        position = await lowio.seek(self.thread, self.descriptor, 0, 1)
        info = lowio.slot(self.thread, self.descriptor)
        if count := self.pending:
            if self.is_text:
                count += self.memory.read(int(self.view.base), count).count(b"\n")
            if int(info.osfile) & lowio.FAPPEND:
                position = await lowio.seek(self.thread, self.descriptor, 0, 2)
            return position + count
        ahead = max(int(self.view.cnt), 0) if self.flags & READ else 0
        if ahead and self.is_text and int(info.osfile) & lowio.FCRLF:
            ahead += self.memory.read(int(self.view.ptr), ahead).count(b"\n")
        return position - ahead

    async def seek(self, offset: int, origin: int) -> None:
        """Go elsewhere; what was read ahead is forgotten, what was written goes out."""
        if origin not in {0, 1, 2}:
            raise CrtError(ERRNO.EINVAL)
        if origin == 1:
            offset, origin = offset + await self.tell(), 0
        await self.flush()
        self.change(off=EOF | (READ | WRITE if self.flags & UPDATE else 0))
        self.view.ptr, self.view.cnt = int(self.view.base), 0
        await lowio.seek(self.thread, self.descriptor, offset, origin)

    async def set_buffer(self, buffer: int, size: int) -> None:
        """setvbuf: a buffer of the caller's, one of ours (buffer 0), or none (size 0)."""
        await self.flush()
        await self.drop_buffer()
        if size == 0:
            self._unbuffered()
        else:
            block = buffer or await allocate(self.thread, size)
            self.change(on=(BUFFER_USER if buffer else BUFFER_CRT) | BUFFER_SETVBUF)
            self.view.base, self.view.bufsiz = block, size
        self.view.ptr, self.view.cnt = int(self.view.base), 0

    async def drop_buffer(self) -> None:
        """Give the buffer back."""
        if self.flags & BUFFER_CRT:
            await release(self.thread, int(self.view.base))
        self.change(off=ANY_BUFFER | BUFFER_SETVBUF)
        self.view.base = self.view.ptr = 0
        self.view.cnt = 0

    # -------------------------------------------------------------------- lock

    def _section(self) -> CRITICAL_SECTION | None:
        if isinstance(self.view, UcrtFile):
            return self.view.lock
        place = self.thread.state(Locks).addresses.get(self.address)
        return CRITICAL_SECTION(self.memory, place) if place else None

    async def enter(self) -> None:
        """Take the stream's lock."""
        section = self._section()
        if section is None:
            block = await allocate(self.thread, CRITICAL_SECTION.size)
            section = CRITICAL_SECTION(self.memory, block)
            unlock(section)
            self.thread.state(Locks).addresses[self.address] = block
        await enter_section(self.thread, section)

    async def leave(self) -> None:
        """Give it back."""
        section = self._section()
        if section is not None:
            await leave_section(self.thread, section)


async def enter_section(thread: UserThread, section: CRITICAL_SECTION) -> None:
    """RtlEnterCriticalSection; a free lock is taken without going through the guest."""
    if int(section.LockCount) == UNLOCKED:
        section.LockCount, section.OwningThread, section.RecursionCount = LOCKED, thread.id, 1
    elif int(section.OwningThread) == thread.id:
        section.RecursionCount = int(section.RecursionCount) + 1
    else:
        await ntdll(thread, "RtlEnterCriticalSection", section.address)


async def leave_section(thread: UserThread, section: CRITICAL_SECTION) -> None:
    """RtlLeaveCriticalSection; a lock nobody waits for is freed without going through the guest."""
    if int(section.RecursionCount) > 1:
        section.RecursionCount = int(section.RecursionCount) - 1
    elif int(section.LockCount) == LOCKED:
        section.RecursionCount, section.OwningThread, section.LockCount = 0, 0, UNLOCKED
    else:
        await ntdll(thread, "RtlLeaveCriticalSection", section.address)


def unlock(section: CRITICAL_SECTION) -> None:
    """A fresh lock (as RtlInitializeCriticalSectionEx leaves it without debug information)."""
    section.clear()
    section.DebugInfo = 0xFFFF_FFFF_FFFF_FFFF
    section.LockCount = UNLOCKED


class locked:
    """The stream, its lock held. A thread that is ended inside keeps the lock, as a killed thread does."""

    __slots__ = ("_stream",)

    def __init__(self, thread: UserThread, address: int) -> None:
        if not address:
            raise CrtError(ERRNO.EINVAL)
        standard(thread)
        self._stream = Stream(thread, address)

    async def __aenter__(self) -> Stream:
        await self._stream.enter()
        return self._stream

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is None or issubclass(kind, Exception):
            await self._stream.leave()


# ------------------------------------------------------------------------------ the table of streams


def is_legacy(thread: UserThread, address: int) -> bool:
    """Whether a stream has msvcrt's layout: all have where msvcrt is the only runtime, else those of its
    `_iob`.
    """
    state = thread.state(Crt)
    if not state.msvcrt_base:
        return False
    if not state.ucrt_attached:
        return True
    return 0 <= address - state.variables["_iob"] < IOB_ENTRIES * MsvcrtFile.size


def standard(thread: UserThread) -> list[int]:
    """The addresses of stdin, stdout and stderr (and of every stream opened so far behind them)."""
    state = thread.state(Crt)
    if not state.streams:
        if state.msvcrt_base and not state.ucrt_attached:
            first, size = state.variables["_iob"], MsvcrtFile.size
        else:
            data = process_data(thread)
            first, size = data.address + data.offset("ucrt_streams"), UcrtFile.size
        state.streams = [first + index * size for index in range(3)]
        for descriptor, address in enumerate(state.streams):
            _open_slot(thread, address, descriptor, WRITE if descriptor else READ)
    return state.streams


def _open_slot(thread: UserThread, address: int, descriptor: int, flags: int) -> Stream:
    stream = Stream(thread, address)
    stream.view.clear()
    if isinstance(stream.view, UcrtFile):
        unlock(stream.view.lock)
    stream.view.file = descriptor
    stream.flags = flags | ALLOCATED
    return stream


async def new_stream(thread: UserThread, descriptor: int, flags: int) -> Stream:
    """A stream on a descriptor, in a free place of the table or a new one."""
    streams = standard(thread)
    for address in streams[3:]:
        if not Stream(thread, address).flags:
            return _open_slot(thread, address, descriptor, flags)
    legacy = is_legacy(thread, 0)
    if legacy and len(streams) < IOB_ENTRIES:
        address = streams[0] + len(streams) * MsvcrtFile.size
    else:
        address = await allocate(thread, (MsvcrtFile if legacy else UcrtFile).size)
        if not address:
            raise CrtError(ERRNO.ENOMEM)
    streams.append(address)
    return _open_slot(thread, address, descriptor, flags)


async def flush_all(thread: UserThread) -> int:
    """Write out every stream; gives how many are open."""
    count = 0
    if not thread.state(Crt).streams:
        return 0
    for address in list(standard(thread)):
        stream = Stream(thread, address)
        if not stream.flags:
            continue
        count += 1
        if stream.pending:
            try:
                await stream.flush()
            except CrtError:
                continue
    return count
