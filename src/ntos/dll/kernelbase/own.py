"""Where kernelbase's own functions stand, for those the kernel or ntdll is to call back."""

from __future__ import annotations

from dataclasses import dataclass, field

from ntos.abi.layout.string import ANSI_STRING
from ntos.abi.types import PVOID, USHORT
from ntos.dll.kernelbase.objects import new_handle
from ntos.dll.kernelbase.services import rtl_status
from ntos.um.thread import UserThread


@dataclass
class Own:
    """The module's base, told by the loader, and addresses looked up."""

    base: int = 0
    entries: dict[str, int] = field(default_factory=dict)


async def own_entry(thread: UserThread, name: str) -> int:
    """The address of one of our exports."""
    own = thread.state(Own)
    if name not in own.entries:
        with thread.frame() as frame:
            if not own.base:
                base = new_handle(frame)
                await rtl_status(thread, "LdrGetDllHandle", 0, 0, frame.unicode_string("kernelbase.dll"), base.address)
                own.base = int(base.read())
            text: ANSI_STRING = frame.new(ANSI_STRING)
            text.Length, text.MaximumLength = USHORT(len(name)), USHORT(len(name) + 1)
            text.Buffer = PVOID(frame.bytes(name.encode() + b"\0"))
            place = new_handle(frame)
            await rtl_status(thread, "LdrGetProcedureAddress", own.base, text.address, 0, place.address)
            own.entries[name] = int(place.read())
    return own.entries[name]
