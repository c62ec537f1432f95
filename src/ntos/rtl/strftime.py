"""The C runtime's strftime and asctime in the "C" locale."""

from __future__ import annotations

from ntos.rtl.time import BrokenTime, is_leap_year

DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

_COMPOSED = {
    "c": "%a %b %e %H:%M:%S %Y",
    "D": "%m/%d/%y",
    "F": "%Y-%m-%d",
    "r": "%I:%M:%S %p",
    "R": "%H:%M",
    "T": "%H:%M:%S",
    "x": "%m/%d/%y",
    "X": "%H:%M:%S",
}
_LONG = {"c": "%A, %B %d, %Y %H:%M:%S", "x": "%A, %B %d, %Y"}
_LITERAL = {"%": "%", "n": "\n", "t": "\t"}


def strftime(
    template: str, time: BrokenTime, *, zone_name: str = "Coordinated Universal Time", bias_minutes: int = 0
) -> str | None:
    """The formatted time, or None where the runtime reports EINVAL: an unknown letter, a bad field.

    `%#` takes leading zeros away, and makes `%#c` and `%#x` long.
    """
    result: list[str] = []
    position = 0
    while position < len(template):
        unit = template[position]
        position += 1
        if unit != "%":
            result.append(unit)
            continue
        alternate = template[position : position + 1] == "#"
        position += alternate
        if template[position : position + 1] in {"E", "O"}:
            position += 1  # accepted before any letter, and without effect in the "C" locale
        letter = template[position : position + 1]
        position += 1
        text = _letter(letter, time, alternate=alternate, zone=(zone_name, bias_minutes))
        if text is None:
            return None
        result.append(text)
    return "".join(result)


def asctime(time: BrokenTime) -> str:
    """`Fri Jun  6 08:00:00 2014` and a newline; the UCRT pads the day with a blank, msvcrt with a zero."""
    return (strftime("%a %b %e %H:%M:%S %Y", time) or "") + "\n"


def _letter(letter: str, time: BrokenTime, *, alternate: bool, zone: tuple[str, int]) -> str | None:
    if letter in _LITERAL:
        return _LITERAL[letter]
    if letter in _COMPOSED:
        template = _LONG[letter] if alternate and letter in _LONG else _COMPOSED[letter]
        return strftime(template, time)
    if letter in {"z", "Z"}:
        name, bias = zone
        sign = "-" if bias > 0 else "+"
        return name if letter == "Z" else f"{sign}{abs(bias) // 60:02d}{abs(bias) % 60:02d}"
    if not (0 <= time.weekday < 7 and 0 <= time.month < 12 and 0 <= time.hour < 24):
        return None
    words = {
        "a": DAYS[time.weekday][:3],
        "A": DAYS[time.weekday],
        "b": MONTHS[time.month][:3],
        "h": MONTHS[time.month][:3],
        "B": MONTHS[time.month],
        "p": "PM" if time.hour >= 12 else "AM",
        "u": str(time.weekday or 7),
        "w": str(time.weekday),
    }
    return words[letter] if letter in words else _number(letter, time, alternate=alternate)


def _number(letter: str, time: BrokenTime, *, alternate: bool) -> str | None:
    year = time.year + 1900
    if letter in {"g", "G", "V"}:
        iso_year, week = _iso_week(time)
        value, width = {"g": (iso_year % 100, 2), "G": (iso_year, 4), "V": (week, 2)}[letter]
        return f"{value:0{1 if alternate else width}d}"
    if letter == "e":
        return str(time.day) if alternate else f"{time.day:2d}"
    numbers = {
        "C": (year // 100, 2),
        "d": (time.day, 2),
        "H": (time.hour, 2),
        "I": (time.hour % 12 or 12, 2),
        "j": (time.year_day + 1, 3),
        "m": (time.month + 1, 2),
        "M": (time.minute, 2),
        "S": (time.second, 2),
        "U": ((time.year_day + 7 - time.weekday) // 7, 2),
        "W": ((time.year_day + 7 - (time.weekday + 6) % 7) // 7, 2),
        "y": (year % 100, 2),
        "Y": (year, 4),
    }
    if letter not in numbers:
        return None
    value, width = numbers[letter]
    return f"{value:0{1 if alternate else width}d}"


def _iso_week(time: BrokenTime) -> tuple[int, int]:
    """ISO 8601 year and week: week 1 holds the first Thursday."""
    year = time.year + 1900
    week = (time.year_day - (time.weekday or 7) + 11) // 7
    if week < 1:
        last = time.year_day + (366 if is_leap_year(year - 1) else 365)
        return year - 1, (last - (time.weekday or 7) + 11) // 7
    rest = (366 if is_leap_year(year) else 365) - time.year_day
    if week == 53 and rest <= 4 - (time.weekday or 7):
        return year + 1, 1
    return year, week
