"""Command templates of file classes, filled in."""

from __future__ import annotations

import pytest

from ntos.dll.shell32.association import Target, fill

TARGET = Target("C:\\a b.txt", "one two", "C:\\work", 1)


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ('"%1" %*', '"C:\\a b.txt" one two'),
        ("edit.exe %L", "edit.exe C:\\a b.txt"),
        ("edit.exe", 'edit.exe "C:\\a b.txt"'),
        ('run "%1" %2-%3-%4', 'run "C:\\a b.txt" one-two-'),
        ('at %W "%1" %S', 'at C:\\work "C:\\a b.txt" 1'),
        ('100%% "%1"', '100% "C:\\a b.txt"'),
        ('"%1" %', '"C:\\a b.txt" %'),
    ],
)
def test_templates(template: str, line: str) -> None:
    """%1 and its like stand for the file, %* for all parameters; without any, the file follows in quotes."""
    assert fill(template, TARGET) == line
