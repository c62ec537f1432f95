"""__CxxFrameHandler3: a frame of C++ is asked whether it catches, and unwound (the x64 tables' semantics).

The word pair at the frame's `unwind_help` belongs to this handler: the state reached while unwinding (-2: ask the
address), and the state of the innermost catch block that runs (-1: none), which hides the try blocks it belongs to.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ntos.abi.status import STATUS
from ntos.abi.types import INT, PVOID
from ntos.dll.ucrtbase.crt import entry, thread_data
from ntos.dll.ucrtbase.termination import terminate
from ntos.dll.vcruntime140 import tables
from ntos.dll.vcruntime140.catching import catch_callback
from ntos.dll.vcruntime140.matching import build_object, is_ellipsis, matches
from ntos.dll.vcruntime140.tables import (
    EMPTY_STATE,
    CatchableType,
    FunctionInfo,
    HandlerType,
    Thrown,
    TryBlock,
    read_function_info,
    read_thrown,
    read_unwind_entry,
)
from ntos.um.export import export
from ntos.um.thread import UserThread

UNWINDING, TARGET_UNWIND = 0x66, 0x20
CONTINUE_SEARCH = INT(1)
ASK_ADDRESS = -2
NONCONTINUABLE = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where the handler was called: the frame, the address in it, the function's tables."""

    thread: UserThread
    frame: int
    """The frame the unwinder knows."""
    establisher: int
    """The frame the tables speak of: for a catch block's own frame, that of the function it belongs to."""
    pc: int
    image: int
    function: int
    context: int
    history: int
    target: int
    info: FunctionInfo

    @property
    def state(self) -> int:
        """The state by address."""
        return self.info.state_at(self.pc - self.image)

    @property
    def is_funclet(self) -> bool:
        """Whether the frame is a catch block's."""
        return self.establisher != self.frame

    @property
    def help(self) -> tuple[int, int]:
        """The state reached, and the running catch block's state."""
        pair: tuple[int, int] = struct.unpack(
            "<ii", self.thread.memory.read(self.establisher + self.info.unwind_help, 8)
        )
        return pair

    def set_help(self, *, state: int | None = None, catching: int | None = None) -> None:
        """Change either."""
        former = self.help
        pair = (former[0] if state is None else state, former[1] if catching is None else catching)
        self.thread.memory.write(self.establisher + self.info.unwind_help, struct.pack("<ii", *pair))


def place_of(thread: UserThread, frame: int, dispatcher: int) -> Place:
    """Read the DISPATCHER_CONTEXT and the function's tables."""
    pc, image, entry_, _, target, context, _, data, history = struct.unpack("<9Q", thread.memory.read(dispatcher, 72))
    info_rva, function = (int.from_bytes(thread.memory.read(at, 4), "little") for at in (data, entry_))
    info = read_function_info(thread.memory, image, info_rva)
    establisher = _establisher(thread, frame, info, info.state_at(pc - image), function)
    return Place(thread, frame, establisher, pc, image, function, context, history, target, info)


def _establisher(thread: UserThread, frame: int, info: FunctionInfo, state: int, function: int) -> int:
    """The function's frame: a catch funclet has been given it, and keeps it in its own frame."""
    for block in reversed(info.try_blocks):
        if block.high < state <= block.catch_high:
            for handler in block.handlers:
                if handler.handler == function:
                    return int.from_bytes(thread.memory.read(frame + handler.frame, 8), "little")
    return frame


async def handle(thread: UserThread, record: int, frame: int, context: int, dispatcher: int) -> INT:
    """Search or unwind one frame."""
    place = place_of(thread, frame, dispatcher)
    code, flags = struct.unpack("<II", thread.memory.read(record, 8))
    if flags & UNWINDING:
        if place.info.maximum_state:
            await _unwind(place, record, code, flags)
        return CONTINUE_SEARCH
    if place.info.try_blocks or place.info.flags & tables.NOEXCEPT:
        await _search(place, record)
    return CONTINUE_SEARCH


# ------------------------------------------------------------------------------ unwinding


async def _unwind(place: Place, record: int, code: int, flags: int) -> None:
    if flags & TARGET_UNWIND and code == STATUS.LONGJUMP:
        await unwind_to(place, place.info.state_at(place.target - place.image))
    elif flags & TARGET_UNWIND and code == STATUS.UNWIND_CONSOLIDATE:
        state: int = struct.unpack("<q", place.thread.memory.read(record + 0x20 + 8 * 3, 8))[0]
        await unwind_to(place, state)
    else:
        block = _catching_block(place.info, place.state)
        await unwind_to(place, EMPTY_STATE if block is None else block.high)


def _catching_block(info: FunctionInfo, state: int) -> TryBlock | None:
    """The try block whose catch blocks have this state."""
    for block in info.try_blocks:
        if block.high < state <= block.catch_high:
            return block
    return None


async def unwind_to(place: Place, target: int) -> None:
    """Run destructors until the function is in a state (__FrameUnwindToState)."""
    thread, data = place.thread, thread_data(place.thread)
    state = place.help[0] if place.info.unwind_help else ASK_ADDRESS
    if state == ASK_ADDRESS:
        state = place.state
    data.processing_throw = int(data.processing_throw) + 1
    try:
        while EMPTY_STATE < state < place.info.maximum_state and state > target:
            following = read_unwind_entry(thread.memory, place.info, state)
            if following.action:
                if place.info.unwind_help:
                    place.set_help(state=following.to_state)
                await thread.call(place.image + following.action, place.establisher, place.establisher)
            state = following.to_state
    finally:
        data.processing_throw = int(data.processing_throw) - 1
    if place.info.unwind_help:
        place.set_help(state=state)


# ------------------------------------------------------------------------------ searching


async def _search(place: Place, record: int) -> None:
    thread, memory = place.thread, place.thread.memory
    thrown = read_thrown(memory, record)
    if thrown is not None and not thrown.info:
        # `throw;` means the exception whose catch block runs.
        current = int(thread_data(thread).current_exception)
        if not current:
            return
        thrown = read_thrown(memory, current)
    state = place.state
    if place.info.unwind_help:
        hidden = place.help[1]
        if state > hidden:
            place.set_help(catching=state)
        else:
            state = hidden
    subject = thrown.record if thrown is not None else int(record)
    found = _find(place, thrown, state)
    if found is not None:
        block, handler, kind = found
        await _catch(place, subject, thrown, block, handler, kind)
    elif place.info.flags & tables.NOEXCEPT:
        await terminate(thread)


def _find(place: Place, thrown: Thrown | None, state: int) -> tuple[TryBlock, HandlerType, CatchableType | None] | None:
    memory = place.thread.memory
    kinds = tables.catchable_types(memory, thrown) if thrown is not None else []
    around = _catching_block(place.info, place.state)
    for block in place.info.try_blocks:
        if not block.low <= state <= block.high:
            continue
        # A catch block's own frame answers for the try blocks inside it; the others belong to the frame below.
        if place.is_funclet and around and not around.high < block.low <= block.high <= around.catch_high:
            continue
        for handler in block.handlers:
            if thrown is None:
                # Other exceptions are for `catch (...)` alone, and only where the compiler was told /EHa.
                if not place.info.flags & tables.EHS and is_ellipsis(memory, place.image, handler):
                    return block, handler, None
                continue
            for kind in kinds:
                if matches(memory, place.image, handler, kind, thrown):
                    return block, handler, kind
    return None


async def _catch(
    place: Place, record: int, thrown: Thrown | None, block: TryBlock, handler: HandlerType,
    kind: CatchableType | None,
) -> None:  # fmt: skip
    """Unwind to this frame and have the catch block run (CatchIt, UnwindNestedFrames). Does not come back."""
    thread = place.thread
    if thrown is not None and kind is not None:
        await build_object(thread, thrown, place.establisher, place.image, handler, kind)
    parameters = [0] * 15
    parameters[:9] = (
        catch_callback(thread),
        place.establisher,
        place.image + handler.handler,
        block.low,
        place.context,
        place.info.address,
        record,
        place.info.unwind_help,
        place.frame,
    )
    with thread.frame() as room:
        consolidated = room.bytes(
            struct.pack("<IIQQI4x15Q", int(STATUS.UNWIND_CONSOLIDATE), NONCONTINUABLE, 0, 0, 15, *parameters)
        )
        unwind = entry(thread, "RtlUnwindEx", "ntdll.dll")
        await thread.call(unwind, place.frame, place.pc, consolidated, 0, place.context, place.history)


async def frame_handler(
    thread: UserThread, ExceptionRecord: PVOID, EstablisherFrame: PVOID, ContextRecord: PVOID, DispatcherContext: PVOID
) -> INT:
    """The language handler of C++ functions with version 3 tables."""
    return await handle(thread, ExceptionRecord, EstablisherFrame, ContextRecord, DispatcherContext)


SPECIFICATIONS = "dynamic exception specifications and _set_se_translator"
for _module, _names in (
    ("vcruntime140", ("__CxxFrameHandler3", "__CxxFrameHandler2", "__CxxFrameHandler")),
    ("msvcrt", ("__CxxFrameHandler3", "__CxxFrameHandler2", "__CxxFrameHandler")),
    ("ucrtbase", ("__CxxFrameHandler3", "__CxxFrameHandler2", "__CxxFrameHandler")),
):
    export(name=_names[0], aliases=_names[1:], module=_module, partial=SPECIFICATIONS)(frame_handler)
