"""CreateProcessInternalW, stage by stage (process-creation.md 2, 3, 4, 8 and 9).

Windows does nearly all of CreateProcess in user mode before and after one system call. Each step is a module here,
in the order in which they happen:

`request`      the call, its strings read;
`validate`     stage 1: what is refused before any file is looked at;
`name`         which file is started: unquoted blanks, the search path;
`block`        the child's environment and current directory;
`parameters`   RTL_USER_PROCESS_PARAMETERS: console, standard handles, window;
`attributes`   PROC_THREAD_ATTRIBUTE_LIST and flags to the kernel's PS_ATTRIBUTE_LIST;
`stages`       the way through them, the call of NtCreateUserProcess, and beginning again;
`outcome`      after the kernel call: errors, a batch file's or a debugger's detour, checks on what was made.

Begin with `stages.create_process`; the exports are in `kernelbase.create`.
"""
