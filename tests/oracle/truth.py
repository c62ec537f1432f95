"""The machine's own truth at one moment, from its kernel objects and loaders, in the shape other readers give."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ntos import mm, ob
from ntos.abi.layout.peb import PEB
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.cm.key import Key
from ntos.dll.ntdll.ldr.state import Loader
from ntos.ex.handle import HandleTable
from ntos.io.file import FileObject
from ntos.ke.process import Process
from ntos.ke.thread import Thread
from ntos.ob.directory import name_of
from ntos.ob.manager import ObjectManager
from ntos.ps.allocate import audit_name
from ntos.se.token import primary_token

if TYPE_CHECKING:
    from ntos.machine import Machine

SHOWN = 0xFFFF_FFFF_FFFF
"""Volatility shows addresses without their upper sixteen bits."""


@dataclass(slots=True)
class ProcessTruth:
    """One process."""

    id: int
    parent: int
    name: str
    address: int
    session: int
    audit: str
    create_time: int
    threads: list[tuple[int, int, int]] = field(default_factory=list)
    """(id, start address, Win32 start address)."""
    handles: list[tuple[int, str, int, str]] = field(default_factory=list)
    """(value, type, granted access, name)."""
    ranges: list[tuple[int, int, int, bool, int, str]] = field(default_factory=list)
    """(first address, last address, five bits of protection, private, commit charge, file)."""
    modules: list[tuple[int, int, str]] = field(default_factory=list)
    """(base, size, path) in load order."""
    initialised: set[int] = field(default_factory=set)
    """Bases of the modules whose turn to be initialised has come."""
    command_line: str = ""
    image_path: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    present: int = 0
    enabled: int = 0

    @property
    def has_user_part(self) -> bool:
        """Whether there is a user half to read: not for System, not for one that has exited."""
        return bool(self.threads)


def take(machine: Machine) -> dict[int, ProcessTruth]:
    """All processes by id."""
    return {process.id: _process(process) for process in machine.processes()}


def _process(process: Process) -> ProcessTruth:
    eprocess = process.eprocess
    token = primary_token(process)
    told = ProcessTruth(
        id=process.id,
        parent=int(eprocess.InheritedFromUniqueProcessId),
        name=process.name,
        address=process.address & SHOWN,
        session=token.session,
        audit=audit_name(process),
        create_time=int(eprocess.CreateTime),
        threads=[_thread(thread) for thread in process.threads],
        groups=[group.text for group in token.claims.groups],
        present=token.claims.present,
        enabled=token.claims.enabled,
    )
    if process.has(HandleTable):
        told.handles = [_handle(process, *row) for row in process[HandleTable].items()]
    if process.threads and int(eprocess.Peb):
        _user_part(process, told)
    return told


def _thread(thread: Thread) -> tuple[int, int, int]:
    view = thread.ethread
    return thread.id, int(view.StartAddress) & SHOWN, int(view.Win32StartAddress) & SHOWN


def _handle(process: Process, value: int, entry: Any) -> tuple[int, str, int, str]:
    obj = ob.object.at_address(process.kernel, entry.header + 0x30)
    return value, process.kernel[ObjectManager].kind_of_name(obj), entry.access, _name(obj)


def _name(obj: Any) -> str:
    match obj:
        case FileObject():
            return obj.path
        case Process():
            return f"{obj.name} Pid {obj.id}"
        case Thread():
            return f"Tid {obj.id} Pid {obj.process.id}"
        case Key():
            return obj.node.path.removeprefix("\\REGISTRY").removeprefix("\\")
    return name_of(obj)


def _user_part(process: Process, told: ProcessTruth) -> None:
    for vad in mm.space_of(process).vads.vads:
        file = vad.area.file if vad.area is not None else None
        name = file.name if isinstance(file, FileObject) else ""
        told.ranges.append((vad.base, vad.base + vad.size - 1, vad.protection, vad.private, vad.charge, name))
    loader = process.user_state.part(Loader)
    told.modules = [(module.base, module.size, module.path) for module in loader]
    told.initialised = {module.base for module in loader if int(module.entry.InInitializationOrderLinks.Flink)}
    memory = process.memory
    peb = PEB(memory, int(process.eprocess.Peb))
    parameters = RTL_USER_PROCESS_PARAMETERS(memory, int(peb.ProcessParameters))
    told.command_line, told.image_path = parameters.CommandLine.text, parameters.ImagePathName.text
    block = memory.read(int(parameters.Environment), int(parameters.EnvironmentSize)).decode("utf-16-le")
    for line in block.partition("\0\0")[0].split("\0"):
        name, _, value = line[1:].partition("=")
        told.environment[line[:1] + name] = value
