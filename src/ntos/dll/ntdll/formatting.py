"""Arguments for the printf engine: those of a variadic call, and those of a va_list in memory."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.memory import read_string, read_wide
from ntos.rtl.format.specification import NTDLL

if TYPE_CHECKING:
    from ntos.abi.signature import Variadic
    from ntos.um.thread import UserThread

LIMIT = 0x10000


class MemoryArguments:
    """What every source of arguments shares: strings and stores go through the thread's memory."""

    def __init__(self, thread: UserThread) -> None:
        self.memory = thread.memory

    def next_word(self) -> int:
        """The next eight bytes."""
        raise NotImplementedError

    def next_integer(self, size: int) -> int:
        """The next integer of `size` bytes, unsigned."""
        return self.next_word() & ((1 << 8 * size) - 1)

    def next_pointer(self) -> int:
        """The next address."""
        return self.next_word()

    def next_double(self) -> float:
        """The next double."""
        value: float = struct.unpack("<d", self.next_word().to_bytes(8, "little"))[0]
        return value

    def read_string(self, address: int, limit: int) -> bytes:
        """The bytes up to a NUL, at most `limit` (no limit where negative)."""
        return read_string(self.memory, address, LIMIT if limit < 0 else limit)

    def read_wide(self, address: int, limit: int) -> str:
        """The UTF-16 text up to a NUL."""
        return read_wide(self.memory, address, LIMIT if limit < 0 else limit)

    def read_counted(self, address: int) -> bytes:
        """The bytes of a counted string."""
        view = UNICODE_STRING(self.memory, address)
        return self.memory.read(int(view.Buffer), int(view.Length))

    def write_integer(self, address: int, size: int, value: int) -> None:
        """What `%n` stores."""
        self.memory.write(address, (value & ((1 << 8 * size) - 1)).to_bytes(size, "little"))


class CallArguments(MemoryArguments):
    """The variadic arguments of the call being served."""

    def __init__(self, thread: UserThread, arguments: Variadic) -> None:
        super().__init__(thread)
        self._arguments = arguments

    def next_word(self) -> int:
        return self._arguments.next_integer()


class ListArguments(MemoryArguments):
    """A va_list: eight bytes an argument, one behind the other."""

    def __init__(self, thread: UserThread, address: int) -> None:
        super().__init__(thread)
        self._address = address

    def next_word(self) -> int:
        word = int.from_bytes(self.memory.read(self._address, 8), "little")
        self._address += 8
        return word


__all__ = ["NTDLL", "CallArguments", "ListArguments"]
