"""Small real worlds: a folder with programs and DLLs written by `abi.pe.build`, and the walk over them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from ntos.abi.pe.build import READ_WRITE, ImageBuilder
from ntos.abi.pe.headers import Directory
from ntos.abi.pe.parts import ExportEntry
from ntos.deps.graph import Graph
from ntos.deps.image import Image
from ntos.deps.search import Decision, Settings
from ntos.deps.walk import Analysis
from ntos.deps.windows import Files, Windows

Wanted = Sequence[tuple[str, Sequence[str | int]]]


def delay_directory(rva: int, modules: Wanted) -> bytes:
    """Delay-load descriptors at `rva`; names only."""
    table = bytearray(32 * (len(modules) + 1))
    for index, (module, functions) in enumerate(modules):
        thunks = rva + len(table)
        at = len(table) + 8 * (len(functions) + 1)
        rows, names = b"", b""
        for function in functions:
            rows += struct.pack("<Q", rva + at + len(names))
            names += b"\0\0" + str(function).encode() + b"\0"
        table += rows + bytes(8) + names
        name = rva + len(table)
        table += module.encode() + b"\0" + bytes(-(len(table) + len(module) + 1) % 8)
        struct.pack_into("<8I", table, 32 * index, 1, name, thunks, thunks, thunks, 0, 0, 0)
    return bytes(table)


class World:
    """A folder, and what is put into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "app"
        self.folder.mkdir()
        self.windows: Windows = Windows()
        self.files = Files()

    def make(
        self,
        name: str,
        imports: Wanted = (),
        *,
        exports: Sequence[str] = (),
        forwards: dict[str, str] | None = None,
        delay: Wanted = (),
        manifest: str = "",
        flags: int = 0,
        bound: str = "",
        folder: Path | None = None,
    ) -> Path:
        """Write an image; a name that ends in .exe is a program."""
        is_dll = not name.endswith(".exe")
        builder = ImageBuilder(dll=is_dll)
        builder.section(".text", b"\xc3", 0x60000020)
        if imports:
            builder.imports(imports)
        if delay:
            rva = builder.next_rva
            data = delay_directory(rva, delay)
            builder.section(".didat", data, READ_WRITE, rva=rva)
            builder.directory(Directory.DELAY_IMPORT, rva, len(data))
        if bound:
            rva = builder.next_rva
            data = struct.pack("<IHH", 0x1234, 16, 0) + bytes(8) + bound.encode() + b"\0"
            builder.section(".bound", data, READ_WRITE, rva=rva)
            builder.directory(Directory.BOUND_IMPORT, rva, len(data))
        if flags:
            builder.load_config(struct.pack("<I", 0x70) + bytes(0x4A) + struct.pack("<H", flags) + bytes(0x20))
        if manifest:
            builder.manifest(manifest.encode())
        entries = [ExportEntry(each, 0x1000) for each in exports]
        entries += [ExportEntry(each, 0, target) for each, target in (forwards or {}).items()]
        if entries:
            builder.exports(name, entries)
        place = folder or self.folder
        place.mkdir(parents=True, exist_ok=True)
        path = place / name
        path.write_bytes(builder.build())
        return path

    def analyse(self, program: str = "app.exe", settings: Settings | None = None) -> tuple[Analysis, Graph]:
        """Walk from a program of the folder."""
        path = self.folder / program
        files = Files()
        image = files.image(path)
        assert isinstance(image, Image), image
        analysis = Analysis(path, image, files, self.windows, settings or Settings())
        return analysis, analysis.graph()

    def graph(self, program: str = "app.exe", settings: Settings | None = None) -> Graph:
        """As `analyse`, the graph alone."""
        return self.analyse(program, settings)[1]


def record(decision: Decision, root: Path) -> list[str]:
    """A decision's steps as short lines, with the test's folder taken out of the paths."""
    return [f"{step.rule}: {step.place.replace(str(root), '')}: {step.outcome}" for step in decision.steps]


def decision_for(graph: Graph, name: str) -> Decision:
    """The first decision about an imported name."""
    return next(edge.decision for edge in graph.edges if edge.name == name and edge.decision)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An empty folder for a program."""
    return World(tmp_path)
