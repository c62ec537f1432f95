"""The committed leaf images are what their sources compile to."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pefile
import pytest

from ntos.um import leaf
from ntos.um.leaf import build

needs_compiler = pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="needs ziglang")


@needs_compiler
@pytest.mark.parametrize("name", build.NAMES)
def test_committed_image_is_fresh(name: str) -> None:
    """Compiling again gives the committed bytes (if not: `python -m ntos.um.leaf.build`)."""
    assert (Path(build.__file__).parent / f"{name}.dll").read_bytes() == build.build(name)


@pytest.mark.oracle
@pytest.mark.parametrize("name", build.NAMES)
def test_image_is_self_contained(name: str) -> None:
    """No imports, ordered unwind data, and the exports that pefile sees."""
    found = leaf.load(name)
    assert found is not None
    image = pefile.PE(data=found.data)
    exported = image.DIRECTORY_ENTRY_EXPORT.symbols
    assert not hasattr(image, "DIRECTORY_ENTRY_IMPORT")
    assert {e.name.decode(): e.address for e in exported} == found.exports
    starts = [entry.struct.BeginAddress for entry in image.DIRECTORY_ENTRY_EXCEPTION]
    assert starts
    assert starts == sorted(starts)
    assert image.OPTIONAL_HEADER.ImageBase == 0x1_8000_0000
    assert image.OPTIONAL_HEADER.DllCharacteristics & 0x40
    assert len(found.data) < build.LIMIT


def test_names_are_found_in_any_spelling() -> None:
    """A leaf is asked for as the loader knows the module; a DLL without one has none."""
    assert leaf.load("NTDLL.dll") is not None
    assert leaf.load("ntdll") is not None
    assert leaf.load("kernel32.dll") is None
