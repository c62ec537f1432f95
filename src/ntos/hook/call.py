"""One call of a hooked function, as a callback sees it: arguments, caller, result."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from ntos.abi.memory import read_string, read_wide
from ntos.abi.signature import ALL_BITS, Kind, Parameter, Signature, pack_floating, result_mask
from ntos.abi.status import GuestFault
from ntos.abi.types import CHAR, DOUBLE, FLOAT, WCHAR, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ntos.hook.site import Site
    from ntos.ke.process import Process
    from ntos.ke.thread import Frame, Thread

REGISTERS = ("rcx", "rdx", "r8", "r9")
MOST_ARGUMENTS = 16
"""What `Thread.call` can hand over."""
LAST_ERROR = 0x68
"""TEB.LastErrorValue."""


class Arguments:
    """A call's arguments, by position or by name. Reading decodes, writing changes what the function will get.

    Text comes for pointers to characters, typed numbers for scalars, a view for pointers to structures, and the bare
    64 bits where the function's signature is not known. A str or bytes written is put on the stack and pointed at.
    """

    def __init__(self, call: Call) -> None:
        self._call = call

    def __getitem__(self, key: int | str) -> Any:
        index, parameter = self._find(key)
        raw = self.raw(index)
        return raw if parameter is None else _decoded(parameter, self._call, index, raw)

    def __setitem__(self, key: int | str, value: int | str | bytes) -> None:
        index, parameter = self._find(key)
        thread = self._call.thread
        if isinstance(value, str):
            narrow = parameter is not None and parameter.type is CHAR
            value = value.encode("cp1252") + b"\0" if narrow else value.encode("utf-16-le", "surrogatepass") + b"\0\0"
        if isinstance(value, bytes):
            value = self._call.place(value)
        value &= ALL_BITS
        if index < len(REGISTERS):
            setattr(thread.context, REGISTERS[index], value)
        else:
            thread.memory.write(self._call.stack + 8 + 8 * index, value.to_bytes(8, "little"))

    def __iter__(self) -> Iterator[str]:
        return (parameter.name for parameter in self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    def items(self) -> list[tuple[str, Any]]:
        """(name, value) of each argument the signature names."""
        return [(name, self[name]) for name in self]

    def raw(self, index: int) -> int:
        """The 64 bits of an argument, as an integer argument is passed."""
        if index < len(REGISTERS):
            return int(getattr(self._call.thread.context, REGISTERS[index]))
        return int.from_bytes(self._call.thread.memory.read(self._call.stack + 8 + 8 * index, 8), "little")

    def all(self) -> tuple[int, ...]:
        """As many as the signature names; without one, all that could be there."""
        signature = self._call.signature
        variadic = signature is None or any(each.kind is Kind.VARIADIC for each in signature.parameters)
        values: list[int] = []
        for index in range(MOST_ARGUMENTS if variadic or signature is None else signature.count):
            try:
                values.append(self.raw(index))
            except GuestFault:  # the stack ends above the caller
                break
        return tuple(values)

    @property
    def _parameters(self) -> tuple[Parameter, ...]:
        signature = self._call.signature
        return () if signature is None else tuple(p for p in signature.parameters if p.kind is not Kind.VARIADIC)

    def _find(self, key: int | str) -> tuple[int, Parameter | None]:
        parameters = self._parameters
        if isinstance(key, int):
            return key, parameters[key] if key < len(parameters) else None
        for index, parameter in enumerate(parameters):
            if parameter.name == key:
                return index, parameter
        raise KeyError(f"{self._call.name} has no argument {key!r} by its signature")


def _decoded(parameter: Parameter, call: Call, index: int, raw: int) -> Any:
    memory = call.thread.memory
    if parameter.kind is Kind.FLOATING:
        return _floating(parameter.type, call.thread.context.xmm(index))
    if parameter.kind is Kind.VALUE:
        return parameter.type.wrap(raw) if hasattr(parameter.type, "wrap") else raw
    if raw == 0:
        return None
    if parameter.kind is Kind.POINTER and parameter.type is WCHAR:
        return read_wide(memory, raw)
    if parameter.kind is Kind.POINTER and parameter.type is CHAR:
        return read_string(memory, raw).decode("cp1252", "replace")
    if parameter.kind is Kind.OUT or issubclass(parameter.type, Scalar):
        return raw
    return parameter.type(memory, raw)


def _floating(kind: Any, data: bytes) -> float:
    value: float = struct.unpack_from("<d" if kind is DOUBLE else "<f", data)[0]
    return value


class Call:
    """A function is being called: who, what, with which arguments; after it, with which result."""

    def __init__(self, site: Site, thread: Thread, frame: Frame) -> None:
        context = thread.context
        self.thread = thread
        self.module = site.module
        self.name = site.name
        self.address = site.target
        self.signature: Signature | None = site.signature
        self.stack = context.rsp
        """RSP at the entry: the return address stands there."""
        self.return_address = int.from_bytes(thread.memory.read(self.stack, 8), "little")
        self.arguments = Arguments(self)
        self.answered = False
        """Somebody has given the result: the function itself does not run."""
        self.placed = False
        self._result: Any = None
        self._frame = frame
        self._site = site

    @property
    def process(self) -> Process:
        """Whose process it is."""
        return self.thread.process

    @property
    def caller(self) -> str:
        """module+offset of the return address."""
        return self.thread.module_at(self.return_address)

    @property
    def result(self) -> Any:
        """What the function gave, in the type of its signature; None before it has run. May be changed."""
        return self._result

    @result.setter
    def result(self, value: Any) -> None:
        self._result = value

    @property
    def last_error(self) -> int:
        """GetLastError of the thread. May be changed."""
        return int.from_bytes(self.thread.memory.read(self.thread.context.gs_base + LAST_ERROR, 4), "little")

    @last_error.setter
    def last_error(self, code: int) -> None:
        self.thread.memory.write(self.thread.context.gs_base + LAST_ERROR, (code & 0xFFFF_FFFF).to_bytes(4, "little"))

    def answer(self, result: Any, *, last_error: int | None = None) -> None:
        """Return this without running the function."""
        self._result, self.answered = result, True
        if last_error is not None:
            self.last_error = last_error

    def place(self, data: bytes) -> int:
        """The address of a copy of `data` on the stack, there until the function has returned."""
        self.placed = True
        return self._frame.bytes(data)

    def text(self, key: int | str) -> str:
        """The UTF-16 text an argument points at, for functions without a signature."""
        index = self.arguments._find(key)[0]  # noqa: SLF001 - two halves of one thing
        return read_wide(self.thread.memory, self.arguments.raw(index))

    async def original(self, *arguments: int) -> Any:
        """Run the function itself and give its result; without arguments, with those of the call as they are now."""
        context, thread = self.thread.context, self.thread
        context.rip, thread.door_stack = self.address, self.stack
        raw = await thread.call(self._site.resume, *(arguments or self.arguments.all()))
        context.rax = raw
        returns = self.signature.returns if self.signature is not None else None
        if returns in (DOUBLE, FLOAT):
            return _floating(returns, context.xmm(0))
        if isinstance(returns, type) and issubclass(returns, Scalar):
            return returns.wrap(raw)
        return raw

    def leave(self) -> None:
        """Return to the caller with the result."""
        context = self.thread.context
        returns = self.signature.returns if self.signature is not None else int
        if returns in (DOUBLE, FLOAT):
            context.set_xmm(0, pack_floating(returns, self._result))
        elif self._result is not None:
            mask = ALL_BITS if returns is int else result_mask(returns)
            context.rax = int(self._result) & (ALL_BITS if mask is None else mask)
        context.rip, context.rsp = self.return_address, self.stack + 8
