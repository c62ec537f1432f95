"""An account for a terminal, or for a pipe: the same lines, with colours where there is a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ntos.report import words

if TYPE_CHECKING:
    from ntos.report.account import Account, Document, Made, Stage, Step, Structure

PLAIN_WIDTH: Final = 132
SHOWN: Final = 8
"""Fields of one structure in a step, unless all are wanted."""


def show(document: Document, out: TextIO, *, full: bool = False, children: bool = False) -> None:
    """Print the account."""
    console = Console(file=out, highlight=False, width=None if out.isatty() else PLAIN_WIDTH, soft_wrap=True)
    _Printer(console, full=full, children=children).account(document.account)
    if document.reason not in ("finished", "entry"):
        console.print(Text(f"The machine stopped: {document.reason}.", "yellow"))


class _Printer:
    def __init__(self, console: Console, *, full: bool, children: bool) -> None:
        self._console = console
        self._full = full
        self._children = children
        self._said: set[str] = set()

    def _line(self, text: str, style: str = "", indent: int = 0) -> None:
        self._console.print(Text(" " * indent + text, style))

    def account(self, account: Account) -> None:
        """One creation, and what its process created."""
        self._line(f"{words.title(account)}: {words.outcome(account)}", "bold")
        line = f" with: {account.command_line}" if account.command_line else ""
        self._line(f"created by {words.process(account.creator)}{line}")
        times = words.microseconds(account.host_microseconds), words.virtual(account.virtual_time)
        self._line(f"{times[0]} of host time, {times[1]} of the machine's own", "dim")
        for stage in account.stages:
            self._stage(stage)
        if account.refusal is not None:
            self._refusal(account)
        if account.modules:
            self._modules(account)
        self._offspring(account)

    def _stage(self, stage: Stage) -> None:
        time = words.microseconds(sum(step.host_microseconds for step in stage.steps))
        self._line("")
        self._line(f"Stage {stage.number}: {stage.title}  ({time})", "bold cyan")
        who = ""
        for step in stage.steps:
            context = f"{words.process(step.process)}, {step.mode} mode"
            if context != who:
                who = context
                self._line(f"in {who}", "dim", 2)
            self._step(step)

    def _step(self, step: Step) -> None:
        title = Text.assemble((f"  {step.component}!", "dim"))
        title.append(step.routine, "bold")
        title.append(f"  {words.microseconds(step.host_microseconds)}", "dim")
        self._console.print(title)
        if step.says and step.routine not in self._said:
            self._said.add(step.routine)
            for line in Text(step.says, "italic").wrap(self._console, min(self._console.width, 110) - 6):
                line.rstrip()
                self._console.print(Text("      ").append_text(line))
        for name, what in step.details.items():
            if what not in (None, ""):
                self._line(f"{name} = {words.value(what)}", indent=6)
        for decision in step.decisions:
            self._line(f"? {decision.rule}: {decision.outcome}", "green", 6)
            if decision.inputs:
                self._line(f"looked at {words.inputs(decision.inputs)}", "dim", 8)
            if decision.flip:
                self._line(f"what would flip it: {decision.flip}", "dim", 8)
        for made in step.made:
            if made.kind != "structure":
                self._line(_made(made), "yellow", 6)
        for structure in step.structures:
            self._structure(structure)

    def _structure(self, structure: Structure) -> None:
        changes = structure.changes if self._full else words.telling(structure)
        if not changes:
            return
        where = f"process {structure.owner}" if structure.owner else "the kernel"
        new = " (new)" if structure.is_new else ""
        self._line(f"{structure.name} at 0x{structure.address:X} in {where}{new}", "magenta", 6)
        shown = changes if self._full else changes[:SHOWN]
        width = max(len(each.name) for each in shown)
        for each in shown:
            what = words.change(each, is_new=structure.is_new)
            self._line(f"+0x{each.offset:03x} {each.name:{width}}  {what}", indent=8)
        left = len(structure.changes) - len(shown)
        if left:
            self._line(f"… {left} more (--full)", "dim", 8)

    def _refusal(self, account: Account) -> None:
        refusal = account.refusal
        assert refusal is not None
        self._line("")
        self._line(f"Refused by the rule: {refusal.rule}", "bold red")
        for name, what in refusal.inputs.items():
            if isinstance(what, list):
                self._line(f"{name}:", indent=2)
                for each in what:
                    self._line(str(each), indent=4)
            else:
                self._line(f"{name} = {words.value(what)}", indent=2)
        if refusal.flip:
            self._line(f"What would flip it: {refusal.flip}", "green", 2)

    def _modules(self, account: Account) -> None:
        self._line("")
        self._line("Modules, as they were loaded", "bold cyan")
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for title in ("  module", "base", "found by", "needed by", "init"):
            table.add_column(title, overflow="fold", header_style="dim")
        for module in account.modules:
            order = str(module.initialized) if module.initialized else "late" if module.late else ""
            table.add_row(f"  {module.name}", f"0x{module.base:X}", module.rule, module.importer, order)
        self._console.print(table, soft_wrap=False)

    def _offspring(self, account: Account) -> None:
        if not account.children:
            return
        self._line("")
        self._line(f"{account.process.name} itself called CreateProcess {len(account.children)} times", "bold cyan")
        for child in account.children:
            if self._children:
                self._line("")
                self.account(child)
            else:
                self._summary(child)

    def _summary(self, account: Account, indent: int = 2) -> None:
        self._line(f"{account.command_line or words.title(account)}: {words.outcome(account)}", indent=indent)
        refusal = account.refusal
        if refusal is not None:
            flip = f"; what would flip it: {refusal.flip}" if refusal.flip else ""
            self._line(f"rule: {refusal.rule}{flip}", "red", indent + 2)
        for child in account.children:
            self._summary(child, indent + 2)


def _made(made: Made) -> str:
    where = f" in process {made.owner}" if made.owner else ""
    at = f"0x{made.value:X}"
    if made.kind == "handle":
        access = f", access 0x{made.access:X}" if made.access else ""
        return f"+ handle {at}{where}: {made.name}{access}"
    size = f", 0x{made.size:X} bytes" if made.size else ""
    return f"+ {made.kind} {made.name} at {at}{where}{size}"
