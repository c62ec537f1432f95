"""Imports go downward only: docs/design.md, section 3.

The lists below are the one place where the order is written for a machine. All imports count: those inside
functions, because lateness does not turn an arrow round, and those under ``TYPE_CHECKING``, because a lower
room that names a higher one's type knows it just as well (it states a protocol instead). Only the search for
circles leaves the latter out: they cannot hurt at run time, and inside one room they are honest.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import pytest

from tests.house.source import modules

ABI = ("version", "abi.memory", "abi.types", "abi")  # memory is a protocol of bytes alone; scalar types read through it
GROUND = (*ABI, "rtl", "etw", "hal")
# fmt: off
KERNEL = (
    "ke", "ex.pool", "ex.handle", "ob", "se", "mm", "io", "cm", "lpc", "ps", "ex", "dbgk", "win32k", "init",
)
# fmt: on

# Lowest first; a module may import what stands to its left, or in its own room.
ORDER = GROUND + KERNEL

# Rooms beside the tower, and all that each may import.
BESIDE: dict[str, tuple[str, ...]] = {
    "vtl1": GROUND,
    "lxcore": (*ABI, "rtl", "etw", "ps.pico"),
    "um": (*ABI, "rtl", "etw"),
    "dll": (*ABI, "rtl", "etw", "um"),
    "exe": (*ABI, "rtl", "etw", "um", "dll"),
    "dump": (*ABI, "rtl", "hal"),
    "dbg": (*ABI, "rtl", "hal", "dump"),
    "report": (*ABI, "etw"),
    "hook": (*GROUND, *KERNEL, "um"),
    "deps": (*ABI, "rtl"),
}
BELOW_MACHINE = (*ORDER, *BESIDE)
ALLOWED: dict[str, tuple[str, ...]] = {
    **{floor: ORDER[:index] for index, floor in enumerate(ORDER)},
    **BESIDE,
    "system": BELOW_MACHINE,
    "profile": BELOW_MACHINE,
    "machine": (*BELOW_MACHINE, "system", "profile"),
    "": (*BELOW_MACHINE, "machine"),  # ntos/__init__.py: the public names
    "cli": (*BELOW_MACHINE, "system", "profile", "machine", ""),
    "__main__": ("cli",),
}

# A Python DLL imports another only as its PE original does; those not named here must not make a circle.
DLL_IMPORTS: dict[str, tuple[str, ...]] = {"ntdll": (), "kernelbase": ("ntdll",)}

ENGINES = ("unicorn",)


def room(name: str, choices: tuple[str, ...] = tuple(ALLOWED)) -> str | None:
    """The longest of the choices that is the module's name below ``ntos``, or a package around it."""
    inner = name.removeprefix("ntos").removeprefix(".")
    around = [choice for choice in choices if inner == choice or (choice and inner.startswith(choice + "."))]
    return max(around, key=len, default=None)


def _may_import(name: str, target: str) -> bool:
    here = room(name)
    if here is None:
        return False
    return (
        room(target) == here
        or room(target, ALLOWED[here]) not in {None, ""}
        or (target == "ntos" and "" in ALLOWED[here])
    )


@pytest.mark.parametrize(
    ("name", "target", "allowed"),
    [
        ("ntos.ob.names", "ntos.ex.handle", True),
        ("ntos.ob.names", "ntos.ex.event", False),
        ("ntos.ke.wait", "ntos.ob", False),
        ("ntos.dll.ntdll.heap", "ntos.um.export", True),
        ("ntos.dll.ntdll.heap", "ntos.mm.vad", False),
        ("ntos.lxcore.signal", "ntos.ps.pico", True),
        ("ntos.lxcore.signal", "ntos.ps.create", False),
        ("ntos.abi.types", "ntos.abi.struct", False),
        ("ntos.machine", "ntos.cli", False),
        ("ntos.cli.run", "ntos", True),
        ("ntos.hal.clock", "ntos", False),
    ],
)
def test_the_order_says(name: str, target: str, allowed: bool) -> None:
    """The lists mean what docs/design.md means: down is allowed, up and across are not."""
    assert _may_import(name, target) is allowed


def test_every_module_stands_on_a_floor() -> None:
    """A new room is entered in the order before anything is put into it."""
    assert [module.where for module in modules() if room(module.name) is None] == []


def test_imports_go_down() -> None:
    """No module imports what stands above it or beside it."""
    up = [
        f"{module.where}:{arrow.line} imports {arrow.target}"
        for module in modules()
        for arrow in module.imports
        if not _may_import(module.name, arrow.target)
    ]
    assert up == []


def test_python_dlls_import_one_another_as_their_originals_do() -> None:
    """The DLL ntdll stands on nothing, kernelbase on ntdll, and no two DLLs import each other."""
    graph: dict[str, set[str]] = {}
    wrong: list[str] = []
    for module in modules():
        if module.name.startswith("ntos.dll."):
            here = module.name.split(".")[2]
            others = {
                arrow.target.split(".")[2]
                for arrow in module.imports
                if arrow.target.count(".") > 1 and arrow.target.startswith("ntos.dll.")
            } - {here}
            graph.setdefault(here, set()).update(others)
            wrong += [
                f"{module.where} imports {other}" for other in others - set(DLL_IMPORTS.get(here, others))
            ]
    assert wrong == []
    assert _circle(graph) == []


def test_modules_do_not_import_one_another_in_a_circle() -> None:
    """At run time every module can be imported first."""
    graph = {
        module.name: {arrow.target for arrow in module.imports if not arrow.typing_only} - {module.name}
        for module in modules()
    }
    assert _circle(graph) == []


def test_only_a_backend_imports_an_engine() -> None:
    """The CPU seam is the one door to an engine."""
    outside = [
        f"{module.where}: {line}"
        for module in modules()
        if not module.name.startswith("ntos.hal.")
        for line in module.text.splitlines()
        if line.strip().startswith(
            tuple(f"{word} {engine}" for word in ("import", "from") for engine in ENGINES)
        )
    ]
    assert outside == []


def _circle(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []
