"""Where modules come from: folders of the host, a real Windows folder, or the built-in one of the reference build."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ntos.abi import apiset
from ntos.abi.pe.headers import Machine
from ntos.abi.status import NtError
from ntos.deps import builtin
from ntos.deps.image import Image, mapped, open_image

if TYPE_CHECKING:
    from collections.abc import Mapping

MACHINES: Final = {
    Machine.I386: "x86",
    Machine.AMD64: "x64",
    Machine.ARM64: "ARM64",
    Machine.ARMNT: "ARM",
    Machine.IA64: "IA64",
}
WIDTH_32: Final = frozenset((Machine.I386, Machine.ARMNT))
_ENTRY: Final = struct.Struct("<6I")
_VALUE: Final = struct.Struct("<5I")


def machine_name(machine: int) -> str:
    """`x64`, `x86`, … or the number."""
    return next((name for known, name in MACHINES.items() if known == machine), f"machine 0x{machine:X}")


@dataclass(frozen=True, slots=True)
class Folder:
    """A directory of a search: how it is shown, and where it lies (None: inside the built-in Windows)."""

    shown: str
    host: Path | None = None

    def below(self, name: str) -> str:
        """The shown path of a name in it."""
        return str(self.host / name.replace("\\", "/")) if self.host is not None else f"{self.shown}\\{name}"


@dataclass(frozen=True, slots=True)
class Located:
    """A file that was found; `host` is None where it is known only by name."""

    path: str
    host: Path | None = None
    note: str = ""


class Files:
    """The host's folders and images, each read once, names compared as Windows compares them."""

    def __init__(self) -> None:
        self._listings: dict[Path, dict[str, str]] = {}
        self._images: dict[Path, Image | NtError | OSError] = {}

    def entries(self, folder: Path) -> Mapping[str, str]:
        """Lower-case name to real name, for a folder; empty where it cannot be read."""
        known = self._listings.get(folder)
        if known is None:
            try:
                with os.scandir(folder) as listing:
                    known = {entry.name.lower(): entry.name for entry in listing}
            except (OSError, ValueError):
                known = {}
            self._listings[folder] = known
        return known

    def find(self, folder: Path, name: str) -> Path | None:
        """The entry of that name, which may have directories before it."""
        place = folder
        for part in name.replace("/", "\\").split("\\"):
            if part in {"", "."}:
                continue
            if part == "..":
                place = place.parent
                continue
            real = self.entries(place).get(part.lower())
            if real is None:
                return None
            place /= real
        return place if place != folder else None

    def file(self, folder: Path, name: str) -> Path | None:
        """As `find`, for files only: the loader goes on past a directory of the name."""
        found = self.find(folder, name)
        return found if found is not None and found.is_file() else None

    def image(self, path: Path) -> Image | NtError | OSError:
        """The image, or why it is none."""
        known = self._images.get(path)
        if known is None:
            try:
                known = open_image(path)
            except (NtError, OSError) as error:
                known = error
            self._images[path] = known
        return known


class Windows:
    """The built-in Windows; `RealWindows` looks into a folder instead."""

    built_in = True
    root = builtin.ROOT

    def system32(self, machine: int) -> Folder:
        """The system directory of a program of that machine type."""
        return Folder(f"{self.root}\\{'SysWOW64' if machine in WIDTH_32 else 'System32'}")

    def system(self) -> Folder:
        """The 16-bit system directory."""
        return Folder(f"{self.root}\\System")

    def windows(self) -> Folder:
        """The Windows directory."""
        return Folder(self.root)

    def path(self, machine: int) -> list[Folder]:
        """PATH as a fresh machine has it."""
        return [
            self.system32(machine) if shown == builtin.WIN32_PATH[0] else Folder(shown) for shown in builtin.WIN32_PATH
        ]

    def find(self, folder: Folder, name: str) -> Located | None:
        """The file of that name in one of the folders above."""
        if folder.host is not None:
            return None
        last = folder.shown.rpartition("\\")[2].lower()
        lower = name.lower()
        if last not in {"system32", "syswow64"} or lower not in builtin.modules():
            return None
        note = "installed by the Visual C++ redistributable" if lower in builtin.REDISTRIBUTABLE else ""
        return Located(f"{folder.shown}\\{lower}", None, note)

    def is_known_dll(self, name: str) -> bool:
        """Whether smss makes a section of it."""
        return name.lower() in builtin.KNOWN_DLLS

    def contract(self, name: str, importer: str) -> tuple[str | None, bool]:
        """The host of an API set (None: not in the schema, "": not hosted), and whether by an exception."""
        default = apiset.resolve(name)
        host = apiset.resolve(name, importer or None)
        return host, host != default

    def assemblies(self, name: str, token: str, architecture: str) -> list[tuple[str, Folder, dict[str, Located]]]:
        """Shared assemblies of that name in WinSxS: (version, folder, files)."""
        found = []
        for version, members in builtin.ASSEMBLIES.get((name.lower(), token.lower()), ()):
            shown = f"{self.root}\\WinSxS\\{architecture}_{name.lower()}_{token.lower()}_{version}_none"
            folder = Folder(shown)
            found.append((version, folder, {each: Located(f"{shown}\\{each}") for each in members}))
        return found


class RealWindows(Windows):
    """A Windows folder on the host."""

    built_in = False

    def __init__(self, folder: Path, store: Files) -> None:
        self.folder = folder
        self.root = str(folder)
        self._files = store

    def _folder(self, name: str) -> Folder:
        place = (self._files.find(self.folder, name) if name else self.folder) or self.folder / name
        return Folder(str(place), place)

    def system32(self, machine: int) -> Folder:
        """System32, or SysWOW64 for a 32-bit program where the folder has one."""
        if machine in WIDTH_32 and self._files.find(self.folder, "SysWOW64") is not None:
            return self._folder("SysWOW64")
        return self._folder("System32")

    def system(self) -> Folder:
        """The 16-bit system directory."""
        return self._folder("System")

    def windows(self) -> Folder:
        """The Windows directory."""
        return self._folder("")

    def path(self, machine: int) -> list[Folder]:
        """PATH as a fresh machine has it, below this folder."""
        inner = [shown[len(builtin.ROOT) :].strip("\\") for shown in builtin.WIN32_PATH]
        return [self.system32(machine) if each == "System32" else self._folder(each) for each in inner]

    def find(self, folder: Folder, name: str) -> Located | None:
        """The file of that name in a folder of the host."""
        if folder.host is None:
            return None
        found = self._files.file(folder.host, name)
        return Located(str(found), found) if found is not None else None

    def contract(self, name: str, importer: str) -> tuple[str | None, bool]:
        """As the folder's own ApiSetSchema.dll says; the built-in schema where it has none."""
        if name[:4].lower() not in {"api-", "ext-"}:
            return None, False
        schema = self._schema
        if schema is None:
            return super().contract(name, importer)
        row = schema.get(name[: name.rfind("-")].lower())
        if row is None:
            return None, False
        default = row.get("", "")
        host = row.get(importer.lower(), default)
        return host, host != default

    @cached_property
    def _schema(self) -> dict[str, dict[str, str]] | None:
        folder = self._folder("System32")
        path = self._files.file(folder.host, "apisetschema.dll") if folder.host else None
        image = self._files.image(path) if path else None
        if path is None or not isinstance(image, Image):
            return None
        section = next((each for each in image.headers.sections if each.name == ".apiset"), None)
        if section is None:
            return None
        with mapped(path) as data:
            return parse_schema(data[section.raw_offset : section.raw_offset + section.raw_size])

    def assemblies(self, name: str, token: str, architecture: str) -> list[tuple[str, Folder, dict[str, Located]]]:
        """Shared assemblies of that name in this folder's WinSxS."""
        store = self._files.find(self.folder, "WinSxS")
        if store is None:
            return []
        prefix = f"{architecture}_{name}_{token or 'none'}_".lower()
        found = []
        for lower, real in self._files.entries(store).items():
            if lower.startswith(prefix):
                place = store / real
                version = lower[len(prefix) :].partition("_")[0]
                members = self._files.entries(place).items()
                rows = {each: Located(str(place / each_real), place / each_real) for each, each_real in members}
                found.append((version, Folder(str(place), place), rows))
        return found


def parse_schema(data: bytes) -> dict[str, dict[str, str]] | None:
    """Contract (compared part, lower case) to {importer: host} of a version 6 schema; None for another format."""
    try:
        version, _, _, count, entries, _, _ = struct.unpack_from("<7I", data)
        if version != 6 or count > 0x10000:
            return None
        schema: dict[str, dict[str, str]] = {}
        for index in range(count):
            _, name, _, hashed, values, value_count = _ENTRY.unpack_from(data, entries + _ENTRY.size * index)
            hosts: dict[str, str] = {}
            for each in range(min(value_count, 0x100)):
                _, importer, importer_size, host, host_size = _VALUE.unpack_from(data, values + _VALUE.size * each)
                hosts[_text(data, importer, importer_size).lower()] = _text(data, host, host_size)
            schema[_text(data, name, hashed).lower()] = hosts
    except struct.error:
        return None
    return schema


def _text(data: bytes, offset: int, size: int) -> str:
    return data[offset : offset + size].decode("utf-16-le", "replace")
