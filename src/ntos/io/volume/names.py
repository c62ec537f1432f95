"""Which names a file may have, and how a path below a volume is taken apart."""

from __future__ import annotations

from typing import NamedTuple

from ntos.abi.status import STATUS, NtError
from ntos.io.volume.node import MAXIMUM_COMPONENT
from ntos.rtl.text import unit_count

_ILLEGAL = frozenset('"*/:<>?|\\') | {chr(code) for code in range(0x20)}
_DATA_STREAM = "$DATA"
_INDEX_STREAM = "$INDEX_ALLOCATION"


class VolumePath(NamedTuple):
    """Components below the root, and whether the caller's spelling demands a directory."""

    components: tuple[str, ...]
    directory: bool


def is_legal(name: str) -> bool:
    """Whether a file may have this name ([MS-FSCC] 2.1.5); `.` and `..` are no names to a file system."""
    return (
        bool(name)
        and name not in {".", ".."}
        and _ILLEGAL.isdisjoint(name)
        and unit_count(name) <= MAXIMUM_COMPONENT
    )


def check(name: str) -> str:
    """The name, or OBJECT_NAME_INVALID."""
    if not is_legal(name):
        raise NtError(STATUS.OBJECT_NAME_INVALID)
    return name


def split(path: str) -> VolumePath:
    r"""Take `\a\b\c` apart. A trailing backslash asks for a directory; `::$DATA` names the file itself."""
    parts = path.lstrip("\\").split("\\") if path.strip("\\") else []
    if path.startswith("\\\\"):
        raise NtError(STATUS.OBJECT_NAME_INVALID)
    directory = bool(parts) and parts[-1] == ""
    if directory:
        parts.pop()
    if parts:
        parts[-1], index = _without_stream(parts[-1])
        directory = directory or index
    return VolumePath(tuple(check(part) for part in parts), directory)


def _without_stream(name: str) -> tuple[str, bool]:
    """A last component without the spelling of its default stream. Other streams do not exist here."""
    base, colon, stream = name.partition(":")
    if not colon:
        return name, False
    named, second, kind = stream.partition(":")
    if second and kind.upper() == _INDEX_STREAM and named.upper() in {"", "$I30"}:
        return base, True
    if named or not second or kind.upper() != _DATA_STREAM:
        raise NtError(STATUS.OBJECT_NAME_INVALID)
    return base, False
