"""Users of a machine from outside: accounts with their profiles, and the environment of their first programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.registry import REG_EXPAND_SZ
from ntos.cm import sam
from ntos.cm.boot import mount_user
from ntos.cm.registry import Registry
from ntos.rtl import sid as sids
from ntos.rtl.sid_names import SidUse, lookup_name, lookup_sid
from ntos.se.account import Accounts, User

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ntos.io import SystemTree
    from ntos.ke.kernel import Kernel

PROFILES = r"MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"


def folder(user: str) -> str:
    """The deepest folder of a new profile, from the drive's root."""
    return f"Users\\{user}\\AppData\\Local\\Temp"


def alias(name: str) -> bytes:
    """The SID of a local group."""
    sid = lookup_name(f"BUILTIN\\{name}")
    known = lookup_sid(sid) if sid is not None else None
    if sid is None or known is None or known.use != SidUse.ALIAS:
        raise ValueError(f"there is no local group {name!r}")
    return sid


def add_user(
    kernel: Kernel, tree: SystemTree, name: str, password: str, *, administrator: bool, groups: Sequence[str],
    enabled: bool, password_expired: bool,
) -> User:  # fmt: skip
    """A new account in the account database, and its profile: folder, hive, and the list that names both."""
    accounts, registry = kernel.part(Accounts), kernel[Registry]
    if accounts.find(name) is not None:
        raise ValueError(f"there is an account {name!r}")
    user = accounts.add(
        name, administrator=administrator, groups=tuple(map(alias, groups)), password=password, enabled=enabled,
        password_expired=password_expired,
    )  # fmt: skip
    sam.add_user(registry, user)
    mount_user(registry, user.sid, name)
    key = rf"{PROFILES}\{sids.to_text(user.sid)}"
    registry.set(key, "ProfileImagePath", f"C:\\Users\\{name}", REG_EXPAND_SZ)
    tree.add_directory(folder(name))
    return user


def default_environment(user: str = "user") -> dict[str, str]:
    """What a user's first program finds in its environment."""
    system = "C:\\Windows"
    return {
        "ALLUSERSPROFILE": "C:\\ProgramData",
        "APPDATA": f"C:\\Users\\{user}\\AppData\\Roaming",
        "CommonProgramFiles": "C:\\Program Files\\Common Files",
        "COMPUTERNAME": "DESKTOP-NTOS",
        "ComSpec": f"{system}\\System32\\cmd.exe",
        "HOMEDRIVE": "C:",
        "HOMEPATH": f"\\Users\\{user}",
        "LOCALAPPDATA": f"C:\\Users\\{user}\\AppData\\Local",
        "NUMBER_OF_PROCESSORS": "1",
        "OS": "Windows_NT",
        "Path": f"{system}\\System32;{system}",
        "PATHEXT": ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC",
        "PROCESSOR_ARCHITECTURE": "AMD64",
        "ProgramData": "C:\\ProgramData",
        "ProgramFiles": "C:\\Program Files",
        "PUBLIC": "C:\\Users\\Public",
        "SystemDrive": "C:",
        "SystemRoot": system,
        "TEMP": f"C:\\Users\\{user}\\AppData\\Local\\Temp",
        "TMP": f"C:\\Users\\{user}\\AppData\\Local\\Temp",
        "USERDOMAIN": "DESKTOP-NTOS",
        "USERNAME": user,
        "USERPROFILE": f"C:\\Users\\{user}",
        "windir": system,
    }
