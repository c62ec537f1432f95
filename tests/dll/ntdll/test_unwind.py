"""Unwinding: real functions stopped at every instruction, and UNWIND_INFO made by hand."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from unicorn import UC_ARCH_X86, UC_HOOK_CODE, UC_MODE_64
from unicorn import x86_const as x86
from unicorn.unicorn_py3 import Uc

from ntos.abi.memory import BufferMemory
from ntos.abi.pe.exports import exports
from ntos.abi.pe.headers import Directory, ImageHeaders, parse_headers
from ntos.abi.pe.image import map_image
from ntos.abi.pe.reader import reader_of
from ntos.dll.ntdll.registers import CONTEXT_SIZE, RSP, Registers
from ntos.dll.ntdll.unwind import (
    UNW_FLAG_EHANDLER,
    Handler,
    RuntimeFunction,
    search_table,
    virtual_unwind,
)
from ntos.um.leaf import load

RETURN, STACK, STACK_SIZE, ARENA, TEB = 0x2_0000_0000, 0x4_0000_0000, 0x10000, 0x5_0000_0000, 0x6_0000_0000
GENERAL = [getattr(x86, f"UC_X86_REG_{name}") for name in (
    "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", *(f"R{number}" for number in range(8, 16)),
)]  # fmt: skip
NONVOLATILE = (3, 5, 6, 7, 12, 13, 14, 15)
WINE = Path("/usr/lib/x86_64-linux-gnu/wine/x86_64-windows")


class EngineMemory(BufferMemory):
    """Reads go to the engine."""

    def __init__(self, engine: Uc) -> None:
        super().__init__(bytearray())
        self._engine = engine

    def read(self, address: int, size: int) -> bytes:
        return bytes(self._engine.mem_read(address, size))


class Stepped:
    """An image in a bare engine whose calls are unwound before each instruction."""

    def __init__(self, data: bytes) -> None:
        self.headers: ImageHeaders = parse_headers(data, len(data))
        image = map_image(data, self.headers)
        self.base = self.headers.image_base
        table = exports(reader_of(image), self.headers)
        assert table is not None
        self.rvas = {export.name: export.rva for export in table}
        self.engine = Uc(UC_ARCH_X86, UC_MODE_64)
        self.engine.mem_map(self.base, (len(image) + 0xFFF) & ~0xFFF)
        self.engine.mem_write(self.base, bytes(image))
        for place in (STACK, ARENA, RETURN, TEB):
            self.engine.mem_map(place, STACK_SIZE)
        self.engine.reg_write(x86.UC_X86_REG_GS_BASE, TEB)
        self.memory = EngineMemory(self.engine)
        self.steps = 0
        self.depth = 0
        self.wrong: list[str] = []
        self.engine.hook_add(UC_HOOK_CODE, self._before)

    def call(self, name: str, *arguments: int) -> int:
        """Call an export; gives RAX."""
        self.start = STACK + STACK_SIZE - 0x1008
        self.engine.mem_write(self.start, RETURN.to_bytes(8, "little"))
        self.engine.mem_write(self.start + 0x28, struct.pack(f"<{len(arguments[4:])}Q", *arguments[4:]))
        self.initial = [0x1111_0000 + register for register in range(16)]
        for register, value in enumerate(self.initial):
            self.engine.reg_write(GENERAL[register], value)
        self.engine.reg_write(x86.UC_X86_REG_RSP, self.start)
        for register, value in zip((1, 2, 8, 9), arguments, strict=False):
            self.engine.reg_write(GENERAL[register], value)
        self.engine.emu_start(self.base + self.rvas[name], RETURN, count=200_000)
        return int(self.engine.reg_read(x86.UC_X86_REG_RAX))

    def _registers(self, pc: int) -> Registers:
        registers = Registers(bytes(CONTEXT_SIZE))
        for number, constant in enumerate(GENERAL):
            registers[number] = self.engine.reg_read(constant)
        registers.rip = pc
        return registers

    def _before(self, _engine: Uc, pc: int, _size: int, _data: object) -> None:
        if pc == RETURN:
            return
        self.steps += 1
        registers, depth = self._registers(pc), 0
        table, size = self.headers.directory(Directory.EXCEPTION)
        while registers.rip != RETURN and depth < 20:
            found = search_table(self.memory, self.base + table, size // 12, registers.rip - self.base)
            if found is None:
                registers.leave_leaf(self.memory)
            else:
                virtual_unwind(self.memory, registers, 0, self.base, registers.rip, found)
            depth += 1
        self.depth = max(self.depth, depth)
        right = registers.rsp == self.start + 8 and all(
            registers[register] == self.initial[register] for register in NONVOLATILE
        )
        if not right:
            self.wrong.append(f"0x{pc - self.base:X}")


def _text(engine: Uc, place: int, text: bytes) -> int:
    engine.mem_write(place, text)
    return place


CALLS: list[tuple[str, str, Callable[[Uc], Sequence[int]], int]] = [
    ("ntdll", "strtol", lambda e: (_text(e, ARENA, b"  -123zz\0"), ARENA + 64, 10), -123 & 0xFFFF_FFFF),
    ("ntdll", "wcsstr", lambda e: (_text(e, ARENA, "needle in hay\0".encode("utf-16-le")),
                                   _text(e, ARENA + 64, "hay\0".encode("utf-16-le"))), ARENA + 20),
    ("ntdll", "RtlCompareMemory", lambda e: (_text(e, ARENA, b"abcdef"), _text(e, ARENA + 64, b"abcxef"), 6), 3),
    ("ntdll", "_stricmp", lambda e: (_text(e, ARENA, b"AbC\0"), _text(e, ARENA + 64, b"aBc\0")), 0),
]  # fmt: skip


@pytest.mark.parametrize(("dll", "name", "arguments", "expected"), CALLS, ids=[call[1] for call in CALLS])
def test_every_instruction_of_a_leaf_routine_unwinds(
    dll: str, name: str, arguments: Callable[[Uc], Sequence[int]], expected: int
) -> None:
    """In prolog, body and epilog alike the unwinder finds the caller's stack and nonvolatile registers."""
    image = load(dll)
    assert image is not None
    stepped = Stepped(image.data)
    result = stepped.call(name, *arguments(stepped.engine))
    assert (result & 0xFFFF_FFFF_FFFF if expected > 0xFFFF_FFFF else result & 0xFFFF_FFFF) == expected
    assert (stepped.wrong, stepped.steps > 5) == ([], True)


WINE_CALLS: list[tuple[str, Callable[[Uc], Sequence[int]]]] = [
    ("RtlUnicodeToUTF8N", lambda e: (
        ARENA + 0x200, 64, ARENA + 0x100, _text(e, ARENA, "g\u00fc\u20ac\U0001f600".encode("utf-16-le")), 10)),
    ("RtlTimeToTimeFields", lambda e: (_text(e, ARENA, (132_537_600_000_000_000).to_bytes(8, "little")), ARENA + 64)),
    ("RtlUniform", lambda e: (_text(e, ARENA, b"\1\0\0\0"),)),
    ("RtlLargeIntegerToChar", lambda e: (
        _text(e, ARENA, (1234567890123).to_bytes(8, "little")), 10, 32, ARENA + 64)),
    ("RtlInitializeSid", lambda e: (ARENA + 64, _text(e, ARENA, b"\0\0\0\0\0\5"), 3)),
    ("strtol", lambda e: (_text(e, ARENA, b"-0x7fzz\0"), ARENA + 64, 16)),
    ("qsort", lambda e: (_text(e, ARENA, bytes(range(24, 0, -1))), 24, 1, _text(
        e, ARENA + 0x800, bytes.fromhex("0fb6010fb60a29c8c3")))),
]  # fmt: skip


@pytest.mark.oracle
@pytest.mark.skipif(not (WINE / "ntdll.dll").exists(), reason="Wine's DLLs are not installed")
@pytest.mark.parametrize(("name", "arguments"), WINE_CALLS, ids=[call[0] for call in WINE_CALLS])
def test_every_instruction_of_a_foreign_routine_unwinds(name: str, arguments: Callable[[Uc], Sequence[int]]) -> None:
    """The same for functions another compiler made: Wine's ntdll, by its own .pdata."""
    stepped = Stepped((WINE / "ntdll.dll").read_bytes())
    stepped.call(name, *arguments(stepped.engine))
    assert (stepped.wrong, stepped.steps > 5) == ([], True)


# ---------------------------------------------------------------- by hand

IMAGE, CODE, INFO, FRAME = 0x10000, 0x1000, 0x2000, 0x8000


def _unwind(
    code: bytes, info: bytes, offset: int, stack: bytes, *, prepared: dict[int, int] | None = None, extra: bytes = b""
) -> tuple[Registers, Handler]:
    memory = BufferMemory(bytearray(0x10000), IMAGE)
    memory.write(IMAGE + CODE, code)
    memory.write(IMAGE + INFO, info + extra)
    memory.write(IMAGE + FRAME, stack)
    registers = Registers(bytes(CONTEXT_SIZE))
    for register, value in (prepared or {}).items():
        registers[register] = value
    registers.rsp = IMAGE + FRAME
    function = RuntimeFunction(IMAGE + 0x3000, CODE, CODE + len(code), INFO)
    pc = IMAGE + CODE + offset
    registers.rip = pc
    return registers, virtual_unwind(memory, registers, UNW_FLAG_EHANDLER, IMAGE, pc, function)


def _info(prolog: int, codes: Sequence[int], *, flags: int = 0, frame: int = 0, version: int = 1) -> bytes:
    slots = b"".join(code.to_bytes(2, "little") for code in codes)
    return bytes((version | flags << 3, prolog, len(codes), frame)) + slots + bytes(-len(slots) % 4)


NOPS = b"\x90" * 32 + b"\xcc"


def test_only_the_prolog_s_executed_part_is_undone() -> None:
    """Inside the prolog, operations whose offset lies ahead have not happened yet."""
    info = _info(5, (0x3205, 0x3001))  # alloc 0x20 done at 5, push rbx done at 1
    registers, _ = _unwind(NOPS, info, 1, struct.pack("<QQ", 0xB0B0, 0xCA11))
    assert (registers[3], registers.rip, registers.rsp) == (0xB0B0, 0xCA11, IMAGE + FRAME + 16)
    registers, _ = _unwind(NOPS, info, 0, struct.pack("<Q", 0xCA11))
    assert (registers[3], registers.rip, registers.rsp) == (0, 0xCA11, IMAGE + FRAME + 8)


def test_frame_pointer_gives_the_establisher_frame() -> None:
    """With UWOP_SET_FPREG the frame is the register less its scaled offset, wherever RSP has gone."""
    info = _info(8, (0x0308, 0x3204, 0x5001), frame=5 | 2 << 4)  # lea rbp,[rsp+20h]; alloc 0x20; push rbp
    at = IMAGE + FRAME + 0x100
    stack = bytes(0x120) + struct.pack("<QQ", 0xBB, 0xCA11)
    registers, handler = _unwind(NOPS, info, 16, stack, prepared={5: at + 0x20})
    assert (handler.establisher, registers[5], registers.rip) == (at, 0xBB, 0xCA11)


def test_language_handler_is_found_behind_the_codes() -> None:
    """Handler and its data follow an even number of slots; in the prolog there is no handler yet."""
    info = _info(4, (0x3204,), flags=1)
    extra = struct.pack("<II", 0x1234, 0x55)
    stack = bytes(0x20) + struct.pack("<Q", 0xCA11)
    _, handler = _unwind(NOPS, info, 8, stack, extra=extra)
    assert (handler.routine, handler.data) == (IMAGE + 0x1234, IMAGE + INFO + len(info) + 4)
    _, handler = _unwind(NOPS, info, 2, struct.pack("<Q", 0xCA11), extra=extra)
    assert handler.routine == 0


def test_machine_frame_gives_rip_and_rsp() -> None:
    """UWOP_PUSH_MACHFRAME: the processor pushed RIP, CS, EFLAGS, RSP and SS."""
    info = _info(0, (0x7200, 0x0A00))  # alloc 0x40, machine frame
    stack = bytes(0x40) + struct.pack("<5Q", 0xCA11, 0x33, 0x202, 0x7777_0000, 0x2B)
    registers, _ = _unwind(NOPS, info, 8, stack)
    assert (registers.rip, registers.rsp) == (0xCA11, 0x7777_0000)


def test_chained_info_is_undone_whole() -> None:
    """A fragment's UNWIND_INFO ends in the RUNTIME_FUNCTION of what it belongs to."""
    first = _info(0, (0x0074, 0x0002), flags=4)  # save rdi at [rsp+10h] (16 = 2*8)
    first = _info(0, (0x7400, 0x0002), flags=4)
    second_at = 0x100
    chained = struct.pack("<III", 0, 0x10, INFO + second_at)
    second = _info(4, (0x3204, 0x3001))
    extra = (chained + bytes(second_at))[: second_at - len(first)] + second
    stack = struct.pack("<QQQQ", 0, 0, 0xD1, 0) + struct.pack("<QQ", 0xB0, 0xCA11)
    registers, _ = _unwind(NOPS, first, 8, stack, extra=extra)
    assert (registers[7], registers[3], registers.rip) == (0xD1, 0xB0, 0xCA11)


EPILOG = bytes.fromhex("9090 4883c420 5b 415c c3".replace(" ", ""))


@pytest.mark.parametrize(("offset", "stack"), [
    (2, bytes(0x20) + struct.pack("<QQQ", 0xB0, 0xC0, 0xCA11)),
    (6, struct.pack("<QQQ", 0xB0, 0xC0, 0xCA11)),
    (7, struct.pack("<QQ", 0xC0, 0xCA11)),
    (9, struct.pack("<Q", 0xCA11)),
])  # fmt: skip
def test_epilog_is_recognised_from_each_of_its_instructions(offset: int, stack: bytes) -> None:
    """Version 1 has no epilog codes: the unwinder reads add, pops and ret, and does what is left of them."""
    info = _info(0, (0x3200, 0x3000, 0xC000))
    registers, handler = _unwind(EPILOG, info, offset, stack)
    assert (registers.rip, registers.rsp, handler.routine) == (0xCA11, IMAGE + FRAME + len(stack), 0)


def test_version_two_looks_for_epilogs_only_where_they_are_listed() -> None:
    """A `ret` in the middle of a version 2 function is no epilog unless a UWOP_EPILOG names it."""
    code = b"\xc3" + b"\x90" * 14 + b"\xc3"
    info = _info(0, (0x1601, 0x0600, 0x3200), version=2)  # one-byte epilog at the end, alloc 0x20
    stack = struct.pack("<Q", 0xCA11).ljust(0x20, b"\0") + struct.pack("<Q", 0xFA2)
    assert _unwind(code, info, 15, stack)[0].rip == 0xCA11
    assert _unwind(code, info, 0, stack)[0].rip == 0xFA2


def test_xmm_registers_come_back() -> None:
    """UWOP_SAVE_XMM128 offsets are scaled by 16."""
    info = _info(4, (0x6804, 0x0001, 0x5204))  # xmm6 at [rsp+10h], alloc 0x30
    stack = bytes(16) + bytes(range(16)) + bytes(16) + struct.pack("<Q", 0xCA11)
    registers, _ = _unwind(NOPS, info, 8, stack)
    assert bytes(registers.data[0x1A0 + 96 : 0x1B0 + 96]) == bytes(range(16))
    assert registers[RSP] == IMAGE + FRAME + 0x38
