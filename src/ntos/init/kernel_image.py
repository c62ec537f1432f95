"""ntoskrnl's image in memory: headers that name its symbols, and the pages its global variables are on.

Other people's tools find the kernel by the RSDS record near an `MZ` page and then add public symbols' offsets
(volatility.md section 4), so the variables stand exactly where the reference build's PDB says.
"""

from __future__ import annotations

import struct
import uuid
from typing import TYPE_CHECKING

from ntos.abi.layout.debug import DBGKD_GET_VERSION64
from ntos.abi.layout.kd_data import KDDEBUGGER_DATA64
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.symbols import RVA
from ntos.hal.paging import DIRTY, WRITABLE

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel

KERNEL_BASE = 0xFFFF_F806_4A60_0000
SIZE_OF_IMAGE = 0x1046000
TIME_DATE_STAMP = 804312866
PDB_GUID = uuid.UUID("68a17faf-3012-b784-6079-aeecdbe0a583")
PDB_AGE = 1
PDB_NAME = b"ntkrnlmp.pdb\0"
BUILD = 19041
PRODUCT_BUILD = 19045
BUILD_LAB = b"19041.1.amd64fre.vb_release.191206-1406"
LOW_STUB = 0x13000
LOW_STUB_SIGNATURE = 0x00000001000600E9
PAGES_AFTER_A_SYMBOL = 2
LISTS = ("PsActiveProcessHead", "PsLoadedModuleList", "CallbackListHead", "KeBugCheckCallbackListHead",
         "KeBugCheckReasonCallbackListHead", "CmpHiveListHead", "HandleTableListHead", "PspJobList")  # fmt: skip


def map_kernel_image(kernel: Kernel) -> None:
    """Map headers and globals, and fill those that only depend on the build."""
    kernel.image_base = KERNEL_BASE
    _map_pages(kernel)
    memory = kernel.memory
    memory.write(KERNEL_BASE, headers())
    for name in LISTS:
        LIST_ENTRY(memory, symbol(kernel, name)).initialize()
    memory.write(symbol(kernel, "NtBuildLab"), BUILD_LAB + b"\0")
    memory.write(symbol(kernel, "NtBuildNumber"), struct.pack("<I", 0xF0000000 | PRODUCT_BUILD))
    memory.write(symbol(kernel, "KeNumberProcessors"), struct.pack("<I", 1))
    memory.write(symbol(kernel, "MmSystemRangeStart"), struct.pack("<Q", 0xFFFF_8000_0000_0000))
    memory.write(symbol(kernel, "MmHighestUserAddress"), struct.pack("<Q", 0x7FFF_FFFE_FFFF))
    memory.write(symbol(kernel, "MmUserProbeAddress"), struct.pack("<Q", 0x7FFF_FFFF_0000))
    memory.write(symbol(kernel, "MmPteBase"), struct.pack("<Q", 0xFFFF_F680_0000_0000))
    memory.write(symbol(kernel, "PsNtosImageBase"), struct.pack("<Q", KERNEL_BASE))
    memory.write(symbol(kernel, "PsNtosImageEnd"), struct.pack("<Q", KERNEL_BASE + SIZE_OF_IMAGE))
    memory.write(symbol(kernel, "KeTimeIncrement"), struct.pack("<I", 156250))
    _debugger_blocks(kernel)
    _low_stub(kernel)


def symbol(kernel: Kernel, name: str) -> int:
    """The address of one of ntoskrnl's global variables."""
    return kernel.image_base + RVA[name]


def headers() -> bytes:
    """The first page: DOS and PE headers, one section, and a debug directory whose RSDS record names the PDB."""
    page = bytearray(0x1000)
    page[:2] = b"MZ"
    struct.pack_into("<I", page, 0x3C, 0xF8)
    struct.pack_into("<4sHHIIIHH", page, 0xF8, b"PE\0\0", 0x8664, 1, TIME_DATE_STAMP, 0, 0, 0xF0, 0x22)
    optional = 0xF8 + 24
    struct.pack_into("<HBBIIIII", page, optional, 0x20B, 14, 20, 0x800000, 0x400000, 0, 0x9B9010, 0x1000)
    struct.pack_into("<QIIHHHHHHIIII", page, optional + 24,
                     KERNEL_BASE, 0x1000, 0x200, 10, 0, 10, 0, 10, 0, 0, SIZE_OF_IMAGE, 0x800, 0)  # fmt: skip
    struct.pack_into("<HHQQQQII", page, optional + 68, 1, 0x4160, 0x80000, 0x2000, 0x100000, 0x1000, 0, 16)
    struct.pack_into("<II", page, optional + 112 + 6 * 8, 0x900, 28)
    record = b"RSDS" + PDB_GUID.bytes_le + struct.pack("<I", PDB_AGE) + PDB_NAME
    struct.pack_into("<IIHHIIII", page, 0x900, 0, TIME_DATE_STAMP, 0, 0, 2, len(record), 0x940, 0x940)
    page[0x940 : 0x940 + len(record)] = record
    struct.pack_into("<8sIIII12xI", page, optional + 0xF0,
                     b".data", SIZE_OF_IMAGE - 0x1000, 0x1000, 0, 0, 0xC8000040)  # fmt: skip
    return bytes(page)


def _map_pages(kernel: Kernel) -> None:
    """Only pages that hold something; the rest of the image's range stays without memory."""
    wanted = {0}
    for rva in RVA.values():
        wanted.update(range(rva >> 12, (rva >> 12) + PAGES_AFTER_A_SYMBOL))
    tables, physical = kernel.platform.tables, kernel.platform.physical
    for page in sorted(wanted):
        tables.map(KERNEL_BASE + page * 0x1000, physical.allocate(), WRITABLE | DIRTY)


def _debugger_blocks(kernel: Kernel) -> None:
    memory = kernel.memory
    version = DBGKD_GET_VERSION64(memory, symbol(kernel, "KdVersionBlock"))
    version.MajorVersion = 0xF
    version.MinorVersion = BUILD
    version.ProtocolVersion = 6
    version.Flags = 7
    version.MachineType = 0x8664
    version.KernBase = KERNEL_BASE
    version.PsLoadedModuleList = symbol(kernel, "PsLoadedModuleList")
    version.DebuggerDataList = symbol(kernel, "KdDebuggerDataBlock")
    block = KDDEBUGGER_DATA64(memory, symbol(kernel, "KdDebuggerDataBlock"))
    block.OwnerTag = int.from_bytes(b"KDBG", "little")
    block.Size = 0x380
    block.KernBase = KERNEL_BASE
    for field, name in (
        ("PsLoadedModuleList", "PsLoadedModuleList"), ("PsActiveProcessHead", "PsActiveProcessHead"),
        ("PspCidTable", "PspCidTable"), ("NtBuildLab", "NtBuildLab"), ("KiProcessorBlock", "KiProcessorBlock"),
        ("MmPfnDatabase", "MmPfnDatabase"), ("CmNtCSDVersion", "CmNtCSDVersion"),
        ("KiBugcheckData", "KiBugCheckData"), ("ObTypeObjectType", "ObpTypeObjectType"),
        ("ObpRootDirectoryObject", "ObpRootDirectoryObject"),
    ):  # fmt: skip
        if field in vars(KDDEBUGGER_DATA64):
            setattr(block, field, symbol(kernel, name))


def _low_stub(kernel: Kernel) -> None:
    """The page below 1 MiB from which processors start: readers take CR3 and an address in the kernel from it."""
    physical = kernel.platform.physical
    struct.pack_into("<Q", physical.buffer, LOW_STUB, LOW_STUB_SIGNATURE)
    struct.pack_into("<Q", physical.buffer, LOW_STUB + 0x70, KERNEL_BASE + RVA["KiSystemCall64"] & ~3)
    struct.pack_into("<Q", physical.buffer, LOW_STUB + 0xA0, kernel.platform.tables.root)


__all__ = ["KERNEL_BASE", "headers", "map_kernel_image", "symbol"]
