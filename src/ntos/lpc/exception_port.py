"""The exception port of a process: the Windows subsystem's port, told when a thread of its clients ends.

csrss sets it on each process it is told of; the kernel keeps it in EPROCESS.ExceptionPortData.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.alpc import LPC_CLIENT_DIED
from ntos.abi.status import STATUS, Denied, NtError
from ntos.lpc.message import Message, client_id
from ntos.lpc.port import CONNECTION, Port
from ntos.lpc.queue import dispatch

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread


def set_exception_port(process: Process, port: Port) -> None:
    """Give the process its port; it has one for life."""
    eprocess = process.eprocess
    if eprocess.ExceptionPortData:
        raise NtError(STATUS.PORT_ALREADY_SET, Denied("the process has an exception port", {"process": process.id}))
    if port.kind != CONNECTION:
        raise NtError(STATUS.INVALID_PORT_HANDLE, Denied("the port is not a server's", {"process": process.id}))
    ob.reference(port)
    eprocess.ExceptionPortData = port.address


def tell_of_end(thread: Thread, *, last: bool) -> None:
    """A thread of the process ends; after the last one the process has no exception port."""
    process = thread.process
    address = int(process.eprocess.ExceptionPortData)
    if not address:
        return
    port: Port = ob.at_address(thread.kernel, address)
    if not port.disconnected:
        created = int(thread.ethread.CreateTime).to_bytes(8, "little")
        message = Message(port, created, LPC_CLIENT_DIED, client_id(thread))
        message.view.u1.s1.ReleaseMessage = 1
        dispatch(message, port)
    if last:
        process.eprocess.ExceptionPortData = 0
        ob.dereference(port)
