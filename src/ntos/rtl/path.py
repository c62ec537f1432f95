"""DOS paths: what kind a path is, its full form, and the NT name it stands for.

Rules: Microsoft Learn, "File path formats on Windows systems" and "Naming Files, Paths, and Namespaces".
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import NamedTuple

from ntos.abi.status import STATUS, NtError

SEPARATORS = "\\/"
_DEVICE_NAMES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [port + digit for port in ("COM", "LPT") for digit in "123456789\u00b9\u00b2\u00b3"]
)
_VERBATIM = ("\\\\?\\", "\\??\\")


class PathType(enum.IntEnum):
    """The kinds of DOS path (RTL_PATH_TYPE)."""

    UNKNOWN = 0
    UNC_ABSOLUTE = 1
    DRIVE_ABSOLUTE = 2
    DRIVE_RELATIVE = 3
    ROOTED = 4
    RELATIVE = 5
    LOCAL_DEVICE = 6
    ROOT_LOCAL_DEVICE = 7


class FullPath(NamedTuple):
    """A full path, and where its last component begins (None when it ends in a separator)."""

    full: str
    file_part: int | None


def path_type(path: str) -> PathType:
    """What kind of DOS path this is (RtlDetermineDosPathNameType_U)."""
    if _is_separator(path, 0):
        if not _is_separator(path, 1):
            return PathType.ROOTED
        if path[2:3] not in {".", "?"}:
            return PathType.UNC_ABSOLUTE
        if len(path) == 3:
            return PathType.ROOT_LOCAL_DEVICE
        return PathType.LOCAL_DEVICE if _is_separator(path, 3) else PathType.UNC_ABSOLUTE
    if path[1:2] == ":":
        return PathType.DRIVE_ABSOLUTE if _is_separator(path, 2) else PathType.DRIVE_RELATIVE
    return PathType.RELATIVE


def is_absolute(path: str) -> bool:
    """Whether a path means the same whatever the current directory is."""
    return path_type(path) not in {PathType.DRIVE_RELATIVE, PathType.ROOTED, PathType.RELATIVE}


def dos_device_name(path: str) -> tuple[int, int] | None:
    """Where in the path a DOS device is named, as (index, length), or None (RtlIsDosDeviceName_U)."""
    kind = path_type(path)
    if kind is PathType.LOCAL_DEVICE:
        return (4, 3) if path.replace("/", "\\").upper() == "\\\\.\\CON" else None
    if kind in {PathType.UNC_ABSOLUTE, PathType.ROOT_LOCAL_DEVICE}:
        return None
    kept = path.removesuffix(":").rstrip(". ")
    start = max(kept.rfind("\\"), kept.rfind("/"), 1 if kept[1:2] == ":" else -1) + 1
    name = kept[start:]
    for mark in ".:":
        name = name.partition(mark)[0]
    name = name.rstrip(" ")
    return (start, len(name)) if name.upper() in _DEVICE_NAMES else None


def is_dos_device_name(path: str) -> bool:
    """Whether the path names a DOS device such as NUL, COM1 or CONIN$."""
    return dos_device_name(path) is not None


def full_path(
    path: str, current_directory: str, drive_directories: Callable[[str], str | None] | None = None
) -> FullPath:
    """The path made absolute and clean (RtlGetFullPathName_UEx).

    `drive_directories` gives a drive's own current directory: the value of the variable `=C:` for `C`.
    """
    if not path.strip(" "):
        raise NtError(STATUS.OBJECT_NAME_INVALID)
    if device := dos_device_name(path):
        start, length = device
        return FullPath("\\\\.\\" + path[start : start + length], None)
    joined = _joined(path, path_type(path), current_directory, drive_directories).replace("/", "\\")
    prefix = _prefix_length(joined)
    full = joined[:prefix] + _collapse(joined[prefix:])
    last = full.rfind("\\") + 1
    return FullPath(full, last if 2 < last < len(full) else None)


def dos_to_nt(
    path: str, current_directory: str = "C:\\", drive_directories: Callable[[str], str | None] | None = None
) -> str:
    r"""The NT name a DOS path stands for: `\??\C:\x`, `\??\UNC\server\share`.

    RtlDosPathNameToNtPathName_U.
    """
    if path.startswith(_VERBATIM):
        return "\\??\\" + path[4:]
    full = full_path(path, current_directory, drive_directories).full
    if full.startswith(("\\\\.\\", "\\\\?\\")):
        return "\\??\\" + full[4:]
    return "\\??\\UNC\\" + full[2:] if full.startswith("\\\\") else "\\??\\" + full


def nt_to_dos(path: str) -> str:
    """The DOS form of a name below the DOS device directory; other NT names come back unchanged.

    RtlNtPathNameToDosPathName.
    """
    if not path.startswith("\\??\\"):
        return path
    rest = path[4:]
    if rest[:4].upper() == "UNC\\":
        return "\\\\" + rest[4:]
    return rest if rest[1:2] == ":" else "\\\\.\\" + rest


def split(path: str) -> tuple[str, str]:
    r"""The directory and the last component; a root keeps its separator: `C:\x` is (`C:\`, `x`)."""
    cut = max(path.rfind("\\"), path.rfind("/")) + 1
    if cut == 0 and path[1:2] == ":":
        cut = 2
    directory = path[:cut]
    root = len(directory) <= _prefix_length(directory.replace("/", "\\"))
    return (directory if root else directory.rstrip(SEPARATORS)), path[cut:]


def root_length(full: str) -> int:
    r"""How much of a full path is its root: 3 for `C:\x`, all of `\\server\share\`, 4 for `\\.\`."""
    return _prefix_length(full)


def _is_separator(path: str, index: int) -> bool:
    return index < len(path) and path[index] in SEPARATORS


def _joined(
    path: str, kind: PathType, current: str, drive_directories: Callable[[str], str | None] | None
) -> str:
    """The path with what it leaves out put before it, not yet collapsed."""
    if kind is PathType.ROOT_LOCAL_DEVICE:
        return path + "\\"
    if kind is PathType.DRIVE_RELATIVE:
        if path[:1].upper() == current[:1].upper() and current[1:2] == ":":
            return _below(current, path[2:])
        known = drive_directories(path[0].upper()) if drive_directories else None
        return _below(known or path[:2] + "\\", path[2:])
    if kind is PathType.ROOTED:
        root = current.replace("/", "\\")[: _prefix_length(current.replace("/", "\\"))]
        return root.rstrip("\\") + path
    return _below(current, path) if kind is PathType.RELATIVE else path


def _below(directory: str, rest: str) -> str:
    if not rest:
        return directory if len(directory) <= 3 else directory.rstrip(SEPARATORS)
    return directory + rest if directory.endswith(("\\", "/")) else f"{directory}\\{rest}"


def _prefix_length(path: str) -> int:
    """The length of what `..` cannot climb out of; separators are already backslashes."""
    kind = path_type(path)
    if kind in {PathType.LOCAL_DEVICE, PathType.ROOT_LOCAL_DEVICE}:
        return 4
    if kind is PathType.UNC_ABSOLUTE:
        server = path.find("\\", 2)
        share = path.find("\\", server + 1) if server >= 0 else -1
        return share + 1 if share >= 0 else len(path)
    return {PathType.DRIVE_ABSOLUTE: 3, PathType.DRIVE_RELATIVE: 2, PathType.ROOTED: 1}.get(kind, 0)


def _collapse(rest: str) -> str:
    """Components without `.`, `..`, empty ones, and the trailing dots and spaces of the last."""
    kept: list[str] = []
    parts = rest.split("\\")
    for index, part in enumerate(parts):
        if part == "..":
            del kept[-1:]
        elif part not in {"", "."}:
            inner = index < len(parts) - 1
            # A segment that ends in a single period loses it; three or more are a name like any other.
            single = inner and part.endswith(".") and not part.endswith("..")
            kept.append(part[:-1] if single else part)
    text = "\\".join(kept)
    return text + "\\" if kept and parts[-1] == "" else text.rstrip(". ")
