r"""The system processes: what Windows starts before anybody logs on, written in Python.

On Windows the kernel starts smss.exe, the session manager. It makes session 0 and session 1, each with a copy of
itself: the copy starts the session's csrss.exe (the Windows subsystem) and its first program, wininit.exe or
winlogon.exe, and goes, which is why their parents cannot be found. wininit starts services.exe (which starts
svchost.exe for services) and lsass.exe (logons); winlogon logs the user on and starts userinit.exe, which starts the
shell.

Here each is an image of one export, its entry point, in an ordinary process: with a token, a PEB, handles, ports. They
ask the kernel only by system services and talk to each other and to programs over ALPC; they sleep in waits, so an idle
system costs nothing. `smss` is where it begins; `launch` is how they start one another; the server side of the Windows
subsystem is `dll.csrsrv` and `dll.basesrv`, its client side `dll.ntdll.csr`.
"""
