"""`ntos boot`: the tree, the costs, the trace of the boot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ntos.cli.exit_codes import USAGE
from tests.cli.conftest import complaint, ntos

NAMES = {"System", "Registry", "smss.exe", "csrss.exe", "wininit.exe", "services.exe", "lsass.exe", "svchost.exe",
         "winlogon.exe", "userinit.exe", "explorer.exe"}  # fmt: skip
MEMORY = 64 << 20


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """What --json says."""
    done = ntos("boot", "--json", "--memory", "64M", "--seed", "5")
    assert (done.returncode, done.stderr) == (0, b"")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_json_tells_every_process(document: dict[str, Any]) -> None:
    """All system processes are there, those that ended on the way marked, each with its cost."""
    assert (document["schema"], document["seed"], document["memory"]) == ("ntos-boot/1", 5, MEMORY)
    rows = document["processes"]
    assert {row["name"] for row in rows} == NAMES
    assert [row["name"] for row in rows if row["ended"]] == ["smss.exe", "smss.exe", "userinit.exe"]
    ids = {row["id"] for row in rows}
    assert all(row["parent"] in ids or row["name"] == "System" for row in rows)
    assert all(row["cpu_ms"] > 0 for row in rows if row["name"].endswith(".exe"))
    assert sum(row["cpu_ms"] for row in rows) <= document["system"]["cpu_ms"]


def test_json_tells_what_a_process_is(document: dict[str, Any]) -> None:
    """Session, user, protection and the rest are those of the process object."""
    services = next(row for row in document["processes"] if row["name"] == "services.exe")
    told = {name: services[name] for name in ("session", "user", "protection", "critical", "base_priority")}
    assert told == {
        "session": 0, "user": "SYSTEM", "protection": "WinTcb-Light", "critical": True, "base_priority": 9
    }  # fmt: skip
    assert services["threads"] > 0
    assert services["handles"] > 0
    assert services["private_bytes"] > 0
    assert next(row for row in document["processes"] if row["name"] == "smss.exe")["session"] is None


def test_the_tree_in_a_pipe() -> None:
    """One line a process, below its parent, nothing cut or coloured; parents that have ended are marked."""
    done = ntos("boot", "--memory", "64M")
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().splitlines()
    assert lines[0].split()[:3] == ["process", "pid", "parent"]
    assert lines[1].startswith("System ")
    explorer = next(line for line in lines if "explorer.exe" in line)
    above = lines[lines.index(explorer) - 1]
    assert "userinit.exe (ended)" in above
    assert explorer.index("explorer.exe") == above.index("userinit.exe") + 2
    assert f"{above.split('(ended)')[1].split()[0]} (ended)" in explorer
    assert any(line.endswith("ProfileControl=Off MaxRequestThreads=16") for line in lines)
    assert "\x1b" not in done.stdout.decode()
    assert lines[-1].startswith("kernel ")


def test_the_trace_is_of_the_boot(tmp_path: Path) -> None:
    """The trace begins with the machine and tells every process creation of the boot."""
    trace, dump = tmp_path / "boot.json", tmp_path / "boot.raw"
    assert ntos("boot", "--memory", "64M", "--trace", trace, "--dump", dump).returncode == 0
    events = [json.loads(line) for line in trace.read_text().splitlines()]
    assert (events[0]["event"], events[-1]["event"]) == ("machine-start", "machine-stop")
    made = [event["image"].rpartition("\\")[2] for event in events if event["event"] == "process-create"]
    assert made[0] == "smss.exe"
    assert set(made) == NAMES - {"System", "Registry"}
    assert dump.stat().st_size == MEMORY


def test_bad_words() -> None:
    """What is no option is one line and exit code 2."""
    done = ntos("boot", "now")
    assert done.returncode == USAGE
    assert "ntos boot --help" in complaint(done)
