"""C++ exceptions of the Microsoft ABI."""

from __future__ import annotations

from pathlib import Path

from tests.dll.compile import build_msvc, needs_compiler, run

HERE = Path(__file__).parent
IMPORTS = {
    "vcruntime140": (
        "_CxxThrowException", "__CxxFrameHandler3", "__uncaught_exceptions", "__RTDynamicCast", "__std_terminate",
        "_purecall", "memset", "memcpy",
    ),
    "ucrtbase": ("puts", "exit", "__acrt_iob_func", "__stdio_common_vfprintf", "terminate"),
}  # fmt: skip


@needs_compiler
def test_what_is_caught_and_destroyed(tmp_path: Path) -> None:
    """Throws meet the innermost fitting catch block; destructors, copies and rethrows come in C++'s order."""
    result = run(build_msvc(tmp_path, HERE / "exceptions.cpp", IMPORTS))
    assert result == (5, (HERE / "exceptions.txt").read_text(), "")
