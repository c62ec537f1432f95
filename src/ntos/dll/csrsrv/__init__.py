r"""csrsrv.dll: the server side of the Windows subsystem, in csrss.exe.

csrss keeps a CSR_PROCESS and CSR_THREADs, in its own heap, of every Windows process of its session: who creates a
process sends a message about it (CreateProcess's fifth stage), and the new process connects to `\Windows\ApiPort` when
kernelbase starts in it. The kernel tells csrss of each thread's end through the exception port. What messages mean is
for server DLLs (`basesrv`) to say; native programs know nothing of all this.

Begin with `server`, then `clients`.
"""

# ruff: noqa: F401 - importing a module declares its exports
from ntos.dll.csrsrv import clients, server, session_manager
