"""What a creation tells of its decisions, and the reasons of refusals that come from below without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, Denied, NtError, status_name
from ntos.etw import account
from ntos.etw.event import CreationDecision
from ntos.ex.handle import HandleTable
from ntos.ob.manager import BODY, ObjectManager
from ntos.rtl import sid
from ntos.se import token as tokens

if TYPE_CHECKING:
    from ntos.abi.layout.section import SECTION_IMAGE_INFORMATION
    from ntos.etw.log import Log
    from ntos.io.file import FileObject
    from ntos.ke.process import Process
    from ntos.mm.section import Section
    from ntos.ps.allocate import Creation
    from ntos.ps.image_options import ImageOptions

OPENING = {
    STATUS.OBJECT_NAME_NOT_FOUND: ("the image file must exist", "create the file, or name one that exists"),
    STATUS.OBJECT_PATH_NOT_FOUND: ("the image file's folder must exist", "create the folder"),
    STATUS.OBJECT_NAME_INVALID: ("the image's path must be a file name", "a path to a file"),
    STATUS.FILE_IS_A_DIRECTORY: ("an image is a file, not a folder", "the path of a file in it"),
    STATUS.SHARING_VIOLATION: ("whoever has the file open must share reading", "close it there"),
}
FORMATS = {
    STATUS.INVALID_FILE_FOR_SECTION: ("an image file is not empty", "a PE file"),
    STATUS.INVALID_IMAGE_NOT_MZ: ("an image begins with the letters MZ", "a PE file"),
    STATUS.INVALID_IMAGE_PROTECT: ("a DOS program has no PE header", "a PE file; x64 Windows has no DOS"),
    STATUS.INVALID_IMAGE_WIN_16: ("a 16-bit Windows program (NE)", "a PE file; x64 Windows has no 16-bit subsystem"),
    STATUS.INVALID_IMAGE_NE_FORMAT: ("a 16-bit OS/2 program (NE)", "a PE file"),
    STATUS.INVALID_IMAGE_LE_FORMAT: ("a linear executable (LE, LX)", "a PE file"),
    STATUS.INVALID_IMAGE_FORMAT: ("headers and sections of a PE file must fit together and into the file",
                                  "an undamaged file"),
}  # fmt: skip


def reasoned(error: NtError, path: str) -> Denied:
    """Why the image could not be opened or made a section."""
    if error.because is not None:
        return error.because
    default = ("the image must be usable", "")
    rule, flip = OPENING.get(error.status) or FORMATS.get(error.status) or default
    return Denied(rule, {"path": path, "status": status_name(error.status)}, flip)


def section_made(log: Log, section: Section, file: FileObject) -> None:
    """The open image and its section."""
    account.made(log, "file", file.path, file.address)
    account.made(log, "section", "SEC_IMAGE", section.address, size=int(section.view.SizeOfSection))
    information = section.image_information()
    account.made(log, "structure", "what the headers say", information.address, structure="SECTION_IMAGE_INFORMATION")


def image_fits(log: Log, information: SECTION_IMAGE_INFORMATION) -> None:
    """The checks on the image went well."""
    if log.wants(CreationDecision):
        characteristics, machine = int(information.ImageCharacteristics), int(information.Machine)
        account.decided(log, "the image is an EXE, linked to the end", "yes", {"Characteristics": characteristics},
                        "IMAGE_FILE_DLL set")  # fmt: skip
        account.decided(log, "the image is for this processor", "yes", {"Machine": machine}, "another Machine")


def options_read(log: Log, options: ImageOptions, skipped: bool) -> None:
    """What Image File Execution Options said."""
    if log.wants(CreationDecision):
        key = options.key.path if options.key is not None else None
        account.decided(log, "Image File Execution Options", "no key" if key is None else "read",
                        {"key": key, "IFEOSkipDebugger": skipped}, "a value Debugger in the program's key")  # fmt: skip


def security_given(process: Process, asked: bool) -> None:
    """Which token the process has."""
    log = process.kernel.log
    if log.wants(CreationDecision):
        token = tokens.primary_token(process)
        user = sid.to_text(token.claims.user)
        account.made(log, "token", user, token.address)
        outcome = "the token in PS_ATTRIBUTE_TOKEN" if asked else "a copy of the parent's"
        account.decided(log, "the primary token", outcome, {"user": user, "session": token.session})


def handles_inherited(process: Process, creation: Creation) -> None:
    """Which handles came along."""
    log = process.kernel.log
    if not log.wants(CreationDecision):
        return
    count = process.part(HandleTable).count
    manager = process.kernel[ObjectManager]
    for handle, entry in process.part(HandleTable).items():
        kind = manager.kind_of_name(manager.objects[entry.header + BODY])
        account.made(log, "handle", f"inherited, {kind}", handle, process.id, access=entry.access)
    outcome = f"{count} handles of the parent's, with their values" if creation.inherit_handles else "none"
    inputs = {"inherit": creation.inherit_handles, "only": sorted(creation.handle_list or ())}
    account.decided(log, "bInheritHandles", outcome, inputs, "" if creation.inherit_handles else "bInheritHandles TRUE")


def jobs_joined(process: Process, creation: Creation) -> None:
    """Whose job the process is in."""
    log = process.kernel.log
    if log.wants(CreationDecision):
        outcome = "in a job" if process.eprocess.Job else "in no job"
        inputs = {
            "parent_in_job": bool(creation.parent.eprocess.Job),
            "breakaway": creation.breakaway,
            "asked": len(creation.jobs),
        }
        account.decided(log, "a child is in its parent's jobs", outcome, inputs)
