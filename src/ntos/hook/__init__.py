"""Hooks: Python called when guest code calls a function, as a detour library or an import patcher does it.

On Windows a hook overwrites the first bytes of a function with a way to its own code (an inline hook), or the address
of the function in the import tables of those who call it (an IAT hook). What the function began with is kept in a
trampoline, so that the hook can still call it. The pages it writes are copied on write: other processes do not see it.

Here it is the same bytes. The patch is one byte, `int3`, so that registers, flags and jumps into the function stay as
they are; the trampoline stands near by in memory of the process (`site.py`). A breakpoint of ours is a door like a
system call (`ke.trap`, `Kernel.planted`): no engine callback, and where no hook is set nothing is asked anywhere. What
a function is called with is decoded by the signature of the Python export or service, if it is one (`call.py`).

Begin with `Machine.hook`, then `manager.py` (which functions, in which processes, since when) and `site.py`.
"""

from ntos.hook.call import Call as Call
from ntos.hook.manager import Hook as Hook
from ntos.hook.manager import Hooks as Hooks
