"""Key control blocks: what the kernel keeps in memory for each open key, and debuggers and Volatility read.

A block names the key (NameBlock, eight-bit where the name allows), its parent (ParentKcb) and its open
bodies; it lives while a body or a child's block refers to it.
"""

from __future__ import annotations

from ntos.abi.layout.registry import CM_KEY_BODY, CM_KEY_CONTROL_BLOCK, CM_NAME_CONTROL_BLOCK
from ntos.abi.registry import KEY_COMP_NAME, KEY_SYM_LINK, KEY_VOLATILE
from ntos.cm.node import KeyNode
from ntos.ke.kernel import Kernel
from ntos.rtl.text import to_utf16, upcase

TAG = b"CMkb"
NAME_TAG = b"CMnb"
BODIES = 4
"""KeyBodyArray's slots; further bodies hang in KeyBodyListHead."""
NAME_OFFSET = CM_NAME_CONTROL_BLOCK.offset("Name")
VOLATILE_CELL = 0x8000_0000


def reference(kernel: Kernel, blocks: dict[int, KeyNode], node: KeyNode) -> int:
    """The key's control block, made if need be, with one reference more."""
    address = node.control_block
    if address:
        view = CM_KEY_CONTROL_BLOCK(kernel.memory, address)
        view.RefCount = int(view.RefCount) + 1
        return address
    parent = reference(kernel, blocks, node.parent) if node.parent is not None else 0
    address = kernel.pool.allocate(CM_KEY_CONTROL_BLOCK.size, TAG, paged=True)
    view = CM_KEY_CONTROL_BLOCK(kernel.memory, address)
    view.RefCount = 1
    view.TotalLevels = node.depth + 1
    view.ConvKey.Hash = _hash(node.path)
    view.KeyCell = VOLATILE_CELL | 0x20 if node.volatile else 0x20
    view.ParentKcb = parent
    view.NameBlock = _name_block(kernel, node.name)
    view.KeyBodyListHead.initialize()
    view.KCBUoWListHead.initialize()
    view.DelayQueueEntry.initialize()
    node.control_block = address
    blocks[address] = node
    refresh(kernel, node)
    return address


def dereference(kernel: Kernel, blocks: dict[int, KeyNode], address: int) -> None:
    """One reference less; the last one frees the block and lets go of the parent's."""
    view = CM_KEY_CONTROL_BLOCK(kernel.memory, address)
    left = int(view.RefCount) - 1
    view.RefCount = left
    if left:
        return
    parent = int(view.ParentKcb)
    blocks.pop(address).control_block = 0
    kernel.pool.free(int(view.NameBlock))
    kernel.pool.free(address)
    if parent:
        dereference(kernel, blocks, parent)


def refresh(kernel: Kernel, node: KeyNode) -> None:
    """Write what the block says of the key's present state; nothing where nobody has it open."""
    if not node.control_block:
        return
    view = CM_KEY_CONTROL_BLOCK(kernel.memory, node.control_block)
    view.SubKeyCount = node.child_count
    view.ValueList.Count = node.value_count
    view.KcbLastWriteTime = node.last_write
    view.KcbMaxNameLen = node.largest_name
    view.KcbMaxValueNameLen = node.largest_value_name
    view.KcbMaxValueDataLen = node.largest_data
    flags = (KEY_VOLATILE if node.volatile else 0) | (KEY_SYM_LINK if node.is_link else 0)
    view.Flags = flags | (KEY_COMP_NAME if _is_narrow(node.name) else 0)
    view.KcbUserFlags = node.user_flags
    view.Discarded = int(node.deleted)


def rename(kernel: Kernel, node: KeyNode) -> None:
    """The key has another name now."""
    if node.control_block:
        view = CM_KEY_CONTROL_BLOCK(kernel.memory, node.control_block)
        kernel.pool.free(int(view.NameBlock))
        view.NameBlock = _name_block(kernel, node.name)
        view.ConvKey.Hash = _hash(node.path)


def attach(kernel: Kernel, address: int, body: CM_KEY_BODY) -> None:
    """Enter an open body into the block."""
    view = CM_KEY_CONTROL_BLOCK(kernel.memory, address)
    body.KeyControlBlock = address
    body.KeyBodyList.initialize()
    slots = view.KeyBodyArray
    for index in range(BODIES):
        if not slots[index]:
            slots[index] = body.address
            return
    view.KeyBodyListHead.insert_tail(body.KeyBodyList)


def detach(kernel: Kernel, body: CM_KEY_BODY) -> None:
    """Take a body out again."""
    slots = CM_KEY_CONTROL_BLOCK(kernel.memory, int(body.KeyControlBlock)).KeyBodyArray
    for index in range(BODIES):
        if slots[index] == body.address:
            slots[index] = 0
            return
    body.KeyBodyList.remove()


def _is_narrow(name: str) -> bool:
    return all(character < "\u0100" for character in name)


def _name_block(kernel: Kernel, name: str) -> int:
    narrow = _is_narrow(name)
    data = name.encode("latin-1") if narrow else to_utf16(name)
    address = kernel.pool.allocate(NAME_OFFSET + max(len(data), 6), NAME_TAG, paged=True)
    view = CM_NAME_CONTROL_BLOCK(kernel.memory, address)
    view.Compressed = int(narrow)
    view.RefCount = 1
    view.ConvKey.Hash = _hash(name)
    view.NameLength = len(data)
    kernel.memory.write(address + NAME_OFFSET, data)
    return address


def _hash(path: str) -> int:
    """37 times what came before plus the upper-case character, backslashes left out
    (CmpHashUnicodeComponent).
    """
    value = 0
    for character in upcase(path):
        if character != "\\":
            value = (value * 37 + ord(character)) & 0xFFFF_FFFF
    return value
