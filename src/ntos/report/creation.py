"""From events to accounts: each creation's steps, what was decided and made in them, what changed in memory.

A step lasts until the next one of its side begins: the creator's (stages 1 to 6) or the new process's own
(6 and 7). Structures are looked at when a step ends, so a change belongs to the step during which it came about.
"""

from __future__ import annotations

from itertools import groupby
from time import perf_counter_ns
from typing import TYPE_CHECKING, Final, Protocol

from ntos.abi.layout.csr import CSR_PROCESS, CSR_THREAD
from ntos.abi.layout.peb import PEB
from ntos.abi.layout.process import EPROCESS
from ntos.abi.layout.section import SECTION_IMAGE_INFORMATION
from ntos.abi.layout.teb import TEB
from ntos.abi.layout.thread import ETHREAD
from ntos.abi.layout.user import PEB_LDR_DATA, RTL_USER_PROCESS_PARAMETERS
from ntos.etw import event as events
from ntos.report import teach
from ntos.report.account import Account, Decision, Made, Module, Process, Refusal, Stage, Step, Structure
from ntos.report.changes import Watched
from ntos.report.errors import error_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ntos.abi.memory import Memory
    from ntos.etw.event import Event
    from ntos.etw.log import Log

LAYOUTS: Final = {
    kind.__name__: kind
    for kind in (
        EPROCESS, ETHREAD, PEB, TEB, PEB_LDR_DATA, RTL_USER_PROCESS_PARAMETERS, SECTION_IMAGE_INFORMATION,
        CSR_PROCESS, CSR_THREAD,
    )
}  # fmt: skip
BEGINS: Final = ("CreateProcessInternalW", "NtCreateUserProcess", "NtCreateProcessEx")
"""The calls that make a process, and begin an account."""
CHOSEN: Final = ("BasepCreateProcessParameters", "IoCreateFileEx")
"""By these steps it is known which file is started."""
OWN_STEPS: Final = 6
"""From this stage on steps may be the new process's own."""
INITIALISATION: Final = 7
CREATOR, CHILD = 0, 1
ENTRY: Final = "RtlUserThreadStart"
"""The last step: from here on the program runs."""


class Look(Protocol):
    """A way to see the memory of a process (0: the kernel's); None where it is gone."""

    def __call__(self, process: int) -> Memory | None: ...


class _Draft:
    """An account in the making."""

    def __init__(self, account: Account, routine: str) -> None:
        self.account = account
        self.routine = routine
        """The call that began it, and whose end ends it."""
        self.steps: list[tuple[int, Step]] = []
        self.current: list[Step | None] = [None, None]
        self.began = [0, 0]
        self.watched: list[Watched] = []
        self.initialized = 0

    @property
    def id(self) -> int:
        return self.account.process.id


class Recorder:
    """Listens to a machine's events and keeps an account of every creation.

    `names` are those of the processes that run already.
    """

    def __init__(self, log: Log, look: Look, names: Mapping[int, str]) -> None:
        self.accounts: list[Account] = []
        """In the order in which the creations began."""
        self._look = look
        self._open: dict[int, _Draft] = {}
        self._born: dict[int, _Draft] = {}
        self._helped: dict[int, _Draft] = {}
        """By thread: the creation that somebody else's thread, csrss's, last took part in."""
        self._names = dict(names)
        self._spent = 0
        self._drafts: list[_Draft] = []
        log.subscribe(
            self._hear, events.CreationStep, events.CreationDecision, events.CreationObject, events.CreationEnded,
            events.ProcessCreated, events.ProcessExited, events.ImageLoaded, events.Refused,
        )  # fmt: skip

    def finish(self) -> list[Account]:
        """Close what is still open; gives the accounts, children inside their creator's."""
        for draft in self._drafts:
            self._settle(draft)
        by_id = {draft.id: draft.account for draft in self._drafts if draft.id}
        for account in self.accounts:
            parent = by_id.get(account.creator.id)
            if parent is not None and parent is not account:
                parent.children.append(account)
        return self.accounts

    # ------------------------------------------------------------ events

    def _hear(self, event: Event) -> None:
        start = perf_counter_ns()
        match event:
            case events.CreationStep():
                self._step(event, start)
            case events.CreationDecision():
                self._decision(event)
            case events.CreationObject():
                self._made(event)
            case events.CreationEnded():
                self._ended(event, start)
            case events.ProcessCreated():
                self._names[event.id] = event.image.rpartition("\\")[2]
                self._born_as(event)
            case events.ProcessExited():
                if event.id in self._born:
                    self._born[event.id].account.exit_status = event.status
            case events.ImageLoaded():
                self._image(event)
            case events.Refused(name="LdrpInitializeProcess"):
                self._not_initialized(event)
        self._spent += perf_counter_ns() - start

    def _step(self, event: events.CreationStep, now: int) -> None:
        draft, side = self._of_step(event)
        if event.subject:
            draft.account.process.id = event.subject
            self._born[event.subject] = draft
        self._close(draft, side, now, event.time)
        if side == CHILD and draft not in self._open.values():
            self._close(draft, CREATOR, now, event.time)
        if event.stage == 1:
            draft.account.refusal = None  # a detour: what refused is got round
        routine, stage = event.routine, event.stage
        component = teach.component(routine, stage)
        step = Step(
            routine, component, "kernel" if component == "ntoskrnl" else "user", self._process(event.process),
            event.thread, teach.says(routine), event.time, details=event.details,
        )  # fmt: skip
        draft.steps.append((stage, step))
        draft.current[side] = step
        draft.began[side] = now - self._spent
        if routine == ENTRY:
            draft.account.entered = True
            self._close(draft, side, now, event.time)  # what comes now is the program's

    def _of_step(self, event: events.CreationStep) -> tuple[_Draft, int]:
        own = self._born.get(event.process)
        if own is not None and event.stage >= OWN_STEPS and event.thread not in self._open:
            return own, CHILD
        draft = self._open.get(event.thread)
        if draft is None and event.routine not in BEGINS and event.subject in self._born:
            draft = self._helped[event.thread] = self._born[event.subject]
            return draft, CREATOR  # csrss's part, or the thread its creator makes later
        if draft is None or self._begins(event.routine, draft):
            account = Account("", "", self._process(event.process), Process())
            draft = self._open[event.thread] = _Draft(account, event.routine)
            self._drafts.append(draft)
            self.accounts.append(account)
        return draft, CREATOR

    @staticmethod
    def _begins(routine: str, draft: _Draft) -> bool:
        """Whether a step is the first of another creation; CreateProcess itself calls NtCreateUserProcess."""
        return routine == BEGINS[0] or (routine in BEGINS and draft.routine != BEGINS[0])

    def _of(self, event: Event) -> tuple[_Draft, Step] | None:
        """The step during which an event happened."""
        draft, side = self._open.get(event.thread), CREATOR
        if draft is None:
            draft, side = self._born.get(event.process), CHILD
        if draft is None:
            draft, side = self._helped.get(event.thread), CREATOR
        step = draft.current[side] if draft is not None else None
        return (draft, step) if draft is not None and step is not None else None

    def _decision(self, event: events.CreationDecision) -> None:
        found = self._of(event)
        if found is not None:
            found[1].decisions.append(Decision(event.rule, event.outcome, event.inputs, event.flip))

    def _made(self, event: events.CreationObject) -> None:
        found = self._of(event)
        if found is None:
            return
        draft, step = found
        step.made.append(Made(event.kind, event.name, event.value, event.owner, event.size, event.access))
        layout = LAYOUTS.get(event.structure)
        if layout is not None:
            draft.watched.append(Watched(layout, event.value, event.owner))

    def _ended(self, event: events.CreationEnded, now: int) -> None:
        draft = self._open.get(event.thread)
        if draft is None:
            return
        account = draft.account
        if event.because is not None:
            refusal = account.refusal
            status, name = event.status, event.status_name
            if not status and refusal is not None:
                status, name = refusal.status, refusal.status_name
            because = event.because
            account.refusal = Refusal(because.rule, because.inputs, because.flip, because.stage, because.routine,
                                      status, name, event.error, error_name(event.error))  # fmt: skip
        if event.routine == draft.routine:
            self._close(draft, CREATOR, now, event.time)
            account.created = event.because is None
            del self._open[event.thread]

    def _born_as(self, event: events.ProcessCreated) -> None:
        draft = self._born.get(event.id)
        if draft is not None:
            draft.account.process.name = self._names[event.id]
            draft.account.program = event.image
            draft.account.command_line = event.command_line

    def _image(self, event: events.ImageLoaded) -> None:
        draft = self._born.get(event.process)
        if draft is not None:
            account = draft.account
            name = event.path.rpartition("\\")[2]
            account.modules.append(
                Module(name, event.path, event.base, event.size, event.source, event.importer, late=account.entered)
            )

    def _not_initialized(self, event: events.Refused) -> None:
        draft = self._born.get(event.process)
        if draft is not None:
            last = draft.current[CHILD]
            draft.account.refusal = Refusal(
                event.rule, event.inputs, event.flip, INITIALISATION, last.routine if last is not None else event.name,
                event.status, event.status_name,
            )  # fmt: skip

    def _process(self, identifier: int) -> Process:
        return Process(identifier, self._names.get(identifier, ""))

    # ------------------------------------------------------------ ends of steps

    def _close(self, draft: _Draft, side: int, now: int, time: int) -> None:
        """The step of one side is over: its times, and what it changed."""
        step = draft.current[side]
        if step is None:
            return
        draft.current[side] = None
        step.host_microseconds = round((now - self._spent - draft.began[side]) / 1000, 1)
        step.duration = time - step.time
        if step.routine == "LdrpCallInitRoutine":
            self._initialized(draft, str(step.details.get("module", "")))
        for watched in draft.watched:
            memory = self._look(watched.owner)
            changes = watched.changes(memory) if memory is not None else []
            if changes:
                step.structures.append(
                    Structure(watched.kind.__name__, watched.address, watched.owner, watched.is_new, changes)
                )
                watched.is_new = False
        draft.watched = [each for each in draft.watched if self._stays(draft, each, side)]

    def _stays(self, draft: _Draft, watched: Watched, side: int) -> bool:
        """The loader changes nothing of the kernel's; the creator's own copies are shown once."""
        if watched.owner == draft.account.creator.id and watched.owner:
            return watched.is_new
        return bool(watched.owner) or side == CREATOR

    @staticmethod
    def _initialized(draft: _Draft, path: str) -> None:
        draft.initialized += 1
        for module in draft.account.modules:
            if module.path == path:
                module.initialized = draft.initialized

    @staticmethod
    def _settle(draft: _Draft) -> None:
        """Stages out of steps, and the sums."""
        account = draft.account
        for number, group in groupby(draft.steps, key=lambda pair: pair[0]):
            steps = [step for _, step in group]
            account.stages.append(Stage(number, teach.STAGES.get(number, ""), steps))
        steps = [step for _, step in draft.steps]
        first = steps[0]
        account.virtual_time = max(step.time + step.duration for step in steps) - first.time
        account.host_microseconds = round(sum(step.host_microseconds for step in steps), 1)
        details = first.details
        account.command_line = account.command_line or str(details.get("lpCommandLine") or "")
        chosen = [step.details["path"] for step in steps if step.routine in CHOSEN]
        path = chosen[-1] if chosen else account.program or details.get("lpApplicationName") or ""
        account.program = str(path).removeprefix("\\??\\")
