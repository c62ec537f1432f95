"""Thread pools: routines that are to be called soon, at a time, or when something is signalled.

On Windows a pool is a worker factory, a kernel object that makes threads as its completion port needs them; waits
are packets the kernel posts to that port, timers stand in a tree of the pool. The older Rtl functions became users
of the newer Tp ones in Windows Vista.

Here a pool has a completion port and worker threads, which a posted item makes when none is idle; they end after a
while without work. Waits and timers are watched by threads of their own, up to 63 objects each, as before Vista.
What the program gets is the address of a block in its heap; what it stands for is a Python object.

Begin with `pool` (items and workers), then `watch` (waits and timers); `api` and `rtl` are the doors.
"""

from ntos.dll.ntdll.tp import api, callback, members, pool, rtl, watch

__all__ = ["api", "callback", "members", "pool", "rtl", "watch"]
