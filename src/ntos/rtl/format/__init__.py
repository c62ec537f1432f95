"""The printf engine: one state machine behind ucrtbase, msvcrt, ntdll and user32.

**How Windows does it.** Each `printf` of the C runtime ends in `__stdio_common_v…printf(options, …)`;
msvcrt.dll and ntdll.dll carry older copies of the same machine, user32's `wsprintf` a small one. All differ
from C in the same places: `%S`, `%Z`, `I64`, `0` padding strings, an unknown conversion printing itself.

**How we do it.** `printf.format_printf` walks a template and asks an `ArgumentReader` for one argument after
another; `specification` reads what stands after a `%`; `floating` spells doubles exactly.

**Where to begin.** `printf.format_printf`, then `specification.Flavour` for what differs between runtimes.
"""
