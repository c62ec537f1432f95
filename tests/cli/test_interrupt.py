"""Ctrl-C: the first one is the guest's, the second one stops the machine."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cli.conftest import SAMPLES, TIMEOUT


@contextmanager
def running(program: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program that has said its first word."""
    command = [sys.executable, "-m", "ntos", "run", str(SAMPLES / program), *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() in (b"ready", b"spinning")
        try:
            yield process
        finally:
            process.kill()


def test_program_without_handler_ends() -> None:
    """A console program that handles nothing ends with STATUS_CONTROL_C_EXIT."""
    with running("ctrlc.exe") as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, out) == (255, b"")
    assert err == b"ntos: ctrlc.exe exited with 0xC000013A (STATUS_CONTROL_C_EXIT)\n"


def test_program_with_handler_goes_on() -> None:
    """A handler that takes the event keeps the program alive; it exits as it likes."""
    with running("ctrlc.exe", "handle") as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, err) == (5, b"")
    assert out == b"handler: event 0\r\nseen 1\r\n"


def test_spinning_program_ends() -> None:
    """A program that never enters the kernel is reached as well."""
    with running("spin.exe") as process:
        time.sleep(0.3)  # by now it spins: the host's main thread is in the engine and stays there
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT)
    assert process.returncode == 255


def test_second_one_stops_the_machine() -> None:
    """A program that ignores Ctrl-C is stopped by the second one: exit code 130, one line."""
    with running("ctrlc.exe", "ignore") as process:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(0.5)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, err) == (130, b"ntos: interrupted\n")
