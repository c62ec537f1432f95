"""How much one file and one function may hold, and habits that a linter's ignore comment could switch off."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from statistics import median

from tests.house.source import Module, modules, modules_of_tests

FILE_WALL = 600
FILE_MEDIAN = 200
FUNCTION_WALL = 60


def _lines(module: Module) -> int:
    return module.text.count("\n")


def test_no_file_passes_the_wall() -> None:
    """A file of more than 600 lines holds a second noun."""
    long = [f"{m.where}: {_lines(m)}" for m in modules() + modules_of_tests() if _lines(m) > FILE_WALL]
    assert long == []


def test_files_are_small_in_the_middle() -> None:
    """Half of the files have at most 200 lines."""
    sizes = [_lines(module) for module in modules() if not module.is_package]
    assert median(sizes) <= FILE_MEDIAN


def test_no_function_passes_the_wall() -> None:
    """No function is longer than 60 lines, decorators and docstring not counted."""
    long = [
        f"{module.where}:{node.lineno} {node.name}: {length}"
        for module in modules() + modules_of_tests()
        for node in module.functions()
        if (length := _length(node)) > FUNCTION_WALL
    ]
    assert long == []


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    documentation = (first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0
    return (node.end_lineno or 0) - node.lineno + 1 - documentation


OUTERMOST_WALL = "ntos.cli.run"  # where whatever broke becomes one line for the user, with exit code 125


def test_nobody_catches_everything() -> None:
    """An error that nobody expected is a fault of ours, and is seen."""
    loose = [
        f"{module.where}:{node.lineno}"
        for module in modules()
        if module.name != OUTERMOST_WALL
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and _catches_everything(node.type)
    ]
    assert loose == []


def _catches_everything(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(map(_catches_everything, caught.elts))
    return caught is None or ast.unparse(caught).split(".")[-1] in {"Exception", "BaseException"}


def test_nobody_imports_a_star() -> None:
    """A reader can tell where each name comes from."""
    stars = [
        f"{module.where}:{node.lineno}"
        for module in modules() + modules_of_tests()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
    ]
    assert stars == []


def test_what_is_left_to_do_has_an_issue() -> None:
    """A TODO names the issue where the work is described."""
    loose = [
        f"{module.where}:{token.start[0]}"
        for module in modules() + modules_of_tests()
        for token in tokenize.generate_tokens(io.StringIO(module.text).readline)
        if token.type == tokenize.COMMENT and re.search(r"\b(TODO|FIXME|XXX)\b(?!.*#\d+)", token.string)
    ]
    assert loose == []
