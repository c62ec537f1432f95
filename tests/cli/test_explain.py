"""`ntos explain create`: seven stages, refusals with their rule, three forms; looking alters nothing."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from ntos.abi.layout.peb import PEB
from ntos.abi.layout.process import EPROCESS
from ntos.abi.struct import Struct
from ntos.cli import explain
from ntos.machine import Machine
from ntos.report.account import SCHEMA, Account, Document, Step
from ntos.report.teach import STAGES, steps_written_about
from tests.cli.conftest import SAMPLES, Done, complaint, ntos

ROOT = Path(__file__).resolve().parents[2]
AMD64, ARM64 = b"\x64\x86", b"\x64\xaa"


def create(*words: str | Path) -> Done:
    """`ntos explain create words…`."""
    return ntos("explain", "create", *words)


def document(*words: str | Path) -> Document:
    """What `--json` says, as its types."""
    done = create("--json", *words)
    assert b"Traceback" not in done.stderr
    return msgspec.json.decode(done.stdout, type=Document, strict=True)


def steps(account: Account) -> dict[str, Step]:
    """The steps of an account by routine, the last of each name."""
    return {step.routine: step for stage in account.stages for step in stage.steps}


def settings(*words: str) -> argparse.Namespace:
    """Options, as the command line gives them."""
    return explain.parser().parse_args(list(words))


def recorded(machine: Machine, program: str) -> Account:
    """The account of a program of drive D, up to its entry point."""
    wanted = explain.Wish(f"D:\\{program}", named=True, directory="D:\\")
    return explain.record(machine, settings("--to-entry"), wanted, [program]).account


# ------------------------------------------------------------ a process that is created


def test_seven_stages_in_order() -> None:
    """A creation goes through stages 1 to 7, each once; the program's exit code is not the command's."""
    done = create("--json", SAMPLES / "exitcode.exe", "3")
    assert done.returncode == 0
    told = msgspec.json.decode(done.stdout, type=Document, strict=True)
    account = told.account
    assert told.schema == SCHEMA
    assert [stage.number for stage in account.stages] == [1, 2, 3, 4, 5, 6, 7]
    assert (account.created, account.entered, account.exit_status, account.refusal) == (True, True, 3, None)
    assert account.creator.name == "starter.exe"
    assert account.process.name == "exitcode.exe"


def test_who_does_what_where() -> None:
    """Stages 1 and 5 are kernelbase's in the creator, 2 to 4 the kernel's there, 7 ntdll's in the new process."""
    account = document(SAMPLES / "hello_printf.exe").account
    seen = {
        stage.number: {(step.component, step.mode, step.process.name) for step in stage.steps}
        for stage in account.stages
    }
    assert seen[1] == {("kernelbase", "user", "starter.exe")}
    assert seen[2] == seen[3] == seen[4] == {("ntoskrnl", "kernel", "starter.exe")}
    assert ("kernelbase", "user", "starter.exe") in seen[5]
    assert seen[6] == {("ntoskrnl", "kernel", "starter.exe"), ("ntoskrnl", "kernel", "hello_printf.exe")}
    assert seen[7] == {("ntdll", "user", "hello_printf.exe")}
    assert all(step.says for stage in account.stages for step in stage.steps)


def test_csrss_part_is_told() -> None:
    """In stage 5 csrss makes a CSR_PROCESS and a CSR_THREAD in its own memory and is named as who did it."""
    account = document(SAMPLES / "exitcode.exe").account
    step = next(each for each in account.stages[4].steps if each.routine == "BaseSrvCreateProcess2")
    assert (step.process.name, step.component, step.mode) == ("csrss.exe", "basesrv", "user")
    made = {each.name: each for each in step.structures}
    assert {"CSR_PROCESS", "CSR_THREAD"} <= made.keys()
    for name in ("CSR_PROCESS", "CSR_THREAD"):
        assert made[name].owner == step.process.id
        values = {change.name: change.after for change in made[name].changes}
        assert values["ClientId.UniqueProcess"] == account.process.id
    assert "ExceptionPortData" in {change.name for change in made["EPROCESS"].changes}


def test_order_of_the_kernels_work() -> None:
    """PspAllocateProcess, address space, token, handles, images, PEB, parameters, thread, insertion: NT's order."""
    account = document(SAMPLES / "hello_printf.exe").account
    order = [step.routine for stage in account.stages for step in stage.steps]
    expected = [
        "NtCreateUserProcess", "IoCreateFileEx", "MmCreateSpecialImageSection", "PspAllocateProcess",
        "MmCreateProcessAddressSpace", "KeInitializeProcess", "PspInitializeProcessSecurity", "ObInitProcess",
        "MmInitializeProcessAddressSpace", "PspMapSystemDlls", "MmCreatePeb", "PspSetupUserProcessAddressSpace",
        "PspAllocateThread", "KeInitThread", "MmCreateTeb", "PspInsertProcess", "PspInsertThread", "NtResumeThread",
        "PspUserThreadStartup", "LdrInitializeThunk", "RtlUserThreadStart",
    ]  # fmt: skip
    assert [routine for routine in order if routine in expected] == expected


def test_modules_in_order_with_their_rule() -> None:
    """Each module says which rule found it and who needed it; kernelbase's init routine runs before kernel32's."""
    modules = {module.name.lower(): module for module in document(SAMPLES / "hello_printf.exe").account.modules}
    assert list(modules) == ["hello_printf.exe", "ntdll.dll", "kernel32.dll", "kernelbase.dll", "ucrtbase.dll"]
    assert modules["ntdll.dll"].rule == "mapped by the kernel"
    assert modules["ucrtbase.dll"].importer == "hello_printf.exe"
    assert modules["ucrtbase.dll"].rule.startswith("API set api-ms-win-crt-")
    assert modules["kernelbase.dll"].initialized < modules["kernel32.dll"].initialized


def test_fields_are_the_machines() -> None:
    """What the account says of EPROCESS and PEB is what stands in the machine's memory."""
    with Machine(drives={"D": SAMPLES}) as machine:
        account = recorded(machine, "hello_printf.exe")
        process = next(each for each in machine.processes() if each.id == account.process.id)
        told: dict[tuple[str, str], int | str] = {}
        for stage in account.stages:
            for step in stage.steps:
                for each in step.structures:
                    told.update({(each.name, change.name): change.after for change in each.changes})
        body = process.eprocess
        peb = PEB(process.memory, int(body.Peb))
        parameters = int(peb.ProcessParameters)
        truth: dict[tuple[str, str], int | str] = {
            ("EPROCESS", "UniqueProcessId"): process.id,
            ("EPROCESS", "InheritedFromUniqueProcessId"): account.creator.id,
            ("EPROCESS", "ImageFileName"): "hello_printf.e",
            ("EPROCESS", "Peb"): peb.address,
            ("EPROCESS", "Pcb.DirectoryTableBase"): process.tables.root,
            ("EPROCESS", "SectionBaseAddress"): int(body.SectionBaseAddress),
            ("EPROCESS", "Token.Object"): int(body.Token.Object),
            ("PEB", "ImageBaseAddress"): int(body.SectionBaseAddress),
            ("PEB", "ProcessParameters"): parameters,
            ("PEB", "Ldr"): int(peb.Ldr),
            ("RTL_USER_PROCESS_PARAMETERS", "CommandLine"): '"D:\\hello_printf.exe"',
        }
        assert {key: told[key] for key in truth} == truth
        addresses = {each.address for step in steps(account).values() for each in step.structures}
        assert {process.address, peb.address, parameters} <= addresses


def test_looking_alters_nothing() -> None:
    """A machine that is looked at lives the same life: the same steps, and no page more."""

    def life(*, looking: bool, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], int]:
        with monkeypatch.context() as patch, Machine(drives={"D": SAMPLES}) as machine:
            if not looking:
                patch.setattr(explain, "memory_of", lambda _machine, _process: None)
            account = recorded(machine, "hello_printf.exe")
            changed = any(each for step in steps(account).values() for each in step.structures)
            assert changed is looking
            return list(steps(account)), int(machine.processes()[-1].eprocess.NumberOfPrivatePages)

    patch = pytest.MonkeyPatch()
    assert life(looking=True, monkeypatch=patch) == life(looking=False, monkeypatch=patch)


def test_handles_in_the_creator() -> None:
    """CreateProcess leaves two handles in the creator, to process and thread, with all access."""
    account = document(SAMPLES / "hello_printf.exe").account
    handles = [made for made in steps(account)["PspUpdateCreateInfo"].made if made.kind == "handle"]
    assert [(made.name, made.owner, made.access) for made in handles] == [
        ("thread", account.creator.id, 0x1FFFFF), ("process", account.creator.id, 0x1FFFFF),
    ]  # fmt: skip


def test_children_are_told(tmp_path: Path) -> None:
    """What the program itself creates is summarised, and told whole with --children; a refused child has its rule."""
    shutil.copy(SAMPLES / "parent.exe", tmp_path)
    shutil.copy(SAMPLES / "child.exe", tmp_path)
    children = document(tmp_path / "parent.exe", "2").account.children
    assert [child.process.name for child in children] == ["child.exe"] * 2
    assert [child.exit_status for child in children] == [1000, 1001]
    assert [stage.number for stage in children[0].stages] == [1, 2, 3, 4, 5, 6, 7]
    short = create(tmp_path / "parent.exe", "2").stdout
    whole = create("--children", tmp_path / "parent.exe", "2").stdout
    assert (short.count(b"\nStage 7"), whole.count(b"\nStage 7")) == (1, 3)
    shutil.copy(SAMPLES / "plugin.dll", tmp_path / "child.exe")
    text = create(tmp_path / "parent.exe", "1").stdout.decode()
    assert "rule: it is a DLL, or not linked to the end; what would flip it: an EXE file" in text


def test_other_doors() -> None:
    """What a program makes by native calls is told too: NtCreateUserProcess from stage 2, NtCreateProcessEx from 3."""
    children = document(SAMPLES / "native.exe").account.children
    assert [[stage.number for stage in child.stages] for child in children[:2]] == [[2, 3, 4, 6, 7], [3, 4, 6, 7]]
    assert [(child.created, child.entered, child.exit_status) for child in children[:2]] == [(True, True, 41)] * 2
    refused = [child.refusal for child in children[2:]]
    assert [(each.stage, each.status_name) for each in refused if each is not None] == [
        (2, "STATUS_OBJECT_NAME_NOT_FOUND"), (2, "STATUS_INVALID_HANDLE"), (2, "STATUS_INVALID_HANDLE"),
    ]  # fmt: skip


# ------------------------------------------------------------ one that is refused


def _files(folder: Path) -> Path:
    shutil.copy(SAMPLES / "plugin.dll", folder / "dll.exe")
    image = bytearray((SAMPLES / "hello_writefile.exe").read_bytes())
    header = int.from_bytes(image[0x3C:0x40], "little")
    assert image[header + 4 : header + 6] == AMD64
    image[header + 4 : header + 6] = ARM64
    (folder / "arm.exe").write_bytes(image)
    (folder / "text.exe").write_text("hello")
    (folder / "empty.exe").write_bytes(b"")
    (folder / "batch.bat").write_text("echo hello\r\n")
    return folder


@pytest.mark.parametrize(
    ("words", "stage", "routine", "rule", "error"),
    [
        (["none.exe"], 2, "IoCreateFileEx", "the image file must exist", 2),
        (["none/none.exe"], 2, "IoCreateFileEx", "the image file's folder must exist", 3),
        (["."], 2, "IoCreateFileEx", "an image is a file, not a folder", 5),
        (
            ["--flags", "0x18", "arm.exe"],
            1, "CreateProcessInternalW", "a detached process has no console, new or old", 87,
        ),
        (["batch.bat"], 1, "BasepGetExeName", "no file of that name where CreateProcess looks", 2),
        (["text.exe"], 2, "MmCreateSpecialImageSection", "an image begins with the letters MZ", 216),
        (["empty.exe"], 2, "MmCreateSpecialImageSection", "an image file is not empty", 193),
        (["dll.exe"], 2, "PspValidateImage", "it is a DLL, or not linked to the end", 193),
        (["arm.exe"], 2, "PspValidateImage", "machine type", 216),
        (
            ["--in-job", "--flags", "CREATE_BREAKAWAY_FROM_JOB", str(SAMPLES / "hello_writefile.exe")],
            3, "PspAssignProcessToJob", "the job lets nobody break away", 5,
        ),
        (
            [str(SAMPLES / "admin.exe")],
            5, "CreateProcessInternalW: checks", "the manifest asks for more rights than the token has", 740,
        ),
    ],
)  # fmt: skip
def test_refusal_states_its_rule(
    words: list[str], stage: int, routine: str, rule: str, error: int, tmp_path: Path
) -> None:
    """A refused creation says how far it came, by which rule, on what, and what would flip it; exit code 1."""
    place = [str(_files(tmp_path) / word) if word.endswith((".exe", ".bat", ".")) else word for word in words]
    done = create("--json", *place)
    assert (done.returncode, b"Traceback" in done.stderr) == (1, False)
    account = msgspec.json.decode(done.stdout, type=Document, strict=True).account
    refusal = account.refusal
    assert refusal is not None
    assert (refusal.stage, refusal.routine, refusal.rule, refusal.error) == (stage, routine, rule, error)
    assert refusal.inputs
    assert refusal.flip
    assert (account.created, account.entered) == (False, False)
    assert account.stages[-1].number == stage


def test_process_that_cannot_start_itself() -> None:
    """A missing DLL ends a process in stage 7: created, not entered, every place tried in the account."""
    done = create("--json", SAMPLES / "missing_import.exe")
    account = msgspec.json.decode(done.stdout, type=Document, strict=True).account
    assert done.returncode == 1
    assert (account.created, account.entered, account.exit_status) == (True, False, 0xC0000135)
    assert account.refusal is not None
    assert (account.refusal.stage, account.refusal.routine) == (7, "LdrpMapAndSnapDependency")
    assert account.refusal.status_name == "STATUS_DLL_NOT_FOUND"
    assert account.refusal.inputs["dll"] == "ntos_absent_dependency.dll"
    assert len(account.refusal.inputs["tried"]) >= 6


def test_name_is_looked_for() -> None:
    """A bare name that is no file here goes through CreateProcess's search; each place it tried is listed."""
    account = document("no_such_program").account
    assert account.refusal is not None
    tried = account.refusal.inputs["tried"]
    assert [place.rpartition("\\")[2] for place in tried] == ["no_such_program.exe"] * len(tried)
    folders = [place.rpartition("\\")[0] for place in tried]
    assert folders[1:5] == [".", "C:\\Windows\\System32", "C:\\Windows\\System", "C:\\Windows"]


def test_debugger_takes_the_programs_place(tmp_path: Path) -> None:
    """A batch file's detour is part of the account: stages 1 and 2, then stage 1 again with another program."""
    account = document(_files(tmp_path) / "batch.bat").account
    assert [stage.number for stage in account.stages] == [1, 2, 1]
    rules = [decision.rule for step in account.stages[1].steps for decision in step.decisions]
    assert "a batch file runs in the command processor" in rules


# ------------------------------------------------------------ forms


def test_text_is_plain_in_a_pipe() -> None:
    """In a pipe the text has no escape codes, its stages in order, and no program's output between."""
    done = create(SAMPLES / "hello_printf.exe")
    text = done.stdout.decode()
    assert "\x1b" not in text
    places = [text.index(f"Stage {number}: {title}") for number, title in STAGES.items()]
    assert places == sorted(places)
    assert "Hello from printf" not in text
    assert b"Hello from printf" in done.stderr
    assert "+0x440 UniqueProcessId" in text


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "br"}:
            self.open.append(tag)
        self.links += [f"{tag} {name}" for name, _ in attrs if name in {"src", "href"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_stands_alone(tmp_path: Path) -> None:
    """The HTML page is well formed, fetches nothing, knows light and dark, and escapes what a program says."""
    shutil.copy(SAMPLES / "parent.exe", tmp_path / "a & b.exe")
    shutil.copy(SAMPLES / "child.exe", tmp_path)
    done = create("--html", tmp_path / "page.html", tmp_path / "a & b.exe", "1", "<script>alert(1)</script>")
    assert (done.returncode, done.stdout) == (0, b"")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    assert (page.open, page.links) == ([], [])
    assert all(word not in text for word in ("<script", "@import", "url("))
    assert "prefers-color-scheme: dark" in text
    assert all(f"<h2>{title}</h2>" in text for title in STAGES.values())
    assert "a &amp; b.exe" in text
    assert "child.exe" in text


def test_form_may_stand_at_the_end() -> None:
    """--json after the program is ours; behind a `--` before it, it is the guest's."""
    assert json.loads(create(SAMPLES / "arguments.exe", "x", "--json").stdout)["account"]["command_line"].endswith(" x")
    done = create("--", SAMPLES / "arguments.exe", "x", "--json")
    assert b"--json" in done.stderr


@pytest.mark.parametrize(
    "words",
    [[], ["create"], ["frobnicate"], ["create", "--json"], ["create", ""], ["create", "--flags", "FROB", "x.exe"],
     ["create", "--flags", "DEBUG_PROCESS", "x.exe"], ["create", "--json", "--html", "x", "x.exe"],
     ["create", "--html", "/no/such/folder/x.html", str(SAMPLES / "hello_writefile.exe")],
     ["create", "--cwd", "/no/such/folder", "x.exe"]],
)  # fmt: skip
def test_bad_usage_is_one_line(words: list[str]) -> None:
    """A command line that makes no sense is one line on stderr and exit code 2."""
    done = ntos("explain", *words)
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.decode().splitlines()[-1].startswith("ntos: ")


def test_timeout_is_told() -> None:
    """A program that never ends is stopped after --timeout; its creation is told all the same."""
    done = create("--timeout", "1", SAMPLES / "spin.exe")
    assert done.returncode == 0
    assert done.stdout.decode().splitlines()[-1] == "The machine stopped: timeout."


def test_help_and_missing_subject() -> None:
    """--help prints the options; without a subject the command says what it can explain."""
    assert b"--children" in create("--help").stdout
    assert complaint(ntos("explain")) == "what is to be explained? `ntos explain create PROGRAM`"


# ------------------------------------------------------------ the rest


def test_starter_is_fresh() -> None:
    """The committed parent of what is explained is what its source compiles to."""
    pytest.importorskip("ziglang")
    check = [sys.executable, str(ROOT / "tools" / "make_starter.py"), "--check"]
    assert subprocess.run(check, check=False).returncode == 0, "run tools/make_starter.py"


def test_running_loads_no_report() -> None:
    """`ntos run` does not pay for what only an account needs."""
    code = "import sys, ntos.cli.run; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [name for name in done.stdout.split() if name.startswith(("ntos.report", "jinja2"))] == []


def test_every_step_has_its_sentence() -> None:
    """Each step that the sources tell of is written about in steps.toml, and nothing else is."""
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src" / "ntos").rglob("*.py"))
    told = set(re.findall(r'step\([^()"]*(?:\([^()]*\)[^()"]*)*\d, "([^"]+)"', sources)) | {"CreateProcessInternalW"}
    written = set(steps_written_about())
    assert (told - written, written - told) == (set(), set())


def test_layout_names_are_structures() -> None:
    """Structures that creation steps name are watched."""
    from ntos.report.creation import LAYOUTS

    assert LAYOUTS["EPROCESS"] is EPROCESS
    assert all(issubclass(kind, Struct) for kind in LAYOUTS.values())
