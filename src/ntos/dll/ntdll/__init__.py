"""ntdll.dll: what runs first in a process, and what every other DLL stands on.

On Windows ntdll holds the loader (`Ldr…`), the run-time library (`Rtl…`), exception dispatch
(`Ki…Dispatcher`) and the stubs of the system services. Here the loader and dispatch are Python over true
bytes: module entries, dependency nodes and TLS vectors stand in the process's own heap, where debuggers and
programs that walk `PEB.Ldr` find them.

What must be fast (heap, locks, strings) is machine code of `um.leaf.ntdll`; what the kernel jumps to is in
`entry`. Begin with `ldr.init` (a process starts), `exception` and `unwind` (a fault finds its handler),
`rtl_…` (the library).
"""

from ntos.dll.ntdll import (
    c_handler,
    crt_print,
    csr,
    debug,
    debug_convert,
    debug_ui,
    dispatch,
    etw_provider,
    fls,
    rtl_bitmap,
    rtl_convert,
    rtl_critical,
    rtl_descriptor,
    rtl_environment,
    rtl_misc,
    rtl_parameters,
    rtl_path,
    rtl_privilege,
    rtl_process,
    rtl_security,
    rtl_string,
    thread,
    tp,
    unwind_api,
)
from ntos.dll.ntdll.ldr import api, delay, init, query, resource, settings, shutdown

__all__ = [
    "api",
    "c_handler",
    "crt_print",
    "csr",
    "debug",
    "debug_convert",
    "debug_ui",
    "delay",
    "dispatch",
    "etw_provider",
    "fls",
    "init",
    "query",
    "resource",
    "rtl_bitmap",
    "rtl_convert",
    "rtl_critical",
    "rtl_descriptor",
    "rtl_environment",
    "rtl_misc",
    "rtl_parameters",
    "rtl_path",
    "rtl_privilege",
    "rtl_process",
    "rtl_security",
    "rtl_string",
    "settings",
    "shutdown",
    "thread",
    "tp",
    "unwind_api",
]
