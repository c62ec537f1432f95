"""Processes and threads: EPROCESS and ETHREAD, client ids, creation, exit, and what can be asked of them.

Since Vista one system call makes a process: NtCreateUserProcess opens the image, makes the section, the process
object (PspAllocateProcess), its address space, PEB and parameters, the first thread (PspAllocateThread), and inserts
both (PspInsertProcess, PspInsertThread).

The stages are files here, in NT's order: `create` (the service),
`allocate` (the process object), `peb`, `thread`, `insert`; `exit` is the way out, `query` and `set` the information
classes. `manager` holds what is one per machine: the types, the id table, ntdll's section.
"""
