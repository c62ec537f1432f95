"""kernel32.dll: the facade over kernelbase, and what never moved there.

On Windows most of kernel32's exports lead to kernelbase; here `um.images` makes them forwarders.

What stands here is kernel32's own: the first function of every thread, DOS dates, snapshots, volumes,
profiles, atoms.

Begin with `start`.
"""

# ruff: noqa: F401 - importing a module declares its exports
from ntos.dll.kernel32 import (
    atom,
    binary_type,
    dostime,
    entry,
    legacy,
    mailslot,
    processors,
    profile,
    start,
    toolhelp,
    volume_label,
    winexec,
)
