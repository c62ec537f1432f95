"""NtCreateUserProcess: one call from an image path to a process with a suspended first thread.

The order is NT's (PspBuildCreateProcessContext, open, section, checks, allocate, insert): see
docs and process-creation.md section 5. A failure says in PS_CREATE_INFO how far it came.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos import io, mm, ob
from ntos.abi.layout.api import PS_CREATE_INFO
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.pointer import Out, Ptr
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import ACCESS_MASK, HANDLE, NTSTATUS, PVOID, ULONG
from ntos.ke.service import service
from ntos.ps import attributes as attribute_numbers
from ntos.ps import job_object
from ntos.ps.allocate import Creation, allocate_process
from ntos.ps.attributes import Attributes
from ntos.ps.exit import exit_process
from ntos.ps.insert import insert_process, insert_thread
from ntos.ps.manager import PROCESS, ProcessManager
from ntos.ps.peb import Parameters, create_peb
from ntos.ps.thread import ThreadStart, allocate_thread

if TYPE_CHECKING:
    from ntos.abi.layout.section import SECTION_IMAGE_INFORMATION
    from ntos.io.file import FileObject
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread
    from ntos.mm.section import Section

FLAG_BREAKAWAY = 0x1
FLAG_INHERIT_HANDLES = 0x4
SUPPORTED_FLAGS = 0x4 | 0x2 | 0x100 | 0x200 | 0x1
CREATE_SUSPENDED = 1
FAIL_ON_FILE_OPEN, FAIL_ON_SECTION, FAIL_EXE_FORMAT, FAIL_MACHINE, SUCCESS = 1, 2, 3, 4, 6
IMAGE_ACCESS = 0x20 | 0x100000 | 0x81
SHARE_READ_DELETE = 5
SYNCHRONOUS_NON_DIRECTORY = 0x60
EXECUTABLE_IMAGE = 2
AMD64 = 0x8664
PROCESS_CREATE_PROCESS = 0x80
TOKEN_ASSIGN_PRIMARY = 1
STD_NEVER, STD_REQUEST, STD_ALWAYS = 0, 1, 2


@dataclass(slots=True)
class Made:
    """A finished creation."""

    process: Process
    thread: Thread
    section: Section
    file: FileObject
    parameters: int


class StageError(NtError):
    """A failure with the PS_CREATE_STATE it belongs to."""

    def __init__(self, status: NTSTATUS, state: int, extra: int = 0, because: Denied | None = None) -> None:
        super().__init__(status, because)
        self.state = state
        self.extra = extra


@service(
    partial="no debug object, job list, protection levels, mitigation or secure-process attributes, no IFEO redirection"
)
def NtCreateUserProcess(
    thread: Thread,
    ProcessHandle: Out[HANDLE],
    ThreadHandle: Out[HANDLE],
    ProcessDesiredAccess: ACCESS_MASK,
    ThreadDesiredAccess: ACCESS_MASK,
    ProcessObjectAttributes: PVOID,
    ThreadObjectAttributes: PVOID,
    ProcessFlags: ULONG,
    ThreadFlags: ULONG,
    ProcessParameters: PVOID,
    CreateInfo: Ptr[PS_CREATE_INFO],
    AttributeList: PVOID,
) -> NTSTATUS:
    """Create a process and its first thread from an executable file."""
    memory = thread.memory
    info = CreateInfo.read()
    if int(info.Size) != PS_CREATE_INFO.size:
        raise NtError(STATUS.INVALID_PARAMETER)
    if ProcessFlags & ~SUPPORTED_FLAGS or ThreadFlags & ~CREATE_SUSPENDED:
        flags = {"ProcessFlags": ProcessFlags, "ThreadFlags": ThreadFlags}
        raise NtError(STATUS.INVALID_PARAMETER, Denied("creation flag not accepted here", flags))
    wanted = Attributes.capture(memory, AttributeList)
    name = wanted.data(attribute_numbers.IMAGE_NAME)
    if name is None:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("no image name attribute", {}, "PS_ATTRIBUTE_IMAGE_NAME"))
    image_path = name.decode("utf-16-le", "surrogatepass")
    creation = _creation(thread, wanted, inherit=bool(ProcessFlags & FLAG_INHERIT_HANDLES))
    creation.breakaway = bool(ProcessFlags & FLAG_BREAKAWAY)
    view = RTL_USER_PROCESS_PARAMETERS.load(memory, ProcessParameters) if ProcessParameters else None
    parameters = Parameters(view or RTL_USER_PROCESS_PARAMETERS.new())
    creation.command_line = parameters.text("CommandLine")
    prohibited = int(info.InitState.InitFlags) >> 16
    try:
        made = create_process(thread.kernel, creation, image_path, parameters, thread, prohibited)
    except StageError as error:
        info.State = error.state
        if error.state == FAIL_EXE_FORMAT:
            info.DllCharacteristics = error.extra
        raise
    _standard_handles(thread, made, wanted, creation)
    suspended = bool(ThreadFlags & CREATE_SUSPENDED)
    _start(made, suspended=suspended)
    _answer(thread, info, made, wanted, parameters)
    ThreadHandle.write(ob.insert_handle(thread.process, made.thread, _access(ThreadDesiredAccess, 0x1FFFFF)))
    ProcessHandle.write(ob.insert_handle(thread.process, made.process, _access(ProcessDesiredAccess, 0x1FFFFF)))
    ob.dereference(made.thread)  # the handles keep them now, and the thread while it runs
    ob.dereference(made.process)
    return STATUS.SUCCESS


def _access(desired: int, everything: int) -> int:
    # The creator owns the new objects: MAXIMUM_ALLOWED gives it everything (process-creation.md section 5.4).
    return everything if desired & 0x0200_0000 else PROCESS.mapping.apply(desired) & everything


def _creation(thread: Thread, wanted: Attributes, *, inherit: bool) -> Creation:
    parent = thread.process
    handle = wanted.value(attribute_numbers.PARENT_PROCESS)
    if handle is not None:
        parent = ob.by_handle(thread, handle, PROCESS_CREATE_PROCESS, PROCESS)
        if not parent.threads:
            raise NtError(STATUS.PROCESS_IS_TERMINATING)
    creation = Creation(parent, thread.process, inherit_handles=inherit)
    token = wanted.value(attribute_numbers.TOKEN)
    if token is not None:
        from ntos.se import token as tokens  # noqa: PLC0415 - rarely needed

        creation.token = tokens.assignable(thread, token)
    priority = wanted.data(attribute_numbers.PRIORITY_CLASS)
    if priority:
        creation.priority_class = priority[1] if len(priority) > 1 else priority[0]
    error_mode = wanted.data(attribute_numbers.ERROR_MODE)
    if error_mode:
        creation.error_mode = int.from_bytes(error_mode[:4], "little")
    handles = wanted.data(attribute_numbers.HANDLE_LIST)
    if handles is not None:
        creation.handle_list = set(struct.unpack(f"<{len(handles) // 8}Q", handles))
    return creation


def create_process(
    kernel: Kernel, creation: Creation, image_path: str, parameters: Parameters, thread: Thread | None, prohibited: int
) -> Made:
    """Everything up to a process and a first thread that are inserted and not yet running."""
    who: Thread | Kernel = thread if thread is not None else kernel
    try:
        file = io.open_file(who, image_path, access=IMAGE_ACCESS, share=SHARE_READ_DELETE,
                            options=SYNCHRONOUS_NON_DIRECTORY)  # fmt: skip
    except NtError as error:
        raise StageError(error.status, FAIL_ON_FILE_OPEN, because=error.because) from error
    try:
        section = mm.create_image_section(kernel, file.backing)
    except NtError as error:
        raise StageError(error.status, FAIL_ON_SECTION, because=error.because) from error
    information = section.image_information()
    _check_image(information, prohibited)
    _check_subsystem(information, creation.subsystems)
    creation.image, creation.image_path = section, io.object_name(file)
    process = allocate_process(kernel, creation)
    base = _map_images(process, section)
    insert_process(process, creation.command_line)
    create_peb(process, base, information, 1)
    _join_jobs(process, creation)
    address = parameters.place(process)
    start = ThreadStart(
        int(information.TransferAddress), int(process.eprocess.Peb), int(information.MaximumStackSize),
        int(information.CommittedStackSize), suspended=True, initial=True,
    )  # fmt: skip
    first = allocate_thread(process, start)
    insert_thread(first, creation.creator)
    return Made(process, first, section, file, address)


def _join_jobs(process: Process, creation: Creation) -> None:
    """The child is in its parent's jobs; where one has no room for it, or may not be left, it ends unborn."""
    try:
        job_object.inherit(process, creation.parent, breakaway=creation.breakaway)
    except NtError:
        exit_process(process, job_object.NOT_ENOUGH_QUOTA)
        ob.dereference(process)
        raise


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
    base, _, _ = mm.map_view(process, section)
    ob.reference(section)
    eprocess.SectionObject = section.address
    eprocess.SectionBaseAddress = base
    mm.map_view(process, manager.ntdll, address=manager.ntdll_base)
    return base


def _standard_handles(thread: Thread, made: Made, wanted: Attributes, creation: Creation) -> None:
    """Hand standard handles on where the whole table was not inherited (PS_ATTRIBUTE_STD_HANDLE_INFO)."""
    raw = wanted.data(attribute_numbers.STD_HANDLE_INFO)
    if raw is None or (creation.inherit_handles and creation.handle_list is None):
        return
    flags, subsystem = struct.unpack("<II", raw[:8])
    state, mask = flags & 3, flags >> 2 & 7
    peb_subsystem = int(made.section.image_information().SubSystemType)
    if state == STD_NEVER or (state == STD_REQUEST and subsystem != peb_subsystem):
        return
    view = RTL_USER_PROCESS_PARAMETERS(made.process.memory, made.parameters)
    for bit, field in enumerate(("StandardInput", "StandardOutput", "StandardError")):
        handle = int(getattr(view, field))
        if handle and not mask & 1 << bit:
            try:
                setattr(view, field, ob.duplicate_into(creation.parent, handle, made.process))
            except NtError:
                setattr(view, field, 0)  # the creator's standard handle is stale: the child simply has none


def _start(made: Made, *, suspended: bool) -> None:
    from ntos.ps.thread import resume  # noqa: PLC0415 - thread module is large

    made.thread.kernel.scheduler.ready(made.thread)
    if not suspended:
        resume(made.thread)


def _answer(thread: Thread, info: PS_CREATE_INFO, made: Made, wanted: Attributes, parameters: Parameters) -> None:
    wanted.give(attribute_numbers.CLIENT_ID, struct.pack("<QQ", made.process.id, made.thread.id))
    wanted.give(attribute_numbers.TEB_ADDRESS, struct.pack("<Q", int(made.thread.tcb.Teb)))
    wanted.give(attribute_numbers.IMAGE_INFO, bytes(made.section.image_information()))
    info.State = SUCCESS
    success = info.SuccessState
    success.OutputFlags = 0
    success.FileHandle = ob.insert_handle(thread.process, made.file, IMAGE_ACCESS)
    success.SectionHandle = ob.insert_handle(thread.process, made.section, 0xF001F)
    success.UserProcessParametersNative = made.parameters
    success.CurrentParameterFlags = int.from_bytes(parameters.header[8:12], "little") | 1
    success.PebAddressNative = int(made.process.eprocess.Peb)
