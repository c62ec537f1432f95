"""A place in one process where a hook stands: the patched byte, and the way on from it."""

from __future__ import annotations

import importlib
import struct
from contextlib import suppress
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from ntos import mm
from ntos.abi.memory import PAGE_SIZE
from ntos.abi.status import GuestFault
from ntos.hook.call import Call
from ntos.mm import virtual
from ntos.mm.layout import LIBRARY_TOP
from ntos.mm.protect import MM_EXECUTE_READ, MM_EXECUTE_READWRITE, MM_READWRITE, PROTECT_TO_VALUE, from_page

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ntos.abi.signature import Signature
    from ntos.hook.manager import Hook
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

BREAKPOINT = b"\xcc"
LONGEST_INSTRUCTION = 15
SLOT = 0x40
"""Bytes of a trampoline: a relocated instruction and the jump back, or a breakpoint an import slot leads to."""
ROOM_PAGES = 16
REACH = 1 << 30
"""How far trampolines may stand off: relocated instructions keep their 32-bit distances."""
JUMP = b"\xff\x25\0\0\0\0"
"""jmp qword ptr [rip+0]."""


def poke(process: Process, address: int, data: bytes) -> None:
    """Write what may not be written, as VirtualProtect and WriteProcessMemory together do; pages are copied first."""
    space = mm.space_of(process)
    before = virtual.protection_at(space, address)
    code = before in (MM_EXECUTE_READ, MM_EXECUTE_READWRITE) or before & 7 in (2, 3, 6, 7)
    virtual.protect(space, address, len(data), MM_EXECUTE_READWRITE if code else MM_READWRITE)
    process.memory.write(address, data)
    now = virtual.protection_at(space, address)
    wanted = from_page(PROTECT_TO_VALUE[before])
    if now != wanted:
        virtual.protect(space, address, len(data), wanted)


class Rooms:
    """A process's memory for trampolines, near the code they belong to (a part of `Process`)."""

    def __init__(self) -> None:
        self._rooms: list[tuple[int, int]] = []
        """(base, bytes used)."""

    def take(self, process: Process, near: int) -> int:
        """The address of a free slot."""
        for index, (base, used) in enumerate(self._rooms):
            if abs(base - near) < REACH and used < ROOM_PAGES * PAGE_SIZE:
                self._rooms[index] = base, used + SLOT
                return base + used
        space = mm.space_of(process)
        start = space.place(ROOM_PAGES, limit=min(near + REACH, LIBRARY_TOP), lowest=max(near - REACH, 0x10000))
        virtual.reserve_pages(space, start, ROOM_PAGES, MM_EXECUTE_READ, commit=True)
        self._rooms.append((start * PAGE_SIZE, SLOT))
        return start * PAGE_SIZE


def relocated(code: bytes, address: int, place: int) -> bytes:
    """The first instruction of `code`, which stands at `address`, as it does the same at `place`, and the way back."""
    iced: Any = importlib.import_module("iced_x86")
    instruction = iced.Decoder(64, code, ip=address).decode()
    if not instruction:
        raise ValueError(f"there is no instruction at 0x{address:X}")
    encoder = iced.BlockEncoder(64)
    encoder.add(instruction)
    moved: bytes = encoder.encode(place)
    return moved + JUMP + struct.pack("<Q", address + instruction.len)


class Site:
    """One hooked place; all hooks on it are served together, in the order they came."""

    def __init__(self, process: Process, place: int, target: int, resume: int, module: str, name: str) -> None:
        self.process = process
        self.place = place
        """Where the breakpoint is."""
        self.target = target
        """The function."""
        self.resume = resume
        """Where the function goes on unhooked."""
        self.module = module
        self.name = name
        self.signature: Signature | None = None
        self.hooks: list[Hook] = []
        self.original = b""
        """What the breakpoint replaced."""
        self.slots: list[tuple[int, bytes]] = []
        """Import slots that lead here, and what they held."""

    # ------------------------------------------------------------ bytes

    @classmethod
    def inline(cls, process: Process, address: int, module: str, name: str) -> Site:
        """Patch a function."""
        memory = process.memory
        code = memory.read(address, min(LONGEST_INSTRUCTION, PAGE_SIZE - address % PAGE_SIZE))
        if len(code) < LONGEST_INSTRUCTION:
            with suppress(GuestFault):  # the last instruction of its range
                code += memory.read(address + len(code), LONGEST_INSTRUCTION - len(code))
        place = process.part(Rooms).take(process, address)
        poke(process, place, relocated(code, address, place))
        site = cls(process, address, address, place, module, name)
        site.original = code[:1]
        poke(process, address, BREAKPOINT)
        return site

    @classmethod
    def imported(cls, process: Process, address: int, module: str, name: str) -> Site:
        """A breakpoint apart, for import slots to lead to."""
        place = process.part(Rooms).take(process, address)
        poke(process, place, BREAKPOINT)
        return cls(process, place, address, address, module, name)

    def redirect(self, slot: int) -> None:
        """Let an import slot lead here."""
        held = self.process.memory.read(slot, 8)
        if held == struct.pack("<Q", self.target):
            self.slots.append((slot, held))
            poke(self.process, slot, struct.pack("<Q", self.place))

    def restore(self) -> None:
        """Put everything back that is still ours."""
        memory = self.process.memory
        ours = struct.pack("<Q", self.place)
        changes = [(slot, ours, held) for slot, held in self.slots]
        if self.original:
            changes.append((self.place, BREAKPOINT, self.original))
        for address, mine, before in changes:
            try:
                if memory.read(address, len(mine)) == mine:
                    poke(self.process, address, before)
            except GuestFault:
                continue  # the module has gone

    # ------------------------------------------------------------ the door

    def enter(self, thread: Thread) -> Coroutine[None, None, None]:
        """Serve the call; RIP is past the breakpoint."""
        thread.context.rip = self.target
        thread.door_stack = thread.context.rsp
        return self._serve(thread)

    async def _serve(self, thread: Thread) -> None:
        hooks = tuple(self.hooks)
        context = thread.context
        with thread.frame() as frame:
            call = Call(self, thread, frame)
            await _before(hooks, call)
            through = not call.answered and not call.placed and not any(hook.after_call for hook in hooks)
            if not through:
                if not call.answered:
                    call.result = await call.original()
                for hook in reversed(hooks):
                    if hook.after_call is not None:
                        await _said(hook.after_call(call))
        if through:
            context.rip = self.resume
        else:
            call.leave()


async def _before(hooks: tuple[Hook, ...], call: Call) -> None:
    for hook in hooks:
        if hook.before_call is not None:
            await _said(hook.before_call(call))
        if hook.replacement is not None and not call.answered:
            result = await _said(hook.replacement(call))
            if not call.answered:
                call.answer(result)
        if call.answered:
            return


async def _said(value: Any) -> Any:
    """What a callback gave: it may be a coroutine, which may wait and call guest code."""
    return await value if isawaitable(value) else value
