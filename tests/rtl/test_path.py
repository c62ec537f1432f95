from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntos.abi.status import NtError
from ntos.rtl import path
from ntos.rtl.path import PathType


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("\\\\server\\share", PathType.UNC_ABSOLUTE),
        ("//server/share", PathType.UNC_ABSOLUTE),
        ("C:\\x", PathType.DRIVE_ABSOLUTE),
        ("C:x", PathType.DRIVE_RELATIVE),
        ("\\x", PathType.ROOTED),
        ("x\\y", PathType.RELATIVE),
        ("", PathType.RELATIVE),
        ("\\\\.\\pipe\\x", PathType.LOCAL_DEVICE),
        ("\\\\?\\C:\\x", PathType.LOCAL_DEVICE),
        ("\\\\.", PathType.ROOT_LOCAL_DEVICE),
        ("\\\\.x", PathType.UNC_ABSOLUTE),
    ],
)
def test_path_type(text: str, kind: PathType) -> None:
    """RtlDetermineDosPathNameType_U looks at the first four characters only."""
    assert path.path_type(text) is kind


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("foo", "C:\\Users\\me\\foo"),
        ("foo.", "C:\\Users\\me\\foo"),
        ("foo. . ", "C:\\Users\\me\\foo"),
        ("foo\\", "C:\\Users\\me\\foo\\"),
        ("foo/bar//baz", "C:\\Users\\me\\foo\\bar\\baz"),
        (".", "C:\\Users\\me"),
        ("..", "C:\\Users"),
        ("..\\..\\..\\..", "C:\\"),
        ("..\\..", "C:\\"),
        ("\\x", "C:\\x"),
        ("C:x", "C:\\Users\\me\\x"),
        ("c:", "C:\\Users\\me"),
        ("D:x", "D:\\work\\x"),
        ("E:x", "E:\\x"),
        ("c:\\a\\..\\b. .\\c.. ", "c:\\b. \\c"),
        ("C:\\a\\...\\b", "C:\\a\\...\\b"),
        ("C:\\a.\\b", "C:\\a\\b"),
        ("C:\\a\\.", "C:\\a"),
        ("C:\\a\\.\\", "C:\\a\\"),
        ("C:\\a\\b\\..", "C:\\a"),
        ("C:\\a\\b\\..\\", "C:\\a\\"),
        ("C:\\..\\x", "C:\\x"),
        ("\\\\srv\\share\\..\\..\\x", "\\\\srv\\share\\x"),
        ("\\\\srv\\share", "\\\\srv\\share"),
        ("\\\\?\\C:\\a\\..\\b", "\\\\?\\C:\\b"),
        ("\\\\.\\pipe\\x", "\\\\.\\pipe\\x"),
        ("//./pipe/x", "\\\\.\\pipe\\x"),
        ("nul", "\\\\.\\nul"),
        ("C:\\x\\nul.txt", "\\\\.\\nul"),
        ("COM1:", "\\\\.\\COM1"),
        ("com0", "C:\\Users\\me\\com0"),
        ("NULL", "C:\\Users\\me\\NULL"),
    ],
)
def test_full_path(text: str, full: str) -> None:
    """A full path has no relative part, no empty segment and no trailing dot or space."""
    assert path.full_path(text, "C:\\Users\\me", {"D": "D:\\work"}.get).full == full


def test_file_part() -> None:
    """The file part is the last component, and there is none after a separator or in a root."""
    assert path.full_path("a\\b.txt", "C:\\").file_part == 5
    assert path.full_path("a\\", "C:\\").file_part is None
    assert path.full_path("C:\\", "C:\\").file_part is None


def test_empty_path_is_refused() -> None:
    """An empty path is STATUS_OBJECT_NAME_INVALID."""
    with pytest.raises(NtError):
        path.full_path("", "C:\\")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("C:\\x", "\\??\\C:\\x"),
        ("x/y", "\\??\\C:\\x\\y"),
        ("\\\\srv\\share\\f", "\\??\\UNC\\srv\\share\\f"),
        ("\\\\?\\C:\\x. ", "\\??\\C:\\x. "),
        ("\\\\?\\UNC\\s\\t", "\\??\\UNC\\s\\t"),
        ("\\\\.\\pipe\\x", "\\??\\pipe\\x"),
        ("CONIN$", "\\??\\CONIN$"),
    ],
)
def test_dos_to_nt(text: str, name: str) -> None:
    r"""A DOS path becomes a name below \??, and one after \\?\ is taken as it stands."""
    assert path.dos_to_nt(text) == name


def test_nt_to_dos() -> None:
    """Names below the DOS device directory have a DOS form."""
    assert path.nt_to_dos("\\??\\C:\\x") == "C:\\x"
    assert path.nt_to_dos("\\??\\UNC\\s\\t") == "\\\\s\\t"
    assert path.nt_to_dos("\\Device\\Null") == "\\Device\\Null"


def test_split() -> None:
    """A root keeps its separator, any other directory does not."""
    assert path.split("C:\\a\\b") == ("C:\\a", "b")
    assert path.split("C:\\b") == ("C:\\", "b")
    assert path.split("C:b") == ("C:", "b")
    assert path.split("b") == ("", "b")


@given(st.text(alphabet="ab.\\ /", max_size=12))
def test_full_path_is_idempotent(text: str) -> None:
    """A full path is its own full path."""
    try:
        full = path.full_path(text, "C:\\dir").full
    except NtError:
        return
    assert path.full_path(full, "D:\\").full == full
