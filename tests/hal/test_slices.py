"""A program that computes alone is never stopped from outside: the engine would repeat half of an instruction."""

from __future__ import annotations

from ntos.hal.cpu import SYSCALL
from ntos.hal.paging import NO_EXECUTE, USER, WRITABLE, PageTables
from ntos.hal.platform import Platform
from ntos.hal.unicorn.engine import UnicornBackend

CODE, DATA, TURNS = 0x10000, 0x20000, 30_000_000
LOOP = bytes.fromhex("f048ff0425000002004 8ffc975f20f05".replace(" ", ""))
"""lock inc qword [0x20000]; dec rcx; jnz; syscall"""


def test_every_turn_of_a_long_loop_counts_once() -> None:
    """Read-modify-write instructions of a loop that outlasts many slices are each executed once."""
    platform = Platform(64 << 20, 0)
    backend = UnicornBackend(platform.physical)
    platform.attach(backend)
    asked: list[float] = []

    def spinning(seconds: float) -> bool:
        asked.append(seconds)
        return False

    backend.spinning = spinning
    tables = PageTables(platform.physical, backend)
    code, data = platform.physical.allocate(), platform.physical.allocate()
    tables.map(CODE, code, USER)
    tables.map(DATA, data, USER | WRITABLE | NO_EXECUTE)
    platform.physical.buffer[code : code + len(LOOP)] = LOOP
    context = backend.new_context()
    context.rip, context.rcx = CODE, TURNS
    assert backend.run(context, tables) is SYSCALL
    assert int.from_bytes(platform.physical.buffer[data : data + 8], "little") == TURNS
    assert len(asked) > 2, "the loop must outlast several slices to prove anything"
    platform.close()
