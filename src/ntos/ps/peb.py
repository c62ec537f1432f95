"""PEB and process parameters in the new address space (MmCreatePeb, PspSetupUserProcessAddressSpace)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import mm
from ntos.abi.layout.peb import PEB
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.memory import read_wide
from ntos.etw import account
from ntos.ps.api_set_map import map_api_sets
from ntos.se import token as tokens

if TYPE_CHECKING:
    from ntos.abi.layout.section import SECTION_IMAGE_INFORMATION
    from ntos.abi.memory import Memory
    from ntos.ke.process import Process

NORMALIZED = 1
STRINGS = ("DllPath", "ImagePathName", "CommandLine", "WindowTitle", "DesktopInfo", "ShellInfo", "RuntimeData",
           "RedirectionDllName")  # fmt: skip
CURRENT_DIRECTORY_ROOM = 520
"""CurrentDirectory.DosPath always has room for MAX_PATH characters."""
CRITICAL_SECTION_TIMEOUT = -2_592_000 * 10_000_000
PROTECTED_LIGHT = 1
NO_MUTANT = 0xFFFF_FFFF_FFFF_FFFF
MAXIMUM_NUMBER_OF_HEAPS = 16


def create_peb(process: Process, image_base: int, information: SECTION_IMAGE_INFORMATION, session: int) -> PEB:
    """Allocate and fill the PEB; the loader fills the rest."""
    address = mm.allocate_peb(process)
    peb = PEB(process.memory, address)
    peb.Mutant = NO_MUTANT
    peb.ImageBaseAddress = image_base
    peb.ApiSetMap = map_api_sets(process)
    peb.NumberOfProcessors = 1
    peb.CriticalSectionTimeout = CRITICAL_SECTION_TIMEOUT
    peb.HeapSegmentReserve = 0x10_0000
    peb.HeapSegmentCommit = 0x2000
    peb.HeapDeCommitTotalFreeThreshold = 0x1_0000
    peb.HeapDeCommitFreeBlockThreshold = 0x1000
    peb.MaximumNumberOfHeaps = MAXIMUM_NUMBER_OF_HEAPS
    peb.ProcessHeaps = address + PEB.size
    peb.OSMajorVersion = 10
    peb.OSBuildNumber = 19045
    peb.OSPlatformId = 2
    peb.ImageSubsystem = int(information.SubSystemType)
    peb.ImageSubsystemMajorVersion = int(information.SubSystemMajorVersion)
    peb.ImageSubsystemMinorVersion = int(information.SubSystemMinorVersion)
    peb.ActiveProcessAffinityMask = 1
    peb.SessionId = session
    kind = int(process.eprocess.Protection.Type)
    peb.IsAppContainer = int(tokens.primary_token(process).claims.package is not None)
    peb.IsProtectedProcess = int(kind != 0)
    peb.IsProtectedProcessLight = int(kind == PROTECTED_LIGHT)
    process.eprocess.Peb = address
    account.made(process.kernel.log, "structure", "process environment block", address, process.id, size=PEB.size,
                 structure="PEB")  # fmt: skip
    return peb


class Parameters:
    """A process's parameters as values: read from the creator, written into the child."""

    def __init__(self, view: RTL_USER_PROCESS_PARAMETERS) -> None:
        memory = view.memory.origin
        base = 0 if int(view.Flags) & NORMALIZED else view.address
        self.header = bytearray(bytes(view))
        self.texts = {name: _bytes(memory, getattr(view, name), base) for name in STRINGS}
        self.current_directory = _bytes(memory, view.CurrentDirectory.DosPath, base)
        self.flags = 0
        """Flags to set in the child besides the caller's."""
        self.environment = _environment(memory, int(view.Environment), int(view.EnvironmentSize))

    def text(self, name: str) -> str:
        """One of the strings."""
        data = self.texts[name]
        return data[: len(data) & ~1].decode("utf-16-le", "surrogatepass")

    def place(self, process: Process) -> int:
        """Write everything as one block into the process; gives the address of the (normalised) parameters."""
        head = RTL_USER_PROCESS_PARAMETERS.size
        size = head + CURRENT_DIRECTORY_ROOM + 16
        size += sum(len(text) + 2 + 8 for text in self.texts.values()) + len(self.environment) + 64
        address = mm.allocate(process, size)
        view = RTL_USER_PROCESS_PARAMETERS.parse(bytes(self.header[:head]), address)
        body = bytearray()

        def put(target: UNICODE_STRING, data: bytes, room: int) -> None:
            body.extend(bytes(-len(body) % 8))
            target.Length = len(data)
            target.MaximumLength = room
            target.Buffer = address + head + len(body) if room else 0
            body.extend(data.ljust(room, b"\0"))

        room = max(CURRENT_DIRECTORY_ROOM, len(self.current_directory) + 2)
        put(view.CurrentDirectory.DosPath, self.current_directory, room)
        for name, data in self.texts.items():
            put(getattr(view, name), data, len(data) + 2 if data or name == "CommandLine" else 0)
        body.extend(bytes(-len(body) % 16))
        view.Environment = address + head + len(body)
        view.EnvironmentSize = len(self.environment)
        view.Length = view.MaximumLength = head + len(body)
        view.ProcessGroupId = int(view.ProcessGroupId) or process.id
        view.Flags = int(view.Flags) | self.flags | NORMALIZED
        process.memory.write(address, bytes(view) + bytes(body) + self.environment)
        PEB(process.memory, int(process.eprocess.Peb)).ProcessParameters = address
        return address


def _bytes(memory: Memory, text: UNICODE_STRING, base: int) -> bytes:
    length = int(text.Length)
    return memory.read(base + int(text.Buffer), length) if length else b""


def _environment(memory: Memory, address: int, size: int) -> bytes:
    """The block with its final double NUL; its size is measured where the creator did not say it."""
    if not address:
        return struct.pack("<HH", 0, 0)
    if size:
        return memory.read(address, size)
    block = b""
    while True:
        text = read_wide(memory, address + len(block))
        block += text.encode("utf-16-le", "surrogatepass") + b"\0\0"
        if not text:
            return block if len(block) > 2 else block + b"\0\0"
