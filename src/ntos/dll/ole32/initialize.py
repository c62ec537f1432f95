"""CoInitialize, which combase does not have."""

from __future__ import annotations

from ntos.abi.types import HRESULT, PVOID
from ntos.dll.combase.apartment import APARTMENTTHREADED, CoInitializeEx
from ntos.um.export import export
from ntos.um.thread import UserThread


@export
def CoInitialize(thread: UserThread, pvReserved: PVOID) -> HRESULT:
    """Join a single-threaded apartment."""
    return CoInitializeEx(thread, pvReserved, APARTMENTTHREADED)  # type: ignore[arg-type]
