"""explorer.exe: the user's shell. What `ntos run` names, the shell starts by CreateProcess, as at a double click."""

from __future__ import annotations

from ntos.abi.types import NTSTATUS, PVOID
from ntos.exe.requests import Requests, Run
from ntos.exe.start import start_program
from ntos.um.export import export
from ntos.um.thread import UserThread


@export
async def wWinMainCRTStartup(thread: UserThread, Peb: PVOID) -> NTSTATUS:
    """Start what the user asks for."""
    requests = thread.state(Requests)
    while True:
        run = await requests.next(thread, Run)
        await start_program(thread, run)
