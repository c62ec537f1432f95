"""What a process creation tells on its way: steps, decisions, what was made, the end.

Kernel and user mode take part in a creation, so the words are here, below both. Each costs a dictionary look-up
where nobody listens.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ntos.abi.status import STATUS, Denied, NtError, status_name
from ntos.etw.event import CreationDecision, CreationEnded, CreationObject, CreationStep, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ntos.etw.log import Log

WIN32_ERROR = 0xC007
"""A failure that has a Win32 number and no status of its own."""
RULES = {
    STATUS.INVALID_HANDLE: "a handle in the call must be open in the creator",
    STATUS.OBJECT_TYPE_MISMATCH: "a handle in the call must be to the right kind of object",
    STATUS.ACCESS_VIOLATION: "addresses in the call must be readable, and writable where an answer goes",
    STATUS.NO_MEMORY: "there must be memory for it",
    STATUS.COMMITMENT_LIMIT: "there must be memory for it",
}
"""Rules of refusals that come from so far below that they carry none."""
CREATION = (CreationStep, CreationDecision, CreationObject, CreationEnded)
"""All that `ntos explain create` listens for, besides what other parts tell anyhow."""


def step(log: Log, stage: int, routine: str, subject: int = 0, **details: Any) -> None:
    """A step begins."""
    if log.wants(CreationStep):
        event = CreationStep(stage=stage, routine=routine, subject=subject, details=details)
        log.emit(event)
        log.steps[event.thread] = event


def decided(log: Log, rule: str, outcome: str, inputs: Mapping[str, Any], flip: str = "") -> None:
    """A rule was applied and let the creation go on; `flip` would have turned it."""
    if log.wants(CreationDecision):
        log.emit(CreationDecision(rule=rule, outcome=outcome, inputs=dict(inputs), flip=flip))


def made(
    log: Log, kind: str, name: str, value: int, owner: int | None = 0, *, size: int = 0, access: int = 0,
    structure: str = "",
) -> None:  # fmt: skip
    """Something came into being; without an `owner`, in the process that runs now."""
    if log.wants(CreationObject):
        holder = log.where()[1] if owner is None else owner
        log.emit(CreationObject(0, 0, 0, kind, name, value, holder, size, access, structure))


@contextmanager
def ending(log: Log, routine: str, code_of: Callable[[NtError], int] | None = None) -> Iterator[CreationEnded]:
    """Tells how the call of `routine` came back. The block puts the new process's id into `subject`.

    A refusal that passes through learns how far the creation had come; `code_of` gives its Win32 number.
    """
    event = CreationEnded(routine=routine)
    try:
        yield event
    except NtError as error:
        if log.wants(CreationEnded):
            _refused(log, event, error)
            event.error = code_of(error) if code_of is not None else 0
            log.emit(event)
        raise
    if log.wants(CreationEnded):
        log.emit(event)


def _refused(log: Log, event: CreationEnded, error: NtError) -> None:
    because = error.because or Denied(RULES.get(error.status, status_name(error.status)))
    last = log.steps.get(log.where()[2])
    if last is not None and not because.stage:
        because = replace(because, stage=last.stage, routine=last.routine)
    error.because = because
    if error.status >> 16 != WIN32_ERROR:
        event.status, event.status_name = int(error.status), status_name(error.status)
    event.because = reason(because)


def reason(because: Denied | None) -> Reason | None:
    """A refusal as events carry it."""
    if because is None:
        return None
    inputs = {name: plain(value) for name, value in because.inputs.items()}
    return Reason(because.rule, inputs, because.flip, because.stage, because.routine)


def plain(value: object) -> Any:
    """A value JSON can hold."""
    return value if isinstance(value, str | int | float | bool | type(None) | list | dict) else str(value)
