"""What the registry says about a program's start: whether heaps check themselves under a debugger, and whether the
current directory is searched for DLLs.

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
    from ntos.dll.ntdll.ldr.state import SearchSettings
    from ntos.um.thread import UserThread

OPTIONS = "\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options\\"
SESSION_MANAGER = "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager"
SAFE_MODE, CURRENT_ILLEGAL = "SafeDllSearchMode", "CWDIllegalInDLLSearch"
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
    return "GlobalFlag" in await _values(thread, OPTIONS + program, "GlobalFlag")


async def read_search_settings(thread: UserThread, settings: SearchSettings) -> None:
    """Ask the registry, once a process, whether and when the current directory is searched for DLLs."""
    if settings.asked:
        return
    settings.asked = True
    values = await _values(thread, SESSION_MANAGER, SAFE_MODE, CURRENT_ILLEGAL)
    settings.safe_mode = values.get(SAFE_MODE, b"\1") != bytes(4)
    settings.cwd_illegal = int.from_bytes(values.get(CURRENT_ILLEGAL, b"")[:4], "little")


async def _values(thread: UserThread, path: str, *names: str) -> dict[str, bytes]:
    """The data of those of a key's values that are there; of what is too long, nothing."""
    found: dict[str, bytes] = {}
    with thread.frame() as frame:
        handle, size = frame.new(HANDLE), frame.allocate(8)
        try:
            where = guest.object_attributes(frame, path)
            await settle(nt.NtOpenKey(thread, handle.address, KEY_QUERY_VALUE, where))
        except NtError:
            return found
        key, room = int(handle.read()), frame.allocate(ROOM)
        for name in names:
            try:
                value = frame.unicode_string(name)
                status = await settle(nt.NtQueryValueKey(thread, key, value, VALUE_PARTIAL, room, ROOM, size))
            except NtError as error:
                if error.status in THERE:
                    found[name] = b""
                continue
            length = 0 if status else guest.u32(thread.memory, room + 8)
            found[name] = thread.memory.read(room + 12, length)
        await settle(nt.NtClose(thread, key))
    return found
