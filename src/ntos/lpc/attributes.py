"""Message attributes: what goes with a message besides its bytes.

They lie behind an ALPC_MESSAGE_ATTRIBUTES in the order of their bits, each only if it is allocated. Sending
captures those that are valid; receiving fills those that are allocated and that the message brings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import alpc
from ntos.abi.alpc import OBJECT_TYPE_CODES
from ntos.abi.layout.alpc_api import (
    ALPC_CONTEXT_ATTR,
    ALPC_DATA_VIEW_ATTR,
    ALPC_HANDLE_ATTR,
    ALPC_HANDLE_ATTR32,
    ALPC_MESSAGE_ATTRIBUTES,
    ALPC_SECURITY_ATTR,
    ALPC_TOKEN_ATTR,
)
from ntos.abi.layout.alpc_parts import KALPC_HANDLE_DATA
from ntos.abi.ob import OBJ_INHERIT
from ntos.abi.status import STATUS, Denied, NtError
from ntos.lpc import security
from ntos.lpc.port import CLIENT, Port
from ntos.lpc.security import SecurityData
from ntos.lpc.view import view_at
from ntos.ob.manager import ObjectManager

if TYPE_CHECKING:
    from ntos.abi.layout.token import SECURITY_QUALITY_OF_SERVICE
    from ntos.abi.memory import Memory
    from ntos.ke.thread import Thread
    from ntos.lpc.message import Message
    from ntos.ob.types import KernelObject

SIZES = {
    alpc.ALPC_MESSAGE_SECURITY_ATTRIBUTE: ALPC_SECURITY_ATTR.size,
    alpc.ALPC_MESSAGE_VIEW_ATTRIBUTE: ALPC_DATA_VIEW_ATTR.size,
    alpc.ALPC_MESSAGE_CONTEXT_ATTRIBUTE: ALPC_CONTEXT_ATTR.size,
    alpc.ALPC_MESSAGE_HANDLE_ATTRIBUTE: ALPC_HANDLE_ATTR.size,
    alpc.ALPC_MESSAGE_TOKEN_ATTRIBUTE: ALPC_TOKEN_ATTR.size,
    alpc.ALPC_MESSAGE_DIRECT_ATTRIBUTE: 8,
    alpc.ALPC_MESSAGE_WORK_ON_BEHALF_ATTRIBUTE: 8,
}
"""In the order they lie."""
KNOWN = sum(SIZES)
HANDLE_TAG = b"AlHd"
_HANDLE_FLAGS = 0xF0000


@dataclass(frozen=True, slots=True)
class Transfer:
    """An object on its way, referenced, and what the receiver's handle will allow."""

    obj: KernelObject
    access: int
    attributes: int
    code: int


class Buffer:
    """A program's ALPC_MESSAGE_ATTRIBUTES."""

    def __init__(self, memory: Memory, address: int) -> None:
        self.memory = memory
        self.address = address
        self.head = ALPC_MESSAGE_ATTRIBUTES(memory, address)
        self.allocated = int(self.head.AllocatedAttributes)
        self.valid = int(self.head.ValidAttributes)
        if self.allocated & ~KNOWN:
            raise NtError(STATUS.INVALID_PARAMETER)

    def place(self, attribute: int) -> int:
        """Where an attribute lies (AlpcGetMessageAttribute)."""
        before = (size for bit, size in SIZES.items() if bit > attribute and self.allocated & bit)
        return self.address + ALPC_MESSAGE_ATTRIBUTES.size + sum(before)

    def says(self, attribute: int) -> bool:
        """Whether an attribute is there and valid."""
        return bool(self.allocated & self.valid & attribute)


def attributes_at(memory: Memory, address: int) -> Buffer | None:
    """The buffer at an address; None for NULL."""
    return Buffer(memory, address) if address else None


# ---------------------------------------------------------------- sending


def capture(thread: Thread, port: Port, message: Message, buffer: Buffer | None) -> None:
    """Take what the sender wants to go with the message."""
    message.drop_attributes()
    if buffer is None:
        return
    if buffer.says(alpc.ALPC_MESSAGE_DIRECT_ATTRIBUTE):
        raise NtError(STATUS.NOT_SUPPORTED)
    if buffer.says(alpc.ALPC_MESSAGE_SECURITY_ATTRIBUTE):
        _capture_security(thread, port, message, buffer)
    if buffer.says(alpc.ALPC_MESSAGE_VIEW_ATTRIBUTE):
        _capture_view(thread, port, message, buffer)
    if buffer.says(alpc.ALPC_MESSAGE_CONTEXT_ATTRIBUTE):
        said = ALPC_CONTEXT_ATTR(buffer.memory, buffer.place(alpc.ALPC_MESSAGE_CONTEXT_ATTRIBUTE))
        set_context(port, message, int(said.MessageContext))
    if buffer.says(alpc.ALPC_MESSAGE_HANDLE_ATTRIBUTE):
        _capture_handles(thread, port, message, buffer)


def tell_sender(message: Message, buffer: Buffer | None) -> None:
    """Which message it became: a sender that has a context attribute can cancel it by that."""
    if buffer is not None and buffer.says(alpc.ALPC_MESSAGE_CONTEXT_ATTRIBUTE):
        said = ALPC_CONTEXT_ATTR(buffer.memory, buffer.place(alpc.ALPC_MESSAGE_CONTEXT_ATTRIBUTE))
        said.Sequence = int(message.view.SequenceNo)
        said.MessageId = message.id
        said.CallbackId = int(message.view.PortMessage.CallbackId)


def set_context(port: Port, message: Message, value: int) -> None:
    """Each side has a word of its own in the message."""
    field = message.view.MessageAttributes
    if port.kind == CLIENT:
        field.ClientContext = value
    else:
        field.ServerContext = value


def context_of(port: Port, message: Message) -> int:
    """This side's word."""
    field = message.view.MessageAttributes
    return int(field.ClientContext if port.kind == CLIENT else field.ServerContext)


def port_context(port: Port, message: Message) -> int:
    """What the receiver has said about the port: for a server, about the communication port of that client."""
    server = message.communication.server
    if port.kind == CLIENT or server is None:
        return int(port.view.PortContext)
    return int(server.view.PortContext)


def _capture_security(thread: Thread, port: Port, message: Message, buffer: Buffer) -> None:
    said = ALPC_SECURITY_ATTR(buffer.memory, buffer.place(alpc.ALPC_MESSAGE_SECURITY_ATTRIBUTE))
    handle = int(said.ContextHandle)
    if int(said.Flags) & alpc.ALPC_SECFLG_CREATE_HANDLE:
        data = create_context(thread, port, security.read_quality(buffer.memory, int(said.QoS)))
        said.ContextHandle = int(data.view.ContextHandle)
        data.hold()
    elif handle == alpc.CURRENT_SECURITY:
        data = security.capture(thread, port, _quality(buffer.memory, said, port))
    else:
        data = port.link.handles.find(handle, SecurityData).hold()
    security.attach(message, data)


def _quality(memory: Memory, said: ALPC_SECURITY_ATTR, port: Port) -> SECURITY_QUALITY_OF_SERVICE:
    return security.read_quality(memory, int(said.QoS)) if said.QoS else port.view.PortAttributes.SecurityQos


def create_context(thread: Thread, port: Port, quality: SECURITY_QUALITY_OF_SERVICE) -> SecurityData:
    """A security context with a handle of its own."""
    data = security.capture(thread, port, quality)
    handle = port.link.handles.insert(data)
    data.view.HandleTable = port.link.view.HandleTable.address
    data.view.ContextHandle = handle
    port.owned.append(data)
    return data


def _capture_view(thread: Thread, port: Port, message: Message, buffer: Buffer) -> None:
    said = ALPC_DATA_VIEW_ATTR(buffer.memory, buffer.place(alpc.ALPC_MESSAGE_VIEW_ATTRIBUTE))
    base, flags = int(said.ViewBase), int(said.Flags)
    view = view_at(port, base)
    if view is None:
        raise NtError(STATUS.INVALID_PARAMETER)
    if flags & alpc.ALPC_VIEWFLG_UNMAP_EXISTING:
        view.delete()
        return
    message.region = view.region.hold()
    message.auto_release = bool(flags & alpc.ALPC_VIEWFLG_AUTO_RELEASE)
    message.view.MessageAttributes.View = view.address


# ---------------------------------------------------------------- handles


def _capture_handles(thread: Thread, port: Port, message: Message, buffer: Buffer) -> None:
    said = ALPC_HANDLE_ATTR(buffer.memory, buffer.place(alpc.ALPC_MESSAGE_HANDLE_ATTRIBUTE))
    entries: list[tuple[int, int, int, int]] = []
    if int(said.Flags) & alpc.ALPC_HANDLEFLG_INDIRECT:
        if int(said.HandleCount) > alpc.ALPC_INDIRECT_HANDLE_MAX:
            raise NtError(STATUS.INVALID_PARAMETER)
        for index in range(int(said.HandleCount)):
            one = ALPC_HANDLE_ATTR32(buffer.memory, int(said.HandleAttrArray) + index * ALPC_HANDLE_ATTR32.size)
            entries.append((int(one.Flags), int(one.Handle), int(one.ObjectType), int(one.DesiredAccess)))
    elif said.Handle:
        entries.append((int(said.Flags), int(said.Handle), int(said.ObjectType), int(said.DesiredAccess)))
    for flags, handle, code, desired in entries:
        transfer = _transfer(thread, flags, handle, code, desired)
        _check_receiver(port, message, transfer, multiple=len(entries) > 1)
        ob.reference(transfer.obj)
        message.handles.append(transfer)
    if message.handles:
        data = KALPC_HANDLE_DATA(
            message.kernel.memory, message.kernel.pool.allocate(KALPC_HANDLE_DATA.size, HANDLE_TAG, paged=True)
        )
        data.ObjectType = message.handles[0].code
        data.Count = len(message.handles)
        message.view.MessageAttributes.HandleData = data.address


def _transfer(thread: Thread, flags: int, handle: int, code: int, desired: int) -> Transfer:
    """The object and the access its new handle gets: never more than an open would give."""
    if flags & ~_HANDLE_FLAGS:
        raise NtError(STATUS.INVALID_PARAMETER)
    manager = thread.kernel[ObjectManager]
    obj = ob.by_handle(thread, handle, 0)
    kind = manager.kind_of(obj)
    found = OBJECT_TYPE_CODES.get(kind.name, 0)
    if not found or (code and code != found):
        raise NtError(
            STATUS.OBJECT_TYPE_MISMATCH,
            because=Denied(
                "only certain types of object travel, under their own code",
                {"type": kind.name, "its code": f"0x{found:X}", "said": f"0x{code:X}"},
                f"say 0x{found:X}" if found else "send another kind of handle",
            ),
        )
    entry = ob.granted(thread, handle)
    held, attributes = (entry.access, entry.attributes) if entry is not None else (kind.valid_access, 0)
    if flags & alpc.ALPC_HANDLEFLG_DUPLICATE_SAME_ACCESS:
        access = held
    else:
        access = kind.mapping.apply(desired) & kind.valid_access
        if access & ~held:
            access = manager.check_access(thread, obj, desired)
    if not flags & alpc.ALPC_HANDLEFLG_DUPLICATE_SAME_ATTRIBUTES:
        attributes = OBJ_INHERIT if flags & alpc.ALPC_HANDLEFLG_DUPLICATE_INHERIT else 0
    return Transfer(obj, access, attributes, found)


def _check_receiver(port: Port, message: Message, transfer: Transfer, *, multiple: bool) -> None:
    """The receiving port says which handles it takes; a port that takes none refuses the message."""
    peer = message.communication.peer_of(port) if port.kind == CLIENT else message.communication.client
    flags = peer.flags if peer is not None else 0
    types = int(peer.view.PortAttributes.DupObjectTypes) if peer is not None else 0
    if (
        not flags & alpc.ALPC_PORFLG_ALLOW_DUP_OBJECT
        or not types & transfer.code
        or (multiple and not flags & alpc.ALPC_PORFLG_ALLOW_MULTIHANDLE_ATTRIBUTE)
    ):
        raise NtError(
            STATUS.ACCESS_DENIED,
            because=Denied(
                "a port is given only the handles it says it takes",
                {
                    "Flags": f"0x{flags:X}",
                    "DupObjectTypes": f"0x{types:X}",
                    "type sent": f"0x{transfer.code:X}",
                    "several": multiple,
                },
                f"make the receiving port with ALLOW_DUP_OBJECT and DupObjectTypes 0x{types | transfer.code:X}",
            ),
        )


# ---------------------------------------------------------------- receiving


def expose(thread: Thread, port: Port, message: Message, buffer: Buffer | None) -> None:
    """Give the receiver what it has room for; handles it has none for are dropped."""
    valid = 0
    if buffer is not None:
        for attribute, fill in _FILL.items():
            if buffer.allocated & attribute and fill(thread, port, message, buffer, buffer.place(attribute)):
                valid |= attribute
        buffer.head.ValidAttributes = valid
    for transfer in message.handles:
        ob.dereference(transfer.obj)
    message.handles = []


def _security(thread: Thread, port: Port, message: Message, buffer: Buffer, place: int) -> bool:
    if message.security is None:
        return False
    attribute = ALPC_SECURITY_ATTR(buffer.memory, place)
    attribute.Flags = 0
    attribute.ContextHandle = int(message.security.view.ContextHandle)
    return True


def _view(thread: Thread, port: Port, message: Message, buffer: Buffer, place: int) -> bool:
    if message.region is None:
        return False
    server = message.communication.server
    view = message.shown = message.region.view_for(server if server is not None and port.kind != CLIENT else port)
    attribute = ALPC_DATA_VIEW_ATTR(buffer.memory, place)
    attribute.Flags = alpc.ALPC_VIEWFLG_AUTO_RELEASE if message.auto_release else 0
    attribute.SectionHandle = message.region.section.handle
    attribute.ViewBase = view.base
    attribute.ViewSize = int(view.view.Size)
    message.view.u1.s1.ViewAttributeRetrieved = 1
    return True


def _context(thread: Thread, port: Port, message: Message, buffer: Buffer, place: int) -> bool:
    attribute = ALPC_CONTEXT_ATTR(buffer.memory, place)
    attribute.PortContext = port_context(port, message)
    attribute.MessageContext = context_of(port, message)
    attribute.Sequence = int(message.view.SequenceNo)
    attribute.MessageId = message.id
    attribute.CallbackId = int(message.view.PortMessage.CallbackId)
    return True


def _handle(thread: Thread, port: Port, message: Message, buffer: Buffer, place: int) -> bool:
    if not message.handles:
        return False
    given = []
    for transfer in message.handles:
        handle = ob.insert_handle(thread.process, transfer.obj, transfer.access, transfer.attributes)
        given.append((handle, transfer.code, transfer.access))
    message.given = given
    attribute = ALPC_HANDLE_ATTR(buffer.memory, place)
    handle, code, access = given[0]
    if len(given) > 1:
        attribute.Flags = alpc.ALPC_HANDLEFLG_INDIRECT
        attribute.HandleAttrArray, attribute.HandleCount = 0, len(given)
    else:
        attribute.Flags = 0
        attribute.Handle, attribute.ObjectType, attribute.DesiredAccess = handle, code, access
    return True


def _token(thread: Thread, port: Port, message: Message, buffer: Buffer, place: int) -> bool:
    data = security.of_message(message)
    if data is None:
        return False
    attribute = ALPC_TOKEN_ATTR(buffer.memory, place)
    attribute.TokenId = data.token.id
    attribute.AuthenticationId = data.token.authentication_id
    attribute.ModifiedId = modified_id(data)
    return True


def modified_id(data: SecurityData) -> int:
    """The token's ModifiedId."""
    field = data.token.body.ModifiedId
    return int(field.LowPart) | int(field.HighPart) << 32


def _on_behalf(thread: Thread, port: Port, message: Message, buffer: Buffer, place: int) -> bool:
    ticket = message.view.MessageAttributes.WorkOnBehalfData.Ticket
    if not ticket.ThreadId:
        return False
    buffer.memory.write(place, bytes(ticket))
    return True


_FILL = {
    alpc.ALPC_MESSAGE_SECURITY_ATTRIBUTE: _security,
    alpc.ALPC_MESSAGE_VIEW_ATTRIBUTE: _view,
    alpc.ALPC_MESSAGE_CONTEXT_ATTRIBUTE: _context,
    alpc.ALPC_MESSAGE_HANDLE_ATTRIBUTE: _handle,
    alpc.ALPC_MESSAGE_TOKEN_ATTRIBUTE: _token,
    alpc.ALPC_MESSAGE_WORK_ON_BEHALF_ATTRIBUTE: _on_behalf,
}
