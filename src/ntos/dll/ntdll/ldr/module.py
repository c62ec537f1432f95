"""Module entries as true bytes: LDR_DATA_TABLE_ENTRY, its dependency node, the three lists, the hash table and
the trees.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.user import LDR_DATA_TABLE_ENTRY, LDR_DDAG_NODE
from ntos.abi.pe import directories
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.ldr import indexes
from ntos.dll.ntdll.ldr.image import export_table, headers_of, reader
from ntos.dll.ntdll.ldr.state import Loader, Module
from ntos.etw.event import ImageLoaded
from ntos.rtl.text import hash_unicode_string, to_utf16

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

LIST_HEADS = 0x10
HASH_TABLE = 0x80
HASH_BUCKETS = 32
NODE_OFFSET = LDR_DATA_TABLE_ENTRY.size
NAME_OFFSET = NODE_OFFSET + LDR_DDAG_NODE.size
SYSTEM_TIME = guest.SHARED_DATA + 0x14

IMAGE_DLL = 4
LOAD_NOTIFICATIONS_SENT = 8
PROCESS_STATIC_IMPORT = 0x20
IN_LEGACY_LISTS = 0x40
IN_INDEXES = 0x80
IN_EXCEPTION_TABLE = 0x200
LOAD_CONFIG_PROCESSED = 0x2000
ENTRY_PROCESSED = 0x4000
DONT_CALL_FOR_THREADS = 0x40000
PROCESS_ATTACH_CALLED = 0x80000
PROCESS_ATTACH_FAILED = 0x100000
REDIRECTED = 0x1000_0000

MAPPED = 2
READY_TO_RUN = 9
STATIC = 0xFFFF
DYNAMIC = 6


@dataclass(frozen=True, slots=True)
class Origin:
    """How a module came to be loaded: the rule that found it, why, and for whom."""

    source: str
    reason: int = 4
    parent: int = 0
    flags: int = 0
    static: bool = False


async def insert(thread: UserThread, loader: Loader, base: int, path: str, origin: Origin) -> Module:
    """Make the entry of the image mapped at `base` and link it everywhere (LdrpAllocateModuleEntry,
    LdrpInsertDataTableEntry).
    """
    memory = thread.memory
    headers = headers_of(memory, base)
    name = path.rpartition("\\")[2]
    wide = to_utf16(path) + b"\0\0"
    address = await guest.allocate(thread, NAME_OFFSET + len(wide))
    node, text = address + NODE_OFFSET, address + NAME_OFFSET
    block = bytearray(NAME_OFFSET) + wide
    length, short = len(wide) - 2, len(to_utf16(name))
    entry_point = base + headers.entry_point if headers.entry_point else 0
    flags = origin.flags | IMAGE_DLL | IN_LEGACY_LISTS | IN_INDEXES | IN_EXCEPTION_TABLE
    struct.pack_into("<QQI", block, 0x30, base, entry_point, headers.size_of_image)
    block[0x48:0x58] = guest.unicode_header(text, length)
    block[0x58:0x68] = guest.unicode_header(text + length - short, short)
    struct.pack_into("<IHH", block, 0x68, flags, STATIC if origin.static else DYNAMIC, 0)
    struct.pack_into("<I", block, 0x80, headers.time_date_stamp)
    struct.pack_into("<Q", block, 0x98, node)
    struct.pack_into("<Q", block, 0xB8, origin.parent)
    struct.pack_into("<Q8s", block, 0xF8, headers.image_base, memory.read(SYSTEM_TIME, 8))
    name_hash = hash_unicode_string(name, ignore_case=True)
    struct.pack_into("<Ii", block, 0x108, name_hash, origin.reason)
    struct.pack_into("<I", block, 0x114, 1)
    # The node's only module so far: its list and the entry's link point at each other.
    struct.pack_into("<QQ", block, 0xA0, node, node)
    struct.pack_into("<QQ", block, NODE_OFFSET, address + 0xA0, address + 0xA0)
    struct.pack_into("<i", block, NODE_OFFSET + 0x38, MAPPED)
    memory.write(address, block)
    entry = LDR_DATA_TABLE_ENTRY(memory, address)
    ldr = loader.peb_ldr(memory)
    ldr.InLoadOrderModuleList.insert_tail(entry.InLoadOrderLinks)
    ldr.InMemoryOrderModuleList.insert_tail(entry.InMemoryOrderLinks)
    bucket = loader.data + HASH_TABLE + 16 * (name_hash % HASH_BUCKETS)
    LIST_ENTRY(memory, bucket).insert_tail(entry.HashLinks)
    indexes.add(loader, memory, address)
    exports = export_table(memory, base)
    module = Module(base, headers.size_of_image, path, name, entry, headers, exports, origin.source)
    module.blocks.append(address)
    loader.add(module)
    _read_directories(thread, module)
    if thread.log.wants(ImageLoaded):
        importer = loader.modules.get(origin.parent)
        thread.log.emit(
            ImageLoaded(
                path=path,
                base=base,
                size=module.size,
                source=origin.source,
                importer=importer.name if importer is not None else "",
            )
        )
    return module


def _read_directories(thread: UserThread, module: Module) -> None:
    read = reader(thread.memory, module.base)
    config = directories.load_config(read, module.headers)
    if config is not None:
        module.dependent_load_flags = config.dependent_load_flags
        module.entry.DependentLoadFlags = config.dependent_load_flags
    module.tls = directories.tls_directory(read, module.headers)
    if module.tls is not None:
        callbacks = directories.tls_callbacks(read, module.headers, module.tls, module.base)
        module.tls_callbacks = tuple(module.base + rva for rva in callbacks)


def remove(thread: UserThread, loader: Loader, module: Module) -> None:
    """Unlink the entry from every list and index (LdrpRemoveDataTableEntry)."""
    entry = module.entry
    for links in (entry.InLoadOrderLinks, entry.InMemoryOrderLinks, entry.HashLinks, entry.NodeModuleLink):
        links.remove()
    if int(entry.InInitializationOrderLinks.Flink):
        entry.InInitializationOrderLinks.remove()
    indexes.remove(loader, thread.memory, entry.address)
    loader.forget(module)


def append_to_initialization_order(loader: Loader, module: Module) -> None:
    """Link at the tail of InInitializationOrderModuleList, once."""
    links = module.entry.InInitializationOrderLinks
    if not int(links.Flink):
        loader.peb_ldr(module.entry.memory).InInitializationOrderModuleList.insert_tail(links)


def initialization_order(loader: Loader, thread: UserThread) -> list[Module]:
    """The modules in the order their init routines ran, as the list in memory has them."""
    offset = LDR_DATA_TABLE_ENTRY.offset("InInitializationOrderLinks")
    head = loader.peb_ldr(thread.memory).InInitializationOrderModuleList
    return _modules(loader, thread, head, offset)


def load_order(loader: Loader, thread: UserThread) -> list[Module]:
    """The modules in the order they were loaded, as the list in memory has them."""
    return _modules(loader, thread, loader.peb_ldr(thread.memory).InLoadOrderModuleList, 0)


def _modules(loader: Loader, thread: UserThread, head: LIST_ENTRY, offset: int) -> list[Module]:
    entries = (LDR_DATA_TABLE_ENTRY(thread.memory, link - offset) for link in head.iterate())
    found = (loader.modules.get(int(entry.DllBase)) for entry in entries)
    return [module for module in found if module is not None]
