"""Structures programs hand to the LPC and ALPC services (phnt's ntlpcapi.h)."""

from __future__ import annotations

from ntos.abi.layout.alpc import PORT_MESSAGE
from ntos.abi.struct import Struct, at
from ntos.abi.types import HANDLE, LARGE_INTEGER, PVOID, ULONG, ULONGLONG


class ALPC_MESSAGE_ATTRIBUTES(Struct, size=0x08):
    """Which attributes a buffer has room for, and which say something."""

    AllocatedAttributes = at(0x00, ULONG)
    ValidAttributes     = at(0x04, ULONG)


class ALPC_SECURITY_ATTR(Struct, size=0x18):
    """Whom a message speaks for."""

    Flags         = at(0x00, ULONG)
    QoS           = at(0x08, PVOID)  # *SECURITY_QUALITY_OF_SERVICE
    ContextHandle = at(0x10, HANDLE)


class ALPC_DATA_VIEW_ATTR(Struct, size=0x20):
    """A view that goes with a message."""

    Flags         = at(0x00, ULONG)
    SectionHandle = at(0x08, HANDLE)
    ViewBase      = at(0x10, PVOID)
    ViewSize      = at(0x18, ULONGLONG)


class ALPC_CONTEXT_ATTR(Struct, size=0x20):
    """What the receiver has said about the port and the message."""

    PortContext    = at(0x00, PVOID)
    MessageContext = at(0x08, PVOID)
    Sequence       = at(0x10, ULONG)
    MessageId      = at(0x14, ULONG)
    CallbackId     = at(0x18, ULONG)


class ALPC_HANDLE_ATTR(Struct, size=0x18):
    """A handle that goes with a message."""

    Flags           = at(0x00, ULONG)
    Handle          = at(0x08, HANDLE)
    HandleAttrArray = at(0x08, PVOID)  # *ALPC_HANDLE_ATTR32
    ObjectType      = at(0x10, ULONG)
    HandleCount     = at(0x10, ULONG)
    DesiredAccess   = at(0x14, ULONG)


class ALPC_HANDLE_ATTR32(Struct, size=0x10):
    """One of several handles."""

    Flags         = at(0x00, ULONG)
    Handle        = at(0x04, ULONG)
    ObjectType    = at(0x08, ULONG)
    DesiredAccess = at(0x0C, ULONG)


class ALPC_TOKEN_ATTR(Struct, size=0x18):
    """Which token the sender has."""

    TokenId          = at(0x00, ULONGLONG)
    AuthenticationId = at(0x08, ULONGLONG)
    ModifiedId       = at(0x10, ULONGLONG)


class ALPC_BASIC_INFORMATION(Struct, size=0x10):
    """AlpcBasicInformation."""

    Flags       = at(0x00, ULONG)
    SequenceNo  = at(0x04, ULONG)
    PortContext = at(0x08, PVOID)


class ALPC_PORT_ASSOCIATE_COMPLETION_PORT(Struct, size=0x10):
    """AlpcAssociateCompletionPortInformation."""

    CompletionKey  = at(0x00, PVOID)
    CompletionPort = at(0x08, HANDLE)


class ALPC_SERVER_SESSION_INFORMATION(Struct, size=0x08):
    """AlpcServerSessionInformation."""

    SessionId = at(0x00, ULONG)
    ProcessId = at(0x04, ULONG)


class ALPC_MESSAGE_HANDLE_INFORMATION(Struct, size=0x14):
    """AlpcMessageHandleInformation."""

    Index         = at(0x00, ULONG)
    Flags         = at(0x04, ULONG)
    Handle        = at(0x08, ULONG)
    ObjectType    = at(0x0C, ULONG)
    GrantedAccess = at(0x10, ULONG)


class PORT_DATA_ENTRY(Struct, size=0x10):
    """A buffer of the sender's that a request names."""

    Base = at(0x00, PVOID)
    Size = at(0x08, ULONG)


class PORT_VIEW(Struct, size=0x30):
    """A section one side of a legacy connection offers, and where both see it."""

    Length         = at(0x00, ULONG)
    SectionHandle  = at(0x08, HANDLE)
    SectionOffset  = at(0x10, ULONG)
    ViewSize       = at(0x18, ULONGLONG)
    ViewBase       = at(0x20, PVOID)
    ViewRemoteBase = at(0x28, PVOID)


class REMOTE_PORT_VIEW(Struct, size=0x18):
    """Where one sees the other side's section."""

    Length   = at(0x00, ULONG)
    ViewSize = at(0x08, ULONGLONG)
    ViewBase = at(0x10, PVOID)


class LPC_CLIENT_DIED_MSG(Struct, size=0x30):
    """What a termination port is told: the thread's client id, and when it began."""

    PortMsg    = at(0x00, PORT_MESSAGE)
    CreateTime = at(0x28, LARGE_INTEGER)
