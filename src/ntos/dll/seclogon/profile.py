"""The environment a user's programs begin with (CreateEnvironmentBlock)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.access import KEY_READ
from ntos.abi.se import TOKEN_INFORMATION_CLASS as INFORMATION
from ntos.abi.status import NtError
from ntos.dll.kernelbase.objects import environment
from ntos.dll.kernelbase.registry import open_path, query_value
from ntos.dll.kernelbase.token import token_sids
from ntos.rtl import sid as sids
from ntos.rtl.environment import format_block
from ntos.rtl.text import from_utf16
from ntos.um import nt

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

PROFILES = r"\REGISTRY\MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
DEFAULT_PROFILE = "C:\\Users\\Default"


async def environment_of(thread: UserThread, token: int) -> bytes:
    """The block: the system's variables, and those that follow from the user's profile."""
    ((sid, _),) = await token_sids(thread, token, INFORMATION.TokenUser)
    profile = await _profile(thread, sid)
    variables = environment(thread)
    temporary = f"{profile}\\AppData\\Local\\Temp"
    changed = {
        "APPDATA": f"{profile}\\AppData\\Roaming",
        "HOMEDRIVE": profile[:2],
        "HOMEPATH": profile[2:],
        "LOCALAPPDATA": f"{profile}\\AppData\\Local",
        "TEMP": temporary,
        "TMP": temporary,
        "USERNAME": profile.rpartition("\\")[2],
        "USERPROFILE": profile,
    }
    variables.update(changed)
    return format_block(variables)


async def _profile(thread: UserThread, sid: bytes) -> str:
    """The profile's folder; the default user's for who has none yet."""
    try:
        key = await open_path(thread, rf"{PROFILES}\{sids.to_text(sid)}", KEY_READ)
    except NtError:
        return DEFAULT_PROFILE
    try:
        _, data = await query_value(thread, key, "ProfileImagePath")
    finally:
        nt.NtClose(thread, key)
    return from_utf16(data).rstrip("\0")
