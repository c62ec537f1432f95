"""Unicorn's C interface, straight through ctypes.

The package's own Python layer costs several microseconds a call and 40 ms to import; a trap here is three calls.
Numbers are from unicorn/unicorn.h and unicorn/x86.h of release 2.1.
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from pathlib import Path

ARCH_X86, MODE_64 = 4, 8
PROT_READ, PROT_WRITE, PROT_EXEC, PROT_ALL = 1, 2, 4, 7
HOOK_INTR, HOOK_INSN, HOOK_INSN_INVALID, HOOK_TLB_FILL = 1, 2, 16384, 131072
TLB_READ, TLB_WRITE, TLB_FETCH = 16, 17, 18
INS_CPUID, INS_SYSCALL = 113, 699
ERR_OK, ERR_INSN_INVALID, ERR_EXCEPTION = 0, 10, 21

CTL_USE_EXITS, CTL_TB_REMOVE_CACHE, CTL_TLB_FLUSH, CTL_TLB_TYPE = 4, 9, 11, 12

REG_RAX, REG_RBP, REG_RBX, REG_RCX, REG_RDI, REG_RDX = 35, 36, 37, 38, 39, 40
REG_RIP, REG_RSI, REG_RSP, REG_EFLAGS = 41, 43, 44, 25
REG_R8, REG_XMM0, REG_FP0, REG_DR0 = 106, 122, 82, 66
REG_FPSW, REG_FPCW, REG_FPTAG, REG_MXCSR = 31, 246, 247, 249
CPUID_REGISTERS = (REG_RAX, REG_RBX, REG_RCX, REG_RDX)
REG_CS, REG_SS, REG_DS, REG_ES, REG_FS, REG_GS = 11, 49, 17, 28, 32, 33
REG_FS_BASE, REG_GS_BASE, REG_GDTR = 250, 251, 243

TLB_FILL = ctypes.CFUNCTYPE(
    ctypes.c_bool, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p
)
INTERRUPT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p)
INSTRUCTION = ctypes.CFUNCTYPE(None)
"""Called with (engine, user data); ours needs neither."""
IDENTIFY = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
"""The answer says whether the instruction is done."""
INVALID = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p)


class TableRegister(ctypes.Structure):
    """uc_x86_mmr: what GDTR is written with."""

    _fields_ = (
        ("selector", ctypes.c_uint16),
        ("base", ctypes.c_uint64),
        ("limit", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
    )


def control(command: int, arguments: int) -> int:
    """The code `uc_ctl` wants for a write: command, number of arguments, direction."""
    return command | arguments << 26 | 1 << 30


def load() -> ctypes.CDLL:
    """The engine's shared library from the installed `unicorn` package."""
    spec = importlib.util.find_spec("unicorn")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("the unicorn package is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "lib"
    name = {"darwin": "libunicorn.2.dylib", "win32": "unicorn.dll"}.get(sys.platform, "libunicorn.so.2")
    library = ctypes.CDLL(str(folder / name))
    pointer, u64, i32, size = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_int, ctypes.c_size_t
    prototypes: dict[str, list[type]] = {
        "uc_open": [i32, i32, ctypes.POINTER(pointer)],
        "uc_close": [pointer],
        "uc_emu_start": [pointer, u64, u64, u64, size],
        "uc_emu_stop": [pointer],
        "uc_mem_map_ptr": [pointer, u64, size, ctypes.c_uint32, pointer],
        "uc_reg_read": [pointer, i32, pointer],
        "uc_reg_write": [pointer, i32, pointer],
        "uc_context_alloc": [pointer, ctypes.POINTER(pointer)],
        "uc_context_save": [pointer, pointer],
        "uc_context_restore": [pointer, pointer],
        "uc_context_reg_read": [pointer, i32, pointer],
        "uc_context_reg_write": [pointer, i32, pointer],
        "uc_context_free": [pointer],
    }
    for function, arguments in prototypes.items():
        getattr(library, function).argtypes = arguments
        getattr(library, function).restype = i32
    library.uc_context_size.argtypes = [pointer]
    library.uc_context_size.restype = size
    return library
