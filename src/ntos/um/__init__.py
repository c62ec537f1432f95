"""The ground for user-mode modules written in Python: `@export`, the thread they run on, and their PE images.

On Windows kernel32.dll is machine code; here its functions are Python, but the DLL is a true PE image in guest
memory all the same: an export table, one small stub per function that ends in `syscall` with a number of table 2,
unwind data, a version resource. `GetProcAddress`, breakpoints, stack walks and the loader need no special case, and
a real PE of the same name can take its place. A Python DLL reaches the kernel only through its system services
(`nt`), with guest addresses, like any other user-mode code.

Begin with `export` (what an annotated function becomes), `thread` (what it may do), `images` (how the PE is made).
`leaf/` holds the routines too hot for a trap, compiled to machine code.
"""
