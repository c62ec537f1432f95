"""A console's screen buffer: cells, a cursor, and what writing text does to them."""

from __future__ import annotations

TAB = 8
BLANK = 0x20
DEFAULT_ATTRIBUTE = 7


class Screen:
    """`width` by `height` cells of (character, attribute); the window shows all of it."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.x = self.y = 0
        self.attribute = DEFAULT_ATTRIBUTE
        self.cursor_size, self.cursor_visible = 25, 1
        self.rows = [self._row() for _ in range(height)]

    def _row(self) -> list[tuple[int, int]]:
        return [(BLANK, self.attribute)] * self.width

    def write(self, text: str, *, processed: bool, wrap: bool) -> None:
        """Put text at the cursor; control characters move it where `processed`."""
        for unit in text:
            if processed and unit in "\r\n\b\t\a":
                self._control(unit)
                continue
            if self.x >= self.width:
                if wrap:
                    self._line_feed()
                    self.x = 0
                else:
                    self.x = self.width - 1
            self.rows[self.y][self.x] = (ord(unit) & 0xFFFF, self.attribute)
            self.x += 1

    def _control(self, unit: str) -> None:
        if unit == "\r":
            self.x = 0
        elif unit == "\n":
            self.x = 0
            self._line_feed()
        elif unit == "\b":
            self.x = max(self.x - 1, 0)
        elif unit == "\t":
            self.x = min((self.x // TAB + 1) * TAB, self.width - 1)

    def _line_feed(self) -> None:
        if self.y + 1 < self.height:
            self.y += 1
        else:
            self.rows.append(self._row())
            del self.rows[0]

    def resize(self, width: int, height: int) -> None:
        """Another size; what fits stays."""
        self.width, self.height = width, height
        self.rows = [(row + self._row())[:width] for row in self.rows[:height]]
        while len(self.rows) < height:
            self.rows.append(self._row())
        self.x, self.y = min(self.x, width - 1), min(self.y, height - 1)

    def fill(
        self, x: int, y: int, count: int, *, unit: int | None = None, attribute: int | None = None
    ) -> int:
        """Fill a run of cells with a character or an attribute; gives how many there were."""
        start = y * self.width + x
        end = min(start + count, self.width * self.height)
        for place in range(start, end):
            row, column = divmod(place, self.width)
            old_unit, old_attribute = self.rows[row][column]
            self.rows[row][column] = (
                old_unit if unit is None else unit,
                old_attribute if attribute is None else attribute,
            )
        return max(end - start, 0)

    def line(self, y: int) -> str:
        """The text of a row without what is blank at its end."""
        return "".join(chr(unit) for unit, _ in self.rows[y]).rstrip()
