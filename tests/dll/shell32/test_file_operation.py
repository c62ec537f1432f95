"""SHFileOperation on whole trees, and what GetBinaryType and SetVolumeLabel say of files and volumes."""

from __future__ import annotations

from pathlib import Path

from tests.dll import compile as compiler

pytestmark = compiler.needs_compiler
SOURCE = r"""
#include <windows.h>
#include <shellapi.h>
#include <stdio.h>

static int operate(UINT action, const WCHAR *from, const WCHAR *to, FILEOP_FLAGS flags)
{
    SHFILEOPSTRUCTW operation = {NULL, action, from, to, flags | FOF_NOCONFIRMATION | FOF_SILENT | FOF_NOERRORUI};
    return SHFileOperationW(&operation);
}

static int binary(const WCHAR *path)
{
    DWORD kind = 99;
    return GetBinaryTypeW(path, &kind) ? (int)kind : -(int)GetLastError();
}

int main(void)
{
    printf("copy %d\n", operate(FO_COPY, L"D:\\tree\0", L"D:\\second\0", 0));
    printf("wild %d\n", operate(FO_COPY, L"D:\\tree\\*.txt\0", L"D:\\flat\0", FOF_FILESONLY | FOF_NOCONFIRMMKDIR));
    printf("into %d\n", operate(FO_MOVE, L"D:\\flat\\a.txt\0D:\\flat\\b.txt\0", L"D:\\second\\sub\0", 0));
    printf("rename %d\n", operate(FO_RENAME, L"D:\\flat\0", L"D:\\empty\0", 0));
    printf("delete %d\n", operate(FO_DELETE, L"D:\\tree\0", NULL, 0));
    printf("missing %d\n", operate(FO_DELETE, L"D:\\nothing\0", NULL, 0));
    printf("undo %d\n", operate(FO_DELETE, L"D:\\empty\0", NULL, FOF_ALLOWUNDO));
    printf("kinds %d %d %d", binary(L"D:\\program.exe"), binary(L"D:\\dos.exe"), binary(L"D:\\tiny.com"));
    printf(" %d %d", binary(L"D:\\second\\a.txt"), binary(L"C:\\Windows\\System32\\kernel32.dll"));
    printf(" %d\n", binary(L"D:\\nothing.exe"));
    WCHAR label[40];
    printf("label %d", SetVolumeLabelW(L"D:\\", L"New label"));
    GetVolumeInformationW(L"D:\\", label, 40, NULL, NULL, NULL, NULL, 0);
    printf(" %ls\n", label);
    return 0;
}
"""
SAID = """\
copy 0
wild 0
into 0
rename 0
delete 0
missing 2
undo 50
kinds 6 1 1 -193 -193 -2
label 1 New label
"""


def test_trees(tmp_path: Path) -> None:
    """Trees are copied and deleted, several files go into one folder, and what cannot be done is told."""
    for name in ("tree/a.txt", "tree/b.txt", "tree/sub/c.txt", "tiny.com"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "dos.exe").write_bytes(b"MZ".ljust(0x200, b"\0"))
    ran = compiler.run(compiler.build_c(tmp_path, SOURCE, "-lshell32"))
    assert ran.stdout == SAID
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.txt")}
    assert files == {"second/a.txt", "second/b.txt", "second/sub/c.txt", "second/sub/a.txt", "second/sub/b.txt"}
    assert (tmp_path / "empty").is_dir()
