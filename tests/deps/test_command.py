"""`ntos deps` as its users call it: texts, forms, exit codes, `--why`, `--hijack`."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from ntos.cli import main
from ntos.deps.acl import on_host, on_windows
from ntos.deps.hijack import openings
from ntos.deps.why import why
from tests.deps.conftest import World
from tests.guest.conftest import SAMPLES

Output = pytest.CaptureFixture[str]

WHY = """\
version.dll, imported by app.exe (static)
  1. API set: version.dll: does not apply (the name does not begin with api- or ext-)
  2. DLL redirection (.local): /app/app.exe.local: does not apply (there is none)
  3. side-by-side manifest: version.dll: does not apply (no manifest applies)
  4. loaded modules: version.dll: not there (no loaded module has the name)
  5. KnownDLLs: version.dll: not there (not in the list)
  6. application directory: /app/version.dll: not there
  7. System32 directory: C:\\Windows\\System32\\version.dll: taken
  result: C:\\Windows\\System32\\version.dll by rule: System32 directory
  smallest change: put version.dll into /app: that one would be taken
"""
TREE = """\
missing_import.exe (x64)
├── ntos_absent_dependency.dll: MISSING (STATUS_DLL_NOT_FOUND)
└── kernel32.dll  C:\\Windows\\System32\\kernel32.dll, KnownDLLs
    ├── kernelbase.dll  C:\\Windows\\System32\\kernelbase.dll, KnownDLLs
    │   └── ntdll.dll  C:\\Windows\\System32\\ntdll.dll, KnownDLLs
    └── ntdll.dll  C:\\Windows\\System32\\ntdll.dll, KnownDLLs
4 modules, 5 edges, 1 missing
"""


def test_tree(capsys: Output) -> None:
    """The tree says from where and by which rule; a missing DLL makes the exit code 1."""
    assert main(["deps", str(SAMPLES / "bin" / "missing_import.exe")]) == 1
    assert capsys.readouterr().out == TREE


def test_missing(capsys: Output) -> None:
    """`--missing` prints one line a missing thing, and nothing where all is there."""
    programs = [str(SAMPLES / "bin" / name) for name in ("missing_function.exe", "hello_printf.exe")]
    assert main(["deps", "--missing", *programs]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{programs[0]}:",
        "kernel32.dll!NtosAbsentFunction, needed by missing_function.exe (static): STATUS_ENTRYPOINT_NOT_FOUND",
    ]
    assert main(["deps", "--missing", programs[1]]) == 0


def test_why(world: World, capsys: Output) -> None:
    """`--why` prints every rule, every place, the result and the smallest change."""
    path = world.make("app.exe", [("version.dll", ["VerQueryValueW"])])
    assert main(["deps", "--why", "version.dll", str(path)]) == 0
    assert capsys.readouterr().out.replace(str(world.folder.parent), "") == WHY


def test_smallest_changes(world: World) -> None:
    """The change depends on the rule that decided."""
    world.make("app.exe", [("a.dll", ["f"]), ("gone.dll", ["f"]), ("ole32.dll", ["CoInitialize"])])
    world.make("a.dll", exports=["f"])
    analysis, graph = world.analyse()

    def change(name: str) -> str:
        return why(analysis, graph, name)[0].change.replace(str(world.folder), "APP")

    assert change("a.dll") == "take APP/a.dll away: nothing else is found (STATUS_DLL_NOT_FOUND)"
    assert change("gone") == "put gone.dll into APP"
    assert change("ole32.dll").endswith("ole32.dll in Session Manager\\ExcludeFromKnownDlls")
    assert change("api-ms-win-crt-heap-l1-1-0.dll").startswith("none outside Windows")
    assert why(analysis, graph, "user32.dll")[0].kind.startswith("nobody imports it")


def test_hijack(world: World, tmp_path: Path) -> None:
    """Every earlier place counts, with who may write there; KnownDLLs and API sets leave none but a manifest."""
    world.make("app.exe", [("version.dll", ["VerQueryValueW"]), ("ole32.dll", ["CoInitialize"])])
    world.folder.chmod(0o777)
    analysis, graph = world.analyse()
    rows = openings(analysis, graph)
    assert [(row.path.replace(str(tmp_path), ""), row.rule, row.writers.wide) for row in rows] == [
        ("/app/app.exe.local/version.dll", "DLL redirection (.local)", True),
        ("/app/version.dll", "application directory", True),
        ("/app/app.exe.manifest", "side-by-side manifest", True),
    ]
    world.folder.chmod(0o755)
    assert not on_host(world.folder / "not" / "there").wide


def test_windows_defaults() -> None:
    r"""The ACLs of a fresh installation: only administrators below Windows, everybody who logged on below C:\\x."""
    assert not on_windows("C:\\Windows\\System32").wide
    assert not on_windows("C:\\Program Files (x86)\\Tool").wide
    assert on_windows("C:\\Tools\\bin").wide
    assert on_windows("C:\\ProgramData\\Tool").wide


def test_json(capsys: Output) -> None:
    """`--json` is one document for all programs, with every step of every decision."""
    programs = [str(SAMPLES / "bin" / name) for name in ("hello_printf.exe", "registry.exe")]
    assert main(["deps", "--json", "--hijack", "--why", "kernel32.dll", *programs]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    assert [Path(each["program"]).name for each in document["programs"]] == ["hello_printf.exe", "registry.exe"]
    first = document["programs"][0]
    assert set(first) == {
        "program", "machine", "complete", "modules", "edges", "missing", "problems", "why", "hijack",
    }  # fmt: skip
    assert all(edge["decision"]["steps"] for edge in first["edges"] if edge["decision"])
    assert first["modules"][0]["name"] == "hello_printf.exe"


def test_html_and_dot(tmp_path: Path, capsys: Output) -> None:
    """The page needs nothing else and shows text as text; the graph is a digraph."""
    page = tmp_path / "page.html"
    program = str(SAMPLES / "bin" / "missing_import.exe")
    assert main(["deps", "--html", str(page), program]) == 1
    written = page.read_text(encoding="utf-8")
    assert "ntos_absent_dependency.dll" in written
    assert "src=" not in written
    assert "<script" not in written
    assert main(["deps", "--dot", program]) == 1
    assert capsys.readouterr().out.startswith('digraph "missing_import.exe"')


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["{folder}/none.exe"], 127, "there is no such file"),
        (["{folder}"], 126, "it is a folder"),
        (["{folder}/text.exe"], 126, "not a Windows program"),
        (["{folder}/empty.exe"], 126, "the file is empty"),
        ([], 2, "ntos deps --help"),
        (["--json", "--dot", "x"], 2, "not allowed with"),
        (["--depth", "-1", "x"], 2, "negative"),
        (["--windows", "{folder}", "x"], 2, "there is no System32"),
    ],
)
def test_refusals(tmp_path: Path, capsys: Output, words: list[str], code: int, sentence: str) -> None:
    """One line on stderr says what is wrong; exit codes are those of `ntos run`."""
    (tmp_path / "text.exe").write_text("hello")
    (tmp_path / "empty.exe").write_bytes(b"")
    assert main(["deps", *(word.replace("{folder}", str(tmp_path)) for word in words)]) == code
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_large_executable(world: World) -> None:
    """A program of 100 MB with 500 DLLs of 20 functions each is answered in under two seconds."""
    names = [f"f{index}" for index in range(20)]
    world.make("app.exe", [(f"m{index}.dll", names) for index in range(500)])
    for index in range(500):
        world.make(f"m{index}.dll", exports=names)
    with (world.folder / "app.exe").open("r+b") as file:
        file.truncate(100 << 20)
    started = time.perf_counter()
    graph = world.graph()
    assert time.perf_counter() - started < 2
    assert graph.complete
    assert len(graph.edges) > 500
