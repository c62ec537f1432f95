"""NtCreateUserProcess: one call from an image path to a process with a suspended first thread.

The order is NT's (PspBuildCreateProcessContext, open, section, checks, allocate, insert): see
docs and process-creation.md section 5. A failure says in PS_CREATE_INFO how far it came.
"""

from __future__ import annotations

import struct
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos import io, mm, ob
from ntos.abi.access import PROCESS_ALL_ACCESS, THREAD_ALL_ACCESS
from ntos.abi.layout.api import PS_CREATE_INFO
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.layout.peb import PEB
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.ob import OBJ_INHERIT
from ntos.abi.pe.headers import DllFlag
from ntos.abi.pointer import In, Out, Ptr
from ntos.abi.se import SE_PRIVILEGE
from ntos.abi.signature import probe_for_write
from ntos.abi.status import STATUS, Denied, GuestFault, NtError
from ntos.abi.types import ACCESS_MASK, HANDLE, NTSTATUS, PVOID, ULONG
from ntos.cm.key import open_node
from ntos.etw import account
from ntos.ke.process import Process
from ntos.ke.service import service
from ntos.ob.manager import grant_all
from ntos.ps import attributes as attribute_numbers
from ntos.ps import (
    clone,
    debug_port,
    image_options,
    job_object,
    manifest,
    mitigation,
    protection,
    standard_handles,
    told,
)
from ntos.ps.allocate import Creation, allocate_process, audit_name
from ntos.ps.attributes import Attributes
from ntos.ps.exit import abandon, drop_unborn, terminate_process
from ntos.ps.image_options import ImageOptions
from ntos.ps.insert import assign_id, insert_process, insert_thread
from ntos.ps.manager import PROCESS, THREAD, ProcessManager
from ntos.ps.peb import NORMALIZED, Parameters, create_peb
from ntos.ps.request import creation_of
from ntos.ps.thread import ThreadStart, allocate_thread, resume
from ntos.se import lowbox, privileges
from ntos.se import token as tokens
from ntos.se.security import assign_own

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ntos.abi.layout.section import SECTION_IMAGE_INFORMATION
    from ntos.cm import KeyNode
    from ntos.io.file import FileObject
    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread
    from ntos.mm.section import Section

FLAG_BREAKAWAY, FLAG_NO_DEBUG_INHERIT, FLAG_INHERIT_HANDLES = 0x1, 0x2, 0x4
FLAG_PROTECTED, FLAG_INHERIT_FROM_PARENT, FLAG_CREATE_SUSPENDED, FLAG_FORCE_BREAKAWAY = 0x40, 0x100, 0x200, 0x400
SUPPORTED_FLAGS = (
    FLAG_BREAKAWAY | FLAG_NO_DEBUG_INHERIT | FLAG_INHERIT_HANDLES | FLAG_PROTECTED | FLAG_INHERIT_FROM_PARENT
    | FLAG_CREATE_SUSPENDED | FLAG_FORCE_BREAKAWAY
)  # fmt: skip
CREATE_SUSPENDED = 1
FAIL_ON_FILE_OPEN, FAIL_ON_SECTION, FAIL_EXE_FORMAT, FAIL_MACHINE, FAIL_EXE_NAME, SUCCESS = 1, 2, 3, 4, 5, 6
WRITE_OUTPUT, DETECT_MANIFEST, SKIP_DEBUGGER = 1, 2, 4
"""PS_CREATE_INFO.InitFlags."""
MANIFEST_DETECTED = 8
OUTPUT_PROTECTED, OUTPUT_PROTECTED_LIGHT = 1, 0x10
PARAMETERS_MANIFEST, PARAMETERS_NO_IMAGE_KEY, PARAMETERS_PROTECTED = 0x2000, 0x4000, 0x40_0000
KEY_READ = 0x20019
IMAGE_ACCESS = 0x20 | 0x100000 | 0x81
SHARE_READ_DELETE = 5
SYNCHRONOUS_NON_DIRECTORY = 0x60
EXECUTABLE_IMAGE = 2
AMD64 = 0x8664


@dataclass(slots=True)
class Made:
    """A finished creation; each object with a reference of the creator's."""

    process: Process
    thread: Thread
    section: Section
    file: FileObject | None
    """None where nothing was opened: the process is a clone."""
    parameters: int
    manifest: tuple[int, int] = (0, 0)
    """Where it lies in the process, and its size; zeros where none was looked for or found."""


class StageError(NtError):
    """A failure with the PS_CREATE_STATE it belongs to."""

    def __init__(
        self, status: NTSTATUS, state: int, extra: int = 0, because: Denied | None = None, key: KeyNode | None = None
    ) -> None:
        super().__init__(status, because)
        self.state = state
        self.extra = extra
        self.key = key


@dataclass(slots=True)
class Order:
    """An NtCreateUserProcess call, captured."""

    creation: Creation
    image_path: str
    parameters: Parameters
    wanted: Attributes
    prohibited: int = 0
    init_flags: int = 0
    clone: bool = False
    """There is no image: the caller itself once more, with a copy of its memory and of the calling thread."""


@service(
    partial="no secure processes, sessions of their own, large pages, isolated names, win32k filters or less "
    "privileged AppContainers"
)
def NtCreateUserProcess(
    thread: Thread,
    ProcessHandle: Out[HANDLE],
    ThreadHandle: Out[HANDLE],
    ProcessDesiredAccess: ACCESS_MASK,
    ThreadDesiredAccess: ACCESS_MASK,
    ProcessObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    ThreadObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    ProcessFlags: ULONG,
    ThreadFlags: ULONG,
    ProcessParameters: PVOID,
    CreateInfo: Ptr[PS_CREATE_INFO],
    AttributeList: PVOID,
) -> NTSTATUS:
    """Create a process and its first thread from an executable file."""
    info = CreateInfo.read()
    probe_for_write(thread.memory, CreateInfo.address, PS_CREATE_INFO.size)
    if int(info.Size) != PS_CREATE_INFO.size:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("PS_CREATE_INFO size", {"Size": int(info.Size)}, "0x58"))
    account.step(thread.log, 2, "NtCreateUserProcess", ProcessFlags=ProcessFlags, ThreadFlags=ThreadFlags)
    with account.ending(thread.log, "NtCreateUserProcess") as outcome:
        _check_flags(ProcessFlags, ThreadFlags)
        said = nameless(ProcessObjectAttributes, PROCESS)
        of_thread = nameless(ThreadObjectAttributes, THREAD)
        order = _capture(thread, info, ProcessFlags, ProcessParameters, AttributeList)
        order.creation.process_security = said.security_descriptor
        order.creation.thread_security = of_thread.security_descriptor
        try:
            made = _clone(thread, order) if order.clone else create_process(
                thread.kernel, order.creation, order.image_path, order.parameters, thread, order.prohibited,
                order.init_flags,
            )  # fmt: skip
        except StageError as error:
            _tell_failure(thread, info, error)
            raise
        outcome.subject = made.process.id
        thread.kernel.scheduler.ready(made.thread)
        with _handed_over(made):
            account.step(thread.log, 4, "PspUpdateCreateInfo", made.process.id)
            _answer(thread, info, made, order)
            ThreadHandle.write(handle_for(thread, made.thread, ThreadDesiredAccess, of_thread))
            ProcessHandle.write(handle_for(thread, made.process, ProcessDesiredAccess, said))
            if not ThreadFlags & CREATE_SUSPENDED:
                resume(made.thread)
    return STATUS.SUCCESS


@contextmanager
def _handed_over(made: Made) -> Iterator[None]:
    """Handles, views and the running thread keep what was made; without handles it is ended before it runs."""
    try:
        yield
    except (NtError, GuestFault) as error:
        terminate_process(made.process, int(error.status))
        raise
    finally:
        for obj in (made.thread, made.process, made.section, *((made.file,) if made.file is not None else ())):
            ob.dereference(obj)


def _check_flags(process_flags: int, thread_flags: int) -> None:
    if process_flags & ~SUPPORTED_FLAGS or thread_flags & ~CREATE_SUSPENDED:
        flags = {"ProcessFlags": process_flags, "ThreadFlags": thread_flags}
        raise NtError(STATUS.INVALID_PARAMETER, Denied("creation flag not accepted here", flags))


def nameless(attributes: OBJECT_ATTRIBUTES | None, kind: ob.ObjectType[Any]) -> ob.Attributes:
    """What OBJECT_ATTRIBUTES of a new process or thread say; INVALID_PARAMETER for a name."""
    said = ob.capture(attributes, kind)
    if said.name is not None:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("processes and threads have no names", {"name": said.name}))
    return said


def _capture(thread: Thread, info: PS_CREATE_INFO, flags: int, parameters: int, listing: int) -> Order:
    memory = thread.memory
    account.step(thread.log, 2, "PspBuildCreateProcessContext")
    wanted = Attributes.capture(memory, listing)
    wanted.probe()
    name = wanted.data(attribute_numbers.IMAGE_NAME)
    if name is None and not parameters:
        return _capture_clone(thread, wanted, flags)
    if name is None:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("no image name attribute", {}, "PS_ATTRIBUTE_IMAGE_NAME"))
    if len(name) & 1:
        raise NtError(STATUS.OBJECT_NAME_INVALID, Denied("half a character", {"Size": len(name)}, "an even size"))
    view = RTL_USER_PROCESS_PARAMETERS.load(memory, parameters) if parameters else None
    captured = Parameters(view or RTL_USER_PROCESS_PARAMETERS.new())
    if flags & FLAG_FORCE_BREAKAWAY:
        privileges.require(thread, SE_PRIVILEGE.TCB)
    init_flags = int(info.InitState.InitFlags)
    creation = creation_of(
        thread, wanted, inherit=bool(flags & FLAG_INHERIT_HANDLES), breakaway=bool(flags & FLAG_BREAKAWAY),
        protect=bool(flags & FLAG_PROTECTED),
    )  # fmt: skip
    creation.force_breakaway = bool(flags & FLAG_FORCE_BREAKAWAY)
    creation.no_debug_inherit = bool(flags & FLAG_NO_DEBUG_INHERIT)
    creation.command_line = captured.text("CommandLine")
    path = name.decode("utf-16-le", "surrogatepass")
    return Order(creation, path, captured, wanted, init_flags >> 16, init_flags & 0xFFFF)


def _capture_clone(thread: Thread, wanted: Attributes, flags: int) -> Order:
    creation = creation_of(
        thread, wanted, inherit=bool(flags & FLAG_INHERIT_HANDLES), breakaway=bool(flags & FLAG_BREAKAWAY),
        protect=bool(flags & FLAG_PROTECTED),
    )  # fmt: skip
    if creation.parent is not thread.process:
        release_token(creation)
        inputs = {"parent": creation.parent.id, "caller": thread.process.id}
        because = Denied("only the caller's own process is cloned with its thread", inputs, "NtCreateProcessEx")
        raise NtError(STATUS.INVALID_PARAMETER, because)
    return Order(creation, "", Parameters(RTL_USER_PROCESS_PARAMETERS.new()), wanted, clone=True)


def _clone(thread: Thread, order: Order) -> Made:
    """The calling process and thread once more, inserted and not yet running."""
    kernel, creation = thread.kernel, order.creation
    with ExitStack() as undo:
        undo.callback(release_token, creation)
        clone.refuse_nested(thread)
        process = build_process(kernel, creation, None, thread, undo, ImageOptions())
        account.step(kernel.log, 4, "PspAllocateThread", process.id, original=thread.id)
        start = ThreadStart(int(thread.ethread.Win32StartAddress), 0, suspended=True, original=thread)
        first = allocate_thread(process, start)
        undo.callback(drop_unborn, first)
        _assign_security(thread, first, creation.thread_security)
        undo.pop_all()
    insert_process(process)
    insert_thread(first, creation.creator)
    section = ob.at_address(kernel, int(process.eprocess.SectionObject))
    ob.reference(section)
    parameters = int(PEB(process.memory, int(process.eprocess.Peb)).ProcessParameters)
    return Made(process, first, section, None, parameters)


def _tell_failure(thread: Thread, info: PS_CREATE_INFO, error: StageError) -> None:
    """How far it came, in PS_CREATE_INFO."""
    if not int(info.InitState.InitFlags) & WRITE_OUTPUT:
        return
    info.State = error.state
    if error.state == FAIL_EXE_FORMAT:
        info.DllCharacteristics = error.extra
    elif error.state == FAIL_EXE_NAME and error.key is not None:
        key = open_node(thread.kernel, error.key)
        info.IFEOKey = ob.insert_handle(thread.process, key, KEY_READ)
        ob.dereference(key)


def handle_for(thread: Thread, obj: Process | Thread, desired: int, said: ob.Attributes) -> int:
    """The creator's handle: it owns the new object, so its descriptor does not stand against it."""
    granted = protection.for_creator(thread, obj, grant_all(thread, obj, desired))
    handle = ob.insert_handle(thread.process, obj, granted, said.flags & OBJ_INHERIT)
    kind = "process" if isinstance(obj, Process) else "thread"
    account.made(thread.log, "handle", kind, handle, thread.process.id, access=granted)
    return handle


def create_process(
    kernel: Kernel,
    creation: Creation,
    image_path: str,
    parameters: Parameters,
    thread: Thread | None,
    prohibited: int,
    init_flags: int = SKIP_DEBUGGER,
) -> Made:
    """Everything up to a process and a first thread that are inserted and not yet running.

    What was made before a failure is taken apart again.
    """
    with ExitStack() as undo:
        undo.callback(release_token, creation)
        log = kernel.log
        account.step(log, 2, "IoCreateFileEx", path=image_path, access=IMAGE_ACCESS, share=SHARE_READ_DELETE)
        file = _open_image(thread or kernel, image_path)
        account.step(log, 2, "MmCreateSpecialImageSection", path=image_path)
        undo.callback(ob.dereference, file)
        section = _image_section(kernel, file)
        undo.callback(ob.dereference, section)
        information = section.image_information()
        told.section_made(log, section, file)
        account.step(log, 2, "PspValidateImage")
        _check_image(information, prohibited)
        _check_subsystem(information, creation.subsystems)
        told.image_fits(log, information)
        creation.image_path = io.object_name(file)
        account.step(log, 2, "PspGetProcessParameterOverrides", image=creation.image_path)
        options = image_options.options_of(kernel, creation.image_path, image_path)
        if options.has_debugger and not init_flags & SKIP_DEBUGGER:
            inputs = {"key": options.key.path if options.key is not None else ""}
            because = Denied("Image File Execution Options name a debugger", inputs, "IFEOSkipDebugger")
            raise StageError(STATUS.OBJECT_NAME_INVALID, FAIL_EXE_NAME, because=because, key=options.key)
        told.options_read(log, options, init_flags & SKIP_DEBUGGER != 0)
        process = build_process(kernel, creation, section, thread, undo, options)
        base = int(process.eprocess.SectionBaseAddress)
        found = manifest.find(process, base) if init_flags & DETECT_MANIFEST else (0, 0)
        parameters.flags |= 0 if options.key is not None else PARAMETERS_NO_IMAGE_KEY
        parameters.flags |= PARAMETERS_MANIFEST if found[1] else 0
        parameters.flags |= PARAMETERS_PROTECTED if protection.level_of(process) & 7 else 0
        account.step(log, 3, "PspSetupUserProcessAddressSpace", process.id)
        address = parameters.place(process)
        account.step(log, 4, "NtCreateUserProcess: standard handles", process.id)
        standard_handles.hand_on(process, address, creation)
        account.made(log, "structure", "the child's own parameters", address, process.id,
                     structure="RTL_USER_PROCESS_PARAMETERS")  # fmt: skip
        start = ThreadStart(
            int(information.TransferAddress), int(process.eprocess.Peb), int(information.MaximumStackSize),
            int(information.CommittedStackSize), suspended=True, initial=True,
        )  # fmt: skip
        account.step(log, 4, "PspAllocateThread", process.id, start=start.routine, argument=start.argument)
        first = allocate_thread(process, start)
        undo.callback(drop_unborn, first)
        if thread is not None:
            _assign_security(thread, first, creation.thread_security)
        undo.pop_all()
    account.step(kernel.log, 4, "PspInsertProcess", process.id)
    insert_process(process, creation.command_line)
    account.step(kernel.log, 4, "PspInsertThread", process.id, thread=first.id)
    insert_thread(first, creation.creator)
    return Made(process, first, section, file, address, found)


def build_process(
    kernel: Kernel,
    creation: Creation,
    section: Section | None,
    thread: Thread | None,
    undo: ExitStack,
    options: ImageOptions,
) -> Process:
    """A process object with id, token, handles, images, PEB, descriptor and jobs; in no list, without threads.

    Without a section its memory is a copy of its parent's.
    """
    creation.image = section
    if section is None:
        clone.refuse_without_memory(creation.parent)
        creation.image_path = audit_name(creation.parent)
    protection.admit(creation)
    creation.priority_class = creation.priority_class or options.priority_class
    if options.mitigation is not None and creation.mitigation is None:
        creation.mitigation = mitigation.Options.parse(options.mitigation)
    process = allocate_process(kernel, creation, lambda made: undo.callback(abandon, made))
    account.step(kernel.log, 3, "ExCreateHandle")
    assign_id(process)
    debug_port.give(process, creation)
    if section is None:
        account.step(kernel.log, 3, "MiCloneProcessAddressSpace", process.id)
        clone.fill(process, creation.parent)
    else:
        _fill(process, section, creation, options)
    debug_port.mark_peb(process)
    if thread is not None:
        _assign_security(thread, process, creation.process_security)
    _join_jobs(process, creation)
    return process


def _fill(process: Process, section: Section, creation: Creation, options: ImageOptions) -> None:
    """The images, what the creator reserved, and the PEB."""
    kernel = process.kernel
    base = _map_images(process, section)
    if creation.mitigation is not None:
        creation.mitigation.demand_signatures(process.eprocess)
    for start, size in creation.reserves:
        mm.allocate(process, size, address=start or None, kind="reserve")
    account.step(kernel.log, 3, "MmCreatePeb", process.id)
    create_peb(process, base, section.image_information(), tokens.primary_token(process).session)
    flag = options.global_flag
    peb = PEB(process.memory, int(process.eprocess.Peb))
    peb.NtGlobalFlag = image_options.system_global_flag(kernel) if flag is None else flag


def _assign_security(thread: Thread, obj: Process | Thread, descriptor: int) -> None:
    """What the creator says, or the default of the user the process runs as (Microsoft Learn, CreateProcessAsUserW).

    A process in an AppContainer may have itself besides.
    """
    if descriptor:
        thread.kernel[ob.ObjectManager].assign_security(thread, obj, None, descriptor)
    else:
        assign_own(obj)
    process, everything = (obj, PROCESS_ALL_ACCESS) if isinstance(obj, Process) else (obj.process, THREAD_ALL_ACCESS)
    package = tokens.primary_token(process).claims.package
    if package is not None:
        lowbox.admit(obj, package, everything)


def release_token(creation: Creation) -> None:
    """Give the reference of a token back that no process has taken over."""
    token, creation.token = creation.token, None
    if token is not None:
        ob.dereference(token)


def _open_image(who: Thread | Kernel, path: str) -> FileObject:
    try:
        return io.open_file(who, path, access=IMAGE_ACCESS, share=SHARE_READ_DELETE,
                            options=SYNCHRONOUS_NON_DIRECTORY)  # fmt: skip
    except NtError as error:
        raise StageError(error.status, FAIL_ON_FILE_OPEN, because=told.reasoned(error, path)) from error


def _image_section(kernel: Kernel, file: FileObject) -> Section:
    try:
        return mm.create_image_section(kernel, file.backing)
    except NtError as error:
        raise StageError(error.status, FAIL_ON_SECTION, because=told.reasoned(error, file.path)) from error


def _join_jobs(process: Process, creation: Creation) -> None:
    """The child is in its parent's jobs, then in those asked for."""
    account.step(process.kernel.log, 3, "PspAssignProcessToJob", process.id)
    if not creation.force_breakaway:
        job_object.inherit(process, creation.parent, breakaway=creation.breakaway)
    for job in creation.jobs:
        job_object.join(process, job)
    told.jobs_joined(process, creation)


def _check_image(information: SECTION_IMAGE_INFORMATION, prohibited: int) -> None:
    characteristics = int(information.ImageCharacteristics)
    if characteristics & prohibited or not characteristics & EXECUTABLE_IMAGE:
        because = Denied("it is a DLL, or not linked to the end", {"characteristics": characteristics}, "an EXE file")
        raise StageError(STATUS.INVALID_IMAGE_FORMAT, FAIL_EXE_FORMAT, int(information.DllCharacteristics), because)
    if int(information.Machine) != AMD64:
        because = Denied("machine type", {"Machine": hex(int(information.Machine))}, "an x64 image (0x8664)")
        raise StageError(STATUS.INVALID_IMAGE_FORMAT, FAIL_MACHINE, because=because)


def _check_subsystem(information: SECTION_IMAGE_INFORMATION, wanted: tuple[int, ...]) -> None:
    subsystem = int(information.SubSystemType)
    if wanted and subsystem not in wanted:
        because = Denied("subsystem", {"Subsystem": subsystem}, f"one of {wanted}")
        raise StageError(STATUS.IMAGE_SUBSYSTEM_NOT_PRESENT, FAIL_ON_SECTION, because=because)


def _map_images(process: Process, section: Section) -> int:
    """The program and ntdll (PspMapSystemDlls); gives the program's base."""
    kernel, eprocess = process.kernel, process.eprocess
    manager = kernel[ProcessManager]
    log = kernel.log
    account.step(log, 3, "MmInitializeProcessAddressSpace", process.id)
    if not section.image_information().DllCharacteristics & DllFlag.HIGH_ENTROPY_VA:
        space = mm.space_of(process)
        space.layout.lessen(space.random)
    base, size, _ = mm.map_view(process, section, inherit=True)
    account.made(log, "view", "the program", base, process.id, size=size)
    ob.reference(section)
    eprocess.SectionObject = section.address
    if section.area.file is not None:
        ob.reference(section.area.file)
        eprocess.ImageFilePointer = section.area.file.address
    eprocess.SectionBaseAddress = base
    account.step(log, 3, "PspMapSystemDlls", process.id)
    _, size, _ = mm.map_view(process, manager.ntdll, address=manager.ntdll_base, inherit=True)
    account.made(log, "view", "ntdll.dll", manager.ntdll_base, process.id, size=size)
    return base


def _answer(thread: Thread, info: PS_CREATE_INFO, made: Made, order: Order) -> None:
    wanted = order.wanted
    wanted.give(attribute_numbers.CLIENT_ID, struct.pack("<QQ", made.process.id, made.thread.id))
    wanted.give(attribute_numbers.TEB_ADDRESS, struct.pack("<Q", int(made.thread.tcb.Teb)))
    wanted.give(attribute_numbers.IMAGE_INFO, bytes(made.section.image_information()))
    info.State = SUCCESS
    success = info.SuccessState
    kind = protection.level_of(made.process) & 7
    success.OutputFlags = (
        (MANIFEST_DETECTED if made.manifest[1] else 0)
        | (OUTPUT_PROTECTED if kind else 0)
        | (OUTPUT_PROTECTED_LIGHT if kind == protection.LIGHT else 0)
    )
    if made.file is not None:
        success.FileHandle = ob.insert_handle(thread.process, made.file, IMAGE_ACCESS)
        success.SectionHandle = ob.insert_handle(thread.process, made.section, 0xF001F)
    success.UserProcessParametersNative = made.parameters
    flags = int.from_bytes(order.parameters.header[8:12], "little") | order.parameters.flags
    success.CurrentParameterFlags = flags | NORMALIZED
    success.PebAddressNative = int(made.process.eprocess.Peb)
    success.ManifestAddress, success.ManifestSize = made.manifest
