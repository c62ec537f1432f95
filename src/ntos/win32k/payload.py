"""What a message's parameters lead to: carried to another process, and between ANSI and Unicode.

A payload is taken from the sender (`take`), put before the receiver on its own stack (`put`), taken back there after
the procedure has run (`collect`) and given to the sender (`give`), which may change the result. Messages that are
not listed carry numbers; from WM_USER on nobody knows what they mean, and they cross as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import mm
from ntos.abi.layout.win32k import COPYDATASTRUCT
from ntos.abi.memory import read_string, read_wide
from ntos.abi.winuser import WM
from ntos.rtl.nls.codepage import ansi as from_ansi
from ntos.rtl.nls.codepage import to_ansi
from ntos.rtl.text import from_utf16, to_utf16

if TYPE_CHECKING:
    from ntos.ke.thread import Frame, Thread

LARGE = 0x4000
"""Data beyond this does not go onto the receiver's stack."""
RECT_SIZE, NCCALCSIZE_PARAMS = 0x10, 0x60
BLOCKS = {
    WM.GETMINMAXINFO: 0x28, WM.WINDOWPOSCHANGING: 0x28, WM.WINDOWPOSCHANGED: 0x28, WM.STYLECHANGING: 8,
    WM.STYLECHANGED: 8,
}  # fmt: skip
CHARACTERS = frozenset({WM.CHAR, WM.SYSCHAR, WM.DEADCHAR, WM.SYSDEADCHAR})


def encoded(text: str, narrow: bool) -> bytes:
    """Text with its NUL."""
    return to_ansi(text) + b"\0" if narrow else to_utf16(text) + b"\0\0"


def read_text(thread: Thread, address: int, narrow: bool) -> str:
    """The text at a user address; empty for NULL."""
    if not address:
        return ""
    return from_ansi(read_string(thread.memory, address)) if narrow else read_wide(thread.memory, address)


class Payload:
    """Parameters that are numbers."""

    def __init__(self, parameter: int, long_parameter: int) -> None:
        self.parameter = parameter
        self.long_parameter = long_parameter

    def take(self, thread: Thread, narrow: bool) -> None:
        """Read what the sender's parameters lead to."""

    def put(self, thread: Thread, frame: Frame, narrow: bool) -> tuple[int, int]:
        """(wParam, lParam) for the receiver."""
        return self.parameter, self.long_parameter

    def collect(self, thread: Thread, result: int, narrow: bool) -> None:
        """The procedure has run: read what it has changed."""

    def give(self, thread: Thread, result: int, narrow: bool) -> int:
        """Store that for the sender; gives the result it sees."""
        return result


class Character(Payload):
    """WM_CHAR and its like: wParam is a character."""

    def take(self, thread: Thread, narrow: bool) -> None:
        self.narrow = narrow

    def put(self, thread: Thread, frame: Frame, narrow: bool) -> tuple[int, int]:
        if narrow == self.narrow:
            return self.parameter, self.long_parameter
        return convert_character(self.parameter, narrow=narrow), self.long_parameter


def convert_character(value: int, *, narrow: bool) -> int:
    """A character's code in the ANSI page (`narrow`) or as UTF-16."""
    rest = value & ~0xFFFF
    if narrow:
        return rest | int.from_bytes(to_ansi(from_utf16((value & 0xFFFF).to_bytes(2, "little"))), "little")
    data = (value & 0xFFFF).to_bytes(2, "little")
    return rest | int.from_bytes(to_utf16(from_ansi(data if data[1] else data[:1]))[:2], "little")


class TextIn(Payload):
    """WM_SETTEXT: lParam is a text."""

    def take(self, thread: Thread, narrow: bool) -> None:
        self.text = read_text(thread, self.long_parameter, narrow) if self.long_parameter else None

    def put(self, thread: Thread, frame: Frame, narrow: bool) -> tuple[int, int]:
        if self.text is None:
            return self.parameter, 0
        return self.parameter, frame.bytes(encoded(self.text, narrow))


class TextOut(Payload):
    """WM_GETTEXT: lParam has room for wParam characters."""

    text = ""
    place = 0

    def put(self, thread: Thread, frame: Frame, narrow: bool) -> tuple[int, int]:
        self.place = frame.allocate(min(self.parameter, LARGE) * (1 if narrow else 2) + 2)
        return min(self.parameter, LARGE), self.place

    def collect(self, thread: Thread, result: int, narrow: bool) -> None:
        self.text = read_text(thread, self.place, narrow)[: max(result, 0)]

    def give(self, thread: Thread, result: int, narrow: bool) -> int:
        if not self.parameter or not self.long_parameter:
            return result
        unit = 1 if narrow else 2
        data = encoded(self.text, narrow)[: (self.parameter - 1) * unit]
        if data.endswith(bytes(unit)):
            data = data[:-unit]
        thread.memory.write(self.long_parameter, data + bytes(unit))
        return len(data) // unit


class Block(Payload):
    """A structure of fixed size, which the procedure may change."""

    def __init__(self, parameter: int, long_parameter: int, size: int) -> None:
        super().__init__(parameter, long_parameter)
        self.data = bytes(size)
        self.place = 0

    def take(self, thread: Thread, narrow: bool) -> None:
        self.data = thread.memory.read(self.long_parameter, len(self.data))

    def put(self, thread: Thread, frame: Frame, narrow: bool) -> tuple[int, int]:
        self.place = frame.bytes(self.data)
        return self.parameter, self.place

    def collect(self, thread: Thread, result: int, narrow: bool) -> None:
        self.data = thread.memory.read(self.place, len(self.data))

    def give(self, thread: Thread, result: int, narrow: bool) -> int:
        thread.memory.write(self.long_parameter, self.data)
        return result


class CopyData(Payload):
    """WM_COPYDATA: a COPYDATASTRUCT and the bytes it leads to, which are the receiver's to read only."""

    data: bytes | None = None
    number = 0
    apart = 0

    def take(self, thread: Thread, narrow: bool) -> None:
        view = COPYDATASTRUCT.parse(thread.memory.read(self.long_parameter, COPYDATASTRUCT.size))
        self.number = int(view.dwData)
        if view.lpData:
            self.data = thread.memory.read(int(view.lpData), int(view.cbData))

    def put(self, thread: Thread, frame: Frame, narrow: bool) -> tuple[int, int]:
        place = 0
        if self.data is not None and len(self.data) > LARGE:
            place = self.apart = mm.allocate(thread.process, len(self.data))
            thread.memory.write(place, self.data)
        elif self.data is not None:
            place = frame.bytes(self.data)
        view = frame.new(COPYDATASTRUCT)
        view.dwData, view.cbData, view.lpData = self.number, len(self.data or b""), place
        return self.parameter, view.address

    def collect(self, thread: Thread, result: int, narrow: bool) -> None:
        if self.apart:
            mm.free(thread.process, self.apart)
            self.apart = 0


def payload(message: int, parameter: int, long_parameter: int) -> Payload:
    """What a message carries."""
    if message == WM.SETTEXT:
        return TextIn(parameter, long_parameter)
    if message == WM.GETTEXT:
        return TextOut(parameter, long_parameter)
    if message == WM.COPYDATA and long_parameter:
        return CopyData(parameter, long_parameter)
    if message == WM.NCCALCSIZE and long_parameter:
        return Block(parameter, long_parameter, NCCALCSIZE_PARAMS if parameter else RECT_SIZE)
    if message in BLOCKS and long_parameter:
        return Block(parameter, long_parameter, BLOCKS[WM(message)])
    if message in CHARACTERS:
        return Character(parameter, long_parameter)
    return Payload(parameter, long_parameter)
