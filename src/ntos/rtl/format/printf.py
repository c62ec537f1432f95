"""The engine: a template, one argument after another, and the text they make."""

from __future__ import annotations

from typing import Protocol, overload

from ntos.rtl.format.floating import format_double
from ntos.rtl.format.specification import UCRT, Flavour, Rules, Specification, parse
from ntos.rtl.text import from_utf16, to_utf16

EINVAL = 22
EILSEQ = 42
WSPRINTF_LIMIT = 1024
"""The longest text wsprintf writes, its NUL included."""


class ArgumentReader(Protocol):
    """Where arguments come from: a va_list, the register area of a variadic call, or a list in a test."""

    def next_integer(self, size: int) -> int:
        """The next integer argument, unsigned, of this many bytes."""
        ...

    def next_double(self) -> float:
        """The next argument as a double."""
        ...

    def next_pointer(self) -> int:
        """The next argument as an address."""
        ...

    def read_string(self, address: int, limit: int) -> bytes:
        """The bytes up to a NUL, or so many of them (all when the limit is negative)."""
        ...

    def read_wide(self, address: int, limit: int) -> str:
        """The text up to a NUL, or so many units of it (all when the limit is negative)."""
        ...

    def read_counted(self, address: int) -> bytes:
        """The raw bytes of a STRING or UNICODE_STRING structure."""
        ...

    def write_integer(self, address: int, size: int, value: int) -> None:
        """Store what %n counts."""
        ...


class FormatError(Exception):
    """A call that returns -1: its errno, and the units written before (bytes as Latin-1)."""

    def __init__(self, errno: int, written: str) -> None:
        super().__init__(errno)
        self.errno = errno
        self.written = written


@overload
def format_printf(template: bytes, arguments: ArgumentReader, rules: Rules = UCRT) -> bytes: ...
@overload
def format_printf(template: str, arguments: ArgumentReader, rules: Rules = UCRT) -> str: ...
def format_printf(template: bytes | str, arguments: ArgumentReader, rules: Rules = UCRT) -> bytes | str:
    """The formatted text: bytes for a narrow template, str for a wide one; FormatError where it is -1."""
    if isinstance(template, bytes):
        return _Printer(arguments, rules, wide=False).run(template.decode("latin-1")).encode("latin-1")
    return join_units(_Printer(arguments, rules, wide=True).run(split_units(template)))


def split_units(text: str) -> str:
    """The text with one character per UTF-16 unit."""
    return text if text.isascii() else "".join(map(chr, memoryview(to_utf16(text)).cast("H")))


def join_units(text: str) -> str:
    """The text with surrogate pairs joined again."""
    return text if text.isascii() else from_utf16(to_utf16(text))


class _Printer:
    """One call: output and input are strings of units (bytes or UTF-16)."""

    def __init__(self, arguments: ArgumentReader, rules: Rules, *, wide: bool) -> None:
        self.arguments = arguments
        self.rules = rules
        self.wide = wide
        self.pieces: list[str] = []
        self.length = 0

    def run(self, template: str) -> str:
        position = 0
        while (percent := template.find("%", position)) >= 0:
            self.write(template[position:percent])
            specification, position = parse(template, percent + 1, self.arguments.next_integer)
            self.convert(specification)
        self.write(template[position:])
        text = "".join(self.pieces)
        return text[: WSPRINTF_LIMIT - 1] if self.rules.flavour is Flavour.WSPRINTF else text

    def write(self, text: str) -> None:
        self.pieces.append(text)
        self.length += len(text)

    def fail(self, errno: int) -> FormatError:
        return FormatError(errno, "".join(self.pieces))

    def convert(self, specification: Specification) -> None:
        letter = specification.letter
        # `%I` before a letter that takes no size is read as a prefix; a lone letter prints itself.
        if letter in {"d", "i", "u", "x", "X", "o", "p"}:
            self.integer(specification)
        elif letter in {"s", "S", "Z"}:
            self.string(specification)
        elif letter in {"c", "C"}:
            self.character(specification)
        elif letter and letter in "eEfFgGaA" and self.rules.flavour is not Flavour.WSPRINTF:
            self.double(specification)
        elif letter == "n" and self.rules.flavour is not Flavour.WSPRINTF:
            self.count(specification)
        else:
            self.write(letter)

    def emit(self, specification: Specification, prefix: str, body: str, *, zeros: bool) -> None:
        """Pad to the width; zeros go between the prefix and the body."""
        missing = specification.width - len(prefix) - len(body)
        if specification.left:
            self.write((prefix + body).ljust(specification.width))
        elif zeros:
            self.write(prefix + "0" * missing + body)
        else:
            self.write(" " * missing + prefix + body)

    def double(self, specification: Specification) -> None:
        value = self.arguments.next_double()
        prefix, body = format_double(value, specification, self.rules)
        special = not self.rules.legacy and value - value != 0  # infinities and NaNs are padded with blanks
        self.emit(specification, prefix, body, zeros=specification.zero and not special)

    def integer(self, specification: Specification) -> None:
        letter, precision = specification.letter, specification.precision
        if letter == "p":
            value, precision, letter = self.arguments.next_pointer(), 16, "X"
        else:
            value = self.argument(specification)
        prefix = ""
        if letter in "di":
            value, prefix = self.signed(value, specification)
            digits = str(value)
        else:
            digits = {"u": "d", "o": "o", "x": "x", "X": "X"}[letter]
            digits = format(value, digits)
            if specification.alternate and letter in "xX" and value:
                prefix = "0" + letter
        if value == 0 and precision == 0:
            digits = ""
        digits = digits.rjust(max(precision, 0), "0")
        if letter == "o" and specification.alternate and not digits.startswith("0"):
            digits = "0" + digits
        self.emit(specification, prefix, digits, zeros=specification.zero and precision < 0)

    def argument(self, specification: Specification) -> int:
        size = specification.integer_size
        if self.rules.flavour is not Flavour.UCRT and specification.size == "hh":
            size = 2  # the old runtimes know only one h
        return self.arguments.next_integer(max(size, 4)) & ((1 << 8 * size) - 1)

    def signed(self, value: int, specification: Specification) -> tuple[int, str]:
        size = specification.integer_size
        if self.rules.flavour is not Flavour.UCRT and specification.size == "hh":
            size = 2
        if value >> (8 * size - 1):
            return (1 << 8 * size) - value, "-"
        if self.rules.flavour is Flavour.WSPRINTF:
            return value, ""
        return value, "+" if "+" in specification.flags else " " if " " in specification.flags else ""

    def string(self, specification: Specification) -> None:
        address = self.arguments.next_pointer()
        limit = specification.precision
        wide = specification.is_wide(self.rules, wide_output=self.wide)
        if address == 0:
            text = "(null)"
        elif specification.letter == "Z":
            raw = self.arguments.read_counted(address)
            text = (
                self.from_wide(split_units(from_utf16(raw)), limit) if wide else self.from_narrow(raw, limit)
            )
        elif wide:
            # A narrow output counts bytes, and a unit makes at least one.
            text = self.from_wide(split_units(self.arguments.read_wide(address, limit)), limit)
        else:
            text = self.from_narrow(self.arguments.read_string(address, self.byte_limit(limit)), limit)
        text = text if limit < 0 else text[:limit]
        self.emit(specification, "", text, zeros=specification.zero)

    def byte_limit(self, limit: int) -> int:
        """A wide character may take two bytes of a code page; all four of UTF-8."""
        return limit * 4 if self.wide and limit > 0 else limit

    def from_narrow(self, data: bytes, limit: int) -> str:
        """Bytes as output units."""
        if not self.wide:
            return data.decode("latin-1")
        return split_units(self.rules.decode(data)) if limit else ""

    def from_wide(self, units: str, limit: int) -> str:
        """UTF-16 units as output units; what the code page cannot hold fails the call."""
        if self.wide:
            return units
        result: list[str] = []
        room = limit if limit >= 0 else -1
        for character in join_units(units):
            data = self.rules.encode(character)
            if data is None:
                raise self.fail(EILSEQ)
            if 0 <= room < len(data):
                break
            room -= len(data) if room >= 0 else 0
            result.append(data.decode("latin-1"))
        return "".join(result)

    def character(self, specification: Specification) -> None:
        value = self.arguments.next_integer(4)
        if specification.is_wide(self.rules, wide_output=self.wide):
            unit = chr(value & 0xFFFF)
            if self.wide:
                text = unit
            else:
                data = self.rules.encode(unit)
                if data is None:
                    raise self.fail(EILSEQ)
                text = data.decode("latin-1")
        else:
            byte = bytes([value & 0xFF])
            text = self.rules.decode(byte) if self.wide else byte.decode("latin-1")
        if self.rules.flavour is Flavour.WSPRINTF and text == "\0":
            text = ""
        self.emit(specification, "", text, zeros=specification.zero)

    def count(self, specification: Specification) -> None:
        address = self.arguments.next_pointer()
        if not self.rules.count_enabled:
            raise self.fail(EINVAL)  # %n is off unless _set_printf_count_output(1) was called
        self.arguments.write_integer(address, specification.integer_size, self.length)
