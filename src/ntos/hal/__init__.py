"""The machine: physical memory, page tables, clock, randomness, and the seam to a CPU.

Windows' HAL hides one board from the kernel; ours hides where instructions run. Physical memory is one private
anonymous mapping of the host, page tables are true bytes in it, and a *backend* runs guest code over those pages
and **returns** why it stopped (`cpu.Trap`). No kernel code ever runs inside an engine's callback, so a guest
thread can block in the middle of a service, and another engine can take Unicorn's place.

Begin with `cpu` (the seam), then `physical` and `paging`; `unicorn/` is the engine, `scripted/` a backend that
plays back a list of traps so that kernel tests need no engine.
"""
