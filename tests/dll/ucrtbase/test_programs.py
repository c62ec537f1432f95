"""C programs of mingw on our ucrtbase: what they print was read against the documentation line by line."""

from __future__ import annotations

from pathlib import Path

from tests.dll.compile import build_c, needs_compiler, run

HERE = Path(__file__).parent


@needs_compiler
def test_streams_files_and_formats(tmp_path: Path) -> None:
    """Text and update modes, positions, descriptors, pipes, Unicode modes and formats are as documented."""
    result = run(build_c(tmp_path, (HERE / "stdio.c").read_text()))
    assert (result.stdout, result.exit_code) == ((HERE / "stdio.txt").read_text("latin-1"), 3)
    assert result.stderr == "to stderr\r\n"


@needs_compiler
def test_numbers_strings_time_threads_and_processes(tmp_path: Path) -> None:
    """Conversions, math with errno, tokens, calendars, signals, threads, directories and children are."""
    result = run(build_c(tmp_path, (HERE / "stdlib.c").read_text()))
    assert (result.stdout, result.exit_code) == ((HERE / "stdlib.txt").read_text("latin-1"), 6)
