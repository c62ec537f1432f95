"""Every service of win32k with bad pointers and bad handles made from its signature: an answer, and nothing left."""

from __future__ import annotations

import pytest

from ntos.abi.signature import Kind
from ntos.ke.service import registry
from ntos.ke.win32_service import Win32Door
from tests.ke.test_boundary import BAD_POINTERS, BLOCKED, NEVER_OPEN, Lab, is_pointer
from tests.win32k.test_process import gui

SERVICES = sorted(name for name, door in registry.items() if isinstance(door, Win32Door))
WAITS = {
    "NtUserGetMessage", "NtUserWaitMessage", "NtUserMsgWaitForMultipleObjectsEx", "NtUserWaitForInputIdle",
}  # fmt: skip


def check(lab: Lab, name: str, arguments: list[int], case: str) -> None:
    """Call three times; where the call failed, the later ones have left nothing behind."""
    door = registry[name]
    assert isinstance(door, Win32Door)
    lab.status(name, *arguments)
    before = lab.held()
    answers = [lab.status(name, *arguments) for _ in range(2)]
    assert BLOCKED not in answers or name in WAITS, f"{case}: blocked"
    failed = [each in (BLOCKED, door.fails) or (isinstance(each, int) and each >= 0xC000_0000) for each in answers]
    if all(failed):
        assert lab.held() == before, f"{case}: left behind"


@pytest.mark.parametrize("name", SERVICES)
def test_bad_arguments(lab: Lab, name: str) -> None:
    """Zeroes, pointers that lead nowhere, handles that mean nothing: win32k answers and goes on."""
    gui(lab)
    parameters = registry[name].signature.parameters
    check(lab, name, [0] * len(parameters), f"{name}, all zero")
    for index, parameter in enumerate(parameters):
        bad: dict[str, int] = {}
        if is_pointer(parameter):
            bad = {**BAD_POINTERS, "read-only": lab.read_only}
        elif parameter.kind is Kind.VALUE and parameter.type.__name__ == "HANDLE":
            bad = {"never open": NEVER_OPEN, "closed": lab.closed, "an event": lab.handles["EventHandle"]}
        for what, value in bad.items():
            arguments = [lab.sound(other) for other in parameters]
            arguments[index] = value
            check(lab, name, arguments, f"{name}, {parameter.name} {what}")
