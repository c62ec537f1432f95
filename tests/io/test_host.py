"""A folder of the host as a drive: Windows' rules inside, and no way out."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ntos import io
from ntos.abi.io import FILE_ATTRIBUTE_DIRECTORY
from ntos.abi.status import STATUS, NtError
from ntos.io.volume import names
from ntos.io.volume.link import Link, walk
from tests.io.conftest import CREATE, DIRECTORY, OVERWRITE_IF, READ, SYNCHRONOUS, WRITE, Caller, Maker


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The mapped folder, with a secret beside it."""
    (tmp_path / "secret.txt").write_text("secret")
    made = tmp_path / "mapped"
    made.mkdir()
    return made


@pytest.fixture
def host(folder: Path, on: Maker) -> Caller:
    """A caller whose C: is the folder."""
    return on(io.HostVolume(folder))


def test_bytes_reach_the_host(host: Caller, folder: Path) -> None:
    """What the guest writes is in the folder, and what the host wrote is read, in whatever case."""
    file = host.open("C:\\New.txt", disposition=CREATE)
    assert host.write(file, b"from the guest") == 0
    host.close(file)
    assert (folder / "New.txt").read_bytes() == b"from the guest"
    (folder / "Host.TXT").write_bytes(b"from the host")
    assert host.read(host.open("C:\\hOST.txt")) == b"from the host"


def test_deeper_paths_and_directories(host: Caller, folder: Path) -> None:
    """Directories are made and walked in whatever case."""
    host.close(host.open("C:\\Sub", disposition=CREATE, options=DIRECTORY | SYNCHRONOUS))
    host.close(host.open("C:\\SUB\\f", disposition=CREATE))
    assert (folder / "Sub" / "f").exists()
    assert host.open("C:\\sub\\F") >> 30 != 3
    assert host.open("C:\\other\\f") == STATUS.OBJECT_PATH_NOT_FOUND


@pytest.mark.parametrize(
    "path",
    [
        "..\\secret.txt", "x\\..\\..\\secret.txt", "..", ".", "../secret.txt", "sub/../../secret.txt",
        "C:\\secret.txt", "\\\\secret.txt", "..\\..\\etc\\passwd", "sub\\..", "secret.txt\0", "..\u2215secret.txt",
    ],
)  # fmt: skip
def test_spellings_of_escape(host: Caller, folder: Path, path: str) -> None:
    """No spelling of a path leads out of the folder, to read or to write."""
    (folder / "sub").mkdir()
    before = sorted(path.name for path in folder.parent.iterdir())
    assert host.open("C:\\" + path, READ) >> 30 == 3
    host.open("C:\\" + path, WRITE, disposition=OVERWRITE_IF)
    assert (folder.parent / "secret.txt").read_text() == "secret"
    assert sorted(path.name for path in folder.parent.iterdir()) == before


def test_links_that_lead_out_are_refused(host: Caller, folder: Path) -> None:
    """A symbolic link is followed where it stays inside; one that leads out is refused, and says why."""
    (folder / "inside").write_text("fine")
    (folder / "good").symlink_to("inside")
    (folder / "bad").symlink_to(folder.parent / "secret.txt")
    (folder / "up").symlink_to(folder.parent)
    assert host.read(host.open("C:\\good")) == b"fine"
    assert host.open("C:\\bad") == STATUS.ACCESS_DENIED
    assert host.open("C:\\up\\secret.txt") == STATUS.ACCESS_DENIED
    refusal = host.thread.refusal
    assert refusal is not None
    assert "folder" in refusal.rule
    assert host.open("C:\\bad", WRITE, disposition=OVERWRITE_IF) == STATUS.ACCESS_DENIED


def test_a_directory_swapped_for_a_link_is_not_followed(host: Caller, folder: Path) -> None:
    """A file whose place on the host was taken by a link to elsewhere is not opened through it."""
    (folder / "f").write_text("mine")
    file = host.open("C:\\f", 0x100080)
    (folder / "f").unlink()
    (folder / "f").symlink_to(folder.parent / "secret.txt")
    assert host.open("C:\\f") == STATUS.ACCESS_DENIED
    host.close(file)


def test_only_files_and_directories(host: Caller, folder: Path) -> None:
    """A pipe of the host in the folder cannot be opened: it could block the machine."""
    os.mkfifo(folder / "fifo")
    assert host.open("C:\\fifo") == STATUS.ACCESS_DENIED


def test_read_only_follows_the_host_mode(host: Caller, folder: Path) -> None:
    """A file its owner may not write is READONLY; setting the attribute changes the mode."""
    (folder / "r").write_text("x")
    (folder / "r").chmod(0o444)
    assert host.open("C:\\r", WRITE) == STATUS.ACCESS_DENIED
    file = host.open("C:\\r", 0x100180)
    assert host.set(file, 4, struct.pack("<4qI4x", 0, 0, 0, 0, 0x80)) == 0
    assert (folder / "r").stat().st_mode & 0o200
    assert host.set(file, 4, struct.pack("<4qI4x", 0, 0, 0, 0, 3)) == 0
    assert struct.unpack_from("<I", host.query(file, 4), 32) == (0x23,)
    assert not (folder / "r").stat().st_mode & 0o222


def test_times_are_the_hosts(host: Caller, folder: Path) -> None:
    """Last write time is the host's, in FILETIME units, and can be set."""
    (folder / "t").write_text("x")
    os.utime(folder / "t", ns=(10**18, 10**18 + 100))
    file = host.open("C:\\t")
    assert struct.unpack_from("<4q", host.query(file, 4))[2] == 116444736000000000 + (10**18 + 100) // 100
    assert host.set(file, 4, struct.pack("<4qI4x", 0, 0, 130_000_000_000_000_000, 0, 0)) == 0
    assert (folder / "t").stat().st_mtime_ns == (130_000_000_000_000_000 - 116444736000000000) * 100


def test_names_windows_cannot_spell_stay_out_of_sight(host: Caller, folder: Path) -> None:
    """Host names with characters no Windows name has are neither listed nor opened."""
    (folder / "plain").touch()
    (folder / "co:lon").touch()
    (folder / "back\\slash").touch()
    root = host.open("C:\\", options=DIRECTORY | SYNCHRONOUS)
    assert host.names(root) == ["plain"]


def test_deleting_and_renaming_reach_the_host(host: Caller, folder: Path) -> None:
    """Rename, replace, link and delete do on the host what they say."""
    (folder / "a").write_text("a")
    (folder / "b").write_text("b")
    file = host.open("C:\\a")
    assert host.rename(file, "C:\\b") == STATUS.OBJECT_NAME_COLLISION
    assert host.rename(file, "C:\\b", flags=1) == 0
    assert (folder / "b").read_text() == "a"
    assert host.rename(file, "B") == 0
    assert [path.name for path in folder.iterdir()] == ["B"]
    assert host.rename(file, "C:\\c", kind=72) == 0
    assert struct.unpack_from("<qqI", host.query(file, 5))[2] == 2
    assert host.set(file, 64, struct.pack("<I", 1)) == 0
    host.close(file)
    assert [path.name for path in folder.iterdir()] == ["c"]


def test_an_open_file_outlives_its_name(host: Caller, folder: Path) -> None:
    """After a POSIX deletion the bytes stay readable through another handle."""
    (folder / "a").write_text("abc")
    reader, deleter = host.open("C:\\a"), host.open("C:\\a")
    assert host.set(deleter, 64, struct.pack("<I", 3)) == 0
    host.close(deleter)
    assert not (folder / "a").exists()
    assert host.read(reader) == b"abc"


def test_the_system_tree_over_a_folder(folder: Path, on: Maker) -> None:
    """Virtual system files stand beside the folder's; they are read-only, lazily made, and lose to real ones."""
    made: list[str] = []
    tree = io.SystemTree()

    def provide() -> bytes:
        made.append("ntdll")
        return b"MZ"

    tree.add_file("Windows\\System32\\ntdll.dll", provide, 2)
    tree.add_file("Windows\\System32\\real.dll", lambda: b"virtual")
    (folder / "windows" / "system32").mkdir(parents=True)
    (folder / "windows" / "system32" / "REAL.DLL").write_bytes(b"real")
    caller = on(io.OverlayVolume(tree, io.HostVolume(folder)))
    directory = caller.open("\\SystemRoot\\System32", READ, options=DIRECTORY | SYNCHRONOUS)
    assert caller.names(directory) == [".", "..", "ntdll.dll", "REAL.DLL"]
    assert made == []
    assert caller.open("C:\\Windows\\System32\\NTDLL.dll", WRITE) == STATUS.ACCESS_DENIED
    file = caller.open("C:\\Windows\\System32\\NTDLL.dll", READ)
    assert caller.read(file) == b"MZ"
    assert made == ["ntdll"]
    assert caller.read(caller.open("C:\\Windows\\System32\\real.dll", READ)) == b"real"
    assert caller.open("C:\\Windows\\System32\\ntdll.dll", disposition=OVERWRITE_IF) == STATUS.ACCESS_DENIED
    new = caller.open("C:\\Windows\\System32\\new.dll", disposition=CREATE)
    caller.write(new, b"new")
    assert (folder / "windows" / "system32" / "new.dll").read_bytes() == b"new"


def test_an_overlay_writes_to_memory(on: Maker) -> None:
    """Over a volume in memory, directories of the tree take files although the volume below had none."""
    tree = io.SystemTree()
    tree.add_directory("Windows\\Temp")
    caller = on(io.OverlayVolume(tree, io.MemoryVolume()))
    file = caller.open("C:\\Windows\\Temp\\x", disposition=CREATE)
    caller.write(file, b"1")
    assert caller.rename(file, "C:\\Windows\\y") == 0
    caller.close(file)
    assert caller.read(caller.open("C:\\windows\\Y")) == b"1"
    directory = caller.open("C:\\Windows", READ, options=DIRECTORY | SYNCHRONOUS)
    assert caller.names(directory) == [".", "..", "Temp", "y"]


NAMES = st.sampled_from(["a", "A", "b", "Bc", "..", "dir", "DIR", "x y", "é", "É", "nul", "f.txt", "F.TXT"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["make", "folder", "remove", "move"]), NAMES, NAMES), max_size=12))
def test_host_and_memory_agree(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, str]]) -> None:
    """The same changes leave the same names on a host folder as in memory, with the same errors."""
    volumes = [io.MemoryVolume(), io.HostVolume(tmp_path_factory.mktemp("agree"))]
    for step in steps:
        assert _outcome(volumes[0], *step) == _outcome(volumes[1], *step)
    listings = [[listed.name for listed in volume.root.listing()] for volume in volumes]
    assert listings[0] == listings[1]


def _outcome(volume: io.Volume, action: str, name: str, other: str) -> object:
    root = volume.root
    try:
        for each in (name, other):
            names.check(each)
        if action == "make":
            root.create(name, 0)
        elif action == "folder":
            root.create(name, FILE_ATTRIBUTE_DIRECTORY)
        elif action == "remove":
            root.remove(name)
        else:
            root.move(name, root, other)
        _, _, link = walk(Link(None, "", root), (name,))
        return None if link is None else link.name
    except NtError as error:
        return error.status
