"""The scanf engine: a template, a source of characters, and a place for what is read."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol

from ntos.rtl.number import SPACES, WIDE_SPACES, digit_value, parse_double
from ntos.rtl.text import to_utf16

EOF = -1
"""What a call returns when the input ends before the first conversion."""


class ScanOptions(enum.IntFlag):
    """The option bits of `__stdio_common_v…scanf` (corecrt_stdio_config.h)."""

    SECURECRT = 0x01
    LEGACY_WIDE_SPECIFIERS = 0x02
    LEGACY_MSVCRT_COMPATIBILITY = 0x04


class CharacterSource(Protocol):
    """Where characters come from: a string or a stream; one can be put back."""

    def read(self) -> str:
        """The next unit, or an empty text at the end."""
        ...

    def unread(self, unit: str) -> None:
        """Put the unit just read back."""
        ...


class ScanTarget(Protocol):
    """The pointers a call was given, and guest memory behind them."""

    def next_pointer(self) -> int:
        """The next argument as an address."""
        ...

    def next_integer(self, size: int) -> int:
        """The next argument as an integer: buffer sizes of the `_s` functions."""
        ...

    def write_integer(self, address: int, size: int, value: int) -> None:
        """Store an integer of this many bytes."""
        ...

    def write_double(self, address: int, size: int, value: float) -> None:
        """Store a float (4 bytes) or a double (8)."""
        ...

    def write_bytes(self, address: int, data: bytes) -> None:
        """Store text, its NUL included where it has one."""
        ...


class TextSource:
    """Characters of a string (sscanf)."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0

    def read(self) -> str:
        unit = self._text[self._position : self._position + 1]
        self._position += len(unit)
        return unit

    def unread(self, unit: str) -> None:
        self._position -= len(unit)


@dataclass(slots=True)
class _Conversion:
    """One conversion of a template; a width of 0 means none was given."""

    suppressed: bool
    width: int
    size: str
    letter: str
    members: frozenset[str] = frozenset()
    inverted: bool = False


class _MatchFailure(Exception):
    """Input that does not fit the template: the call ends with what it has."""


class _InputFailure(Exception):
    """Input that ended: the call ends, with EOF if nothing was assigned."""


def scan(
    template: str,
    source: CharacterSource,
    target: ScanTarget,
    *,
    wide: bool = False,
    options: ScanOptions = ScanOptions.LEGACY_WIDE_SPECIFIERS,
) -> int:
    """How many fields were assigned, or EOF; units are UTF-16 when wide, bytes as Latin-1 otherwise."""
    return _Scanner(source, target, options, wide=wide).run(template)


def parse_template(template: str, position: int) -> tuple[_Conversion, int]:
    """The conversion that begins after a `%`, and the index of what follows it."""
    suppressed = template[position : position + 1] == "*"
    position += suppressed
    start = position
    while "0" <= template[position : position + 1] <= "9":
        position += 1
    width = int(template[start:position] or "0")
    size = ""
    while True:
        prefix = next((known for known in _SIZES if template.startswith(known, position)), "")
        if not prefix:
            break
        size, position = prefix, position + len(prefix)
    letter = template[position : position + 1]
    conversion = _Conversion(suppressed, width, size, letter)
    position += 1
    return (
        (conversion, _parse_set(conversion, template, position)) if letter == "[" else (conversion, position)
    )


_SIZES = ("I64", "I32", "ll", "hh", "h", "l", "L", "w", "j", "z", "t", "T", "I", "N", "F")


def _parse_set(conversion: _Conversion, template: str, position: int) -> int:
    """Read `[^]a-z]`; a range may run backwards on Windows."""
    if template[position : position + 1] == "^":
        conversion.inverted, position = True, position + 1
    members: set[str] = set()
    first = position
    while position < len(template) and (template[position] != "]" or position == first):
        left = template[position]
        right = template[position + 2 : position + 3]
        if template[position + 1 : position + 2] == "-" and right not in {"", "]"}:
            low, high = sorted((ord(left), ord(right)))
            members.update(map(chr, range(low, high + 1)))
            position += 3
        else:
            members.add(left)
            position += 1
    conversion.members = frozenset(members)
    return position + 1


class _Scanner:
    def __init__(
        self, source: CharacterSource, target: ScanTarget, options: ScanOptions, *, wide: bool
    ) -> None:
        self.source = source
        self.target = target
        self.options = options
        self.wide = wide
        self.spaces = WIDE_SPACES if wide else SPACES
        self.count = 0
        self.assigned = 0

    def read(self) -> str:
        unit = self.source.read()
        self.count += len(unit)
        return unit

    def unread(self, unit: str) -> None:
        if unit:
            self.source.unread(unit)
            self.count -= len(unit)

    def run(self, template: str) -> int:
        position = 0
        try:
            while position < len(template):
                unit = template[position]
                position += 1
                if unit in self.spaces:
                    self.skip_spaces()
                elif unit != "%":
                    self.literal(unit)
                elif template[position : position + 1] == "%":
                    position += 1
                    self.skip_spaces()
                    self.literal("%")
                else:
                    conversion, position = parse_template(template, position)
                    self.convert(conversion)
        except _MatchFailure:
            pass
        except _InputFailure:
            return self.assigned or EOF
        return self.assigned

    def skip_spaces(self) -> None:
        while (unit := self.read()) and unit in self.spaces:
            pass
        self.unread(unit)

    def literal(self, expected: str) -> None:
        unit = self.read()
        if not unit:
            raise _InputFailure
        if unit != expected:
            self.unread(unit)
            raise _MatchFailure

    def convert(self, conversion: _Conversion) -> None:
        letter = conversion.letter
        if letter == "n":
            if not conversion.suppressed:
                self.target.write_integer(self.target.next_pointer(), _integer_size(conversion), self.count)
            return
        if letter not in "cC[":
            self.skip_spaces()
        if letter and letter in "diuoxXp":
            self.integer(conversion)
        elif letter and letter in "eEfFgGaA":
            self.real(conversion)
        elif letter in {"c", "C", "s", "S", "["}:
            self.text(conversion)
        else:
            raise _MatchFailure

    def start(self) -> str:
        unit = self.read()
        if not unit:
            raise _InputFailure
        return unit

    def integer(self, conversion: _Conversion) -> None:
        field = _Field(self, conversion.width)
        base = {"d": 10, "u": 10, "i": 0, "o": 8}.get(conversion.letter, 16)
        unit = field.next()
        if not unit:
            raise _InputFailure
        negative = unit == "-"
        if unit in {"+", "-"}:
            unit = field.next()
        digits = 0
        value = 0
        if unit == "0" and base in {0, 16}:
            digits, unit = 1, field.next()
            if unit and unit in "xX":
                base, digits, unit = 16, 0, field.next()
            base = base or 8
        base = base or 10
        while unit and (digit := digit_value(unit)) < base:
            value, digits, unit = value * base + digit, digits + 1, field.next()
        self.unread(unit)
        if not digits:
            raise _MatchFailure
        if not conversion.suppressed:
            size = 8 if conversion.letter == "p" else _integer_size(conversion)
            # Overflow saturates: the UCRT reads with strtoull's rules, 64 bits wide, then cuts.
            value = min(value, (1 << 64) - 1)
            signed = -value if negative else value
            self.target.write_integer(self.target.next_pointer(), size, signed & ((1 << 8 * size) - 1))
            self.assigned += 1

    def real(self, conversion: _Conversion) -> None:
        field = _Field(self, conversion.width)
        text = field.next()
        if not text:
            raise _InputFailure
        # A double is the longest input that is a number or could become one; one unit is put back.
        if not _could_be_number(text):
            self.unread(text)
            raise _MatchFailure
        while unit := field.next():
            if not _could_be_number(text + unit):
                self.unread(unit)
                break
            text += unit
        legacy = bool(self.options & ScanOptions.LEGACY_MSVCRT_COMPATIBILITY)
        size = 8 if conversion.size in {"l", "ll", "L"} else 4
        number = parse_double(text, legacy=legacy, spaces="", single=size == 4)
        if number.end != len(text):
            raise _MatchFailure
        if not conversion.suppressed:
            self.target.write_double(self.target.next_pointer(), size, number.value)
            self.assigned += 1

    def text(self, conversion: _Conversion) -> None:
        single = conversion.letter in "cC"
        wide = self.is_wide(conversion)
        address = capacity = 0
        if not conversion.suppressed:
            address = self.target.next_pointer()
            if self.options & ScanOptions.SECURECRT:
                capacity = self.target.next_integer(4)
        limit = conversion.width or (1 if single else 0)
        taken: list[str] = []
        while not limit or len(taken) < limit:
            unit = self.read()
            if not unit or not self.accepts(conversion, unit):
                self.unread(unit)
                break
            taken.append(unit)
        else:
            unit = "-"
        if not taken and (single or not unit):
            raise _InputFailure
        if not taken or (single and len(taken) < limit):
            raise _MatchFailure
        if conversion.suppressed:
            return
        self.store(address, capacity, "".join(taken), wide=wide, terminated=not single)
        self.assigned += 1

    def accepts(self, conversion: _Conversion, unit: str) -> bool:
        if conversion.letter == "[":
            return (unit in conversion.members) != conversion.inverted
        return conversion.letter in "cC" or unit not in self.spaces

    def store(self, address: int, capacity: int, text: str, *, wide: bool, terminated: bool) -> None:
        if self.options & ScanOptions.SECURECRT and len(text) + terminated > capacity:
            self.target.write_bytes(address, b"\0" * (2 if wide else 1) if capacity else b"")
            raise _MatchFailure
        text += "\0" if terminated else ""
        data = to_utf16(text) if wide else text.encode("latin-1", "replace")
        self.target.write_bytes(address, data)

    def is_wide(self, conversion: _Conversion) -> bool:
        if conversion.size in {"h", "hh"}:
            return False
        if conversion.size in {"l", "ll", "w"}:
            return True
        upper = conversion.letter in "SC"
        if not self.wide:
            return upper
        return upper != bool(self.options & ScanOptions.LEGACY_WIDE_SPECIFIERS)


class _Field:
    """Units of one conversion, no more than its width."""

    def __init__(self, scanner: _Scanner, width: int) -> None:
        self._scanner = scanner
        self._left = width or -1

    def next(self) -> str:
        if self._left == 0:
            return ""
        self._left -= 1
        return self._scanner.read()


def _integer_size(conversion: _Conversion) -> int:
    return {"hh": 1, "h": 2, "ll": 8, "I64": 8, "I": 8, "j": 8, "z": 8, "t": 8}.get(conversion.size, 4)


def _could_be_number(text: str) -> bool:
    """Whether a text is a floating-point number or the beginning of one."""
    body = text.lower()
    return any(parse_double(body + rest, spaces="").end == len(body + rest) for rest in _ENDINGS)


_ENDINGS = ("", "0", "x0", "nf", "f", "inity", "nity", "ity", "ty", "y", "an", "n", ")")
