"""A leaf image under a bare engine: a TEB, a PEB, the shared page, and nine system services in Python."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from unicorn import UC_ARCH_X86, UC_HOOK_INSN, UC_MODE_64
from unicorn.unicorn_py3 import Uc
from unicorn.unicorn_py3.unicorn import UcContext
from unicorn.x86_const import (
    UC_X86_INS_SYSCALL,
    UC_X86_REG_EAX,
    UC_X86_REG_GS_BASE,
    UC_X86_REG_R8,
    UC_X86_REG_R9,
    UC_X86_REG_R10,
    UC_X86_REG_RAX,
    UC_X86_REG_RCX,
    UC_X86_REG_RDX,
    UC_X86_REG_RIP,
    UC_X86_REG_RSP,
)

from ntos.um.leaf import load

BASE, RETURN, PEB, TEBS, STACKS, ARENA, KUSER = (
    0x1_8000_0000,
    0x2_0000_0000,
    0x3_0000_0000,
    0x3_1000_0000,
    0x4_0000_0000,
    0x5_0000_0000,
    0x7FFE0000,
)
ARENA_SIZE = 0x40_0000
STATUS_TIMEOUT, STATUS_ALERTED, STATUS_NO_MEMORY = 0x102, 0x101, 0xC0000017
SECOND = 10_000_000

Calls = Generator[tuple[str | int, tuple[int, ...]], int, None]


class GuestEnded(Exception):
    """The guest asked for the end of its process."""


class GuestRaised(Exception):
    """The guest called NtRaiseException."""


@dataclass
class GuestThread:
    """A thread of the scheduler below."""

    number: int
    calls: Calls | None = None
    context: UcContext | None = None
    alerted: bool = False
    waiting: bool = False
    deadline: int | None = None
    running: bool = False
    waits: int = 0


@dataclass
class Guest:
    """One process with one leaf image in it."""

    name: str
    base: int = BASE
    seed: int = 0
    limit: int = 1 << 32
    threads: list[GuestThread] = field(default_factory=list)

    def __post_init__(self) -> None:
        leaf = load(self.name)
        assert leaf is not None
        self.exports = leaf.exports
        self.uc = Uc(UC_ARCH_X86, UC_MODE_64)
        self.random = random.Random(self.seed)
        self.now = 100 * SECOND
        self.committed: dict[int, int] = {}
        self.reserved: dict[int, int] = {}
        self.next_region = 0x10_0000_0000
        self.total = 0
        self.services = 0
        self._load(leaf.data)
        for address, size in ((RETURN, 0x1000), (PEB, 0x1000), (ARENA, ARENA_SIZE), (KUSER, 0x1000)):
            self.uc.mem_map(address, size)
        self.arena = ARENA
        self.write(PEB + 0xB8, struct.pack("<I", 1))
        self.write(PEB + 0xE8, struct.pack("<IIQ", 0, (0x1000 - 0x7C8) // 8, PEB + 0x7C8))
        self.current = self.add_thread()
        self._clock()
        self.uc.hook_add(UC_HOOK_INSN, self._syscall, None, 1, 0, UC_X86_INS_SYSCALL)

    def _load(self, data: bytes) -> None:
        pe = struct.unpack_from("<I", data, 0x3C)[0]
        count, optional = struct.unpack_from("<H12xH", data, pe + 6)
        self.uc.mem_map(self.base, (struct.unpack_from("<I", data, pe + 24 + 56)[0] + 0xFFF) & ~0xFFF)
        for index in range(count):
            at = pe + 24 + optional + 40 * index
            virtual_size, rva, size, raw = struct.unpack_from("<4I", data, at + 8)
            self.write(self.base + rva, data[raw : raw + min(size, virtual_size)])

    def add_thread(self) -> GuestThread:
        """A thread with a TEB and a stack of its own; ids are 4, 8, 12 and so on."""
        thread = GuestThread(len(self.threads))
        self.threads.append(thread)
        teb, stack = TEBS + thread.number * 0x2000, STACKS + thread.number * 0x10_0000
        self.uc.mem_map(teb, 0x2000)
        self.uc.mem_map(stack, 0x4_0000)
        self.write(teb + 0x30, struct.pack("<3Q", teb, 0, 0x1234) + struct.pack("<Q", 4 * thread.number + 4))
        self.write(teb + 0x40, struct.pack("<QQ", 0x1234, 4 * thread.number + 4))
        self.write(teb + 0x60, struct.pack("<Q", PEB))
        return thread

    # ---- memory
    def read(self, address: int, size: int) -> bytes:
        return bytes(self.uc.mem_read(address, size))

    def write(self, address: int, data: bytes) -> None:
        self.uc.mem_write(address, data)

    def u64(self, address: int) -> int:
        return int.from_bytes(self.read(address, 8), "little")

    def u32(self, address: int) -> int:
        return int.from_bytes(self.read(address, 4), "little")

    def place(self, data: bytes, offset: int = 0) -> int:
        """Puts data into a scratch arena, `offset` bytes past a 16-byte boundary."""
        size = (len(data) + offset + 31) & ~15
        if self.arena + size > ARENA + ARENA_SIZE:
            self.arena = ARENA
        address = self.arena + offset
        self.arena += size
        self.write(address, data)
        return address

    def at_page_end(self, data: bytes) -> int:
        """Puts data so that the byte behind it is not mapped."""
        address = ARENA + ARENA_SIZE - len(data)
        self.write(address, data)
        return address

    @property
    def teb(self) -> int:
        return TEBS + self.current.number * 0x2000

    def last_error(self) -> int:
        return self.u32(self.teb + 0x68)

    # ---- running
    def _prepare(self, thread: GuestThread, function: str | int, arguments: tuple[int, ...]) -> None:
        stack = STACKS + thread.number * 0x10_0000 + 0x3_0008
        address = self.base + self.exports[function] if isinstance(function, str) else function
        self.write(stack, struct.pack("<Q", RETURN))
        for index, value in enumerate(arguments[4:]):
            self.write(stack + 0x28 + 8 * index, struct.pack("<q", value))
        registers = (UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_R8, UC_X86_REG_R9)
        for register, value in zip(registers, arguments, strict=False):
            self.uc.reg_write(register, value & (2**64 - 1))
        self.uc.reg_write(UC_X86_REG_RSP, stack)
        self.uc.reg_write(UC_X86_REG_RIP, address)
        self.uc.reg_write(UC_X86_REG_GS_BASE, TEBS + thread.number * 0x2000)

    def call(self, function: str | int, *arguments: int) -> int:
        """What the function returns (rax) when the first thread calls it."""
        self.failure: Exception | None = None
        self.current = self.threads[0]
        self._prepare(self.current, function, arguments)
        self.uc.emu_start(self.uc.reg_read(UC_X86_REG_RIP), RETURN)
        if self.failure:
            raise self.failure
        assert self.uc.reg_read(UC_X86_REG_RIP) == RETURN, "the guest would wait for ever"
        return int(self.uc.reg_read(UC_X86_REG_RAX))

    def call32(self, function: str, *arguments: int) -> int:
        """The same, as a signed 32-bit result."""
        value = self.call(function, *arguments) & 0xFFFFFFFF
        return value - (1 << 32) if value >> 31 else value

    def run(self, programs: list[Calls], slices: int = 60) -> None:
        """Runs programs as threads that are preempted after a random number of instructions."""
        self.failure = None
        while len(self.threads) < len(programs):
            self.add_thread()
        live = self.threads[: len(programs)]
        for thread, calls in zip(live, programs, strict=True):
            thread.calls, thread.context = calls, None
        while live:
            ready = [thread for thread in live if not thread.waiting]
            if not ready:
                timed = [thread for thread in live if thread.deadline is not None]
                assert timed, "every thread waits: deadlock"
                thread = min(timed, key=lambda each: each.deadline or 0)
                self.now = max(self.now, thread.deadline or 0)
                self._clock()
                self._ready(thread, STATUS_TIMEOUT)
                continue
            thread = self.random.choice(ready)
            if not self._slice(thread, self.random.randint(1, slices)):
                live.remove(thread)

    def _slice(self, thread: GuestThread, count: int) -> bool:
        self.current = thread
        if thread.context is None:
            if not self._next(thread, None):
                return False
        else:
            self.uc.context_restore(thread.context)
        self.uc.emu_start(self.uc.reg_read(UC_X86_REG_RIP), RETURN, count=count)
        if self.failure:
            raise self.failure
        alive = True
        if self.uc.reg_read(UC_X86_REG_RIP) == RETURN:
            alive = self._next(thread, int(self.uc.reg_read(UC_X86_REG_RAX)))
        thread.context = self.uc.context_save()
        return alive

    def _next(self, thread: GuestThread, result: int | None) -> bool:
        assert thread.calls is not None
        try:
            function, arguments = next(thread.calls) if result is None else thread.calls.send(result)
        except StopIteration:
            return False
        self._prepare(thread, function, arguments)
        return True

    def _ready(self, thread: GuestThread, status: int) -> None:
        assert thread.context is not None
        thread.waiting, thread.deadline, thread.alerted = False, None, False
        running = self.uc.context_save()
        self.uc.context_restore(thread.context)
        self.uc.reg_write(UC_X86_REG_RAX, status)
        thread.context = self.uc.context_save()
        self.uc.context_restore(running)

    def _clock(self) -> None:
        low, high = self.now & 0xFFFFFFFF, self.now >> 32
        self.write(KUSER + 0x08, struct.pack("<3I", low, high, high))
        self.write(KUSER + 0x14, struct.pack("<3I", low, high, high))

    # ---- services
    def _syscall(self, uc: Uc, _data: object) -> None:
        self.services += 1
        number = uc.reg_read(UC_X86_REG_EAX)
        arguments = [uc.reg_read(r) for r in (UC_X86_REG_R10, UC_X86_REG_RDX, UC_X86_REG_R8, UC_X86_REG_R9)]
        services: dict[int, Callable[[int, int, int, int], int]] = {
            0x18: self._allocate,
            0x1E: self._free,
            0x2C: self._terminate,
            0x31: self._counter,
            0x34: self._delay,
            0x46: self._delay,
            0x70: self._alert,
            0x166: self._raise,
            0x1D0: self._wait,
        }
        try:
            status = services[number](*arguments)
        except Exception as failure:  # noqa: BLE001 - carried across the engine, raised again in call()
            self.failure = failure
            uc.emu_stop()
            return
        uc.reg_write(UC_X86_REG_RAX, status & (2**64 - 1))

    def _allocate(self, process: int, base_pointer: int, _zero: int, size_pointer: int) -> int:
        assert process == 2**64 - 1
        stack = self.uc.reg_read(UC_X86_REG_RSP)
        kind, protect = self.u32(stack + 0x28), self.u32(stack + 0x30)
        assert protect in {0x04, 0x40}
        base, size = self.u64(base_pointer), (self.u64(size_pointer) + 0xFFF) & ~0xFFF
        if not base:
            assert kind & 0x2000
            base = self.next_region
            self.next_region += (size + 0x1_FFFF) & ~0xFFFF
            self.reserved[base] = size
        if kind & 0x1000:
            if self.total + size > self.limit:
                return STATUS_NO_MEMORY
            owner = max(start for start in self.reserved if start <= base)
            assert base + size <= owner + self.reserved[owner], "commit outside its reservation"
            # Committing twice is allowed and keeps what is there.
            for page in range(base, base + size, 0x1000):
                assert page not in self.committed, "the heap commits a page twice"
                self.committed[page] = owner
            self.uc.mem_map(base, size)
            self.total += size
        self.write(base_pointer, struct.pack("<Q", base))
        self.write(size_pointer, struct.pack("<Q", size))
        return 0

    def _free(self, _process: int, base_pointer: int, size_pointer: int, kind: int) -> int:
        base = self.u64(base_pointer)
        assert kind == 0x8000
        assert self.u64(size_pointer) == 0
        del self.reserved[base]
        pages = sorted(page for page, owner in self.committed.items() if owner == base)
        for page in pages:
            del self.committed[page]
        if pages:
            self.uc.mem_unmap(pages[0], 0x1000 * len(pages))
            self.total -= 0x1000 * len(pages)
        return 0

    def _terminate(self, process: int, status: int, *_rest: int) -> int:
        raise GuestEnded(process, status & 0xFFFFFFFF)

    def _raise(self, record: int, context: int, first: int, _rest: int) -> int:
        raise GuestRaised(self.u32(record), self.u64(context + 0x98), self.u64(context + 0xF8), first)

    def _counter(self, counter: int, frequency: int, *_rest: int) -> int:
        self.write(counter, struct.pack("<Q", 0x1122334455667788))
        return 0

    def _delay(self, *_rest: int) -> int:
        self.uc.emu_stop()
        return 0

    def _alert(self, thread_id: int, *_rest: int) -> int:
        thread = self.threads[thread_id // 4 - 1]
        if thread.waiting:
            self._wake_later(thread)
        else:
            thread.alerted = True
        return 0

    def _wake_later(self, thread: GuestThread) -> None:
        # The engine runs: the sleeper's saved registers get their status when it is next restored.
        thread.waiting, thread.deadline, thread.alerted = False, None, False

    def _wait(self, _hint: int, timeout_pointer: int, *_rest: int) -> int:
        thread = self.current
        thread.waits += 1
        if thread.alerted:
            thread.alerted = False
            return STATUS_ALERTED
        if timeout_pointer:
            timeout = struct.unpack("<q", self.read(timeout_pointer, 8))[0]
            thread.deadline = self.now - timeout if timeout < 0 else timeout
            if thread.deadline <= self.now:
                thread.deadline = None
                return STATUS_TIMEOUT
        thread.waiting = True
        self.uc.emu_stop()
        return STATUS_ALERTED
