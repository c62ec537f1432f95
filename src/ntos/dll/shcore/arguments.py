"""CommandLineToArgvW."""

from __future__ import annotations

import struct

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Out, Ptr
from ntos.abi.types import INT, PVOID, WCHAR
from ntos.dll.kernelbase.objects import parameters
from ntos.dll.kernelbase.services import allocate
from ntos.rtl.commandline import split_command_line
from ntos.rtl.text import to_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread


@export
async def CommandLineToArgvW(thread: UserThread, lpCmdLine: Ptr[WCHAR], pNumArgs: Out[INT] | None) -> PVOID:
    """The arguments of a command line, in one block that LocalFree takes; the program's path for an empty one."""
    if not lpCmdLine or pNumArgs is None:
        raise WinError(ERROR.INVALID_PARAMETER)
    text = lpCmdLine.text()
    arguments = split_command_line(text) if text else [parameters(thread).ImagePathName.text]
    strings = [to_utf16(argument) + b"\0\0" for argument in arguments]
    head = 8 * (len(strings) + 1)
    block = await allocate(thread, head + sum(map(len, strings)))
    places, position = [], block + head
    for data in strings:
        places.append(position)
        position += len(data)
    thread.memory.write(block, struct.pack(f"<{len(places) + 1}Q", *places, 0) + b"".join(strings))
    pNumArgs.write(len(arguments))
    return PVOID(block)
