"""The test programs, built with mingw-w64 (Debian's gcc-mingw-w64-x86-64-win32 and binutils) and Wine's headers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tools.conformance import source
from tools.conformance.source import Unavailable

COMPILER = "x86_64-w64-mingw32-gcc"
RESOURCES = "x86_64-w64-mingw32-windres"
UNITS: dict[str, tuple[str, ...]] = {
    "kernel32": ("process", "toolhelp", "environ"),
    "kernelbase": ("process",),
    "ntdll": ("om",),
}
"""The units of each program. Wine 8.0 has no ntdll:process."""
MANIFESTS = {"kernelbase": "test.manifest"}
FLAGS = ("-nostdinc", "-D__WINESRC__", "-D__WINE_PE_BUILD", "-D_MSVCR_VER=0", "-O2", "-fno-strict-aliasing", "-w")
LINKING = ("-s", "-Wl,--disable-high-entropy-va")
"""The tests keep addresses of the heap in 32 bits, as a program may that does not ask for high entropy."""
LIBRARIES = ("-luser32", "-ladvapi32", "-lntdll")
LISTING = """\
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#define STANDALONE
#include "wine/test.h"
{declarations}
const struct test winetest_testlist[] = {{ {rows} {{ 0, 0 }} }};

/* What the inline functions of wine/debug.h keep their strings with; a ring is enough for a message. */
const char *__wine_dbg_strdup( const char *text )
{{
    static char ring[16][512];
    static unsigned int next;
    char *copy = ring[next++ % 16];
    unsigned int i;

    for (i = 0; i < sizeof(ring[0]) - 1 && text[i]; i++) copy[i] = text[i];
    copy[i] = 0;
    return copy;
}}
"""


def program(name: str) -> Path:
    """Where `kernel32_test.exe` and the like are, or will be."""
    return source.cache() / "bin" / f"{name}_test.exe"


def build(name: str) -> Path:
    """Compile and link one program from the units above."""
    for tool in (COMPILER, RESOURCES):
        if shutil.which(tool) is None:
            raise Unavailable(f"{tool} is not installed (apt-get install gcc-mingw-w64-x86-64-win32)")
    root = source.tree()
    work = source.cache() / "build" / name
    work.mkdir(parents=True, exist_ok=True)
    program(name).parent.mkdir(exist_ok=True)
    listing = work / "testlist.c"
    listing.write_text(_listing(UNITS[name]), encoding="utf-8")
    tests = root / "dlls" / name / "tests"
    headers = [f"-I{root / 'include' / 'msvcrt'}", f"-I{root / 'include'}", f"-I{tests}"]
    objects = []
    for file in (listing, *(tests / f"{unit}.c" for unit in UNITS[name])):
        objects.append(work / f"{file.stem}.o")
        _run(COMPILER, *FLAGS, *headers, "-c", str(file), "-o", str(objects[-1]))
    if name in MANIFESTS:
        objects.append(_manifest(tests / MANIFESTS[name], work))
    _run(COMPILER, *LINKING, "-o", str(program(name)), *map(str, objects), *LIBRARIES)
    return program(name)


def _listing(units: tuple[str, ...]) -> str:
    declarations = "\n".join(f"extern void func_{unit}(void);" for unit in units)
    return LISTING.format(declarations=declarations, rows=" ".join(f'{{ "{unit}", func_{unit} }},' for unit in units))


def _manifest(manifest: Path, work: Path) -> Path:
    script, made = work / "manifest.rc", work / "manifest.o"
    script.write_text(f'1 24 "{manifest}"\n', encoding="utf-8")
    _run(RESOURCES, str(script), str(made))
    return made


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"{' '.join(command[:1])}: {done.stderr.strip()[-1000:]}")
