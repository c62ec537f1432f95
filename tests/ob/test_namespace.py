"""Names: the walk, its statuses, symbolic links, parse procedures."""

from __future__ import annotations

import pytest

from ntos import ob
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.status import STATUS, NtError
from ntos.ex.event import EVENT
from ntos.ke.kernel import Kernel
from ntos.ke.thread import Thread
from ntos.ob.types import Body, KernelObject, ObjectType, ParseRequest, Reparse
from tests.conftest import World


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("", STATUS.OBJECT_PATH_SYNTAX_BAD),
        ("BaseNamedObjects", STATUS.OBJECT_PATH_SYNTAX_BAD),
        ("\\Nothing", STATUS.OBJECT_NAME_NOT_FOUND),
        ("\\Nothing\\Below", STATUS.OBJECT_PATH_NOT_FOUND),
        ("\\\\Device", STATUS.OBJECT_NAME_INVALID),
        ("\\Device\\", STATUS.OBJECT_NAME_INVALID),
        ("\\ObjectTypes\\Event\\Below", STATUS.OBJECT_TYPE_MISMATCH),
        ("\\Loop", STATUS.OBJECT_NAME_NOT_FOUND),
    ],
)
def test_what_a_bad_name_gives(world: World, path: str, status: int) -> None:
    """Each way in which a name can be wrong has a status of its own."""
    ob.add_link(world.kernel, "Loop", "\\Loop")
    with pytest.raises(NtError) as refused:
        ob.lookup(world.kernel, path)
    assert refused.value.status == status


def test_case_counts_only_when_asked(world: World) -> None:
    """OBJ_CASE_INSENSITIVE finds a name in any case."""
    assert ob.full_name(ob.lookup(world.kernel, "\\kernelOBJECTS")) == "\\KernelObjects"
    with pytest.raises(NtError):
        ob.lookup(world.kernel, "\\kernelOBJECTS", case_insensitive=False)


def test_links_lead_on(world: World) -> None:
    r"""`Local` and `Global` of a session, `\??` and GLOBALROOT come to the right directories."""
    ob.create_session(world.kernel, 1)
    base = "\\Sessions\\1\\BaseNamedObjects"
    for path, name in (
        (f"{base}\\Local", base),
        (f"{base}\\Global", "\\BaseNamedObjects"),
        (f"{base}\\Session\\1", base),
        ("\\??", "\\GLOBAL??"),
        ("\\??\\GLOBALROOT\\Device", "\\Device"),
        ("\\DosDevices\\Global", "\\GLOBAL??"),
    ):
        assert ob.full_name(ob.lookup(world.kernel, path)) == name


def test_a_parse_procedure_gets_the_rest(world: World) -> None:
    """A device sees what follows its name, wherever links led through; its object is the caller's."""
    seen: list[tuple[str, object]] = []

    def parse(
        _who: Thread | Kernel, device: Body, rest: str, request: ParseRequest
    ) -> KernelObject | Reparse:
        seen.append((rest, request.context))
        request.granted = 0x20
        return ob.create(world.kernel, EVENT)

    kind: ObjectType[Body] = ObjectType("Device", 0x20, Body, valid_access=0x1F01FF)
    kind.parse = parse
    ob.add_permanent(world.kernel, "Device\\Disk", ob.create(world.kernel, kind))
    ob.add_link(world.kernel, "GLOBAL??\\C:", "\\Device\\Disk")
    made = ob.lookup(world.kernel, "\\??\\C:\\Windows\\x", context="options")
    assert ob.pointer_count(made) == 1
    ob.lookup(world.kernel, "\\??\\c:")
    assert seen == [("\\Windows\\x", "options"), ("", None)]
    thread = world.thread()
    said = ob.Attributes(name="\\??\\C:\\x", flags=0x40)
    handle = ob.open_by_name(thread, EVENT, said, 0x1F0003)
    entry = ob.granted(thread, handle)
    assert entry is not None
    assert entry.access == 0x20


def test_a_process_may_have_devices_of_its_own(world: World) -> None:
    """Its device map is searched first, the machine's after it (OBJECT_DIRECTORY.ShadowDirectory)."""
    from ntos.abi.layout.object import DEVICE_MAP

    thread = world.thread()
    own = ob.add_directory(world.kernel, "Sessions\\Own")
    own.set_shadow(ob.directory(world.kernel, "GLOBAL??"))
    view = DEVICE_MAP(world.kernel.memory, world.kernel.pool.allocate(DEVICE_MAP.size, b"ObDm"))
    view.DosDevicesDirectory = own.address
    thread.process.eprocess.DeviceMap = view.address
    ob.add_link(world.kernel, "Sessions\\Own\\X:", "\\Device")
    ob.add_link(world.kernel, "GLOBAL??\\Y:", "\\Driver")
    assert ob.full_name(ob.lookup(thread, "\\??\\X:")) == "\\Device"
    assert ob.full_name(ob.lookup(thread, "\\??\\Y:")) == "\\Driver"
    with pytest.raises(NtError):
        ob.lookup(world.kernel, "\\??\\X:")


def test_reparsing_can_be_forbidden(world: World) -> None:
    """OBJ_DONT_REPARSE stops at the first link and says where it leads."""
    with pytest.raises(NtError) as refused:
        ob.lookup(world.kernel, "\\DosDevices\\C:", attributes=0x1000)
    assert refused.value.status == STATUS.REPARSE_POINT_ENCOUNTERED
    assert refused.value.because is not None


def test_a_temporary_object_loses_its_name_with_its_last_handle(world: World) -> None:
    """A permanent one keeps it until NtMakeTemporaryObject."""
    thread = world.thread()
    attributes = world.attributes(thread, "\\BaseNamedObjects\\T")
    handle = world.handle_of(thread, "NtCreateEvent", 0x1F0003, attributes, 0, 0)
    assert world.call(thread, "NtMakePermanentObject", handle) == 0
    world.call(thread, "NtClose", handle)
    event = ob.lookup(world.kernel, "\\BaseNamedObjects\\T")
    ob.dereference(event)
    handle = world.handle_of(thread, "NtOpenEvent", 0x1F0003, attributes)
    assert world.call(thread, "NtMakeTemporaryObject", handle) == 0
    world.call(thread, "NtClose", handle)
    assert event.address not in world.manager.objects
    with pytest.raises(NtError):
        ob.lookup(world.kernel, "\\BaseNamedObjects\\T")


def test_attributes_are_checked(world: World) -> None:
    """A wrong length, unknown bits, an odd name, a root without a name."""
    thread = world.thread()
    place = world.room(thread, 8)

    def tried(attributes: int) -> int:
        return world.call(thread, "NtCreateEvent", place, 1, attributes, 0, 0)

    view = OBJECT_ATTRIBUTES(thread.memory, world.attributes(thread, "\\BaseNamedObjects\\a"))
    view.Length = 0x28
    assert tried(view.address) == STATUS.INVALID_PARAMETER
    assert tried(world.attributes(thread, flags=0x2000)) == STATUS.INVALID_PARAMETER
    assert tried(world.attributes(thread, root=4)) == STATUS.OBJECT_NAME_INVALID
    odd = OBJECT_ATTRIBUTES(thread.memory, world.attributes(thread, "\\BaseNamedObjects\\a"))
    thread.memory.write(int(odd.ObjectName), b"\x03")
    assert tried(odd.address) == STATUS.OBJECT_NAME_INVALID
    assert tried(0x7FFF_0000_0000) == STATUS.ACCESS_VIOLATION


def test_exclusive_objects(world: World) -> None:
    """OBJ_EXCLUSIVE keeps other processes out, and the refusal says whom it belongs to."""
    thread, other = world.thread(), world.thread()
    world.handle_of(
        thread, "NtCreateEvent", 0x1F0003, world.attributes(thread, "\\BaseNamedObjects\\X", flags=0x60), 0, 0
    )
    place = world.room(other, 8)
    attributes = world.attributes(other, "\\BaseNamedObjects\\X")
    assert world.call(other, "NtOpenEvent", place, 1, attributes) == STATUS.ACCESS_DENIED
    assert other.refusal is not None
