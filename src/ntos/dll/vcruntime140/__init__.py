"""vcruntime140.dll: what the Visual C++ compiler itself calls: exceptions, RTTI, memory blocks, setjmp.

On Windows a C++ `throw` raises the exception 0xE06D7363; the unwinder asks each frame's language handler,
`__CxxFrameHandler3`, which reads the compiler's tables: states by address, `try` blocks, catch types, destructors.
A catch block is a function of its own ("funclet") that runs on top of the stack before the frames below are given up.

Here the handler is Python over those tables (`tables`), with ntdll's unwinder underneath (consolidated unwinds,
frames of Python exports). msvcrt shares it. Memory and search routines and setjmp are machine code of `um.leaf`.

Begin with `handler` (search and unwinding), then `catching` (a catch block runs), `matching` (types and objects).
"""

from ntos.dll.vcruntime140 import catching, handler, rtti, support, throwing, type_info

__all__ = ["catching", "handler", "rtti", "support", "throwing", "type_info"]
