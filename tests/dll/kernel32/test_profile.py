"""Initialization files: what a program writes, what it reads back, what the file looks like."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dll import compile as compiler

SOURCE = r"""
#include <windows.h>
#include <stdio.h>

static void list(const char *name, const char *text, DWORD length)
{
    printf("%s %lu", name, length);
    for (; *text; text += strlen(text) + 1) printf(" [%s]", text);
    printf("\n");
}

int main(void)
{
    const char *file = "D:\\test.ini";
    char text[64], small[8];
    struct { int a, b; } pair = {1, 2}, back = {0};
    WritePrivateProfileStringA("One", "key", "value", file);
    WritePrivateProfileStringA("Two", "quoted", "\" a b \"", file);
    WritePrivateProfileStringA("ONE", "KEY", "changed", file);
    WritePrivateProfileStringA("One", "number", "-12 apples", file);
    WritePrivateProfileStructW(L"Two", L"bytes", &pair, sizeof pair, L"D:\\test.ini");
    GetPrivateProfileStringA("one", "Key", "none", text, sizeof text, file);
    printf("value %s\n", text);
    GetPrivateProfileStringA("two", "quoted", "none", text, sizeof text, file);
    printf("quoted <%s>\n", text);
    DWORD length = GetPrivateProfileStringA("two", "missing", "long default  ", small, sizeof small, file);
    printf("cut %lu <%s>\n", length, small);
    printf("numbers %d", (int)GetPrivateProfileIntA("One", "number", 5, file));
    printf(" %u\n", GetPrivateProfileIntA("x", "y", 5, file));
    list("keys", text, GetPrivateProfileStringA("One", NULL, "", text, sizeof text, file));
    list("sections", text, GetPrivateProfileSectionNamesA(text, sizeof text, file));
    list("entries", text, GetPrivateProfileSectionA("One", text, sizeof text, file));
    list("short", small, GetPrivateProfileSectionA("One", small, sizeof small, file));
    printf("struct %d %d\n", GetPrivateProfileStructA("Two", "bytes", &back, sizeof back, file), back.b);
    WritePrivateProfileSectionA("Three", "a=1\0b=2\0", file);
    WritePrivateProfileStringA("One", "number", NULL, file);
    WritePrivateProfileStringA("Two", NULL, NULL, file);
    return 0;
}
"""
SAID = """\
value changed
quoted < a b >
cut 7 <long de>
numbers -12 5
keys 11 [key] [number]
sections 8 [One] [Two]
entries 30 [key=changed] [number=-12 apples]
short 6 [key=ch]
struct 1 2
"""


@compiler.needs_compiler
def test_a_file_is_written_and_read(tmp_path: Path) -> None:
    """Names mind no case, quotation marks protect spaces, lists end in two NULs, and a NULL takes away."""
    ran = compiler.run(compiler.build_c(tmp_path, SOURCE))
    assert (ran.exit_code, ran.stdout) == (0, SAID)
    assert (tmp_path / "test.ini").read_bytes() == b"[One]\r\nkey=changed\r\n[Three]\r\na=1\r\nb=2\r\n"


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_a_file_keeps_its_encoding(tmp_path: Path, encoding: str) -> None:
    """A file with a byte-order mark is read and written as UTF-16, any other in the ANSI code page."""
    from ntos.dll.kernel32.profile_file import TextFile

    file = TextFile("; ä\r\n[s]\r\nk=ö\r\n".encode(encoding))
    assert file.value("S", "K") == "ö"
    file.set("s", "k", "ü")
    assert file.data.decode(encoding) == "; ä\r\n[s]\r\nk=ü\r\n"
