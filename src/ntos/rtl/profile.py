"""The text of an initialization file: sections in brackets, `key=value` lines, comments that stay where they are."""

from __future__ import annotations

COMMENT = ";"


def _section_name(line: str) -> str | None:
    stripped = line.strip()
    if not stripped.startswith("["):
        return None
    return stripped[1:].partition("]")[0].strip()


def _key(line: str) -> str:
    return line.partition("=")[0].strip()


def _is_entry(line: str) -> bool:
    stripped = line.strip()
    return bool(stripped) and not stripped.startswith(COMMENT)


def unquoted(value: str) -> str:
    """A value without the pair of quotation marks that protects its spaces."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value


class Profile:
    """An initialization file in memory; names are compared without regard to case."""

    def __init__(self, text: str = "") -> None:
        self.lines = text.splitlines()

    @property
    def text(self) -> str:
        """The file's text."""
        return "".join(line + "\r\n" for line in self.lines)

    def sections(self) -> list[str]:
        """The names of all sections, in the order of the file."""
        return [name for name in map(_section_name, self.lines) if name is not None]

    def entries(self, section: str) -> list[str]:
        """The `key=value` lines of a section, without spaces around either."""
        start, end = self._range(section)
        found = [line for line in self.lines[start:end] if _is_entry(line)]
        parts = [line.partition("=") for line in found]
        return [f"{key.strip()}{equals}{value.strip()}" for key, equals, value in parts]

    def keys(self, section: str) -> list[str]:
        """The names of a section's entries."""
        return [_key(entry) for entry in self.entries(section) if "=" in entry]

    def value(self, section: str, key: str) -> str | None:
        """An entry's value; None where there is none."""
        at = self._find(section, key)
        return None if at is None else self.lines[at].partition("=")[2].strip()

    def set(self, section: str, key: str, value: str | None) -> None:
        """Give an entry its value, making what is missing; None takes the entry away."""
        at = self._find(section, key)
        if value is None:
            if at is not None:
                del self.lines[at]
            return
        if at is not None:
            self.lines[at] = f"{_key(self.lines[at])}={value}"
            return
        line = f"{key}={value}"
        start, end = self._range(section)
        if not start:
            self.lines += [f"[{section}]", line]
            return
        while end > start and not self.lines[end - 1].strip():
            end -= 1
        self.lines.insert(end, line)

    def replace(self, section: str, entries: list[str] | None) -> None:
        """Give a section these lines for entries; None takes the section away."""
        start, end = self._range(section)
        if not start:
            if entries is not None:
                self.lines += [f"[{section}]", *entries]
        elif entries is None:
            del self.lines[start - 1 : end]
        else:
            self.lines[start:end] = entries

    def _range(self, section: str) -> tuple[int, int]:
        """Lines between a section's header and the next; (0, 0) where it is not there."""
        wanted, start = section.strip().casefold(), 0
        for index, line in enumerate(self.lines):
            name = _section_name(line)
            if name is None:
                continue
            if start:
                return start, index
            if name.casefold() == wanted:
                start = index + 1
        return (start, len(self.lines)) if start else (0, 0)

    def _find(self, section: str, key: str) -> int | None:
        start, end = self._range(section)
        wanted = key.strip().casefold()
        for index in range(start, end):
            line = self.lines[index]
            if "=" in line and _is_entry(line) and _key(line).casefold() == wanted:
                return index
        return None
