"""DbgPrint and its kin: text for the debugger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.pointer import Ptr
from ntos.abi.signature import Variadic
from ntos.abi.status import STATUS
from ntos.abi.types import CHAR, NTSTATUS, PVOID, ULONG
from ntos.dll.ntdll.formatting import NTDLL, CallArguments, ListArguments
from ntos.dll.ntdll.raising import offer
from ntos.etw.event import DebugPrint
from ntos.rtl.format.printf import format_printf
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread


async def _tell(thread: UserThread, text: bytes) -> NTSTATUS:
    thread.log.emit(DebugPrint(text=text.decode("cp1252", "replace")))
    if thread.peb.BeingDebugged:
        with thread.frame() as frame:
            await offer(thread, int(STATUS.DBG_PRINTEXCEPTION_C), len(text) + 1, frame.bytes(text + b"\0"))
    return STATUS.SUCCESS


@export
async def DbgPrint(thread: UserThread, Format: Ptr[CHAR], Arguments: Variadic) -> NTSTATUS:
    """Print to the debugger."""
    return await _tell(thread, format_printf(Format.string(), CallArguments(thread, Arguments), NTDLL))


@export
async def DbgPrintEx(
    thread: UserThread, ComponentId: ULONG, Level: ULONG, Format: Ptr[CHAR], Arguments: Variadic
) -> NTSTATUS:
    """Print to the debugger for a component at a level."""
    return await _tell(thread, format_printf(Format.string(), CallArguments(thread, Arguments), NTDLL))


@export
async def vDbgPrintEx(
    thread: UserThread, ComponentId: ULONG, Level: ULONG, Format: Ptr[CHAR], arglist: PVOID
) -> NTSTATUS:
    """DbgPrintEx over an argument list."""
    return await _tell(thread, format_printf(Format.string(), ListArguments(thread, arglist), NTDLL))


@export
async def vDbgPrintExWithPrefix(
    thread: UserThread, Prefix: Ptr[CHAR], ComponentId: ULONG, Level: ULONG, Format: Ptr[CHAR], arglist: PVOID
) -> NTSTATUS:
    """DbgPrintEx over an argument list, with a prefix."""
    text = format_printf(Format.string(), ListArguments(thread, arglist), NTDLL)
    return await _tell(thread, Prefix.string() + text)


@export
def DbgQueryDebugFilterState(thread: UserThread, ComponentId: ULONG, Level: ULONG) -> NTSTATUS:
    """Whether a component's messages of a level are shown: 1, they all are."""
    return NTSTATUS(1)
