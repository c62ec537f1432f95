"""Name patterns: what FindFirstFile and NtQueryDirectoryFile mean by `*`, `?` and the three DOS wildcards.

[MS-FSA] 2.1.4.4, "Algorithm for Determining if a FileName Is in an Expression".
"""

from __future__ import annotations

import functools
import re

from ntos.rtl.text import upcase

DOS_STAR = "<"
"""Any characters, but not past the last dot of the name."""
DOS_QM = ">"
"""One character, or none before a dot or at the end."""
DOS_DOT = '"'
"""A dot, or nothing at the end of the name."""

_FRAGMENTS = {
    "*": ".*",
    "?": ".",
    DOS_STAR: r"(?:[^.]|\.(?=.*\.))*",
    DOS_QM: r"(?:[^.]|(?=\.)|\Z)",
    DOS_DOT: r"(?:\.|\Z)",
}


def has_wildcards(text: str) -> bool:
    """Whether a name holds a wildcard (FsRtlDoesNameContainWildCards)."""
    return not set("*?" + DOS_STAR + DOS_QM + DOS_DOT).isdisjoint(text)


def is_name_in_expression(expression: str, name: str, *, ignore_case: bool = True) -> bool:
    """Whether a name fits an expression in which the wildcards are already the file system's own.

    FsRtlIsNameInExpression, RtlIsNameInExpression.
    """
    if not name:
        return not expression
    if expression == "*":
        return True
    if ignore_case:
        expression, name = upcase(expression), upcase(name)
    return _compiled(expression).fullmatch(name) is not None


@functools.lru_cache(maxsize=512)
def dos_expression(pattern: str) -> str:
    """A FindFirstFile pattern in the file system's wildcards: `*.*` becomes `*`, `a?.` becomes `a>`."""
    if pattern in {"*.*", "*"}:
        return "*"
    trimmed = pattern.rstrip(". ") or pattern
    # Full-path rules took the trailing dot away; `foo*.` then asks for names without an extension.
    if len(trimmed) < len(pattern) and "." in pattern[len(trimmed) :] and trimmed.endswith("*"):
        trimmed = trimmed[:-1] + DOS_STAR
    letters = list(trimmed)
    for index, letter in enumerate(letters):
        following = letters[index + 1 : index + 2]
        if letter == "?":
            letters[index] = DOS_QM
        elif letter == "." and following in (["?"], ["*"]):
            letters[index] = DOS_DOT
        elif letter == "*" and following == ["."]:
            letters[index] = DOS_STAR
    return "".join(letters)


def match_pattern(pattern: str, name: str) -> bool:
    """Whether FindFirstFile, given the pattern, finds a file of this (long or short) name."""
    return is_name_in_expression(dos_expression(pattern), name)


@functools.lru_cache(maxsize=512)
def _compiled(expression: str) -> re.Pattern[str]:
    pieces: list[str] = []
    for letter in expression:
        piece = _FRAGMENTS.get(letter, re.escape(letter))
        if piece != _FRAGMENTS["*"] or pieces[-1:] != [piece]:
            pieces.append(piece)
    return re.compile("".join(pieces), re.DOTALL)
