"""The backend: three C calls a run (restore, start, save), hooks that only note why and stop."""

from __future__ import annotations

import ctypes
import threading
import time
from typing import TYPE_CHECKING, cast

from ntos.hal.cpu import PREEMPTED, SYSCALL, Access, Fault, HardwareException, Trap, Vector
from ntos.hal.decode import accesses, faulting_access
from ntos.hal.paging import ACCESSED, DIRTY, FRAME_MASK, NO_EXECUTE
from ntos.hal.unicorn import library as uc
from ntos.hal.unicorn.context import Layout, UnicornContext, bind
from ntos.hal.unicorn.watch import (
    POPF,
    PUSHF,
    RESUME_FLAG,
    SINGLE_STEPPED,
    Watch,
    first_opcode,
    hide_trap_flag,
    popped_trap_flag,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.hal.paging import PageTables
    from ntos.hal.physical import PhysicalMemory

SLICE = 0.02
"""Seconds a thread may spin before the watchdog stops it (a Windows client quantum is 31 ms)."""
TRAP_FLAG = 0x100
WATCHED_STEPS = 4096
"""Instructions of a run under hardware breakpoints, before others may have the processor."""
START_PAGE = 0xFFFF_F780_0001_0000
"""A virtual address only this file uses, and only while no user context exists: GDT and the `iretq` into CPL 3."""

LOW_START_PAGE = 0x10000
WINDOW = 0x7FFF_FFFF_F000
"""Above MmHighestUserAddress: no page table entry ever stands there."""

FIRST_CODE = bytes.fromhex(
    "b807000000 31c9 0fa2 4189c4 4189dd 4189ce 4189d7"  # leaf 7 to r12d, r13d, r14d, r15d
    "b801000000 0fa2 4189c8"  # leaf 1, ecx to r8d: `syscall` takes rcx
    "48cf"  # iretq
)
"""Two CPUIDs and the way to CPL 3."""
SSE4_2, BMI2 = 1 << 20, 1 << 8

GDT = (
    0,
    0,
    0x00AF9B000000FFFF,  # 0x10 kernel code, 64-bit
    0x00CF93000000FFFF,  # 0x18 kernel data
    0x00CFFB000000FFFF,  # 0x20 user code, 32-bit (0x23)
    0x00CFF3000000FFFF,  # 0x28 user data (0x2B)
    0x00AFFB000000FFFF,  # 0x30 user code, 64-bit (0x33)
)


class UnicornBackend:
    """One engine for the whole machine."""

    def __init__(self, physical: PhysicalMemory) -> None:
        self.physical = physical
        self._words = physical.words
        self._library = uc.load()
        handle = ctypes.c_void_p()
        self._check(self._library.uc_open(uc.ARCH_X86, uc.MODE_64, ctypes.byref(handle)))
        self._engine = handle
        self._control(uc.CTL_TLB_TYPE, ctypes.c_int(1))
        self._control(uc.CTL_USE_EXITS, ctypes.c_int(1))
        host = ctypes.addressof(ctypes.c_char.from_buffer(physical.mapping))
        self._check(self._library.uc_mem_map_ptr(handle, 0, physical.size, uc.PROT_ALL, host))
        self._trap: Trap | None = None
        self._root = 0
        self._tables: PageTables | None = None
        self._fault_page = -1
        self._fault_access = 0
        self._executed: set[int] = set()
        self._window = -1
        self._start_page = physical.allocate()
        self._stale = True
        self._running = 0
        self.spinning: Callable[[float], bool] = lambda _seconds: True
        """(seconds more that the run has lasted) -> whether to stop it; the kernel's scheduler answers."""
        self._closed = False
        self._flush = uc.control(uc.CTL_TLB_FLUSH, 0)
        self._features: dict[tuple[int, int], tuple[int, ...]] = {}
        self._hooks = self._install_hooks()
        self._layout, self._template = self._enter_user_mode()
        self._root = -1
        self._watchdog = threading.Thread(target=self._watch, name="ntos-watchdog", daemon=True)
        self._watchdog.start()

    # ---------------------------------------------------------------- the seam

    def new_context(self) -> UnicornContext:
        """Registers as at the first instruction of a user thread."""
        return UnicornContext(self._layout, self._template)

    def run(self, context: UnicornContext, tables: PageTables, *, step: bool = False) -> Trap:
        """Run `context` in `tables` until it traps."""
        if context.watched and not step:
            return self._run_watched(context, tables)
        library, engine = self._library, self._engine
        if tables.root != self._root:
            self._root = tables.root
            self._tables = tables
            self._stale = True
        if self._stale:
            library.uc_ctl(engine, self._flush)
            self._stale = False
        if step:
            context.rflags |= TRAP_FLAG
        pointer = context.pointer
        self._trap = None
        self._fault_page = -1
        library.uc_context_restore(engine, pointer)
        self._running += 1
        error = library.uc_emu_start(engine, context.rip, 0, 0, 0)
        self._running += 1
        library.uc_context_save(engine, pointer)
        trap = cast("Trap | None", self._trap)  # the hooks have written it meanwhile
        if trap is SYSCALL:
            return trap
        return self._explain(error, trap, context, tables, step=step)

    def _run_watched(self, context: UnicornContext, tables: PageTables) -> Trap:
        """Run with breakpoints in the debug registers: instruction by instruction."""
        watch = Watch(context)
        stepping, resuming = context.rflags & TRAP_FLAG, context.rflags & RESUME_FLAG
        status = context.debug_register(6)
        for _ in range(WATCHED_STEPS):
            hit = 0 if resuming else watch.code.get(context.rip, 0)
            if hit:
                context.set_debug_register(6, hit)
                return HardwareException(Vector.DEBUG)
            hit = watch.touched(accesses(context, tables)) if watch.data else 0
            opcode = first_opcode(context, tables)
            following = popped_trap_flag(context, tables) if opcode == POPF else stepping
            trap = self.run(context, tables, step=True)
            flags = context.rflags & ~(TRAP_FLAG | RESUME_FLAG)
            context.set_debug_register(6, status)  # our own steps are not the thread's
            if not isinstance(trap, HardwareException) or trap.vector != Vector.DEBUG:
                context.rflags = flags | stepping | (resuming if isinstance(trap, Fault) else 0)
                return trap
            context.rflags = flags | following
            if opcode == PUSHF and not stepping:
                hide_trap_flag(context, tables)
            if hit or stepping:
                context.set_debug_register(6, hit | (SINGLE_STEPPED if stepping else 0))
                return trap
            stepping, resuming = following, 0
        return PREEMPTED

    def exact_fault(self, context: UnicornContext, tables: PageTables, fault: Fault) -> Fault:
        """Decode the instruction at RIP to learn which byte of the page it wanted."""
        if fault.exact or (fault.access & Access.EXECUTE and fault.address == context.rip & ~0xFFF):
            return fault if fault.exact else Fault(context.rip, fault.access)
        found = faulting_access(context, tables, fault.address)
        return fault if found is None else Fault(found[0], fault.access)

    def forget_translations(self, tables: PageTables) -> None:
        """The next run starts with an empty TLB (the engine has no cheaper way)."""
        if tables.root == self._root:
            self._stale = True

    def forget_code(self, physical: int, size: int) -> None:
        """Throw away what was translated from these bytes of one page.

        The engine takes a virtual address and asks for its translation, so the page is shown to it in a window
        that no user code can reach: the answer is given only now, and the TLB is flushed before the next run.
        """
        frame = physical >> 12
        if frame not in self._executed:
            return
        self._executed.discard(frame)
        self._window = physical & FRAME_MASK
        self._library.uc_ctl(self._engine, self._flush)
        start = WINDOW + (physical & 0xFFF)
        self._control(uc.CTL_TB_REMOVE_CACHE, ctypes.c_uint64(start), ctypes.c_uint64(start + size))
        self._window = -1
        self._stale = True

    def stop(self) -> None:
        """Make the current run return; harmless when none is under way."""
        self._library.uc_emu_stop(self._engine)

    def close(self) -> None:
        """Give the engine back."""
        if not self._closed:
            self._closed = True
            self._watchdog.join(1)
            self._library.uc_close(self._engine)

    # ---------------------------------------------------------------- after a run

    def _explain(
        self, error: int, trap: Trap | None, context: UnicornContext, tables: PageTables, *, step: bool
    ) -> Trap:
        # Unicorn never delivers exceptions, so QEMU would take the next contributory fault for a double fault.
        context.halves[self._layout.exception_index] = -1
        if step:
            context.rflags &= ~TRAP_FLAG
        if trap is not None:
            if not step and isinstance(trap, HardwareException) and trap.vector == Vector.DEBUG:
                context.set_debug_register(6, SINGLE_STEPPED)
            return trap
        if error == uc.ERR_OK:
            return PREEMPTED
        if error == uc.ERR_INSN_INVALID:
            return HardwareException(Vector.INVALID_OPCODE)
        if self._fault_page >= 0:
            access = Access(self._fault_access)
            return Fault(self._fault_page, access, exact=False)
        # The engine kept the entry with its rights and did not ask again: find what the instruction touches.
        found = faulting_access(context, tables)
        if found is None:
            return HardwareException(Vector.GENERAL_PROTECTION)
        return Fault(found[0], found[1])

    # ---------------------------------------------------------------- hooks: note and stop

    def _install_hooks(self) -> list[object]:
        # uc_emu_stop has a hook's signature: called by the engine after the note, not through ctypes (0.16 µs).
        stop = ctypes.cast(self._library.uc_emu_stop, ctypes.c_void_p)
        hooks = [
            (uc.HOOK_TLB_FILL, uc.TLB_FILL(self._on_fill), 0),
            (uc.HOOK_INTR, uc.INTERRUPT(self._on_interrupt), 0),
            (uc.HOOK_INSN, uc.INSTRUCTION(self._on_syscall), uc.INS_SYSCALL),
            (uc.HOOK_INSN, stop, uc.INS_SYSCALL),
            (uc.HOOK_INSN, uc.IDENTIFY(self._on_identify), uc.INS_CPUID),
            (uc.HOOK_INSN_INVALID, uc.INVALID(self._on_invalid), 0),
        ]
        for kind, callback, instruction in hooks:
            handle = ctypes.c_size_t()
            self._check(
                self._library.uc_hook_add(
                    self._engine, ctypes.byref(handle), ctypes.c_int(kind), callback, None,
                    ctypes.c_uint64(1), ctypes.c_uint64(0), ctypes.c_int(instruction),
                )
            )  # fmt: skip
        return [callback for _, callback, _ in hooks]

    def _on_fill(self, _engine: int, address: int, access: int, entry: int, _data: int) -> bool:
        words = self._words
        if self._window >= 0:
            self._fill(entry, self._window)
            return address == WINDOW
        if self._root == 0:
            self._fill(entry, self._start_page)
            return address in (START_PAGE, LOW_START_PAGE)
        if address < 0x8000_0000_0000:
            table = words[(self._root >> 3) + (address >> 39 & 0x1FF)]
            if table & 1:
                table = words[((table & FRAME_MASK) >> 3) + (address >> 30 & 0x1FF)]
                if table & 1:
                    table = words[((table & FRAME_MASK) >> 3) + (address >> 21 & 0x1FF)]
                    if table & 1:
                        index = ((table & FRAME_MASK) >> 3) + (address >> 12 & 0x1FF)
                        page = words[index]
                        if page & 5 == 5 and (
                            access == 16 or (page & 2 if access == 17 else not page & NO_EXECUTE)
                        ):
                            rights = 1
                            if page & 2:
                                rights = 3
                                page |= DIRTY
                            if not page & NO_EXECUTE:
                                rights |= 4
                                self._executed.add((page & FRAME_MASK) >> 12)
                            words[index] = page | ACCESSED
                            target = (ctypes.c_uint64 * 2).from_address(entry)
                            target[0] = page & FRAME_MASK
                            target[1] = rights
                            return True
        self._fault_page = address
        self._fault_access = 1 << (access - 16)
        return False

    @staticmethod
    def _fill(entry: int, frame: int) -> None:
        target = (ctypes.c_uint64 * 2).from_address(entry)
        target[0] = frame
        target[1] = uc.PROT_ALL

    def _on_interrupt(self, _engine: int, vector: int, _data: int) -> None:
        if vector != Vector.DEBUG or self._trap is not SYSCALL:  # `syscall` clears the trap flag; the engine does not
            self._trap = HardwareException(vector)
        self._library.uc_emu_stop(self._engine)

    def _on_syscall(self) -> None:
        self._trap = SYSCALL

    def _on_identify(self, engine: int, _data: int) -> int:
        """CPUID: two leaves leave out what the engine gets wrong (see `_identify`)."""
        if not self._features:
            return 0
        leaf = self._read(uc.REG_RAX)
        answer = self._features.get((leaf, self._read(uc.REG_RCX) if leaf == 7 else 0))
        if answer is None:
            return 0
        for register, value in zip(uc.CPUID_REGISTERS, answer, strict=True):
            self._library.uc_reg_write(engine, register, ctypes.byref(ctypes.c_uint64(value)))
        return 1

    def _on_invalid(self, _engine: int, _data: int) -> bool:
        self._trap = HardwareException(Vector.INVALID_OPCODE)
        return False

    # ---------------------------------------------------------------- start-up

    def _enter_user_mode(self) -> tuple[Layout, bytes]:
        """Drop to CPL 3 through `iretq`, learn the saved block's layout, provoke a #GP to find old_exception."""
        library, engine, page = self._library, self._engine, self._start_page
        buffer = self.physical.buffer
        gdt = b"".join(word.to_bytes(8, "little") for word in GDT)
        buffer[page + 0x100 : page + 0x100 + len(gdt)] = gdt
        frame = (LOW_START_PAGE + 0x300, 0x33, 0x202, LOW_START_PAGE + 0x800, 0x2B)
        buffer[page + 0x200 : page + 0x228] = b"".join(word.to_bytes(8, "little") for word in frame)
        buffer[page : page + len(FIRST_CODE)] = FIRST_CODE
        buffer[page + 0x300 : page + 0x303] = b"\x0f\x05\xfa"  # syscall; cli
        register = uc.TableRegister(0, START_PAGE + 0x100, len(gdt) - 1, 0)
        library.uc_reg_write(engine, uc.REG_GDTR, ctypes.byref(register))
        for selector, value in ((uc.REG_CS, 0x10), (uc.REG_SS, 0x18)):
            library.uc_reg_write(engine, selector, ctypes.byref(ctypes.c_uint64(value)))
        library.uc_reg_write(engine, uc.REG_RSP, ctypes.byref(ctypes.c_uint64(START_PAGE + 0x200)))
        self._check(library.uc_emu_start(engine, START_PAGE, 0, 0, 0))
        self._features = self._identify()
        for selector in (uc.REG_DS, uc.REG_ES, uc.REG_GS):
            library.uc_reg_write(engine, selector, ctypes.byref(ctypes.c_uint64(0x2B)))
        size = library.uc_context_size(engine)
        pointer = ctypes.c_void_p()
        self._check(library.uc_context_alloc(engine, ctypes.byref(pointer)))
        library.uc_context_save(engine, pointer)
        assert pointer.value is not None
        layout = Layout(library, pointer.value, size)
        bind(layout)
        template = ctypes.string_at(pointer.value, size)
        library.uc_context_free(pointer)
        clean = UnicornContext(layout, template)
        layout.exception_index = self._find_exception_index(layout, template)
        for name in layout.words:
            setattr(clean, name, 0)
        clean.rflags = 0x202
        clean.mxcsr = 0x1F80
        for number in (6, 7):  # as NT shows them to who has set none
            clean.set_debug_register(number, 0)
        clean.set_x87_state(b"\x7f\x02" + bytes(158))
        return layout, bytes(clean.words)

    def _identify(self) -> dict[tuple[int, int], tuple[int, ...]]:
        """What CPUID shall answer, by leaf and subleaf, from what `FIRST_CODE` left in registers.

        PCMPISTRI and its like miss a substring that the end of the 16 bytes cuts off, and strstr of Microsoft's C
        runtimes builds on that; BZHI clears the top bit where the index is the operand's size or more (both seen in
        release 2.1). So this processor has neither SSE4.2 nor BMI2.
        """
        eax, ebx, ecx, edx = map(self._read, (uc.REG_RAX, uc.REG_RBX, uc.REG_R8, uc.REG_RDX))
        extended = [self._read(uc.REG_R8 + number) for number in (4, 5, 6, 7)]
        extended[1] &= ~BMI2
        return {(1, 0): (eax, ebx, ecx & ~SSE4_2, edx), (7, 0): tuple(extended)}

    def _read(self, register: int) -> int:
        """The lower half of a register of the engine."""
        value = ctypes.c_uint64()
        self._library.uc_reg_read(self._engine, register, ctypes.byref(value))
        return value.value & 0xFFFF_FFFF

    def _find_exception_index(self, layout: Layout, template: bytes) -> int:
        probe = UnicornContext(layout, template)
        before = list(probe.halves)
        library, engine = self._library, self._engine
        library.uc_context_restore(engine, probe.pointer)
        library.uc_emu_start(engine, probe.rip, 0, 0, 0)
        library.uc_context_save(engine, probe.pointer)
        if not isinstance(self._trap, HardwareException) or self._trap.vector != Vector.GENERAL_PROTECTION:
            raise RuntimeError("this Unicorn does not run user code at CPL 3; ntos is built for release 2.1")
        for index, (was, now) in enumerate(zip(before, probe.halves, strict=True)):
            if was == -1 and now == Vector.GENERAL_PROTECTION:
                return index
        raise RuntimeError("this Unicorn keeps its exception state elsewhere; ntos is built for release 2.1")

    def _watch(self) -> None:
        """Ask the kernel about a run that lasts long; stop it only if the processor is really wanted.

        A stop from outside is not quite safe: the engine notices it after each memory access, also between the store
        of a read-modify-write instruction and the end of that instruction, which is then executed again (measured: a
        quarter of the stops of a loop over `lock inc [m]`). So a program that computes alone is never stopped.

        The length of a run is processor time, not the wall's: on a busy host nobody seems to spin who does not.
        """
        waiter = threading.Event()
        seen, began = -1, 0.0
        while not waiter.wait(SLICE / 2) and not self._closed:
            running, now = self._running, time.process_time()
            if running != seen:
                seen, began = running, now
            elif running & 1 and now - began >= SLICE / 2:
                spent, began = now - began, now
                if self.spinning(spent):
                    self._library.uc_emu_stop(self._engine)

    # ---------------------------------------------------------------- helpers

    def _control(self, command: int, *arguments: object) -> None:
        self._check(self._library.uc_ctl(self._engine, uc.control(command, len(arguments)), *arguments))

    @staticmethod
    def _check(error: int) -> None:
        if error != uc.ERR_OK:
            raise RuntimeError(f"the Unicorn engine refused a call (uc_err {error})")
