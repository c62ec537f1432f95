"""advapi32.dll: registry, security and services for programs; most of it moved to kernelbase and sechost.

On Windows its Reg… functions jump to kernelbase; here `um.images` makes them forwarders.

What stands here is advapi32's own. Begin with `registry`.
"""

# ruff: noqa: F401 - importing a module declares its exports
from ntos.dll.advapi32 import account, crypt, logon, random, registry, sddl
