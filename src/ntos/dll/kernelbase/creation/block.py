"""What a child begins with: its environment block and its current directory."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Ptr
from ntos.abi.status import Denied
from ntos.abi.types import DWORD
from ntos.abi.win32 import CREATE_UNICODE_ENVIRONMENT, MAX_PATH
from ntos.dll.kernelbase.creation.refusal import refusal
from ntos.dll.kernelbase.creation.request import Request
from ntos.dll.kernelbase.objects import full_path, read_block
from ntos.dll.kernelbase.search import file_attributes, is_directory
from ntos.dll.kernelbase.services import allocate_bytes
from ntos.rtl.nls.codepage import ansi
from ntos.rtl.text import to_utf16
from ntos.um.export import WinError
from ntos.um.thread import UserThread

LARGEST_ANSI_BLOCK = 32767


async def directory_of(thread: UserThread, request: Request) -> str | None:
    """The child's current directory: full, short enough, and there."""
    if request.directory is None:
        return None
    full = full_path(thread, request.directory).full if request.directory else ""
    if not full or len(full) >= MAX_PATH or not is_directory(await file_attributes(thread, full)):
        because = Denied("the current directory must exist", {"lpCurrentDirectory": full}, "an existing directory")
        raise WinError(ERROR.DIRECTORY, because)
    return full if full.endswith("\\") else full + "\\"


async def environment_of(thread: UserThread, request: Request) -> int:
    """The address of a UTF-16 block for the child in the heap, or 0 to inherit."""
    if not request.environment:
        return 0
    if request.flags & CREATE_UNICODE_ENVIRONMENT:
        return await allocate_bytes(thread, read_block(thread, request.environment))
    data = _ansi_block(thread, request.environment)
    return await allocate_bytes(thread, to_utf16(ansi(data)))


def _ansi_block(thread: UserThread, address: int) -> bytes:
    data = b""
    while not data.endswith(b"\0\0") and len(data) <= LARGEST_ANSI_BLOCK:
        piece = Ptr[DWORD](thread.memory, address + len(data)).string() + b"\0"
        data += piece
        if piece == b"\0":
            break
    if len(data) > LARGEST_ANSI_BLOCK:
        raise refusal(ERROR.INVALID_PARAMETER, "size of an ANSI environment block", {"bytes": len(data)},
                      "at most 32767, or CREATE_UNICODE_ENVIRONMENT")  # fmt: skip
    return data if data.endswith(b"\0\0") else data + b"\0"
