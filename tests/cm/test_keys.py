"""Keys through their services: names, links, access, deletion, what debuggers see."""

from __future__ import annotations

import struct

from ntos import ob
from ntos.abi.layout.registry import CM_KEY_CONTROL_BLOCK, CM_NAME_CONTROL_BLOCK
from ntos.abi.registry import (
    KEY_INFORMATION_CLASS,
    REG_CREATED_NEW_KEY,
    REG_LINK,
    REG_OPENED_EXISTING_KEY,
    REG_OPTION_CREATE_LINK,
    REG_OPTION_OPEN_LINK,
    REG_OPTION_VOLATILE,
)
from ntos.abi.status import STATUS
from ntos.cm.key import KEY
from ntos.etw.event import Event, KeyOpened, ValueSet
from ntos.rtl.text import from_utf16, to_utf16
from tests.cm.conftest import KEY_ALL, KEY_READ, MAXIMUM, RegistryWorld

VERSION = "\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion"


def test_what_programs_read_at_start_is_there(reg: RegistryWorld) -> None:
    """A fresh machine's registry says which Windows it is, and CurrentControlSet is a link."""
    get = reg.registry.get
    assert get(VERSION, "ProductName") == "Windows 10 Pro"
    assert get(VERSION, "CurrentBuild") == "19045"
    assert get("MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Nls\\CodePage", "OEMCP") == "437"
    assert get("MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager", "SafeDllSearchMode") == 1
    environment = "MACHINE\\SYSTEM\\ControlSet001\\Control\\Session Manager\\Environment"
    assert get(environment, "OS") == "Windows_NT"
    assert get(f"{reg.home}\\Volatile Environment", "USERNAME") == "user"


def test_names_have_no_case(reg: RegistryWorld) -> None:
    """A key is found whatever the case, and keeps the spelling it was made with."""
    path = f"{reg.home}\\SOFTWARE"
    assert reg.create(reg.user, f"{path}\\MyKey")[::2] == (0, REG_CREATED_NEW_KEY)
    status, handle, disposition = reg.create(reg.user, f"{path}\\mykey")
    assert (status, disposition) == (0, REG_OPENED_EXISTING_KEY)
    assert ob.full_name(ob.by_handle(reg.user, handle, 0)).endswith("\\Software\\MyKey")


def test_only_the_last_component_is_created(reg: RegistryWorld) -> None:
    """NtCreateKey makes one key, not those missing above it."""
    missing = STATUS.OBJECT_NAME_NOT_FOUND
    assert reg.create(reg.user, f"{reg.home}\\Software\\No\\Such")[0] == missing
    assert reg.open(reg.user, f"{reg.home}\\Software\\No")[0] == missing


def test_a_user_reads_the_machine_but_does_not_write_it(reg: RegistryWorld) -> None:
    """HKLM's keys hand down read access to Users; MAXIMUM_ALLOWED gives what there is."""
    assert reg.open(reg.user, VERSION, KEY_READ)[0] == 0
    assert reg.open(reg.user, VERSION, KEY_ALL)[0] == STATUS.ACCESS_DENIED
    status, handle = reg.open(reg.user, VERSION, MAXIMUM)
    entry = ob.granted(reg.user, handle)
    assert status == 0
    assert entry is not None
    assert entry.access == KEY_READ
    assert reg.create(reg.user, f"{VERSION}\\Mine")[0] == STATUS.ACCESS_DENIED
    assert reg.create(reg.system, f"{VERSION}\\Systems")[0] == 0


def test_nobody_but_system_reads_the_sam(reg: RegistryWorld) -> None:
    """SAM and SECURITY are closed to users."""
    assert reg.open(reg.user, "\\Registry\\Machine\\SECURITY", KEY_READ)[0] == STATUS.ACCESS_DENIED
    assert reg.open(reg.system, "\\Registry\\Machine\\SECURITY", KEY_ALL)[0] == 0


def test_only_hives_stand_below_machine(reg: RegistryWorld) -> None:
    r"""Keys cannot be made directly below \REGISTRY\MACHINE."""
    assert reg.create(reg.system, "\\Registry\\Machine\\New")[0] == STATUS.ACCESS_DENIED


def test_a_name_relative_to_an_open_key(reg: RegistryWorld) -> None:
    """RootDirectory may be a key; an empty name opens that key again."""
    _, root = reg.open(reg.user, f"{reg.home}\\Software", KEY_READ)
    status, handle = reg.open(reg.user, "Microsoft\\Windows", KEY_READ, root=root)
    assert status == 0
    assert ob.full_name(ob.by_handle(reg.user, handle, 0)).endswith("Software\\Microsoft\\Windows")
    status, again = reg.open(reg.user, "", KEY_READ, root=root)
    assert (status, again != root) == (0, True)


def test_a_link_leads_where_it_says(reg: RegistryWorld) -> None:
    """A key made as a link is followed once it has a SymbolicLinkValue; OBJ_OPENLINK opens the link
    itself.
    """
    base = f"{reg.home}\\Software"
    _, link, _ = reg.create(reg.user, f"{base}\\Link", options=REG_OPTION_CREATE_LINK)
    assert reg.set(link, "other", 1, b"") == STATUS.ACCESS_DENIED
    assert reg.set(link, "SymbolicLinkValue", REG_LINK, to_utf16(f"{base}\\Microsoft")) == 0
    status, handle = reg.open(reg.user, f"{base}\\Link\\Windows", KEY_READ)
    assert status == 0
    assert ob.full_name(ob.by_handle(reg.user, handle, 0)).endswith("\\Software\\Microsoft\\Windows")
    _, itself = reg.open(reg.user, f"{base}\\Link", KEY_READ, flags=0x140)
    assert ob.full_name(ob.by_handle(reg.user, itself, 0)).endswith("\\Link")


def test_the_current_control_set(reg: RegistryWorld) -> None:
    """CurrentControlSet leads to ControlSet001 also when it stands in the middle of a name."""
    path = "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Nls"
    _, handle = reg.open(reg.user, path, KEY_READ)
    name = ob.full_name(ob.by_handle(reg.user, handle, 0))
    assert name == "\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001\\Control\\Nls"


def test_a_deleted_key_answers_so(reg: RegistryWorld) -> None:
    """Handles to a deleted key stay open and answer KEY_DELETED; a key with keys below cannot be deleted."""
    base = f"{reg.home}\\Software\\Gone"
    _, parent, _ = reg.create(reg.user, base)
    _, child, _ = reg.create(reg.user, f"{base}\\Below")
    assert reg.call("NtDeleteKey", parent) == STATUS.CANNOT_DELETE
    assert reg.call("NtDeleteKey", child) == 0
    assert reg.set(child, "x", 1, b"") == STATUS.KEY_DELETED
    assert reg.open(reg.user, f"{base}\\Below")[0] == STATUS.OBJECT_NAME_NOT_FOUND
    assert reg.call("NtDeleteKey", parent) == 0


def test_below_a_volatile_key_everything_is_volatile(reg: RegistryWorld) -> None:
    """A key that is to last cannot be made below one that is not."""
    base = f"{reg.home}\\Software\\Passing"
    assert reg.create(reg.user, base, options=REG_OPTION_VOLATILE)[0] == 0
    assert reg.create(reg.user, f"{base}\\Lasting")[0] == STATUS.CHILD_MUST_BE_VOLATILE
    assert reg.create(reg.user, f"{base}\\Too", options=REG_OPTION_VOLATILE)[0] == 0


def test_a_key_is_renamed(reg: RegistryWorld) -> None:
    """NtRenameKey changes the name among the siblings and in the control block."""
    base = f"{reg.home}\\Software"
    _, handle, _ = reg.create(reg.user, f"{base}\\Before")
    assert reg.call("NtRenameKey", handle, reg.world.string(reg.user, "After")) == 0
    assert reg.open(reg.user, f"{base}\\Before")[0] == STATUS.OBJECT_NAME_NOT_FOUND
    assert reg.open(reg.user, f"{base}\\After")[0] == 0
    assert control_block_path(reg, handle).endswith("Software\\After")


def control_block_path(reg: RegistryWorld, handle: int) -> str:
    """The key's name as Volatility reads it: from block to block by ParentKcb, names from the name blocks."""
    memory = reg.kernel.memory
    key = ob.by_handle(reg.user, handle, 0, KEY)
    assert int(key.view.Type) == 0x6B793032
    parts = []
    address = int(key.view.KeyControlBlock)
    while address:
        block = CM_KEY_CONTROL_BLOCK(memory, address)
        name = CM_NAME_CONTROL_BLOCK(memory, int(block.NameBlock))
        data = memory.read(name.address + 0x1A, int(name.NameLength))
        parts.append(data.decode("latin-1") if name.Compressed else from_utf16(data))
        address = int(block.ParentKcb)
    return "\\".join(reversed(parts))


def test_debuggers_find_the_name(reg: RegistryWorld) -> None:
    """From the key body the chain of control blocks spells the full name; all of it goes with the last
    handle.
    """
    blocks = reg.registry.control_blocks
    before = set(blocks)
    _, handle, _ = reg.create(reg.user, f"{reg.home}\\Software\\Nämé €")
    assert control_block_path(reg, handle) == f"{reg.home}\\Software\\Nämé €".lstrip("\\").replace(
        "Registry\\User", "REGISTRY\\USER"
    )
    assert reg.call("NtClose", handle) == 0
    assert set(blocks) == before


def test_keys_are_enumerated_in_order(reg: RegistryWorld) -> None:
    """Keys come in the order of their upper-cased names; past the last NO_MORE_ENTRIES."""
    base = f"{reg.home}\\Software\\Order"
    _, handle, _ = reg.create(reg.user, base)
    for name in ("b", "_", "C", "a"):
        reg.create(reg.user, f"{base}\\{name}")
    place, length = reg.world.room(reg.user, 256), reg.world.room(reg.user, 4)
    found = []
    for index in range(5):
        status = reg.call("NtEnumerateKey", handle, index, 0, place, 256, length)
        if status == STATUS.NO_MORE_ENTRIES:
            break
        size = reg.world.integer(reg.user, place + 0xC, 4)
        found.append(from_utf16(reg.user.memory.read(place + 0x10, size)))
    assert found == ["a", "b", "C", "_"]


def test_the_class_of_a_key(reg: RegistryWorld) -> None:
    """KeyNodeInformation gives name and class; without a class its offset is -1."""
    world, user = reg.world, reg.user
    handle_at = world.room(user, 8)
    attributes = world.attributes(user, f"{reg.home}\\Software\\Classy")
    name = world.string(user, "Shell")
    assert reg.call("NtCreateKey", handle_at, KEY_ALL, attributes, 0, name, 0, 0) == 0
    handle = world.integer(user, handle_at)
    place, length = world.room(user, 256), world.room(user, 4)
    query = (handle, KEY_INFORMATION_CLASS.KeyNodeInformation, place, 256, length)
    assert reg.call("NtQueryKey", *query) == 0
    _, _, offset, size, _ = struct.unpack("<qIIII", user.memory.read(place, 24))
    assert from_utf16(user.memory.read(place + offset, size)) == "Shell"
    _, plain = reg.open(user, f"{reg.home}\\Software", KEY_READ)
    assert reg.call("NtQueryKey", plain, *query[1:]) == 0
    assert struct.unpack("<qIIII", user.memory.read(place, 24))[2:4] == (0xFFFFFFFF, 0)


def test_what_happens_is_told(reg: RegistryWorld) -> None:
    """Opens (refused ones too) and values set are events."""
    seen: list[Event] = []
    reg.kernel.log.subscribe(seen.append, KeyOpened, ValueSet)
    _, handle, _ = reg.create(reg.user, f"{reg.home}\\Software\\Told")
    reg.set(handle, "Name", 1, to_utf16("text\0"))
    reg.open(reg.user, VERSION, KEY_ALL)
    opened, value, refused = seen
    assert isinstance(opened, KeyOpened)
    assert isinstance(value, ValueSet)
    assert isinstance(refused, KeyOpened)
    assert (opened.created, value.name, value.data) == (True, "Name", "text")
    assert refused.status == STATUS.ACCESS_DENIED
    assert refused.path.lower() == VERSION.lower()


def test_opening_the_link_by_option(reg: RegistryWorld) -> None:
    """NtOpenKeyEx with REG_OPTION_OPEN_LINK opens the link itself; other options are refused."""
    world, user = reg.world, reg.user
    path = "\\Registry\\Machine\\System\\CurrentControlSet"
    place = world.room(user, 8)
    assert reg.call("NtOpenKeyEx", place, KEY_READ, world.attributes(user, path), REG_OPTION_OPEN_LINK) == 0
    key = ob.by_handle(user, world.integer(user, place), 0)
    assert ob.full_name(key) == path.upper().replace("CURRENTCONTROLSET", "CurrentControlSet")
    status = reg.call("NtOpenKeyEx", place, KEY_READ, world.attributes(user, path), 0x20)
    assert status == STATUS.INVALID_PARAMETER_4


def test_last_write_times(reg: RegistryWorld) -> None:
    """NtSetInformationKey sets the last-write time; NtFlushKey succeeds on a living key."""
    world, user = reg.world, reg.user
    _, handle, _ = reg.create(user, f"{reg.home}\\Software\\Timed")
    moment = world.large(user, 1 << 40)
    assert reg.call("NtSetInformationKey", handle, 0, moment, 8) == 0
    assert reg.call("NtSetInformationKey", handle, 0, moment, 4) == STATUS.INFO_LENGTH_MISMATCH
    place, length = world.room(user, 64), world.room(user, 4)
    assert reg.call("NtQueryKey", handle, KEY_INFORMATION_CLASS.KeyBasicInformation, place, 64, length) == 0
    assert world.integer(user, place) == 1 << 40
    assert reg.call("NtFlushKey", handle) == 0


def test_bounds_of_names(reg: RegistryWorld) -> None:
    """A component of more than 256 characters is INVALID_PARAMETER; attributes without a name are never looked into."""
    assert reg.create(reg.user, f"{reg.home}\\{'a' * 256}")[0] == 0
    assert reg.create(reg.user, f"{reg.home}\\{'a' * 257}")[0] == STATUS.INVALID_PARAMETER
    assert reg.open(reg.user, f"\\Registry\\Machine\\{'a' * 257}")[0] == STATUS.INVALID_PARAMETER
    place = reg.world.put(reg.user, bytes([0xEE]) * 8)
    assert reg.call("NtOpenKey", place, KEY_READ, reg.world.attributes(reg.user)) == STATUS.ACCESS_VIOLATION
    assert reg.world.integer(reg.user, place) == 0
    assert reg.call("NtCreateKey", place, KEY_READ, 0, 0, 0, 0, 0) == STATUS.ACCESS_VIOLATION
