"""The insert engine of FormatMessage: `%1`, `%2!05d!`, `%n`, `%0`, and lines of a given width."""

from __future__ import annotations

import re
from typing import Protocol

from ntos.abi.status import STATUS, NtError
from ntos.rtl.format.printf import FormatError, format_printf
from ntos.rtl.format.specification import UCRT, Rules

FORMAT_MESSAGE_IGNORE_INSERTS = 0x200
FORMAT_MESSAGE_MAX_WIDTH_MASK = 0xFF

_INSERT = re.compile(r"(\d{1,2})(?:!([^!]*)!)?")
_ESCAPES = {"n": "\r\n", "r": "\r", "t": "\t", "b": " ", " ": " ", ".": ".", "!": "!", "%": "%"}


class Inserts(Protocol):
    """The arguments by number: a va_list, an array of words, or a list in a test."""

    def value(self, index: int) -> int:
        """The argument's 64 bits; the first has index 0."""
        ...

    def read_string(self, address: int, limit: int) -> bytes:
        """The bytes at an address, up to a NUL or the limit."""
        ...

    def read_wide(self, address: int, limit: int) -> str:
        """The text at an address, up to a NUL or the limit."""
        ...


def format_message(
    template: str,
    inserts: Inserts | None = None,
    *,
    ignore_inserts: bool = False,
    width: int = 0,
    ansi: bool = False,
    rules: Rules = UCRT,
) -> str:
    """The message with its inserts in place (RtlFormatMessage).

    `width` is the low byte of the flags: 0 keeps the message's own line breaks, 255 joins all lines, and
    what is between breaks lines there. For the ANSI function `%1` is a narrow string.
    """
    return _Formatter(
        template, inserts, ignore_inserts=ignore_inserts, width=width, ansi=ansi, rules=rules
    ).run()


class _Formatter:
    def __init__(
        self,
        template: str,
        inserts: Inserts | None,
        *,
        ignore_inserts: bool,
        width: int,
        ansi: bool,
        rules: Rules,
    ) -> None:
        self.template = template
        self.inserts = inserts
        self.ignore_inserts = ignore_inserts
        self.width = width
        self.ansi = ansi
        self.rules = rules
        self.lines = [""]

    def run(self) -> str:
        position = 0
        while position < len(self.template):
            unit = self.template[position]
            position += 1
            if unit == "%":
                following = self.escape(position)
                if following is None:
                    break
                position = following
            elif unit in {"\r", "\n"}:
                if self.template[position - 1 : position + 1] == "\r\n":
                    position += 1
                self.soft_break()
            else:
                self.write(unit)
        return "\r\n".join(self.lines)

    def escape(self, position: int) -> int | None:
        """Take what follows a `%`; the index behind it, or None where the message ends."""
        unit = self.template[position : position + 1]
        if unit == "0":
            return None
        match = _INSERT.match(self.template, position)
        if match is not None:
            if self.ignore_inserts:
                self.write(f"%{match.group()}")
            else:
                self.write(self.insert(int(match.group(1)), match.group(2)))
            return match.end()
        if not unit:
            raise NtError(STATUS.INVALID_PARAMETER)
        if unit == "n":
            self.lines.append("")
        elif unit == "%" and self.ignore_inserts:
            self.write("%%")  # what a later call with inserts will read as one
        else:
            self.write(_ESCAPES.get(unit, unit))
        return position + 1

    def soft_break(self) -> None:
        """A line break of the message's own: a blank where the caller asked for a width."""
        if self.width == 0:
            self.lines.append("")
        elif not self.lines[-1].endswith(" "):
            self.write(" ")

    def write(self, text: str) -> None:
        """Add to the last line, and break it at its last blank when it grows too long."""
        self.lines[-1] += text
        if not 0 < self.width < FORMAT_MESSAGE_MAX_WIDTH_MASK:
            return
        while len(self.lines[-1]) > self.width:
            line = self.lines[-1]
            blank = line.rfind(" ", 0, self.width + 1)
            if blank <= 0:
                break
            self.lines[-1:] = [line[:blank].rstrip(" "), line[blank + 1 :]]

    def insert(self, number: int, form: str | None) -> str:
        if self.inserts is None:
            raise NtError(STATUS.INVALID_PARAMETER)
        form = form or "s"
        reader = _InsertReader(self.inserts, number - 1)
        try:
            if self.ansi:
                return self.rules.decode(
                    format_printf(self.rules.encode(f"%{form}") or b"", reader, self.rules)
                )
            return format_printf(f"%{form}", reader, self.rules)
        except FormatError:
            raise NtError(STATUS.INVALID_PARAMETER) from None


class _InsertReader:
    """Inserts as printf reads arguments: `%1!*.*s!` takes width and precision from inserts too."""

    def __init__(self, inserts: Inserts, index: int) -> None:
        self._inserts = inserts
        self._index = index

    def next_pointer(self) -> int:
        self._index += 1
        return self._inserts.value(self._index - 1)

    def next_integer(self, size: int) -> int:
        return self.next_pointer() & ((1 << 8 * size) - 1)

    def next_double(self) -> float:
        raise NtError(STATUS.INVALID_PARAMETER)  # FormatMessage takes no floating point

    def read_string(self, address: int, limit: int) -> bytes:
        return self._inserts.read_string(address, limit)

    def read_wide(self, address: int, limit: int) -> str:
        return self._inserts.read_wide(address, limit)

    def read_counted(self, address: int) -> bytes:
        raise NtError(STATUS.INVALID_PARAMETER)

    def write_integer(self, address: int, size: int, value: int) -> None:
        raise NtError(STATUS.INVALID_PARAMETER)
