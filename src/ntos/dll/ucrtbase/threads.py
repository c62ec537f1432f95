"""Threads of the runtime: _beginthreadex and _beginthread (process.h)."""

from __future__ import annotations

from ntos.abi.pointer import Code, Ptr
from ntos.abi.types import DWORD, PVOID, UINT
from ntos.dll.ucrtbase.crt import (
    CrtError,
    allocate,
    crt,
    entry,
    failure,
    release,
    release_thread_data,
    runtime_base,
    thread_data,
    win32,
)
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.um import images
from ntos.um.export import export
from ntos.um.thread import UserThread

CREATE_SUSPENDED = 4
FAILED = 0xFFFF_FFFF_FFFF_FFFF
RECORD = 24


def _start_address(thread: UserThread, name: str) -> int:
    module, base = runtime_base(thread)
    return base + images.build(module).rvas[name]


async def _create(
    thread: UserThread, security: int, stack: int, start: int, argument: int, flags: int, name: str
) -> tuple[int, int]:
    """A thread that begins in the runtime; its handle and id."""
    record = await allocate(thread, RECORD)
    thread.memory.write(record, start.to_bytes(8, "little") + argument.to_bytes(8, "little"))
    with thread.frame() as frame:
        number = frame.new(DWORD)
        begin = _start_address(thread, name)
        handle = await win32(thread, "CreateThread", security, stack, begin, record, flags, number.address)
        if not handle:
            error = failure(thread)
            await release(thread, record)
            raise error
        return handle, int(number.read())


@crt
async def _beginthreadex(
    thread: UserThread, security: PVOID, stack_size: UINT, start_address: Code, argument: PVOID, initflag: UINT,
    thrdaddr: Ptr[UINT] | None,
) -> PVOID:  # fmt: skip
    """A thread; its handle, which the caller closes."""
    if not start_address:
        raise CrtError(ERRNO.EINVAL)
    made = await _create(thread, security, stack_size, start_address, argument, initflag, "ntos_thread_start_ex")
    if thrdaddr is not None:
        thrdaddr.write(made[1])
    return PVOID(made[0])


@crt(fails=FAILED)
async def _beginthread(thread: UserThread, start_address: Code, stack_size: UINT, argument: PVOID) -> PVOID:
    """A thread whose handle closes itself when it ends."""
    if not start_address:
        raise CrtError(ERRNO.EINVAL)
    handle, _ = await _create(thread, 0, stack_size, start_address, argument, CREATE_SUSPENDED, "ntos_thread_start")
    thread.state(OwnHandles).handles.add(handle)
    await win32(thread, "ResumeThread", handle)
    return PVOID(handle)


class OwnHandles:
    """Handles that _beginthread gave out; _endthread closes them."""

    def __init__(self) -> None:
        self.handles: set[int] = set()


async def _begin(thread: UserThread, record: int) -> int:
    start, argument = (int.from_bytes(thread.memory.read(record + at, 8), "little") for at in (0, 8))
    await release(thread, record)
    thread_data(thread)
    return await thread.call(start, argument)


async def _end(thread: UserThread, code: int) -> None:
    release_thread_data(thread)
    await thread.call(entry(thread, "RtlExitUserThread", "ntdll.dll"), code & 0xFFFF_FFFF)


async def _thread_start_ex(thread: UserThread, record: PVOID) -> UINT:
    """Where a thread of _beginthreadex begins."""
    code = await _begin(thread, record)
    await _end(thread, code)
    return UINT(code & 0xFFFF_FFFF)


async def _thread_start(thread: UserThread, record: PVOID) -> UINT:
    """Where a thread of _beginthread begins."""
    await _begin(thread, record)
    await _end(thread, 0)
    return UINT(0)


for _module in ("ucrtbase", "msvcrt"):
    export(name="ntos_thread_start_ex", module=_module)(_thread_start_ex)
    export(name="ntos_thread_start", module=_module)(_thread_start)


@crt
async def _endthreadex(thread: UserThread, retval: UINT) -> None:
    """End this thread."""
    await _end(thread, retval)


@crt
async def _endthread(thread: UserThread) -> None:
    """End this thread with code 0."""
    await _end(thread, 0)


@crt
def __threadid(thread: UserThread) -> DWORD:
    """GetCurrentThreadId."""
    return DWORD(thread.id)


@crt
def __threadhandle(thread: UserThread) -> PVOID:
    """GetCurrentThread."""
    return PVOID(0xFFFF_FFFF_FFFF_FFFE)


@crt
async def _sleep(thread: UserThread, duration: UINT) -> None:
    """Sleep; 0 counts as 1."""
    await win32(thread, "Sleep", duration or 1)


@crt
async def _beep(thread: UserThread, frequency: UINT, duration: UINT) -> None:
    """Beep."""
    await win32(thread, "Beep", frequency, duration)


@crt
async def _loaddll(thread: UserThread, path: PVOID) -> PVOID:
    """LoadLibraryA."""
    return PVOID(await win32(thread, "LoadLibraryA", path))


@crt
async def _unloaddll(thread: UserThread, handle: PVOID) -> UINT:
    """FreeLibrary; an error code."""
    return UINT(0 if await win32(thread, "FreeLibrary", handle) & 0xFFFF_FFFF else 6)


@crt
async def _getdllprocaddr(thread: UserThread, handle: PVOID, name: PVOID, ordinal: PVOID) -> PVOID:
    """GetProcAddress by name, or by ordinal."""
    return PVOID(await win32(thread, "GetProcAddress", handle, name or ordinal & 0xFFFF))
