"""Protected processes: what a level lets its bearer do to others, and what it keeps from those who have none.

A level (PS_PROTECTION, one byte) has a type and a signer. Whether one process dominates another follows from both
(RtlTestProtectedAccess); whoever does not dominate a protected process gets handles to it and its threads without
the rights its signer withholds, whatever the descriptor says and whichever privileges are enabled. Levels, tables
and statuses: A. Ionescu, "The Evolution of Protected Processes"; Microsoft Learn, "Process Security and Access
Rights"; protected-processes.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ntos.abi.access import MAXIMUM_ALLOWED, PROCESS_DUP_HANDLE, PROCESS_TERMINATE
from ntos.abi.status import STATUS, Denied, NtError
from ntos.ke.process import Process
from ntos.ps.manager import PROCESS, THREAD

if TYPE_CHECKING:
    from ntos.ke.thread import Thread
    from ntos.ps.allocate import Creation

NONE, LIGHT, FULL = range(3)
"""PS_PROTECTED_TYPE."""
AUTHENTICODE, CODEGEN, ANTIMALWARE, LSA, WINDOWS, WINTCB, WINSYSTEM, APP = range(1, 9)
"""PS_PROTECTED_SIGNER."""
SIGNER_NAMES = ("None", "Authenticode", "CodeGen", "Antimalware", "Lsa", "Windows", "WinTcb", "WinSystem", "App")
CATALOG_SIGNED = 3 << 4
"""SE_IMAGE_SIGNATURE_TYPE in the upper half of a signature level: known by a catalog, and cached."""


class Signer(NamedTuple):
    """What a signer means: whom it dominates (a bit each), what it withholds, and how well code must be signed."""

    dominates: int
    process: int
    thread: int
    image: int
    """SE_SIGNING_LEVEL of the program."""
    modules: int
    """SE_SIGNING_LEVEL of every image mapped into it."""


SIGNERS = (
    Signer(0x000, 0, 0, 0, 0),
    Signer(0x002, 0xFC7FE, 0xFE3FD, 4, 4),
    Signer(0x004, 0xFC7FE, 0xFE3FD, 11, 8),
    Signer(0x108, 0xFC7FF, 0xFE3FF, 7, 7),
    Signer(0x110, 0xFC7FF, 0xFE3FF, 12, 8),
    Signer(0x13E, 0xFC7FE, 0xFE3FD, 12, 12),
    Signer(0x17E, 0xFC7FF, 0xFE3FF, 14, 12),
    Signer(0x1FE, 0xFC7FF, 0xFF7FF, 14, 12),
    Signer(0x000, 0xFC6FE, 0xFE3FD, 6, 6),
)
"""By number (RtlProtectedAccess, SeProtectedMapping)."""


def level(kind: int, signer: int) -> int:
    """The byte."""
    return kind | signer << 4


SYSTEM_LEVEL = level(FULL, WINSYSTEM)
TCB_LIGHT = level(LIGHT, WINTCB)
AUTHENTICODE_LEVEL = level(FULL, AUTHENTICODE)
"""What CREATE_PROTECTED_PROCESS alone asks for."""


def is_valid(byte: int) -> bool:
    """Whether type and signer go together: no type, no signer (RtlValidProcessProtection)."""
    kind, signer = byte & 7, byte >> 4
    return not byte & 8 and (signer == 0 if kind == NONE else kind <= FULL and 0 < signer < len(SIGNERS))


def name(byte: int) -> str:
    """As Process Explorer writes it: WinTcb-Light."""
    if not byte & 7:
        return "None"
    return SIGNER_NAMES[byte >> 4] + ("-Light" if byte & 7 == LIGHT else "")


def dominates(source: int, target: int) -> bool:
    """Whether a process of one level may do to one of the other whatever its handle says (RtlTestProtectedAccess)."""
    if not target & 7:
        return True
    return source & 7 >= target & 7 and SIGNERS[source >> 4].dominates >> (target >> 4) & 1 == 1


def level_of(process: Process) -> int:
    """EPROCESS.Protection."""
    return int(process.eprocess.Protection.Level)


def assign(process: Process, byte: int) -> None:
    """Give a process that is being made its level, and with it what images it may map.

    For the system's own processes; a level that a program asks for goes through `admit` first.
    """
    eprocess = process.eprocess
    eprocess.Protection.Level = byte
    signer = SIGNERS[byte >> 4]
    if byte & 7:
        eprocess.SignatureLevel = signer.image | (CATALOG_SIGNED if signer.image > 4 else 0)
        eprocess.SectionSignatureLevel = signer.modules


# ---------------------------------------------------------------- at creation

CERTIFICATES: dict[str, frozenset[int]] = {
    **dict.fromkeys(
        ("smss.exe", "csrss.exe", "wininit.exe", "services.exe"), frozenset({TCB_LIGHT, level(LIGHT, WINDOWS)})
    ),
    "lsass.exe": frozenset({level(LIGHT, LSA)}),
    **dict.fromkeys(("svchost.exe", "sppsvc.exe", "securityhealthservice.exe"), frozenset({level(LIGHT, WINDOWS)})),
    "werfaultsecure.exe": frozenset({level(FULL, WINTCB), TCB_LIGHT}),
    **dict.fromkeys(("audiodg.exe", "mfpmp.exe"), frozenset({AUTHENTICODE_LEVEL})),
}
r"""Levels that the certificates of Windows' own programs in \Windows\System32 carry; ours are made, not signed, so
this table stands where Windows reads key usages from the signature (protected-processes.md 4 and 7)."""
SYSTEM_FOLDER = "\\windows\\system32\\"
MINIMUM_TCB = frozenset({"smss.exe", "csrss.exe", "wininit.exe", "services.exe"})
"""SeMsMinTCBList: what is protected without asking when a process of the trusted computing base starts it."""


def certified(creation: Creation) -> frozenset[int]:
    """The levels the program's certificate carries: none for whatever is not Windows' own."""
    path = creation.image_path.lower()
    if creation.image is None or not creation.image.signing_level or SYSTEM_FOLDER not in path:
        return frozenset()
    return CERTIFICATES.get(path.rpartition("\\")[2], frozenset())


def admit(creation: Creation) -> None:
    """Whether the program may have the level it is to have (PspValidateCreateProcessProtection).

    INVALID_IMAGE_HASH where its signature does not carry it, INVALID_PARAMETER where the parent's handles would
    come to a process that may not have them.
    """
    wanted = creation.protection or 0
    source = level_of(creation.parent)
    leaf = creation.image_path.lower().rpartition("\\")[2]
    carried = certified(creation)
    if creation.protection is None and leaf in MINIMUM_TCB and TCB_LIGHT in carried and dominates(source, TCB_LIGHT):
        creation.protection = wanted = TCB_LIGHT
    if wanted & 7 and wanted not in carried:
        inputs = {"image": creation.image_path, "level": name(wanted), "certificate": sorted(map(name, carried))}
        because = Denied("the image's signature does not carry the protection level", inputs, "no protection level")
        raise NtError(STATUS.INVALID_IMAGE_HASH, because)
    all_handles = creation.inherit_handles and creation.handle_list is None
    if all_handles and SIGNERS[source >> 4].process & PROCESS_DUP_HANDLE and not dominates(wanted, source):
        inputs = {"parent": name(source), "child": name(wanted)}
        because = Denied("a protected parent's handles would leak to a lesser child", inputs, "a list of handles")
        raise NtError(STATUS.INVALID_PARAMETER, because)


# ---------------------------------------------------------------- when somebody opens


def withheld(thread: Thread, target: Process | Thread, asked: int, granted: int) -> int:
    """What is left of the rights granted to a thread's process (PspProcessOpen, PspThreadOpen).

    ACCESS_DENIED where a right that is withheld was asked for by name; MAXIMUM_ALLOWED goes without it.
    """
    denied = _denied(thread.process, target)
    if not granted & denied:
        return granted
    if not asked & MAXIMUM_ALLOWED:
        raise NtError(STATUS.ACCESS_DENIED, _because(thread, target, asked, denied))
    return granted & ~denied


def for_creator(thread: Thread, target: Process | Thread, granted: int) -> int:
    """What a creator keeps of its rights on what it made: it may always end the process."""
    denied = _denied(thread.process, target)
    return granted & ~(denied & ~PROCESS_TERMINATE if isinstance(target, Process) else denied)


def _denied(source: Process, target: Process | Thread) -> int:
    owner = target if isinstance(target, Process) else target.process
    byte = level_of(owner)
    if not byte or owner is source or dominates(level_of(source), byte):
        return 0
    signer = SIGNERS[byte >> 4]
    return signer.process if isinstance(target, Process) else signer.thread


def _because(thread: Thread, target: Process | Thread, asked: int, denied: int) -> Denied:
    owner = target if isinstance(target, Process) else target.process
    inputs = {
        "caller": name(level_of(thread.process)), "target": name(level_of(owner)), "asked": hex(asked),
        "withheld": hex(denied),
    }  # fmt: skip
    return Denied("the target is a protected process its opener does not dominate", inputs,
                  f"ask for no more than 0x{0x1FFFFF & ~denied:X}")  # fmt: skip


def incompatible(source: Process, target: Process) -> bool:
    """Whether one process may not debug or otherwise take over the other (PsTestProtectedProcessIncompatibility)."""
    return source is not target and not dominates(level_of(source), level_of(target))


PROCESS.withheld = withheld
THREAD.withheld = withheld
