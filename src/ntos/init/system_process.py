"""The System process: id 4, no user half, the kernel's own page tables, token of LocalSystem."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.status import STATUS
from ntos.init.kernel_image import symbol
from ntos.ps import protection
from ntos.ps.allocate import (
    MAXIMUM_WORKING_SET,
    MINIMUM_WORKING_SET,
    NORMAL_CLASS,
    initialize_kernel_part,
    set_audit_name,
)
from ntos.ps.insert import insert_process
from ntos.ps.manager import PROCESS, ProcessManager
from ntos.se.token import set_primary_token

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.se.token import Token

LISTS = ("ThreadListHead", "JobLinks", "MmProcessLinks", "ActiveProcessLinks", "SessionProcessLinks")
SYSTEM_PROCESS_FLAG = 1 << 12
SIGNATURES = 0x1E, 0x1C
"""Levels of the kernel's image and of what the System process maps, as a kernel debugger shows them."""


def create_system_process(kernel: Kernel, token: Token) -> Process:
    """PsInitialSystemProcess, with a reference on `token`. The idle process (id 0) is not in any list."""
    manager = kernel[ProcessManager]
    manager.tables_for_next = kernel.platform.tables
    process = ob.create(kernel, PROCESS)
    eprocess = process.eprocess
    for name in LISTS:
        getattr(eprocess, name).initialize()
    eprocess.ImageFileName = b"System"
    eprocess.ExitStatus = int(STATUS.PENDING)
    eprocess.CreateTime = kernel.clock.system_time
    eprocess.Pcb.DirectoryTableBase = kernel.platform.tables.root
    eprocess.Flags3 = SYSTEM_PROCESS_FLAG
    eprocess.DefaultHardErrorProcessing = 1
    eprocess.Protection.Level = protection.SYSTEM_LEVEL
    eprocess.SignatureLevel, eprocess.SectionSignatureLevel = SIGNATURES
    limits = eprocess.Vm.Instance
    limits.MinimumWorkingSetSize, limits.MaximumWorkingSetSize = MINIMUM_WORKING_SET, MAXIMUM_WORKING_SET
    set_audit_name(process, "")
    initialize_kernel_part(process, NORMAL_CLASS)
    kernel[ob.ObjectManager].kernel_table = ob.create_handle_table(process)
    set_primary_token(process, token)
    manager.system = process
    insert_process(process)
    kernel.memory.write(symbol(kernel, "PsInitialSystemProcess"), struct.pack("<Q", process.address))
    return process
