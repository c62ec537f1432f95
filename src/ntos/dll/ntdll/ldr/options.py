"""What differs in a program begun under a debugger: its heaps are to check themselves.

Part of LdrpInitializeExecutionOptions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.dbgk import FLG_HEAP_DEBUG
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import HANDLE
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.guest import settle
from ntos.dll.ntdll.ldr import search
from ntos.dll.ntdll.rtl_environment import variables
from ntos.um import nt

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

OPTIONS = "\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options\\"
KEY_QUERY_VALUE, VALUE_PARTIAL = 1, 2
ROOM = 0x20
THERE = (STATUS.BUFFER_OVERFLOW, STATUS.BUFFER_TOO_SMALL)


async def set_debug_flags(thread: UserThread) -> None:
    """NtGlobalFlag gets 0x70, unless the program's options name flags or _NO_DEBUG_HEAP is a number but 0."""
    peb = thread.peb
    if not peb.BeingDebugged or await _names_flags(thread):
        return
    wish = variables(thread).get("_NO_DEBUG_HEAP") or ""
    if not wish.isdigit() or not int(wish):
        peb.NtGlobalFlag = int(peb.NtGlobalFlag) | FLG_HEAP_DEBUG


async def _names_flags(thread: UserThread) -> bool:
    """Whether the program's Image File Execution Options have a value GlobalFlag; the kernel has read it then."""
    program = search.image_path(thread).rpartition("\\")[2]
    with thread.frame() as frame:
        handle, size = frame.new(HANDLE), frame.allocate(8)
        try:
            where = guest.object_attributes(frame, OPTIONS + program)
            await settle(nt.NtOpenKey(thread, handle.address, KEY_QUERY_VALUE, where))
        except NtError:
            return False
        key, name, room = int(handle.read()), frame.unicode_string("GlobalFlag"), frame.allocate(ROOM)
        try:
            await settle(nt.NtQueryValueKey(thread, key, name, VALUE_PARTIAL, room, ROOM, size))
        except NtError as error:
            return error.status in THERE
        finally:
            await settle(nt.NtClose(thread, key))
    return True
