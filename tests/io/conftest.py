"""A small kernel with the I/O system up, a volume in memory as C:, and a thread that asks."""

from __future__ import annotations

import importlib
import struct
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ntos import io
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.ke.thread import Thread
from tests.conftest import World

for _module in ("transfer", "directory", "control", "information"):
    importlib.import_module(f"ntos.io.{_module}")  # their services register themselves

ALL = 0x1F01FF
READ, WRITE = 0x120089, 0x120116
SYNCHRONOUS = 0x20
OPEN, CREATE, OPEN_IF, OVERWRITE, OVERWRITE_IF, SUPERSEDE = 1, 2, 3, 4, 5, 0
DIRECTORY, NOT_DIRECTORY, DELETE_ON_CLOSE = 1, 0x40, 0x1000


class Caller:
    """A thread of the test's, and what it asks of the I/O system."""

    def __init__(self, world: World, thread: Thread | None = None) -> None:
        self.world = world
        self.kernel = world.kernel
        self.thread = thread or world.thread()
        self.block = world.room(self.thread, 16)
        self._attributes = OBJECT_ATTRIBUTES(self.thread.memory, world.room(self.thread, OBJECT_ATTRIBUTES.size))
        self._string = world.room(self.thread, 16)
        self._text = world.room(self.thread, 0x400)
        self._handle = world.room(self.thread, 8)
        self.buffer = world.room(self.thread, 0x4000)

    def other(self) -> Caller:
        """A thread of another process."""
        return Caller(self.world)

    def attributes(self, name: str, root: int = 0) -> int:
        """OBJECT_ATTRIBUTES for a name, in the same place each time."""
        data = name.encode("utf-16-le", "surrogatepass")
        self.thread.memory.write(self._text, data)
        self.thread.memory.write(self._string, struct.pack("<HHxxxxQ", len(data), len(data), self._text))
        view = self._attributes
        view.Length, view.RootDirectory, view.ObjectName = OBJECT_ATTRIBUTES.size, root, self._string
        view.Attributes = 0x40
        return view.address

    def call(self, name: str, *arguments: int) -> int:
        """A service that does not block."""
        return self.world.call(self.thread, name, *arguments)

    def do(self, name: str, *arguments: int) -> int:
        """A service that may block, run until nothing happens any more; 0x103 when it still waits."""
        answer = [0x103]

        async def body() -> None:
            answer[0] = await self.world.call_async(self.thread, name, *arguments)

        self.start(body())
        self.world.run()
        return answer[0]

    def start(self, coroutine: Coroutine[None, None, Any]) -> None:
        """Let the thread run something."""
        self.world.start(self.thread, coroutine)

    def open(
        self,
        name: str,
        access: int = ALL,
        disposition: int = OPEN,
        options: int = SYNCHRONOUS,
        share: int = 7,
        attributes: int = 0,
        root: int = 0,
    ) -> int:
        """NtCreateFile; the handle, or the error status (which has its high bits set)."""
        if name[1:2] == ":":
            name = "\\??\\" + name
        status = self.call(
            "NtCreateFile", self._handle, access, self.attributes(name, root), self.block, 0, attributes,
            share,
            disposition, options, 0, 0,
        )  # fmt: skip
        return status if status >> 30 == 3 else self.world.integer(self.thread, self._handle)

    def close(self, handle: int) -> int:
        """NtClose."""
        from ntos import ob

        ob.close(self.thread, handle)
        return 0

    @property
    def information(self) -> int:
        """IO_STATUS_BLOCK.Information."""
        return self.world.integer(self.thread, self.block + 8)

    def write(self, handle: int, data: bytes, offset: int | None = None) -> int:
        """NtWriteFile."""
        self.thread.memory.write(self.buffer, data)
        place = 0 if offset is None else self.world.large(self.thread, offset)
        return self.do("NtWriteFile", handle, 0, 0, 0, self.block, self.buffer, len(data), place, 0)

    def read(self, handle: int, size: int = 0x1000, offset: int | None = None) -> bytes | int:
        """NtReadFile: the bytes, or the status where it is no success."""
        place = 0 if offset is None else self.world.large(self.thread, offset)
        status = self.do("NtReadFile", handle, 0, 0, 0, self.block, self.buffer, size, place, 0)
        return self.thread.memory.read(self.buffer, self.information) if status == 0 else status

    def query(self, handle: int, kind: int, size: int = 0x400) -> bytes:
        """NtQueryInformationFile: what was written."""
        status = self.call("NtQueryInformationFile", handle, self.block, self.buffer, size, kind)
        assert status == 0, hex(status)
        return self.thread.memory.read(self.buffer, self.information)

    def set(self, handle: int, kind: int, data: bytes) -> int:
        """NtSetInformationFile."""
        self.thread.memory.write(self.buffer, data)
        return self.call("NtSetInformationFile", handle, self.block, self.buffer, len(data), kind)

    def rename(self, handle: int, name: str, flags: int = 0, kind: int = 65) -> int:
        """FileRenameInformationEx (65), FileLinkInformationEx (72)."""
        name = "\\??\\" + name if name[1:2] == ":" else name
        data = name.encode("utf-16-le")
        return self.set(handle, kind, struct.pack("<IxxxxQI", flags, 0, len(data)) + data + bytes(4))

    def names(self, handle: int, pattern: str | None = None, kind: int = 12, size: int = 0x1000) -> list[str] | int:
        """All names NtQueryDirectoryFile gives, or its first status."""
        text = self.world.string(self.thread, pattern) if pattern is not None else 0
        found: list[str] = []
        while True:
            status = self.do("NtQueryDirectoryFile", handle, 0, 0, 0, self.block, self.buffer, size, kind, 0, text, 0)
            if status == 0x80000006:
                return found
            if status:
                return status
            data = self.thread.memory.read(self.buffer, self.information)
            place = 0
            while True:
                following, _, length = struct.unpack_from("<III", data, place)
                found.append(data[place + 12 : place + 12 + length].decode("utf-16-le"))
                if not following:
                    break
                place += following


@pytest.fixture
def caller(world: World) -> Caller:
    """A caller on a machine whose C: is a volume in memory."""
    io.install(world.kernel)
    io.mount(world.kernel, "C", io.MemoryVolume())
    return Caller(world)


Maker = Callable[[io.Volume], Caller]


@pytest.fixture
def on(world: World) -> Maker:
    """A caller on a machine whose C: is the given volume."""

    def make(volume: io.Volume) -> Caller:
        io.install(world.kernel)
        io.mount(world.kernel, "C", volume)
        return Caller(world)

    return make
