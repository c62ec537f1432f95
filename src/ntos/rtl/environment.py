"""Environment blocks: sorted `NAME=value` strings, and `%NAME%` in other strings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping

from ntos.rtl.text import from_utf16, to_utf16, upcase


class Environment(MutableMapping[str, str]):
    """Variables under names that differ by more than case; a name keeps its first spelling."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._entries: dict[str, tuple[str, str]] = {}
        self.update(variables or {})

    def __getitem__(self, name: str) -> str:
        return self._entries[upcase(name)][1]

    def __setitem__(self, name: str, value: str) -> None:
        if not is_valid_name(name):
            raise ValueError(name)
        key = upcase(name)
        spelling = self._entries[key][0] if key in self._entries else name
        self._entries[key] = (spelling, value)

    def __delitem__(self, name: str) -> None:
        del self._entries[upcase(name)]

    def __iter__(self) -> Iterator[str]:
        return (self._entries[key][0] for key in sorted(self._entries, key=to_sort_key))

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and upcase(name) in self._entries

    def copy(self) -> Environment:
        """Another environment with the same variables."""
        return Environment(self)

    def set(self, name: str, value: str | None) -> None:
        """Set a variable, or delete it with None; deleting one that is not there does nothing.

        RtlSetEnvironmentVariable.
        """
        if value is None:
            self.pop(name, None)
        else:
            self[name] = value

    def drive_directory(self, drive: str) -> str | None:
        """The current directory remembered for a drive letter (the variable `=C:`)."""
        return self.get(f"={drive}:")

    def expand(self, text: str) -> str:
        """The text with each `%NAME%` replaced (RtlExpandEnvironmentStrings)."""
        return expand(text, self.get)


def is_valid_name(name: str) -> bool:
    """Whether a variable may bear this name: no `=` but a leading one."""
    return bool(name) and "=" not in name[1:] and "\0" not in name


def to_sort_key(name: str) -> bytes:
    """The order of variables in a block: upper case, unit by unit."""
    return upcase(name).encode("utf-16-be", "surrogatepass")


def parse_strings(strings: list[str]) -> Environment:
    """The variables of `NAME=value` strings; what has no name is left out."""
    result = Environment()
    for entry in strings:
        cut = entry.find("=", 1)
        if cut > 0:
            result.set(entry[:cut], entry[cut + 1 :])
    return result


def format_strings(variables: Mapping[str, str]) -> list[str]:
    """`NAME=value` strings in the order of a block."""
    return [f"{name}={variables[name]}" for name in sorted(variables, key=to_sort_key)]


def parse_block(block: bytes) -> Environment:
    """The variables of a UTF-16 block; what follows the empty string is ignored."""
    return parse_strings(_until_empty(from_utf16(block)))


def parse_ansi_block(block: bytes, decode: Callable[[bytes], str]) -> Environment:
    """The variables of a block in a code page."""
    parts = block.split(b"\0")
    end = parts.index(b"") if b"" in parts else len(parts)
    return parse_strings([decode(part) for part in parts[:end]])


def format_block(variables: Mapping[str, str]) -> bytes:
    """The UTF-16 block; an empty one is two NULs, as CreateProcess expects."""
    return to_utf16("".join(f"{entry}\0" for entry in format_strings(variables)) or "\0") + b"\0\0"


def format_ansi_block(variables: Mapping[str, str], encode: Callable[[str], bytes]) -> bytes:
    """The block in a code page (GetEnvironmentStringsA)."""
    return (b"".join(encode(entry) + b"\0" for entry in format_strings(variables)) or b"\0") + b"\0"


def expand(text: str, lookup: Callable[[str], str | None]) -> str:
    """The text with each `%NAME%` replaced by its value; an unknown name stays, and its last % may open one.

    RtlExpandEnvironmentStrings.
    """
    result: list[str] = []
    position = 0
    while (start := text.find("%", position)) >= 0:
        result.append(text[position:start])
        end = text.find("%", start + 1)
        if end < 0:
            return "".join([*result, text[start:]])
        value = lookup(text[start + 1 : end]) if end > start + 1 else None
        if value is None:
            result.append(text[start:end])
            position = end
        else:
            result.append(value)
            position = end + 1
    return "".join([*result, text[position:]])


def _until_empty(text: str) -> list[str]:
    strings = text.split("\0")
    return strings[: strings.index("")] if "" in strings else strings
