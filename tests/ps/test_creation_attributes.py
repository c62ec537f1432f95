"""PS_ATTRIBUTE_…: what each asks of a new process is so, or the creation is refused."""

from __future__ import annotations

import struct

import pytest

from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.status import STATUS, NtError
from ntos.mm import space_of
from ntos.ps.win32 import Win32Callouts
from ntos.se.token import primary_token
from tests.ps.test_create import MITIGATION, Yard, _refused, machine, yard

__all__ = ["machine", "yard"]
SELF, SELF_THREAD = 0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFE
AFFINITY, NODE, IDEAL, RESERVE, CHILDREN, DESKTOP, COMPONENTS = (
    0x3000C, 0x2000D, 0x3000E, 0x20007, 0x20014, 0x20019, 0x2001D,
)  # fmt: skip
WIN32K, DYNAMIC_CODE, SIGNATURES = 7, 9, 11
PAGE_EXECUTE_READWRITE, PAGE_EXECUTE_READ, PAGE_READWRITE = 0x40, 0x20, 4


def _mitigation(yard: Yard, policy: int, value: int) -> tuple[int, int, int]:
    nibbles = bytearray(24)
    nibbles[policy // 2] = value << 4 * (policy % 2)
    return MITIGATION, 24, yard.data(bytes(nibbles))


@pytest.mark.parametrize(
    ("attribute", "good", "bad"),
    [
        (AFFINITY, (1).to_bytes(16, "little"), (2).to_bytes(16, "little")),
        (AFFINITY, (1).to_bytes(16, "little"), bytes(16)),
        (NODE, bytes(2), b"\1\0"),
        (IDEAL, bytes(4), b"\0\0\1\0"),
        (DESKTOP, b"\2\0\0\0", b"\3\0\0\0"),
        (COMPONENTS, b"\1\0\0\0", b"\2\0\0\0"),
        (RESERVE, struct.pack("<QQ", 0x2_0000_0000, 0x10000), struct.pack("<QQ", 0x2_0000_0123, 0x10000)),
    ],
)
def test_valid_and_invalid_values(yard: Yard, attribute: int, good: bytes, bad: bytes) -> None:
    """On a machine with one processor and one node only those are valid; what is not is INVALID_PARAMETER."""
    assert yard.create(yard.attribute_list((attribute, len(good), yard.data(good)))) == 0
    yard.forget()
    _refused(yard, yard.attribute_list((attribute, len(bad), yard.data(bad))), STATUS.INVALID_PARAMETER)


def test_reserved_memory_is_reserved(yard: Yard) -> None:
    """MEMORY_RESERVE keeps ranges free of everything that is placed at creation."""
    ranges = struct.pack("<4Q", 0x2_0000_0000, 0x20000, 0, 0x10000)
    assert yard.create(yard.attribute_list((RESERVE, len(ranges), yard.data(ranges)))) == 0
    vad = space_of(yard.child).find(0x2_0001_0000)
    assert vad is not None
    assert (vad.base, vad.size, vad.committed) == (0x2_0000_0000, 0x20000, False)
    yard.forget()


def test_dynamic_code_is_prohibited(yard: Yard) -> None:
    """No new executable memory, nothing writable made executable, no code made writable: DYNAMIC_CODE_BLOCKED."""
    assert yard.create(yard.attribute_list(_mitigation(yard, DYNAMIC_CODE, 1))) == 0
    assert yard.child.eprocess.MitigationFlagsValues.DisableDynamicCode == 1
    handle = yard.word(yard.places)

    def allocate(protection: int) -> int | str:
        return yard.status("NtAllocateVirtualMemory", handle, place, 0, size, 0x3000, protection)

    def protect(protection: int) -> int | str:
        return yard.status("NtProtectVirtualMemory", handle, place, size, protection, yard.room(8))

    place, size = yard.room(8), yard.data((0x1000).to_bytes(8, "little"))
    assert allocate(PAGE_EXECUTE_READWRITE) == STATUS.DYNAMIC_CODE_BLOCKED
    assert allocate(PAGE_READWRITE) == 0
    assert protect(PAGE_EXECUTE_READ) == STATUS.DYNAMIC_CODE_BLOCKED
    base = int(yard.child.eprocess.SectionBaseAddress)
    yard.memory.write(place, (base + 0x1000).to_bytes(8, "little"))
    assert protect(PAGE_READWRITE) == STATUS.DYNAMIC_CODE_BLOCKED
    assert protect(PAGE_EXECUTE_READ) == 0
    yard.forget()


def test_a_thread_opts_out_where_it_may(yard: Yard) -> None:
    """Prohibited dynamic code with AllowThreadOptOut: only a thread that has opted out may have it."""
    eprocess = yard.process.eprocess
    place, size = yard.room(8), yard.data((0x1000).to_bytes(8, "little"))

    def allocate() -> int | str:
        yard.memory.write(place, bytes(8))
        return yard.status("NtAllocateVirtualMemory", SELF, place, 0, size, 0x3000, PAGE_EXECUTE_READWRITE)

    policy = yard.data(struct.pack("<II", 2, 3))
    opt_out = yard.data(b"\1\0\0\0")
    assert yard.status("NtSetInformationThread", SELF_THREAD, 42, opt_out, 4) == STATUS.ACCESS_DENIED
    assert yard.status("NtSetInformationProcess", SELF, 52, policy, 8) == 0
    assert allocate() == STATUS.DYNAMIC_CODE_BLOCKED
    assert yard.status("NtSetInformationThread", SELF_THREAD, 42, opt_out, 4) == 0
    assert allocate() == 0
    off = yard.data(struct.pack("<II", 2, 0))
    assert yard.status("NtSetInformationProcess", SELF, 52, off, 8) == STATUS.ACCESS_DENIED
    assert yard.status("NtSetInformationProcess", SELF, 52, yard.data(struct.pack("<II", 3, 1)), 8) == (
        STATUS.NOT_SUPPORTED
    )
    eprocess.MitigationFlags = 0


def test_no_win32k_calls(yard: Yard) -> None:
    """With win32k system calls disabled no thread of the process becomes a GUI thread: ACCESS_DENIED."""
    assert yard.create(yard.attribute_list(_mitigation(yard, WIN32K, 1))) == 0
    with pytest.raises(NtError) as caught:
        Win32Callouts(lambda _process, _new: None, lambda _thread, _new: None).convert(yard.child.threads[0])
    assert caught.value.status == STATUS.ACCESS_DENIED
    yard.forget()


def test_only_signed_modules(yard: Yard) -> None:
    """BlockNonMicrosoft makes the process demand signatures of what it maps; the program itself need not have one."""
    for value, level, flags in ((1, 8, 5), (3, 6, 6)):
        assert yard.create(yard.attribute_list(_mitigation(yard, SIGNATURES, value))) == 0
        assert int(yard.child.eprocess.SectionSignatureLevel) == level
        answer = yard.data(struct.pack("<II", 8, 0))
        assert yard.status("NtQueryInformationProcess", yard.word(yard.places), 52, answer, 8, 0) == 0
        assert yard.word(answer) >> 32 == flags
        yard.forget()


def test_the_child_may_have_children_by_override(yard: Yard) -> None:
    """PROCESS_CREATION_CHILD_PROCESS_OVERRIDE lets the child create although its token is of a restricted one."""
    assert yard.create(yard.attribute_list((CHILDREN, 4, yard.data(b"\1\0\0\0")))) == 0
    restricted = yard.word(yard.places)
    first = yard.places, yard.info
    assert yard.create(yard.attribute_list((0x60000, 8, restricted), (CHILDREN, 4, yard.data(b"\2\0\0\0")))) == 0
    assert not int(primary_token(yard.child).body.TokenFlags) & 0x8_0000
    yard.forget()
    yard.places, yard.info = first
    yard.forget()


def test_a_group_of_its_own(yard: Yard) -> None:
    """A process that was given no group is its own group's first."""
    assert yard.create(yard.attribute_list()) == 0
    view = RTL_USER_PROCESS_PARAMETERS(yard.child.memory, int(yard.info.SuccessState.UserProcessParametersNative))
    assert int(view.ProcessGroupId) == yard.child.id
    yard.forget()
