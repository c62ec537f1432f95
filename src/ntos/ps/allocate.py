"""The process object and its address space, step by step (PspAllocateProcess)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ntos import lpc, mm, ob
from ntos.abi.layout.process import EPROCESS
from ntos.abi.se import TOKEN_NO_CHILD_PROCESS, TOKEN_NO_CHILD_PROCESS_UNLESS_SECURE
from ntos.abi.status import STATUS, NtError
from ntos.etw import account
from ntos.ex.handle import HandleTable
from ntos.ke.process import PROCESS_OBJECT, Process
from ntos.ps import protection, told
from ntos.ps.manager import PROCESS, ProcessManager
from ntos.se import token as tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.ke.kernel import Kernel
    from ntos.mm.section import Section
    from ntos.ob.types import KernelObject
    from ntos.ps.job_object import Job
    from ntos.ps.mitigation import Options
    from ntos.se.token import Token

PRIORITIES = {0: 8, 1: 4, 2: 8, 3: 13, 4: 24, 5: 6, 6: 10}
"""PriorityClass (EPROCESS numbering) to base priority."""
NORMAL_CLASS = 2
INHERITED_CLASSES = (1, 5)
QUANTUM = 6
NO_CHILDREN = TOKEN_NO_CHILD_PROCESS | TOKEN_NO_CHILD_PROCESS_UNLESS_SECURE
DATA_NEVER_EXECUTES = 0x0D
"""KEXECUTE_OPTIONS of 64-bit programs: ExecuteDisable, DisableThunkEmulation, Permanent."""
MINIMUM_WORKING_SET, MAXIMUM_WORKING_SET = 50, 345
HIGHEST_USER_ADDRESS = 0x7FFF_FFFE_FFFF

FLAG_ADDRESS_SPACE_INITIALIZED = 0xC00
FLAG_HAS_ADDRESS_SPACE = 1 << 18
FLAG_IMAGE_NOTIFY_DONE = 1 << 22
FLAG_INSERTED = 1 << 26
FLAG_IO_PRIORITY_NORMAL = 2 << 27
PAGE_PRIORITY = 5 << 12


@dataclass(slots=True)
class Creation:
    """What a process creation needs and has made so far (PspBuildCreateProcessContext)."""

    parent: Process
    """Whose handles, token, session and quota the new process inherits."""
    creator: Process
    image: Section | None = None
    image_path: str = ""
    """NT path of the image, for EPROCESS.SeAuditProcessCreationInfo."""
    token: Token | None = None
    priority_class: int = 0
    error_mode: int | None = None
    inherit_handles: bool = False
    breakaway: bool = False
    """Leave the parent's jobs, as far as they allow it."""
    force_breakaway: bool = False
    """Leave them whatever they say (SeTcbPrivilege)."""
    handle_list: set[int] | None = None
    session: int | None = None
    command_line: str = ""
    jobs: list[Job] = field(default_factory=list)
    """Jobs to be in besides the parent's, outermost first."""
    mitigation: Options | None = None
    protection: int | None = None
    """PS_PROTECTION as asked for or, for the system's own, as decided; None where nobody said anything."""
    reserves: list[tuple[int, int]] = field(default_factory=list)
    """(address or 0, size) of ranges to be reserved before anything else finds a place."""
    standard_handles: bytes = b""
    """PS_STD_HANDLE_INFO: whether the kernel hands standard handles on."""
    token_flags: int = 0
    """TokenFlags the new process's token has besides its parent's (the child process policy)."""
    frees_children: bool = False
    """PROCESS_CREATION_CHILD_PROCESS_OVERRIDE: the child may have children even if its token's model may not."""
    process_security: int = 0
    """User address of the security descriptor the creator gives the process, or 0."""
    thread_security: int = 0
    debug_object: KernelObject | None = None
    """Who is to debug the process; None leaves it to inheritance."""
    no_debug_inherit: bool = False
    """Its children shall not inherit its debugger."""
    minimal: bool = False
    """Nothing is to be in the address space, not even what every program finds there."""
    subsystems: tuple[int, ...] = ()
    """The image must be for one of these, if any are named: what CreateProcess asks of a program."""


def allocate_process(
    kernel: Kernel, creation: Creation, made: Callable[[Process], object] = lambda _: None
) -> Process:
    """A process object with token, handle table and address space; not yet in any list.

    `made` hears of the object as soon as there is one: where a later step fails, somebody must take it apart.
    """
    manager, log = kernel[ProcessManager], kernel.log
    account.step(log, 3, "PspAllocateProcess", parent=creation.parent.id, creator=creation.creator.id)
    process = _object(kernel, manager)
    made(process)
    eprocess = process.eprocess
    account.made(log, "process", "the process object", process.address, size=EPROCESS.size, structure="EPROCESS")
    parent = creation.parent.eprocess
    eprocess.ExitStatus = int(STATUS.PENDING)
    eprocess.LastThreadExitStatus = 0
    eprocess.CreateTime = kernel.clock.system_time
    eprocess.CreateInterruptTime = eprocess.CreateUnbiasedInterruptTime = kernel.clock.now
    eprocess.SequenceNumber = manager.next_sequence()
    eprocess.InheritedFromUniqueProcessId = creation.parent.id
    eprocess.OwnerProcessId = creation.creator.id
    eprocess.DeviceMap = parent.DeviceMap
    eprocess.QuotaBlock = parent.QuotaBlock
    eprocess.DefaultHardErrorProcessing = (
        int(parent.DefaultHardErrorProcessing) if creation.error_mode is None else creation.error_mode
    )
    limits = eprocess.Vm.Instance
    limits.MinimumWorkingSetSize, limits.MaximumWorkingSetSize = MINIMUM_WORKING_SET, MAXIMUM_WORKING_SET
    eprocess.Flags2 = PAGE_PRIORITY
    eprocess.Flags = FLAG_IO_PRIORITY_NORMAL
    _names(process, creation)
    protection.assign(process, creation.protection or 0)
    account.step(log, 3, "MmCreateProcessAddressSpace")
    _address_space(kernel, process, minimal=creation.minimal)
    account.step(log, 3, "KeInitializeProcess")
    initialize_kernel_part(process, _priority_class(creation))
    account.step(log, 3, "PspInitializeProcessSecurity")
    _token(process, creation)
    if creation.mitigation is not None:
        creation.mitigation.apply(eprocess)
    account.step(log, 3, "ObInitProcess")
    _handles(process, creation)
    told.handles_inherited(process, creation)
    account.step(log, 3, "MiSessionAddProcess")
    _session(process, creation)
    return process


def _token(process: Process, creation: Creation) -> None:
    """PspInitializeProcessSecurity: the token asked for, or a copy of the parent's; it takes over the reference."""
    token, creation.token = creation.token, None
    asked = token is not None
    if token is None:
        token = tokens.duplicate_for_process(process.kernel, tokens.primary_token(creation.parent))
    inherited = int(token.body.TokenFlags)
    if creation.frees_children:
        inherited &= ~NO_CHILDREN
    token.body.TokenFlags = inherited | creation.token_flags
    tokens.set_primary_token(process, token)
    told.security_given(process, asked)


def _object(kernel: Kernel, manager: ProcessManager) -> Process:
    manager.tables_for_next = tables = mm.create_address_space(kernel)
    try:
        process = ob.create(kernel, PROCESS)
    except NtError:
        tables.physical.release(tables.root)
        raise
    eprocess = process.eprocess
    for name in ("ThreadListHead", "JobLinks", "MmProcessLinks", "ActiveProcessLinks", "SessionProcessLinks",
                 "TimerResolutionLink", "SharedCommitLinks", "SvmProcessDeviceListHead",
                 "VirtualTimerListHead"):  # fmt: skip
        getattr(eprocess, name).initialize()
    lpc.initialize_process(process)
    return process


def _names(process: Process, creation: Creation) -> None:
    """ImageFileName (fourteen characters of the leaf) and the audit name (the full NT path)."""
    leaf = creation.image_path.rpartition("\\")[2]
    process.eprocess.ImageFileName = leaf.encode("latin-1", "replace")[:14]
    set_audit_name(process, creation.image_path)


def set_audit_name(process: Process, path: str) -> None:
    """SeAuditProcessCreationInfo: an OBJECT_NAME_INFORMATION whose text follows it directly."""
    data = path.encode("utf-16-le", "surrogatepass")
    kernel = process.kernel
    address = kernel.pool.allocate(0x10 + len(data) + 2, b"SeOn", paged=True)
    head = len(data).to_bytes(2, "little") + (len(data) + 2).to_bytes(2, "little") + bytes(4)
    kernel.memory.write(address, head + (address + 0x10).to_bytes(8, "little") + data + b"\0\0")
    process.eprocess.SeAuditProcessCreationInfo.ImageFileName = address


def audit_name(process: Process) -> str:
    """The image's full NT path."""
    address = int(process.eprocess.SeAuditProcessCreationInfo.ImageFileName)
    if not address:
        return ""
    length = int.from_bytes(process.kernel.memory.read(address, 2), "little")
    return process.kernel.memory.read(address + 0x10, length).decode("utf-16-le", "surrogatepass")


def _address_space(kernel: Kernel, process: Process, *, minimal: bool) -> None:
    mm.attach(process, 0 if minimal else None)
    eprocess = process.eprocess
    eprocess.Minimal = int(minimal)
    eprocess.Pcb.DirectoryTableBase = process.tables.root
    eprocess.HighestUserAddress = HIGHEST_USER_ADDRESS
    eprocess.Flags = int(eprocess.Flags) | FLAG_HAS_ADDRESS_SPACE | FLAG_ADDRESS_SPACE_INITIALIZED


def _priority_class(creation: Creation) -> int:
    if creation.priority_class:
        return creation.priority_class
    inherited = int(creation.parent.eprocess.PriorityClass)
    return inherited if inherited in INHERITED_CLASSES else NORMAL_CLASS


def initialize_kernel_part(process: Process, priority_class: int) -> None:
    """KeInitializeProcess: dispatcher header, lists, priority, quantum."""
    pcb = process.pcb
    process.initialize_header(PROCESS_OBJECT, EPROCESS.offset("ProcessLock"), 0)
    for head in (pcb.ProfileListHead, pcb.ThreadListHead, pcb.ReadyListHead, pcb.ProcessListEntry):
        head.initialize()
    process.eprocess.PriorityClass = priority_class
    pcb.BasePriority = PRIORITIES[priority_class]
    pcb.QuantumReset = QUANTUM
    pcb.AutoAlignment = 1
    pcb.CheckStackExtents = 1
    pcb.Flags.ExecuteOptions = DATA_NEVER_EXECUTES
    pcb.ActiveGroupsMask = 1
    pcb.Affinity.Count = 1
    pcb.Affinity.Size = 20
    pcb.Affinity.Bitmap[0] = 1


def _handles(process: Process, creation: Creation) -> None:
    """ObInitProcess: a new table; inheritable entries of the parent keep their values."""
    ob.create_handle_table(process)
    if creation.inherit_handles and creation.parent.has(HandleTable):
        ob.inherit_handles(creation.parent, process, creation.handle_list)


def _session(process: Process, creation: Creation) -> None:
    """The token says which session; only what the system itself starts for itself is in none."""
    session = tokens.primary_token(process).session
    if session or int(creation.parent.eprocess.Session):
        mm.session.join(process, session)
