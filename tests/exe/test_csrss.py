"""csrss and its clients: what it keeps of whom, from when to when (Windows Internals, 7th edition, chapter 3)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ntos import ob
from ntos.abi.layout.csr import CSR_NT_SESSION, CSR_PROCESS, CSR_THREAD
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.se import SE_PRIVILEGE
from ntos.abi.status import STATUS, NtError
from ntos.dll.csrsrv.clients import HASH_BUCKETS, Clients
from ntos.etw.event import CreationStep, Event, ProcessExited, ServiceCalled
from ntos.ex.handle import HandleTable
from ntos.ke.process import Process
from ntos.ke.service import registry
from ntos.lpc.exception_port import set_exception_port
from ntos.lpc.port import Port
from ntos.machine import Machine
from ntos.ob.manager import BODY
from ntos.ps.exit import end_later
from ntos.ps.manager import ProcessManager
from ntos.se.token import primary_token
from tests.dll.compile import build_c, needs_compiler
from tests.exe.conftest import MEMORY, TIMEOUT

SOURCE = Path(__file__).with_name("client.c")
SYSTEM_SESSION_CREATE = 47
SHUTDOWN_LEVEL = 0x280
SESSION = 1

Known = dict[int, set[int]]
"""Thread ids by process id."""


def csrss(machine: Machine, session: int = SESSION) -> Process:
    """The subsystem's process of a session."""
    return next(each for each in machine.processes()
                if each.name == "csrss.exe" and primary_token(each).session == session)  # fmt: skip


def clients(machine: Machine, session: int = SESSION) -> list[CSR_PROCESS]:
    """CsrRootProcess's list, read from csrss's own memory."""
    server = csrss(machine, session)
    root = CSR_PROCESS(server.memory, server.user_state.part(Clients).root)
    offset = CSR_PROCESS.offset("ListLink")
    return [CSR_PROCESS(server.memory, entry - offset) for entry in root.ListLink.iterate()]


def threads_of(client: CSR_PROCESS) -> list[CSR_THREAD]:
    """The CSR_THREADs of a client."""
    offset = CSR_THREAD.offset("Link")
    return [CSR_THREAD(client.memory, entry - offset) for entry in client.ThreadList.iterate()]


def known(machine: Machine, session: int = SESSION) -> Known:
    """Whom csrss knows."""
    return {
        int(each.ClientId.UniqueProcess): {int(one.ClientId.UniqueThread) for one in threads_of(each)}
        for each in clients(machine, session)
    }


def there(machine: Machine, session: int = SESSION) -> Known:
    """Who is there: the processes and threads of a session, but csrss itself."""
    return {
        process.id: {thread.id for thread in process.threads}
        for process in machine.processes()
        if process.threads and process.eprocess.ProcessInSession and primary_token(process).session == session
        and process.name != "csrss.exe"
    }  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the client is built."""
    made = tmp_path_factory.mktemp("client")
    build_c(made, SOURCE.read_text(), "-lntdll")
    return made


@pytest.fixture
def built(folder: Path) -> Iterator[tuple[Machine, Path]]:
    """A machine with the client on D:, and the file its output goes to."""
    with tempfile.NamedTemporaryFile() as out, Machine(
        memory=MEMORY, drives={"D": folder}, stdout=out.fileno(), stderr=out.fileno()
    ) as machine:  # fmt: skip
        yield machine, Path(out.name)


@pytest.mark.parametrize("session", [0, SESSION])
def test_csrss_knows_its_session(booted: Machine, session: int) -> None:
    """After boot csrss has a CSR_PROCESS and CSR_THREADs of every process of its session, and of no other."""
    assert known(booted, session) == there(booted, session)
    assert known(booted, session)


@needs_compiler
def test_structures_of_a_tree(built: tuple[Machine, Path]) -> None:
    """Threads made by CreateThread and CreateRemoteThread and children made by CreateProcess each have their
    structure while they live; the lists, hash table, handles and numbers in it agree.
    """
    machine, _ = built
    program = machine.create_process("D:\\program.exe", ["tree"])
    assert machine.run(timeout=TIMEOUT) == "deadlock"
    alive = there(machine)
    assert known(machine) == alive
    counts = sorted(len(threads) for number, threads in alive.items() if number >= program.id)
    assert counts == [2, 3]
    server, table = csrss(machine), csrss(machine)[HandleTable]
    for client in clients(machine):
        _check_client(server, table, client)
    assert [int(each.SequenceNumber) for each in clients(machine)] == sorted(
        int(each.SequenceNumber) for each in clients(machine)
    )
    session = CSR_NT_SESSION(server.memory, int(clients(machine)[0].NtSession))
    assert int(session.ReferenceCount) == 1 + len(alive)
    hashed = {entry for bucket in range(HASH_BUCKETS) for entry in LIST_ENTRY(
        server.memory, server.user_state.part(Clients).hash + LIST_ENTRY.size * bucket).iterate()}  # fmt: skip
    assert len(hashed) == sum(map(len, alive.values()))


def _check_client(server: Process, table: HandleTable, client: CSR_PROCESS) -> None:
    process = _object(server, table, int(client.ProcessHandle))
    assert process.id == int(client.ClientId.UniqueProcess)
    assert isinstance(_object(server, table, int(client.ClientPort)), Port)
    assert int(client.ShutdownLevel) == SHUTDOWN_LEVEL
    for thread in threads_of(client):
        assert int(thread.Process) == client.address
        assert _object(server, table, int(thread.ThreadHandle)).id == int(thread.ClientId.UniqueThread)
    assert isinstance(ob.at_address(server.kernel, int(process.eprocess.ExceptionPortData)), Port)


def _object(server: Process, table: HandleTable, handle: int) -> Any:
    entry = table.lookup(handle)
    assert entry is not None
    return ob.at_address(server.kernel, entry.header + BODY)


@needs_compiler
def test_what_is_terminated_is_forgotten(built: tuple[Machine, Path]) -> None:
    """The exception port tells csrss of the end of whoever is killed: its structures go, and every handle."""
    machine, _ = built
    before, handles = known(machine), csrss(machine)[HandleTable].count
    program = machine.create_process("D:\\program.exe", ["tree"])
    assert machine.run(timeout=TIMEOUT) == "deadlock"
    child = max(known(machine))
    for number in (child, program.id):
        process = machine.kernel[ProcessManager].process_by_id(number)
        assert process is not None
        end_later(process, 9)
        machine.run(timeout=TIMEOUT)
        assert number not in known(machine)
    assert known(machine) == before
    assert csrss(machine)[HandleTable].count == handles


def test_a_process_that_dies_before_it_connects(machine: Machine) -> None:
    """A program whose DLL is missing ends before kernelbase connects it; csrss forgets it all the same."""
    before, handles = known(machine), csrss(machine)[HandleTable].count
    program = machine.create_process("D:\\missing_import.exe")
    assert program.id in known(machine)
    assert machine.run(timeout=TIMEOUT) == "finished"
    assert program.exit_code == int(STATUS.DLL_NOT_FOUND)
    assert known(machine) == before
    assert csrss(machine)[HandleTable].count == handles


def test_fifty_children_leave_no_handles(machine: Machine) -> None:
    """What csrss held of a client it closes: fifty children later it has as many handles as before."""
    before, handles = known(machine), csrss(machine)[HandleTable].count
    machine.create_process("D:\\parent.exe", ["50"])
    assert machine.run(timeout=TIMEOUT) == "finished"
    assert known(machine) == before
    assert csrss(machine)[HandleTable].count == handles


def test_native_children_are_unknown(machine: Machine) -> None:
    """RtlCreateUserProcess and NtCreateProcessEx tell csrss nothing: the child is refused at ApiPort, yet runs."""
    met: dict[int, bool] = {}

    def note(event: Event) -> None:
        if isinstance(event, ProcessExited):
            met[event.id] = event.id in known(machine)

    machine.log.subscribe(note)
    program = machine.create_process("D:\\native.exe")
    assert machine.run(timeout=TIMEOUT) == "finished"
    assert program.exit_code == 0
    assert met.pop(program.id)
    assert met
    assert not any(met.values())


def test_a_client_killed_while_csrss_answers(machine: Machine) -> None:
    """A creator that is killed in the middle of its call leaves csrss as it was: the next program is served."""
    program = machine.create_process("D:\\parent.exe", ["1"])
    killed: list[int] = []

    def kill(event: Event) -> None:
        assert isinstance(event, CreationStep)
        if event.routine == "BaseSrvCreateProcess2" and not killed:
            killed.append(program.id)
            end_later(program.kernel_process, 9)

    machine.log.subscribe(kill, CreationStep)
    machine.run(timeout=TIMEOUT)
    assert killed
    assert program.exit_code == 9
    assert program.id not in known(machine)
    later = machine.create_process("D:\\child.exe", ["5"])
    assert later.id in known(machine)
    machine.run(timeout=TIMEOUT)
    assert later.exit_code is not None
    assert later.id not in known(machine)


@needs_compiler
def test_the_systems_ports_are_the_systems(built: tuple[Machine, Path]) -> None:
    r"""Only LocalSystem may connect to \SmApiPort and SbApiPort; ApiPort lets nobody connect a second time."""
    machine, out = built
    reasons: list[str] = []

    def note(event: Event) -> None:
        if isinstance(event, ServiceCalled) and event.because is not None:
            reasons.append(event.because.rule)

    machine.log.subscribe(note, ServiceCalled)
    machine.create_process("D:\\program.exe", ["ports"])
    assert machine.run(timeout=TIMEOUT) == "finished"
    assert out.read_text().split() == [
        "\\SmApiPort", "0xc0000022", "\\Sessions\\1\\Windows\\SbApiPort", "0xc0000022",
        "\\Sessions\\1\\Windows\\ApiPort", "0xc0000041",
    ]  # fmt: skip
    assert reasons == ["no entry of the DACL grants it"] * 2


@needs_compiler
def test_what_a_user_may_not(built: tuple[Machine, Path]) -> None:
    """Sessions want SeLoadDriverPrivilege, exception ports SeTcbPrivilege, critical processes SeDebugPrivilege."""
    machine, out = built
    machine.create_process("D:\\program.exe", ["rules"])
    assert machine.run(timeout=TIMEOUT) == "finished"
    assert out.read_text().splitlines() == [
        "session 0xc0000061", "port 0xc0000061", "critical 0xc0000061", "unless checked 0xc0000001",
    ]  # fmt: skip


def test_an_exception_port_is_for_life(booted: Machine) -> None:
    """A process has one exception port: a second one is PORT_ALREADY_SET."""
    server = csrss(booted)
    client = next(each for each in booted.processes() if each.id in known(booted))
    port = ob.at_address(booted.kernel, int(client.eprocess.ExceptionPortData))
    assert isinstance(port, Port)
    with pytest.raises(NtError) as refused:
        set_exception_port(client, port)
    assert refused.value.status is STATUS.PORT_ALREADY_SET
    assert refused.value.because is not None
    own = _object(server, server[HandleTable], int(clients(booted)[0].ClientPort))
    assert isinstance(own, Port)
    with pytest.raises(NtError) as refused:
        set_exception_port(server, own)
    assert refused.value.status is STATUS.INVALID_PORT_HANDLE


def test_a_process_is_in_one_session(machine: Machine) -> None:
    """SystemSessionCreate wants SeLoadDriverPrivilege, and a process that has no session yet (MmSessionCreate)."""
    process = next(each for each in machine.processes() if each.name == "wininit.exe")
    thread, token = process.threads[0], primary_token(process)
    place = int(thread.context.rsp) - 0x100
    bit, claims = 1 << SE_PRIVILEGE.LOAD_DRIVER, token.claims
    for enabled, status in (
        (claims.enabled & ~bit, STATUS.PRIVILEGE_NOT_HELD),
        (claims.enabled | bit, STATUS.ALREADY_COMMITTED),
    ):
        token.set_privileges(claims.present, enabled)
        with pytest.raises(NtError) as refused:
            registry["NtSetSystemInformation"].invoke(thread, (SYSTEM_SESSION_CREATE, place, 4))
        assert refused.value.status is status
        assert refused.value.because is not None
