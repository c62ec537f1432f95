"""Services on handles, directories and links."""

from __future__ import annotations

from ntos import ob
from ntos.abi.layout.api import OBJECT_BASIC_INFORMATION, OBJECT_TYPE_INFORMATION
from ntos.abi.status import STATUS
from tests.conftest import World

ALL = 0x1F0003
SELF = 2**64 - 1
CLOSE_SOURCE, SAME_ACCESS, SAME_ATTRIBUTES = 1, 2, 4


def test_duplicating(world: World) -> None:
    """Same access, less access, into another process, and closing the source."""
    thread, other = world.thread(), world.thread()
    target = ob.insert_handle(thread.process, other.process, 0x40)
    event = world.handle_of(thread, "NtCreateEvent", ALL, 0, 0, 0)
    place = world.room(thread, 8)

    def duplicate(process: int, access: int, options: int) -> int:
        status = world.call(thread, "NtDuplicateObject", SELF, event, process, place, access, 0, options)
        assert status == 0, hex(status)
        return world.integer(thread, place)

    same = ob.granted(thread, duplicate(SELF, 0, SAME_ACCESS))
    less = ob.granted(thread, duplicate(SELF, 1, 0))
    assert same is not None
    assert less is not None
    assert (same.access, less.access) == (ALL, 1)
    far = duplicate(target, 0, SAME_ACCESS | CLOSE_SOURCE)
    assert ob.by_handle(other, far, ALL).kernel is world.kernel
    assert world.call(thread, "NtClose", event) == STATUS.INVALID_HANDLE


def test_duplicating_pseudo_handles(world: World) -> None:
    """-1 becomes a real handle to the source process."""
    thread = world.thread()
    place = world.room(thread, 8)
    assert world.call(thread, "NtDuplicateObject", SELF, SELF, SELF, place, 0, 2, SAME_ACCESS) == 0
    handle = world.integer(thread, place)
    assert ob.by_handle(thread, handle, 0x1FFFFF) is thread.process
    assert world.call(thread, "NtCompareObjects", handle, SELF) == 0
    assert world.call(thread, "NtCompareObjects", handle, SELF - 1) == STATUS.NOT_SAME_OBJECT
    bad = world.call(thread, "NtDuplicateObject", SELF, 0x999, SELF, place, 0, 0, SAME_ACCESS)
    assert bad == STATUS.INVALID_HANDLE
    assert world.integer(thread, place) == 0
    mine = world.handle_of(thread, "NtCreateEvent", ALL, 0, 0, 0)
    wrong = world.call(thread, "NtDuplicateObject", mine, mine, SELF, place, 0, 0, SAME_ACCESS)
    assert wrong == STATUS.OBJECT_TYPE_MISMATCH


def test_protected_handles_do_not_close(world: World) -> None:
    """NtSetInformationObject sets the flags that NtQueryObject class 4 tells."""
    thread = world.thread()
    event = world.handle_of(thread, "NtCreateEvent", ALL, 0, 0, 0)
    flags = world.put(thread, b"\1\1")
    room = world.room(thread, 2)
    assert world.call(thread, "NtSetInformationObject", event, 4, flags, 2) == 0
    assert world.call(thread, "NtQueryObject", event, 4, room, 2, 0) == 0
    assert thread.memory.read(room, 2) == b"\1\1"
    assert world.call(thread, "NtClose", event) == STATUS.HANDLE_NOT_CLOSABLE
    assert world.call(thread, "NtSetInformationObject", event, 4, room + 16, 2) == 0
    assert world.call(thread, "NtClose", event) == 0
    assert world.call(thread, "NtSetInformationObject", event, 4, flags, 2) == STATUS.INVALID_HANDLE
    assert world.call(thread, "NtSetInformationObject", event, 3, flags, 2) == STATUS.INVALID_INFO_CLASS


def test_querying(world: World) -> None:
    """Basic facts, the full name, the type; a short buffer learns the length."""
    thread = world.thread()
    attributes = world.attributes(thread, "\\BaseNamedObjects\\Q")
    event = world.handle_of(thread, "NtCreateEvent", ALL, attributes, 0, 0)
    room, length = world.room(thread, 0x200), world.room(thread, 4)
    assert world.call(thread, "NtQueryObject", event, 0, room, 0x38, length) == 0
    basic = OBJECT_BASIC_INFORMATION(thread.memory, room)
    assert (basic.GrantedAccess, basic.HandleCount, basic.PointerCount) == (ALL, 1, 3)
    assert world.call(thread, "NtQueryObject", event, 0, room, 0x37, 0) == STATUS.INFO_LENGTH_MISMATCH
    assert world.call(thread, "NtQueryObject", event, 1, room, 8, length) == STATUS.INFO_LENGTH_MISMATCH
    needed = world.integer(thread, length, 4)
    assert needed == basic.NameInfoSize == 0x10 + 2 * len("\\BaseNamedObjects\\Q") + 2
    assert world.call(thread, "NtQueryObject", event, 1, room, needed, 0) == 0
    text = thread.memory.read(world.integer(thread, room + 8), needed - 0x12).decode("utf-16-le")
    assert text == "\\BaseNamedObjects\\Q"
    assert world.call(thread, "NtQueryObject", event, 2, room, 0x200, 0) == 0
    kind = OBJECT_TYPE_INFORMATION(thread.memory, room)
    assert (kind.TypeName.text, kind.TypeIndex, kind.ValidAccessMask) == ("Event", 16, ALL)
    unnamed = world.handle_of(thread, "NtCreateEvent", ALL, 0, 0, 0)
    assert world.call(thread, "NtQueryObject", unnamed, 1, room, 0x10, length) == 0
    assert thread.memory.read(room, 16) == bytes(16)


def test_all_types(world: World) -> None:
    """Class 3 lists every type object, eight-aligned one after the other."""
    thread = world.thread()
    room, length = world.room(thread, 0x4000), world.room(thread, 4)
    assert world.call(thread, "NtQueryObject", 0, 3, room, 0x4000, length) == 0
    assert world.integer(thread, room, 4) == 53
    at, names = room + 8, []
    for _ in range(53):
        view = OBJECT_TYPE_INFORMATION(thread.memory, at)
        names.append(view.TypeName.text)
        at += (OBJECT_TYPE_INFORMATION.size + view.TypeName.MaximumLength + 7) & ~7
    assert names[:3] == ["Type", "Directory", "SymbolicLink"]
    assert at - room == world.integer(thread, length, 4)


def test_directories(world: World) -> None:
    """Made relative to a handle, listed entry by entry or all at once."""
    thread = world.thread()
    top = world.handle_of(thread, "NtCreateDirectoryObject", 0xF000F, world.attributes(thread, "\\Top"))
    for name in ("one", "two"):
        world.handle_of(thread, "NtCreateEvent", ALL, world.attributes(thread, name, root=top), 0, 0)
    again = world.handle_of(thread, "NtOpenDirectoryObject", 1, world.attributes(thread, "\\top"))
    room, context, length = world.room(thread, 0x200), world.room(thread, 4), world.room(thread, 4)

    def listed(single: int, restart: int, size: int = 0x200) -> int:
        return world.call(
            thread, "NtQueryDirectoryObject", again, room, size, single, restart, context, length
        )

    def text(at: int) -> str:
        size = world.integer(thread, at, 2)
        return thread.memory.read(world.integer(thread, at + 8), size).decode("utf-16-le")

    assert listed(0, 1) == 0
    assert {text(room), text(room + 0x20)} == {"one", "two"}
    assert text(room + 0x10) == "Event"
    assert listed(0, 0) == STATUS.NO_MORE_ENTRIES
    assert listed(1, 1) == 0
    assert listed(1, 0) == 0
    assert listed(1, 0) == STATUS.NO_MORE_ENTRIES
    assert listed(0, 1, 0x60) == STATUS.MORE_ENTRIES
    assert listed(0, 1, 0x20) == STATUS.BUFFER_TOO_SMALL


def test_a_directory_with_a_shadow(world: World) -> None:
    """What is not in the directory is found in the one behind it."""
    thread = world.thread()
    shadow = world.handle_of(thread, "NtOpenDirectoryObject", 1, world.attributes(thread, "\\"))
    world.handle_of(
        thread, "NtCreateDirectoryObjectEx", 0xF000F, world.attributes(thread, "\\Over"), shadow, 0
    )
    assert ob.full_name(ob.lookup(world.kernel, "\\Over\\Device")) == "\\Device"


def test_symbolic_links(world: World) -> None:
    """A link is made, opened as itself, and tells its target."""
    thread = world.thread()
    link = world.handle_of(
        thread,
        "NtCreateSymbolicLinkObject",
        0xF0001,
        world.attributes(thread, "\\GLOBAL??\\Z:"),
        world.string(thread, "\\Device\\Z"),
    )
    opened = world.handle_of(thread, "NtOpenSymbolicLinkObject", 1, world.attributes(thread, "\\??\\Z:"))
    assert ob.by_handle(thread, link, 0) is ob.by_handle(thread, opened, 0)
    buffer, length = world.room(thread, 0x40), world.room(thread, 4)
    place = world.put(
        thread,
        (0).to_bytes(2, "little") + (4).to_bytes(2, "little") + bytes(4) + buffer.to_bytes(8, "little"),
    )
    assert world.call(thread, "NtQuerySymbolicLinkObject", opened, place, length) == STATUS.BUFFER_TOO_SMALL
    assert world.integer(thread, length, 4) == 20
    thread.memory.write(place + 2, (0x40).to_bytes(2, "little"))
    assert world.call(thread, "NtQuerySymbolicLinkObject", opened, place, 0) == 0
    assert thread.memory.read(buffer, 18).decode("utf-16-le") == "\\Device\\Z"


def test_a_duplicate_can_take_the_place_of_its_source(world: World) -> None:
    """DUPLICATE_CLOSE_SOURCE closes first: within one process the new handle is the old number, unless protected."""
    thread = world.thread()
    place, flags = world.room(thread, 8), world.put(thread, b"\0\1")
    event = world.handle_of(thread, "NtCreateEvent", ALL, 0, 0, 0)

    def duplicate() -> int:
        options = CLOSE_SOURCE | SAME_ACCESS
        assert world.call(thread, "NtDuplicateObject", SELF, event, SELF, place, 0, 0, options) == 0
        return world.integer(thread, place)

    assert duplicate() == event
    assert world.call(thread, "NtSetInformationObject", event, 4, flags, 2) == 0
    assert duplicate() != event


def test_opening_without_attributes(world: World) -> None:
    """NULL for OBJECT_ATTRIBUTES is INVALID_PARAMETER, and the handle is cleared."""
    thread = world.thread()
    for name in ("NtOpenKeyedEvent", "NtOpenDirectoryObject", "NtOpenSymbolicLinkObject"):
        place = world.put(thread, bytes([0xEE]) * 8)
        assert world.call(thread, name, place, 0, 0) == STATUS.INVALID_PARAMETER
        assert world.integer(thread, place) == 0
    assert world.call(thread, "NtOpenEvent", place, 0, 0) == STATUS.INVALID_PARAMETER


def test_how_names_are_captured(world: World) -> None:
    """An odd length and one without room for a NUL are bad names; a buffer at an odd address is misaligned before."""
    thread = world.thread()
    buffer, place = world.room(thread, 0x10000), world.room(thread, 8)
    thread.memory.write(buffer, b"a\0" * 0x8000)

    def create(length: int, at: int) -> int:
        head = length.to_bytes(2, "little") * 2 + bytes(4) + at.to_bytes(8, "little")
        attributes = world.attributes(thread)
        thread.memory.write(attributes + 0x10, world.put(thread, head).to_bytes(8, "little"))
        names = world.attributes(thread, "\\BaseNamedObjects")
        directory = world.handle_of(thread, "NtOpenDirectoryObject", 0xF, names)
        thread.memory.write(attributes + 8, directory.to_bytes(8, "little"))
        return world.call(thread, "NtCreateEvent", place, ALL, attributes, 0, 0)

    assert create(67, buffer) == STATUS.OBJECT_NAME_INVALID
    assert create(0xFFFE, buffer) == STATUS.OBJECT_NAME_INVALID
    assert create(3, buffer + 1) == STATUS.DATATYPE_MISALIGNMENT
    assert create(0xFFFC, buffer) == 0


def test_a_link_is_no_directory(world: World) -> None:
    """Names below a root directory end at a handle to a symbolic link, or to any object that is not a directory."""
    thread = world.thread()
    link = world.handle_of(thread, "NtOpenSymbolicLinkObject", 1, world.attributes(thread, "\\BaseNamedObjects\\Local"))
    event, place = world.handle_of(thread, "NtCreateEvent", ALL, 0, 0, 0), world.room(thread, 8)
    below = world.attributes(thread, "e", root=link)
    assert world.call(thread, "NtCreateEvent", place, ALL, below, 0, 0) == STATUS.OBJECT_TYPE_MISMATCH
    assert world.call(thread, "NtOpenEvent", place, ALL, below) == STATUS.OBJECT_TYPE_MISMATCH
    itself = world.attributes(thread, "", root=event)
    assert world.call(thread, "NtOpenEvent", place, ALL, itself) == STATUS.OBJECT_TYPE_MISMATCH
    root = world.attributes(thread, "\\")
    assert world.call(thread, "NtCreateEvent", place, ALL, root, 0, 0) == STATUS.OBJECT_TYPE_MISMATCH
    assert world.call(thread, "NtCreateDirectoryObject", place, 1, root) == STATUS.OBJECT_NAME_COLLISION
    nowhere = world.put(thread, bytes(16))
    free = world.attributes(thread, "\\BaseNamedObjects\\l")
    assert world.call(thread, "NtCreateSymbolicLinkObject", place, 1, free, nowhere) == STATUS.INVALID_PARAMETER
