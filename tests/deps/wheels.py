"""Every PE file of a few wheels for win_amd64, fetched once at pinned versions; and what pefile says of a file."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pefile

from tests.guest.conftest import SAMPLES
from tests.real import fetch

WHEELS = (
    fetch.Wheel("msgpack", "1.1.0", "win_amd64", "", ""),
    fetch.Wheel("pydantic_core", "2.27.2", "win_amd64", "", ""),
    fetch.Wheel("numpy", "2.2.1", "win_amd64", "", ""),
    fetch.Wheel("ruff", "0.8.6", "win_amd64", "", ""),
    fetch.Wheel("cmake", "3.31.4", "win_amd64", "", ""),
    fetch.Wheel("ninja", "1.13.2", "win_amd64", "", ""),
    fetch.Wheel("setuptools", "84.2.1", "any", "", ""),
)
SUFFIXES = (".exe", ".dll", ".pyd")
Imports = list[tuple[str, list[str | int]]]


def unpacked(wheel: fetch.Wheel) -> Path:
    """The folder with the wheel's PE files. Unavailable where the index does not give it."""
    folder = fetch.CACHE / "deps" / f"{wheel.package}-{wheel.version}"
    if not folder.exists():
        archive = fetch._download(wheel)
        partial = folder.with_name(folder.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        with zipfile.ZipFile(archive) as opened:
            for member in opened.namelist():
                if member.endswith(SUFFIXES) and ".." not in member:
                    opened.extract(member, partial)
        partial.rename(folder)
    return folder


def files_below(folder: Path) -> list[Path]:
    """Every file that begins like a program."""
    found = [each for each in sorted(folder.rglob("*")) if each.suffix.lower() in SUFFIXES and each.is_file()]
    return [each for each in found if each.read_bytes()[:2] == b"MZ"]


def local_files() -> list[Path]:
    """What needs no network: the samples."""
    return files_below(SAMPLES / "bin")


def by_pefile(path: Path) -> tuple[Imports, Imports]:
    """(imports, delay imports) as pefile reads them."""
    names = ("IMAGE_DIRECTORY_ENTRY_IMPORT", "IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT")
    with pefile.PE(str(path), fast_load=True) as image:
        image.parse_data_directories(directories=[pefile.DIRECTORY_ENTRY[each] for each in names])
        return _rows(image, "DIRECTORY_ENTRY_IMPORT"), _rows(image, "DIRECTORY_ENTRY_DELAY_IMPORT")


def _rows(image: pefile.PE, attribute: str) -> Imports:
    def wanted(row: pefile.ImportData) -> str | int:
        # pefile gives well-known ordinals (ws2_32, oleaut32) a name; the file has none.
        return row.ordinal if row.import_by_ordinal else row.name.decode("latin-1")

    return [
        (entry.dll.decode("latin-1"), [wanted(row) for row in entry.imports])
        for entry in getattr(image, attribute, [])
    ]
