"""The vocabulary: one class a kind of event. Field names and types are the schema of `--trace` (version below)."""

from __future__ import annotations

from typing import Any

import msgspec

SCHEMA = "ntos-trace/1"
"""Changes when a field changes meaning or goes; new kinds and new fields do not change it."""


class Reason(msgspec.Struct, omit_defaults=True):
    """Why a call failed, where a rule refused: which, on what, and the smallest change that would flip it.

    `stage` and `routine` say how far a process creation had come.
    """

    rule: str = ""
    inputs: dict[str, Any] = {}
    flip: str = ""
    stage: int = 0
    routine: str = ""


class Event(msgspec.Struct, tag_field="event", omit_defaults=True):
    """What every event carries: when (100 ns since boot), in which process and thread (0 outside any)."""

    time: int = 0
    process: int = 0
    thread: int = 0


class MachineStarted(Event, tag="machine-start", omit_defaults=False):
    """First line of every trace."""

    schema: str = SCHEMA
    version: str = ""
    seed: int = 0
    memory: int = 0


class MachineStopped(Event, tag="machine-stop"):
    """Last line: why the machine stopped (exit, timeout, interrupt, failure)."""

    reason: str = ""


class BugCheck(Event, tag="bug-check"):
    """The kernel stopped the machine: code and parameters as on a blue screen, and the program it was about."""

    code: int = 0
    name: str = ""
    parameters: list[int] = []
    culprit: str = ""


class MachineFailed(Event, tag="machine-failed"):
    """A fault of ours ended the run: what and where, and the Python traceback."""

    error: str = ""
    traceback: list[str] = []


class ProcessCreated(Event, tag="process-create"):
    """A process object came into being; `process` is its creator."""

    id: int = 0
    parent: int = 0
    image: str = ""
    command_line: str = ""
    session: int = 0
    protection: int = 0


class ProcessExited(Event, tag="process-exit"):
    """The last thread left."""

    id: int = 0
    image: str = ""
    status: int = 0


class CreationStep(Event, tag="creation-step"):
    """A step of a process creation begins, and the one before it ends: stage 1 to 7, the routine of Windows that
    does it, and what it works on. `subject` is the new process's id from when it has one.
    """

    stage: int = 0
    routine: str = ""
    subject: int = 0
    details: dict[str, Any] = {}


class CreationDecision(Event, tag="creation-decision"):
    """A rule was applied on the way: to what, with what outcome, and what would have turned it."""

    rule: str = ""
    outcome: str = ""
    inputs: dict[str, Any] = {}
    flip: str = ""


class CreationObject(Event, tag="creation-object"):
    """Something was made on the way: an object, a handle, a view, a structure.

    `value` is a handle or an address in the process `owner` (0: in the kernel); `structure` names the type that
    lies there.
    """

    kind: str = ""
    name: str = ""
    value: int = 0
    owner: int = 0
    size: int = 0
    access: int = 0
    structure: str = ""


class CreationEnded(Event, tag="creation-end"):
    """The call that creates a process came back; where it failed, `because` says how far it came and why."""

    routine: str = ""
    subject: int = 0
    status: int = 0
    status_name: str = ""
    error: int = 0
    because: Reason | None = None


class ThreadCreated(Event, tag="thread-create"):
    """A thread was inserted; `start` is its Win32 start address, `remote` whether another process made it."""

    id: int = 0
    owner: int = 0
    start: int = 0
    remote: bool = False


class ThreadExited(Event, tag="thread-exit"):
    """A thread ended."""

    id: int = 0
    status: int = 0


class ImageLoaded(Event, tag="image-load"):
    """An image was mapped; `source` says by which rule the loader found it, where the loader mapped it,
    and `importer` who needed it.
    """

    path: str = ""
    base: int = 0
    size: int = 0
    source: str = ""
    importer: str = ""


class ImportsSnapped(Event, tag="imports-snapped"):
    """The loader has filled an image's import table."""

    path: str = ""
    base: int = 0


class HookedCall(Event, tag="hooked-call"):
    """A function was called on which `ntos run --hook` has a hook, and came back."""

    module: str = ""
    name: str = ""
    arguments: dict[str, Any] = {}
    result: Any = None
    caller: str = ""


class ImageUnloaded(Event, tag="image-unload"):
    """An image was unmapped."""

    path: str = ""
    base: int = 0


class ServiceCalled(Event, tag="service"):
    """A system service was called and came back."""

    name: str = ""
    arguments: dict[str, Any] = {}
    status: int = 0
    results: dict[str, Any] = {}
    because: Reason | None = None


class ExportCalled(Event, tag="export"):
    """A Python-implemented export was called and came back; `caller` is module+offset of the return address."""

    module: str = ""
    name: str = ""
    arguments: dict[str, Any] = {}
    result: Any = None
    caller: str = ""
    because: Reason | None = None


class Refused(Event, tag="refused"):
    """A rule refused: which, on what, and the smallest change that would flip it."""

    name: str = ""
    status: int = 0
    status_name: str = ""
    rule: str = ""
    inputs: dict[str, Any] = {}
    flip: str = ""


class Missing(Event, tag="missing"):
    """Something ntos does not have was asked for: the function, who called, with which arguments."""

    module: str = ""
    name: str = ""
    caller: str = ""
    arguments: list[int] = []
    detail: str = ""


class ExceptionRaised(Event, tag="exception"):
    """An exception was dispatched to user mode (first chance) or ended the process (second)."""

    code: int = 0
    code_name: str = ""
    address: int = 0
    location: str = ""
    information: list[int] = []
    first_chance: bool = True


class DebuggerAttached(Event, tag="debugger-attach"):
    """A process got a debugger: at its creation (`created`), or while it ran."""

    id: int = 0
    debugger: int = 0
    created: bool = False


class DebuggerDetached(Event, tag="debugger-detach"):
    """A process lost its debugger: it `detached`, or `closed` its debug object, which may have `killed` the process."""

    id: int = 0
    reason: str = ""


class DebugEventAnswered(Event, tag="debug-event"):
    """A debugger has answered what thread `about` of process `id` told it; `code` is an exception's."""

    kind: str = ""
    id: int = 0
    about: int = 0
    answer: int = 0
    code: int = 0
    first_chance: bool = True


class HardError(Event, tag="hard-error"):
    """NtRaiseHardError: the text a message box would have shown."""

    status: int = 0
    status_name: str = ""
    text: str = ""
    caption: str = ""


class DebugPrint(Event, tag="debug-print"):
    """OutputDebugString, DbgPrint, loader snaps."""

    text: str = ""


class MessageBox(Event, tag="message-box"):
    """A message box nobody sees; `answer` is what the machine's rule chose."""

    caption: str = ""
    text: str = ""
    style: int = 0
    answer: int = 0


class WindowCreated(Event, tag="window-create"):
    """A window came into being, before its procedure has seen the first message."""

    handle: int = 0
    window_class: str = ""
    title: str = ""
    style: int = 0
    desktop: str = ""


class WindowDestroyed(Event, tag="window-destroy"):
    """A window's procedure has seen the last message."""

    handle: int = 0


class FileOpened(Event, tag="file-open"):
    """A file, directory, pipe or device was opened or created (or refused: see status)."""

    path: str = ""
    access: int = 0
    disposition: int = 0
    status: int = 0


class FileDeleted(Event, tag="file-delete"):
    """A file or directory went away."""

    path: str = ""


class FileRenamed(Event, tag="file-rename"):
    """A file or directory got another name."""

    path: str = ""
    target: str = ""


class KeyOpened(Event, tag="key-open"):
    """A registry key was opened or created."""

    path: str = ""
    created: bool = False
    status: int = 0


class ValueSet(Event, tag="value-set"):
    """A registry value was written."""

    path: str = ""
    name: str = ""
    type: int = 0
    data: Any = None


class MemoryWritten(Event, tag="memory-write"):
    """One process wrote into another's memory."""

    target: int = 0
    address: int = 0
    size: int = 0


class MemoryProtected(Event, tag="memory-protect"):
    """Memory became executable, or another process's memory was allocated or protected."""

    target: int = 0
    address: int = 0
    size: int = 0
    protection: int = 0
    kind: str = ""


class MemoryUnmapped(Event, tag="memory-unmap"):
    """One process took a view out of another; `program` says that it was the program's own image."""

    target: int = 0
    address: int = 0
    program: bool = False


class ContextSet(Event, tag="context-set"):
    """One process set registers of a thread of another: where that goes on, and RCX, a new thread's start routine."""

    id: int = 0
    target: int = 0
    address: int = 0
    start: int = 0


class ApcQueued(Event, tag="apc-queue"):
    """One process queued a call in a thread of another."""

    id: int = 0
    target: int = 0
    routine: int = 0
    argument: int = 0


class Injection(Event, tag="injection"):
    """Code was brought into another process, in a known way; `evidence` are the events that show it."""

    technique: str = ""
    source: int = 0
    target: int = 0
    evidence: list[dict[str, Any]] = []
