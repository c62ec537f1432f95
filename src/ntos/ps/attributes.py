"""PS_ATTRIBUTE_LIST: what a caller asks of, and wants to learn from, a process or thread creation."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ntos.abi.signature import probe_for_write
from ntos.abi.status import STATUS, Denied, NtError

if TYPE_CHECKING:
    from ntos.hal.paging import UserMemory

NUMBER_MASK = 0xFFFF
ENTRY_SIZE = 0x20
MAXIMUM_ENTRIES = 30

PARENT_PROCESS, DEBUG_OBJECT, TOKEN, CLIENT_ID, TEB_ADDRESS = 0, 1, 2, 3, 4
IMAGE_NAME, IMAGE_INFO, MEMORY_RESERVE, PRIORITY_CLASS, ERROR_MODE, STD_HANDLE_INFO = 5, 6, 7, 8, 9, 10
HANDLE_LIST, GROUP_AFFINITY, PREFERRED_NODE, IDEAL_PROCESSOR, UMS_THREAD, MITIGATION_OPTIONS = 11, 12, 13, 14, 15, 16
PROTECTION_LEVEL, SECURE_PROCESS, JOB_LIST, CHILD_PROCESS_POLICY, ALL_APPLICATION_PACKAGES = 17, 18, 19, 20, 21
WIN32K_FILTER, SAFE_OPEN_PROMPT, BNO_ISOLATION, DESKTOP_APP_POLICY, CHPE = 22, 23, 24, 25, 26
MITIGATION_AUDIT, MACHINE_TYPE, COMPONENT_FILTER = 27, 28, 29
SUPPORTED = frozenset((
    PARENT_PROCESS, DEBUG_OBJECT, TOKEN, CLIENT_ID, TEB_ADDRESS, IMAGE_NAME, IMAGE_INFO, PRIORITY_CLASS, ERROR_MODE,
    STD_HANDLE_INFO, HANDLE_LIST, GROUP_AFFINITY, PREFERRED_NODE, IDEAL_PROCESSOR, CHPE, MITIGATION_OPTIONS,
    PROTECTION_LEVEL, JOB_LIST, CHILD_PROCESS_POLICY, MEMORY_RESERVE, DESKTOP_APP_POLICY, COMPONENT_FILTER,
))  # fmt: skip
"""What has an effect here, or is true without one."""


OUTPUTS = (CLIENT_ID, TEB_ADDRESS, IMAGE_INFO)
LARGEST_ANSWER = 0x40


@dataclass(frozen=True, slots=True)
class Attribute:
    """One entry."""

    number: int
    size: int
    value: int
    return_length: int


@dataclass(slots=True)
class Attributes:
    """A captured list, by attribute number."""

    memory: UserMemory
    entries: dict[int, Attribute] = field(default_factory=dict)

    @classmethod
    def capture(cls, memory: UserMemory, address: int) -> Attributes:
        """Read and check a list; unknown, repeated or unsupported attributes are refused, never ignored."""
        found = cls(memory)
        if not address:
            return found
        total = struct.unpack("<Q", memory.read(address, 8))[0]
        count, rest = divmod(total - 8, ENTRY_SIZE)
        if rest or not 0 <= count <= MAXIMUM_ENTRIES:
            because = Denied("attribute list length", {"TotalLength": total}, "8 + 0x20 n")
            raise NtError(STATUS.INVALID_PARAMETER, because)
        for index in range(count):
            raw, size, value, back = struct.unpack("<4Q", memory.read(address + 8 + index * ENTRY_SIZE, ENTRY_SIZE))
            number = raw & NUMBER_MASK
            if number in found.entries or number >= MAXIMUM_ENTRIES:
                raise NtError(STATUS.INVALID_PARAMETER, Denied("attribute repeated or unknown", {"attribute": raw}))
            if number not in SUPPORTED:
                raise NtError(STATUS.NOT_SUPPORTED, Denied("attribute not implemented", {"attribute": raw}))
            found.entries[number] = Attribute(number, size, value, back)
        return found

    def value(self, number: int) -> int | None:
        """The value (or pointer) of an attribute; None where absent."""
        entry = self.entries.get(number)
        return entry.value if entry else None

    def data(self, number: int, limit: int = 0x10000) -> bytes | None:
        """The bytes an attribute points at."""
        entry = self.entries.get(number)
        if entry is None:
            return None
        if entry.size > limit:
            inputs = {"attribute": hex(number), "size": entry.size}
            raise NtError(STATUS.INVALID_PARAMETER, Denied("size of an attribute", inputs, f"at most {limit}"))
        return self.memory.read(entry.value, entry.size)

    def probe(self) -> None:
        """See that every answer can be written, before there is anything to tell (ProbeForWrite)."""
        for number in OUTPUTS:
            entry = self.entries.get(number)
            if entry is not None and entry.size:
                probe_for_write(self.memory, entry.value, min(entry.size, LARGEST_ANSWER))
            if entry is not None and entry.return_length:
                probe_for_write(self.memory, entry.return_length, 8)

    def give(self, number: int, data: bytes) -> None:
        """Answer an output attribute, if it is there."""
        entry = self.entries.get(number)
        if entry is None:
            return
        size = min(entry.size, len(data))
        self.memory.write(entry.value, data[:size])
        if entry.return_length:
            self.memory.write(entry.return_length, struct.pack("<Q", size))
