"""What kind of URL a text is (shlwapi.h). Nothing is asked of a network."""

from __future__ import annotations

import re

from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, DWORD, WCHAR
from ntos.dll.kernelbase.text import export_both, text_of
from ntos.um.export import export
from ntos.um.thread import UserThread

URLIS_URL, URLIS_OPAQUE, URLIS_NOHISTORY, URLIS_FILEURL, URLIS_APPLIABLE, URLIS_DIRECTORY, URLIS_HASQUERY = range(7)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
"""Two characters at least: one letter and a colon are a drive."""
_OPAQUE = frozenset({"mailto", "javascript", "about", "shell", "news", "vbscript", "res", "mk"})


def is_kind(text: str, kind: int) -> bool:
    """Whether the text is a URL of that kind (URLIS)."""
    found = _SCHEME.match(text.strip())
    scheme = found.group(1).lower() if found else ""
    if kind == URLIS_URL:
        return bool(scheme)
    if kind == URLIS_OPAQUE:
        return scheme in _OPAQUE
    if kind == URLIS_FILEURL:
        return scheme == "file"
    if kind == URLIS_DIRECTORY:
        return bool(scheme) and text.endswith("/")
    return kind == URLIS_HASQUERY and bool(scheme) and "?" in text.partition("#")[0]


@export_both(partial="no history and no guesses: URLIS_NOHISTORY and URLIS_APPLIABLE are never true")
def UrlIsW(thread: UserThread, pszUrl: Ptr[WCHAR], UrlIs: DWORD) -> BOOL:
    """Whether a text is a URL, a file's, an opaque one, a directory's, or one with a query."""
    return BOOL(int(is_kind(text_of(pszUrl), UrlIs)))


@export
def UrlIsOpaqueW(thread: UserThread, pszURL: Ptr[WCHAR]) -> BOOL:
    """Whether a URL has no parts to be relative to."""
    return BOOL(int(is_kind(pszURL.text(), URLIS_OPAQUE)))
