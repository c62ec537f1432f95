"""The command line of `ntos run`: options end at PROGRAM (or at `--`); everything after it is the guest's."""

from __future__ import annotations

import argparse
from pathlib import Path

from ntos.machine import DEFAULT_MEMORY, SMALLEST_MEMORY

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
EPILOG = """\
PROGRAM is a host file (its folder becomes drive D:) or a guest path such as C:\\bin\\x.exe.
exit codes: the guest's own up to 255; 255 for a larger one (named on stderr); 2 usage, 123 the machine stopped
(a blue screen on Windows), 124 time-out, 125 the machine failed, 126 not a program ntos can run, 127 not found,
130 interrupted.
"""


class UsageError(Exception):
    """The command line makes no sense; the message says why."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong by an exception."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(message)


def parser() -> argparse.ArgumentParser:
    """The options before PROGRAM."""
    made = Parser(
        prog="ntos run", usage="ntos run [OPTIONS] PROGRAM [ARGUMENTS…]", epilog=EPILOG, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Run a 64-bit Windows program with the host's standard input, output and error.",
    )  # fmt: skip
    machine_options(made)
    add = made.add_argument
    add("--trace", metavar="FILE", help="write every event as a JSON line")
    add("--result", metavar="FILE", help="write exit code (all 32 bits), reason and processes as JSON")
    add("--dump", metavar="FILE", help="write physical memory at the end (or see --dump-on-exit)")
    add("--dump-on-exit", metavar="NAME", help="with --dump: write it when the first process of that name exits")
    add("--hook", action="append", default=[], metavar="M!F", type=hooked,
        help="tell each call of a function (`kernel32!CreateFileW`) on stderr and in --trace")
    add("-v", "--verbose", action="store_true", help="show services and exports as they are called, on stderr")
    return made


def machine_options(made: argparse.ArgumentParser) -> None:
    """What every command that runs a machine understands."""
    add = made.add_argument
    add("--drive", action="append", default=[], metavar="X=DIR", type=drive, help="show a host folder as a drive")
    add("--cwd", metavar="PATH", help="current directory: a guest path, or a host folder (becomes drive E:)")
    add("--env", action="append", default=[], metavar="K=V", type=variable, help="set an environment variable")
    add("--timeout", type=seconds, metavar="SECONDS", help="stop after so much host time (exit code 124)")
    add("--memory", type=memory, default=DEFAULT_MEMORY, metavar="SIZE", help="guest memory, e.g. 512M, 2G")
    add("--seed", type=int, default=0, metavar="N", help="decides everything random; same seed, same run")
    add("--user", metavar="NAME[:PASSWORD]", type=account, default=("user", ""), help="who sits at the console")
    add("--administrator", action="store_true", help="that user is an administrator (with a split token)")
    add("--add-user", action="append", default=[], metavar="NAME[:PASSWORD]", type=account, help="another account")
    add("--no-aslr", action="store_true", help="load images at their preferred bases")


def parse(words: list[str]) -> tuple[argparse.Namespace, str, list[str]]:
    """(options, PROGRAM, the guest's arguments). UsageError where it makes no sense."""
    settings, rest = split(parser(), words)
    if settings.dump_on_exit and not settings.dump:
        raise UsageError("--dump-on-exit says when; --dump FILE must say where")
    return settings, rest[0], rest[1:]


def split(options: argparse.ArgumentParser, words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """(options, PROGRAM and what follows it)."""
    takes_value = {
        name for action in options._actions  # noqa: SLF001 - argparse has no public list
        if action.nargs is None and action.const is None
        for name in action.option_strings
    }  # fmt: skip
    index = 0
    while index < len(words) and words[index].startswith("-"):
        if words[index] == "--":
            break
        index += 2 if words[index] in takes_value else 1
    settings = options.parse_args(words[:index])
    rest = words[index:]
    if rest[:1] == ["--"]:
        rest = rest[1:]
    if not rest:
        raise UsageError("PROGRAM is missing")
    return settings, rest


def drive(text: str) -> tuple[str, Path]:
    """The letter and the folder of `X=DIR`."""
    letter, equals, folder = text.partition("=")
    letter = letter.rstrip(":").upper()
    if not equals or len(letter) != 1 or not "A" <= letter <= "Z":
        raise argparse.ArgumentTypeError(f"{text!r} is not LETTER=FOLDER")
    if not Path(folder).is_dir():
        raise argparse.ArgumentTypeError(f"{folder!r} is not a folder")
    return letter, Path(folder)


def hooked(text: str) -> str:
    """What `Machine.hook` takes as a target."""
    from ntos.hook.target import Target  # noqa: PLC0415 - only where a hook is set

    try:
        Target.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def variable(text: str) -> tuple[str, str]:
    """The two sides of `K=V`."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def account(text: str) -> tuple[str, str]:
    """The two sides of `NAME:PASSWORD`; the password may be missing."""
    name, _, password = text.partition(":")
    if not name or set(name) & set('"/\\[]:;|=,+*?<>'):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME or NAME:PASSWORD")
    return name, password


def seconds(text: str) -> float:
    """A positive number."""
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value


def memory(text: str) -> int:
    """Bytes of `512M`, `2G`."""
    digits, unit = text.upper().removesuffix("B"), ""
    if digits[-1:] in ("K", "M", "G"):
        digits, unit = digits[:-1], digits[-1]
    if not digits.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 512M or 2G")
    size = int(digits) * UNITS[unit]
    if not SMALLEST_MEMORY <= size <= 64 << 30:
        raise argparse.ArgumentTypeError(f"{text!r}: a machine has between {SMALLEST_MEMORY >> 20}M and 64G")
    return size
