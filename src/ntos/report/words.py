"""Values as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ntos.report.account import Account, Change, Process, Structure

SMALL = 10
NOISE = ("VirtualSize", "CommitCharge", "PrivatePages", "Vm.Instance.", "VadCount", "VadRoot", "Spare", "Fill",
         "WaitBlock[")  # fmt: skip
"""Parts of names of fields that change with every page or wait."""
WORD = 0xFFFF_FFFF_FFFF_FFFF


def value(what: Any) -> str:
    """A number in hexadecimal unless it is small, a text in quotes."""
    if isinstance(what, bool) or what is None:
        return {True: "yes", False: "no", None: "none"}[what]
    if isinstance(what, int):
        return str(what) if -SMALL < what < SMALL else f"0x{what & WORD:X}"
    if isinstance(what, list):
        return ", ".join(str(each) for each in what) or "none"
    return str(what)


def microseconds(time: float) -> str:
    """A host time."""
    return f"{time / 1000:.1f} ms" if time >= 1000 else f"{time:.0f} µs"


def virtual(time: int) -> str:
    """A virtual time, given in units of 100 ns."""
    return f"{time / 10:.0f} µs" if time < 10_000 else f"{time / 10_000:.1f} ms"


def process(who: Process) -> str:
    """Name and id."""
    if not who.id and not who.name:
        return "the machine"
    return f"{who.name} ({who.id})" if who.name else f"process {who.id}"


def inputs(named: dict[str, Any]) -> str:
    """What a rule looked at, on one line."""
    return ", ".join(f"{name} {value(what)}" for name, what in named.items())


def change(each: Change, *, is_new: bool) -> str:
    """Before and after; of a structure that is new, what a field is."""
    meaning = f"  {each.meaning}" if each.meaning else ""
    return f"{'=' if is_new else f'{value(each.before)} →'} {value(each.after)}{meaning}"


def telling(structure: Structure) -> list[Change]:
    """The changes that say something: no counters of pages, no list that was there before, no array's elements."""
    return [each for each in structure.changes if not _is_noise(each)]


def _is_noise(each: Change) -> bool:
    if each.type == "LIST_ENTRY":
        return each.before != "empty"
    if each.before == each.after:
        return True  # another buffer with the same text
    return each.name.endswith("]") or any(word in each.name for word in NOISE)


def title(account: Account) -> str:
    """What was to be started."""
    return account.program or account.command_line or "a process"


def outcome(account: Account) -> str:
    """One sentence: what came of it."""
    refusal = account.refusal
    if refusal is not None:
        names = " / ".join(filter(None, (refusal.status_name, _error(refusal.error_name, refusal.error))))
        how = "refused" if not account.created else "created, and ended before its entry point"
        return f"{how} in stage {refusal.stage} ({refusal.routine})" + (f": {names}" if names else "")
    if not account.created:
        return "not finished"
    if not account.entered:
        return "created; its first thread did not come to the entry point"
    code = account.exit_status
    ended = "" if code is None else f", exited with {code if code < 0x10000 else f'0x{code:08X}'}"
    return f"created as {process(account.process)}{ended}"


def _error(name: str, code: int) -> str:
    return f"{name} ({code})" if name else f"error {code}" if code else ""
