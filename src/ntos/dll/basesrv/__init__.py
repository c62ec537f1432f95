"""basesrv.dll: csrss's server DLL for the Win32 base API.

On Windows it answers what kernel32 and kernelbase ask of the subsystem: processes and threads that are made, temporary
file names, shutdown parameters, drive letters.

Here it is told of processes and threads (`process`); nothing else is asked of it.
"""

# ruff: noqa: F401 - importing a module declares its exports
from ntos.dll.basesrv import process
