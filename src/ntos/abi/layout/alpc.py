"""ALPC ports and messages.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.dispatcher import KALPC_DIRECT_EVENT, KEVENT
from ntos.abi.layout.executive import EX_PUSH_LOCK
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.string import CLIENT_ID
from ntos.abi.layout.token import SECURITY_CLIENT_CONTEXT, SECURITY_QUALITY_OF_SERVICE
from ntos.abi.struct import Struct, at, bits
from ntos.abi.types import LONG, PVOID, SHORT, ULONG, ULONGLONG, USHORT


class PORT_MESSAGE_u1_s1(Struct, size=0x04):
    """Length of a message's data and of the whole."""

    DataLength  = at(0x00, SHORT)
    TotalLength = at(0x02, SHORT)


class PORT_MESSAGE_u1(Struct, size=0x04):
    """Length of a message."""

    Length = at(0x00, ULONG)
    s1     = at(0x00, PORT_MESSAGE_u1_s1)


class PORT_MESSAGE_u2_s2(Struct, size=0x04):
    """Type of a message and offset of its data information."""

    Type           = at(0x00, SHORT)
    DataInfoOffset = at(0x02, SHORT)


class PORT_MESSAGE_u2(Struct, size=0x04):
    """Type of a message."""

    ZeroInit = at(0x00, ULONG)
    s2       = at(0x00, PORT_MESSAGE_u2_s2)


class PORT_MESSAGE(Struct, size=0x28):
    """Header of every LPC and ALPC message."""

    u1                = at(0x00, PORT_MESSAGE_u1)
    u2                = at(0x04, PORT_MESSAGE_u2)
    ClientId          = at(0x08, CLIENT_ID)
    DoNotUseThisField = at(0x08, ULONGLONG)
    MessageId         = at(0x18, ULONG)
    CallbackId        = at(0x20, ULONG)
    ClientViewSize    = at(0x20, ULONGLONG)


class ALPC_PORT_ATTRIBUTES(Struct, size=0x48):
    """Limits and quality of service of a port."""

    Flags               = at(0x00, ULONG)
    SecurityQos         = at(0x04, SECURITY_QUALITY_OF_SERVICE)
    MaxMessageLength    = at(0x10, ULONGLONG)
    MemoryBandwidth     = at(0x18, ULONGLONG)
    MaxPoolUsage        = at(0x20, ULONGLONG)
    MaxSectionSize      = at(0x28, ULONGLONG)
    MaxViewSize         = at(0x30, ULONGLONG)
    MaxTotalSectionSize = at(0x38, ULONGLONG)
    DupObjectTypes      = at(0x40, ULONG)
    Reserved            = at(0x44, ULONG)


class ALPC_HANDLE_TABLE(Struct, size=0x20):
    """Handles of a communication port."""

    Handles      = at(0x00, PVOID)  # *ALPC_HANDLE_ENTRY
    Lock         = at(0x08, EX_PUSH_LOCK)
    TotalHandles = at(0x10, ULONGLONG)
    Flags        = at(0x18, ULONG)


class ALPC_COMMUNICATION_INFO(Struct, size=0x50):
    """The ports of one connection."""

    ConnectionPort          = at(0x00, PVOID)  # *ALPC_PORT
    ServerCommunicationPort = at(0x08, PVOID)  # *ALPC_PORT
    ClientCommunicationPort = at(0x10, PVOID)  # *ALPC_PORT
    CommunicationList       = at(0x18, LIST_ENTRY)
    HandleTable             = at(0x28, ALPC_HANDLE_TABLE)
    CloseMessage            = at(0x48, PVOID)  # *KALPC_MESSAGE


class ALPC_WORK_ON_BEHALF_TICKET(Struct, size=0x08):
    """On whose behalf a message is handled."""

    ThreadId              = at(0x00, ULONG)
    ThreadCreationTimeLow = at(0x04, ULONG)


class ALPC_PORT_u1_s1(Struct, size=0x04):
    """State bits of a port."""

    Initialized          = bits(0x00, ULONG, 0, 1)
    Type                 = bits(0x00, ULONG, 1, 2)
    ConnectionPending    = bits(0x00, ULONG, 3, 1)
    ConnectionRefused    = bits(0x00, ULONG, 4, 1)
    Disconnected         = bits(0x00, ULONG, 5, 1)
    Closed               = bits(0x00, ULONG, 6, 1)
    NoFlushOnClose       = bits(0x00, ULONG, 7, 1)
    ReturnExtendedInfo   = bits(0x00, ULONG, 8, 1)
    Waitable             = bits(0x00, ULONG, 9, 1)
    DynamicSecurity      = bits(0x00, ULONG, 10, 1)
    Wow64CompletionList  = bits(0x00, ULONG, 11, 1)
    Lpc                  = bits(0x00, ULONG, 12, 1)
    LpcToLpc             = bits(0x00, ULONG, 13, 1)
    HasCompletionList    = bits(0x00, ULONG, 14, 1)
    HadCompletionList    = bits(0x00, ULONG, 15, 1)
    EnableCompletionList = bits(0x00, ULONG, 16, 1)


class ALPC_PORT_u1(Struct, size=0x04):
    """State word of a port."""

    State = at(0x00, ULONG)
    s1    = at(0x00, ALPC_PORT_u1_s1)


class ALPC_PORT(Struct, size=0x1D8):
    """ALPC port object."""

    PortListEntry             = at(0x000, LIST_ENTRY)
    CommunicationInfo         = at(0x010, PVOID)  # *ALPC_COMMUNICATION_INFO
    OwnerProcess              = at(0x018, PVOID)  # *EPROCESS
    CompletionPort            = at(0x020, PVOID)
    CompletionKey             = at(0x028, PVOID)
    CompletionPacketLookaside = at(0x030, PVOID)  # *ALPC_COMPLETION_PACKET_LOOKASIDE
    PortContext               = at(0x038, PVOID)
    StaticSecurity            = at(0x040, SECURITY_CLIENT_CONTEXT)
    IncomingQueueLock         = at(0x088, EX_PUSH_LOCK)
    MainQueue                 = at(0x090, LIST_ENTRY)
    LargeMessageQueue         = at(0x0A0, LIST_ENTRY)
    PendingQueueLock          = at(0x0B0, EX_PUSH_LOCK)
    PendingQueue              = at(0x0B8, LIST_ENTRY)
    DirectQueueLock           = at(0x0C8, EX_PUSH_LOCK)
    DirectQueue               = at(0x0D0, LIST_ENTRY)
    WaitQueueLock             = at(0x0E0, EX_PUSH_LOCK)
    WaitQueue                 = at(0x0E8, LIST_ENTRY)
    DummyEvent                = at(0x0F8, PVOID)  # *KEVENT
    Semaphore                 = at(0x0F8, PVOID)  # *KSEMAPHORE
    PortAttributes            = at(0x100, ALPC_PORT_ATTRIBUTES)
    ResourceListLock          = at(0x148, EX_PUSH_LOCK)
    ResourceListHead          = at(0x150, LIST_ENTRY)
    PortObjectLock            = at(0x160, EX_PUSH_LOCK)
    CompletionList            = at(0x168, PVOID)  # *ALPC_COMPLETION_LIST
    CallbackObject            = at(0x170, PVOID)  # *CALLBACK_OBJECT
    CallbackContext           = at(0x178, PVOID)
    CanceledQueue             = at(0x180, LIST_ENTRY)
    SequenceNo                = at(0x190, LONG)
    ReferenceNo               = at(0x194, LONG)
    ReferenceNoWait           = at(0x198, PVOID)  # *PALPC_PORT_REFERENCE_WAIT_BLOCK
    u1                        = at(0x1A0, ALPC_PORT_u1)
    TargetQueuePort           = at(0x1A8, PVOID)  # *ALPC_PORT
    TargetSequencePort        = at(0x1B0, PVOID)  # *ALPC_PORT
    CachedMessage             = at(0x1B8, PVOID)  # *KALPC_MESSAGE
    MainQueueLength           = at(0x1C0, ULONG)
    LargeMessageQueueLength   = at(0x1C4, ULONG)
    PendingQueueLength        = at(0x1C8, ULONG)
    DirectQueueLength         = at(0x1CC, ULONG)
    CanceledQueueLength       = at(0x1D0, ULONG)
    WaitQueueLength           = at(0x1D4, ULONG)


class KALPC_WORK_ON_BEHALF_DATA(Struct, size=0x08):
    """Ticket kept with a message."""

    Ticket = at(0x00, ALPC_WORK_ON_BEHALF_TICKET)


class KALPC_MESSAGE_ATTRIBUTES(Struct, size=0x48):
    """Attributes a message carries."""

    ClientContext     = at(0x00, PVOID)
    ServerContext     = at(0x08, PVOID)
    PortContext       = at(0x10, PVOID)
    CancelPortContext = at(0x18, PVOID)
    SecurityData      = at(0x20, PVOID)  # *KALPC_SECURITY_DATA
    View              = at(0x28, PVOID)  # *KALPC_VIEW
    HandleData        = at(0x30, PVOID)  # *KALPC_HANDLE_DATA
    DirectEvent       = at(0x38, KALPC_DIRECT_EVENT)
    WorkOnBehalfData  = at(0x40, KALPC_WORK_ON_BEHALF_DATA)


class KALPC_MESSAGE_u1_s1(Struct, size=0x04):
    """State bits of a message."""

    QueueType              = bits(0x00, ULONG, 0, 3)
    QueuePortType          = bits(0x00, ULONG, 3, 4)
    Canceled               = bits(0x00, ULONG, 7, 1)
    Ready                  = bits(0x00, ULONG, 8, 1)
    ReleaseMessage         = bits(0x00, ULONG, 9, 1)
    SharedQuota            = bits(0x00, ULONG, 10, 1)
    ReplyWaitReply         = bits(0x00, ULONG, 11, 1)
    OwnerPortReference     = bits(0x00, ULONG, 12, 1)
    ReceiverReference      = bits(0x00, ULONG, 13, 1)
    ViewAttributeRetrieved = bits(0x00, ULONG, 14, 1)
    InDispatch             = bits(0x00, ULONG, 15, 1)
    InCanceledQueue        = bits(0x00, ULONG, 16, 1)


class KALPC_MESSAGE_u1(Struct, size=0x04):
    """State word of a message."""

    State = at(0x00, ULONG)
    s1    = at(0x00, KALPC_MESSAGE_u1_s1)


class KALPC_MESSAGE(Struct, size=0x118):
    """ALPC message."""

    Entry               = at(0x00, LIST_ENTRY)
    PortQueue           = at(0x10, PVOID)  # *ALPC_PORT
    OwnerPort           = at(0x18, PVOID)  # *ALPC_PORT
    WaitingThread       = at(0x20, PVOID)  # *ETHREAD
    u1                  = at(0x28, KALPC_MESSAGE_u1)
    SequenceNo          = at(0x2C, LONG)
    QuotaBlock          = at(0x30, PVOID)
    QuotaProcess        = at(0x30, PVOID)  # *EPROCESS
    CancelSequencePort  = at(0x38, PVOID)  # *ALPC_PORT
    CancelQueuePort     = at(0x40, PVOID)  # *ALPC_PORT
    CancelSequenceNo    = at(0x48, LONG)
    CancelListEntry     = at(0x50, LIST_ENTRY)
    Reserve             = at(0x60, PVOID)  # *KALPC_RESERVE
    MessageAttributes   = at(0x68, KALPC_MESSAGE_ATTRIBUTES)
    DataUserVa          = at(0xB0, PVOID)
    CommunicationInfo   = at(0xB8, PVOID)  # *ALPC_COMMUNICATION_INFO
    ConnectionPort      = at(0xC0, PVOID)  # *ALPC_PORT
    ServerThread        = at(0xC8, PVOID)  # *ETHREAD
    WakeReference       = at(0xD0, PVOID)
    WakeReference2      = at(0xD8, PVOID)
    ExtensionBuffer     = at(0xE0, PVOID)
    ExtensionBufferSize = at(0xE8, ULONGLONG)
    PortMessage         = at(0xF0, PORT_MESSAGE)


class LPCP_PORT_QUEUE(Struct, size=0x20):
    """Message queue of an old port."""

    NonPagedPortQueue = at(0x00, PVOID)  # *LPCP_NONPAGED_PORT_QUEUE
    Semaphore         = at(0x08, PVOID)  # *KSEMAPHORE
    ReceiveHead       = at(0x10, LIST_ENTRY)


class LPCP_PORT_OBJECT(Struct, size=0x100):
    """Old (LPC) port object."""

    ConnectionPort          = at(0x00, PVOID)  # *LPCP_PORT_OBJECT
    ConnectedPort           = at(0x08, PVOID)  # *LPCP_PORT_OBJECT
    MsgQueue                = at(0x10, LPCP_PORT_QUEUE)
    Creator                 = at(0x30, CLIENT_ID)
    ClientSectionBase       = at(0x40, PVOID)
    ServerSectionBase       = at(0x48, PVOID)
    PortContext             = at(0x50, PVOID)
    ClientThread            = at(0x58, PVOID)  # *ETHREAD
    SecurityQos             = at(0x60, SECURITY_QUALITY_OF_SERVICE)
    StaticSecurity          = at(0x70, SECURITY_CLIENT_CONTEXT)
    LpcReplyChainHead       = at(0xB8, LIST_ENTRY)
    LpcDataInfoChainHead    = at(0xC8, LIST_ENTRY)
    MappingProcess          = at(0xD8, PVOID)  # *EPROCESS
    ServerProcess           = at(0xD8, PVOID)  # *EPROCESS
    MaxMessageLength        = at(0xE0, USHORT)
    MaxConnectionInfoLength = at(0xE2, USHORT)
    Flags                   = at(0xE4, ULONG)
    WaitEvent               = at(0xE8, KEVENT)
