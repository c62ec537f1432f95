"""x64 unwinding: one frame back by a function's UNWIND_INFO (Microsoft, "x64 exception handling").

Pure over memory and a CONTEXT; the exports that programs call are in `unwind_api`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ntos.abi.status import STATUS, NtError

if TYPE_CHECKING:
    from ntos.abi.memory import Memory
    from ntos.dll.ntdll.registers import Registers

PUSH_NONVOL, ALLOC_LARGE, ALLOC_SMALL, SET_FPREG, SAVE_NONVOL, SAVE_NONVOL_FAR = range(6)
EPILOG, SPARE, SAVE_XMM128, SAVE_XMM128_FAR, PUSH_MACHFRAME = 6, 7, 8, 9, 10
UNW_FLAG_EHANDLER, UNW_FLAG_UHANDLER, UNW_FLAG_CHAININFO = 1, 2, 4
CHAIN_LIMIT = 32
RUNTIME_FUNCTION_SIZE = 12
RSP = 4


class RuntimeFunction(NamedTuple):
    """A RUNTIME_FUNCTION: where it stands, and what it says."""

    address: int
    begin: int
    end: int
    unwind: int


@dataclass(slots=True)
class UnwindInfo:
    """UNWIND_INFO, decoded: codes as (prolog offset, operation, operand, following slots)."""

    version: int
    flags: int
    prolog: int
    frame_register: int
    frame_offset: int
    codes: list[tuple[int, int, int, int]]
    tail: int
    """Address behind the codes: handler and its data, or the chained RUNTIME_FUNCTION."""


class Handler(NamedTuple):
    """What unwinding one frame found: language handler (0 for none), its data, the establisher frame."""

    routine: int
    data: int
    establisher: int


_SLOTS = {PUSH_NONVOL: 1, ALLOC_SMALL: 1, SET_FPREG: 1, SAVE_NONVOL: 2, SAVE_NONVOL_FAR: 3, SAVE_XMM128: 2,
          SAVE_XMM128_FAR: 3, PUSH_MACHFRAME: 1}  # fmt: skip


def _slot_count(version: int, operation: int, operand: int) -> int:
    if operation == ALLOC_LARGE:
        return 3 if operand else 2
    if operation == EPILOG:
        return 1 if version >= 2 else 2
    if operation == SPARE:
        return 2 if version >= 2 else 3
    count = _SLOTS.get(operation)
    if count is None:
        raise NtError(STATUS.BAD_FUNCTION_TABLE)
    return count


def read_info(memory: Memory, address: int) -> UnwindInfo:
    """Decode the UNWIND_INFO at `address`."""
    first, prolog, count, frame = memory.read(address, 4)
    raw = memory.read(address + 4, 2 * count)
    version, codes, index = first & 7, [], 0
    while index < count:
        offset, packed = raw[2 * index], raw[2 * index + 1]
        operation, operand = packed & 0xF, packed >> 4
        slots = _slot_count(version, operation, operand)
        extra = int.from_bytes(raw[2 * index + 2 : 2 * (index + slots)], "little")
        codes.append((offset, operation, operand, extra))
        index += slots
    tail = address + 4 + 2 * (count + 1 & ~1)
    return UnwindInfo(version, first >> 3, prolog, frame & 0xF, frame >> 4, codes, tail)


def read_function(memory: Memory, address: int) -> RuntimeFunction:
    """The RUNTIME_FUNCTION at `address`."""
    return RuntimeFunction(address, *struct.unpack("<III", memory.read(address, RUNTIME_FUNCTION_SIZE)))


def search_table(memory: Memory, table: int, count: int, rva: int) -> RuntimeFunction | None:
    """The entry of a sorted function table that covers `rva`; indirect entries are followed by the caller."""
    low, high = 0, count - 1
    while low <= high:
        middle = (low + high) // 2
        address = table + RUNTIME_FUNCTION_SIZE * middle
        begin, end, unwind = struct.unpack("<III", memory.read(address, RUNTIME_FUNCTION_SIZE))
        if rva < begin:
            high = middle - 1
        elif rva >= end:
            low = middle + 1
        else:
            return RuntimeFunction(address, begin, end, unwind)
    return None


class Recipe(NamedTuple):
    """A whole prolog undone by offsets from RSP, or from a frame register less `offset`: saved registers, XMM
    registers, and the frame's size.
    """

    register: int
    offset: int
    saves: tuple[tuple[int, int], ...]
    xmm: tuple[tuple[int, int], ...]
    low: int
    size: int


class Step(NamedTuple):
    """What unwinding from one address always does: worth keeping where the same address comes again and again."""

    info: UnwindInfo
    epilog: bool
    recipe: Recipe | None


def prepare(memory: Memory, image: int, pc: int, function: RuntimeFunction) -> Step:
    """Decode what there is at `pc`."""
    info = read_info(memory, image + function.unwind)
    offset = pc - image - function.begin
    if offset < info.prolog and not info.flags & UNW_FLAG_CHAININFO:
        return Step(info, epilog=False, recipe=None)
    if info.version >= 2 and info.codes and info.codes[0][1] == EPILOG:
        possible = _in_declared_epilog(info, function, pc - image)
    else:
        possible = True
    epilog = possible and _is_epilog(memory, info, image, pc, function)
    return Step(info, epilog, None if epilog else _recipe(info))


def _recipe(info: UnwindInfo) -> Recipe | None:
    """The recipe of a function without chained parts or machine frame."""
    if info.flags & UNW_FLAG_CHAININFO:
        return None
    saves, xmm, size, based = [], [], 0, not info.frame_register
    for _, operation, operand, extra in info.codes:
        match operation:
            case 0:
                saves.append((operand, size))
                size += 8
            case 1:
                size += extra if operand else 8 * extra
            case 2:
                size += 8 * operand + 8
            case 3 if not saves:  # what was allocated after the frame register was set does not matter
                size, based = 0, True
            case 4 | 5:
                saves.append((operand, 8 * extra if operation == SAVE_NONVOL else extra))
            case 8 | 9:
                xmm.append((operand, 16 * extra if operation == SAVE_XMM128 else extra))
            case 6:
                pass
            case _:
                return None
    low = min([size, *(place for _, place in saves), *(place for _, place in xmm)])
    if not based or any(place > size for _, place in (*saves, *xmm)):
        return None
    register, offset = (info.frame_register, 16 * info.frame_offset) if info.frame_register else (RSP, 0)
    return Recipe(register, offset, tuple(saves), tuple(xmm), low, size)


def _follow(memory: Memory, registers: Registers, recipe: Recipe, saved_at: dict[int, int] | None) -> None:
    stack, low = registers[recipe.register] - recipe.offset, recipe.low
    block = memory.read(stack + low, recipe.size + 8 - low)
    for register, place in recipe.saves:
        registers.copy_register(register, block, place - low)
    for register, place in recipe.xmm:
        registers.set_xmm(register, block[place - low : place - low + 16])
    registers.copy_rip(block, recipe.size - low)
    registers.rsp = stack + recipe.size + 8
    if saved_at is not None:
        saved_at.update((register, stack + place) for register, place in recipe.saves)
        saved_at.update((16 + register, stack + place) for register, place in recipe.xmm)


def virtual_unwind(
    memory: Memory,
    registers: Registers,
    handler_type: int,
    image: int,
    pc: int,
    function: RuntimeFunction,
    saved_at: dict[int, int] | None = None,
    step: Step | None = None,
) -> Handler:
    """Make `registers` those of the caller; gives the handler of `handler_type`, if the frame has one.

    RtlVirtualUnwind. `saved_at` receives where each register was found, XMM registers as 16 + number.
    """
    step = step or prepare(memory, image, pc, function)
    offset, info = pc - image - function.begin, step.info
    establisher = _establisher(registers, info, offset)
    if step.epilog:
        _run_epilog(memory, registers, info, pc)
        return Handler(0, 0, establisher)
    if step.recipe is not None:
        _follow(memory, registers, step.recipe, saved_at)
    else:
        info, machine_frame = _undo_prolog(memory, registers, image, info, offset, saved_at)
        if not machine_frame:
            registers.leave_leaf(memory)
    if info.flags & handler_type and not info.flags & UNW_FLAG_CHAININFO and offset >= info.prolog:
        routine = int.from_bytes(memory.read(info.tail, 4), "little")
        return Handler(image + routine, info.tail + 4, establisher)
    return Handler(0, 0, establisher)


def _establisher(registers: Registers, info: UnwindInfo, offset: int) -> int:
    if not info.frame_register:
        return registers.rsp
    set_at = next((code[0] for code in info.codes if code[1] == SET_FPREG), 0)
    if offset >= info.prolog or info.flags & UNW_FLAG_CHAININFO or offset >= set_at:
        return registers[info.frame_register] - 16 * info.frame_offset
    return registers.rsp


def _undo_prolog(
    memory: Memory,
    registers: Registers,
    image: int,
    info: UnwindInfo,
    offset: int,
    saved_at: dict[int, int] | None,
) -> tuple[UnwindInfo, bool]:
    """Undo what the prolog has done up to `offset`, chained parts whole; (last info, machine frame seen)."""
    machine_frame = False
    for _ in range(CHAIN_LIMIT):
        base = registers.rsp
        if info.frame_register:
            base = registers[info.frame_register] - 16 * info.frame_offset
        for at, operation, operand, extra in info.codes:
            if at <= offset or operation == EPILOG:
                machine_frame |= _undo(memory, registers, info, base, operation, operand, extra, saved_at)
        if not info.flags & UNW_FLAG_CHAININFO:
            return info, machine_frame
        chained = read_function(memory, info.tail)
        info = read_info(memory, image + chained.unwind)
        offset = 1 << 30
    raise NtError(STATUS.BAD_FUNCTION_TABLE)


def _undo(
    memory: Memory,
    registers: Registers,
    info: UnwindInfo,
    base: int,
    operation: int,
    operand: int,
    extra: int,
    saved_at: dict[int, int] | None,
) -> bool:
    """Undo one operation; True for a machine frame."""
    match operation:
        case 0:
            stack = registers.rsp
            _restore(memory, registers, operand, stack, saved_at)
            registers.rsp = stack + 8
        case 1:
            registers.rsp += extra if operand else 8 * extra
        case 2:
            registers.rsp += 8 * operand + 8
        case 3:
            registers.rsp = registers[info.frame_register] - 16 * info.frame_offset
        case 4:
            _restore(memory, registers, operand, base + 8 * extra, saved_at)
        case 5:
            _restore(memory, registers, operand, base + extra, saved_at)
        case 8 | 9:
            place = base + (16 * extra if operation == SAVE_XMM128 else extra)
            registers.set_xmm(operand, memory.read(place, 16))
            if saved_at is not None:
                saved_at[16 + operand] = place
        case 10:
            stack = registers.rsp + (8 if operand else 0)
            registers.rip, stack = struct.unpack("<Q16xQ", memory.read(stack, 32))
            registers.rsp = stack
            return True
    return False


def _restore(memory: Memory, registers: Registers, register: int, place: int, saved_at: dict[int, int] | None) -> None:
    registers[register] = int.from_bytes(memory.read(place, 8), "little")
    if saved_at is not None:
        saved_at[register] = place


def _in_declared_epilog(info: UnwindInfo, function: RuntimeFunction, rva: int) -> bool:
    """Version 2 lists epilogs as distances from the function's end; the first entry gives their size."""
    entries = [code for code in info.codes if code[1] == EPILOG]
    size, operand = entries[0][0], entries[0][2]
    starts = [function.end - size] if operand & 1 else []
    for at, _, high, _ in entries[1:]:
        distance = at | high << 8
        if distance:
            starts.append(function.end - distance)
    return any(start <= rva < start + size for start in starts)


EPILOG_BYTES = 48
"""No epilog is longer: a deallocation (8), eight pops of up to two bytes, a jump."""


def _is_epilog(memory: Memory, info: UnwindInfo, image: int, pc: int, function: RuntimeFunction) -> bool:
    """Whether what follows `pc` is the rest of an epilog: give back the stack, pop, return."""
    code = memory.read(pc, min(EPILOG_BYTES, max(image + function.end - pc, 1)))
    position = _deallocation(code, info)[0]
    while position < len(code):
        size = _pop(code, position)[1]
        if size == 0:
            break
        position += size
    return _is_return(code, position, image, pc, function)


def _run_epilog(memory: Memory, registers: Registers, info: UnwindInfo, pc: int) -> None:
    """Do what is left of an epilog."""
    code = memory.read(pc, EPILOG_BYTES)
    position, base, displacement = _deallocation(code, info)
    if position:
        registers.rsp = registers[base] + displacement
    while (popped := _pop(code, position))[1]:
        registers[popped[0]] = int.from_bytes(memory.read(registers.rsp, 8), "little")
        registers.rsp += 8
        position += popped[1]
    registers.leave_leaf(memory)


def _deallocation(code: bytes, info: UnwindInfo) -> tuple[int, int, int]:
    """`add rsp, n` or `lea rsp, [frame + n]` at the start of an epilog: its size, register and displacement."""
    if code[:3] == b"\x48\x83\xc4":
        return 4, RSP, struct.unpack_from("<b", code, 3)[0]
    if code[:3] == b"\x48\x81\xc4":
        return 7, RSP, struct.unpack_from("<i", code, 3)[0]
    if len(code) > 2 and code[0] & 0xFE == 0x48 and code[1] == 0x8D and info.frame_register:
        frame = info.frame_register
        if code[2] & 7 != frame & 7 or code[0] & 1 != frame >> 3 or code[2] & 0x38 != 0x20:
            return 0, 0, 0
        at = 4 if code[2] & 7 == RSP else 3  # R12 as base takes a SIB byte
        mode = code[2] >> 6
        if mode == 1:
            return at + 1, frame, struct.unpack_from("<b", code, at)[0]
        if mode == 2:
            return at + 4, frame, struct.unpack_from("<i", code, at)[0]
    return 0, 0, 0


def _pop(code: bytes, position: int) -> tuple[int, int]:
    """(register, instruction size) of a `pop`, or (0, 0)."""
    if position < len(code) and code[position] & 0xF8 == 0x58:
        return code[position] & 7, 1
    if position + 1 < len(code) and code[position] == 0x41 and code[position + 1] & 0xF8 == 0x58:
        return 8 + (code[position + 1] & 7), 2
    return 0, 0


def _is_return(code: bytes, position: int, image: int, pc: int, function: RuntimeFunction) -> bool:
    """Whether an epilog ends here: `ret`, `rep ret`, `ret n`, or a jump out of the function."""
    rest = code[position : position + 8]
    if rest[:1] in (b"\xc3", b"\xc2") or rest[:2] == b"\xf3\xc3":
        return True
    start, end = image + function.begin, image + function.end
    if rest[:1] == b"\xe9" and len(rest) >= 5:
        target = pc + position + 5 + struct.unpack_from("<i", rest, 1)[0]
        return bool(not start <= target < end or target == start)
    if rest[:1] == b"\xeb" and len(rest) >= 2:
        target = pc + position + 2 + struct.unpack_from("<b", rest, 1)[0]
        return bool(not start <= target < end or target == start)
    # jmp [rip+n] and jmp [register] with REX.W: tail calls through an import
    return rest[:2] == b"\xff\x25" or (rest[:2] == b"\x48\xff" and len(rest) > 2 and rest[2] & 0x38 == 0x20)
