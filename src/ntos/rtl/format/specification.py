"""What stands after a `%`, and which runtime's rules it is read by."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass, replace


class Flavour(enum.Enum):
    """Whose printf it is."""

    UCRT = "ucrtbase"
    MSVCRT = "msvcrt"
    NTDLL = "ntdll"
    WSPRINTF = "user32"


class PrintfOptions(enum.IntFlag):
    """The option bits of `__stdio_common_v…printf` (corecrt_stdio_config.h)."""

    LEGACY_VSPRINTF_NULL_TERMINATION = 0x01
    STANDARD_SNPRINTF_BEHAVIOR = 0x02
    LEGACY_WIDE_SPECIFIERS = 0x04
    LEGACY_MSVCRT_COMPATIBILITY = 0x08
    LEGACY_THREE_DIGIT_EXPONENTS = 0x10
    STANDARD_ROUNDING = 0x20


def _to_latin(text: str) -> bytes | None:
    """The bytes of a text in the "C" locale: a wide character above 0xFF has none."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return None


def _from_latin(data: bytes) -> str:
    return data.decode("latin-1")


@dataclass(frozen=True, slots=True)
class Rules:
    """How one call formats: the runtime, its option bits, the locale's code page, whether %n may write."""

    flavour: Flavour = Flavour.UCRT
    options: PrintfOptions = PrintfOptions.LEGACY_WIDE_SPECIFIERS | PrintfOptions.STANDARD_ROUNDING
    encode: Callable[[str], bytes | None] = _to_latin
    decode: Callable[[bytes], str] = _from_latin
    count_enabled: bool = False
    decimal_point: str = "."

    @property
    def legacy(self) -> bool:
        """Whether numbers look as msvcrt.dll spelt them."""
        old = self.flavour is not Flavour.UCRT
        return old or bool(self.options & PrintfOptions.LEGACY_MSVCRT_COMPATIBILITY)

    @property
    def exponent_digits(self) -> int:
        """The fewest digits an exponent has."""
        three = self.options & PrintfOptions.LEGACY_THREE_DIGIT_EXPONENTS
        return 3 if three or self.flavour is not Flavour.UCRT else 2

    @property
    def ties_to_even(self) -> bool:
        """Whether an exact half is rounded to the even digit (since Windows 10 2004), else away from 0."""
        return self.flavour is Flavour.UCRT and bool(self.options & PrintfOptions.STANDARD_ROUNDING)

    @property
    def lower_is_wide(self) -> bool:
        """Whether `%s` of a wide function means a wide string, as Windows and not C has it."""
        old = self.flavour is not Flavour.UCRT
        return old or bool(self.options & PrintfOptions.LEGACY_WIDE_SPECIFIERS)


UCRT = Rules()
MSVCRT = Rules(flavour=Flavour.MSVCRT)
NTDLL = Rules(flavour=Flavour.NTDLL)
WSPRINTF = Rules(flavour=Flavour.WSPRINTF)


def crt_rules(options: int, *, base: Rules = UCRT) -> Rules:
    """The rules for the option bits a program hands to `__stdio_common_v…printf`."""
    return replace(base, options=PrintfOptions(options & 0x3F))


@dataclass(slots=True)
class Specification:
    """One conversion: flags, width, precision (negative when not given), size prefix and letter."""

    flags: str
    width: int
    precision: int
    size: str
    letter: str

    @property
    def left(self) -> bool:
        return "-" in self.flags

    @property
    def zero(self) -> bool:
        return "0" in self.flags and not self.left

    @property
    def alternate(self) -> bool:
        return "#" in self.flags

    @property
    def upper(self) -> bool:
        return self.letter.isupper()

    @property
    def integer_size(self) -> int:
        """The size in bytes of an integer argument: `long` has four on Windows."""
        return {"hh": 1, "h": 2, "ll": 8, "I64": 8, "I": 8, "j": 8, "z": 8, "t": 8}.get(self.size, 4)

    def is_wide(self, rules: Rules, *, wide_output: bool) -> bool:
        """Whether the text argument of `c`, `s` or `Z` is wide."""
        if self.size in {"h", "hh"}:
            return False
        if self.size in {"l", "ll", "w"}:
            return True
        if self.letter == "Z":
            return wide_output and not rules.lower_is_wide
        if self.size == "T":
            return wide_output
        if not wide_output:
            return self.upper
        return self.upper != rules.lower_is_wide


# After `%`: flags, width, precision, size prefix; the letter is whatever comes next.
_PATTERN = re.compile(r"([-+ #0]*)(\*|\d+)?(?:\.(\*|\d*))?((?:I64|I32|ll|hh|[hlLwjztTI])*)", re.DOTALL)


def parse(template: str, position: int, next_integer: Callable[[int], int]) -> tuple[Specification, int]:
    """The specification that begins after a `%`, and the index of what follows it.

    The letter is empty when the template ends first.
    """
    match = _PATTERN.match(template, position)
    assert match is not None  # every part is optional
    flags, width_text, precision_text, sizes = match.groups()
    width = _number(width_text, next_integer) if width_text else 0
    if width < 0:
        flags, width = flags + "-", -width
    precision = -1
    if precision_text is not None:
        precision = max(_number(precision_text, next_integer), -1) if precision_text else 0
    end = match.end()
    return Specification(flags, width, precision, _last_size(sizes), template[end : end + 1]), end + 1


def _number(text: str, next_integer: Callable[[int], int]) -> int:
    if text != "*":
        return int(text)
    value = next_integer(4) & 0xFFFFFFFF
    return value - (1 << 32) if value & 0x80000000 else value


def _last_size(sizes: str) -> str:
    for known in ("I64", "I32", "ll", "hh"):
        if sizes.endswith(known):
            return known
    return sizes[-1:]
