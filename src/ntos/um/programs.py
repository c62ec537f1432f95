"""The system's own programs and server DLLs: images made here of which no export list is published.

A program's file has one entry point, served by its package below `ntos.exe`; a server DLL exports what its Python
package below `ntos.dll` declares, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ntos.abi.pe.headers import Subsystem

SYSTEM32 = "Windows\\System32"
NATIVE_ENTRY = "NtProcessStartup"
WINDOWS_ENTRY = "wWinMainCRTStartup"
NTDLL = (("ntdll.dll", "NtClose"),)
WIN32 = (("KERNEL32.dll", "CloseHandle"), ("ntdll.dll", "NtClose"))


@dataclass(frozen=True, slots=True)
class SystemModule:
    """How one image is built."""

    extension: str = "exe"
    folder: str = SYSTEM32
    subsystem: Subsystem = Subsystem.WINDOWS_GUI
    imports: tuple[tuple[str, str], ...] = field(default=WIN32)

    @property
    def entry(self) -> str:
        """The name of the Python function the image begins at."""
        if self.extension == "dll":
            return "DllMain"
        return NATIVE_ENTRY if self.subsystem == Subsystem.NATIVE else WINDOWS_ENTRY


_NATIVE = SystemModule(subsystem=Subsystem.NATIVE, imports=NTDLL)
_SERVER = SystemModule("dll", imports=NTDLL)
SYSTEM_MODULES: dict[str, SystemModule] = {
    "smss": _NATIVE,
    "csrss": SystemModule(subsystem=Subsystem.NATIVE, imports=(*NTDLL, ("CSRSRV.dll", "CsrServerInitialization"))),
    "csrsrv": _SERVER,
    "basesrv": SystemModule("dll", imports=(("CSRSRV.dll", "CsrServerInitialization"),)),
    "wininit": SystemModule(),
    "winlogon": SystemModule(),
    "services": SystemModule(),
    "lsass": SystemModule(),
    "svchost": SystemModule(),
    "seclogon": SystemModule("dll", imports=WIN32),
    "userinit": SystemModule(),
    "explorer": SystemModule(folder="Windows"),
}
"""By name without extension. The order gives their export numbers: add at the end."""
