"""`--trace`: JSON lines of a documented schema, the same for the same seed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ntos.etw import event as events
from tests.cli.conftest import SAMPLES, run

ROOT = Path(__file__).resolve().parents[2]
KINDS = {kind.__struct_config__.tag: kind for kind in events.Event.__subclasses__()}


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """A parent, three children, and everything they do."""
    file = tmp_path_factory.mktemp("trace") / "trace.jsonl"
    assert run("--trace", file, "--seed", "3", SAMPLES / "parent.exe", "3").returncode == 0
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_first_line_names_the_schema(lines: list[dict[str, Any]]) -> None:
    """A reader knows from the first line what it reads, and which run it was."""
    assert lines[0]["event"] == "machine-start"
    assert lines[0]["schema"] == events.SCHEMA
    assert lines[0]["seed"] == 3


def test_last_line_says_why_it_stopped(lines: list[dict[str, Any]]) -> None:
    """The last line is the machine's end."""
    assert (lines[-1]["event"], lines[-1]["reason"]) == ("machine-stop", "finished")


def test_every_line_is_typed(lines: list[dict[str, Any]]) -> None:
    """Each line is an event of a known kind, with fields of that kind's types."""
    for line in lines:
        kind = KINDS[line["event"]]
        assert set(line) <= {*kind.__struct_fields__, "event"}
        msgspec.convert(line, kind)


def test_what_happened_is_there(lines: list[dict[str, Any]]) -> None:
    """Processes, their ends, images, services and exports are told, in order of time."""
    created = [line for line in lines if line["event"] == "process-create"]
    ended = [line for line in lines if line["event"] == "process-exit"]
    assert [line["image"].rpartition("\\")[2] for line in created] == ["parent.exe"] + ["child.exe"] * 3
    assert {line["id"]: line.get("status", 0) for line in ended} == {
        line["id"]: code for line, code in zip(created, (0, 1000, 1001, 1002), strict=True)
    }
    assert [line["parent"] for line in created[1:]] == [created[0]["id"]] * 3
    assert {"image-load", "service", "export", "thread-create", "thread-exit"} <= {line["event"] for line in lines}
    times = [line["time"] for line in lines]
    assert times == sorted(times)


def test_creation_is_told_stage_by_stage(lines: list[dict[str, Any]]) -> None:
    """Each CreateProcess tells its steps in the order of the stages, decisions between them, and its end."""
    ends = [line for line in lines if line["event"] == "creation-end" and line["routine"] == "CreateProcessInternalW"]
    children = [line["id"] for line in lines if line["event"] == "process-create"]
    assert [line["subject"] for line in ends] == children
    parent, child = ends[1]["process"], children[1]  # what explorer.exe starts waits for the machine to run
    stages = [line["stage"] for line in lines if line["event"] == "creation-step" and line.get("process") == parent]
    begin = stages.index(1)
    first = stages[begin : stages.index(6, begin) + 1]
    assert first == sorted(first)
    assert set(first) == {1, 2, 3, 4, 5, 6}
    inside = [line for line in lines if line["event"] == "creation-step" and line.get("process") == child]
    assert [line["routine"] for line in inside[:3]] == [
        "PspUserThreadStartup", "LdrInitializeThunk", "LdrpInitializeProcess",
    ]  # fmt: skip
    assert inside[-1]["routine"] == "RtlUserThreadStart"


def test_refused_creation_says_why_in_every_line(tmp_path: Path) -> None:
    """A refused NtCreateUserProcess carries rule, inputs, flip and how far it came: so does CreateProcess."""
    shutil.copy(SAMPLES / "parent.exe", tmp_path)
    shutil.copy(SAMPLES / "plugin.dll", tmp_path / "child.exe")
    run("--trace", tmp_path / "trace", tmp_path / "parent.exe", "1")
    told = [json.loads(line) for line in (tmp_path / "trace").read_text(encoding="utf-8").splitlines()]
    refused = [line for line in told if "because" in line]
    kinds = [(line["event"], line.get("name") or line["routine"]) for line in refused]
    assert kinds == [
        ("creation-end", "NtCreateUserProcess"),
        ("service", "NtCreateUserProcess"),
        ("creation-end", "CreateProcessInternalW"),
        ("export", "CreateProcessW"),
    ]
    reasons = [line["because"] for line in refused]
    assert reasons == [reasons[0]] * 4
    assert reasons[0]["rule"] == "it is a DLL, or not linked to the end"
    assert reasons[0]["flip"] == "an EXE file"
    assert reasons[0]["inputs"]["characteristics"] & 0x2000
    assert (reasons[0]["stage"], reasons[0]["routine"]) == (2, "PspValidateImage")


@pytest.mark.parametrize("program", [("threads.exe",), ("parent.exe", "4"), ("pipes.exe",), ("timers.exe",)])
def test_same_seed_same_trace(program: tuple[str, ...], tmp_path: Path) -> None:
    """Two runs with one seed are the same, byte for byte."""
    for name in ("one", "two"):
        run("--seed", "5", "--trace", tmp_path / name, SAMPLES / program[0], *program[1:])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_other_seed_other_addresses(tmp_path: Path) -> None:
    """The seed decides where images lie."""
    bases = []
    for seed in ("1", "2"):
        run("--seed", seed, "--trace", tmp_path / seed, SAMPLES / "hello_writefile.exe")
        text = (tmp_path / seed).read_text(encoding="utf-8").splitlines()
        bases.append([line["base"] for line in map(json.loads, text) if line["event"] == "image-load"])
    assert bases[0] != bases[1]


def test_documentation_is_fresh() -> None:
    """docs/trace.md is what tools/make_trace_doc.py writes."""
    check = [sys.executable, str(ROOT / "tools" / "make_trace_doc.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, "run tools/make_trace_doc.py: " + done.stderr


def test_every_event_is_documented() -> None:
    """Each kind of event has its heading."""
    page = (ROOT / "docs" / "trace.md").read_text(encoding="utf-8")
    for tag in KINDS:
        assert f"## `{tag}`" in page
