"""The structures that jobs hold by value.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.executive import EX_RUNDOWN_REF
from ntos.abi.layout.list import LIST_ENTRY, RTL_BALANCED_NODE
from ntos.abi.layout.string import RTL_BITMAP
from ntos.abi.struct import Struct, array, at, bits
from ntos.abi.types import PVOID, UCHAR, ULONG, ULONGLONG


class JOBOBJECT_ENERGY_TRACKING_STATE(Struct, size=0x08):
    """Energy tracking of a job."""

    UpdateMask   = at(0x00, ULONG)
    Value        = at(0x00, ULONGLONG)
    DesiredState = at(0x04, ULONG)


class JOB_RATE_CONTROL_HEADER(Struct, size=0x28):
    """Head of a job's rate control."""

    RateControlQuotaReference = at(0x00, PVOID)
    OverQuotaHistory          = at(0x08, RTL_BITMAP)
    BitMapBuffer              = at(0x18, PVOID)
    BitMapBufferSize          = at(0x20, ULONGLONG)


class PS_IO_CONTROL_ENTRY(Struct, size=0x38):
    """I/O rate control of a job."""

    FreeListEntry          = at(0x00, LIST_ENTRY)
    VolumeTreeNode         = at(0x00, RTL_BALANCED_NODE)
    ReservedForParentValue = at(0x10, ULONGLONG)
    VolumeKey              = at(0x18, ULONGLONG)
    Rundown                = at(0x20, EX_RUNDOWN_REF)
    IoControl              = at(0x28, PVOID)
    VolumeIoAttribution    = at(0x30, PVOID)


class PS_JOB_WAKE_INFORMATION(Struct, size=0x48):
    """How often a job was woken from a freeze."""

    NotificationChannel = at(0x00, ULONGLONG)
    WakeCounters        = at(0x08, array(ULONGLONG, 7))
    NoWakeCounter       = at(0x40, ULONGLONG)


class PS_TRUSTLET_ATTRIBUTE_ACCESSRIGHTS(Struct, size=0x01):
    """Who may read a trustlet attribute."""

    AccessRights = at(0x00, UCHAR)
    Trustlet     = bits(0x00, UCHAR, 0, 1)
    Ntos         = bits(0x00, UCHAR, 1, 1)
    WriteHandle  = bits(0x00, UCHAR, 2, 1)
    ReadHandle   = bits(0x00, UCHAR, 3, 1)
    Reserved     = bits(0x00, UCHAR, 4, 4)


class PS_TRUSTLET_ATTRIBUTE_TYPE(Struct, size=0x04):
    """Kind of a trustlet attribute."""

    AttributeType = at(0x00, ULONG)
    Version       = at(0x00, UCHAR)
    DataCount     = at(0x01, UCHAR)
    SemanticType  = at(0x02, UCHAR)
    AccessRights  = at(0x03, PS_TRUSTLET_ATTRIBUTE_ACCESSRIGHTS)


class PS_TRUSTLET_ATTRIBUTE_HEADER(Struct, size=0x08):
    """Head of a trustlet attribute."""

    AttributeType  = at(0x00, PS_TRUSTLET_ATTRIBUTE_TYPE)
    InstanceNumber = bits(0x04, ULONG, 0, 8)
    Reserved       = bits(0x04, ULONG, 8, 24)


class PS_TRUSTLET_ATTRIBUTE_DATA(Struct, size=0x10):
    """Trustlet attribute."""

    Header = at(0x00, PS_TRUSTLET_ATTRIBUTE_HEADER)
    Data   = at(0x08, array(ULONGLONG, 1))
