"""Modules and edges: forwarders, delay loads, bound imports, cycles, what is missing, damaged files."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from ntos.abi.status import NtError
from ntos.deps.graph import Kind, State
from ntos.deps.image import Image, open_image
from ntos.deps.render import dot, html, json, text
from ntos.deps.search import Settings
from ntos.deps.walk import Analysis
from ntos.deps.windows import Files
from tests.deps.conftest import World


def test_load_order_is_breadth_first(world: World) -> None:
    """Modules stand in the order in which the loader maps them: a whole level before the next."""
    world.make("app.exe", [("a.dll", ["f"]), ("b.dll", ["f"])])
    world.make("a.dll", [("c.dll", ["f"])], exports=["f"])
    world.make("b.dll", [("c.dll", ["f"]), ("d.dll", ["f"])], exports=["f"])
    world.make("c.dll", exports=["f"])
    world.make("d.dll", exports=["f"])
    graph = world.graph()
    assert [(each.name, each.depth) for each in graph.modules if each.host] == [
        ("app.exe", 0), ("a.dll", 1), ("b.dll", 1), ("c.dll", 2), ("d.dll", 2),
    ]  # fmt: skip


def test_cycle(world: World) -> None:
    """Modules that need one another, and one that needs itself, are each there once."""
    world.make("app.exe", [("a.dll", ["f"])])
    world.make("a.dll", [("b.dll", ["f"]), ("a.dll", ["f"])], exports=["f"])
    world.make("b.dll", [("a.dll", ["f"])], exports=["f"])
    graph = world.graph()
    assert [each.name for each in graph.modules if each.host] == ["app.exe", "a.dll", "b.dll"]
    assert graph.complete
    assert any("(above)" in line for line in text.lines(text.tree(graph)))


def test_missing_function(world: World) -> None:
    """A name or an ordinal that the DLL does not export is missing, by the loader's status."""
    world.make("app.exe", [("a.dll", ["f", "g", 1, 77]), ("kernel32.dll", ["ExitProcess", "NoSuchFunction"])])
    world.make("a.dll", exports=["f"])
    assert [(each.dll, each.function, each.status) for each in world.graph().missing()] == [
        ("a.dll", "g", "STATUS_ENTRYPOINT_NOT_FOUND"),
        ("a.dll", "#77", "STATUS_ORDINAL_NOT_FOUND"),
        ("kernel32.dll", "NoSuchFunction", "STATUS_ENTRYPOINT_NOT_FOUND"),
    ]


def test_forwarder(world: World) -> None:
    """A forwarder loads the module it names, which is an edge of its own; the trail tells the way."""
    world.make("app.exe", [("a.dll", ["f"])])
    world.make("a.dll", forwards={"f": "b.g", "unused": "absent.h"})
    world.make("b.dll", forwards={"g": "KERNEL32.ExitProcess"})
    graph = world.graph()
    edges = [(each.kind, graph.modules[each.importer].name, each.name) for each in graph.edges]
    assert (Kind.FORWARDER, "a.dll", "b.dll") in edges
    assert (Kind.FORWARDER, "b.dll", "KERNEL32.dll") in edges
    assert graph.edges[0].functions[0].forwarded[:2] == ("b.g", "KERNEL32.ExitProcess")
    assert graph.complete


def test_forwarder_to_nothing(world: World) -> None:
    """A forwarder whose module is nowhere makes the DLL and the function missing."""
    world.make("app.exe", [("a.dll", ["f"])])
    world.make("a.dll", forwards={"f": "absent.g"})
    assert {(each.what, each.dll, each.kind) for each in world.graph().missing()} == {
        ("function", "a.dll", "static"), ("dll", "absent.dll", "forwarder"),
    }  # fmt: skip


def test_forwarders_in_a_circle(world: World) -> None:
    """Two exports that forward to each other end as a missing function."""
    world.make("app.exe", [("a.dll", ["f"])])
    world.make("a.dll", forwards={"f": "b.f"})
    world.make("b.dll", forwards={"f": "a.f"})
    assert [each.function for each in world.graph().missing()] == ["f"]


def test_delay_load(world: World) -> None:
    """Delay loads come after everything static and are marked; what they bring in is marked too."""
    world.make("app.exe", [("a.dll", ["f"])], delay=[("late.dll", ["f"]), ("gone.dll", ["f"])])
    world.make("a.dll", exports=["f"])
    world.make("late.dll", [("later.dll", ["f"])], exports=["f"])
    world.make("later.dll", exports=["f"])
    graph = world.graph()
    assert [(each.name, each.delayed) for each in graph.modules if each.host] == [
        ("app.exe", False), ("a.dll", False), ("late.dll", True), ("later.dll", True),
    ]  # fmt: skip
    assert [(each.dll, each.kind, each.counts) for each in graph.missing()] == [("gone.dll", "delay", True)]


def test_bound_import(world: World) -> None:
    """A bound import is an edge that says whether its stamp fits; Windows 10 snaps all the same."""
    world.make("app.exe", [("a.dll", ["f"])], bound="a.dll")
    world.make("a.dll", exports=["f"])
    graph = world.graph()
    bound = [each for each in graph.edges if each.kind is Kind.BOUND]
    assert [(each.name, "stale" in each.note) for each in bound] == [("a.dll", True)]


def test_wrong_machine_and_no_image(world: World) -> None:
    """The first file of the name ends the search, even if it is for another machine or no image at all."""
    world.make("app.exe", [("arm.dll", ["f"]), ("text.dll", ["f"])])
    path = world.make("arm.dll", exports=["f"])
    data = bytearray(path.read_bytes())
    struct.pack_into("<H", data, struct.unpack_from("<I", data, 0x3C)[0] + 4, 0xAA64)
    path.write_bytes(data)
    (world.folder / "text.dll").write_text("not an image")
    assert [(Path(each.dll).name, each.what, each.status) for each in world.graph().missing()] == [
        ("arm.dll", "image", "STATUS_INVALID_IMAGE_FORMAT (ARM64 image in an x64 process)"),
        ("text.dll", "image", "STATUS_INVALID_IMAGE_NOT_MZ"),
    ]


def test_module_known_only_by_name(world: World) -> None:
    """A system DLL whose exports nobody listed satisfies every import, and is said to be unknown."""
    world.make("app.exe", [("d3d11.dll", ["D3D11CreateDevice"])])
    graph = world.graph()
    assert (graph.complete, graph.modules[-1].exports_known) == (True, False)
    assert graph.edges[0].functions[0].state is State.UNKNOWN


def test_long_chain(world: World) -> None:
    """A chain of 300 DLLs is walked and rendered in every form."""
    world.make("app.exe", [("m0.dll", ["f"])])
    for index in range(300):
        world.make(f"m{index}.dll", [(f"m{index + 1}.dll", ["f"])], exports=["f"])
    world.make("m300.dll", exports=["f"])
    graph = world.graph()
    assert graph.modules[-1].depth == 301
    assert len(list(text.lines(text.tree(graph)))) == 302
    assert len(list(text.lines(text.tree(graph, 3)))) == 4
    assert dot.dot(graph).count("->") == 301 + 3  # and what kernel32 and kernelbase need
    assert "m300.dll" in json.document([json.program(graph)])
    assert html.page("x", [html.section(graph)]).startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("seed", range(20))
def test_damaged_files_never_raise(world: World, seed: int) -> None:
    """Whatever bytes are changed, the file is refused with a status, or walked with its problems noted."""
    path = world.make(
        "app.exe", [("a.dll", ["f", 3]), ("kernel32.dll", ["ExitProcess"])],
        exports=["e"], delay=[("b.dll", ["f"])], manifest="<assembly/>", flags=0x800, bound="a.dll",
    )  # fmt: skip
    world.make("a.dll", exports=["f"], forwards={"g": "b.c"})
    good = path.read_bytes()
    chance = random.Random(seed)
    for _ in range(25):
        data = bytearray(good)
        for _ in range(chance.choice((1, 1, 2, 8))):
            data[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        damaged = bytes(data[: chance.randrange(1, len(data))] if chance.random() < 0.1 else data)
        for name in ("app.exe", "a.dll"):
            (world.folder / name).write_bytes(damaged)
        files = Files()
        image = files.image(path)
        assert isinstance(image, Image | NtError)
        if isinstance(image, Image):
            graph = Analysis(path, image, files, world.windows, Settings()).graph()
            list(text.lines(text.tree(graph)))
            json.document([json.program(graph)])


def test_empty_file(tmp_path: Path) -> None:
    """An empty file has the memory manager's status."""
    path = tmp_path / "empty.exe"
    path.write_bytes(b"")
    with pytest.raises(NtError):
        open_image(path)
