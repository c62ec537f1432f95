"""ucrtbase.dll: the universal C runtime.

On Windows the functions of the C headers live in ucrtbase (start-up and exceptions in vcruntime140);
programs import them through the api-ms-win-crt sets. msvcrt.dll is its ancestor with the same functions
under older rules.

Here one body serves both: `crt.crt` registers it under the names each runtime exports. What needs no state
is machine code (`um.leaf`): strings, sorting, setjmp, and malloc on the process heap. The rest is Python
whose
variables (errno, argv, environ, FILE, descriptors) are bytes in the process, and which asks kernelbase as
the original does.

Begin with `crt` (state and doors), `startup` (a program begins), `stream` over `lowio` (output reaches a
file).
"""

from ntos.dll.ucrtbase import (
    calendar,
    characters,
    clock,
    conio,
    convert,
    ctype,
    environment,
    files,
    filesystem,
    floating_environment,
    locale,
    mathematics,
    multibyte,
    paths,
    printf,
    process,
    scanf,
    signals,
    startup,
    stdio,
    strings,
    temporary,
    termination,
    threads,
    utility,
)

__all__ = [
    "calendar",
    "characters",
    "clock",
    "conio",
    "convert",
    "ctype",
    "environment",
    "files",
    "filesystem",
    "floating_environment",
    "locale",
    "mathematics",
    "multibyte",
    "paths",
    "printf",
    "process",
    "scanf",
    "signals",
    "startup",
    "stdio",
    "strings",
    "temporary",
    "termination",
    "threads",
    "utility",
]
