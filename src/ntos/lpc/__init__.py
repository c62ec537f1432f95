"""Local procedure calls: ports through which processes send each other messages, objects, memory and identity.

In Windows every conversation between a program and a system process goes through ALPC: a server makes a named
connection port; a client connects, and each gets a communication port of its own; then messages go back and forth,
and the kernel vouches for who sent them. A request is one KALPC_MESSAGE from the moment it is sent until it is
answered. With it can go a view of a shared section, handles, a security context to impersonate. The calls of NT 3.1
(NtConnectPort, NtRequestWaitReplyPort, …) are the same machinery with a plainer face.

Here ports, messages, views and the rest are true bytes in pool, linked as in NT, and beside each stands one Python
object. Threads meet messages in `queue`, which is all the waiting there is; nothing is polled. Who goes leaves
nothing behind: closing a port frees its messages, wakes who waits and tells the other side.

Begin with `port` and `message`, then `queue` and `exchange`; `connect` and `close` are the beginning and the end of a
connection; `attributes`, `section`, `view` and `security` are what goes with messages; `legacy` and
`legacy_connect` are the old calls.
"""

from ntos.lpc.boot import install
from ntos.lpc.close import exit_thread
from ntos.lpc.exception_port import set_exception_port, tell_of_end
from ntos.lpc.port import ALPC_PORT_TYPE, Port
from ntos.lpc.view import initialize_process

__all__ = [
    "ALPC_PORT_TYPE", "Port", "exit_thread", "initialize_process", "install", "set_exception_port", "tell_of_end",
]  # fmt: skip
