"""Starting the user's program from the shell.

It is started suspended: the machine puts the host's streams into it and lets it go. What the user names runs itself,
whatever debugger its Image File Execution Options name, and with the rights the user has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.win32 import PROCESS_INFORMATION, STARTUPINFOW
from ntos.abi.status import NtError
from ntos.abi.win32 import CREATE_NEW_CONSOLE, CREATE_SUSPENDED, CREATE_UNICODE_ENVIRONMENT
from ntos.dll.kernelbase.creation.request import Request
from ntos.dll.kernelbase.creation.stages import create_process
from ntos.dll.kernelbase.services import allocate_bytes, free
from ntos.um import nt

if TYPE_CHECKING:
    from ntos.exe.requests import Run
    from ntos.um.thread import UserThread

SHOW_NORMAL = 1


async def start_program(thread: UserThread, run: Run) -> None:
    """CreateProcess; a failure is the request's answer."""
    environment = await allocate_bytes(thread, run.environment)
    with thread.frame() as frame:
        startup, made = frame.new(STARTUPINFOW), frame.new(PROCESS_INFORMATION)
        startup.cb = STARTUPINFOW.size
        startup.wShowWindow = SHOW_NORMAL
        request = Request(
            run.path, run.command_line, None, None, inherit=False,
            flags=CREATE_SUSPENDED | CREATE_NEW_CONSOLE | CREATE_UNICODE_ENVIRONMENT,
            environment=environment, directory=run.directory, startup=startup, narrow=False,
            skip_debugger=True, elevation_settled=True,
        )  # fmt: skip
        try:
            await create_process(thread, request, made)
            run.started(int(made.dwProcessId), int(made.dwThreadId))
            for handle in (int(made.hThread), int(made.hProcess)):
                nt.NtClose(thread, handle)
        except NtError as error:
            run.failure = error
    await free(thread, environment)
    run.done = True
    run.finished()
