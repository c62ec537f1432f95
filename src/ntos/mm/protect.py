"""Page protections in their three spellings: PAGE_*, the five bits Mm keeps, and page-table-entry bits.

The five bits stand in VADs, subsections and page-table entries that are not valid; `MmProtectToValue` turns
them into PAGE_*. Entries that are valid keep the lower three of them in bits 60-62
(`MMPTE_HARDWARE.WsleProtection`), because PAGE_EXECUTE and PAGE_EXECUTE_READ, say, are the same to the
processor.
"""

from __future__ import annotations

from ntos.abi.mm import (
    PAGE_ENCLAVE_UNVALIDATED,
    PAGE_EXECUTE,
    PAGE_EXECUTE_READ,
    PAGE_EXECUTE_READWRITE,
    PAGE_EXECUTE_WRITECOPY,
    PAGE_GUARD,
    PAGE_NOACCESS,
    PAGE_NOCACHE,
    PAGE_READONLY,
    PAGE_READWRITE,
    PAGE_TARGETS_NO_UPDATE,
    PAGE_WRITECOMBINE,
    PAGE_WRITECOPY,
)
from ntos.abi.status import STATUS, NtError
from ntos.hal.paging import ACCESSED, COPY_ON_WRITE, DIRTY, NO_EXECUTE, PRESENT, USER, WRITABLE

MM_ZERO_ACCESS = 0
MM_READONLY = 1
MM_EXECUTE = 2
MM_EXECUTE_READ = 3
MM_READWRITE = 4
MM_WRITECOPY = 5
MM_EXECUTE_READWRITE = 6
MM_EXECUTE_WRITECOPY = 7
MM_NOCACHE = 0x08
MM_GUARD_PAGE = 0x10
MM_DECOMMIT = 0x10
"""In an entry that is not valid: this page of a committed range is not committed."""
MM_WRITECOMBINE = 0x18
MM_NOACCESS = 0x18

_BASE_VALUES = (
    PAGE_NOACCESS,
    PAGE_READONLY,
    PAGE_EXECUTE,
    PAGE_EXECUTE_READ,
    PAGE_READWRITE,
    PAGE_WRITECOPY,
    PAGE_EXECUTE_READWRITE,
    PAGE_EXECUTE_WRITECOPY,
)
_MODIFIERS = (0, PAGE_NOCACHE, PAGE_GUARD, PAGE_WRITECOMBINE)
PROTECT_TO_VALUE = tuple(
    value if value == PAGE_NOACCESS else value | modifier for modifier in _MODIFIERS for value in _BASE_VALUES
)
"""MmProtectToValue: five bits to PAGE_*."""

EXECUTABLE = frozenset((MM_EXECUTE, MM_EXECUTE_READ, MM_EXECUTE_READWRITE, MM_EXECUTE_WRITECOPY))
WRITES = frozenset((MM_READWRITE, MM_EXECUTE_READWRITE))
COPIES = frozenset((MM_WRITECOPY, MM_EXECUTE_WRITECOPY))
AFTER_COPY = {MM_WRITECOPY: MM_READWRITE, MM_EXECUTE_WRITECOPY: MM_EXECUTE_READWRITE}
WITHOUT_EXECUTE = (
    0,
    MM_READONLY,
    MM_READONLY,
    MM_READONLY,
    MM_READWRITE,
    MM_WRITECOPY,
    MM_READWRITE,
    MM_WRITECOPY,
)

WRITE_THROUGH = 1 << 3
CACHE_DISABLE = 1 << 4
PROTOTYPE = 1 << 10
"""Not valid: the page is found through the VAD or a prototype entry. Valid: the frame belongs to a section.
"""
TRANSITION = 1 << 11
"""Not valid, and bit 10 clear: the frame is still there."""
WRITE = 1 << 11
"""Valid: the page may be written; while WRITABLE is clear it is clean, and the first write sets WRITABLE and
DIRTY.
"""
LOOKUP = 0xFFFF_FFFF_0000_0000 | PROTOTYPE
"""A prototype entry that says: ask the VAD (MI_PTE_LOOKUP_NEEDED); the protection stands in bits 5-9."""
PROTECTION_SHIFT = 5
VALID_PROTECTION_SHIFT = 60

NEED = (1, 2, 0, 0, 0, 0, 0, 0, 4)
"""Access of a fault (0 read, 1 write, 8 execute) to the bit of ALLOWED."""


def _allowed(protection: int) -> int:
    base = protection & 7
    if base == 0 or (protection & MM_GUARD_PAGE and not protection & MM_NOCACHE):
        return 0
    return 1 | (2 if base >= MM_READWRITE else 0) | (4 if base in EXECUTABLE else 0)


def _cache_bits(protection: int) -> int:
    return (0, CACHE_DISABLE, 0, WRITE_THROUGH)[protection >> 3]


def _valid_bits(protection: int) -> int:
    base = protection & 7
    bits = PRESENT | USER | ACCESSED | base << VALID_PROTECTION_SHIFT | _cache_bits(protection)
    if base not in EXECUTABLE:
        bits |= NO_EXECUTE
    if base in WRITES:
        bits |= WRITE
    if base in COPIES:
        bits |= COPY_ON_WRITE
    return bits


ALLOWED = tuple(_allowed(protection) for protection in range(32))
"""What each protection allows: 1 read, 2 write (also by copying), 4 execute; 0 for guard pages and no
access.
"""
CLEAN_BITS = tuple(_valid_bits(protection) for protection in range(32))
"""Bits of a valid entry whose page nobody has written through this entry."""
DIRTY_BITS = tuple(bits | WRITABLE | DIRTY if bits & WRITE else bits for bits in CLEAN_BITS)
"""Bits of a valid entry for a page that has no other copy: demand-zero memory is dirty from the start."""


def from_page(value: int) -> int:
    """The five bits for a PAGE_* value, INVALID_PAGE_PROTECTION where it is none (MiMakeProtectionMask)."""
    value &= ~(PAGE_TARGETS_NO_UPDATE | PAGE_ENCLAVE_UNVALIDATED)
    base, modifier = value & 0xFF, value & ~0xFF
    if base not in _BASE_VALUES or modifier not in _MODIFIERS or (base == PAGE_NOACCESS and modifier):
        raise NtError(STATUS.INVALID_PAGE_PROTECTION)
    if base == PAGE_NOACCESS:
        return MM_NOACCESS
    return _BASE_VALUES.index(base) | _MODIFIERS.index(modifier) << 3


def is_guard(protection: int) -> bool:
    """Whether pages of this protection raise GUARD_PAGE_VIOLATION on first use."""
    return protection & 0x18 == MM_GUARD_PAGE and protection & 7 != 0


def of_valid(entry: int) -> int:
    """The five bits of a valid page-table entry."""
    protection = entry >> VALID_PROTECTION_SHIFT & 7
    if entry & CACHE_DISABLE:
        protection |= MM_NOCACHE
    if entry & WRITE_THROUGH:
        protection |= MM_WRITECOMBINE
    return protection


def of_entry(entry: int, default: int) -> int:
    """The five bits of any page-table entry; `default` is what an empty one means."""
    if entry & PRESENT:
        return of_valid(entry)
    return entry >> PROTECTION_SHIFT & 0x1F if entry else default


def software(protection: int) -> int:
    """The entry of a committed page that is to be made of zeroes when first used."""
    return protection << PROTECTION_SHIFT


def is_compatible(granted: int, wanted: int) -> bool:
    """Whether memory mapped with `granted` may be given `wanted` (MmCompatibleProtectionMask)."""
    wanted_base, granted_base = wanted & 7, granted & 7
    if wanted_base == 0:
        return True
    if wanted_base in EXECUTABLE and granted_base not in EXECUTABLE:
        return False
    if wanted_base in WRITES and granted_base not in WRITES:
        return False
    return granted_base != MM_EXECUTE or wanted_base == MM_EXECUTE
