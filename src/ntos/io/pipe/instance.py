"""Pipes by name, their instances, and the two ends of a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.io import (
    FILE_PIPE_CLOSING_STATE,
    FILE_PIPE_CONNECTED_STATE,
    FILE_PIPE_DISCONNECTED_STATE,
    FILE_PIPE_LISTENING_STATE,
)
from ntos.abi.status import STATUS, NtError
from ntos.io.pipe.queue import Queue

if TYPE_CHECKING:
    from ntos.io.driver import PipeParameters
    from ntos.io.file import FileObject
    from ntos.io.request import Request
    from ntos.ke.process import Process

INBOUND, OUTBOUND, FULL_DUPLEX = 0, 1, 2


class NamedPipe:
    """What all instances of a name have in common (FCB)."""

    def __init__(self, name: str, configuration: int, parameters: PipeParameters) -> None:
        self.name = name
        self.configuration = configuration
        self.parameters = parameters
        self.instances: list[Instance] = []

    def listening(self) -> Instance | None:
        """An instance a client could connect to, the longest waiting first."""
        waiting = [one for one in self.instances if one.state == FILE_PIPE_LISTENING_STATE]
        return min(waiting, key=lambda one: not one.listeners, default=None)


class Instance:
    """One conversation (CCB): its state, its two queues, its ends."""

    def __init__(self, pipe: NamedPipe, parameters: PipeParameters) -> None:
        self.pipe = pipe
        self.state = FILE_PIPE_LISTENING_STATE
        message = pipe.parameters.message_type
        self.inbound = Queue(parameters.inbound_quota, message_type=message)
        self.outbound = Queue(parameters.outbound_quota, message_type=message)
        self.server: End | None = None
        self.client: End | None = None
        self.listeners: list[Request] = []

    def connect(self, client: End) -> None:
        """A client has opened it: whoever listens is told."""
        self.state = FILE_PIPE_CONNECTED_STATE
        self.client = client
        listeners, self.listeners = self.listeners, []
        for request in listeners:
            request.complete()

    def listen(self, request: Request, *, non_blocking: bool) -> None:
        """FSCTL_PIPE_LISTEN at the server end."""
        if self.state == FILE_PIPE_CONNECTED_STATE:
            raise NtError(STATUS.PIPE_CONNECTED)
        if self.state == FILE_PIPE_CLOSING_STATE:
            raise NtError(STATUS.PIPE_CLOSING)
        self.state = FILE_PIPE_LISTENING_STATE
        if non_blocking:
            raise NtError(STATUS.PIPE_LISTENING)
        self.listeners.append(request)
        request.pend(lambda: self.listeners.remove(request) if request in self.listeners else None)

    def disconnect(self) -> None:
        """FSCTL_PIPE_DISCONNECT: the client is thrown out, what it has not read is lost."""
        if self.state == FILE_PIPE_DISCONNECTED_STATE:
            raise NtError(STATUS.PIPE_DISCONNECTED)
        self.state = FILE_PIPE_DISCONNECTED_STATE
        listeners, self.listeners = self.listeners, []
        for request in listeners:
            request.complete(STATUS.PIPE_DISCONNECTED)
        self.inbound.discard(STATUS.PIPE_DISCONNECTED)
        self.outbound.discard(STATUS.PIPE_DISCONNECTED)
        if self.client is not None:
            self.client.disconnected = True
            self.client = None

    def close(self, end: End) -> None:
        """An end goes: the other may read what is left, and then learns that the pipe is broken."""
        listeners, self.listeners = (self.listeners, []) if end.is_server else ([], self.listeners)
        for request in listeners:
            request.complete(STATUS.PIPE_BROKEN)
        if end.is_server:
            self.server = None
            self.pipe.instances.remove(self)
        elif self.client is end:
            self.client = None
        if self.state == FILE_PIPE_CONNECTED_STATE:
            self.state = FILE_PIPE_CLOSING_STATE
            end.outgoing.adopt_writes()
            end.incoming.discard(STATUS.PIPE_BROKEN)
            end.outgoing.end_readers(STATUS.PIPE_BROKEN)
        elif self.state == FILE_PIPE_CLOSING_STATE and not end.disconnected:
            end.incoming.discard(STATUS.PIPE_BROKEN)
        if end.is_server and self.state == FILE_PIPE_LISTENING_STATE:
            self.state = FILE_PIPE_DISCONNECTED_STATE


class End:
    """One end of an instance: what a file object on a pipe keeps."""

    def __init__(self, instance: Instance, process: Process | None, *, is_server: bool) -> None:
        self.instance = instance
        self.process_id = process.id if process is not None else 0
        self.is_server = is_server
        self.message_mode = False
        self.non_blocking = False
        self.disconnected = False
        """A client that the server has thrown out."""

    @property
    def incoming(self) -> Queue:
        """What this end reads."""
        return self.instance.inbound if self.is_server else self.instance.outbound

    @property
    def outgoing(self) -> Queue:
        """What this end writes."""
        return self.instance.outbound if self.is_server else self.instance.inbound

    @property
    def state(self) -> int:
        """FILE_PIPE_…_STATE as this end sees it."""
        return FILE_PIPE_DISCONNECTED_STATE if self.disconnected else self.instance.state

    def check_read(self) -> None:
        """Whether reading makes sense in this state."""
        state = self.state
        if state == FILE_PIPE_DISCONNECTED_STATE:
            raise NtError(STATUS.PIPE_DISCONNECTED)
        if state == FILE_PIPE_LISTENING_STATE:
            raise NtError(STATUS.PIPE_LISTENING)
        if state == FILE_PIPE_CLOSING_STATE and not self.incoming.entries:
            raise NtError(STATUS.PIPE_BROKEN)

    def check_write(self) -> None:
        """Whether writing makes sense in this state."""
        state = self.state
        if state == FILE_PIPE_DISCONNECTED_STATE:
            raise NtError(STATUS.PIPE_DISCONNECTED)
        if state == FILE_PIPE_LISTENING_STATE:
            raise NtError(STATUS.PIPE_LISTENING)
        if state == FILE_PIPE_CLOSING_STATE:
            raise NtError(STATUS.PIPE_CLOSING)


def end_of(file: FileObject) -> End:
    """The end a file object stands for. INVALID_PARAMETER for the pipe directory."""
    if not isinstance(file.context, End):
        raise NtError(STATUS.INVALID_PARAMETER)
    return file.context
