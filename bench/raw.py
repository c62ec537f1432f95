"""The bare engine: what Unicorn does with no kernel around it, measured in the same run."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from unicorn.unicorn_const import UC_ARCH_X86, UC_HOOK_INSN, UC_MODE_64
from unicorn.unicorn_py3 import Uc  # the package itself shows a type checker its Python 2 face
from unicorn.x86_const import (
    UC_X86_INS_SYSCALL,
    UC_X86_REG_RAX,
    UC_X86_REG_RCX,
    UC_X86_REG_RIP,
    UC_X86_REG_RSI,
)

CODE = 0x10000
DATA = 0x20000
PAGE = 0x1000

# add rax, 3; dec rcx; jnz          (bench_guest.c, count_down)
INSTRUCTIONS = bytes.fromhex("4883c003 48ffc9 75f7")
INSTRUCTIONS_IN_A_TURN = 3
# mov rdx, [rsi]; add rdx, rcx; mov [rsi], rdx; dec rcx; jnz          (bench_guest.c, touch)
MEMORY = bytes.fromhex("488b16 4801ca 488916 48ffc9 75f2")
# mov rcx, rbx is not needed: syscall destroys rcx, so the loop counts in rbx. syscall; dec rbx; jnz
SYSCALLS = bytes.fromhex("0f05 48ffcb 75f9")

TURNS = 20_000_000
CALLS = 50_000


def _engine(code: bytes) -> Uc:
    engine = Uc(UC_ARCH_X86, UC_MODE_64)
    engine.mem_map(CODE, PAGE)
    engine.mem_map(DATA, PAGE)
    engine.mem_write(CODE, code)
    engine.reg_write(UC_X86_REG_RSI, DATA)
    return engine


def _seconds(action: Callable[[], None]) -> float:
    start = perf_counter()
    action()
    return perf_counter() - start


def _loop(code: bytes) -> float:
    engine = _engine(code)
    engine.reg_write(UC_X86_REG_RCX, TURNS)
    return TURNS / _seconds(lambda: engine.emu_start(CODE, CODE + len(code)))


def instructions() -> float:
    """Instructions a second in a loop of registers alone."""
    return INSTRUCTIONS_IN_A_TURN * _loop(INSTRUCTIONS)


def loads_and_stores() -> float:
    """Turns a second of a loop with one load and one store, on ordinary mapped memory."""
    return _loop(MEMORY)


def hooks() -> float:
    """System calls a second, each served by the shortest Python hook: the engine's own ceiling."""
    calls = 0

    def hook(engine: Uc, _data: object) -> None:
        nonlocal calls
        calls += 1
        engine.reg_write(UC_X86_REG_RAX, 0)
        if calls == CALLS:
            engine.emu_stop()

    engine = _engine(SYSCALLS)
    engine.hook_add(UC_HOOK_INSN, hook, aux1=UC_X86_INS_SYSCALL)
    return CALLS / _seconds(lambda: engine.emu_start(CODE, 0))


def traps() -> float:
    """System calls a second, each a return from the engine and a fresh entry: idea 2 of the design, bare."""

    def hook(engine: Uc, _data: object) -> None:
        engine.emu_stop()

    engine = _engine(SYSCALLS)
    engine.hook_add(UC_HOOK_INSN, hook, aux1=UC_X86_INS_SYSCALL)

    def serve() -> None:
        address = CODE
        for _ in range(CALLS):
            engine.emu_start(address, 0)
            address = engine.reg_read(UC_X86_REG_RIP)

    return CALLS / _seconds(serve)
