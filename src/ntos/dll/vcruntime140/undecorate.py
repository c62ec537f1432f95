"""Names of types out of their decoration (`?AVfoo@bar@@` is `class bar::foo`), for type_info::name."""

from __future__ import annotations

KINDS = {"V": "class ", "U": "struct ", "T": "union ", "W4": "enum "}
SIMPLE = {
    "C": "signed char", "D": "char", "E": "unsigned char", "F": "short", "G": "unsigned short", "H": "int",
    "I": "unsigned int", "J": "long", "K": "unsigned long", "M": "float", "N": "double", "O": "long double",
    "X": "void", "_J": "__int64", "_K": "unsigned __int64", "_N": "bool", "_W": "wchar_t", "_S": "char16_t",
    "_U": "char32_t", "_Q": "char8_t",
}  # fmt: skip
QUALIFIERS = {"A": "", "B": "const ", "C": "volatile ", "D": "const volatile "}


class _Reader:
    """One decorated type, read from the left."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.names: list[str] = []

    def take(self, *choices: str) -> str | None:
        for choice in choices:
            if self.text.startswith(choice, self.position):
                self.position += len(choice)
                return choice
        return None

    def type(self) -> str:
        kind = self.take(*KINDS)
        if kind is not None:
            return KINDS[kind] + self.name()
        pointer = self.take("PE", "QE", "P", "Q", "AE", "A")
        if pointer is not None:
            mark = "&" if pointer[0] == "A" else "*"
            qualifier = QUALIFIERS.get(self.text[self.position : self.position + 1])
            if qualifier is None:
                raise ValueError(self.text)
            self.position += 1
            constant = " const" if pointer[0] == "Q" else ""
            return f"{self.type()} {qualifier}{mark} __ptr64{constant}"
        simple = self.take(*sorted(SIMPLE, key=len, reverse=True))
        if simple is None:
            raise ValueError(self.text)
        return SIMPLE[simple]

    def name(self) -> str:
        parts: list[str] = []
        while not self.take("@"):
            parts.append(self.part())
        return "::".join(reversed(parts))

    def part(self) -> str:
        letter = self.text[self.position]
        if letter.isdigit():
            self.position += 1
            return self.names[int(letter)]
        if self.take("?$"):
            return self.template()
        if self.take("?A"):
            self.position = self.text.index("@", self.position) + 1
            self.names.append("`anonymous namespace'")
            return self.names[-1]
        end = self.text.index("@", self.position)
        name = self.text[self.position : end]
        self.position = end + 1
        self.names.append(name)
        return name

    def template(self) -> str:
        outer, self.names = self.names, []
        base = self.part()
        arguments: list[str] = []
        while not self.take("@"):
            arguments.append(self.number() if self.take("$0") else self.type())
        self.names = outer
        inside = ",".join(arguments)
        text = f"{base}<{inside}{' ' if inside.endswith('>') else ''}>"
        self.names.append(text)
        return text

    def number(self) -> str:
        sign = "-" if self.take("?") else ""
        if self.text[self.position].isdigit():
            self.position += 1
            return sign + str(int(self.text[self.position - 1]) + 1)
        end = self.text.index("@", self.position)
        value = 0
        for letter in self.text[self.position : end]:
            value = value * 16 + ord(letter) - 65
        self.position = end + 1
        return sign + str(value)


def type_text(decorated: str) -> str:
    """A type's name as type_info::name spells it; the decorated name where it is beyond this reader."""
    reader = _Reader(decorated)
    try:
        if reader.take("?A") is None:
            return decorated
        return reader.type()
    except (ValueError, IndexError):
        return decorated
