"""Phase 0 and phase 1: the order in which the kernel comes up.

Windows' loader hands ntoskrnl a memory map; phase 0 makes what everything else stands on (memory, object manager,
security, processes), phase 1 the rest (I/O, registry, system processes).

So here: `kernel_image` lays out ntoskrnl's
image with its global variables at the public symbols' addresses, `shared_data` fills KUSER_SHARED_DATA,
`processor` the KPCR; `phase0` and `phase1` say who comes when.
"""
