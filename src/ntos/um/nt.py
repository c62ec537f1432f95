"""`nt.NtX(thread, raw arguments…)`: the system services, as user-mode Python calls them.

Arguments are what registers would hold: integers, handles, guest addresses. Error statuses are raised as `NtError`;
success, informational and warning statuses are returned. Services that can block give a coroutine: `await` it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.um.thread import UserThread


def __getattr__(name: str) -> Callable[..., Any]:
    if not name.startswith(("Nt", "Zw")):
        raise AttributeError(name)
    service = "Nt" + name[2:]

    def call(thread: UserThread, *arguments: int) -> Any:
        return thread.system_call(service, arguments)

    call.__name__ = name
    globals()[name] = call
    return call
