"""Files nobody here wrote: our reading of their imports against pefile's, and what their walk finds."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ntos.deps.graph import Graph
from ntos.deps.image import Image
from ntos.deps.search import Settings
from ntos.deps.walk import Analysis
from ntos.deps.windows import Files, Windows
from tests.deps.wheels import WHEELS, Imports, by_pefile, files_below, local_files, unpacked
from tests.real import fetch


def ours(image: Image) -> tuple[Imports, Imports]:
    """(imports, delay imports) as we read them."""
    def rows(entries: tuple) -> Imports:
        return [
            (each.name, [row.name if row.name is not None else row.ordinal for row in each.functions])
            for each in entries
        ]

    return rows(image.imports), rows(image.delay)


def analyse(path: Path, files: Files) -> Graph:
    """The graph over the built-in Windows."""
    image = files.image(path)
    assert isinstance(image, Image), (path, image)
    return Analysis(path, image, files, Windows(), Settings()).graph()


def check(paths: list[Path]) -> None:
    """Each file's imports are those pefile reads, and its walk ends."""
    files = Files()
    for path in paths:
        graph = analyse(path, files)
        image = graph.root.image
        assert image is not None
        assert ours(image) == by_pefile(path), path
        assert graph.problems == [], path


def test_samples() -> None:
    """The samples' imports are read as pefile reads them."""
    paths = local_files()
    assert len(paths) > 20
    check(paths)


@pytest.mark.real
@pytest.mark.parametrize("wheel", WHEELS, ids=lambda wheel: wheel.package)
def test_wheels(wheel: fetch.Wheel) -> None:
    """Every PE file of the wheel: imports and delay imports agree with pefile's, function by function."""
    try:
        paths = files_below(unpacked(wheel))
    except fetch.Unavailable as error:
        pytest.skip(str(error))
    assert paths
    check(paths)


@pytest.mark.real
def test_extension_modules_need_python() -> None:
    """An extension module alone: the interpreter's DLL is what is missing, and nothing else."""
    try:
        folder = unpacked(WHEELS[0])
    except fetch.Unavailable as error:
        pytest.skip(str(error))
    for path in files_below(folder):
        assert {each.dll for each in analyse(path, Files()).missing()} == {"python311.dll"}


@pytest.mark.real
def test_programs_are_complete() -> None:
    """cmake, ctest, ruff and ninja find every DLL and every function in the reference build."""
    for wheel in WHEELS[3:6]:
        try:
            paths = files_below(unpacked(wheel))
        except fetch.Unavailable as error:
            pytest.skip(str(error))
        for path in paths:
            started = time.perf_counter()
            assert [str(each) for each in analyse(path, Files()).missing()] == []
            assert time.perf_counter() - started < 2
