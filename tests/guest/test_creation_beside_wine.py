"""The programs about CreateProcess print under Wine what they print here, but for rows where Wine is known to differ.

Wine 8.0 (Debian's wine64) is the second witness; the first is Microsoft's documentation, which the transcripts follow.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from tests.guest.conftest import SAMPLES

WINE = shutil.which("wine64") or shutil.which("wine")
TIMEOUT = 180

NO_SUBSYSTEMS = "Wine starts images of any subsystem and version"
NOT_PE = "Wine looks for a virtual DOS machine"
UNKNOWN = "Wine 8 knows no attributes but parent, handle list, job list and pseudo console; it ends at what comes after"
NO_FLAG_CHECK = "Wine does not check which flags exclude each other"
OWN_VARIABLES = "Wine adds variables of its own to every environment"
DIFFERS: dict[str, dict[str, str]] = {
    "create_flags": {
        **dict.fromkeys(("detached + new console", "both VDMs"), NO_FLAG_CHECK),
        **dict.fromkeys(("protected", "secure"), "Wine ignores the flag"),
        "extended, short": "Wine does not check cb, and ends",
        "new group + new console": "Wine ignores Ctrl-C in a new console, too",
        **dict.fromkeys(("none, from below normal", "none, from above normal"), "not reached"),
    },
    "create_names": {
        "a folder": "Wine opens it, and fails later: error 6",
        "a device": "error 123",
        "line with an open quote": "Wine wants the closing quote",
        "line of 32767": "Wine allows a character more",
        "neither": "Wine ends",
    },
    "create_images": {
        **dict.fromkeys(
            ("text, .exe", "text, .com", "DOS program", "NE for Windows", "NE for OS/2", "LE", "LX"), NOT_PE
        ),
        **dict.fromkeys(("text, .bat", "text, .cmd"), "Wine gives /s/c"),
        **dict.fromkeys(("ARM64", "IA-64"), "Wine has one error for wrong formats"),
        **dict.fromkeys(
            ("not linked to the end", "native", "OS/2", "POSIX", "Windows CE", "EFI application", "boot application",
             "subsystem unknown", "Windows 3.9", "Windows 11.0", "Windows 10.1"), NO_SUBSYSTEMS,
        ),
    },
    "create_startup": {
        "names": "GetStartupInfoA of Wine's gives no lpReserved",
        **dict.fromkeys(("wide block", "narrow block", "unsorted block", "empty block"), OWN_VARIABLES),
        "too long a narrow block": "Wine cuts it",
        **dict.fromkeys(("named handles", "named handles, detached", "hot key"), "Wine clears what is no handle"),
        "named handles, nothing inherited": "Wine passes the words on",
    },
    "create_attributes": {
        "no handles": "Wine takes an empty list",
        "twice": "Wine looks whether there is room first",
        "handles": "Wine checks no handles of a list",
        **dict.fromkeys(
            ("children", "children restricted", "dynamic code", "desktop", "protection, WinTcb", "protection, same",
             "protection, none such",
             "force LUA", "force breakaway", "package", "affinity", "ideal processor", "node", "derived",
             "app container", "package as capability", "capability as package"), UNKNOWN,
        ),
    },
}  # fmt: skip
"""Row to why Wine prints something else (rows whose name has a colon go by what stands before it)."""
COMPARED = {"create_flags": re.compile(r"ignores Ctrl-C \d|error \d+")}
"""Wine 8 has neither priority classes at creation, inherited error modes nor group ids, and no console behind pipes."""


def _rows(name: str, text: str) -> list[tuple[str, str]]:
    pattern = COMPARED.get(name)
    rows = []
    for line in text.replace("\r\n", "\n").splitlines():
        row, colon, rest = line.partition(": ")
        if colon:
            rows.append((row, " ".join(pattern.findall(rest)) if pattern else rest))
    return rows


@pytest.mark.slow
@pytest.mark.skipif(WINE is None, reason="needs Wine (Debian: wine64)")
def test_wine_agrees_where_it_has_the_thing() -> None:
    """Every row that is not listed as Wine's own way reads the same under Wine."""
    for name in DIFFERS:  # one after the other: the programs share a section by its name
        _compare(name)


def _compare(name: str) -> None:
    assert WINE is not None
    environment = {**os.environ, "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "winedbg.exe=d"}
    done = subprocess.run(
        [WINE, str(SAMPLES / "bin" / f"{name}.exe")], input=b"", capture_output=True, timeout=TIMEOUT, check=False,
        env=environment,
    )  # fmt: skip
    witness = _rows(name, done.stdout.decode("latin-1"))
    differs = DIFFERS[name]
    ours = _rows(name, (SAMPLES / "expected" / f"{name}.txt").read_text("latin-1"))
    assert {row for row, _ in ours} >= set(differs), "a listed row no longer exists"
    expected = [entry for entry in ours if entry[0] not in differs]
    seen = [entry for entry in witness if entry[0] not in differs and entry[0] in {row for row, _ in ours}]
    assert seen == expected
