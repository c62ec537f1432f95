r"""CoCreateInstance: from a class id to an object, by way of the registry (HKEY_CLASSES_ROOT\CLSID)."""

from __future__ import annotations

from ntos.abi.pointer import Ptr
from ntos.abi.types import DWORD, HRESULT, PVOID
from ntos.dll.combase.apartment import Apartment
from ntos.dll.kernelbase.registry_read import machine_value
from ntos.rtl.guid import to_text
from ntos.um.export import export
from ntos.um.thread import UserThread

CO_E_NOTINITIALIZED, REGDB_E_CLASSNOTREG, CO_E_DLLNOTFOUND = 0x8004_01F0, 0x8004_0154, 0x8004_01F8
E_POINTER, E_INVALIDARG = 0x8000_4003, 0x8007_0057
CLASSES = "SOFTWARE\\Classes\\CLSID"
CLSCTX_ALL = 0x17


@export(partial="registered classes are not loaded: CO_E_DLLNOTFOUND")
async def CoCreateInstance(
    thread: UserThread,
    rclsid: PVOID,
    pUnkOuter: PVOID,
    dwClsContext: DWORD,
    riid: PVOID,
    ppv: Ptr[PVOID] | None,
) -> HRESULT:
    """Make an object of a class."""
    if ppv is None:
        return HRESULT(E_POINTER)
    ppv.write(0)
    if not thread.own(Apartment).count:
        return HRESULT(CO_E_NOTINITIALIZED)
    if not dwClsContext & CLSCTX_ALL:
        return HRESULT(E_INVALIDARG)
    identifier = to_text(thread.memory.read(rclsid, 16))
    if await machine_value(thread, f"{CLASSES}\\{identifier}\\InprocServer32", ""):
        return HRESULT(CO_E_DLLNOTFOUND)
    return HRESULT(REGDB_E_CLASSNOTREG)
