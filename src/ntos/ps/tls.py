"""Static TLS of all threads at once: ProcessTlsInformation and ThreadZeroTlsCell.

When a DLL with a TLS directory is loaded later, ntdll prepares a block (or a longer vector) for each thread and
has the kernel put them in place, so that no thread can be seen half changed (image-loader.md section 4).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.layout.teb import TEB
from ntos.abi.status import STATUS, Denied, GuestFault, NtError

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread
    from ntos.ps.information import Asked

HEADER, ENTRY = struct.Struct("<4I"), struct.Struct("<IxxxxQQQ")
REPLACE_INDEX, REPLACE_VECTOR = 0, 1
ASSIGNED = 2
"""THREAD_TLS_INFORMATION.Flags of an entry that was given to a thread."""
POINTER = TEB.offset("ThreadLocalStoragePointer")
SLOTS, EXPANSION = TEB.offset("TlsSlots"), TEB.offset("TlsExpansionSlots")
SLOT_COUNT, EXPANSION_COUNT = 64, 1024


def replace(asked: Asked[Process]) -> None:
    """Give each thread that has static TLS its new block or vector; entries tell what it had and who got it."""
    process = asked.target
    if process is not asked.thread.process:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("TLS of another process", {"process": process.id}))
    if asked.length < HEADER.size:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    flags, operation, count, number = HEADER.unpack(asked.read(HEADER.size))
    if asked.length != HEADER.size + count * ENTRY.size:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH, Denied("ThreadDataCount", {"count": count}))
    if flags or operation > REPLACE_VECTOR or not count:
        inputs = {"Flags": flags, "OperationType": operation, "ThreadDataCount": count}
        raise NtError(STATUS.INVALID_PARAMETER, Denied("PROCESS_TLS_INFORMATION", inputs))
    place = asked.buffer + HEADER.size
    end = place + count * ENTRY.size
    for member in process.threads:
        if place == end:
            return
        new = ENTRY.unpack(asked.memory.read(place, ENTRY.size))[1]
        old = _exchange(member, operation, number, new)
        if old is not None:
            asked.memory.write(place, ENTRY.pack(ASSIGNED, new, old, member.id))
            place += ENTRY.size


def _exchange(member: Thread, operation: int, number: int, new: int) -> int | None:
    """What the thread had before; None where it has no vector (it has not come through the loader yet)."""
    memory, teb = member.memory, int(member.tcb.Teb)
    try:
        vector = _pointer(member, teb + POINTER) if teb else 0
        if not vector:
            return None
        if operation == REPLACE_INDEX:
            old = _pointer(member, vector + 8 * number)
            memory.write(vector + 8 * number, new.to_bytes(8, "little"))
            return old
        memory.write(new, memory.read(vector, 8 * number))
        memory.write(teb + POINTER, new.to_bytes(8, "little"))
    except GuestFault:
        return None
    return vector


def _pointer(member: Thread, address: int) -> int:
    return int.from_bytes(member.memory.read(address, 8), "little")


def zero_cell(process: Process, index: int) -> None:
    """Clear one TLS slot in all threads (TlsFree). INVALID_PARAMETER for a slot that cannot be."""
    if index >= SLOT_COUNT + EXPANSION_COUNT:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("TLS index", {"index": index}, "below 1088"))
    for member in process.threads:
        teb = int(member.tcb.Teb)
        if not teb:
            continue
        try:
            cell = teb + SLOTS + 8 * index
            if index >= SLOT_COUNT:
                expansion = _pointer(member, teb + EXPANSION)
                cell = expansion + 8 * (index - SLOT_COUNT) if expansion else 0
            if cell:
                member.memory.write(cell, bytes(8))
        except GuestFault:
            continue  # that thread's own memory is gone; it has no slot to clear
