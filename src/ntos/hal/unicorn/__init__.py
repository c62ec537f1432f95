"""The Unicorn engine behind the CPU seam: one engine for the machine, translating through our page tables.

QEMU's translator keys code by physical page, so a DLL translated for one process is already translated for the
next; a change of address space is a TLB flush. The engine asks for each missing translation (`UC_HOOK_TLB_FILL`)
and we answer by walking the true tables. User code runs at CPL 3, entered once through an `iretq`, so privileged
instructions fault as they should.

`library` is the C interface, `context` a thread's registers, `engine` the backend.
"""
