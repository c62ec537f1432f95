"""Protected processes: who may have a level, whom it keeps out, and what it lets into the process."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

import pytest

from ntos import io, ob
from ntos.abi.layout.peb import PEB
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.status import STATUS, NtError
from ntos.hal.scripted import ScriptedBackend
from ntos.io.volume.memory import MemoryVolume
from ntos.ke.process import Process
from ntos.machine import Machine
from ntos.ps import protection
from ntos.ps.manager import ProcessManager
from tests.guest.conftest import SAMPLES
from tests.ps.test_create import PROTECTION, Yard, _refused

PROTECT = 0x40
EVERYTHING = 0x1F_FFFF
FOLDER = "Windows\\System32\\"
TCB_LIGHT, LSA_LIGHT, ANTIMALWARE, APP, TCB, AUTHENTICODE = 0x61, 0x41, 0x31, 0x81, 0x62, 0x12


@pytest.mark.parametrize(
    ("source", "target", "does"),
    [
        (ANTIMALWARE, ANTIMALWARE, True), (ANTIMALWARE, TCB_LIGHT, False), (TCB_LIGHT, LSA_LIGHT, True),
        (TCB_LIGHT, AUTHENTICODE, False), (TCB, 0x72, False), (0x52, TCB_LIGHT, False),
        (LSA_LIGHT, ANTIMALWARE, False), (0x51, ANTIMALWARE, True), (APP, APP, False), (0, TCB_LIGHT, False),
        (0, 0, True), (0x72, TCB, True),
    ],
)  # fmt: skip
def test_dominance(source: int, target: int, does: bool) -> None:
    """A light level never dominates a full one, and a signer only those its mask names (RtlTestProtectedAccess)."""
    assert protection.dominates(source, target) is does


@pytest.mark.parametrize(
    ("byte", "valid"), [(0, True), (0x61, True), (0x72, True), (0x60, False), (0x01, False), (0x91, False)]
)
def test_levels_that_there_are(byte: int, valid: bool) -> None:
    """No type without signer, no signer without type, no type Max (RtlValidProcessProtection)."""
    assert protection.is_valid(byte) is valid


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A machine whose drive E: has Windows' own programs: made, so they count as signed."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    program = (SAMPLES / "bin" / "exitcode.exe").read_bytes()
    with Machine(
        memory=96 << 20, drives={"D": SAMPLES / "bin"}, stdin=nowhere, stdout=nowhere, stderr=nowhere,
        backend=ScriptedBackend(),
    ) as made:  # fmt: skip
        tree = io.SystemTree()
        for name in ("csrss.exe", "lsass.exe", "notepad.exe", "audiodg.exe"):
            tree.add_file(FOLDER + name, lambda: program)
        io.mount(made.kernel, "E", io.OverlayVolume(tree, MemoryVolume()))
        yield made
        for thread in list(made.kernel.threads.values()):
            if thread.coroutine is not None:
                thread.coroutine.close()
    os.close(nowhere)


@pytest.fixture
def yard(machine: Machine) -> Iterator[Yard]:
    """An unprotected creator."""
    made = Yard(machine)
    yield made
    machine.kernel.scheduler.current = None


def _image(name: str) -> str:
    return f"\\??\\E:\\{FOLDER}{name}"


def _create(yard: Yard, name: str, level: int) -> Process:
    listing = yard.attribute_list((PROTECTION, 1, level), image=_image(name))
    assert yard.create(listing, PROTECT, init=4) == 0
    return yard.child


def _open(yard: Yard, target: Process, access: int) -> int | str:
    client = yard.data(struct.pack("<QQ", target.id, 0))
    return yard.status("NtOpenProcess", yard.places, access, yard.attributes(), client)


def _granted(yard: Yard, handle: int) -> int:
    entry = ob.granted(yard.thread, handle)
    assert entry is not None
    return entry.access


def test_a_level_needs_a_certificate_that_carries_it(yard: Yard) -> None:
    """INVALID_IMAGE_HASH for a program nobody signed, and for a signed one whose certificate says less."""
    _refused(yard, yard.attribute_list((PROTECTION, 1, TCB_LIGHT)), STATUS.INVALID_IMAGE_HASH, PROTECT)
    _refused(yard, yard.attribute_list(), STATUS.INVALID_IMAGE_HASH, PROTECT)
    for name, level in (("notepad.exe", 0x51), ("lsass.exe", TCB_LIGHT), ("csrss.exe", TCB)):
        listing = yard.attribute_list((PROTECTION, 1, level), image=_image(name))
        _refused(yard, listing, STATUS.INVALID_IMAGE_HASH, PROTECT)


def test_levels_that_make_no_sense(yard: Yard) -> None:
    """A signer without a type, or a level without the flag: INVALID_PARAMETER."""
    for level, flags in ((0x60, PROTECT), (0x161, PROTECT), (TCB_LIGHT, 0)):
        listing = yard.attribute_list((PROTECTION, 1, level), image=_image("csrss.exe"))
        _refused(yard, listing, STATUS.INVALID_PARAMETER, flags)


def test_the_level_is_in_the_process(yard: Yard) -> None:
    """EPROCESS, PEB, parameters and PS_CREATE_INFO all say that the process is a light one of the TCB."""
    child = _create(yard, "csrss.exe", TCB_LIGHT)
    eprocess = child.eprocess
    levels = int(eprocess.Protection.Level), int(eprocess.SignatureLevel), int(eprocess.SectionSignatureLevel)
    assert levels == (TCB_LIGHT, 0x3E, 0x0C)
    peb = PEB(child.memory, int(eprocess.Peb))
    assert (peb.IsProtectedProcess, peb.IsProtectedProcessLight) == (1, 1)
    assert int(RTL_USER_PROCESS_PARAMETERS(child.memory, int(peb.ProcessParameters)).Flags) & 0x40_0000
    assert int(yard.info.SuccessState.OutputFlags) & 0x11 == 0x11
    answer = yard.room(16)
    assert yard.status("NtQueryInformationProcess", yard.word(yard.places), 61, answer, 1, 0) == 0
    assert yard.memory.read(answer, 1) == bytes((TCB_LIGHT,))
    yard.forget()


@pytest.mark.parametrize(
    ("image", "level", "left", "of_thread"),
    [("csrss.exe", TCB_LIGHT, 0x103800, 0x101C00), ("audiodg.exe", AUTHENTICODE, 0x103801, 0x101C02)],
)
def test_what_is_left_for_a_stranger(yard: Yard, image: str, level: int, left: int, of_thread: int) -> None:
    """By name a withheld right refuses the open; MAXIMUM_ALLOWED goes without it. The creator may always terminate."""
    child = _create(yard, image, level)
    assert _granted(yard, yard.word(yard.places)) == left | 1
    assert _granted(yard, yard.word(yard.places + 8)) == of_thread
    kept = yard.places
    yard.places = yard.room(16)
    for access in (0x10, 0x400, 0x1F_FFFF, 0x40, 0x20000):
        assert _open(yard, child, access) == STATUS.ACCESS_DENIED
    assert _open(yard, child, 0x1000) == 0
    assert _open(yard, child, 0x0200_0000) == 0
    assert _granted(yard, yard.word(yard.places)) == left
    yard.places = kept
    yard.forget()


def test_the_debug_privilege_does_not_help(yard: Yard) -> None:
    """SeDebugPrivilege stands above descriptors, not above protection; a refusal says whose level it was."""
    yard.thread.process.eprocess.Protection.Level = 0
    child = _create(yard, "csrss.exe", TCB_LIGHT)
    with pytest.raises(NtError) as caught:
        protection.withheld(yard.thread, child, 0x10, 0x10)
    assert caught.value.because is not None
    assert caught.value.because.inputs["target"] == "WinTcb-Light"
    yard.forget()


def test_who_dominates_opens_freely(yard: Yard) -> None:
    """A WinTcb-Light process has every right to an Lsa-Light one, and none to hand out to a lesser caller."""
    yard.process.eprocess.Protection.Level = TCB_LIGHT
    child = _create(yard, "lsass.exe", LSA_LIGHT)
    assert _granted(yard, yard.word(yard.places)) == EVERYTHING
    yard.process.eprocess.Protection.Level = 0
    listed = yard.room(16)
    assert yard.status("NtDuplicateObject", -1 & (1 << 64) - 1, yard.word(yard.places), -1 & (1 << 64) - 1, listed,
                       0x10, 0, 0) == 0  # what the handle has already may be copied
    yard.forget()
    assert child.id


def test_the_trusted_computing_base_protects_its_own(yard: Yard) -> None:
    """csrss.exe started by a WinTcb process is WinTcb-Light without anybody asking; by others it is not."""
    assert yard.create(yard.attribute_list(image=_image("csrss.exe")), init=4) == 0
    assert protection.level_of(yard.child) == 0
    yard.forget()
    yard.process.eprocess.Protection.Level = TCB_LIGHT
    assert yard.create(yard.attribute_list(image=_image("csrss.exe")), init=4) == 0
    assert protection.level_of(yard.child) == TCB_LIGHT
    yard.forget()
    yard.process.eprocess.Protection.Level = 0


def test_a_protected_parents_handles_do_not_leak(yard: Yard) -> None:
    """All handles of a protected parent for an unprotected child: INVALID_PARAMETER; a list of them is allowed."""
    yard.process.eprocess.Protection.Level = TCB_LIGHT
    _refused(yard, yard.attribute_list(), STATUS.INVALID_PARAMETER, flags=4)
    assert yard.create(yard.attribute_list((0x2000B, 0, 0)), flags=4) == 0
    yard.forget()
    yard.process.eprocess.Protection.Level = 0


def test_only_signed_images_come_into_a_protected_process(yard: Yard) -> None:
    """A section of a file nobody signed cannot be mapped where SectionSignatureLevel asks for more."""
    name = yard.attributes("\\??\\D:\\plugin.dll")
    file = yard._made("NtOpenFile", 0x1000A1, name, yard.room(16), 7, 0x60)
    section = yard._made("NtCreateSection", 0xF001F, 0, 0, 2, 0x100_0000, file)
    own = -1 & (1 << 64) - 1

    def map_it() -> int | str:
        return yard.status("NtMapViewOfSection", section, own, yard.room(8), 0, 0, 0, yard.room(8), 1, 0, 2)

    assert map_it() == 0
    yard.process.eprocess.SectionSignatureLevel = 0xC
    assert map_it() == STATUS.INVALID_IMAGE_HASH
    yard.process.eprocess.SectionSignatureLevel = 0


def test_the_system_process_is_protected(yard: Yard) -> None:
    """System is WinSystem: nobody reads its memory, everybody may ask what it is."""
    system = yard.kernel[ProcessManager].system
    assert protection.level_of(system) == 0x72
    yard.places = yard.room(16)
    assert _open(yard, system, 0x10) == STATUS.ACCESS_DENIED
