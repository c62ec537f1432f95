"""Who must have a docstring, and what a package's chapter heading is."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.house.source import Module, modules, modules_of_tests

CHAPTER_PARAGRAPHS = 3
CHAPTER_LINES = 80

Named = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _public(module: Module) -> Iterator[Named]:
    """Public classes and functions of the module; an overload or a body of ``...`` is a mere declaration."""
    for node in module.tree.body:
        if isinstance(node, Named) and not node.name.startswith("_") and not _is_declaration(node):
            yield node


def _is_declaration(node: Named) -> bool:
    body = node.body[0]
    return (
        isinstance(body, ast.Expr) and isinstance(body.value, ast.Constant) and body.value.value is Ellipsis
    )


def test_every_module_says_what_it_is() -> None:
    """Each module begins with a docstring."""
    assert [module.where for module in modules() if not ast.get_docstring(module.tree)] == []


def test_every_public_class_and_function_is_documented() -> None:
    """Each public class and function says what the caller gets."""
    silent = [
        f"{module.where}:{node.lineno} {node.name}"
        for module in modules()
        for node in _public(module)
        if not ast.get_docstring(node)
    ]
    assert silent == []


def test_packages_open_with_a_chapter_heading() -> None:
    """A package says how Windows does it, how we do it and where to begin, in at most 80 lines."""
    packages = [module for module in modules() if module.is_package and module.name.count(".") == 1]
    short = [
        module.where
        for module in packages
        if len((ast.get_docstring(module.tree) or "").split("\n\n")) < CHAPTER_PARAGRAPHS
    ]
    long = [
        module.where for module in modules() if module.is_package and module.text.count("\n") > CHAPTER_LINES
    ]
    assert (short, long) == ([], [])


def test_package_headings_hold_no_logic() -> None:
    """A package's ``__init__`` documents and names again; it defines nothing."""
    busy = [
        f"{module.where}:{node.lineno}"
        for module in modules()
        if module.is_package and module.name not in ("ntos", "ntos.cli")  # the public names; the command
        for node in module.tree.body
        if not isinstance(node, ast.Expr | ast.Import | ast.ImportFrom | ast.Assign)
    ]
    assert busy == []


def test_every_test_states_the_behaviour() -> None:
    """Each test's docstring is the specification line."""
    silent = [
        f"{module.where}:{node.lineno} {node.name}"
        for module in modules_of_tests()
        for node in module.functions()
        if node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []
