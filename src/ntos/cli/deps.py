"""`ntos deps`: what programs would load, from where, by which rule, and what is missing; nothing is run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from ntos.abi.status import NtError
from ntos.cli.exit_codes import NOT_FOUND, NOT_RUNNABLE, USAGE
from ntos.cli.failures import creation
from ntos.deps.graph import Graph
from ntos.deps.hijack import openings
from ntos.deps.render import dot, html, json, text
from ntos.deps.search import Settings
from ntos.deps.walk import Analysis
from ntos.deps.why import why
from ntos.deps.windows import Files, Folder, RealWindows, Windows

MISSING: Final = 1
EPILOG = """\
Without --windows, the modules of the reference build (Windows 10, 19041) stand in for the Windows folder.
exit codes: 0 everything is there, 1 a DLL, function or assembly is missing, 2 usage, 126 not an image that
Windows would map, 127 no such file. docs/deps.md describes rules and the JSON form.
"""


class _Usage(Exception):
    """The command line makes no sense."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise _Usage(message)


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = _Parser(
        prog="ntos deps", usage="ntos deps [OPTIONS] PROGRAM…", epilog=EPILOG, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Show what a Windows program would load, without running it.",
    )  # fmt: skip
    add = made.add_argument
    add("programs", nargs="+", metavar="PROGRAM", help="an executable or DLL; its folder is the application directory")
    form = made.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="the whole answer as JSON")
    form.add_argument("--html", metavar="FILE", help="write a page that stands alone")
    form.add_argument("--dot", action="store_true", help="the graph for Graphviz")
    add("--depth", type=int, metavar="N", help="show modules down to this depth")
    add("--missing", action="store_true", help="show only what is missing")
    add("--why", metavar="DLL", help="show how this DLL is decided: every place, every rule, what would alter it")
    add("--hijack", action="store_true", help="show each place where a planted DLL would be taken, and who may write")
    add("--windows", metavar="DIR", help="a real Windows folder (the one that holds System32)")
    add("--path", metavar="DIR", action="append", default=[], help="a directory at the end of PATH (repeatable)")
    add("--cwd", metavar="DIR", help="the current directory; without it, the program's own")
    add("--unsafe-search", action="store_true", help="SafeDllSearchMode off: the current directory comes second")
    return made


def main(words: list[str]) -> int:
    """Analyse and print; gives the exit code."""
    if words[:1] in (["--help"], ["-h"]):
        parser().print_help()
        return 0
    try:
        options = parser().parse_intermixed_args(words)
        if options.depth is not None and options.depth < 0:
            raise _Usage("--depth: it cannot be negative")
        files = Files()
        windows = _windows(options.windows, files)
        current = _folder(options.cwd) if options.cwd else None
        path = tuple(_folder(each) for each in options.path)
    except _Usage as error:
        return _say(f"{error}; `ntos deps --help` lists the options", USAGE)
    settings = Settings(not options.unsafe_search, current, path)
    code = 0
    output = _Output(options)
    for program in options.programs:
        code = max(code, _analyse(Path(program), files, windows, settings, output))
    try:
        output.close()
    except OSError as error:
        return _say(f"{options.html}: {(error.strerror or str(error)).lower()}", USAGE)
    return code


def _say(sentence: str, code: int) -> int:
    print(f"ntos: {sentence}", file=sys.stderr)
    return code


def _windows(folder: str | None, files: Files) -> Windows:
    if folder is None:
        return Windows()
    path = Path(folder).absolute()
    if files.find(path, "System32") is None:
        raise _Usage(f"--windows {folder}: there is no System32 in it")
    return RealWindows(path, files)


def _folder(text_: str) -> Folder:
    r"""A host directory; `C:\…` is a place on the Windows machine, of which only the default ACL is known."""
    if text_[1:2] == ":":
        return Folder(text_.rstrip("\\"))
    path = Path(text_).absolute()
    return Folder(str(path), path)


def _analyse(path: Path, files: Files, windows: Windows, settings: Settings, output: _Output) -> int:
    program = path.absolute()
    if program.is_dir():
        return _say(f"cannot read {path}: it is a folder", NOT_RUNNABLE)
    image = files.image(program)
    if isinstance(image, FileNotFoundError | NotADirectoryError):
        return _say(f"cannot read {path}: there is no such file", NOT_FOUND)
    if isinstance(image, OSError):
        reason = (image.strerror or str(image)).lower()
        return _say(f"cannot read {path}: {reason}", NOT_RUNNABLE)
    if isinstance(image, NtError):
        sentence, code = creation(str(path), image, path)
        return _say(sentence.replace("cannot run", "cannot read", 1), code)
    analysis = Analysis(program, image, files, windows, settings)
    graph = analysis.graph()
    output.show(analysis, graph)
    return 0 if graph.complete else MISSING


class _Output:
    """What the options ask for, one program after the other."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._documents: list[dict[str, object]] = []
        self._sections: list[str] = []
        self._titles: list[str] = []
        self._shown = 0

    def show(self, analysis: Analysis, graph: Graph) -> None:
        """Print or keep one program's answer."""
        options = self._options
        rows = openings(analysis, graph) if options.hijack else None
        if options.json:
            chains = why(analysis, graph, options.why) if options.why else None
            self._documents.append(json.program(graph, depth=options.depth, chains=chains, rows=rows))
        elif options.html:
            self._sections.append(html.section(graph, options.depth, rows))
            self._titles.append(graph.root.name)
        elif options.dot:
            print(dot.dot(graph, options.depth), end="")
        else:
            self._text(analysis, graph)

    def _text(self, analysis: Analysis, graph: Graph) -> None:
        options = self._options
        several = len(options.programs) > 1
        if self._shown and not options.missing:
            print()
        self._shown += 1
        found: list[str] = []
        if options.missing:
            found += text.missing_lines(graph)
        if options.why:
            for chain in why(analysis, graph, options.why):
                found += text.why_lines(chain)
        if options.hijack:
            found += text.hijack_lines(openings(analysis, graph))
        if options.missing or options.why or options.hijack:
            if several and (found or not options.missing):
                print(f"{graph.program}:")
            _print(found)
            return
        text.show_tree(text.tree(graph, options.depth), sys.stdout)
        _print(text.summary(graph))

    def close(self) -> None:
        """Write what was kept."""
        if self._options.json:
            print(json.document(self._documents), end="")
        elif self._options.html:
            Path(self._options.html).write_text(html.page(", ".join(self._titles), self._sections), encoding="utf-8")


def _print(lines: list[str]) -> None:
    for line in lines:
        print(line)
