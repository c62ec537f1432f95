"""The project's own sources, parsed once, for the tests about the house."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
TESTS = ROOT / "tests"

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """One arrow: the module that is named, where, and whether only the type checker follows it."""

    target: str
    line: int
    typing_only: bool


@dataclass(frozen=True)
class Module:
    """One source file, read and parsed."""

    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=str(self.path))

    @property
    def where(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    def functions(self) -> Iterator[FunctionNode]:
        """Every function of the module, nested ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, FunctionNode):
                yield node

    @cached_property
    def imports(self) -> list[Import]:
        """Every import of one of our modules, wherever it stands in the file."""
        return list(_imports(self, self.tree, typing_only=False))


def _imports(module: Module, node: ast.AST, *, typing_only: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name.split(".")[0] == "ntos":
                yield Import(alias.name, node.lineno, typing_only)
    elif isinstance(node, ast.ImportFrom):
        base = _absolute(module, node)
        if base.split(".")[0] == "ntos":
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield Import(inner if inner in names() else base, node.lineno, typing_only)
    elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        for statement in node.body:
            yield from _imports(module, statement, typing_only=True)
        for statement in node.orelse:
            yield from _imports(module, statement, typing_only=typing_only)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _imports(module, child, typing_only=typing_only)


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module.name.split(".") if module.is_package else module.name.split(".")[:-1]
    base = package[: len(package) - node.level + 1]
    return ".".join([*base, *filter(None, [node.module])])


def _name(path: Path) -> str:
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package, by path."""
    return tuple(Module(_name(path), path) for path in sorted(SRC.rglob("*.py")))


@cache
def names() -> frozenset[str]:
    """The dotted names of all our modules."""
    return frozenset(_name(path) for path in SRC.rglob("*.py"))


@cache
def modules_of_tests() -> tuple[Module, ...]:
    """Every file of tests."""
    return tuple(
        Module(".".join(path.relative_to(ROOT).with_suffix("").parts), path)
        for path in sorted(TESTS.rglob("*.py"))
    )
