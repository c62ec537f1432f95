r"""Who may put a file into a folder: permission bits on the host, default ACLs for Windows' own paths.

Source of the latter: icacls of a fresh Windows 10 (`C:\`, `C:\Windows`, `C:\Program Files`, `C:\ProgramData`).
"""

from __future__ import annotations

import grp
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ntos.deps.windows import Folder

_ADMINISTRATORS: Final = ("TrustedInstaller", "SYSTEM", "Administrators")
_DEFAULTS: Final = (
    ("c:\\windows\\temp", (*_ADMINISTRATORS, "Users"), True),
    ("c:\\windows", _ADMINISTRATORS, False),
    ("c:\\program files", _ADMINISTRATORS, False),
    ("c:\\programdata", ("SYSTEM", "Administrators", "Users"), True),
    ("c:\\users", ("SYSTEM", "Administrators", "the profile's user"), False),
)


@dataclass(frozen=True, slots=True)
class Writers:
    """Who may create a file there."""

    who: tuple[str, ...]
    wide: bool
    """Whether ordinary users other than the owner may."""
    source: str

    def __str__(self) -> str:
        return ", ".join(self.who) + f" ({self.source})"


def writers(folder: Folder) -> Writers:
    """Who may create a file in the folder, or the folder itself where it does not exist."""
    return on_host(folder.host) if folder.host is not None else on_windows(folder.shown)


def on_host(path: Path) -> Writers:
    """From owner, group and mode bits of the nearest directory that exists."""
    place = path
    while not place.is_dir() and place != place.parent:
        place = place.parent
    try:
        status = place.stat()
    except OSError as error:
        return Writers(("unknown",), wide=False, source=error.strerror or "cannot be read")
    who = [f"user {_user(status.st_uid)}"] if status.st_mode & stat.S_IWUSR else []
    if status.st_mode & stat.S_IWGRP:
        who.append(f"group {_group(status.st_gid)}")
    everyone = bool(status.st_mode & stat.S_IWOTH)
    if everyone:
        who.append("everyone")
    if "root" not in {each.removeprefix("user ") for each in who}:
        who.append("user root")
    source = f"mode {stat.S_IMODE(status.st_mode):04o}" + ("" if place == path else f" of {place}")
    return Writers(tuple(who), wide=everyone, source=source)


def on_windows(path: str) -> Writers:
    """From the default ACL of a fresh installation."""
    lower = path.lower().rstrip("\\")
    for root, who, wide in _DEFAULTS:
        if lower == root or lower.startswith((root + "\\", root + " (")):
            return Writers(who, wide=wide, source=f"default ACL of {path[: len(root)]}")
    if lower[1:2] == ":" and len(lower) > 2:
        who = ("SYSTEM", "Administrators", "Authenticated Users")
        return Writers(who, wide=True, source=f"inherited from {path[:3]}")
    return Writers(("unknown",), wide=False, source="no default is documented")


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
