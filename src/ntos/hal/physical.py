"""Guest physical memory, and who uses which frame.

One private anonymous mapping: `os.fork()` is then a copy-on-write snapshot of the machine, and a dump is a copy.
"""

from __future__ import annotations

import mmap
from array import array
from typing import TYPE_CHECKING

from ntos.abi.memory import PAGE_SIZE
from ntos.abi.status import STATUS, NtError

if TYPE_CHECKING:
    from typing import BinaryIO

ZERO_PAGE = bytes(PAGE_SIZE)
FIRST_FRAME = 0x1AE
"""The first MiB is left as on a PC (real-mode vectors, the low stub, firmware); the rest up to the System PML4 at
0x1AD000 stays free too, because readers take the lowest page that looks like a PML4 for the kernel's."""


class PhysicalMemory:
    """`size` bytes of RAM from physical address 0, and its frame allocator."""

    def __init__(self, size: int) -> None:
        self.size = size & ~(PAGE_SIZE - 1)
        self.mapping = mmap.mmap(-1, self.size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.buffer = memoryview(self.mapping)
        self.words = self.buffer.cast("Q")
        """The same bytes as 64-bit words: word i stands at physical address 8 * i. Page tables are read so."""
        self.references = array("I", bytes(4 * (self.size // PAGE_SIZE)))
        self._next = FIRST_FRAME
        self._free: list[int] = []
        self._reserved: set[int] = set()
        self.used = 0

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return self.size // PAGE_SIZE

    @property
    def available(self) -> int:
        """Frames nobody uses."""
        return self.frames - FIRST_FRAME - self.used

    def reserve(self, address: int) -> int:
        """Take the frame at a fixed physical address before anybody else does; gives the address."""
        frame = address // PAGE_SIZE
        self._reserved.add(frame)
        self.references[frame] = 1
        self.used += 1
        return address

    def allocate(self) -> int:
        """The physical address of a zeroed frame with one reference; NO_MEMORY when none is left."""
        if self._free:
            frame = self._free.pop()
            address = frame * PAGE_SIZE
            self.buffer[address : address + PAGE_SIZE] = ZERO_PAGE
        else:
            frame = self._next
            while frame in self._reserved:
                frame += 1
            if frame >= self.frames:
                raise NtError(STATUS.NO_MEMORY)
            self._next = frame + 1
        self.references[frame] = 1
        self.used += 1
        return frame * PAGE_SIZE

    def share(self, address: int) -> int:
        """One more reference to the frame at `address`."""
        self.references[address // PAGE_SIZE] += 1
        return address

    def release(self, address: int) -> None:
        """One reference less; the frame is free when none is left."""
        frame = address // PAGE_SIZE
        left = self.references[frame] - 1
        self.references[frame] = left
        if left == 0:
            self.used -= 1
            self._free.append(frame)

    def write_to(self, file: BinaryIO) -> None:
        """Copy all of RAM to `file`, leaving holes where pages are zero and the file can have holes."""
        file.seek(0)
        chunk = 1 << 20
        zero = bytes(chunk)
        last = min(self.size, ((self._next + 0xFF) & ~0xFF) * PAGE_SIZE)
        for start in range(0, last, chunk):
            data = self.buffer[start : min(start + chunk, self.size)]
            if data != zero[: len(data)]:
                file.seek(start)
                file.write(data)
        file.truncate(self.size)

    def close(self) -> None:
        """Give the memory back to the host."""
        self.words.release()
        self.buffer.release()
        self.mapping.close()


