"""The stream: `emit` hands an event to everybody who asked for its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.etw.event import CreationStep, ExportCalled, ServiceCalled

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.etw.event import Event


class Log:
    """One per machine. Subscribers are called in the order they came; they must not raise."""

    __slots__ = ("_by_kind", "_everything", "calls", "steps", "where")

    def __init__(self) -> None:
        self._by_kind: dict[type[Event], list[Callable[[Event], None]]] = {}
        self._everything: list[Callable[[Event], None]] = []
        self.calls = False
        """Whether anybody listens for calls of services or exports: asked at every door, hence no method."""
        self.steps: dict[int, CreationStep] = {}
        """The last step of a process creation by thread id, where somebody listens for steps."""
        self.where: Callable[[], tuple[int, int, int]] = lambda: (0, 0, 0)
        """(time, process id, thread id) at this moment; the kernel sets it."""

    def subscribe(self, callback: Callable[[Event], None], *kinds: type[Event]) -> None:
        """Call `callback` with each event of these kinds (of every kind where none is named)."""
        if not kinds:
            self._everything.append(callback)
        for kind in kinds:
            self._by_kind.setdefault(kind, []).append(callback)
        self.calls = self.wants(ServiceCalled) or self.wants(ExportCalled)

    def wants(self, kind: type[Event]) -> bool:
        """Whether anybody listens for this kind; ask before making an expensive event."""
        return bool(self._everything) or kind in self._by_kind

    def emit(self, event: Event) -> None:
        """Tell the subscribers. An event without a moment gets the current one."""
        if not event.time:
            event.time, process, thread = self.where()
            event.process = event.process or process
            event.thread = event.thread or thread
        for callback in self._everything:
            callback(event)
        for callback in self._by_kind.get(type(event), ()):
            callback(event)
