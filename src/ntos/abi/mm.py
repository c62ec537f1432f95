"""Memory: page protections, allocation types, section attributes."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

# Page protections
PAGE_NOACCESS: Final = 1
PAGE_READONLY: Final = 2
PAGE_READWRITE: Final = 4
PAGE_WRITECOPY: Final = 8
PAGE_EXECUTE: Final = 0x10
PAGE_EXECUTE_READ: Final = 0x20
PAGE_EXECUTE_READWRITE: Final = 0x40
PAGE_EXECUTE_WRITECOPY: Final = 0x80
PAGE_GUARD: Final = 0x100
PAGE_NOCACHE: Final = 0x200
PAGE_WRITECOMBINE: Final = 0x400
PAGE_REVERT_TO_FILE_MAP: Final = 0x80000000
PAGE_TARGETS_NO_UPDATE: Final = 0x40000000
PAGE_TARGETS_INVALID: Final = 0x40000000
PAGE_ENCLAVE_UNVALIDATED: Final = 0x20000000

# Allocation types, states and kinds
MEM_COMMIT: Final = 0x1000
MEM_RESERVE: Final = 0x2000
MEM_REPLACE_PLACEHOLDER: Final = 0x4000
MEM_RESERVE_PLACEHOLDER: Final = 0x40000
MEM_DECOMMIT: Final = 0x4000
MEM_RELEASE: Final = 0x8000
MEM_FREE: Final = 0x10000
MEM_PRIVATE: Final = 0x20000
MEM_MAPPED: Final = 0x40000
MEM_RESET: Final = 0x80000
MEM_TOP_DOWN: Final = 0x100000
MEM_WRITE_WATCH: Final = 0x200000
MEM_PHYSICAL: Final = 0x400000
MEM_ROTATE: Final = 0x800000
MEM_DIFFERENT_IMAGE_BASE_OK: Final = 0x800000
MEM_RESET_UNDO: Final = 0x1000000
MEM_LARGE_PAGES: Final = 0x20000000
MEM_4MB_PAGES: Final = 0x80000000
MEM_IMAGE: Final = 0x1000000
MEM_COALESCE_PLACEHOLDERS: Final = 1
MEM_PRESERVE_PLACEHOLDER: Final = 2
MEM_UNMAP_WITH_TRANSIENT_BOOST: Final = 1

# Section attributes
SEC_HUGE_PAGES: Final = 0x20000
SEC_BASED: Final = 0x200000
SEC_NO_CHANGE: Final = 0x400000
SEC_FILE: Final = 0x800000
SEC_IMAGE: Final = 0x1000000
SEC_PROTECTED_IMAGE: Final = 0x2000000
SEC_RESERVE: Final = 0x4000000
SEC_COMMIT: Final = 0x8000000
SEC_NOCACHE: Final = 0x10000000
SEC_GLOBAL: Final = 0x20000000
SEC_WRITECOMBINE: Final = 0x40000000
SEC_LARGE_PAGES: Final = 0x80000000
SEC_IMAGE_NO_EXECUTE: Final = 0x11000000

# Views: what MapViewOfFile asks
FILE_MAP_COPY: Final = 1
FILE_MAP_WRITE: Final = 2
FILE_MAP_READ: Final = 4
FILE_MAP_EXECUTE: Final = 0x20
FILE_MAP_ALL_ACCESS: Final = 0xF001F
FILE_MAP_RESERVE: Final = 0x80000000
FILE_MAP_LARGE_PAGES: Final = 0x20000000
FILE_MAP_TARGETS_INVALID: Final = 0x40000000

# Sizes and bounds of the reference build
PAGE_SIZE: Final = 0x1000
ALLOCATION_GRANULARITY: Final = 0x10000
LOWEST_USER_ADDRESS: Final = 0x10000
HIGHEST_USER_ADDRESS: Final = 0x7FFFFFFEFFFF
USER_PROBE_ADDRESS: Final = 0x7FFFFFFF0000
SYSTEM_RANGE_START: Final = 0xFFFF800000000000
USER_SHARED_DATA: Final = 0x7FFE0000
KI_USER_SHARED_DATA: Final = 0xFFFFF78000000000

# Process heaps
HEAP_NO_SERIALIZE: Final = 1
HEAP_GROWABLE: Final = 2
HEAP_GENERATE_EXCEPTIONS: Final = 4
HEAP_ZERO_MEMORY: Final = 8
HEAP_REALLOC_IN_PLACE_ONLY: Final = 0x10
HEAP_TAIL_CHECKING_ENABLED: Final = 0x20
HEAP_FREE_CHECKING_ENABLED: Final = 0x40
HEAP_CREATE_ENABLE_EXECUTE: Final = 0x40000


class MEMORY_INFORMATION_CLASS(IntEnum):
    """What NtQueryVirtualMemory can tell."""

    MemoryBasicInformation           = 0
    MemoryWorkingSetInformation      = 1
    MemoryMappedFilenameInformation  = 2
    MemoryRegionInformation          = 3
    MemoryWorkingSetExInformation    = 4
    MemorySharedCommitInformation    = 5
    MemoryImageInformation           = 6
    MemoryRegionInformationEx        = 7
    MemoryPrivilegedBasicInformation = 8
    MemoryEnclaveImageInformation    = 9
    MemoryBasicInformationCapped     = 10


class SECTION_INFORMATION_CLASS(IntEnum):
    """What NtQuerySection can tell."""

    SectionBasicInformation         = 0
    SectionImageInformation         = 1
    SectionRelocationInformation    = 2
    SectionOriginalBaseInformation  = 3
    SectionInternalImageInformation = 4


class VIRTUAL_MEMORY_INFORMATION_CLASS(IntEnum):
    """What NtSetInformationVirtualMemory can do."""

    VmPrefetchInformation       = 0
    VmPagePriorityInformation   = 1
    VmCfgCallTargetInformation  = 2
    VmPageDirtyStateInformation = 3
    VmImageHotPatchInformation  = 4
