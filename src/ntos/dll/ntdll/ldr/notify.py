"""Load and unload notifications (LdrRegisterDllNotification)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ntos.dll.ntdll.ldr.state import Loader, Module
    from ntos.um.thread import UserThread

LOADED, UNLOADED = 1, 2
FULL_NAME, BASE_NAME = 0x48, 0x58


async def send(thread: UserThread, loader: Loader, reason: int, module: Module) -> None:
    """Call every registered callback with LDR_DLL_NOTIFICATION_DATA (LdrpSendDllNotifications)."""
    for notification in list(loader.notifications):
        with thread.frame() as frame:
            entry = module.entry.address
            data = frame.bytes(
                struct.pack("<I4xQQQI4x", 0, entry + FULL_NAME, entry + BASE_NAME, module.base, module.size)
            )
            await thread.call(notification.function, reason, data, notification.context)
