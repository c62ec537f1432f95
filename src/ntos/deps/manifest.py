"""Side-by-side manifests: what an assembly is, what files it has, what other assemblies it needs.

Source: Microsoft Learn, "Application manifests", "Assembly manifests".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree

if TYPE_CHECKING:
    from collections.abc import Iterator

_DTD: Final = re.compile(rb"<!\s*(DOCTYPE|ENTITY)|<\0!\0", re.IGNORECASE)
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Identity:
    """An `assemblyIdentity`."""

    name: str
    version: str = ""
    architecture: str = ""
    token: str = ""
    language: str = ""

    def __str__(self) -> str:
        rest = (self.version, self.architecture, self.token)
        return " ".join((self.name, *filter(None, rest)))


@dataclass(frozen=True, slots=True)
class Dependency:
    """A `dependentAssembly`."""

    identity: Identity
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """What binding needs of a manifest."""

    identity: Identity | None
    files: tuple[tuple[str, str], ...]
    """(name, loadFrom)."""
    dependencies: tuple[Dependency, ...]


class ManifestError(Exception):
    """The manifest is malformed (STATUS_SXS_MANIFEST_PARSE_ERROR)."""


def parse(data: bytes) -> Manifest:
    """Read a manifest. ManifestError where Windows would refuse it."""
    text = data.rstrip(b"\0")
    if _DTD.search(text[:0x10000] if not text.startswith(_UTF16_MARKS) else text.replace(b"\0", b"")):
        raise ManifestError("it holds a document type definition")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - see the import
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise ManifestError(str(error)) from error
    if _local(root) != "assembly":
        raise ManifestError(f"its root is {_local(root)}, not assembly")
    own = next((child for child in root if _local(child) == "assemblyIdentity"), None)
    files = tuple(
        (name, child.get("loadFrom") or "")
        for child in root
        if _local(child) == "file" and (name := child.get("name"))
    )
    return Manifest(_identity(own) if own is not None else None, files, tuple(_dependencies(root)))


def _dependencies(root: ElementTree.Element) -> Iterator[Dependency]:
    for outer in root:
        if _local(outer) != "dependency":
            continue
        optional = (outer.get("optional") or "").lower() in {"yes", "true"}
        for inner in outer:
            identity = next((each for each in inner if _local(each) == "assemblyIdentity"), None)
            if _local(inner) == "dependentAssembly" and identity is not None and identity.get("name"):
                yield Dependency(_identity(identity), optional)


def _identity(element: ElementTree.Element) -> Identity:
    def value(key: str) -> str:
        return (element.get(key) or "").strip()

    return Identity(
        value("name"), value("version"), value("processorArchitecture"), value("publicKeyToken"), value("language")
    )


def _local(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def version_of(text: str) -> tuple[int, ...]:
    """`6.0.0.0` as numbers; what is not a number counts as zero."""
    return tuple(int(part) if part.isascii() and part.isdigit() else 0 for part in text.split(".")[:4])
