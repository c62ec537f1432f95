"""The search order, told as records of rules and places."""

from __future__ import annotations

from pathlib import Path

from ntos.abi import apiset
from ntos.deps.search import Result, Settings
from ntos.deps.windows import Files, Folder, RealWindows, parse_schema
from tests.deps.conftest import World, decision_for, record

BEFORE = [
    "API set: x.dll: does not apply",
    "DLL redirection (.local): /app/app.exe.local: does not apply",
    "side-by-side manifest: x.dll: does not apply",
    "loaded modules: x.dll: not there",
    "KnownDLLs: x.dll: not there",
]
PATH = [
    "PATH directory: C:\\Windows\\System32\\x.dll: not there",
    "PATH directory: C:\\Windows\\x.dll: not there",
    "PATH directory: C:\\Windows\\System32\\Wbem\\x.dll: not there",
    "PATH directory: C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\x.dll: not there",
    "PATH directory: C:\\Windows\\System32\\OpenSSH\\x.dll: not there",
]
SYSTEM = [
    "System32 directory: C:\\Windows\\System32\\x.dll: not there",
    "16-bit system directory: C:\\Windows\\System\\x.dll: not there",
    "Windows directory: C:\\Windows\\x.dll: not there",
]
ASSEMBLY = '<assembly xmlns="urn:schemas-microsoft-com:asm.v1" manifestVersion="1.0">{}</assembly>'


def settings_of(tmp_path: Path, *, safe: bool = True) -> Settings:
    """A current directory and one PATH directory."""
    current, extra = Folder(str(tmp_path / "cwd"), tmp_path / "cwd"), Folder(str(tmp_path / "bin"), tmp_path / "bin")
    return Settings(safe, current, (extra,))


def test_standard_order(world: World, tmp_path: Path) -> None:
    """Safe search: application, System32, System, Windows, current directory, PATH (Microsoft Learn, DLL search)."""
    world.make("app.exe", [("x.dll", ["f"])])
    found = decision_for(world.graph(settings=settings_of(tmp_path)), "x.dll")
    assert record(found, tmp_path) == [
        *BEFORE,
        "application directory: /app/x.dll: not there",
        *SYSTEM,
        "current directory: /cwd/x.dll: not there",
        *PATH,
        "PATH directory: /bin/x.dll: not there",
    ]
    assert found.result is Result.NOT_FOUND


def test_unsafe_order(world: World, tmp_path: Path) -> None:
    """With SafeDllSearchMode off the current directory comes right after the application's."""
    world.make("app.exe", [("x.dll", ["f"])])
    world.make("x.dll", exports=["f"], folder=tmp_path / "cwd")
    found = decision_for(world.graph(settings=settings_of(tmp_path, safe=False)), "x.dll")
    assert record(found, tmp_path)[5:] == [
        "application directory: /app/x.dll: not there",
        "current directory (SafeDllSearchMode off): /cwd/x.dll: taken",
    ]


def test_case_and_extension(world: World) -> None:
    """Names are compared without case, `.DLL` is appended where there is no dot, a closing dot goes."""
    world.make("app.exe", [("OTHER", ["f"]), ("Plain.", ["f"])])
    world.make("Other.dll", exports=["f"])
    world.make("PLAIN", exports=["f"])
    graph = world.graph()
    assert [module.name for module in graph.modules if module.host] == ["app.exe", "Other.dll", "PLAIN"]
    assert graph.complete


def test_known_dll_beats_application(world: World) -> None:
    """A copy of a KnownDLL beside the program is never looked at; another system DLL's copy is taken."""
    world.make("app.exe", [("advapi32.dll", ["RegCloseKey"]), ("version.dll", ["VerQueryValueW"])])
    world.make("advapi32.dll", exports=["RegCloseKey"])
    world.make("version.dll", exports=["VerQueryValueW"])
    graph = world.graph()
    assert [(decision_for(graph, name).rule, decision_for(graph, name).located.host is None)  # type: ignore[union-attr]
            for name in ("advapi32.dll", "version.dll")] == [
        ("KnownDLLs", True), ("application directory", False),
    ]  # fmt: skip


def test_dependent_load_flags(world: World, tmp_path: Path) -> None:
    """DependentLoadFlags 0x800 leave System32 as the only directory (linker option /DEPENDENTLOADFLAG)."""
    world.make("app.exe", [("x.dll", ["f"])], flags=0x800)
    world.make("x.dll", exports=["f"])
    found = decision_for(world.graph(), "x.dll")
    only = "System32 directory (DependentLoadFlags 0x800): C:\\Windows\\System32\\x.dll: not there"
    assert record(found, tmp_path)[5:] == [only]


def test_local_directory(world: World, tmp_path: Path) -> None:
    """`app.exe.local` as a directory comes before everything but API sets; a manifest switches it off."""
    world.make("app.exe", [("x.dll", ["f"])])
    world.make("x.dll", exports=["f"])
    world.make("x.dll", exports=["f"], folder=world.folder / "app.exe.local")
    found = decision_for(world.graph(), "x.dll")
    assert record(found, tmp_path)[1:] == ["DLL redirection (.local): /app/app.exe.local/x.dll: taken"]
    (world.folder / "app.exe.manifest").write_text(ASSEMBLY.format(""))
    assert decision_for(world.graph(), "x.dll").rule == "application directory"


def test_api_set(world: World, tmp_path: Path) -> None:
    """A contract's host comes from System32, whatever lies beside the program."""
    contract = "api-ms-win-crt-stdio-l1-1-0.dll"
    world.make("app.exe", [(contract, ["puts"])])
    world.make("ucrtbase.dll", exports=["puts"])
    graph = world.graph()
    assert record(decision_for(graph, contract), tmp_path) == [
        f"API set: {contract}: changes the name",
        "KnownDLLs: C:\\Windows\\System32\\ucrtbase.dll: taken",
    ]
    assert graph.complete


def test_api_set_exception_for_importer(world: World) -> None:
    """kernel32 asking for the process contract gets kernelbase; anybody else gets kernel32."""
    contract = "api-ms-win-core-processthreads-l1-1-4.dll"
    world.make("app.exe", [(contract, ["CreateProcessW"])])
    analysis, _ = world.analyse()
    by_program = analysis.searcher.search(contract, "app.exe")
    by_kernel32 = analysis.searcher.search(contract, "KERNEL32.DLL")
    assert (by_program.resolved, by_kernel32.resolved) == ("kernel32.dll", "kernelbase.dll")
    assert "exception for importer" in by_kernel32.steps[0].detail


def test_api_set_without_host(world: World) -> None:
    """A contract the edition does not host is refused, never searched for."""
    contract = next(each.name for each in apiset.contracts() if not each.host) + ".dll"
    world.make("app.exe", [(contract, ["f"])])
    graph = world.graph()
    assert [(each.what, each.status) for each in graph.missing()] == [("dll", "STATUS_APISET_NOT_HOSTED")]


def test_unknown_contract_is_an_ordinary_name(world: World) -> None:
    """An api- name outside the schema is searched for as a file."""
    world.make("app.exe", [("api-ms-win-none-l1-1-0.dll", ["f"])])
    world.make("api-ms-win-none-l1-1-0.dll", exports=["f"])
    assert world.graph().complete


def test_private_assembly(world: World, tmp_path: Path) -> None:
    """An assembly in a folder of its own name gives its files before KnownDLLs; WinSxS is asked first."""
    identity = '<assemblyIdentity type="win32" name="Our.Parts" version="1.0.0.0" processorArchitecture="amd64"/>'
    dependency = f"<dependency><dependentAssembly>{identity}</dependentAssembly></dependency>"
    world.make("app.exe", [("x.dll", ["f"])], manifest=ASSEMBLY.format(dependency))
    world.make("x.dll", exports=["f"], folder=world.folder / "Our.Parts")
    (world.folder / "Our.Parts" / "Our.Parts.manifest").write_text(ASSEMBLY.format(identity + '<file name="x.dll"/>'))
    found = decision_for(world.graph(), "x.dll")
    assert record(found, tmp_path)[2:] == [
        "side-by-side manifest: C:\\Windows/WinSxS: not there".replace("/", "\\"),
        "side-by-side manifest: /app/Our.Parts.dll: not there",
        "side-by-side manifest: /app/Our.Parts.manifest: not there",
        "side-by-side manifest: /app/Our.Parts/Our.Parts.dll: not there",
        "side-by-side manifest: /app/Our.Parts/Our.Parts.manifest: taken",
        "side-by-side manifest: /app/Our.Parts/x.dll: taken",
    ]


def test_missing_assembly(world: World) -> None:
    """A needed assembly that is nowhere stops the start; an optional one does not."""
    row = (
        '<dependency{}><dependentAssembly><assemblyIdentity type="win32" name="No.Such" version="1.0.0.0"/>'
        "</dependentAssembly></dependency>"
    )
    world.make("app.exe", manifest=ASSEMBLY.format(row.format("")))
    assert [(each.what, each.dll) for each in world.graph().missing()] == [("assembly", "No.Such 1.0.0.0")]
    world.make("app.exe", manifest=ASSEMBLY.format(row.format(' optional="yes"')))
    assert world.graph().complete


def test_common_controls(world: World) -> None:
    """comctl32 with the version 6 manifest comes from WinSxS, without it from System32."""
    identity = (
        '<assemblyIdentity type="win32" name="Microsoft.Windows.Common-Controls" version="6.0.0.0" '
        'processorArchitecture="*" publicKeyToken="6595b64144ccf1df" language="*"/>'
    )
    manifest = ASSEMBLY.format(f"<dependency><dependentAssembly>{identity}</dependentAssembly></dependency>")
    world.make("app.exe", [("comctl32.dll", ["InitCommonControlsEx"])], manifest=manifest)
    graph = world.graph()
    assert decision_for(graph, "comctl32.dll").rule == "side-by-side manifest"
    assert graph.modules[-1].path.startswith("C:\\Windows\\WinSxS\\amd64_microsoft.windows.common-controls_")
    assert graph.complete


def test_manifest_with_entities_is_refused(world: World) -> None:
    """A manifest with a document type definition is malformed; nothing expands."""
    bomb = '<!DOCTYPE a [<!ENTITY b "x">]><assembly xmlns="urn:schemas-microsoft-com:asm.v1">&b;</assembly>'
    world.make("app.exe", manifest=bomb)
    assert "document type" in world.graph().problems[0]


def test_real_windows_folder(world: World, tmp_path: Path) -> None:
    """`--windows`: files decide what is there, and 32-bit programs see SysWOW64."""
    root = tmp_path / "Windows"
    for name in ("ntdll.dll", "kernel32.dll", "kernelbase.dll"):
        world.make(name, exports=["ExitProcess"], folder=root / "System32")
    world.make("Tool.DLL", exports=["f"], folder=root)
    (root / "SysWOW64").mkdir()
    world.windows = RealWindows(root, Files())
    world.make("app.exe", [("kernel32.dll", ["ExitProcess"]), ("tool.dll", ["f"]), ("user32.dll", ["MessageBoxW"])])
    graph = world.graph()
    assert decision_for(graph, "tool.dll").rule == "Windows directory"
    assert [each.dll for each in graph.missing()] == ["user32.dll"]
    assert world.windows.system32(0x14C).shown.endswith("SysWOW64")


def test_schema_of_a_file() -> None:
    """A version 6 schema is read back as it was written."""
    schema = parse_schema(apiset.build_schema())
    assert schema is not None
    assert schema["api-ms-win-core-io-l1-1"] == {"": "kernel32.dll", "kernel32.dll": "kernelbase.dll"}
    assert len(schema) == len(apiset.contracts())
    assert parse_schema(b"\7" * 40) is None
