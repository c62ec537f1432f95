"""Volatility on a tree of more than thirty processes: two sessions, three users, one of them by way of runas."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("volatility3")

from ntos.abi.layout.peb import PEB
from ntos.etw.event import FileOpened
from ntos.machine import Machine
from tests.guest.conftest import SAMPLES
from tests.oracle.test_volatility import by_process
from tests.oracle.truth import ProcessTruth, take
from tests.oracle.volatility import SYMBOLS, Volatility

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(not SYMBOLS.is_dir(), reason=f"no symbols at {SYMBOLS}"),
    pytest.mark.filterwarnings("ignore"),  # other people's code warns of what it likes
]

USERS = {"ann": "one", "bob": "two"}
CHILDREN, OWN_CHILDREN = 12, 60
ENOUGH, PARENTS = 34, 3


class Scene(NamedTuple):
    """A dump, and what the machine knew when it was taken."""

    volatility: Volatility
    truth: dict[int, ProcessTruth]
    sessions: dict[int, int]
    """By process id: the session in the PEB, of processes that have one."""
    jobs: dict[int, int]
    """By process id: how many living processes are in its job."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Each user's parent.exe with its children alive at the same time."""
    dump = tmp_path_factory.mktemp("dump") / "memory.raw"
    taken: list[tuple[dict[int, ProcessTruth], dict[int, int], dict[int, int]]] = []
    with Path(os.devnull).open("r+b") as nothing:
        null = nothing.fileno()
        with Machine(memory=192 << 20, drives={"D": SAMPLES / "bin"}, stdin=null, stdout=null, stderr=null) as machine:

            def look(_event: object) -> None:
                alive = [process for process in machine.processes() if process.threads]
                parents = [process for process in alive if process.name == "parent.exe"]
                if taken or len(alive) < ENOUGH or len(parents) < PARENTS:
                    return
                sessions = {
                    process.id: int(PEB(process.memory, int(process.eprocess.Peb)).SessionId) for process in alive
                    if int(process.eprocess.Peb)
                }  # fmt: skip
                jobs = {process.id: int(process.eprocess.Job) for process in alive if int(process.eprocess.Job)}
                members = {number: list(jobs.values()).count(job) for number, job in jobs.items()}
                taken.append((take(machine), sessions, members))
                with dump.open("wb") as file:
                    machine.dump(file)

            machine.log.subscribe(look, FileOpened)
            for name, password in USERS.items():
                machine.add_user(name, password)
                machine.create_process("D:\\runas.exe", [name, password, f"D:\\parent.exe {CHILDREN}"])
            machine.create_process("D:\\parent.exe", [str(OWN_CHILDREN)])
            machine.create_process("D:\\hostile.exe", ["explode"])  # a job full of processes
            assert machine.run(timeout=120) == "finished"
    assert taken, "never so many processes at once"
    yield Scene(Volatility(dump, tmp_path_factory.mktemp("cache")), *taken[0])
    gc.collect()  # Volatility leaves its files to the collector; here nobody minds
    dump.unlink()


def test_three_users_in_two_sessions(scene: Scene) -> None:
    """The tree is what the test is about: parents of three users, and the system's own session."""
    owners = {told.groups[0] for told in scene.truth.values() if told.name == "parent.exe"}
    assert len(owners) == 3
    assert set(scene.sessions.values()) == {0, 1}


def test_lists_of_processes(scene: Scene) -> None:
    """windows.pslist, pstree and psscan show every process with its parent."""
    known = {(number, told.parent) for number, told in scene.truth.items()}
    for plugin in ("pslist.PsList", "pstree.PsTree", "psscan.PsScan"):
        rows = scene.volatility.rows(f"windows.{plugin}")
        assert known <= {(row["PID"], row["PPID"]) for row in rows}, plugin
        if plugin == "pslist.PsList":
            assert known == {(row["PID"], row["PPID"]) for row in rows}


def test_sessions(scene: Scene) -> None:
    """windows.sessions shows each process's session."""
    told = {row["Process ID"]: row["Session ID"] for row in scene.volatility.rows("windows.sessions.Sessions")}
    assert {number: told[number] for number in scene.sessions if told[number] is not None} == {
        number: session for number, session in scene.sessions.items() if told[number] is not None
    }
    assert {told[number] for number in scene.sessions} >= {0, 1}


def test_identities(scene: Scene) -> None:
    """windows.getsids shows each token's user and groups, windows.envars each process's variables."""
    sids = by_process(scene.volatility.rows("windows.getsids.GetSIDs"))
    variables = by_process(scene.volatility.rows("windows.envars.Envars"))
    for number, known in scene.truth.items():
        assert [row["SID"] for row in sids[number]] == known.groups, known.name
        if known.has_user_part and known.name == "parent.exe":
            assert {row["Variable"]: row["Value"] for row in variables[number]} == known.environment


def test_privileges(scene: Scene) -> None:
    """windows.privileges shows which privileges each token has."""
    told = by_process(scene.volatility.rows("windows.privileges.Privs"))
    for number, known in scene.truth.items():
        present = sum(1 << row["Value"] for row in told[number] if "Present" in row["Attributes"])
        assert present == known.present, known.name


def test_jobs(scene: Scene) -> None:
    """windows.joblinks shows the job's processes and how many are active in it."""
    rows = scene.volatility.rows("windows.joblinks.JobLinks")
    assert scene.jobs
    assert set(scene.jobs) <= {row["PID"] for row in rows}
    assert {row["Active"] for row in rows if row["Active"]} == set(scene.jobs.values())
