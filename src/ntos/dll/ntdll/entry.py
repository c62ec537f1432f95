"""Where the kernel enters user mode: the routines of ntdll that must be machine code, with their unwind data.

`um.images` puts these into the image. An entry without code keeps the ordinary stub of its Python export and
only gets the unwind data.
"""

from __future__ import annotations

from ntos.um.images import GuestRoutine


def unwind_info(prolog: int, *codes: int) -> bytes:
    """UNWIND_INFO version 1 without handler; `codes` are the 16-bit slots, last operation of the prolog
    first.
    """
    slots = b"".join(code.to_bytes(2, "little") for code in codes)
    if len(codes) % 2:
        slots += b"\0\0"
    return bytes((1, prolog, len(codes), 0)) + slots


ALLOC_LARGE = 0x0100
PUSH_MACHINE_FRAME = 0x0A00


def _alloc_small(size: int) -> int:
    return (size // 8 - 1) << 12 | 0x0200


KI_USER_APC_DISPATCHER = bytes.fromhex(
    "488b0c24"  # mov rcx, [rsp]         CONTEXT.P1Home: NormalContext
    "488b542408"  # mov rdx, [rsp+8]     P2Home: SystemArgument1
    "4c8b442410"  # mov r8, [rsp+10h]    P3Home: SystemArgument2
    "4989e1"  # mov r9, rsp              the CONTEXT itself
    "ff542418"  # call [rsp+18h]         P4Home: the routine
    "4889e1"  # mov rcx, rsp
    "b201"  # mov dl, 1                  NtContinue(context, TestAlert = TRUE)
    "4989ca"  # mov r10, rcx
    "b843000000"  # mov eax, 43h
    "0f05"  # syscall
    "cc"  # int3                         NtContinue does not come back
)
"""The machine frame of what was interrupted lies behind the CONTEXT (0x4D0 bytes)."""

KI_USER_CALLBACK_RETURN = bytes.fromhex(
    "90"  # nop                          a return address must lie inside the function it returns to
    "4989c2"  # mov r10, rax
    "b805000000"  # mov eax, 5           NtCallbackReturn
    "0f05"  # syscall
    "cc"  # int3
)

RTL_USER_FIBER_START = bytes.fromhex(
    "4883ec28"  # sub rsp, 28h
    "65488b042520000000"  # mov rax, gs:[20h]     TEB.NtTib.FiberData: kernelbase's FIBER
    "488b08"  # mov rcx, [rax]                    the program's parameter
    "ff90b0000000"  # call [rax+0B0h]             FiberContext.Rcx: the start routine
    "b901000000"  # mov ecx, 1                    a fiber that returns ends its thread
    "65488b042520000000"  # mov rax, gs:[20h]
    "ff90e8000000"  # call [rax+0E8h]             FiberContext.R8: RtlExitUserThread
    "cc"  # int3
)

GUEST_CODE: dict[str, GuestRoutine] = {
    "RtlUserFiberStart": GuestRoutine(RTL_USER_FIBER_START, unwind_info(4, 0x04 | _alloc_small(0x28))),
    "KiUserApcDispatcher": GuestRoutine(
        KI_USER_APC_DISPATCHER, unwind_info(0, ALLOC_LARGE, 0x4D0 // 8, PUSH_MACHINE_FRAME)
    ),
    "KiUserCallbackReturn": GuestRoutine(
        KI_USER_CALLBACK_RETURN, unwind_info(0, _alloc_small(0x80), PUSH_MACHINE_FRAME)
    ),
    "DbgBreakPoint": GuestRoutine(b"\xcc\xc3", None),
    "LdrpDoDebuggerBreak": GuestRoutine(b"\xcc\xc3", None),
    "DbgUserBreakPoint": GuestRoutine(b"\xcc\xc3", None),
    # CONTEXT, CONTEXT_EX and EXCEPTION_RECORD lie between RSP and the machine frame.
    "KiUserExceptionDispatcher": GuestRoutine(b"", unwind_info(0, ALLOC_LARGE, 0x590 // 8, PUSH_MACHINE_FRAME)),
}
