"""Command lines: a string in NT, a list in C. Two parsers that agree on nearly everything."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NEEDS_QUOTES = re.compile(r"\s|^$")


def split_command_line(text: str) -> list[str]:
    """The arguments as CommandLineToArgvW gives them; the program's own path stands alone when text is empty.

    The caller passes the module's path in place of an empty command line, as the API does.
    """
    return _split(text, _AFTER_PAIR_SHELL) if text else [""]


def split_crt(text: str) -> list[str]:
    """The arguments as the C runtime's start code gives them to main (ucrtbase `parse_command_line`)."""
    return _split(text, _AFTER_PAIR_CRT)


def join(arguments: Iterable[str]) -> str:
    """A command line that both parsers take apart into these arguments again."""
    return " ".join(quote(argument) for argument in arguments)


def quote(argument: str) -> str:
    """One argument in the form a command line needs: quoted only if it must be."""
    escaped = re.sub(r'(\\*)"', r'\1\1\\"', argument)
    if not _NEEDS_QUOTES.search(argument):
        return escaped
    return '"' + re.sub(r"(\\+)$", r"\1\1", escaped) + '"'


# What `""` inside quotes does once it has given a quotation mark: shell32 leaves the quotes, the UCRT stays.
_AFTER_PAIR_SHELL = False
_AFTER_PAIR_CRT = True


def _split(text: str, quoted_after_pair: bool) -> list[str]:  # noqa: FBT001
    program, position = _program(text, crt=quoted_after_pair)
    arguments = [program]
    while True:
        while position < len(text) and text[position] in " \t":
            position += 1
        if position == len(text):
            return arguments
        argument, position = _argument(text, position, quoted_after_pair)
        arguments.append(argument)


def _program(text: str, *, crt: bool) -> tuple[str, int]:
    """The first argument knows quotes but no backslash escapes, since a path holds backslashes."""
    if not crt:
        if text.startswith('"'):
            end = text.find('"', 1)
            return (text[1:], len(text)) if end < 0 else (text[1:end], end + 1)
        end = next((index for index, letter in enumerate(text) if letter <= " "), len(text))
        return text[:end], min(end + 1, len(text))
    quoted = False
    name: list[str] = []
    for index, letter in enumerate(text):
        if letter == '"':
            quoted = not quoted
        elif letter in " \t" and not quoted:
            return "".join(name), index
        else:
            name.append(letter)
    return "".join(name), len(text)


def _argument(text: str, position: int, quoted_after_pair: bool) -> tuple[str, int]:  # noqa: FBT001
    quoted = False
    result: list[str] = []
    while position < len(text):
        letter = text[position]
        if letter in " \t" and not quoted:
            break
        slashes = len(text[position:]) - len(text[position:].lstrip("\\")) if letter == "\\" else 0
        position += slashes
        if text[position : position + 1] != '"':
            result.append("\\" * slashes if slashes else letter)
            position += 0 if slashes else 1
            continue
        result.append("\\" * (slashes // 2))
        position += 1
        if slashes % 2:
            result.append('"')
        elif quoted and text[position : position + 1] == '"':
            result.append('"')
            position += 1
            quoted = quoted_after_pair
        else:
            quoted = not quoted
    return "".join(result), position
