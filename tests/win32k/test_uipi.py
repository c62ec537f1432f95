"""User interface privilege isolation: messages between processes of different integrity."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ntos.machine import Machine
from ntos.rtl import sid as sids
from ntos.se.token import primary_token
from tests.ke.test_boundary import Lab
from tests.win32k.conftest import end
from tests.win32k.test_queue import WM_USER, peek, window

WM_NULL = 0
ALLOW, RESET = 1, 0
ERROR_ACCESS_DENIED = 5


@pytest.fixture
def low(machine: Machine, lab: Lab) -> Iterator[Lab]:
    """A second process, of Low integrity."""
    made = Lab(machine)
    primary_token(made.process).set_integrity(sids.LOW_LABEL)
    yield made
    end(made)


def test_messages_do_not_go_up(lab: Lab, low: Lab) -> None:
    """PostMessage to a window of higher integrity fails with ERROR_ACCESS_DENIED, and says which rule it was."""
    target = window(lab)
    assert low.status("NtUserPostMessage", target, WM_USER, 0, 0) == 0
    assert int(low.thread.teb.LastErrorValue) == ERROR_ACCESS_DENIED
    assert low.thread.refusal is not None
    assert "integrity" in low.thread.refusal.rule
    assert low.status("NtUserPostThreadMessage", lab.thread.id, WM_USER, 0, 0) == 0
    assert low.status("NtUserPostMessage", 0xFFFF, WM_USER, 0, 0) == 1
    assert peek(lab) is None


def test_some_pass(lab: Lab, low: Lab) -> None:
    """WM_NULL and its like do no harm; a window may let others pass, and stop it."""
    target = window(lab)
    assert low.status("NtUserPostMessage", target, WM_NULL, 0, 0) == 1
    assert lab.status("NtUserChangeWindowMessageFilterEx", target, WM_USER, ALLOW, 0) == 1
    assert low.status("NtUserPostMessage", target, WM_USER, 4, 0) == 1
    assert [peek(lab), peek(lab)] == [(target, WM_NULL, 0), (target, WM_USER, 4)]
    assert lab.status("NtUserChangeWindowMessageFilterEx", target, 0, RESET, 0) == 1
    assert low.status("NtUserPostMessage", target, WM_USER, 0, 0) == 0
    assert low.status("NtUserChangeWindowMessageFilterEx", target, WM_USER, ALLOW, 0) == 0


def test_messages_go_down(lab: Lab, low: Lab) -> None:
    """From Medium to Low nothing is held back."""
    target = window(low)
    assert lab.status("NtUserPostMessage", target, WM_USER, 1, 0) == 1
    assert peek(low) == (target, WM_USER, 1)
