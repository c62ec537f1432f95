"""Who listens to the machine: the trace file, the `-v` printer, and the few lines everybody gets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ntos.abi.status import STATUS
from ntos.cli import failures
from ntos.cli.exit_codes import LARGEST, USAGE
from ntos.etw import event as events
from ntos.etw.sink import TraceFile, VerbosePrinter

if TYPE_CHECKING:
    import argparse
    from typing import BinaryIO

    from ntos.etw.event import Event
    from ntos.machine import Machine

ENTRY_NOT_FOUND = (int(STATUS.ENTRYPOINT_NOT_FOUND), int(STATUS.ORDINAL_NOT_FOUND))


class Stop(Exception):
    """Nothing can be run: the sentence and the exit code."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


def say(sentence: str, code: int = 0) -> int:
    """One line on stderr."""
    print(f"ntos: {sentence}", file=sys.stderr, flush=True)
    return code


def output(option: str, path: str) -> BinaryIO:
    """A file that an option asks us to write."""
    try:
        return Path(path).open("wb")
    except OSError as error:
        raise Stop(f"--{option} {path}: {(error.strerror or '').lower()}", USAGE) from error


class Sinks:
    """Listens from before the first program to the end.

    What explains a process's end is kept until it ends, so that the end and its reason are one line.
    """

    def __init__(self, machine: Machine, settings: argparse.Namespace) -> None:
        self._trace: TraceFile | None = None
        self._told: set[str] = set()
        self._reasons: dict[int, tuple[int, str]] = {}
        self.main = 0
        """Id of the program that was asked for; the end of the others is told here."""
        log = machine.log
        if settings.trace:
            self._trace = TraceFile(log, output("trace", settings.trace))
        if settings.verbose:
            VerbosePrinter(log, sys.stderr)
        if settings.trace or settings.verbose:
            machine.watch_injections()
        for target in settings.hook:
            machine.hook(target, after=machine.hooks.tell)
        if settings.hook and not settings.verbose:
            VerbosePrinter(log, sys.stderr, events.HookedCall)
        log.subscribe(self._keep, events.ExceptionRaised, events.Refused, events.HardError)
        if not settings.verbose:
            log.subscribe(self._tell, events.Missing, events.HardError, events.MessageBox)
            log.subscribe(self._ended, events.ProcessExited)

    def reason(self, process: int, status: int) -> str:
        """Why the process ended with this status, as far as events told."""
        code, text = self._reasons.get(process, (0, ""))
        return text if code == status else ""

    def _keep(self, event: Event) -> None:
        match event:
            case events.ExceptionRaised():
                self._reasons[event.process] = event.code, f"at {event.location}"
            case events.Refused(name="LdrpInitializeProcess"):
                self._reasons[event.process] = event.status, loader_reason(event)
            case events.HardError():
                self._reasons.setdefault(event.process, (event.status, event.text))

    def _tell(self, event: Event) -> None:
        match event:
            case events.Missing(detail="static import"):
                return  # the loader's refusal says it
            case events.Missing():
                text = f"{event.module}!{event.name} is not implemented (called from {event.caller})"
            case events.HardError():
                if self._reasons.get(event.process, (0, ""))[0] == event.status:
                    return  # told when the process has ended
                text = f"{event.caption}: {event.text} ({event.status_name})"
            case events.MessageBox():
                text = f"message box {event.caption!r}: {event.text}"
            case _:
                return
        if text not in self._told:
            self._told.add(text)
            say(text)

    def _ended(self, event: Event) -> None:
        """A child that did not end of itself: who started it may not say so."""
        assert isinstance(event, events.ProcessExited)
        reason = self.reason(event.id, event.status)
        if event.id != self.main and event.status > LARGEST and reason:
            say(failures.exit_status(event.image, event.status, reason))

    def close(self) -> None:
        """Write out what is buffered."""
        if self._trace is not None:
            self._trace.close()


def loader_reason(event: events.Refused) -> str:
    """Which DLL, which function, who needed it."""
    inputs = {name: str(value).rpartition("\\")[2] for name, value in event.inputs.items()}
    importer = inputs.get("importer", "the program")
    if event.status == STATUS.DLL_NOT_FOUND:
        return f"{inputs.get('dll', 'a DLL')} was not found; {importer} needs it"
    if event.status in ENTRY_NOT_FOUND and "function" in inputs:
        return f"{inputs['function']} is not in {inputs.get('dll', 'a DLL')}; {importer} needs it"
    return event.rule


__all__ = ["Sinks", "Stop", "loader_reason", "output", "say"]
