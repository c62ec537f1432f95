r"""A machine: the one place where all parts are joined, and the Python API behind `ntos run`.

with Machine(drives={"C": Path("tree")}) as machine:
process = machine.create_process("D:\\hello.exe", ["one", "two words"])
machine.run()
print(process.exit_code)
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING

from ntos import io, ob, profile
from ntos.abi.layout.peb import PEB
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.status import STATUS
from ntos.cm import sam
from ntos.cm.registry import Registry
from ntos.dll.ntdll.ldr.state import Loader
from ntos.etw.event import MachineStarted, MachineStopped
from ntos.exe.requests import Run
from ntos.hal.platform import Platform
from ntos.init import boot
from ntos.ke.kernel import Kernel
from ntos.profile import default_environment
from ntos.ps.allocate import Creation
from ntos.ps.create import create_process as kernel_create_process
from ntos.ps.exit import end_later
from ntos.ps.manager import ProcessManager
from ntos.ps.peb import NORMALIZED, Parameters
from ntos.ps.thread import ThreadStart, create_thread, resume
from ntos.rtl import commandline, environment
from ntos.se import token as tokens
from ntos.se import well_known
from ntos.se.account import Accounts
from ntos.system import System
from ntos.um import images
from ntos.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType
    from typing import Any, BinaryIO, Self

    from ntos.etw.log import Log
    from ntos.hal.cpu import Backend
    from ntos.hook import Call, Hook, Hooks
    from ntos.ke.process import Process as KernelProcess
    from ntos.ke.thread import Thread
    from ntos.se.account import User

DEFAULT_MEMORY = 1 << 30
SMALLEST_MEMORY = 32 << 20
CURRENT_DIRECTORY_ROOM = 520
LOADER_READY = 2
DLL_CHARACTERISTIC = 0x2000
GUI, CONSOLE = 2, 3
"""IMAGE_SUBSYSTEM_WINDOWS_*: what CreateProcess starts."""


@dataclass(slots=True)
class Process:
    """A process somebody started from outside: what one wants to know about it, now or after its end."""

    _process: KernelProcess = field(repr=False)
    id: int
    path: str

    @property
    def exit_code(self) -> int | None:
        """The 32-bit exit code, or None while it runs."""
        status = int(self._process.eprocess.ExitStatus)
        alive = self._process.threads or not int(self._process.header.SignalState)
        return None if alive else status & 0xFFFF_FFFF

    @property
    def kernel_process(self) -> KernelProcess:
        """The process object inside the machine."""
        return self._process


class Machine:
    """One machine: memory, kernel, volumes, and the processes in it.

    `memory` is in bytes. `drives` maps letters to host folders; C: always has the system's files over it. `seed`
    decides everything random. `stdin`, `stdout`, `stderr` are host file descriptors (0, 1, 2 unless given). The system
    processes come up at once, unless `system` is False or a `backend` is given. `user` is who sits at the console.
    Raises OSError for folders that cannot be used.
    """

    def __init__(
        self,
        *,
        memory: int = DEFAULT_MEMORY,
        seed: int = 0,
        drives: Mapping[str, str | Path] | None = None,
        aslr: bool = True,
        stdin: int = 0,
        stdout: int = 1,
        stderr: int = 2,
        backend: Backend | None = None,
        system: bool | None = None,
        user: str = "user",
        password: str = "",
        administrator: bool = False,
    ) -> None:
        self.seed = seed
        self.platform = Platform(max(memory, SMALLEST_MEMORY), seed)
        self.platform.attach(backend or _unicorn(self.platform))
        self.kernel = Kernel(self.platform)
        self._streams = (stdin, stdout, stderr)
        self._started = False
        self.folders: dict[str, Path] = {}
        """Host folders by drive letter."""
        self.kernel.log.where = self._where
        self.user = user
        boot.phase0(self.kernel, aslr=aslr, user=user, password=password, administrator=administrator)
        self.platform.backend.spinning = self.kernel.scheduler.spinning
        boot.phase1(self.kernel)
        self.logon = well_known.interactive(self.kernel, self.kernel[Accounts].users[-1])
        """The user at the console: whoever's programs `create_process` starts."""
        self._mount(dict(drives or {}))
        image = images.build("ntdll")
        self.kernel.doors.update(image.doors)
        boot.map_ntdll(self.kernel, image.rvas)
        self.kernel.part(io.console.Delivery).start = self._control_event
        self.kernel[ProcessManager].process_notify.append(_console_membership)
        self.system = System(self.kernel)
        self._booted = False
        self._suspended: list[Thread] = []
        """First threads of programs that begin with the next `run`."""
        if system or (system is None and backend is None):
            self._start_system()

    def boot(self) -> None:
        """Start the system processes, unless they run: what `system=False` left for later."""
        self._announce()
        self._start_system()

    def _start_system(self) -> None:
        if not self._booted:
            self._booted = True
            self.system.boot(self.logon.token, default_environment(self.user))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def log(self) -> Log:
        """The event stream: subscribe before running."""
        return self.kernel.log

    # ------------------------------------------------------------ volumes

    def _mount(self, drives: dict[str, str | Path]) -> None:
        tree = self._tree = io.SystemTree()
        for name in images.all_names():
            tree.add_file(images.path_of(name), partial(self._module, name), image=True)
        for folder in ("Windows\\Temp", profile.folder(self.user), "Users\\Public", "ProgramData"):
            tree.add_directory(folder)
        below = drives.pop("C", None)
        base = io.HostVolume(Path(below)) if below is not None else io.MemoryVolume()
        io.mount(self.kernel, "C", io.OverlayVolume(tree, base))
        if below is not None:
            self.folders["C"] = Path(below).resolve()
        for letter, host_folder in drives.items():
            self.map_drive(letter, host_folder)

    def map_drive(self, letter: str, folder: str | Path) -> None:
        """Let the guest see a host folder as a drive."""
        io.mount(self.kernel, letter.upper(), io.HostVolume(Path(folder)))
        self.folders[letter.upper()] = Path(folder).resolve()

    def _module(self, name: str) -> bytes:
        image = images.build(name)
        self.kernel.doors.update(image.doors)
        return image.data

    def guest_path(self, path: str | Path) -> str:
        """The guest's name for a host file that lies in a mapped folder; a guest path stays as it is."""
        text = str(path)
        if text[1:2] == ":" or text.startswith("\\"):
            return text
        absolute = Path(path).absolute()
        for letter, root in self.folders.items():
            for candidate in (absolute, absolute.resolve()):
                if candidate.is_relative_to(root):
                    return f"{letter}:\\" + str(candidate.relative_to(root)).replace("/", "\\")
        raise FileNotFoundError(f"{path} is in no mapped folder")

    # ------------------------------------------------------------ accounts

    def add_user(
        self,
        name: str,
        password: str = "",
        *,
        administrator: bool = False,
        groups: Sequence[str] = (),
        enabled: bool = True,
        password_expired: bool = False,
    ) -> User:
        """A local account with a profile; `groups` are names of local groups besides Users and Administrators.

        Nobody may log on with an empty password but at the console. Raises ValueError for an account that is there,
        or a group that is not.
        """
        return profile.add_user(
            self.kernel, self._tree, name, password, administrator=administrator, groups=groups, enabled=enabled,
            password_expired=password_expired,
        )  # fmt: skip

    def enable_user(self, name: str, password: str) -> None:
        """Let an account be used (Administrator and Guest are there, disabled), with a new password."""
        sam.add_user(self.kernel[Registry], self.kernel[Accounts].enable(name, password))

    # ------------------------------------------------------------ processes

    def create_process(
        self,
        program: str | Path,
        arguments: Sequence[str] = (),
        *,
        environment_variables: Mapping[str, str] | None = None,
        current_directory: str | None = None,
        command_line: str | None = None,
    ) -> Process:
        """Start a program (a guest path, or a host file in a mapped folder).

        The command line is `program arguments…`, quoted as CommandLineToArgvW undoes it, unless given whole.
        Raises NtError with the status CreateProcess would have turned into an error.
        """
        self._announce()
        path = self.guest_path(program)
        line = command_line if command_line is not None else commandline.join([path, *arguments])
        directory: str = current_directory or path.rpartition("\\")[0] + "\\"
        variables = dict(default_environment(self.user))
        variables.update(environment_variables or {})
        if self._booted:
            return self._shell_starts(path, line, directory, variables)
        parameters = self._parameters(path, line, directory, variables)
        manager = self.kernel[ProcessManager]
        creation = Creation(manager.system, manager.system, command_line=line, subsystems=(GUI, CONSOLE))
        creation.token = tokens.duplicate_for_process(self.kernel, self.logon.token)
        made = kernel_create_process(
            self.kernel, creation, "\\??\\" + path, parameters, None, DLL_CHARACTERISTIC
        )
        io.console.standard_handles(made.process, made.parameters, *self._streams)
        self.kernel.scheduler.ready(made.thread)
        resume(made.thread)
        assert made.file is not None
        for made_too in (made.thread, made.section, made.file):
            ob.dereference(made_too)  # the running thread and the process's views keep them
        return Process(made.process, made.process.id, path)

    def _shell_starts(self, path: str, line: str, directory: str, variables: Mapping[str, str]) -> Process:
        """The way of a double click: explorer.exe calls CreateProcess."""
        made: list[KernelProcess] = []

        def started(process: int, thread: int) -> None:
            found, first = (self.kernel[ProcessManager].process_by_id(process),
                            self.kernel[ProcessManager].thread_by_id(thread))  # fmt: skip
            assert found is not None
            assert first is not None
            parameters = int(PEB(found.memory, int(found.eprocess.Peb)).ProcessParameters)
            io.console.standard_handles(found, parameters, *self._streams)
            ob.reference(found)  # the caller looks at the process after its end
            ob.reference(first)
            made.append(found)
            self._suspended.append(first)

        self.system.run(Run(path, line, directory, environment.format_block(variables), started, self.system.answered))
        return Process(made[0], made[0].id, path)

    @staticmethod
    def _parameters(path: str, line: str, directory: str, variables: Mapping[str, str]) -> Parameters:
        parameters = Parameters(RTL_USER_PROCESS_PARAMETERS.new())
        view = RTL_USER_PROCESS_PARAMETERS.parse(parameters.header)
        view.Flags = NORMALIZED
        view.ShowWindowFlags = 1
        parameters.header = bytearray(bytes(view))
        for name, text in (("ImagePathName", path), ("CommandLine", line), ("WindowTitle", path),
                           ("DesktopInfo", "WinSta0\\Default")):  # fmt: skip
            parameters.texts[name] = text.encode("utf-16-le", "surrogatepass")
        parameters.current_directory = directory.encode("utf-16-le", "surrogatepass")
        parameters.environment = environment.format_block(variables)
        return parameters

    def hook(
        self,
        target: str | int,
        *,
        before: Callable[[Call], Any] | None = None,
        after: Callable[[Call], Any] | None = None,
        replace: Callable[[Call], Any] | None = None,
        process: int | str | None = None,
        how: str = "inline",
    ) -> Hook:
        """Have Python called when guest code calls a function; see docs/hooks.md.

        `target` is `kernel32!CreateFileW`, `ws2_32!#115`, `program.exe+0x1234` or an address; `process` an id or a
        program's name (all processes if None); `how` is "inline" (patch the function) or "iat" (patch import tables).
        """
        return self.hooks.add(target, how, process, before, after, replace)

    def watch_injections(self) -> None:
        """Recognise code that is brought into other processes, and tell of it: `injection` events."""
        from ntos.hook.look import KernelLook  # noqa: PLC0415 - only where somebody wants to know
        from ntos.report.injection import InjectionWatch  # noqa: PLC0415

        InjectionWatch(self.kernel.log, KernelLook(self.kernel))

    @cached_property
    def hooks(self) -> Hooks:
        """All hooks of the machine."""
        from ntos.hook import Hooks  # noqa: PLC0415 - most machines have none

        return Hooks(self.kernel)

    def processes(self) -> list[KernelProcess]:
        """All process objects, System first."""
        return self.kernel[ProcessManager].processes()

    # ------------------------------------------------------------ running

    def run(self, timeout: float | None = None) -> str:
        """Run until every process has ended; gives why it stopped.

        "finished", "timeout" (host seconds), "interrupt" (a second Ctrl-C), "bugcheck" (the kernel stopped the
        machine: `kernel.part(bugcheck.Stopped)` says why), or "deadlock" when every thread waits for something that
        can never happen.
        """
        scheduler = self.kernel.scheduler
        while self._suspended:
            thread = self._suspended.pop(0)
            resume(thread)
            ob.dereference(thread)
        limit = Timer(timeout, self.stop, ("timeout",)) if timeout is not None else None
        if limit is not None:
            limit.daemon = True
            limit.start()
        depth = sys.getrecursionlimit()
        sys.setrecursionlimit(max(depth, 20_000))
        try:
            reason = scheduler.run(self._all_ended)
        finally:
            sys.setrecursionlimit(depth)
            if limit is not None:
                limit.cancel()
        self.kernel.log.emit(MachineStopped(reason=reason))
        return reason

    def interrupt(self) -> None:
        """What Ctrl-C does: the first one reaches the guest's console processes, a second stops the machine."""
        if self._interrupted:
            self.stop("interrupt")
        self._interrupted = True
        self.kernel.scheduler.host_events.put(lambda: io.console.control_event(self.kernel, 0))

    _interrupted = False

    def stop(self, reason: str) -> None:
        """Make `run` end with this reason as soon as it can."""
        self.kernel.scheduler.stop_requested = reason
        self.platform.backend.stop()

    def _control_event(self, process: KernelProcess, event: int) -> None:
        """Let a process's control handlers run, in a thread of their own; one that is not set up yet just ends."""
        loader = process.user_state.part(Loader)
        kernelbase = loader.named("kernelbase.dll")
        routine = kernelbase.exports.find("CtrlRoutine") if kernelbase is not None and kernelbase.exports else None
        if kernelbase is None or kernelbase.exports is None or routine is None or loader.phase != LOADER_READY:
            end_later(process, int(STATUS.CONTROL_C_EXIT))
            return
        start = ThreadStart(kernelbase.base + kernelbase.exports.functions[routine], event)
        ob.dereference(create_thread(process, start))

    def _all_ended(self) -> bool:
        system = self.system.processes
        return not any(process.threads for process in self.kernel.processes.values() if process not in system)

    def dump(self, file: BinaryIO) -> None:
        """Write physical memory as a raw image."""
        self.platform.physical.write_to(file)

    def close(self) -> None:
        """Switch the machine off: threads that have not ended are dropped where they stand."""
        for thread in list(self.kernel.threads.values()):
            if thread.coroutine is not None:
                thread.coroutine.close()
                thread.coroutine = None
        self.platform.close()

    # ------------------------------------------------------------ telling

    def _announce(self) -> None:
        if not self._started:
            self._started = True
            self.kernel.log.emit(
                MachineStarted(version=VERSION, seed=self.seed, memory=self.platform.physical.size)
            )

    def _where(self) -> tuple[int, int, int]:
        current = self.kernel.scheduler.current
        if current is None:
            return self.kernel.clock.now, 0, 0
        return self.kernel.clock.now, current.process.id, current.id


def _console_membership(process: KernelProcess, began: bool) -> None:  # noqa: FBT001 - as every notify routine
    """A console program joins the console chosen for it; whoever ends has left."""
    if not began:
        io.console.detach(process)
        return
    manager = process.kernel[ProcessManager]
    io.console_membership.join(process, manager.process_by_id(int(process.eprocess.InheritedFromUniqueProcessId)))


def _unicorn(platform: Platform) -> Backend:
    from ntos.hal.unicorn.engine import UnicornBackend  # noqa: PLC0415 - tests run without an engine

    return UnicornBackend(platform.physical)


__all__ = ["Machine", "Process", "default_environment"]
