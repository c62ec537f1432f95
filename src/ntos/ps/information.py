"""What query and set services of processes and threads share: a table of classes, and the rules of length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ntos import ob
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import NTSTATUS

if TYPE_CHECKING:
    from ntos.abi.pointer import Out
    from ntos.abi.types import ULONG
    from ntos.hal.paging import UserMemory
    from ntos.ke.thread import Thread
    from ntos.ob.types import ObjectType

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """One query or set call: who asks, about what, with which buffer."""

    thread: Thread
    target: T
    buffer: int
    length: int
    handle: int

    @property
    def memory(self) -> UserMemory:
        """The caller's memory."""
        return self.thread.memory

    def read(self, size: int | None = None) -> bytes:
        """The buffer's bytes."""
        return self.memory.read(self.buffer, self.length if size is None else size)

    def number(self, *, signed: bool = False) -> int:
        """The buffer as one integer."""
        return int.from_bytes(self.read(), "little", signed=signed)


@dataclass(frozen=True, slots=True)
class Rule(Generic[T]):
    """One information class: lengths it takes (none named: any), access it needs, and what it does."""

    sizes: tuple[int, ...]
    access: int
    serve: Callable[[Asked[T]], Any]
    short: NTSTATUS = STATUS.INFO_LENGTH_MISMATCH
    """What a buffer too small for an answer of variable length gets."""
    alignment: int = 4


Table = dict[int, Rule[T]]


def _begin(
    thread: Thread,
    table: Table[T],
    kind: ObjectType[Any],
    handle: int,
    number: int,
    buffer: int,
    length: int,
    target: T | None = None,
) -> tuple[Rule[T], Asked[T]]:
    rule = table.get(number)
    if rule is None:
        raise NtError(STATUS.INVALID_INFO_CLASS, Denied("no such information class here", {"class": number}))
    if rule.sizes and length not in rule.sizes:
        inputs = {"class": number, "length": length}
        sizes = " or ".join(hex(size) for size in rule.sizes)
        raise NtError(STATUS.INFO_LENGTH_MISMATCH, Denied("length of the information class", inputs, sizes))
    if length and buffer & rule.alignment - 1:
        raise NtError(STATUS.DATATYPE_MISALIGNMENT)
    if target is None:
        target = ob.by_handle(thread, handle, rule.access, kind)
    return rule, Asked(thread, target, buffer, length, handle)


def query(
    thread: Thread,
    table: Table[T],
    kind: ObjectType[Any],
    handle: int,
    number: int,
    buffer: int,
    length: int,
    return_length: Out[ULONG] | None,
    target: T | None = None,
) -> NTSTATUS:
    """Answer from the table. ReturnLength gets the answer's length, or the room it would have needed."""
    rule, asked = _begin(thread, table, kind, handle, number, buffer, length, target)
    answer = rule.serve(asked)
    data, status = answer if isinstance(answer, tuple) else (answer, STATUS.SUCCESS)
    if return_length:
        return_length.write(len(data))
    if len(data) > length:
        raise NtError(rule.short, Denied("buffer too small", {"length": length}, f"{len(data)} bytes"))
    thread.memory.write(buffer, data)
    return NTSTATUS(status)


def change(
    thread: Thread, table: Table[T], kind: ObjectType[Any], handle: int, number: int, buffer: int, length: int
) -> NTSTATUS:
    """Do what the table says; most classes give SUCCESS."""
    rule, asked = _begin(thread, table, kind, handle, number, buffer, length)
    status = rule.serve(asked)
    return STATUS.SUCCESS if status is None else NTSTATUS(status)


def ulong(value: int) -> bytes:
    """Four bytes."""
    return (value & 0xFFFF_FFFF).to_bytes(4, "little")


def word(value: int) -> bytes:
    """Eight bytes."""
    return (value & 0xFFFF_FFFF_FFFF_FFFF).to_bytes(8, "little")


def string(text: bytes, buffer: int) -> bytes:
    """A UNICODE_STRING at `buffer` with its text, NUL-terminated, right behind it."""
    size = len(text)
    head = size.to_bytes(2, "little") + (size + 2).to_bytes(2, "little") + bytes(4)
    return head + word(buffer + 0x10 if size else 0) + (text + b"\0\0" if size else b"")
