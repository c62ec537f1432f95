r"""What the registry says about a program by its file name (PspGetProcessParameterOverrides).

`HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options\<name>.exe`; with UseFilter set, the
sub-key whose FilterFullPath is the program's path holds the values instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.registry import REG_BINARY
from ntos.cm import Registry

if TYPE_CHECKING:
    from ntos.cm import KeyNode
    from ntos.ke.kernel import Kernel

OPTIONS = r"MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options"
SESSION_MANAGER = r"MACHINE\SYSTEM\CurrentControlSet\Control\Session Manager"
PRIORITY_CLASSES = frozenset((1, 2, 3, 5, 6))
"""CpuPriorityClass below PerfOptions: idle, normal, high, below and above normal; never realtime."""


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """The key of a program's options, if it has one, and what is asked of it here."""

    key: KeyNode | None = None

    @property
    def has_debugger(self) -> bool:
        """Whether another program is to be started in its place."""
        return self.key is not None and self.key.value("Debugger") is not None

    @property
    def global_flag(self) -> int | None:
        """PEB.NtGlobalFlag for this program: a number, or its digits as text."""
        return _number(self.key, "GlobalFlag")

    @property
    def mitigation(self) -> bytes | None:
        """MitigationOptions, as the attribute has it."""
        value = self.key.value("MitigationOptions") if self.key is not None else None
        return None if value is None else value.data[:24].ljust(24, b"\0")

    @property
    def priority_class(self) -> int:
        """CpuPriorityClass below PerfOptions; 0 where there is none."""
        below = self.key.child("PerfOptions") if self.key is not None else None
        number = _number(below, "CpuPriorityClass")
        return number if number in PRIORITY_CLASSES else 0


def options_of(kernel: Kernel, nt_path: str, dos_path: str) -> ImageOptions:
    """The options of the program with this path (as the caller wrote it, for filters)."""
    if not kernel.has(Registry):
        return ImageOptions()
    root = kernel[Registry].find(OPTIONS)
    key = root.child(nt_path.rpartition("\\")[2]) if root is not None else None
    if key is None:
        return ImageOptions()
    if not _number(key, "UseFilter"):
        return ImageOptions(key)
    wanted = {nt_path.lower(), dos_path.removeprefix("\\??\\").lower()}
    for below in key.children:
        value = below.value("FilterFullPath")
        if value is not None and str(value.content).lower() in wanted:
            return ImageOptions(below)
    return ImageOptions(key)


def system_global_flag(kernel: Kernel) -> int:
    """NtGlobalFlag of the whole system."""
    if not kernel.has(Registry):
        return 0
    found = kernel[Registry].get(SESSION_MANAGER, "GlobalFlag", 0)
    return found if isinstance(found, int) else 0


def _number(key: KeyNode | None, name: str) -> int | None:
    """A number, whichever way it was written (RtlQueryImageFileKeyOption takes text for REG_DWORD)."""
    value = key.value(name) if key is not None else None
    if value is None or value.type == REG_BINARY:
        return None
    content = value.content
    if isinstance(content, int):
        return content
    try:
        return int(str(content), 0) & 0xFFFF_FFFF
    except ValueError:
        return None
