"""User-mode debugging (Dbgk): how a process's deeds become events that another process waits for.

A debugger makes a *debug object*, and a process gets it as its debug port, at its creation or later
(EPROCESS.DebugPort). From then on whatever the process does that a debugger wants to know (a thread begins or ends, an
image is mapped or unmapped, an exception is raised) is queued to the object as a message of the thread that did it.
That thread stays in the kernel until the debugger has answered, and meanwhile all other threads of the process are
frozen. The answer says what becomes of an exception: handled, or next the program's own handlers.

Here the debug object and its events are true bytes (`abi.layout.dbgk`), in the pool and in the object's list. The lower
floors know nothing of it: `install` puts functions into the hooks of `ke` (exceptions), `mm` (images) and `ps`
(threads). Where such a hook is called, the thread may be anywhere in the kernel; so it only notes what there is to
tell, and the thread tells it on its way back to user mode (`Thread.before_user_mode`).

Begin with `object` (the queue), then `report` (who tells what), `wait` (the debugger's side), `attach`.
"""
