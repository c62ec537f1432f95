"""Modules of a process as user-mode Python finds them: the loader's list, and export directories in
memory.
"""

from __future__ import annotations

from ntos.abi.layout.peb import PEB
from ntos.abi.memory import Memory, read_string, read_wide
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import PVOID, ULONG, USHORT
from ntos.um.thread import UserThread

IN_LOAD_ORDER = 0x10
DLL_BASE, BASE_NAME = 0x30, 0x58
LIMIT = 4096


def find_module(thread: UserThread, name: str) -> int:
    """The base of a loaded module by file name (any case); 0 when the loader's list has none."""
    memory = thread.memory
    peb: PEB = thread.peb
    loader = int(peb.Ldr)
    if not loader:
        return 0
    head = loader + IN_LOAD_ORDER
    link = PVOID.load(memory, head)
    wanted = name.lower()
    for _ in range(LIMIT):
        if link in (head, 0):
            break
        size = USHORT.load(memory, link + BASE_NAME)
        if read_wide(memory, PVOID.load(memory, link + BASE_NAME + 8), size // 2).lower() == wanted:
            return PVOID.load(memory, link + DLL_BASE)
        link = PVOID.load(memory, link)
    return 0


def find_export(thread: UserThread, module: str, name: str) -> int:
    """The address of an export by name, forwarders followed. NtError when the module or the name is not
    there.
    """
    base = find_module(thread, module)
    if not base:
        raise NtError(STATUS.DLL_NOT_FOUND)
    memory = thread.memory
    directory, size = _directory(memory, base)
    index = _search(memory, base, directory, name.encode("ascii")) if directory else -1
    if index < 0:
        raise NtError(STATUS.ENTRYPOINT_NOT_FOUND)
    ordinal = USHORT.load(memory, base + ULONG.load(memory, base + directory + 36) + 2 * index)
    rva = ULONG.load(memory, base + ULONG.load(memory, base + directory + 28) + 4 * ordinal)
    if directory <= rva < directory + size:
        target, _, function = read_string(memory, base + rva).decode("ascii").rpartition(".")
        return find_export(thread, target + ".dll", function)
    return base + rva


def _directory(memory: Memory, base: int) -> tuple[int, int]:
    headers = base + ULONG.load(memory, base + 0x3C)
    return ULONG.load(memory, headers + 0x88), ULONG.load(memory, headers + 0x8C)


def _search(memory: Memory, base: int, directory: int, name: bytes) -> int:
    """The index of a name in the sorted name table, or -1."""
    names = base + ULONG.load(memory, base + directory + 32)
    low, high = 0, ULONG.load(memory, base + directory + 24) - 1
    while low <= high:
        middle = (low + high) // 2
        found = read_string(memory, base + ULONG.load(memory, names + 4 * middle), 512)
        if found == name:
            return middle
        if found < name:
            low = middle + 1
        else:
            high = middle - 1
    return -1
