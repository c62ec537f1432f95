"""SwitchToFiber in machine code: the whole register context and the TEB's idea of the stack change at once.

Nothing of it needs the kernel, on Windows or here. A switch made inside a callback from a Python export leaves that
export's frame waiting: its stack pointer range belongs to the other stack, so `ke.trap` takes no switch for an unwind.
"""

from __future__ import annotations

from ntos.abi.layout.context import CONTEXT
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.teb import TEB
from ntos.abi.layout.user import NT_TIB
from ntos.abi.struct import Struct, at
from ntos.abi.types import PVOID, ULONG, USHORT
from ntos.um.images import GuestRoutine


class FIBER(Struct, size=0x550):
    """What a fiber's address leads to (`GetFiberData` reads the first field; the rest is kernelbase's own)."""

    FiberData = at(0x000, PVOID)
    ExceptionList = at(0x008, PVOID)
    StackBase = at(0x010, PVOID)
    StackLimit = at(0x018, PVOID)
    DeallocationStack = at(0x020, PVOID)
    FiberContext = at(0x030, CONTEXT)
    ActivationContextStackPointer = at(0x508, PVOID)
    FlsData = at(0x510, PVOID)
    GuaranteedStackBytes = at(0x518, ULONG)
    TebFlags = at(0x51C, USHORT)
    ActivationStack = at(0x520, PVOID)
    ActivationFrames = at(0x528, LIST_ENTRY)


CONTEXT_AT = FIBER.offset("FiberContext")
RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9 = range(10)
R12, R13, R14, R15 = range(12, 16)
KEPT = {
    RBX: "Rbx", RBP: "Rbp", RSI: "Rsi", RDI: "Rdi", R12: "R12", R13: "R13", R14: "R14", R15: "R15",
}  # fmt: skip
"""Registers a callee keeps; the others are dead across a call."""
FLOATING_KEPT = range(6, 16)
XMM0_AT, X87_CONTROL_AT = 0x1A0, 0x100
MX_CSR_AT = CONTEXT.offset("MxCsr")
TEB_FIELDS = (
    (NT_TIB.offset("ExceptionList"), "ExceptionList"),
    (NT_TIB.offset("StackBase"), "StackBase"),
    (NT_TIB.offset("StackLimit"), "StackLimit"),
    (TEB.offset("DeallocationStack"), "DeallocationStack"),
    (TEB.offset("ActivationContextStackPointer"), "ActivationContextStackPointer"),
    (TEB.offset("FlsData"), "FlsData"),
)
"""Where the TEB keeps what belongs to a fiber."""


def _memory(opcode: bytes, register: int, base: int, offset: int, *, prefix: int = 0x48) -> bytes:
    """`opcode register, [base + offset]` with REX and a 32-bit displacement."""
    rex = prefix | (register >> 3) << 2 | base >> 3
    return bytes([rex]) + opcode + bytes([0x80 | (register & 7) << 3 | base & 7]) + offset.to_bytes(4, "little")


def _load(register: int, base: int, offset: int) -> bytes:
    return _memory(b"\x8b", register, base, offset)


def _save(register: int, base: int, offset: int) -> bytes:
    return _memory(b"\x89", register, base, offset)


def _floating(opcode: bytes, base: int) -> bytes:
    return b"".join(
        _memory(opcode, number, base, CONTEXT_AT + XMM0_AT + 16 * number, prefix=0x40) for number in FLOATING_KEPT
    )


def _control(base: int, mx_csr: int, x87: int) -> bytes:
    """Save or load MXCSR (0F AE) and the x87 control word (D9), by their opcode extensions."""
    mx = b"\x0f\xae" + bytes([0x80 | mx_csr << 3 | base]) + (CONTEXT_AT + MX_CSR_AT).to_bytes(4, "little")
    return mx + b"\xd9" + bytes([0x80 | x87 << 3 | base]) + (CONTEXT_AT + X87_CONTROL_AT).to_bytes(4, "little")


def _switch() -> bytes:
    """RCX is the fiber to run; the running one is TEB.NtTib.FiberData."""
    field = CONTEXT_AT + CONTEXT.offset("Rsp")
    place = CONTEXT_AT + CONTEXT.offset("Rip")
    fiber_data = NT_TIB.offset("FiberData")
    code = bytes.fromhex("65488b142530000000")  # mov rdx, gs:[30h]     the TEB
    code += _load(RAX, RDX, fiber_data)
    code += bytes.fromhex("4c8b0424")  # mov r8, [rsp]            where to go on
    code += bytes.fromhex("4c8d4c2408")  # lea r9, [rsp+8]        and with which stack
    code += _save(R9, RAX, field) + _save(R8, RAX, place)
    code += b"".join(_save(number, RAX, CONTEXT_AT + CONTEXT.offset(name)) for number, name in KEPT.items())
    code += _control(RAX, 3, 7) + _floating(b"\x0f\x11", RAX)
    for offset, name in TEB_FIELDS:
        code += _load(R8, RDX, offset) + _save(R8, RAX, FIBER.offset(name))
    for offset, name in TEB_FIELDS:
        code += _load(R8, RCX, FIBER.offset(name)) + _save(R8, RDX, offset)
    guaranteed, kept = TEB.offset("GuaranteedStackBytes"), FIBER.offset("GuaranteedStackBytes")
    code += _memory(b"\x8b", R8, RDX, guaranteed, prefix=0x40) + _memory(b"\x89", R8, RAX, kept, prefix=0x40)
    code += _memory(b"\x8b", R8, RCX, kept, prefix=0x40) + _memory(b"\x89", R8, RDX, guaranteed, prefix=0x40)
    code += _save(RCX, RDX, fiber_data)
    code += _floating(b"\x0f\x10", RCX) + _control(RCX, 2, 5)
    code += b"".join(_load(number, RCX, CONTEXT_AT + CONTEXT.offset(name)) for number, name in KEPT.items())
    code += _load(RSP, RCX, field)
    return code + b"\xff\xa1" + place.to_bytes(4, "little")  # jmp [rcx+Rip]


FIBER_CODE = {"SwitchToFiber": GuestRoutine(_switch())}
