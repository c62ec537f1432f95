"""The processor's control region: KPCR and KPRCB, and KiProcessorBlock that points to it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.layout.processor import KPCR, KPRCB
from ntos.hal.clock import CYCLES_PER_UNIT
from ntos.hal.paging import DIRTY, NO_EXECUTE, WRITABLE
from ntos.init.kernel_image import symbol

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel

PCR_ADDRESS = 0xFFFF_F806_4880_0000
PCR_PAGES = 16


def make_processor(kernel: Kernel) -> KPRCB:
    """Processor 0."""
    tables, physical, memory = kernel.platform.tables, kernel.platform.physical, kernel.memory
    for page in range(PCR_PAGES):
        tables.map(PCR_ADDRESS + page * 0x1000, physical.allocate(), WRITABLE | NO_EXECUTE | DIRTY)
    pcr = KPCR(memory, PCR_ADDRESS)
    prcb_address = PCR_ADDRESS + KPCR.offset("Prcb")
    pcr.Self = PCR_ADDRESS
    pcr.CurrentPrcb = prcb_address
    pcr.MajorVersion = 1
    pcr.MinorVersion = 1
    prcb = KPRCB(memory, prcb_address)
    prcb.MHz = CYCLES_PER_UNIT * 10
    prcb.IdleThread = symbol(kernel, "KiInitialThread")
    kernel.scheduler.processor = prcb
    memory.write(symbol(kernel, "KiProcessorBlock"), struct.pack("<Q", prcb_address))
    return prcb
