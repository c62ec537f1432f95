"""How CreateProcess refuses: a Win32 error with the rule behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.status import Denied
from ntos.um.export import WinError

if TYPE_CHECKING:
    from collections.abc import Mapping


def refusal(code: int, rule: str, inputs: Mapping[str, object] | None = None, flip: str = "") -> WinError:
    """The error, to be raised: which rule, what it looked at, and the smallest change that would flip it."""
    return WinError(code, Denied(rule, inputs or {}, flip))
