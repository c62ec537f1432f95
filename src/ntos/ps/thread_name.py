"""The description of a thread (SetThreadDescription): ETHREAD.ThreadName, a UNICODE_STRING in pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.string import UNICODE_STRING

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

TAG = b"ThNm"


def get(thread: Thread) -> bytes:
    """The name in UTF-16; empty for none."""
    address = int(thread.ethread.ThreadName)
    if not address:
        return b""
    view = UNICODE_STRING(thread.kernel.memory, address)
    return thread.kernel.memory.read(int(view.Buffer), int(view.Length))


def put(thread: Thread, text: bytes) -> None:
    """Give the thread a name; an empty one takes it away."""
    kernel, old = thread.kernel, int(thread.ethread.ThreadName)
    address = 0
    if text:
        address = kernel.pool.allocate(UNICODE_STRING.size + len(text), TAG)
        view = UNICODE_STRING(kernel.memory, address)
        view.Length = view.MaximumLength = len(text)
        view.Buffer = address + UNICODE_STRING.size
        kernel.memory.write(address + UNICODE_STRING.size, text)
    thread.ethread.ThreadName = address
    if old:
        kernel.pool.free(old)
