"""The scripted processor and its registers."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ntos.hal.cpu import PREEMPTED, Context, Fault, Trap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ntos.hal.paging import PageTables

    Step = Trap | Callable[["ScriptedContext"], Trap]

INITIAL_FLAGS = 0x202
INITIAL_MXCSR = 0x1F80


class ScriptedContext:
    """Registers as plain attributes."""

    def __init__(self) -> None:
        self.rax = self.rcx = self.rdx = self.rbx = 0
        self.rsp = self.rbp = self.rsi = self.rdi = 0
        self.r8 = self.r9 = self.r10 = self.r11 = 0
        self.r12 = self.r13 = self.r14 = self.r15 = 0
        self.rip = 0
        self.gs_base = 0
        self.rflags = INITIAL_FLAGS
        self.mxcsr = INITIAL_MXCSR
        self.steps: deque[Step] = deque()
        self._xmm = [bytes(16)] * 16
        self._x87 = bytes(160)
        self._debug = [0] * 8

    def xmm(self, index: int) -> bytes:
        """The sixteen bytes of XMM`index`."""
        return self._xmm[index]

    def set_xmm(self, index: int, value: bytes) -> None:
        """Load XMM`index`."""
        self._xmm[index] = bytes(value)

    def x87_state(self) -> bytes:
        """The x87 part of an FXSAVE area."""
        return self._x87

    def set_x87_state(self, state: bytes) -> None:
        """Load it."""
        self._x87 = bytes(state)

    def debug_register(self, index: int) -> int:
        """DR0 to DR7."""
        return self._debug[index]

    def set_debug_register(self, index: int, value: int) -> None:
        """Load one."""
        self._debug[index] = value


class ScriptedBackend:
    """Satisfies `hal.cpu.Backend` by playing what each context was given."""

    def __init__(self) -> None:
        self.runs = 0
        self.spinning: Callable[[float], bool] = lambda _seconds: True
        self.forgotten: list[tuple[int, int]] = []
        """(physical address, size) of code reported as changed."""

    def play(self, context: Context, steps: Iterable[Step]) -> None:
        """What the guest of `context` does next, after what it was given before."""
        assert isinstance(context, ScriptedContext)
        context.steps.extend(steps)

    def new_context(self) -> ScriptedContext:
        """Registers as at the first instruction of a user thread."""
        return ScriptedContext()

    def run(self, context: Context, tables: PageTables, *, step: bool = False) -> Trap:
        """The next step of the context's script."""
        assert isinstance(context, ScriptedContext)
        self.runs += 1
        if not context.steps:
            return PREEMPTED
        now = context.steps.popleft()
        return now if isinstance(now, Trap) else now(context)

    def exact_fault(self, context: Context, tables: PageTables, fault: Fault) -> Fault:
        """Scripted faults are exact."""
        return fault

    def forget_translations(self, tables: PageTables) -> None:
        """Nothing is remembered."""

    def forget_code(self, physical: int, size: int) -> None:
        """Note it for the test."""
        self.forgotten.append((physical, size))

    def stop(self) -> None:
        """Nothing runs long enough to be stopped."""

    def close(self) -> None:
        """Nothing is held."""
