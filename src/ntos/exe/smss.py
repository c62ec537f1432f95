r"""smss.exe: the session manager.

The first process of all. Its main copy answers `\SmApiPort`; for each session it starts another copy, which makes the
session in the kernel, starts csrss.exe in it, introduces the session's first program to csrss, and ends.
"""

from __future__ import annotations

from ntos.abi import alpc as lpc
from ntos.abi import csr
from ntos.abi.se import SE_PRIVILEGE
from ntos.abi.types import NTSTATUS, PVOID, ULONG
from ntos.exe import known_dlls, launch
from ntos.um import alpc, nt
from ntos.um.export import export
from ntos.um.ntdll import rtl_status
from ntos.um.thread import UserThread

SYSTEM_SESSION_CREATE = 47
CSRSS_IN_THE_REGISTRY = "%SystemRoot%\\system32\\csrss.exe"
CSRSS_ARGUMENTS = (
    "ObjectDirectory=\\Windows SharedSection=1024,20480,768 Windows=On SubSystemType=Windows ServerDll=basesrv,1 "
    "ServerDll=winsrv:UserServerDllInitialization,3 ServerDll=sxssrv,4 ProfileControl=Off MaxRequestThreads=16"
)
BASE_PRIORITY = 11
SESSIONS = 2
"""Sessions made at boot: 0 for services, 1 for the user at the console."""
STAND_IN = "0000009c 00000084"
"""A copy's arguments, as the handles of the real one look in a list of processes."""


@export
async def NtProcessStartup(thread: UserThread, Peb: PVOID) -> NTSTATUS:
    """The main copy, or, with arguments, the one that makes a session."""
    if len(launch.parameters(thread).CommandLine.text.split()) > 1:
        await make_session(thread)
    else:
        await manage(thread)
    return NTSTATUS(0)


async def manage(thread: UserThread) -> None:
    """Make the known DLLs and the sessions, then answer the subsystems that report here."""
    await launch.settle(thread, BASE_PRIORITY)
    await known_dlls.make(thread)
    with thread.frame() as frame:
        port = await alpc.create_port(thread, csr.SM_API_PORT, alpc.SYSTEM_ONLY)
        launch.event(thread, frame, csr.SESSION_READY)
        for _ in range(SESSIONS):
            copy = await launch.start(thread, "smss.exe", STAND_IN)
            nt.NtResumeThread(thread, copy.thread, 0)
            server = alpc.Server(thread, port, frame)
            await _until_ended(thread, server, copy)
        while True:
            await _answer(server)


async def _until_ended(thread: UserThread, server: alpc.Server, copy: launch.Child) -> None:
    """The copy's csrss reports here while the copy waits for it; one connection each."""
    await _answer(server)
    await nt.NtWaitForSingleObject(thread, copy.process, 0, 0)
    launch.close(thread, copy.thread, copy.process)


async def _answer(server: alpc.Server) -> None:
    request = await server.receive()
    if request.kind == lpc.LPC_CONNECTION_REQUEST:
        server.accept(request)


async def make_session(thread: UserThread) -> None:
    """One session: kernel data, csrss, first program."""
    with thread.frame() as frame:
        place = frame.new(ULONG)
        await rtl_status(thread, "RtlAdjustPrivilege", SE_PRIVILEGE.LOAD_DRIVER, 1, 0, place.address)
        nt.NtSetSystemInformation(thread, SYSTEM_SESSION_CREATE, place.address, 4)
        session = int(place.read())
        ready = launch.event(thread, frame, csr.SESSION_READY)
        csrss = await launch.start(thread, "csrss.exe", CSRSS_ARGUMENTS, called=CSRSS_IN_THE_REGISTRY)
        launch.resume(thread, csrss)
        await nt.NtWaitForSingleObject(thread, ready, 0, 0)
        first = await launch.start(thread, "winlogon.exe" if session else "wininit.exe")
        port, _ = await alpc.connect(thread, f"{csr.directory_of(session)}\\{csr.SB_API_PORT}")
        await alpc.call(thread, port, session.to_bytes(8, "little") + first.information)
        launch.resume(thread, first)
