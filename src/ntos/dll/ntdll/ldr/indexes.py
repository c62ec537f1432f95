"""The two trees that find modules: by base address, and by what tells images apart before they are compared.

LdrpModuleBaseAddressIndex and LdrpMappingInfoIndex: red-black trees through BaseAddressIndexNode and
MappingInfoIndexNode of each LDR_DATA_TABLE_ENTRY, ordered by DllBase, and by TimeDateStamp and SizeOfImage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.user import LDR_DATA_TABLE_ENTRY
from ntos.dll.ntdll import guest
from ntos.rtl.red_black import RedBlackTree

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.abi.memory import Memory
    from ntos.dll.ntdll.ldr.state import Loader

    Key = Callable[[Memory, int], tuple[int, ...]]

BASE_ADDRESS_INDEX, MAPPING_INFO_INDEX = 0x320, 0x330
"""Where in ntdll's data the trees begin."""
BASE_ADDRESS_NODE = LDR_DATA_TABLE_ENTRY.offset("BaseAddressIndexNode")
MAPPING_INFO_NODE = LDR_DATA_TABLE_ENTRY.offset("MappingInfoIndexNode")
DLL_BASE = LDR_DATA_TABLE_ENTRY.offset("DllBase")
SIZE_OF_IMAGE = LDR_DATA_TABLE_ENTRY.offset("SizeOfImage")
TIME_DATE_STAMP = LDR_DATA_TABLE_ENTRY.offset("TimeDateStamp")


def _base(memory: Memory, entry: int) -> tuple[int, ...]:
    return (guest.u64(memory, entry + DLL_BASE),)


def _mapping(memory: Memory, entry: int) -> tuple[int, ...]:
    return guest.u32(memory, entry + TIME_DATE_STAMP), guest.u32(memory, entry + SIZE_OF_IMAGE)


INDEXES: tuple[tuple[int, int, Key], ...] = (
    (BASE_ADDRESS_INDEX, BASE_ADDRESS_NODE, _base),
    (MAPPING_INFO_INDEX, MAPPING_INFO_NODE, _mapping),
)


def add(loader: Loader, memory: Memory, entry: int) -> None:
    """Hang an entry into both trees; of equal keys the newer one follows."""
    for index, offset, key_of in INDEXES:
        tree, key = RedBlackTree(memory, loader.data + index), key_of(memory, entry)
        parent, here, right = 0, tree.root, False
        while here:
            parent, right = here, key >= key_of(memory, here - offset)
            here = tree.child(here, right=right)
        tree.insert(parent, entry + offset, right=right)


def remove(loader: Loader, memory: Memory, entry: int) -> None:
    """Take an entry out of both."""
    for index, offset, _ in INDEXES:
        RedBlackTree(memory, loader.data + index).remove(entry + offset)
