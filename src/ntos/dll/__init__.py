"""The DLLs of the system, written in Python.

On Windows these are machine code in System32. A process never sees the difference: each package here becomes a
true PE image of that name, its exports stubs that trap to the functions declared with `@export`.

A package is a DLL; a module in it is a family of functions. They call one another as their originals do
(`kernelbase` on `ntdll`, never back) and reach the kernel only through its system services (`ntos.um.nt`).

Begin with `ntdll.ldr`, which starts every process, and `ntdll.exception`.
"""
