"""How a component keeps its state with a machine, a process or a thread without the lower floors knowing it."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")


class Parts:
    """State by class: `kernel[ObjectManager]`, `process[HandleTable]`.

    A lower floor owns the holder; each upper component installs one object of its own class. No string keys, no
    globals, and mypy knows what comes out.
    """

    def __init__(self) -> None:
        self._parts: dict[type[Any], Any] = {}

    def __getitem__(self, kind: type[T]) -> T:
        part: T = self._parts[kind]
        return part

    def install(self, part: object, kind: type[Any] | None = None) -> None:
        """Keep `part` under its class, or under the base class `kind` by which lower floors look for it."""
        self._parts[kind or type(part)] = part

    def part(self, kind: type[T]) -> T:
        """The part of this class, made by `kind()` on first use."""
        found = self._parts.get(kind)
        if found is None:
            found = self._parts[kind] = kind()
        made: T = found
        return made

    def has(self, kind: type[Any]) -> bool:
        """Whether a part of this class is installed."""
        return kind in self._parts

    def remove(self, kind: type[Any]) -> None:
        """Forget the part of this class."""
        self._parts.pop(kind, None)
