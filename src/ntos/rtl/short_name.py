"""8.3 names: which are legal, and which one a long name gets."""

from __future__ import annotations

from collections.abc import Callable

from ntos.rtl.text import upcase

_ILLEGAL = frozenset('"*+,/:;<=>?[\\]|') | {chr(code) for code in range(0x20)}
_SUBSTITUTED = frozenset("+,;=[]")


def is_legal(name: str, *, allow_spaces: bool = False) -> bool:
    """Whether the name is already a legal 8.3 name (RtlIsNameLegalDOS8Dot3)."""
    if name in {".", ".."}:
        return True
    base, dot, extension = name.partition(".")
    if not base or len(base) > 8 or len(extension) > 3 or "." in extension or (dot and not extension):
        return False
    if base.endswith(" ") or extension.endswith(" ") or (" " in name and not allow_spaces):
        return False
    return name.isascii() and _ILLEGAL.isdisjoint(name)


def needs_short_name(name: str) -> bool:
    """Whether a file system that keeps short names must make one for this name."""
    return not is_legal(name)


def generate(name: str, taken: Callable[[str], bool]) -> str:
    """The short name a long one gets: `PROGRA~1`, and after four like it, two letters and a checksum.

    RtlGenerate8dot3Name, called until the name is free.
    """
    stem, extension = _parts(name)
    hashed = len(stem) <= 2
    if hashed:
        stem += _checksum(name)
    index = 0
    while True:
        index += 1
        if index > 4 and not hashed:
            stem, hashed, index = stem[:2] + _checksum(name), True, 1
        tail = f"~{index}"
        candidate = stem[: 8 - len(tail)] + tail + extension
        if not taken(candidate):
            return candidate


def _parts(name: str) -> tuple[str, str]:
    letters = upcase(name.lstrip(".").replace(" ", ""))
    base, dot, extension = letters.rpartition(".")
    if not dot:
        base, extension = letters, ""
    kept = _clean(base)[:6]
    tail = _clean(extension)[:3]
    return kept, f".{tail}" if tail else ""


def _clean(text: str) -> str:
    return "".join(
        "_" if letter in _SUBSTITUTED or letter > "\x7f" else letter for letter in text if letter != "."
    )


def _checksum(name: str) -> str:
    """Four hexadecimal digits of the whole long name (observed; T. Galvin, "The 8.3 checksum")."""
    total = 0
    for letter in name:
        total = (total * 0x25 + ord(letter)) & 0xFFFF
    signed = (total * 314159269) & 0xFFFFFFFF
    if signed & 0x80000000:
        signed = 0x100000000 - signed
    signed -= ((signed * 1152921497) >> 60) * 1000000007
    return f"{signed & 0xFFFF:04X}"[::-1]
