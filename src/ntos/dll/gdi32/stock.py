"""Stock objects: handles every process has in common.

A GDI handle is index, type (bits 16 to 22), stock bit (23) and reuse count (24 to 31), as debuggers' `!gdikdx` says;
stock objects are the first the system makes, so their handles are the same on every machine.
"""

from __future__ import annotations

from ntos.abi.types import HANDLE, INT
from ntos.um.export import export
from ntos.um.thread import UserThread

FIRST_USE = 0x0100_0000
STOCK = 0x0080_0000
BRUSH, PEN, FONT, PALETTE = 0x10_0000, 0x30_0000, 0x0A_0000, 0x08_0000
FIRST_INDEX = 0x10
KINDS = {
    **dict.fromkeys(range(6), BRUSH), **dict.fromkeys((6, 7, 8), PEN), **dict.fromkeys(range(10, 15), FONT),
    15: PALETTE, 16: FONT, 17: FONT, 18: BRUSH, 19: PEN,
}  # fmt: skip
"""By WHITE_BRUSH … DC_PEN (wingdi.h)."""


@export(partial="a handle for window classes; nothing can be drawn with it")
def GetStockObject(thread: UserThread, i: INT) -> HANDLE:
    """The handle of a brush, pen, font or palette that is always there; 0 for a number that means none."""
    kind = KINDS.get(i)
    return HANDLE(FIRST_USE | STOCK | kind | FIRST_INDEX + i if kind is not None else 0)
