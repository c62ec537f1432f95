"""kernel32's names that lead straight to ntdll."""

from __future__ import annotations

_SAME = (
    "RtlAddFunctionTable",
    "RtlCaptureContext",
    "RtlCaptureStackBackTrace",
    "RtlCompareMemory",
    "RtlCopyMemory",
    "RtlDeleteFunctionTable",
    "RtlFillMemory",
    "RtlInstallFunctionTableCallback",
    "RtlLookupFunctionEntry",
    "RtlMoveMemory",
    "RtlPcToFileHeader",
    "RtlRaiseException",
    "RtlRestoreContext",
    "RtlUnwind",
    "RtlUnwindEx",
    "RtlVirtualUnwind",
    "RtlZeroMemory",
    "__C_specific_handler",
    "__chkstk",
    "_local_unwind",
)
FORWARDERS = {name: f"NTDLL.{name}" for name in _SAME} | {"SwitchToFiber": "KERNELBASE.SwitchToFiber"}
"""Windows has a jump of its own for each; a forwarder is the same to whoever looks the name up."""
