r"""PathCch…: text rules on paths with lengths and long names (pathcch.h). The disk is never asked.

Rules: Microsoft Learn, reference of pathcch.h. A root is `\`, `C:`, `C:\`, `\\server\share`, or one of these behind
`\\?\` (`\\?\UNC\server\share`, `\\?\Volume{…}\`). Only `\` separates.
"""

from __future__ import annotations

import re

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Out, Ptr
from ntos.abi.types import BOOL, HRESULT, PVOID, SIZE_T, ULONG, WCHAR
from ntos.dll.kernelbase.services import rtl
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

S_OK, S_FALSE = 0, 1
MAX_PATH, MAX_CCH = 260, 0x8000
ALLOW_LONG_PATHS, FORCE_ENABLE, FORCE_DISABLE, NO_NORMALIZE, ENSURE_EXTENDED, TRAILING_SLASH = 1, 2, 4, 8, 0x10, 0x20
_ROOT = re.compile(
    r"""(?:\\\\\?\\UNC\\ (?:[^\\]*\\?){0,2}
       | \\\\\?\\Volume\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}\\?
       | (?:\\\\\?\\)? [a-z]:\\?
       | \\\\(?!\?)(?:[^\\]*\\?){0,2}
       | \\(?!\\))""",
    re.IGNORECASE | re.VERBOSE,
)
_EXTENDED, _EXTENDED_UNC = "\\\\?\\", "\\\\?\\UNC\\"


def root_end(path: str) -> int:
    """How many characters of a path are its root; 0 for none."""
    match = _ROOT.match(path)
    return match.end() if match else 0


def strip_prefix(path: str) -> str:
    r"""The path without `\\?\`, where a drive or a share follows."""
    if path[:8].upper() == _EXTENDED_UNC:
        return "\\\\" + path[8:]
    return path[4:] if path.startswith(_EXTENDED) and path[5:6] == ":" else path


def canonical(path: str, flags: int = 0) -> str:
    """The path without `.` and `..`, without trailing dots, a bare drive with its separator."""
    path = strip_prefix(path)
    end = root_end(path)
    root, kept = path[:end], list[str]()
    for part in path[end:].split("\\"):
        if part == "..":
            del kept[-1:]
        elif part != ".":
            kept.append(part)
    text = "\\".join(kept)
    if not flags & NO_NORMALIZE:
        bare = text.rstrip(".")
        text = text[: len(bare) + 1] if bare.endswith("*") else bare
    if root.endswith(":"):
        root += "\\"
    whole = root + text or "\\"
    if flags & TRAILING_SLASH and not whole.endswith("\\"):
        whole += "\\"
    return _extended(whole, flags)


def _extended(path: str, flags: int) -> str:
    wanted = flags & ENSURE_EXTENDED or (flags & ALLOW_LONG_PATHS and len(path) >= MAX_PATH)
    if not wanted or not root_end(path) or path.startswith(_EXTENDED):
        return path
    if path.startswith("\\\\"):
        return _EXTENDED_UNC + path[2:]
    return _EXTENDED + path if path[1:2] == ":" else path


def combined(path: str, more: str, flags: int = 0) -> str:
    r"""`more` seen from `path`, made canonical; a rooted `more` stands alone, `\x` takes only the drive."""
    if not path or not more:
        return canonical(path or more, flags)
    if more.startswith("\\") and not more.startswith("\\\\"):
        return canonical(path[: root_end(path)].rstrip("\\") + more, flags)
    if root_end(more):
        return canonical(more, flags)
    return canonical(path + ("" if path.endswith("\\") else "\\") + more, flags)


def extension_at(path: str) -> int:
    """Where the extension's dot is; the length of the path where it has none."""
    dot = path.rfind(".")
    return dot if dot > max(path.rfind("\\"), path.rfind(" ")) else len(path)


def _put(pointer: Ptr[WCHAR], count: int, text: str, flags: int = 0) -> HRESULT:
    if (len(text) >= MAX_PATH and not flags & ALLOW_LONG_PATHS) or len(text) >= MAX_CCH:
        pointer.write_bytes(bytes(2))
        raise WinError(ERROR.FILENAME_EXCED_RANGE)
    return _store(pointer, count, text)


def _store(pointer: Ptr[WCHAR], count: int, text: str) -> HRESULT:
    data = text.encode("utf-16-le", "surrogatepass") + bytes(2)
    if len(data) // 2 > count:
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    pointer.write_bytes(data)
    return HRESULT(S_OK)


def _checked(count: int) -> None:
    if not 0 < count <= MAX_CCH:
        raise WinError(ERROR.INVALID_PARAMETER)


async def _allocated(thread: UserThread, text: str, flags: int, out: Out[PVOID]) -> HRESULT:
    if (len(text) >= MAX_PATH and not flags & ALLOW_LONG_PATHS) or len(text) >= MAX_CCH:
        raise WinError(ERROR.FILENAME_EXCED_RANGE)
    data = text.encode("utf-16-le", "surrogatepass") + bytes(2)
    block = await rtl(thread, "RtlAllocateHeap", int(thread.peb.ProcessHeap), 0, len(data))
    if not block:
        raise WinError(ERROR.OUTOFMEMORY)
    thread.memory.write(block, data)
    out.write(block)
    return HRESULT(S_OK)


@export
def PathCchSkipRoot(thread: UserThread, pszPath: Ptr[WCHAR], ppszRootEnd: Out[PVOID]) -> HRESULT:
    """Where the first component behind a path's root begins."""
    end = root_end(pszPath.text())
    if not end:
        raise WinError(ERROR.INVALID_PARAMETER)
    ppszRootEnd.write(pszPath.address + 2 * end)
    return HRESULT(S_OK)


@export
def PathCchIsRoot(thread: UserThread, pszPath: Ptr[WCHAR] | None) -> BOOL:
    r"""Whether a path is a root and nothing more (`C:` is none, `C:\` is)."""
    path = pszPath.text() if pszPath else ""
    ends = path.endswith("\\") and not path[:-1].endswith("\\") and len(path) > 3
    whole = root_end(path) == len(path) > 0 and not path.endswith(":")
    return BOOL(int(whole and not (ends and path.startswith("\\\\") and path[:4] != _EXTENDED)))


@export
def PathCchCanonicalize(
    thread: UserThread, pszPathOut: Ptr[WCHAR], cchPathOut: SIZE_T, pszPathIn: Ptr[WCHAR]
) -> HRESULT:
    """The path without `.` and `..`."""
    _checked(cchPathOut)
    return _put(pszPathOut, cchPathOut, canonical(pszPathIn.text()))


@export(partial="long names are not turned off or on by flags")
def PathCchCanonicalizeEx(
    thread: UserThread, pszPathOut: Ptr[WCHAR], cchPathOut: SIZE_T, pszPathIn: Ptr[WCHAR], dwFlags: ULONG
) -> HRESULT:
    """The path without `.` and `..`, perhaps longer than MAX_PATH."""
    _checked(cchPathOut)
    return _put(pszPathOut, cchPathOut, canonical(pszPathIn.text(), dwFlags), dwFlags)


@export
def PathCchCombine(
    thread: UserThread,
    pszPathOut: Ptr[WCHAR],
    cchPathOut: SIZE_T,
    pszPathIn: Ptr[WCHAR] | None,
    pszMore: Ptr[WCHAR] | None,
) -> HRESULT:
    """Two paths made one, canonical."""
    return PathCchCombineEx(thread, pszPathOut, cchPathOut, pszPathIn, pszMore, ULONG(0))


@export(partial="long names are not turned off or on by flags")
def PathCchCombineEx(
    thread: UserThread,
    pszPathOut: Ptr[WCHAR],
    cchPathOut: SIZE_T,
    pszPathIn: Ptr[WCHAR] | None,
    pszMore: Ptr[WCHAR] | None,
    dwFlags: ULONG,
) -> HRESULT:
    """Two paths made one, canonical, perhaps longer than MAX_PATH."""
    _checked(cchPathOut)
    if pszPathIn is None and pszMore is None:
        raise WinError(ERROR.INVALID_PARAMETER)
    whole = combined(pszPathIn.text() if pszPathIn else "", pszMore.text() if pszMore else "", dwFlags)
    return _put(pszPathOut, cchPathOut, whole, dwFlags)


@export
def PathCchAppend(thread: UserThread, pszPath: Ptr[WCHAR], cchPath: SIZE_T, pszMore: Ptr[WCHAR] | None) -> HRESULT:
    """Put more behind a path."""
    return PathCchAppendEx(thread, pszPath, cchPath, pszMore, ULONG(0))


@export(partial="long names are not turned off or on by flags")
def PathCchAppendEx(
    thread: UserThread, pszPath: Ptr[WCHAR], cchPath: SIZE_T, pszMore: Ptr[WCHAR] | None, dwFlags: ULONG
) -> HRESULT:
    r"""Put more behind a path; a leading `\` of it counts for nothing unless it names a share."""
    _checked(cchPath)
    more = pszMore.text() if pszMore else ""
    if more.startswith("\\") and not more.startswith("\\\\"):
        more = more[1:]
    return _put(pszPath, cchPath, combined(pszPath.text(), more, dwFlags), dwFlags)


@export(partial="long names are not turned off or on by flags")
async def PathAllocCanonicalize(
    thread: UserThread, pszPathIn: Ptr[WCHAR], dwFlags: ULONG, ppszPathOut: Out[PVOID]
) -> HRESULT:
    """The path without `.` and `..` in a block for LocalFree."""
    ppszPathOut.write(0)
    return await _allocated(thread, canonical(pszPathIn.text(), dwFlags), dwFlags, ppszPathOut)


@export(partial="long names are not turned off or on by flags")
async def PathAllocCombine(
    thread: UserThread,
    pszPathIn: Ptr[WCHAR] | None,
    pszMore: Ptr[WCHAR] | None,
    dwFlags: ULONG,
    ppszPathOut: Out[PVOID],
) -> HRESULT:
    """Two paths made one in a block for LocalFree."""
    ppszPathOut.write(0)
    if pszPathIn is None and pszMore is None:
        raise WinError(ERROR.INVALID_PARAMETER)
    whole = combined(pszPathIn.text() if pszPathIn else "", pszMore.text() if pszMore else "", dwFlags)
    return await _allocated(thread, whole, dwFlags, ppszPathOut)


@export
def PathCchAddBackslash(thread: UserThread, pszPath: Ptr[WCHAR], cchPath: SIZE_T) -> HRESULT:
    """Give a path a separator at its end; S_FALSE where it has one."""
    path = pszPath.text()
    if path.endswith("\\"):
        return HRESULT(S_FALSE)
    return _store(pszPath, cchPath, path + "\\")


@export
def PathCchRemoveBackslash(thread: UserThread, pszPath: Ptr[WCHAR], cchPath: SIZE_T) -> HRESULT:
    """Take the separator at a path's end away, a root's excepted; S_FALSE where there is none."""
    _checked(cchPath)
    path = pszPath.text()
    if not path.endswith("\\") or root_end(path) == len(path):
        return HRESULT(S_FALSE)
    return _store(pszPath, cchPath, path[:-1])


@export
def PathCchRemoveFileSpec(thread: UserThread, pszPath: Ptr[WCHAR], cchPath: SIZE_T) -> HRESULT:
    """Take the last component away, never the root; S_FALSE where nothing went."""
    _checked(cchPath)
    path = pszPath.text()
    end = root_end(path)
    kept = path[: max(path.rfind("\\"), end)] if "\\" in path[end:] else path[:end]
    if kept == path:
        return HRESULT(S_FALSE)
    return _store(pszPath, cchPath, kept)


@export
def PathCchStripToRoot(thread: UserThread, pszPath: Ptr[WCHAR], cchPath: SIZE_T) -> HRESULT:
    """Keep only the root; S_FALSE where that is all there was."""
    _checked(cchPath)
    path = pszPath.text()
    end = root_end(path)
    if not end:
        pszPath.write_bytes(bytes(2))
        raise WinError(ERROR.INVALID_PARAMETER)
    return _store(pszPath, cchPath, path[:end]) if end < len(path) else HRESULT(S_FALSE)


@export
def PathCchStripPrefix(thread: UserThread, pszPath: Ptr[WCHAR], cchPath: SIZE_T) -> HRESULT:
    r"""Take `\\?\` away; S_FALSE where it is not there or must stay."""
    _checked(cchPath)
    path = pszPath.text()
    bare = strip_prefix(path)
    return HRESULT(S_FALSE) if bare == path else _store(pszPath, cchPath, bare)


@export
def PathCchFindExtension(thread: UserThread, pszPath: Ptr[WCHAR], cchPath: SIZE_T, ppszExt: Out[PVOID]) -> HRESULT:
    """Where a path's extension begins, with its dot; its end where it has none."""
    _checked(cchPath)
    ppszExt.write(pszPath.address + 2 * extension_at(pszPath.text()))
    return HRESULT(S_OK)


@export
def PathCchAddExtension(thread: UserThread, pszPath: Ptr[WCHAR], cchPath: SIZE_T, pszExt: Ptr[WCHAR]) -> HRESULT:
    """Give a path an extension; S_FALSE where it has one."""
    _checked(cchPath)
    path = pszPath.text()
    if extension_at(path) < len(path):
        return HRESULT(S_FALSE)
    return _store(pszPath, cchPath, path + _extension(pszExt.text()))


@export
def PathCchRenameExtension(thread: UserThread, pszPath: Ptr[WCHAR], cchPath: SIZE_T, pszExt: Ptr[WCHAR]) -> HRESULT:
    """Give a path another extension."""
    _checked(cchPath)
    path = pszPath.text()
    return _store(pszPath, cchPath, path[: extension_at(path)] + _extension(pszExt.text()))


@export
def PathCchRemoveExtension(thread: UserThread, pszPath: Ptr[WCHAR], cchPath: SIZE_T) -> HRESULT:
    """Take a path's extension away; S_FALSE where it has none."""
    _checked(cchPath)
    path = pszPath.text()
    end = extension_at(path)
    return _store(pszPath, cchPath, path[:end]) if end < len(path) else HRESULT(S_FALSE)


def _extension(text: str) -> str:
    bare = text.removeprefix(".")
    if any(mark in bare for mark in ".\\ "):
        raise WinError(ERROR.INVALID_PARAMETER)
    return "." + bare if bare else ""
