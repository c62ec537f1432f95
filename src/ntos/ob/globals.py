"""The object manager's global variables, where debuggers and memory forensics look for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.symbols import RVA
from ntos.ex.handle import HandleTableList
from ntos.ob.manager import ObjectManager, TypeObject
from ntos.ob.object import INFO_MASK_TO_OFFSET

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel

BAD_TYPE = 0xBAD0_B0B0
"""ObTypeIndexTable[1]: no address, so that a stray index is found out."""
TYPE_VARIABLES = {
    "AlpcPortObjectType": "ALPC Port",
    "CmKeyObjectType": "Key",
    "DbgkDebugObjectType": "DebugObject",
    "ExEventObjectType": "Event",
    "ExMutantObjectType": "Mutant",
    "ExSemaphoreObjectType": "Semaphore",
    "ExTimerObjectType": "Timer",
    "IoDeviceObjectType": "Device",
    "IoDriverObjectType": "Driver",
    "IoFileObjectType": "File",
    "LpcPortObjectType": "ALPC Port",
    "MmSectionObjectType": "Section",
    "ObpDirectoryObjectType": "Directory",
    "ObpSymbolicLinkObjectType": "SymbolicLink",
    "ObpTypeObjectType": "Type",
    "PsJobType": "Job",
    "PsPartitionType": "Partition",
    "PsProcessType": "Process",
    "PsThreadType": "Thread",
    "SeTokenObjectType": "Token",
    "PsSiloContextPagedType": "PsSiloContextPaged",
    "PsSiloContextNonPagedType": "PsSiloContextNonPaged",
}
"""Global variables that hold the address of a type object, and the type's name."""


def publish_type(kernel: Kernel, index: int, made: TypeObject) -> None:
    """Enter one type into ObTypeIndexTable."""
    kernel.memory.write(
        kernel.image_base + RVA["ObTypeIndexTable"] + index * 8, made.address.to_bytes(8, "little")
    )


def publish(kernel: Kernel) -> None:
    """Write them; once, after the kernel's image has been mapped at `kernel.image_base`."""
    manager, memory, base = kernel[ObjectManager], kernel.memory, kernel.image_base
    assert base, "the kernel image is not mapped yet"
    memory.write(base + RVA["ObTypeIndexTable"], bytes(8) + BAD_TYPE.to_bytes(8, "little"))
    for index, made in enumerate(manager.type_objects):
        if made is not None:
            publish_type(kernel, index, made)
    memory.write(base + RVA["ObHeaderCookie"], manager.cookie.to_bytes(4, "little"))
    memory.write(base + RVA["ObpInfoMaskToOffset"], INFO_MASK_TO_OFFSET)
    memory.write(base + RVA["ObpRootDirectoryObject"], manager.root.to_bytes(8, "little"))
    for variable, name in TYPE_VARIABLES.items():
        made = manager.type_objects[manager.names[name]]
        assert made is not None
        memory.write(base + RVA[variable], made.address.to_bytes(8, "little"))
    kernel[HandleTableList].move_to(base + RVA["HandleTableListHead"])
