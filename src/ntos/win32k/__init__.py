r"""win32k: windows, messages, desktops: the window manager's half that is in the kernel.

On Windows win32k.sys (win32kbase, win32kfull) serves service table 1. A process or thread is a stranger to it until
its first such call; then EPROCESS.Win32Process and KTHREAD.Win32Thread lead to a PROCESSINFO and a THREADINFO in
session pool, and the thread has a message queue. Window stations and desktops are objects of the object manager below
`\Sessions\N\Windows\WindowStations`; windows and classes lie in a heap that every GUI process of the session maps for
reading, so that user32 answers GetWindowLong, IsWindow or GetParent without a call.

Here the same structures are bytes at the same places: `memory` is the session's pool and shared heap, `objects` the
table of USER handles, `process` the callouts of `ps`, `station` the objects. `window`, `classes` and `tree` are what
stands on a desktop; `queue` is what a thread's queue holds and `message` how messages go: a window procedure is
called in its own thread, through `thread.call`, so that it may call back and block. There is no display: what draws
(GDI) is absent, no window is ever painted, no input arrives. One heap serves all desktops of a session.

Begin with `session`, then `process`, `queue` and `message`. The modules that end in `services` are the doors; they
are imported when a program first calls one.
"""
