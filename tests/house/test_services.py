"""Every door is declared in full: registered under a real name, annotated, documented, and tested."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

import pytest

from tests.house.source import ROOT, modules_of_tests
from tests.house.test_floors import KERNEL

BOUNDARY_TESTS = ROOT / "tests" / "ke" / "test_boundary.py"  # generated for every registered service

KERNEL_PACKAGES = sorted({floor.partition(".")[0] for floor in KERNEL})


class Door(Protocol):
    """What this test reads of a registered service or export."""

    name: str
    function: Callable[..., object]
    partial: str | None


def _load(name: str) -> Any:
    """The module, or a skip while nobody has written it."""
    if importlib.util.find_spec("ntos") is None or not _exists(name):
        pytest.skip(f"{name} is not written yet")
    return importlib.import_module(name)


def _exists(name: str) -> bool:
    parent = name.rpartition(".")[0]
    return (not parent or _exists(parent)) and importlib.util.find_spec(name) is not None


def _import_all(package: str) -> None:
    """Import every module below the package, so that all its doors are registered."""
    if _exists(package):
        path = importlib.import_module(package).__path__
        for info in pkgutil.walk_packages(path, package + "."):
            importlib.import_module(info.name)


@pytest.fixture(scope="module")
def services() -> Mapping[str, Door]:
    """The kernel's service table."""
    registry = _load("ntos.ke.service").registry
    for component in KERNEL_PACKAGES:
        _import_all(f"ntos.{component}")
    return registry


@pytest.fixture(scope="module")
def exports() -> Mapping[str, Mapping[str, Door]]:
    """The exports of each DLL written in Python."""
    registry = _load("ntos.um.export").registry
    _import_all("ntos.dll")
    _import_all("ntos.exe")
    return registry


def _flat(exports: Mapping[str, Mapping[str, Door]]) -> Iterator[Door]:
    for doors in exports.values():
        yield from doors.values()


def _undocumented(doors: Iterable[Door]) -> list[str]:
    return [door.name for door in doors if not inspect.getdoc(door.function)]


def _unannotated(doors: Iterable[Door]) -> list[str]:
    return [
        f"{door.name}({parameter.name})"
        for door in doors
        for parameter in inspect.signature(door.function).parameters.values()
        if parameter.annotation is inspect.Parameter.empty
    ]


def test_every_service_is_documented(services: Mapping[str, Door]) -> None:
    """Each service says what the caller gets."""
    assert _undocumented(services.values()) == []


def test_every_service_is_annotated(services: Mapping[str, Door]) -> None:
    """Each parameter of a service has a type: the door is derived from it."""
    assert _unannotated(services.values()) == []


def test_every_service_has_a_real_name(services: Mapping[str, Door]) -> None:
    """Each service is one that the reference build has."""
    real = _load("ntos.abi.services")
    assert sorted(set(services) - {*real.names(), *real.win32k_names()}) == []


def test_every_service_is_named_in_a_test(services: Mapping[str, Door]) -> None:
    """Each service is tested by name, or by the generated boundary tests."""
    if BOUNDARY_TESTS.exists() and "registry" in BOUNDARY_TESTS.read_text(encoding="utf-8"):
        return
    text = "\n".join(module.text for module in modules_of_tests())
    assert [name for name in services if name not in text] == []


def test_every_export_is_documented(exports: Mapping[str, Mapping[str, Door]]) -> None:
    """Each export written in Python says what the caller gets."""
    assert _undocumented(_flat(exports)) == []


def test_every_export_is_annotated(exports: Mapping[str, Mapping[str, Door]]) -> None:
    """Each parameter of an export has a type: the door is derived from it."""
    assert _unannotated(_flat(exports)) == []


# kernel32's own code lives in kernelbase here (forwarded), and the two C runtimes share one body for each function.
TWINS = {"kernelbase": "kernel32", "kernel32": "kernelbase", "msvcrt": "ucrtbase", "ucrtbase": "msvcrt"}
OUR_OWN = ("DllMain", "ntos_")  # the entry point, and entries that only our own code calls


def test_every_export_has_a_real_name(exports: Mapping[str, Mapping[str, Door]]) -> None:
    """Each export is one that the DLL of that name has; Windows' own programs and server DLLs have no list."""
    real, system = _load("ntos.abi.exports"), _load("ntos.um.programs").SYSTEM_MODULES
    unknown = [
        f"{dll}!{name}"
        for dll, doors in exports.items()
        if dll not in system
        for name in sorted(set(doors) - {e.name for lib in (dll, TWINS.get(dll, dll)) for e in real.export_names(lib)})
        if not name.startswith(OUR_OWN)
    ]
    assert unknown == []


def test_what_is_missing_is_said(
    services: Mapping[str, Door], exports: Mapping[str, Mapping[str, Door]]
) -> None:
    """A partial door says in words what it does not do."""
    doors = [*services.values(), *_flat(exports)]
    assert [door.name for door in doors if door.partial and len(door.partial.split()) < 2] == []
