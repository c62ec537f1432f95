"""seclogon.dll: the Secondary Logon service, in a svchost.exe.

It makes processes for CreateProcessWithLogonW and CreateProcessWithTokenW: it is trusted to assign tokens, its clients
are not. The new process is the client's child all the same: the service names the client as its parent.

Begin with `service`, then `create`.
"""

from ntos.dll.seclogon import service

__all__ = ["service"]
