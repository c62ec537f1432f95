"""Critical processes: their end is the machine's (bug check 0xEF, CRITICAL_PROCESS_DIED; Microsoft's reference)."""

from __future__ import annotations

import struct
import subprocess
import sys

import pytest

from ntos.abi.symbols import RVA
from ntos.cli.exit_codes import STOPPED
from ntos.etw import event as events
from ntos.etw.event import Event
from ntos.ke import bugcheck
from ntos.ke.process import Process
from ntos.machine import Machine
from ntos.ps.exit import end_later, terminate_process, terminate_thread
from tests.exe.conftest import SAMPLES, TIMEOUT

CRITICAL_PROCESS_DIED = 0xEF
DYING = """
import sys
from ntos.cli import main
from ntos.machine import Machine
create = Machine.create_process
def critical(*arguments, **options):
    process = create(*arguments, **options)
    process.kernel_process.eprocess.BreakOnTermination = 1
    return process
Machine.create_process = critical
sys.exit(main(sys.argv[1:]))
"""
"""`ntos` with a program that is critical, as an administrator's may make itself."""


def named(machine: Machine, name: str) -> Process:
    """The first process of this name."""
    return next(each for each in machine.processes() if each.name == name)


def blue_screen(machine: Machine) -> tuple[int, ...]:
    """KiBugCheckData."""
    place = machine.kernel.image_base + RVA["KiBugCheckData"]
    return struct.unpack("<5Q", machine.kernel.memory.read(place, 40))


@pytest.mark.parametrize("name", ["csrss.exe", "smss.exe", "lsass.exe"])
def test_the_end_of_a_critical_process_stops_the_machine(machine: Machine, name: str) -> None:
    """Bug check 0xEF names the process object; nothing runs on, and the process stays as it was."""
    seen: list[Event] = []
    machine.log.subscribe(seen.append, events.BugCheck)
    program = machine.create_process("D:\\hello_printf.exe")
    process = named(machine, name)
    terminate_process(process, 1)
    assert machine.run(timeout=TIMEOUT) == "bugcheck"
    stopped = machine.kernel.part(bugcheck.Stopped)
    assert (stopped.name, stopped.culprit) == ("CRITICAL_PROCESS_DIED", name)
    assert blue_screen(machine) == (CRITICAL_PROCESS_DIED, process.address, 0, 0, 0)
    assert process.threads
    assert program.exit_code is None
    assert [each.culprit for each in seen if isinstance(each, events.BugCheck)] == [name]


def test_the_end_of_a_critical_thread_stops_the_machine(machine: Machine) -> None:
    """The second parameter 1 says that the first is a thread object."""
    thread = named(machine, "explorer.exe").threads[0]
    thread.ethread.BreakOnTermination = 1
    terminate_thread(thread, 1)
    assert machine.run(timeout=TIMEOUT) == "bugcheck"
    assert blue_screen(machine) == (CRITICAL_PROCESS_DIED, thread.address, 1, 0, 0)


def test_the_first_bug_check_stays(machine: Machine) -> None:
    """A machine that has stopped says the first reason for ever."""
    end_later(named(machine, "lsass.exe"), 1)
    end_later(named(machine, "csrss.exe"), 1)
    assert machine.run(timeout=TIMEOUT) == machine.run(timeout=TIMEOUT) == "bugcheck"
    assert machine.kernel.part(bugcheck.Stopped).culprit == "lsass.exe"


@pytest.mark.parametrize("program", ["parent.exe", "crash.exe", "exitcode.exe"])
def test_the_command_line_tells(program: str) -> None:
    """A critical program that ends, by itself or by a fault, is one line and an exit code of its own."""
    command = [sys.executable, "-c", DYING, "run", str(SAMPLES / program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert done.returncode == STOPPED
    assert done.stderr.splitlines()[-1] == f"ntos: the machine stopped: CRITICAL_PROCESS_DIED ({program})"
