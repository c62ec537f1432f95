"""A thread: registers, a coroutine for a kernel stack, and the way from kernel code into guest code and back."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ntos.abi.layout.peb import PEB
from ntos.abi.layout.teb import TEB
from ntos.abi.layout.thread import ETHREAD
from ntos.abi.status import STATUS, NtError
from ntos.ke import exception
from ntos.ke.dispatcher import DispatcherObject
from ntos.ke.parts import Parts

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from ntos.abi.status import Denied, GuestFault
    from ntos.abi.types import NTSTATUS
    from ntos.etw.log import Log
    from ntos.hal.cpu import Context
    from ntos.hal.paging import UserMemory
    from ntos.ke.apc import UserApc
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.ke.wait import Wait

T = TypeVar("T")
THREAD_OBJECT = 6
LONGEST_TEXT = 0xFFFC
"""Bytes a UNICODE_STRING can tell of and still be ended by a NUL."""
HOME_SPACE = 0x20
"""The caller of an x64 function leaves room for its four register arguments above the return address."""


class ThreadTerminated(BaseException):
    """Thrown into a thread's coroutine to end it: the only way out besides returning. Not an error."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Unwound(BaseException):
    """The guest unwound past a Python frame; the trap that showed it is still to be served further out."""


class Frame:
    """Room on the guest stack for temporaries, given back when the `with` block ends."""

    __slots__ = ("_thread",)

    def __init__(self, thread: Thread) -> None:
        self._thread = thread

    def allocate(self, size: int) -> int:
        """The address of `size` zeroed bytes, 16-aligned."""
        context = self._thread.context
        stack = context.rsp
        address = (stack - size) & ~0xF
        # Guard pages are met one by one from above, as __chkstk meets them.
        for page in range((stack & ~0xFFF) - 0x1000, address, -0x1000):
            self._thread.memory.read(page, 1)
        context.rsp = address
        self._thread.memory.write(address, bytes(size))
        return address

    def new(self, kind: Any) -> Any:
        """A `Ptr[kind]` (scalars) or a view (structures) on zeroed room for one."""
        from ntos.abi.pointer import Ptr  # noqa: PLC0415 - keeps `pointer` out of the hot import path
        from ntos.abi.types import Scalar  # noqa: PLC0415

        address = self.allocate(kind.size)
        if issubclass(kind, Scalar):
            return Ptr[kind](self._thread.memory, address)
        return kind(self._thread.memory, address)

    def bytes(self, data: bytes) -> int:
        """The address of a copy of `data`."""
        address = self.allocate(max(len(data), 1))
        self._thread.memory.write(address, data)
        return address

    def wide(self, text: str) -> int:
        """The address of `text` as NUL-terminated UTF-16."""
        return self.bytes(text.encode("utf-16-le", "surrogatepass") + b"\0\0")

    def unicode_string(self, text: str) -> int:
        """The address of a UNICODE_STRING for `text`; NAME_TOO_LONG where it cannot say the length."""
        data = text.encode("utf-16-le", "surrogatepass")
        if len(data) > LONGEST_TEXT:
            raise NtError(STATUS.NAME_TOO_LONG)
        buffer = self.bytes(data + b"\0\0")
        head = len(data).to_bytes(2, "little") + (len(data) + 2).to_bytes(2, "little")
        return self.bytes(head + bytes(4) + buffer.to_bytes(8, "little"))


class Thread(DispatcherObject, Parts):
    """A thread object: ETHREAD at `address`, saved registers, and what bytes cannot hold."""

    def __init__(self, kernel: Kernel, address: int, process: Process) -> None:
        DispatcherObject.__init__(self, kernel, address)
        Parts.__init__(self)
        self.ethread = ETHREAD(kernel.memory, address)
        self.tcb = self.ethread.Tcb
        self.process = process
        self.log: Log = kernel.log
        """The machine's event stream."""
        self.memory: UserMemory = process.memory
        """The user half of the address space this thread runs in."""
        self.context: Context = kernel.platform.backend.new_context()
        self.coroutine: Coroutine[None, None, None] | None = None
        self.waiting: Wait | None = None
        self.wait_status: NTSTATUS = STATUS.SUCCESS
        self.user_apcs: deque[UserApc] = deque()
        self.apc_pending = False
        self.attention = False
        """Something must be looked at before user code runs on: APCs, suspension, termination."""
        self.terminating: int | None = None
        self.started = False
        """Its coroutine has run once."""
        self.ending = False
        """Its coroutine has been told to end and is running its way out."""
        self.new_context: bytearray | None = None
        """A CONTEXT another thread set, to be loaded when this one is next about to enter user mode."""
        self.suspend_count = 0
        self.frozen = False
        """Its process is frozen for somebody else's sake (KTHREAD.FreezeCount)."""
        self.pending_work: deque[Callable[[], Coroutine[None, None, None]]] = deque()
        """What it has yet to do in the kernel, in order, before it goes on in user mode."""
        self.traps_left = 0
        self.refusal: Denied | None = None
        """Why the last refused service refused; `ntos explain` and traces carry it."""
        self.call_depth = 0
        self.cloned = False
        """The Python frames its start routine returns to are those of the thread it is a copy of."""
        self.door_stack = 0
        """RSP at the entry of the export being served: where an unwinder finds its caller, whatever the export has
        put on the stack since."""
        kernel.threads[address] = self

    @property
    def id(self) -> int:
        """Thread id."""
        return int(self.ethread.Cid.UniqueThread)

    @property
    def teb(self) -> TEB:
        """The thread environment block, through the user's eyes."""
        return TEB(self.memory, int(self.tcb.Teb))

    @contextmanager
    def frame(self) -> Iterator[Frame]:
        """Temporaries on the guest stack for as long as the block lasts."""
        stack = self.context.rsp
        try:
            yield Frame(self)
        except Unwound:
            stack = 0  # RSP already is where the guest unwound to
            raise
        finally:
            if stack:
                self.context.rsp = stack

    def is_signalled(self, thread: Thread) -> bool:
        return int(self.header.SignalState) > 0

    def before_user_mode(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Let the thread do this once what it does now in the kernel is done. It may block, and change registers."""
        self.pending_work.append(work)
        self.attention = True

    async def call(self, code: int, *arguments: int) -> int:
        """Run guest code at `code` with integer arguments until it returns; gives RAX (`um.UserThread.call`)."""
        return await self.kernel[CallGate].call(self, code, arguments)

    def system_call(self, name: str, arguments: tuple[int, ...]) -> Any:
        """What `nt.<name>(thread, …)` does: through the service's door, errors raised as NtError."""
        return self.kernel[CallGate].system_call(self, name, arguments)

    @property
    def peb(self) -> PEB:
        """The process environment block, through the user's eyes."""
        return PEB(self.memory, int(self.process.eprocess.Peb))

    def state(self, kind: type[T]) -> T:
        """This process's one object of class `kind`."""
        return self.process.user_state.part(kind)

    def own(self, kind: type[T]) -> T:
        """This thread's one object of class `kind`."""
        return self.part(kind)

    def raise_exception(self, code: int, information: tuple[int, ...] = (), *, noncontinuable: bool = False) -> None:
        """Dispatch an exception at the call now being served."""
        record = exception.ExceptionRecord(code, self.context.rip, information, int(noncontinuable))
        exception.dispatch(self, record)

    def raise_fault(self, fault: GuestFault) -> None:
        """The same for an address that could not be used."""
        exception.access_violation(self, fault)

    def entry(self, module: str, name: str) -> int:
        """The address of an export of ntdll, which stands at one place in all processes."""
        return self.kernel.entry_points[name]

    def module_at(self, address: int) -> str:
        """`module+offset` of a code address."""
        return self.kernel.part(exception.Dispatcher).locate(self, address)


class CallGate:
    """The two ways through a thread that need the trap loop and the service table; `ke.trap` installs it."""

    async def call(self, thread: Thread, code: int, arguments: tuple[int, ...]) -> int:
        raise NotImplementedError

    def system_call(self, thread: Thread, name: str, arguments: tuple[int, ...]) -> Any:
        raise NotImplementedError
