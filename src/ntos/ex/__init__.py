"""The executive: pool and handle tables below the object manager, and the services that stand above
everything.

Windows' Ex layer is two things. At the bottom it gives memory (`ExAllocatePool`) and handle tables to all the
others; at the top it offers what user mode calls synchronisation: events, mutants, semaphores, timers, keyed
events, completion ports, and the questions of NtQuerySystemInformation. `pool` and `handle` are the bottom
and may import only what is below `ob`; every other module here is the top, where each file holds the services
of one object: the `Nt…` functions of `event` use `ob` for names and handles and `ke.event` for what setting
an event does.

Begin with `pool` (how a block looks in memory), `handle` (how a handle finds an object header), then `event`,
the smallest complete object.
"""
