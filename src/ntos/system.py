"""The system processes as the machine's owner sees them: booting, logging the user on, asking the shell for a program.

`exe` holds what they do; here is only what happens outside of them: the kernel's first process, and the wishes of the
person at the keyboard.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

from ntos import io, ob
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.status import STATUS, NtError
from ntos.ex.handle import HandleTable
from ntos.exe.requests import Requests, Run
from ntos.ke.event import Event
from ntos.ob.manager import BODY
from ntos.ps.allocate import Creation
from ntos.ps.create import create_process
from ntos.ps.manager import ProcessManager
from ntos.ps.peb import NORMALIZED, Parameters
from ntos.ps.thread import resume
from ntos.rtl import environment
from ntos.um.export import WinError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.se.token import Token

T = TypeVar("T")
SESSION_MANAGER = "\\SystemRoot\\System32\\smss.exe"
TOKEN_ALL_ACCESS = 0xF01FF
ANSWERED = "answered"
"""Why the scheduler was asked to stop: a wish has been fulfilled."""
DEEP = 20_000
"""Python frames a guest call chain may need."""
STATUSES = {129: STATUS.IMAGE_SUBSYSTEM_NOT_PRESENT, 193: STATUS.INVALID_IMAGE_FORMAT, 267: STATUS.NOT_A_DIRECTORY}
"""Win32 errors of CreateProcess that come from no status: what the kernel would have called them."""
FILE_EXECUTE, SHARE_READ_DELETE, SYNCHRONOUS_NON_DIRECTORY = 0x20, 5, 0x60


class System:
    """Windows' own processes in one machine."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.processes: frozenset[Process] = frozenset([kernel[ProcessManager].system])
        """Those that were there before the user's first program."""

    def boot(self, token: Token, variables: Mapping[str, str]) -> None:
        """Start the session manager, and when all is quiet log the bearer of `token` on at the console."""
        kernel = self.kernel
        system = kernel[ProcessManager].system
        path = SESSION_MANAGER.replace("\\SystemRoot", "C:\\Windows", 1)
        creation = Creation(system, system, command_line=SESSION_MANAGER)
        made = create_process(
            kernel, creation, SESSION_MANAGER, first_parameters(path, SESSION_MANAGER, variables), None, 0
        )
        kernel.scheduler.ready(made.thread)
        resume(made.thread)
        for part in (made.thread, made.section, made.file, made.process):
            if part is not None:
                ob.dereference(part)  # the running thread and the process's views keep them
        self._run()
        winlogon = self.named("winlogon.exe")
        self._ask(winlogon, ob.insert_handle(winlogon, token, TOKEN_ALL_ACCESS))
        self._run()
        self.processes = frozenset(kernel[ProcessManager].processes())

    def named(self, name: str) -> Process:
        """The running process of this image name (the last one made)."""
        for process in reversed(self.kernel[ProcessManager].processes()):
            if process.name.lower() == name and process.threads:
                return process
        raise RuntimeError(f"the system did not come up: {name} is not running")

    def run(self, wish: Run) -> None:
        """Let the shell start a program; raises why it could not."""
        scheduler = self.kernel.scheduler
        self._ask(self.named("explorer.exe"), wish)
        reason = self._run()
        if reason == ANSWERED:
            scheduler.stop_requested = ""
        elif not wish.done:
            raise RuntimeError(f"the shell did not answer: {reason}")
        if wish.failure is not None:
            raise self._cause_of(wish)

    def _cause_of(self, wish: Run) -> BaseException:
        """The kernel's own refusal behind what CreateProcess made of it."""
        failure = wish.failure
        assert failure is not None
        if not isinstance(failure, WinError):
            return failure
        if isinstance(failure.__cause__, NtError):
            return failure.__cause__
        try:
            file = io.open_file(
                self.kernel, f"\\??\\{wish.path}", access=FILE_EXECUTE, share=SHARE_READ_DELETE,
                options=SYNCHRONOUS_NON_DIRECTORY,
            )  # fmt: skip
        except NtError as error:
            return error
        ob.dereference(file)
        return NtError(STATUSES[failure.code], failure.because) if failure.code in STATUSES else failure

    def answered(self) -> None:
        """A wish is fulfilled: the machine need not run on until all is quiet."""
        self.kernel.scheduler.stop_requested = self.kernel.scheduler.stop_requested or ANSWERED

    def _ask(self, process: Process, wish: object) -> None:
        requests = process.user_state.part(Requests)
        requests.waiting.append(wish)
        entry = process.part(HandleTable).lookup(requests.event)
        if entry is None:
            raise RuntimeError(f"{process.name} does not listen")
        event: Event = ob.at_address(self.kernel, entry.header + BODY)
        event.set()

    def _run(self) -> str:
        """Until all is quiet, or a wish is fulfilled."""
        depth = sys.getrecursionlimit()
        sys.setrecursionlimit(max(depth, DEEP))
        try:
            return self.kernel.scheduler.run(lambda: True)
        finally:
            sys.setrecursionlimit(depth)


def first_parameters(path: str, line: str, variables: Mapping[str, str]) -> Parameters:
    """The process parameters the kernel gives the first process."""
    parameters = Parameters(RTL_USER_PROCESS_PARAMETERS.new())
    view = RTL_USER_PROCESS_PARAMETERS.parse(parameters.header)
    view.Flags = NORMALIZED
    parameters.header = bytearray(bytes(view))
    parameters.texts["ImagePathName"] = path.encode("utf-16-le")
    parameters.texts["CommandLine"] = line.encode("utf-16-le")
    parameters.current_directory = "C:\\Windows\\System32\\".encode("utf-16-le")
    parameters.environment = environment.format_block(variables)
    return parameters
