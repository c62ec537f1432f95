"""What opens a file: its extension's class, the class's verbs, and the command of a verb (process-creation.md 11)."""

from __future__ import annotations

from dataclasses import dataclass

from ntos.abi.registry import REG_EXPAND_SZ
from ntos.abi.status import STATUS, NtError
from ntos.dll.kernelbase.objects import environment
from ntos.dll.kernelbase.registry import open_path, query_value, user_root
from ntos.dll.kernelbase.services import nt
from ntos.rtl.text import from_utf16
from ntos.um.thread import UserThread

KEY_READ = 0x20019
MACHINE = r"\REGISTRY\MACHINE\SOFTWARE"
APP_PATHS = r"Microsoft\Windows\CurrentVersion\App Paths"
USER_CHOICE = r"Software\Microsoft\Windows\CurrentVersion\Explorer\FileExts"
ABSENT = (STATUS.OBJECT_NAME_NOT_FOUND, STATUS.OBJECT_PATH_NOT_FOUND)


@dataclass(frozen=True, slots=True)
class Target:
    """What a command template is filled with."""

    file: str
    parameters: str = ""
    directory: str = ""
    show: int = 1


async def text_value(thread: UserThread, path: str, name: str) -> str | None:
    """A string of the registry, expanded where its type says so; None where it is not there."""
    try:
        key = await open_path(thread, path, KEY_READ)
    except NtError as error:
        if error.status in ABSENT:
            return None
        raise
    try:
        kind, data = await query_value(thread, key, name)
    except NtError as error:
        if error.status in ABSENT:
            return None
        raise
    finally:
        await nt.NtClose(thread, key)
    text = from_utf16(data[: len(data) & ~1]).split("\0", 1)[0]
    return environment(thread).expand(text) if kind == REG_EXPAND_SZ else text


async def class_value(thread: UserThread, path: str, name: str = "") -> str | None:
    """A value below HKEY_CLASSES_ROOT: the user's classes stand before the machine's."""
    for root in (rf"{await user_root(thread)}\Software\Classes", rf"{MACHINE}\Classes"):
        found = await text_value(thread, rf"{root}\{path}", name)
        if found is not None:
            return found
    return None


async def app_path(thread: UserThread, name: str) -> tuple[str, str] | None:
    """(program, directories for its PATH) of an App Paths key."""
    leaf = name if "." in name else name + ".exe"
    for root in (rf"{await user_root(thread)}\Software", MACHINE):
        key = rf"{root}\{APP_PATHS}\{leaf}"
        found = await text_value(thread, key, "")
        if found:
            return found.strip('"'), await text_value(thread, key, "Path") or ""
    return None


async def classes_of(thread: UserThread, file: str) -> list[str]:
    """The keys below HKEY_CLASSES_ROOT in which a file's verbs are looked for, in order."""
    leaf = file[file.rfind("\\") + 1 :]
    if "." not in leaf:
        return []
    extension = leaf[leaf.rfind(".") :]
    choice = rf"{await user_root(thread)}\{USER_CHOICE}\{extension}\UserChoice"
    chosen = await text_value(thread, choice, "ProgId") or await class_value(thread, extension)
    perceived = await class_value(thread, extension, "PerceivedType")
    found = [chosen] if chosen else [extension]
    found.append(rf"SystemFileAssociations\{extension}")
    if perceived:
        found.append(rf"SystemFileAssociations\{perceived}")
    return [*found, "*"]


async def command_of(thread: UserThread, keys: list[str], verb: str | None) -> str | None:
    """The command of a verb, or of the default one, in the first of the keys that has it."""
    for key in keys:
        for wanted in [verb] if verb else await _default_verbs(thread, key):
            found = await class_value(thread, rf"{key}\shell\{wanted}\command")
            if found:
                return found
    return None


async def _default_verbs(thread: UserThread, key: str) -> list[str]:
    listed = await class_value(thread, rf"{key}\shell") or ""
    return [verb.strip() for verb in listed.split(",") if verb.strip()] + ["open"]


def fill(template: str, target: Target) -> str:
    """The command line: %1, %L, %V the file, %2 to %9 one parameter each, %* all of them, %W the directory, %S the
    way to show it.
    """
    made, index, used = "", 0, False
    single = target.parameters.split()
    while index < len(template):
        letter, following = template[index], template[index + 1 : index + 2]
        if letter != "%" or not following:
            made, index = made + letter, index + 1
            continue
        index += 2
        key = following.upper()
        if key in "1LVD":
            made, used = made + target.file, True
        elif key == "*":
            made += target.parameters
        elif key in "23456789":
            place = int(key) - 2
            made += single[place] if place < len(single) else ""
        else:
            made += {"W": target.directory, "S": str(target.show), "%": "%", "I": ":0"}.get(key, "%" + following)
    return made.rstrip() if used else f'{made.rstrip()} "{target.file}"'
