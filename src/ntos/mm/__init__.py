"""Memory management: what an address means, process by process, and where its pages come from.

Windows keeps two records of an address space. VADs say what was asked for: ranges reserved, committed,
mapped, in a tree that begins at the process. Page tables say what is there now. Between them stands the page
fault: it asks the VAD what an address was meant to be and makes the page, of zeroes, of a file, or as a copy
of what processes share. Sections are the third record: a control area for each file, image or piece of
shared memory, with prototype entries through which all its views find the same frames.

All three are true bytes here, in the forms NT gives them: MMVADs in pool, page-table entries in their
hardware, software, transition and prototype forms, SECTION, CONTROL_AREA, SUBSECTION and SEGMENT. Beside
each node stands one Python object with the fields decoded, because a fault must cost microseconds; only
`vad`, `space` and `control` change either, always both. Nothing is paged out: commit is bounded by memory.

Begin with `protect` (the three spellings of a protection), then `vad`, `space` and `fault`; `virtual` is
private memory, `control`, `image` and `datafile` are what sections lead to, `view` maps them. `services` and
`section_services` are the system services; `allocate`, `stack` and `lifetime` are for the rest of the
kernel.
"""

from ntos.mm import session
from ntos.mm.allocate import allocate, commit, free, protect
from ntos.mm.backing import Backing, BytesBacking
from ntos.mm.clone import clone_address_space
from ntos.mm.control import ControlArea
from ntos.mm.lifetime import attach, delete_address_space, release_tables
from ntos.mm.manager import MemoryManager, initialize, manager
from ntos.mm.query import query
from ntos.mm.section import (
    SECTION_TYPE,
    Section,
    create_image_section,
    create_section,
    flush_image_section,
)
from ntos.mm.space import AddressSpace, create_address_space, space_of
from ntos.mm.stack import UserStack, allocate_peb, allocate_teb, free_stack, free_teb, reserve_stack
from ntos.mm.view import map_view, unmap_view

__all__ = [
    "SECTION_TYPE", "AddressSpace", "Backing", "BytesBacking", "ControlArea", "MemoryManager", "Section",
    "UserStack", "allocate", "allocate_peb", "allocate_teb", "attach", "clone_address_space", "commit",
    "create_address_space",
    "create_image_section", "create_section", "delete_address_space", "flush_image_section", "free",
    "free_stack",
    "free_teb", "initialize", "manager", "map_view", "protect", "query", "release_tables", "reserve_stack",
    "session", "space_of", "unmap_view",
]  # fmt: skip
