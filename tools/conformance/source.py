"""The source package, by apt-get with lists of its own: no root needed, nothing of the system's changed."""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path

PACKAGE = "wine"
SUITE = "bookworm"
VERSION = "8.0~repack-4"
FOLDER = "wine-8.0"
WANTED = ("include/", "dlls/kernel32/tests/", "dlls/kernelbase/tests/", "dlls/ntdll/tests/")
MIRROR = "http://deb.debian.org/debian"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class Unavailable(Exception):
    """The package or a tool to build it cannot be had here; says which."""


def cache() -> Path:
    """Where all that is fetched and built stays."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ntos" / "conformance"


def tree() -> Path:
    """The folder with the tests and the headers they are built with, fetched and unpacked if it is not there."""
    target = cache() / FOLDER
    if not target.exists():
        with tarfile.open(_original()) as archive:
            wanted = [each for each in archive if each.name.removeprefix(FOLDER + "/").startswith(WANTED)]
            archive.extractall(cache(), members=wanted, filter="data")
    return target


def _original() -> Path:
    folder = cache()
    known = next(folder.glob(f"{PACKAGE}_*.orig.tar.*"), None)
    if known is not None:
        return known
    lists, archives = folder / "apt" / "lists", folder / "apt" / "archives"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    sources = folder / "apt" / "sources.list"
    sources.write_text(f"deb-src [signed-by={KEYRING}] {MIRROR} {SUITE} main\n", encoding="utf-8")
    options = [
        *("-o", f"Dir::Etc::sourcelist={sources}", "-o", "Dir::Etc::sourceparts=-"),
        *("-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={folder / 'apt'}"),
    ]
    _apt_get(folder, *options, "update")
    _apt_get(folder, *options, "source", "--download-only", "--tar-only", f"{PACKAGE}={VERSION}")
    return next(folder.glob(f"{PACKAGE}_*.orig.tar.*"))


def _apt_get(folder: Path, *arguments: str) -> None:
    try:
        done = subprocess.run(["apt-get", "-q", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Unavailable("apt-get is not installed") from error
    if done.returncode:
        raise Unavailable(f"apt-get {arguments[-1]}: {done.stderr.strip()[-300:]}")
