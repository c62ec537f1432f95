"""msvcrt.dll: the C runtime of Visual C++ 6 that Windows kept for itself, and that old programs and mingw use.

On Windows it is a separate DLL with separate state, exported variables (`_iob`, `_fmode`, `_environ`) and the printf
of 1998. Here the bodies are ucrtbase's (see there): importing that package registers them for both names. This one
adds what only msvcrt has: its start-up, its variables as true data exports, its printf and scanf families.

A process that loads both runtimes has one set of streams and descriptors; on Windows it has two.
"""

from ntos.dll import ucrtbase, vcruntime140
from ntos.dll.msvcrt import formatted, startup

__all__ = ["formatted", "startup", "ucrtbase", "vcruntime140"]
