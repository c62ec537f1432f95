r"""Key objects: one open of a key each, and how the object manager's walk goes on below `\REGISTRY`."""

from __future__ import annotations

from dataclasses import dataclass

from ntos import ob, se
from ntos.abi import access as rights
from ntos.abi.layout.registry import CM_KEY_BODY
from ntos.abi.ob import OBJ_OPENLINK
from ntos.abi.registry import REG_OPTION_CREATE_LINK, REG_OPTION_OPEN_LINK, REG_OPTION_VOLATILE
from ntos.abi.status import STATUS, Denied, NtError
from ntos.cm import control_block
from ntos.cm.node import MAXIMUM_NAME, KeyNode, split
from ntos.cm.registry import Registry
from ntos.cm.watch import Watch
from ntos.etw.event import KeyOpened
from ntos.ke.kernel import Kernel
from ntos.ke.process import Process
from ntos.ke.thread import Thread
from ntos.ob.types import Body, ObjectType, ParseRequest, Reparse
from ntos.rtl.text import unit_count
from ntos.se import descriptor as descriptors
from ntos.se.access import Request, parse
from ntos.se.subject import access_grant

KEY_BODY_TYPE = 0x6B79_3032
"""CM_KEY_BODY.Type: "ky02" (Volatility and !reg look for it)."""
WOW64_BITS = rights.KEY_WOW64_64KEY | rights.KEY_WOW64_32KEY


class Key(Body):
    """A key object: CM_KEY_BODY at `address`."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        super().__init__(kernel, address)
        self.view = CM_KEY_BODY(kernel.memory, address)
        self.watch: Watch | None = None

    @property
    def node(self) -> KeyNode:
        """The key this is an open of, deleted or not."""
        return self.kernel[Registry].control_blocks[int(self.view.KeyControlBlock)]

    @property
    def living(self) -> KeyNode:
        """The key. KEY_DELETED where it is gone."""
        node = self.node
        if node.deleted:
            raise NtError(STATUS.KEY_DELETED)
        return node


@dataclass(slots=True)
class Creation:
    """What NtCreateKey passes to the parse procedure, and what it gets back."""

    class_name: str = ""
    options: int = 0
    security_descriptor: int = 0
    """User address of an explicit descriptor, or 0."""
    created: bool = False


@dataclass(slots=True)
class Opening:
    """What NtOpenKeyEx passes."""

    options: int = 0


def open_node(kernel: Kernel, node: KeyNode) -> Key:
    """A new key object for a key, with one reference."""
    key = ob.create(kernel, KEY)
    key.view.Type = KEY_BODY_TYPE
    address = control_block.reference(kernel, kernel[Registry].control_blocks, node)
    control_block.attach(kernel, address, key.view)
    current = kernel.scheduler.current
    key.view.ProcessID = current.process.id if current is not None else 4
    key.view.ContextListHead.initialize()
    return key


# ---------------------------------------------------------------- the type's procedures


def _parse(who: Thread | Kernel, key: Key, rest: str, request: ParseRequest) -> Key | Reparse:
    """Walk on from an open key (CmpParseKey)."""
    try:
        answer = _Walk(who, key, request).run(split(rest))
    except NtError as error:
        _tell(key, rest, request, int(error.status))
        raise
    if isinstance(answer, Key):
        _tell(answer, "", request, 0)
    return answer


class _Walk:
    """One open or creation below a key."""

    def __init__(self, who: Thread | Kernel, key: Key, request: ParseRequest) -> None:
        self.who = who
        self.kernel = key.kernel
        self.registry = key.kernel[Registry]
        self.start = key
        self.request = request
        context = request.context
        self.creation = context if isinstance(context, Creation) else None
        self.options = context.options if isinstance(context, Creation | Opening) else 0

    def run(self, names: list[str]) -> Key | Reparse:
        node = self.start.living
        if any(unit_count(name) > MAXIMUM_NAME for name in names):
            raise NtError(STATUS.INVALID_PARAMETER)
        for index, name in enumerate(names):
            following = node.child(name)
            last = index == len(names) - 1
            if following is None:
                if last and self.creation is not None:
                    return self._create(node, name, self.creation)
                raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
            node = following
            target = node.link_target
            if target is not None and not (last and self._wants_link()):
                return Reparse("\\".join([target, *names[index + 1 :]]))
        return self._open(node)

    def _wants_link(self) -> bool:
        by_option = self.options & (REG_OPTION_OPEN_LINK | REG_OPTION_CREATE_LINK)
        return bool(by_option or self.request.attributes & OBJ_OPENLINK)

    def _open(self, node: KeyNode) -> Key:
        if self.creation is not None and self.options & REG_OPTION_CREATE_LINK:
            raise NtError(STATUS.OBJECT_NAME_COLLISION)
        self.request.granted = self._check(node, self.request.access)
        return open_node(self.kernel, node)

    def _create(self, parent: KeyNode, name: str, creation: Creation) -> Key:
        link = bool(creation.options & REG_OPTION_CREATE_LINK)
        self._check(parent, rights.KEY_CREATE_LINK if link else rights.KEY_CREATE_SUB_KEY)
        if parent.depth < 2:
            # \REGISTRY, \REGISTRY\MACHINE and \REGISTRY\USER hold hives only.
            because = Denied(
                "only hives may stand here",
                {"parent": parent.path},
                "create the key inside a hive, or load a hive here",
            )
            raise NtError(STATUS.ACCESS_DENIED, because=because)
        security = self._new_security(parent, creation)
        node = self.registry.create(parent, name, volatile=bool(creation.options & REG_OPTION_VOLATILE))
        node.class_name = creation.class_name
        node.is_link = link
        node.security = security
        creation.created = True
        mapped = KEY.mapping.apply(self.request.access & ~WOW64_BITS)
        if mapped & rights.MAXIMUM_ALLOWED:
            mapped |= KEY.mapping.all
        self.request.granted = mapped & KEY.valid_access
        return open_node(self.kernel, node)

    def _new_security(self, parent: KeyNode, creation: Creation) -> bytes | None:
        if isinstance(self.who, Kernel):
            return None
        above = parent.effective_security
        address = creation.security_descriptor
        made = descriptors.assign(
            se.subject(self.who),
            KEY.mapping,
            parent=parse(above) if above is not None else None,
            explicit=descriptors.capture(self.who.memory, address) if address else None,
            container=True,
            type_name="Key",
        )
        return self.registry.intern(made)

    def _check(self, node: KeyNode, access: int) -> int:
        access &= ~WOW64_BITS
        if isinstance(self.who, Kernel):
            return KEY.mapping.apply(access)
        backup = bool(self.options & 4)
        request = Request(backup=backup, restore=backup)
        grant = access_grant(se.subject(self.who), node.effective_security, access, KEY.mapping, request)
        return grant.access & (KEY.valid_access | rights.ACCESS_SYSTEM_SECURITY)


def _tell(key: Key, rest: str, request: ParseRequest, status: int) -> None:
    log = key.kernel.log
    if log.wants(KeyOpened):
        path = "\\".join([key.node.path, *split(rest)])
        created = isinstance(request.context, Creation) and request.context.created
        log.emit(KeyOpened(path=path, created=created, status=status))


def _close(process: Process, key: Key, count: int) -> None:
    """The last handle is closed: whoever waits for changes through it is told (CmpCloseKeyObject)."""
    watch = key.watch
    if count == 1 and watch is not None:
        key.watch = None
        watches = key.kernel[Registry].watches.get(key.node, [])
        if watch in watches:
            watches.remove(watch)
            if not watches:
                key.kernel[Registry].watches.pop(key.node, None)
        watch.fire(STATUS.NOTIFY_CLEANUP)


def _delete(key: Key) -> None:
    """The last reference is gone (CmpDeleteKeyObject)."""
    control_block.detach(key.kernel, key.view)
    control_block.dereference(key.kernel, key.kernel[Registry].control_blocks, int(key.view.KeyControlBlock))


def _security(key: Key, new: bytes | None) -> bytes | None:
    """The key's descriptor, asked or set: it belongs to the key, not to its key objects."""
    if new is None:
        return key.node.effective_security
    registry = key.kernel[Registry]
    registry.set_security(key.living, registry.intern(new))
    return None


def _query_name(key: Key) -> str:
    return key.node.path


KEY = ObjectType(
    "Key",
    CM_KEY_BODY.size,
    Key,
    valid_access=rights.KEY_ALL_ACCESS | 0x10_0000,
    generic_mapping=(
        rights.KEY_READ, rights.KEY_WRITE, rights.KEY_EXECUTE | rights.KEY_CREATE_LINK, rights.KEY_ALL_ACCESS,
    ),
    paged=True,
    tag=b"Key ",
    invalid_attributes=0x30,
    security_required=True,
)
KEY.parse = _parse
KEY.close = _close
KEY.delete = _delete
KEY.security = _security
KEY.query_name = _query_name
