"""What ALPC keeps beside ports and messages: sections, views, security contexts, reserves.

Offsets as public symbols of the 19041 family give them; a comment `*X` says what a pointer points to.
"""

from __future__ import annotations

from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.token import SECURITY_CLIENT_CONTEXT
from ntos.abi.struct import Struct, at, bits
from ntos.abi.types import LONG, PVOID, ULONG, ULONGLONG


class ALPC_HANDLE_ENTRY(Struct, size=0x08):
    """One handle of a communication port."""

    Object = at(0x00, PVOID)


class KALPC_SECTION(Struct, size=0x48):
    """A port section: a section object and its regions."""

    SectionObject   = at(0x00, PVOID)  # *SECTION
    Size            = at(0x08, ULONGLONG)
    HandleTable     = at(0x10, PVOID)  # *ALPC_HANDLE_TABLE
    SectionHandle   = at(0x18, PVOID)
    OwnerProcess    = at(0x20, PVOID)  # *EPROCESS
    OwnerPort       = at(0x28, PVOID)  # *ALPC_PORT
    State           = at(0x30, ULONG)
    Internal        = bits(0x30, ULONG, 0, 1)
    Secure          = bits(0x30, ULONG, 1, 1)
    NumberOfRegions = at(0x34, ULONG)
    RegionListHead  = at(0x38, LIST_ENTRY)


class KALPC_REGION(Struct, size=0x58):
    """A piece of a port section that is shown to both sides."""

    RegionListEntry = at(0x00, LIST_ENTRY)
    Section         = at(0x10, PVOID)  # *KALPC_SECTION
    Offset          = at(0x18, ULONGLONG)
    Size            = at(0x20, ULONGLONG)
    ViewSize        = at(0x28, ULONGLONG)
    State           = at(0x30, ULONG)
    Secure          = bits(0x30, ULONG, 0, 1)
    NumberOfViews   = at(0x34, ULONG)
    ViewListHead    = at(0x38, LIST_ENTRY)
    ReadOnlyView    = at(0x48, PVOID)  # *KALPC_VIEW
    ReadWriteView   = at(0x50, PVOID)  # *KALPC_VIEW


class KALPC_VIEW(Struct, size=0x60):
    """A region as one process sees it."""

    ViewListEntry         = at(0x00, LIST_ENTRY)
    Region                = at(0x10, PVOID)  # *KALPC_REGION
    OwnerPort             = at(0x18, PVOID)  # *ALPC_PORT
    OwnerProcess          = at(0x20, PVOID)  # *EPROCESS
    Address               = at(0x28, PVOID)
    Size                  = at(0x30, ULONGLONG)
    SecureViewHandle      = at(0x38, PVOID)
    WriteAccessHandle     = at(0x40, PVOID)
    State                 = at(0x48, ULONG)
    WriteAccess           = bits(0x48, ULONG, 0, 1)
    AutoRelease           = bits(0x48, ULONG, 1, 1)
    ForceUnlink           = bits(0x48, ULONG, 2, 1)
    NumberOfOwnerMessages = at(0x4C, ULONG)
    ProcessViewListEntry  = at(0x50, LIST_ENTRY)


class KALPC_SECURITY_DATA(Struct, size=0x70):
    """A security context: whom a server may become."""

    HandleTable     = at(0x00, PVOID)  # *ALPC_HANDLE_TABLE
    ContextHandle   = at(0x08, PVOID)
    OwningProcess   = at(0x10, PVOID)  # *EPROCESS
    OwnerPort       = at(0x18, PVOID)  # *ALPC_PORT
    DynamicSecurity = at(0x20, SECURITY_CLIENT_CONTEXT)
    State           = at(0x68, ULONG)
    Revoked         = bits(0x68, ULONG, 0, 1)
    Impersonated    = bits(0x68, ULONG, 1, 1)


class KALPC_RESERVE(Struct, size=0x30):
    """Room for one message, set aside."""

    OwnerPort   = at(0x00, PVOID)  # *ALPC_PORT
    HandleTable = at(0x08, PVOID)  # *ALPC_HANDLE_TABLE
    Handle      = at(0x10, PVOID)
    Message     = at(0x18, PVOID)  # *KALPC_MESSAGE
    Size        = at(0x20, ULONGLONG)
    Active      = at(0x28, LONG)


class KALPC_HANDLE_DATA(Struct, size=0x10):
    """Handles on their way."""

    ObjectType       = at(0x00, ULONG)
    Count            = at(0x04, ULONG)
    DuplicateContext = at(0x08, PVOID)
