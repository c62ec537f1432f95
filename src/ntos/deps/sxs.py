r"""Activation contexts as far as they redirect DLLs: the manifest of a module bound to assemblies.

Binding order (Microsoft Learn, "Assembly searching sequence"): the shared store (WinSxS, the highest version
with the same major and minor), then private assemblies in the application directory: `<culture>\a.dll`,
`a.manifest`, `a\a.dll`, `a\a.manifest`, and the same without the culture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ntos.abi.pe.headers import Machine
from ntos.deps.image import Image
from ntos.deps.manifest import Identity, Manifest, ManifestError, parse, version_of
from ntos.deps.windows import Files, Folder, Located, Windows

if TYPE_CHECKING:
    from collections.abc import Iterator

PROCESS: Final = 1
ISOLATION_AWARE: Final = 2
_ARCHITECTURES: Final = {Machine.I386: "x86", Machine.AMD64: "amd64", Machine.ARM64: "arm64", Machine.ARMNT: "arm"}
_LIMIT: Final = 256
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True, slots=True)
class Redirection:
    """A DLL name that an assembly claims."""

    located: Located
    assembly: str
    store: str
    """`WinSxS`, `private assembly` or `manifest`."""


@dataclass(slots=True)
class Probe:
    """One place where an assembly was looked for."""

    assembly: str
    place: str
    found: bool
    folder: Folder
    member: str


@dataclass(slots=True)
class Context:
    """What one manifest means for DLL names."""

    source: str = ""
    redirections: dict[str, Redirection] = field(default_factory=dict)
    probes: list[Probe] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    problem: str = ""


@dataclass
class Binder:
    """Makes contexts for the modules of one program."""

    files: Files
    windows: Windows
    directory: Path
    machine: int
    _done: dict[str, tuple[Redirection, ...]] = field(default_factory=dict)

    @property
    def architecture(self) -> str:
        """The name of the program's machine type in identities."""
        return next((name for known, name in _ARCHITECTURES.items() if known == self.machine), "")

    def of_program(self, image: Image) -> Context:
        """The process default context: the embedded manifest, else the file beside the program."""
        if image.no_isolation:
            return Context(problem="the image asks for no isolation (NO_ISOLATION)")
        identifiers = (ISOLATION_AWARE, PROCESS) if image.headers.is_dll else (PROCESS,)
        embedded = image.manifest(*identifiers)
        if embedded is not None:
            return self._bind("embedded manifest", embedded)
        beside = self.files.file(image.path.parent, image.path.name + ".manifest")
        data = _contents(beside) if beside is not None else None
        return self._bind(str(beside), data) if data is not None else Context()

    def of_dll(self, image: Image) -> Context | None:
        """The context for a DLL's own static imports: manifest 2 (None: it has none, the process's applies)."""
        if image.no_isolation:
            return None
        data = image.manifest(ISOLATION_AWARE)
        return self._bind(f"manifest 2 of {image.path.name}", data) if data is not None else None

    def _bind(self, source: str, data: bytes) -> Context:
        context = Context(source)
        try:
            root = parse(data)
        except ManifestError as error:
            context.problem = f"the manifest is malformed: {error}"
            return context
        self._files_of(context, root, Folder(str(self.directory), self.directory), "manifest", "the program")
        waiting = [(each, each.identity) for each in root.dependencies]
        seen: set[str] = set()
        while waiting and len(seen) < _LIMIT:
            dependency, identity = waiting.pop(0)
            if identity.name.lower() in seen:
                continue
            seen.add(identity.name.lower())
            inner = self._resolve(context, identity)
            if inner is not None:
                waiting += [(each, each.identity) for each in inner.dependencies]
            elif not dependency.optional:
                context.missing.append(str(identity))
        return context

    def _resolve(self, context: Context, identity: Identity) -> Manifest | None:
        """The assembly's manifest, its files entered into the context; None where it is nowhere."""
        if identity.language in {"", "*", "neutral"} and self._shared(context, identity):
            return Manifest(identity, (), ())
        for folder, member in self._private_places(identity):
            path = self.files.file(folder.host, member) if folder.host is not None else None
            data = self._manifest_in(path) if path is not None else None
            probe = Probe(str(identity), folder.below(member), found=False, folder=folder, member=member)
            context.probes.append(probe)
            if path is None or data is None:
                continue
            try:
                manifest = parse(data)
            except ManifestError as error:
                context.problem = f"{path}: the manifest is malformed: {error}"
                continue
            if manifest.identity is None or not self._same(identity, manifest.identity):
                continue
            probe.found = True
            place = Folder(str(path.parent), path.parent)
            self._files_of(context, manifest, place, "private assembly", str(manifest.identity))
            return manifest
        return None

    def _shared(self, context: Context, identity: Identity) -> bool:
        """Bind to the store: the highest version with the wanted major and minor."""
        architecture = self.architecture if identity.architecture in {"*", ""} else identity.architecture.lower()
        wanted = version_of(identity.version)
        rows = self.windows.assemblies(identity.name, identity.token, architecture)
        fitting = [row for row in rows if version_of(row[0])[:2] == wanted[:2] and version_of(row[0]) >= wanted]
        best = max(fitting, key=lambda row: version_of(row[0]), default=None)
        shown = f"{self.windows.root}\\WinSxS" if self.windows.built_in else f"{self.windows.root}/WinSxS"
        place = best[1] if best else Folder(shown)
        context.probes.append(Probe(str(identity), place.shown, best is not None, place, ""))
        if best is None:
            return False
        for name, located in best[2].items():
            context.redirections.setdefault(name.lower(), Redirection(located, str(identity), "WinSxS"))
        return True

    def _private_places(self, identity: Identity) -> Iterator[tuple[Folder, str]]:
        base, name = self.directory, identity.name
        if "/" in name or "\\" in name or name in {".", ".."}:
            return
        folder = Folder(str(base), base)
        members = (f"{name}.dll", f"{name}.manifest", f"{name}\\{name}.dll", f"{name}\\{name}.manifest")
        if _LANGUAGE.fullmatch(identity.language) and identity.language.lower() != "neutral":
            parts = identity.language.split("-")
            for count in range(len(parts), 0, -1):
                culture = "-".join(parts[:count])
                for member in members:
                    yield folder, f"{culture}\\{member}"
        for member in members:
            yield folder, member

    def _manifest_in(self, path: Path) -> bytes | None:
        if path.suffix.lower() == ".manifest":
            return _contents(path)
        image = self.files.image(path)
        return image.manifest(PROCESS) if isinstance(image, Image) else None

    def _files_of(self, context: Context, manifest: Manifest, folder: Folder, store: str, assembly: str) -> None:
        for name, load_from in manifest.files:
            wanted = load_from or name
            found = self.files.file(folder.host, wanted) if folder.host and ":" not in wanted else None
            if load_from.endswith("\\") and folder.host:
                found = self.files.file(folder.host, load_from + name)
            located = Located(str(found) if found else folder.below(wanted), found)
            context.redirections.setdefault(name.lower(), Redirection(located, assembly, store))

    def _same(self, wanted: Identity, offered: Identity) -> bool:
        """Whether a private assembly is the one asked for: all that is given must agree."""
        machine = {"*", "", self.architecture}
        return (
            wanted.name.lower() == offered.name.lower()
            and version_of(wanted.version) == version_of(offered.version)
            and wanted.token.lower() == offered.token.lower()
            and (wanted.architecture.lower() in machine or wanted.architecture.lower() == offered.architecture.lower())
            and offered.architecture.lower() in machine
        )


def _contents(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(1 << 20)
    except OSError:
        return None
