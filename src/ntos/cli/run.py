"""`ntos run`: a machine, one program, the host's streams."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from ntos.abi.status import NtError
from ntos.cli import failures
from ntos.cli.exit_codes import (
    FAILED,
    INTERRUPTED,
    LARGEST,
    NOT_FOUND,
    NOT_RUNNABLE,
    STOPPED,
    TIMED_OUT,
    USAGE,
)
from ntos.cli.options import UsageError, parse, parser
from ntos.cli.sinks import Sinks, Stop, output, say
from ntos.etw import event as events
from ntos.etw.event import MachineFailed
from ntos.ke import bugcheck
from ntos.ke.thread import ThreadTerminated, Unwound
from ntos.machine import Machine, Process

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from ntos.etw.event import Event


def main(words: list[str]) -> int:
    """Run; gives the host's exit code."""
    if words[:1] in (["--help"], ["-h"]):
        parser().print_help()
        return 0
    try:
        settings, program, arguments = parse(words)
    except UsageError as error:
        return say(f"{error}; `ntos run --help` lists the options", USAGE)
    return walled(lambda: run(settings, program, arguments))


def walled(command: Callable[[], int]) -> int:
    """The exit code of a command; whatever breaks in it becomes one line."""
    try:
        return command()
    except Stop as stop:
        return say(str(stop), stop.code)
    except BrokenPipeError:
        raise
    except (Exception, ThreadTerminated, Unwound) as error:  # noqa: BLE001 - the outermost wall: the user gets one line
        return broken(error)


def broken(error: BaseException) -> int:
    """The line for a fault of ours, with the place it came from; NTOS_DEBUG=1 shows the whole traceback."""
    if os.environ.get("NTOS_DEBUG"):
        traceback.print_exception(error)
    hint = "run again with -v to see what led to it, or with NTOS_DEBUG=1 for the traceback"
    return say(f"internal error: {reason_of(error)}; {hint}", FAILED)


def reason_of(error: BaseException) -> str:
    """What and where, on one line."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if "ntos" in Path(frame.filename).parts] or frames
    text = " ".join(str(error).split())
    place = ""
    if inside:
        last = inside[-1]
        parts = Path(last.filename).parts
        short = "/".join(parts[len(parts) - parts[::-1].index("ntos") :]) if "ntos" in parts else parts[-1]
        place = f" ({short}:{last.lineno})"
    return type(error).__name__ + (f": {text}" if text else "") + place


def run(settings: argparse.Namespace, program: str, arguments: list[str]) -> int:
    """Make the machine, start the program, wait, tell how it ended."""
    drives: dict[str, Path] = dict(settings.drive)
    host = host_file(program)
    if host is not None and not any(host.is_relative_to(folder.resolve()) for folder in drives.values()):
        drives[free_letter("D", drives)] = host.parent
    directory = settings.cwd
    if directory is not None and directory[1:2] != ":" and not directory.startswith("\\"):
        directory = host_directory(directory, drives)
    hold_interrupts()
    user, password = settings.user
    with Machine(
        memory=settings.memory, seed=settings.seed, drives=drives, aslr=not settings.no_aslr, user=user,
        password=password, administrator=settings.administrator,
    ) as machine:  # fmt: skip
        for name, secret in settings.add_user:
            machine.add_user(name, secret)
        sinks = Sinks(machine, settings)
        try:
            return Session(machine, settings, sinks).run(host or program, arguments, directory)
        except Stop:
            raise
        except BaseException as error:
            machine.log.emit(MachineFailed(error=reason_of(error), traceback=traceback.format_exception(error)))
            raise
        finally:
            sinks.close()


def host_file(program: str) -> Path | None:
    """The host file PROGRAM names; None where it is a guest path."""
    if program[1:2] == ":" or program.startswith("\\"):
        return None
    path = Path(program)
    try:
        if path.is_dir():
            raise Stop(f"cannot run {program}: it is a folder", NOT_RUNNABLE)
        if not path.exists():
            raise Stop(f"cannot run {program}: there is no such file", NOT_FOUND)
        with path.open("rb"):
            return path.absolute()
    except PermissionError as error:
        raise Stop(f"cannot run {program}: it may not be read; check its permissions", NOT_RUNNABLE) from error
    except OSError as error:
        raise Stop(f"cannot run {program}: {(error.strerror or '').lower()}", NOT_RUNNABLE) from error


def host_directory(folder: str, drives: dict[str, Path]) -> str:
    """A host folder as a guest path; it becomes a drive unless one shows it already."""
    path = Path(folder).resolve()
    if not path.is_dir():
        raise Stop(f"--cwd {folder}: it is not a folder", USAGE)
    for letter, root in drives.items():
        if path.is_relative_to(root.resolve()):
            return "\\".join((f"{letter}:", *path.relative_to(root.resolve()).parts)) + "\\"
    letter = free_letter("E", drives)
    drives[letter] = path
    return f"{letter}:\\"


def free_letter(first: str, drives: dict[str, Path]) -> str:
    """The first drive letter from `first` on that is not taken."""
    return next(letter for letter in map(chr, range(ord(first), ord("Z") + 1)) if letter not in drives)


MASKABLE = hasattr(signal, "pthread_sigmask")


def hold_interrupts() -> None:
    """Keep Ctrl-C waiting until somebody listens; before any other thread begins, for they inherit it."""
    if MASKABLE:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def listen_for_interrupts(machine: Machine) -> None:
    """Ctrl-C in a thread of its own: the main one may be in the engine, where no Python signal handler runs."""
    if not MASKABLE:
        signal.signal(signal.SIGINT, lambda _number, _frame: machine.interrupt())
        return

    def wait() -> None:
        while True:
            signal.sigwait({signal.SIGINT})
            machine.interrupt()

    threading.Thread(target=wait, name="ntos-interrupt", daemon=True).start()


class Session:
    """One program's run and its end."""

    def __init__(self, machine: Machine, settings: argparse.Namespace, sinks: Sinks) -> None:
        self.machine = machine
        self.settings = settings
        self.sinks = sinks
        self._dumped = False

    def run(self, program: str | Path, arguments: list[str], directory: str | None) -> int:
        """Start it, wait for everything, write what was asked for, give the exit code."""
        host = program if isinstance(program, Path) else None
        try:
            process = self.machine.create_process(
                program, arguments, environment_variables=dict(self.settings.env), current_directory=directory
            )
        except NtError as error:
            sentence, code = failures.creation(str(program), error, host)
            raise Stop(sentence, code) from error
        self.sinks.main = process.id
        if self.settings.dump_on_exit:
            self.machine.log.subscribe(self._maybe_dump, events.ProcessExited)
        listen_for_interrupts(self.machine)
        self.machine.kernel.scheduler.keyboard = sys.stdin is not None and sys.stdin.isatty()
        reason = self.machine.run(self.settings.timeout)
        if self.settings.dump and not self.settings.dump_on_exit:
            self._dump()
        self._result(process, reason)
        return self._exit_code(process, reason)

    def _maybe_dump(self, event: Event) -> None:
        assert isinstance(event, events.ProcessExited)
        if not self._dumped and event.image.lower() == self.settings.dump_on_exit.lower()[:14]:
            self._dumped = True
            self._dump()

    def _dump(self) -> None:
        with output("dump", self.settings.dump) as file:
            try:
                self.machine.dump(file)
            except OSError as error:
                raise Stop(f"--dump {self.settings.dump}: {(error.strerror or '').lower()}", FAILED) from error

    def _result(self, process: Process, reason: str) -> None:
        if not self.settings.result:
            return
        rows = [
            {"id": each.id, "parent": int(each.eprocess.InheritedFromUniqueProcessId), "name": each.name}
            for each in self.machine.processes()
        ]
        result = {"exit_code": process.exit_code, "reason": reason, "process": process.id, "processes": rows}
        with output("result", self.settings.result) as file:
            file.write(json.dumps(result, indent=1).encode() + b"\n")

    def _exit_code(self, process: Process, reason: str) -> int:
        if reason == "timeout":
            return say(f"stopped after {self.settings.timeout:g} seconds (--timeout)", TIMED_OUT)
        if reason == "interrupt":
            return say("interrupted", INTERRUPTED)
        if reason == bugcheck.REASON:
            stopped = self.machine.kernel.part(bugcheck.Stopped)
            return say(f"the machine stopped: {stopped.name} ({stopped.culprit})", STOPPED)
        code = process.exit_code
        name = process.path.rpartition("\\")[2]
        if code is None:
            return say(f"{name} waits for something that can never happen: every thread is blocked", FAILED)
        if code <= LARGEST:
            return code
        return say(failures.exit_status(name, code, self.sinks.reason(process.id, code)), LARGEST)
