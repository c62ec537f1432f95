"""What runs when Windows has come up: the tree, its sessions, tokens, protection and priorities (Windows Internals)."""

from __future__ import annotations

import pytest

from ntos.etw.event import Event, ProcessCreated, ProcessExited
from ntos.ke.process import Process
from ntos.machine import Machine
from ntos.ps import protection
from ntos.ps.allocate import audit_name
from ntos.se.token import primary_token
from tests.exe.conftest import MEMORY, parameters

SYSTEM_SID = "S-1-5-18"
SYSTEM32 = "C:\\Windows\\System32\\"
TREE = {
    "smss.exe": "System", "wininit.exe": "", "services.exe": "wininit.exe", "lsass.exe": "wininit.exe",
    "svchost.exe": "services.exe", "winlogon.exe": "", "explorer.exe": "", "csrss.exe": "",
}  # fmt: skip
"""Parents by name; empty where the parent has ended."""


def named(machine: Machine, name: str) -> list[Process]:
    """The live processes of this name."""
    return [process for process in machine.processes() if process.name == name]


def one(machine: Machine, name: str, session: int = 0) -> Process:
    """The first in a session."""
    return next(process for process in named(machine, name) if primary_token(process).session == session)


@pytest.mark.parametrize("name", TREE)
def test_everybody_has_the_parent_windows_gives_it(booted: Machine, name: str) -> None:
    """The session manager is System's child; the copies of it that start a session, and userinit, have ended."""
    names = {process.id: process.name for process in booted.processes()}
    for process in named(booted, name):
        assert names.get(int(process.eprocess.InheritedFromUniqueProcessId), "") == TREE[name]
    assert named(booted, name)


def test_parents_that_ended_were_smss_and_userinit() -> None:
    """Each session is made by a copy of smss that ends when csrss and the first program run; userinit ends after
    it has started the shell.
    """
    created: dict[int, ProcessCreated] = {}
    ended: list[int] = []
    with Machine(memory=MEMORY, system=False) as machine:

        def note(event: Event) -> None:
            if isinstance(event, ProcessCreated):
                created[event.id] = event
            elif isinstance(event, ProcessExited):
                ended.append(event.id)

        machine.log.subscribe(note)
        machine.boot()
        parents = {
            process.name: int(process.eprocess.InheritedFromUniqueProcessId) for process in machine.processes()
        }
    leaf = {number: event.image.rpartition("\\")[2] for number, event in created.items()}
    assert [leaf[number] for number in ended] == ["smss.exe", "smss.exe", "userinit.exe"]
    assert leaf[parents["wininit.exe"]] == leaf[parents["winlogon.exe"]] == "smss.exe"
    assert leaf[parents["explorer.exe"]] == "userinit.exe"
    assert leaf[created[parents["explorer.exe"]].parent] == "winlogon.exe"


def test_sessions(booted: Machine) -> None:
    """System and the session manager are in no session; services are in session 0, the user's shell in session 1."""
    sessions = {
        (process.name, primary_token(process).session if process.eprocess.ProcessInSession else None)
        for process in booted.processes() if process.name != "Registry"
    }  # fmt: skip
    assert sessions == {
        ("System", None), ("smss.exe", None), ("csrss.exe", 0), ("wininit.exe", 0), ("services.exe", 0),
        ("lsass.exe", 0), ("svchost.exe", 0), ("csrss.exe", 1), ("winlogon.exe", 1), ("explorer.exe", 1),
    }  # fmt: skip


def test_images_lie_in_system32(booted: Machine) -> None:
    """Every system program's image is a file of System32, the shell's one of the Windows folder."""
    for process in booted.processes():
        if not int(process.eprocess.Peb):
            continue
        folder = "C:\\Windows\\" if process.name == "explorer.exe" else SYSTEM32
        assert parameters(process).ImagePathName.text == folder + process.name
        assert audit_name(process).endswith(folder.removeprefix("C:") + process.name)


def test_command_lines(booted: Machine) -> None:
    """The session manager starts csrss with the line the registry has for it; svchost's says its group."""
    lines = {process.name: parameters(process).CommandLine.text
             for process in booted.processes() if int(process.eprocess.Peb)}  # fmt: skip
    assert lines["smss.exe"] == "\\SystemRoot\\System32\\smss.exe"
    assert lines["csrss.exe"].startswith("%SystemRoot%\\system32\\csrss.exe ObjectDirectory=\\Windows SharedSection=")
    assert "ServerDll=basesrv,1 " in lines["csrss.exe"]
    assert lines["wininit.exe"] == "wininit.exe"
    assert lines["winlogon.exe"] == "winlogon.exe"
    services = {parameters(process).CommandLine.text for process in named(booted, "svchost.exe")}
    assert f"{SYSTEM32}svchost.exe -k netsvcs -p -s seclogon" in services


def test_protection_levels(booted: Machine) -> None:
    """smss, csrss, wininit and services are WinTcb-Light without asking; what they start is not, unless it asks."""
    levels = {process.name: protection.name(int(process.eprocess.Protection.Level)) for process in booted.processes()}
    for name in ("smss.exe", "csrss.exe", "wininit.exe", "services.exe"):
        assert levels[name] == "WinTcb-Light"
    for name in ("lsass.exe", "svchost.exe", "winlogon.exe", "explorer.exe"):
        assert levels[name] == "None"
    assert levels["System"] == "WinSystem"


def test_tokens(booted: Machine) -> None:
    """Everything runs as LocalSystem but the user's shell."""
    for process in booted.processes():
        user = primary_token(process).claims.groups[0].text
        if process.name == "explorer.exe":
            assert user == booted.logon.token.claims.groups[0].text != SYSTEM_SID
        else:
            assert user == SYSTEM_SID


@pytest.mark.parametrize(
    ("name", "base"),
    [("smss.exe", 11), ("csrss.exe", 13), ("wininit.exe", 13), ("winlogon.exe", 13), ("services.exe", 9),
     ("lsass.exe", 9), ("svchost.exe", 8), ("explorer.exe", 8)],
)  # fmt: skip
def test_base_priorities(booted: Machine, name: str, base: int) -> None:
    """Base priorities as Process Explorer shows them: the subsystem and logon run before programs do."""
    assert {int(process.pcb.BasePriority) for process in named(booted, name)} == {base}


def test_critical_processes(booted: Machine) -> None:
    """Session manager, subsystem, wininit, services and lsass are marked ProcessBreakOnTermination."""
    critical = {process.name for process in booted.processes() if process.eprocess.BreakOnTermination}
    assert critical == {"smss.exe", "csrss.exe", "wininit.exe", "services.exe", "lsass.exe"}
    assert not any(
        process.eprocess.BreakOnTermination for process in booted.processes() if process.name not in critical
    )


def test_boot_is_the_same_for_the_same_seed() -> None:
    """Two machines of one seed come up with the same ids at the same moments."""

    def boot() -> list[tuple[int, str, int]]:
        with Machine(memory=MEMORY, seed=3) as machine:
            return [(each.id, each.name, int(each.eprocess.CreateInterruptTime)) for each in machine.processes()]

    assert boot() == boot()
