"""Logging on as others: lsass.exe checks accounts, the Secondary Logon service starts programs in the caller's name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ntos.abi.registry import REG_DWORD
from ntos.cm.registry import Registry
from ntos.ke.process import Process
from ntos.machine import Machine
from ntos.ps.manager import ProcessManager
from ntos.se.account import Accounts
from ntos.se.token import primary_token
from tests.dll.compile import build_c, needs_compiler
from tests.guest.conftest import SAMPLES

RUNAS = "D:\\runas.exe"
HERE = Path(__file__).parent


@dataclass
class House:
    """A machine with three users more, and what its programs print."""

    machine: Machine
    output: int

    def run(self, arguments: Sequence[str], program: str = RUNAS) -> tuple[int | None, list[str]]:
        """Exit code and lines of a program."""
        process = self.machine.create_process(program, arguments)
        assert self.machine.run(timeout=100) == "finished"
        text = b""
        while True:
            try:
                text += os.read(self.output, 65536)
            except BlockingIOError:
                return process.exit_code, text.decode().splitlines()


@contextmanager
def _house(folder: Path) -> Iterator[House]:
    output, end = os.pipe()
    os.set_blocking(output, False)
    with Machine(drives={"D": folder}, stdout=end, stderr=end) as machine:
        machine.add_user("alice", "secret")
        machine.add_user("boss", "root", administrator=True)
        machine.add_user("keeper", "tape", groups=["Backup Operators"])
        machine.add_user("gone", "secret", enabled=False)
        machine.add_user("old", "secret", password_expired=True)
        machine.enable_user("Administrator", "master")
        yield House(machine, output)
    os.close(output)
    os.close(end)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """One machine for all tests that only look."""
    with _house(SAMPLES / "bin") as made:
        yield made


def _says(lines: list[str]) -> dict[str, str]:
    said = {}
    for line in lines:
        name, _, value = line.replace("=", ": ", 1).partition(": ")
        said[name] = value
    return said


@pytest.mark.parametrize(
    ("name", "password", "level", "elevation", "groups"),
    [
        ("alice", "secret", "Medium", "1", ["BUILTIN\\Users"]),
        ("boss", "root", "Medium", "3", ["BUILTIN\\Administrators (deny only)", "BUILTIN\\Users"]),
        ("keeper", "tape", "Medium", "3", ["BUILTIN\\Users", "BUILTIN\\Backup Operators (deny only)"]),
        ("Administrator", "master", "High", "1", ["BUILTIN\\Administrators", "BUILTIN\\Users"]),
    ],
)
def test_runas_gives_the_users_identity(
    house: House, name: str, password: str, level: str, elevation: str, groups: list[str]
) -> None:
    """CreateProcessWithLogonW: the child has the user's SID, groups, integrity, profile, in the caller's session."""
    code, lines = house.run([name, password, RUNAS])
    assert (code, lines[-1]) == (0, "exit code 7")
    said = _says(lines)
    assert said["user"].startswith(f"DESKTOP-NTOS\\{name} (S-1-5-21-")
    assert said["label"].startswith(f"Mandatory Label\\{level} ")
    assert said["elevation type"] == elevation
    assert [line[7:] for line in lines if line.startswith("group: ")] == groups
    assert (said["session"], said["USERNAME"]) == ("1", name if name != "Administrator" else "Default")


@pytest.mark.parametrize(
    ("name", "password", "error"),
    [("alice", "wrong", 1326), ("nobody", "x", 1326), ("gone", "secret", 1331), ("gone", "wrong", 1326),
     ("old", "secret", 1330), ("user", "", 1327)],
)  # fmt: skip
def test_runas_refuses(house: House, name: str, password: str, error: int) -> None:
    """Unknown users and wrong passwords look alike; a state of the account shows only to who knows the password."""
    assert house.run([name, password, RUNAS]) == (1, [f"error {error}"])


def test_net_only_keeps_the_local_identity(house: House) -> None:
    """LOGON_NETCREDENTIALS_ONLY checks no password: the child is the caller here, in a logon session of its own."""
    sessions: list[int] = []
    remember = _noting(house.machine, lambda process: sessions.append(primary_token(process).authentication_id))
    code, lines = house.run(["somebody", "elsewhere", RUNAS, "netonly"])
    remember()
    assert (code, lines[-1]) == (0, "exit code 7")
    assert _says(lines)["user"].startswith("DESKTOP-NTOS\\user ")
    assert len(set(sessions)) == 2


def test_the_child_is_the_callers(house: House) -> None:
    """The caller is the child's parent although the service in a svchost.exe of session 0 makes it."""
    made: list[tuple[int, int, int, bytes]] = []

    def note(process: Process) -> None:
        view, user = process.eprocess, primary_token(process).claims.user
        made.append((process.id, int(view.InheritedFromUniqueProcessId), int(view.OwnerProcessId), user))

    forget = _noting(house.machine, note)
    house.run(["alice", "secret", RUNAS])
    forget()
    (caller, *_), (_, parent, creator, user) = made
    kernel = house.machine.kernel
    maker, alice = kernel[ProcessManager].process_by_id(creator & ~3), kernel[Accounts].find("alice")
    assert parent == caller
    assert maker is not None
    assert maker.name == "svchost.exe"
    assert alice is not None
    assert user == alice.sid


def _noting(machine: Machine, note: Callable[[Process], None]) -> Callable[[], None]:
    """Call `note` with each new process until the answer is called."""
    routines = machine.kernel[ProcessManager].process_notify

    def routine(process: Process, began: bool) -> None:
        if began:
            note(process)

    routines.append(routine)
    return lambda: routines.remove(routine)


def test_a_disabled_service(tmp_path: Path) -> None:
    """ERROR_SERVICE_DISABLED (1058) where the Secondary Logon service may not be started."""
    output, end = os.pipe()
    os.set_blocking(output, False)
    with Machine(drives={"D": SAMPLES / "bin"}, stdout=end, stderr=end, system=False) as machine:
        machine.add_user("alice", "secret")
        key = r"MACHINE\SYSTEM\CurrentControlSet\Services\seclogon"
        machine.kernel[Registry].set(key, "Start", 4, REG_DWORD)
        machine.boot()
        assert House(machine, output).run(["alice", "secret", RUNAS]) == (1, ["error 1058"])


EXPECTED = """\
alice type 2: token type 1, elevation type 1
alice type 3: token type 2, elevation type 1
alice type 4: error 1385
alice type 5: error 1385
boss type 2: token type 1, elevation type 3
boss type 3: token type 2, elevation type 1
boss type 4: token type 1, elevation type 1
boss type 5: error 1385
alice type 2: error 1326
nobody type 2: error 1326
gone type 2: error 1331
old type 2: error 1330
user type 2: error 1327
alice type 42: error 1367
in the caller's job: 1
flags 4: 0 error 87
long line: 0 error 87
alice's token: error 1314
a token only to look at: error 1314
an impersonation token: error 1314
no token: error 87
a program that is not there: error 1314
"""
ELEVATED = """\
alice's token: exit code 7
a token only to look at: error 5
an impersonation token: error 1349
no token: error 87
a program that is not there: error 2
exit code 0
"""


@needs_compiler
def test_logon_types_and_tokens(tmp_path: Path) -> None:
    """LogonUser by type and account; CreateProcessWithToken wants SeImpersonatePrivilege and a token to give away."""
    build_c(tmp_path, (HERE / "logon.c").read_text(), "-ladvapi32")
    (tmp_path / "runas.exe").write_bytes((SAMPLES / "bin" / "runas.exe").read_bytes())
    with _house(tmp_path) as house:
        _, lines = house.run([], "D:\\program.exe")
        assert lines == EXPECTED.splitlines()
        _, lines = house.run(["Administrator", "master", "D:\\program.exe again"])
    assert [line for line in lines if "error" in line or "exit code" in line] == ELEVATED.splitlines()
    assert any(line.startswith("user: DESKTOP-NTOS\\alice ") for line in lines)
