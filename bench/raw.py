"""The limits: what the bare engine and the bare host do, measured in the same run, in CPU time."""

from __future__ import annotations

import importlib
import os
import resource
import threading
import time
from collections.abc import Callable
from typing import Any

from unicorn.unicorn_const import (
    UC_ARCH_X86,
    UC_HOOK_INSN,
    UC_HOOK_TLB_FILL,
    UC_MODE_64,
    UC_PROT_EXEC,
    UC_PROT_READ,
    UC_PROT_WRITE,
    UC_TLB_VIRTUAL,
)
from unicorn.unicorn_py3 import Uc  # the package itself shows a type checker its Python 2 face
from unicorn.x86_const import (
    UC_X86_INS_SYSCALL,
    UC_X86_REG_RAX,
    UC_X86_REG_RCX,
    UC_X86_REG_RIP,
    UC_X86_REG_RSI,
    UC_X86_REG_RSP,
)

CODE = 0x10000
DATA = 0x20000
PAGE = 0x1000

# add rax, 3; dec rcx; jnz          (bench_guest.c, count_down)
INSTRUCTIONS = bytes.fromhex("4883c003 48ffc9 75f7")
INSTRUCTIONS_IN_A_TURN = 3
# mov rdx, [rsi]; add rdx, rcx; mov [rsi], rdx; dec rcx; jnz          (bench_guest.c, touch)
MEMORY = bytes.fromhex("488b16 4801ca 488916 48ffc9 75f2")
# syscall destroys rcx, so the loop counts in rbx. syscall; dec rbx; jnz
SYSCALLS = bytes.fromhex("0f05 48ffcb 75f9")
# call rax; dec rcx; jnz; (end); … ret at +0x40
CALLING = bytes.fromhex("ffd0 48ffc9 75f9")
RET_AT = 0x40

TURNS = 200_000_000
CALLS = 30_000
FORKS = 200


def _engine(code: bytes, *, virtual: bool = True) -> Uc:
    engine = Uc(UC_ARCH_X86, UC_MODE_64)
    if virtual:
        engine.ctl_set_tlb_mode(UC_TLB_VIRTUAL)
        engine.hook_add(UC_HOOK_TLB_FILL, _identity)
    engine.mem_map(CODE, PAGE)
    engine.mem_map(DATA, PAGE)
    engine.mem_write(CODE, code)
    engine.mem_write(CODE + RET_AT, b"\xc3")
    engine.reg_write(UC_X86_REG_RAX, CODE + RET_AT)
    engine.reg_write(UC_X86_REG_RSI, DATA)
    engine.reg_write(UC_X86_REG_RSP, DATA + PAGE // 2)
    return engine


def _identity(_engine: Uc, address: int, _access: int, entry: Any, _data: object) -> bool:
    # Never writable and executable at once: the engine then checks every store for code it has translated, and the
    # limit comes out 8 times too low for stores and 4 times for calls (measured; our backend's data is not executable).
    page = address & ~(PAGE - 1)
    entry.paddr = page
    entry.perms = UC_PROT_READ | (UC_PROT_EXEC if page == CODE else UC_PROT_WRITE)
    return True


def _seconds(action: Callable[[], None]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def _loop(code: bytes, turns: int = TURNS) -> float:
    engine = _engine(code)
    engine.reg_write(UC_X86_REG_RCX, turns)
    return turns / _seconds(lambda: engine.emu_start(CODE, CODE + len(code)))


def instructions() -> float:
    """Instructions a second in a loop of registers alone."""
    return INSTRUCTIONS_IN_A_TURN * _loop(INSTRUCTIONS)


def loads_and_stores() -> float:
    """Turns a second of a loop with one load and one store."""
    return _loop(MEMORY, TURNS // 10)


def calls() -> float:
    """Calls of an empty routine a second."""
    return _loop(CALLING, 10_000_000)


def hooks() -> float:
    """System calls a second, each served by the shortest Python hook: the engine's own ceiling."""
    count = 0

    def hook(engine: Uc, _data: object) -> None:
        nonlocal count
        count += 1
        engine.reg_write(UC_X86_REG_RAX, 0)
        if count == CALLS:
            engine.emu_stop()

    engine = _engine(SYSCALLS, virtual=False)
    engine.hook_add(UC_HOOK_INSN, hook, aux1=UC_X86_INS_SYSCALL)
    return CALLS / _seconds(lambda: engine.emu_start(CODE, 0))


def traps() -> float:
    """System calls a second through the engine's own Python binding, each a return and a fresh entry."""

    def hook(engine: Uc, _data: object) -> None:
        engine.emu_stop()

    engine = _engine(SYSCALLS, virtual=False)
    engine.hook_add(UC_HOOK_INSN, hook, aux1=UC_X86_INS_SYSCALL)

    def serve() -> None:
        address = CODE
        for _ in range(CALLS):
            engine.emu_start(address, 0)
            address = engine.reg_read(UC_X86_REG_RIP)

    return CALLS / _seconds(serve)


def round_trips() -> float:
    """Traps a second of our backend with no kernel behind it: restore, run to the `syscall`, save."""
    physical = importlib.import_module("ntos.hal.physical").PhysicalMemory(16 << 20)
    backend = importlib.import_module("ntos.hal.unicorn.engine").UnicornBackend(physical)
    tables = importlib.import_module("ntos.hal.paging").PageTables(physical, backend)
    page = physical.allocate()
    physical.buffer[page : page + len(SYSCALLS)] = SYSCALLS
    tables.map(CODE, page, 0b100)
    context = backend.new_context()
    context.rip, context.rbx = CODE, 1 << 40

    def serve() -> None:
        for _ in range(CALLS):
            backend.run(context, tables)

    result = CALLS / _seconds(serve)
    backend.close()
    return result


def host_threads() -> float:
    """Threads a second that the host's Python makes, runs and joins."""

    def serve() -> None:
        for _ in range(1_000):
            thread = threading.Thread(target=int)
            thread.start()
            thread.join()

    return 1_000 / _seconds(serve)


def host_processes() -> float:
    """Processes a second that the host starts and waits for; their CPU time counts."""
    before = _all_cpu()
    for _ in range(FORKS):
        os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
    return FORKS / (_all_cpu() - before)


def _all_cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
