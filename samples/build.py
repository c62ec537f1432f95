"""Build the sample guest programs with zig's C compiler: `python samples/build.py [output-directory]`.

Every program is one C file of its name, linked with mingw's startup code and the Universal CRT unless the
table says otherwise. The linker derives the PE time stamp from the contents: equal sources give equal bytes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import ziglang  # type: ignore[import-untyped]

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "src"
BINARIES = HERE / "bin"
ZIG_LIB = Path(ziglang.__file__).resolve().parent / "lib"
HEADERS = ("-isystem", str(ZIG_LIB / "libc/include/any-windows-any"), "-isystem", str(ZIG_LIB / "include"))
TARGET = ("-target", "x86_64-windows-gnu")
COMPILE = ("cc", *TARGET, "-O2", "-s", "-fms-extensions", "-fno-builtin", "-Wall", "-Wextra")


@dataclass(frozen=True)
class Program:
    """How one image is linked."""

    name: str  # with its suffix
    sources: tuple[str, ...]
    flags: tuple[str, ...] = ()
    crt: bool = True
    imports: tuple[str, ...] = ()  # import libraries made from the .def files of these names


BARE = ("-nostdlib", *HEADERS, "-Wl,--subsystem,console", "-Wl,-e,mainCRTStartup", "-lkernel32", "-lntdll")
BARE_DLL = ("-nostdlib", *HEADERS, "-Wl,-e,DllMainCRTStartup", "-lkernel32")


def _exe(name: str, *flags: str, crt: bool = True, imports: tuple[str, ...] = ()) -> Program:
    return Program(f"{name}.exe", (f"{name}.c",), flags, crt, imports)


def _dll(name: str, *flags: str) -> Program:
    return Program(f"{name}.dll", (f"{name}.c", f"{name}.def"), ("-shared", *BARE_DLL, *flags), crt=False)


PROGRAMS: tuple[Program, ...] = (
    _exe("hello_writefile", *BARE, crt=False),
    _exe("hello_printf"),
    _exe("missing_import", *BARE, crt=False, imports=("absent_dll",)),
    _exe("missing_function", *BARE, crt=False, imports=("absent_function",)),
    _exe("tls"),
    _exe("registry", "-ladvapi32"),
    Program("tlsplugin.dll", ("tlsplugin.c",), ("-shared",)),
    _dll("plugin"),
    _dll("forwarder"),
    _exe("exitcode"),
    _exe("worker"),
    _exe("winsock", "-lws2_32"),
    _exe("spin"),
    _exe("arguments"),
    _exe("files"),
    _exe("loadlibrary"),
    _exe("syscalls"),
    _exe("console"),
    _exe("threads"),
    _exe("timers"),
    _exe("pool"),
    _exe("waitpacket"),
    _exe("processor"),
    _exe("pipes"),
    _exe("alpc"),
    _exe("parent"),
    _exe("child"),
    _exe("debugger"),
    _exe("debuggee"),
    _exe("asuser", "-ladvapi32"),
    _exe("runas", "-ladvapi32", "-lshell32"),
    Program("admin.exe", ("admin.c", "admin.rc"), BARE, crt=False),
    _exe("native", "-lntdll"),
    _exe("fork", "-lntdll"),
    _exe("hostile", "-Wno-missing-field-initializers"),
    _exe("doors", "-lshell32", "-lntdll"),
    _exe("create_flags"),
    _exe("create_names"),
    _exe("create_images"),
    _exe("create_startup"),
    _exe("create_attributes", "-ladvapi32", "-luserenv"),
    _exe("create_console"),
    _exe("brood", *BARE, crt=False),
    _exe("inject", "-lntdll"),
    _exe("victim", *BARE, crt=False),
    _dll("payload"),
    _exe("crash"),
    _exe("seh"),
    _exe("veh"),
    _exe("heap"),
    _exe("memory"),
    _exe("hungry"),
    _exe("reach", "-municode"),
    _exe("ctrlc"),
)


def zig(*arguments: str) -> None:
    """Run one zig command in the source directory; raise `CalledProcessError` when it fails."""
    subprocess.run([sys.executable, "-m", "ziglang", *arguments], cwd=SOURCES, check=True)


def import_library(name: str, directory: Path) -> Path:
    """The import library described by `src/<name>.def`, made in `directory`."""
    library = directory / f"lib{name}.a"
    zig("dlltool", "-m", "i386:x86-64", "-d", f"{name}.def", "-l", str(library))
    return library


def build(program: Program, output: Path) -> Path:
    """Build one image into the directory `output` and return its path."""
    target = output / program.name
    with tempfile.TemporaryDirectory() as scratch:
        image = Path(scratch) / program.name
        libraries = [str(import_library(name, Path(scratch))) for name in program.imports]
        startup = ("-rtlib=none", "runtime.c") if program.crt else ()
        zig(*COMPILE, *startup, *program.sources, *libraries, *program.flags, "-o", str(image))
        target.write_bytes(image.read_bytes())
    return target


def build_all(output: Path) -> list[Path]:
    """Build every image into the directory `output`."""
    output.mkdir(parents=True, exist_ok=True)
    return [build(program, output) for program in PROGRAMS]


if __name__ == "__main__":
    for path in build_all(Path(sys.argv[1]) if len(sys.argv) > 1 else BINARIES):
        print(f"{path.stat().st_size:7} {path.name}")
