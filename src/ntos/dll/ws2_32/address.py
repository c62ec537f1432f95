"""Addresses in network order and as text."""

from __future__ import annotations

from ntos.abi.pointer import Ptr
from ntos.abi.types import CHAR, ULONG, USHORT
from ntos.abi.winsock import INADDR_NONE
from ntos.um.export import export
from ntos.um.thread import UserThread

PARTS = 4


@export(aliases=("ntohs",))
def htons(thread: UserThread, hostshort: USHORT) -> USHORT:
    """A 16-bit number with its bytes in the other order."""
    return USHORT(int.from_bytes(hostshort.to_bytes(2, "little"), "big"))


@export(aliases=("ntohl",))
def htonl(thread: UserThread, hostlong: ULONG) -> ULONG:
    """A 32-bit number with its bytes in the other order."""
    return ULONG(int.from_bytes(hostlong.to_bytes(4, "little"), "big"))


def parse(text: str) -> int | None:
    """A dotted address of one to four parts, each decimal, octal or hexadecimal; the last fills what is left."""
    parts = text.split(".")
    if len(parts) > PARTS:
        return None
    value = 0
    for place, part in enumerate(parts):
        number = _number(part)
        last = place == len(parts) - 1
        if number is None or number >> (8 * (PARTS - place) if last else 8):
            return None
        value |= number if last else number << 8 * (PARTS - 1 - place)
    return value


def _number(part: str) -> int | None:
    base = 16 if part[:2] in ("0x", "0X") else 8 if part.startswith("0") else 10
    digits = part[2:] if base == 16 else part
    if not digits or not digits.isascii() or not digits.isalnum():
        return None
    try:
        return int(digits, base)
    except ValueError:
        return None


@export
def inet_addr(thread: UserThread, cp: Ptr[CHAR]) -> ULONG:
    """A dotted address in network order; INADDR_NONE for what is none."""
    text = cp.string().decode("latin-1")
    found = 0 if text == " " else parse(text)
    return ULONG(INADDR_NONE if found is None else int.from_bytes(found.to_bytes(4, "little"), "big"))
