"""user32 without windows, version.dll over real resources, shell32's folders."""

from __future__ import annotations

from pathlib import Path

from tests.dll.compile import build_c, needs_compiler, run

SOURCE = r"""
#include <stdio.h>
#include <windows.h>
#include <shlobj.h>
int main(void) {
    char text[1100];
    wchar_t wide[64];
    printf("%d %s\n", wsprintfA(text, "%d-%s-%04x-%I64d", -5, "abc", 255, 5LL), text);
    printf("%d %ls\n", wsprintfW(wide, L"<%s|%5d>", L"w", 42), wide);
    printf("box %d %d %d\n", MessageBoxA(0, "Really?", "Title", MB_YESNO), MessageBoxW(0, L"t", 0, MB_OK),
           MessageBoxA(0, "x", "y", MB_ABORTRETRYIGNORE | MB_DEFBUTTON3));
    char upper[] = "mixed Case\xe4";
    CharUpperA(upper);
    printf("%s %d\n", upper, upper[10] == '\xc4');
    printf("step %d\n", (int)(CharPrevExA(1252, text, text + 3, 0) - text));
    DWORD ignored, size = GetFileVersionInfoSizeA("kernel32.dll", &ignored);
    char *block = malloc(size);
    printf("version %d", size > 100 && GetFileVersionInfoA("kernel32.dll", 0, size, block));
    VS_FIXEDFILEINFO *fixed;
    unsigned length;
    WORD *language;
    char *value, path[80];
    printf(" %d", VerQueryValueA(block, "\\", (void **)&fixed, &length));
    printf(" %lx %d.%d", fixed->dwSignature, HIWORD(fixed->dwFileVersionMS), LOWORD(fixed->dwFileVersionMS));
    VerQueryValueA(block, "\\VarFileInfo\\Translation", (void **)&language, &length);
    sprintf(path, "\\StringFileInfo\\%04x%04x\\OriginalFilename", language[0], language[1]);
    printf(" %d %s\n", VerQueryValueA(block, path, (void **)&value, &length), value);
    printf("missing %d\n", (int)GetFileVersionInfoSizeA("none.dll", &ignored));
    char folder[MAX_PATH];
    printf("folder %lx %s\n", SHGetFolderPathA(0, CSIDL_WINDOWS, 0, 0, folder), folder);
    return 0;
}
"""
EXPECTED = """\
13 -5-abc-00ff-5
9 <w|   42>
box 6 1 5
MIXED CASE\xc4 1
step 2
version 1 1 feef04bd 10.0 1 kernel32.dll
missing 0
folder 0 C:\\Windows
"""


@needs_compiler
def test_text_boxes_versions_and_folders(tmp_path: Path) -> None:
    """Wsprintf and message boxes answer without a display; version and folder queries find what is there."""
    program = build_c(tmp_path, "#include <stdlib.h>\n" + SOURCE, "-luser32", "-lversion", "-lshell32")
    result = run(program)
    assert (result.stdout, result.exit_code) == (EXPECTED, 0)
