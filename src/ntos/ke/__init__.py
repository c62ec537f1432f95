"""The kernel proper: threads, dispatcher objects, waits, APCs, timers, traps, service tables.

Windows' Ke layer schedules threads and gives them things to wait for; everything above is built from these. Here a
thread's kernel stack is a Python coroutine: `await wait(...)` blocks it, `await thread.call(code, ...)` runs guest
code and comes back with its result, so no handler is cut in two. The dispatcher objects are true bytes
(`DISPATCHER_HEADER`, `KWAIT_BLOCK`) in guest memory; a Python object beside them holds only what bytes cannot.

Begin with `thread` and `trap` (how guest code runs and what happens when it stops), then `wait` (the only place
that yields to the `scheduler`), then `service` (what `@service` makes of an annotated function).
"""
