"""`ntos explain create`: how Windows makes a process of a program, told while it happens in a machine.

A small program of ours (`starter/starter.c`) calls CreateProcessW in the machine, so that the creator's side is seen
as well as the kernel's and the new process's own.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ntos import io
from ntos.abi import win32
from ntos.cli.exit_codes import USAGE
from ntos.cli.options import Parser, UsageError, machine_options, split
from ntos.cli.run import free_letter, host_directory, walled
from ntos.cli.sinks import Stop, output, say
from ntos.etw import event as events
from ntos.hal.paging import UserMemory
from ntos.machine import Machine
from ntos.ps.manager import ProcessManager
from ntos.report import text
from ntos.report.account import SCHEMA, Account, Document, Process, encode
from ntos.report.creation import ENTRY, Recorder
from ntos.rtl import commandline
from ntos.version import VERSION

if TYPE_CHECKING:
    from ntos.abi.memory import Memory
    from ntos.etw.event import Event

CREATED: Final = 0
REFUSED: Final = 1
DEFAULT_TIMEOUT: Final = 60.0
DEBUGGING: Final = win32.DEBUG_PROCESS | win32.DEBUG_ONLY_THIS_PROCESS
FLAGS: Final = {
    name: value
    for name, value in vars(win32).items()
    if isinstance(value, int) and (name.startswith(("CREATE_", "DEBUG_", "DETACHED_")) or name.endswith("_CLASS"))
}
"""dwCreationFlags by name."""
EPILOG = """\
PROGRAM is a host file, a guest path such as C:\\Windows\\System32\\cmd.exe, or a bare name that CreateProcess shall
look for. Its output goes to stderr, its input is empty. --json and --html may also stand at the very end.
exit codes: 0 the process was created and came to its entry point, 1 it was refused (the account says by which
rule), 2 usage, 125 the machine failed. docs/explain.md describes the account and its JSON form.
"""


def parser() -> argparse.ArgumentParser:
    """The options before PROGRAM."""
    made = Parser(
        prog="ntos explain create", usage="ntos explain create [OPTIONS] PROGRAM [ARGUMENTS…]", epilog=EPILOG,
        allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Show the seven stages of creating a process, as they happen for a program.",
    )  # fmt: skip
    _forms(made)
    add = made.add_argument
    add("--full", action="store_true", help="every changed field, not only the telling ones")
    add("--children", action="store_true", help="the whole account of each process that the program creates, too")
    add("--to-entry", action="store_true", help="stop at the program's first system call after its entry point")
    add("--flags", action="append", default=[], type=creation_flag, metavar="FLAG",
        help="dwCreationFlags: a name such as CREATE_BREAKAWAY_FROM_JOB, or a number (repeatable)")  # fmt: skip
    add("--in-job", action="store_true", help="the creator is in a job that lets nobody break away")
    machine_options(made)
    made.set_defaults(timeout=DEFAULT_TIMEOUT)
    return made


def _forms(made: argparse.ArgumentParser) -> None:
    form = made.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="the account as JSON")
    form.add_argument("--html", metavar="FILE", help="write a page that stands alone")


def creation_flag(name: str) -> int:
    """The value of a dwCreationFlags bit."""
    try:
        value = FLAGS[name] if name in FLAGS else int(name, 0)
    except ValueError:
        value = -1
    if not 0 <= value <= 0xFFFF_FFFF:
        raise argparse.ArgumentTypeError(f"{name!r} is no creation flag")
    if value & DEBUGGING:
        raise argparse.ArgumentTypeError(f"{name!r}: the creator is no debugger")
    return value


def main(words: list[str]) -> int:
    """Explain; gives the exit code."""
    if words[:1] in (["--help"], ["-h"]) or words[1:2] in (["--help"], ["-h"]):
        parser().print_help()
        return 0
    if words[:1] != ["create"]:
        return say("what is to be explained? `ntos explain create PROGRAM`", USAGE)
    try:
        settings, rest = split(parser(), words[1:])
        if "--" not in words:
            rest = _forms_at_the_end(settings, rest)
        if not rest[0]:
            raise UsageError("PROGRAM is empty")
    except UsageError as error:
        return say(f"{error}; `ntos explain create --help` lists the options", USAGE)
    return walled(lambda: explain(settings, rest))


def _forms_at_the_end(settings: argparse.Namespace, rest: list[str]) -> list[str]:
    count = 1 if rest[-1:] == ["--json"] else 2 if rest[-2:-1] == ["--html"] else 0
    if len(rest) > count > 0:
        last = Parser(prog="ntos explain create", allow_abbrev=False)
        _forms(last)
        said = last.parse_args(rest[-count:])
        if settings.json or settings.html:
            raise UsageError("--json and --html FILE: only one, once")
        settings.json, settings.html = said.json, said.html
        return rest[:-count]
    return rest


@dataclass(frozen=True, slots=True)
class Wish:
    """What the starter is to call CreateProcess with."""

    program: str
    named: bool
    """The program is given as lpApplicationName too, so nothing is looked for."""
    directory: str


def wish(settings: argparse.Namespace, program: str, drives: dict[str, Path]) -> Wish:
    """Where PROGRAM is in the machine; the drive it needs is added."""
    directory = settings.cwd
    if directory is not None and directory[1:2] != ":" and not directory.startswith("\\"):
        directory = host_directory(directory, drives)
    if program[1:2] == ":" or program.startswith("\\"):
        return Wish(program, named=True, directory=directory or program.rpartition("\\")[0] + "\\")
    path = Path(program).absolute()
    if not path.exists() and "/" not in program:
        return Wish(program, named=False, directory=directory or _show(Path.cwd(), drives) + "\\")
    missing: list[str] = []
    while not path.exists():
        missing.insert(0, path.name)
        path = path.parent
    if missing:
        folder = _show(path, drives)
    else:
        folder, missing = _show(path.parent, drives), [path.name]
    where = "\\".join((folder.rstrip("\\"), *missing))
    return Wish(where, named=True, directory=directory or folder + "\\")


def _show(folder: Path, drives: dict[str, Path]) -> str:
    """The guest's name for a host folder, which becomes a drive where none shows it."""
    return host_directory(str(folder), drives) if drives else _first(folder, drives)


def _first(folder: Path, drives: dict[str, Path]) -> str:
    drives["D"] = folder
    return "D:"


def explain(settings: argparse.Namespace, words: list[str]) -> int:
    """Make the machine, let the starter create the process, tell what happened."""
    drives: dict[str, Path] = dict(settings.drive)
    wanted = wish(settings, words[0], drives)
    nothing = os.open(os.devnull, os.O_RDONLY)
    machine = Machine(
        memory=settings.memory, seed=settings.seed, drives=drives, aslr=not settings.no_aslr, stdin=nothing, stdout=2,
    )  # fmt: skip
    try:
        with machine:
            signal.signal(signal.SIGINT, lambda _number, _frame: machine.interrupt())
            document = record(machine, settings, wanted, words)
    finally:
        os.close(nothing)
    show(document, settings)
    return CREATED if document.account.entered and document.account.refusal is None else REFUSED


def record(machine: Machine, settings: argparse.Namespace, wanted: Wish, words: list[str]) -> Document:
    """Run; gives the account of the starter's one creation."""
    letter = free_letter("S", machine.folders)
    starter = io.SystemTree()
    starter.add_file("starter.exe", (files("ntos.cli") / "starter" / "starter.exe").read_bytes)
    io.mount(machine.kernel, letter, starter)
    names = {process.id: process.name for process in machine.processes()}
    recorder = Recorder(machine.log, lambda process: memory_of(machine, process), names)
    program = f'"{wanted.program}"' if wanted.named else commandline.join([wanted.program])
    line = " ".join(filter(None, (program, commandline.join(words[1:]))))
    flags = 0
    for flag in settings.flags:
        flags |= flag
    parent = machine.create_process(
        f"{letter}:\\starter.exe", command_line=f"starter.exe {flags:x} {settings.in_job:d} {wanted.named:d} {line}",
        environment_variables=dict(settings.env), current_directory=wanted.directory,
    )  # fmt: skip
    if settings.to_entry:
        machine.log.subscribe(lambda event: _stop_at_entry(machine, event, parent.id), events.CreationStep)
    reason = machine.run(settings.timeout)
    accounts = recorder.finish()
    nobody = Account("", "", Process(), Process())
    account = next((each for each in accounts if each.creator.id == parent.id), nobody)
    return Document(SCHEMA, VERSION, settings.seed, account, reason)


def _stop_at_entry(machine: Machine, event: Event, starter: int) -> None:
    assert isinstance(event, events.CreationStep)
    if event.routine == ENTRY and event.process != starter:
        machine.stop("entry")
        current = machine.kernel.scheduler.current
        assert current is not None
        current.traps_left = 0  # it gives the processor up at its next system call


def memory_of(machine: Machine, process: int) -> Memory | None:
    """A process's memory as it is: looking brings no page in."""
    if not process:
        return machine.kernel.memory
    found = machine.kernel[ProcessManager].process_by_id(process)
    return UserMemory(found.tables, _leave_out) if found is not None else None


def _leave_out(address: int, access: int) -> None:
    """A page that is not there stays where it is."""


def show(document: Document, settings: argparse.Namespace) -> None:
    """As text, JSON or a page."""
    if settings.json:
        sys.stdout.buffer.write(encode(document))
        sys.stdout.flush()
    elif settings.html:
        from ntos.report.page import page  # noqa: PLC0415 - the template engine is for pages only

        with output("html", settings.html) as file:
            try:
                file.write(page(document).encode())
            except OSError as error:
                raise Stop(f"--html {settings.html}: {(error.strerror or '').lower()}", USAGE) from error
    else:
        text.show(document, sys.stdout, full=settings.full, children=settings.children)
