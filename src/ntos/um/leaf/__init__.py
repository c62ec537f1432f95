"""Leaf routines: the parts of a DLL that are real machine code.

Windows: everything in ntdll is machine code. Here most of a DLL is Python behind a trap, which costs some
12 microseconds a call. Routines that are called a million times (memory, strings, heap, locks, TLS) and need
nothing but memory and a few system services are therefore C, compiled by `ntos.um.leaf.build` into small PE
images that are committed beside this file. Their sections become the first sections of the synthesised DLL of
that name, at the same relative addresses; their relocations, exports and unwind data go with them.

Begin with `src/ntdll.c`; the contracts with Python code stand in `README.md`.
"""

from __future__ import annotations

from ntos.um.leaf.image import Leaf, load

__all__ = ["Leaf", "load"]
