"""The run-time library: pure routines that kernel and user mode share.

**How Windows does it.** The `Rtl…` routines are linked into both the kernel and ntdll.dll: one source, two
copies. They hold no state and touch nothing but their arguments: paths, code pages, SIDs, bitmaps, times.

**How we do it.** Every module takes and gives plain `str`, `bytes` and numbers, never an address; a string
from the guest stands for its UTF-16 units (`text.from_utf16`, `text.to_utf16`; lone surrogates survive). The
doors in `ex`, `ob`, `dll/ntdll`, `dll/kernelbase` and `dll/ucrtbase` fetch arguments and store results.

**Where to begin.** `path` for how a DOS path becomes an NT one, `text` for what "the same name" means, `nls`
for code pages and locales, `format` and `scan` for the C library's two engines, `sid` and `sddl` for security
as text.
"""
