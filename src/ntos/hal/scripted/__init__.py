"""A backend that plays back a list of traps: kernel tests need no engine.

A context is a plain object with the registers as attributes. `ScriptedBackend.play(context, steps)` says what
the guest of that context does next: each step is a trap, or a function that changes the context and gives a
trap (what a program would have done up to its next `syscall`). When the script is over the guest spins:
`Preempted` for ever.
"""

from ntos.hal.scripted.backend import ScriptedBackend, ScriptedContext

__all__ = ["ScriptedBackend", "ScriptedContext"]
