"""The DLL search order as data: every rule that was asked and every place that was tried, in order.

The order is the live loader's (`dll/ntdll/ldr/search.py`) and Microsoft's ("Dynamic-link library search
order"): API sets, DLL redirection (.local), side-by-side, loaded modules, KnownDLLs, then directories, which
the importer's DependentLoadFlags may replace.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ntos.deps.sxs import Context
from ntos.deps.windows import Files, Folder, Located, Windows
from ntos.rtl.path import PathType, path_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DLL_LOAD_DIR: Final = 0x100
APPLICATION_DIR: Final = 0x200
USER_DIRS: Final = 0x400
SYSTEM32: Final = 0x800
DEFAULT_DIRS: Final = 0x1000
SEARCH_FLAGS: Final = 0x1F00

API_SET: Final = "API set"
LOCAL: Final = "DLL redirection (.local)"
SIDE_BY_SIDE: Final = "side-by-side manifest"
LOADED: Final = "loaded modules"
KNOWN: Final = "KnownDLLs"
APPLICATION: Final = "application directory"
SYSTEM32_RULE: Final = "System32 directory"
CURRENT: Final = "current directory"
FULL_PATH: Final = "full path"


class Outcome(enum.StrEnum):
    """What became of one step."""

    TAKEN = "taken"
    NOT_THERE = "not there"
    PASSED = "does not apply"
    RENAMED = "changes the name"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that was asked, or one place that was tried."""

    rule: str
    place: str
    outcome: Outcome
    detail: str = ""
    folder: Folder | None = None
    member: str = ""


class Result(enum.StrEnum):
    """How a search ended."""

    FOUND = "found"
    LOADED = "already loaded"
    NOT_FOUND = "STATUS_DLL_NOT_FOUND"
    NOT_HOSTED = "STATUS_APISET_NOT_HOSTED"


@dataclass(slots=True)
class Decision:
    """One name that one module needs, and how it was decided."""

    name: str
    importer: str
    flags: int = 0
    resolved: str = ""
    result: Result = Result.NOT_FOUND
    rule: str = ""
    located: Located | None = None
    steps: list[Step] = field(default_factory=list)

    def note(self, rule: str, place: str, outcome: Outcome, detail: str = "") -> None:
        """Remember a step that is no directory."""
        self.steps.append(Step(rule, place, outcome, detail))

    def take(self, rule: str, located: Located, detail: str = "", *, result: Result = Result.FOUND) -> None:
        """The search ends here."""
        self.note(rule, located.path, Outcome.TAKEN, detail or located.note)
        self.result, self.rule, self.located = result, rule, located


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment of a start decides."""

    safe_search: bool = True
    current: Folder | None = None
    path: tuple[Folder, ...] = ()
    """Directories before those of a fresh machine's PATH."""


@dataclass(slots=True)
class Searcher:
    """The search of one program: its directory, its redirections, its settings."""

    files: Files
    windows: Windows
    program: Path
    machine: int
    settings: Settings
    context: Context
    has_manifest: bool = False
    loaded: Callable[[str], Located | None] = lambda _: None
    """The loaded module of that base name or path."""
    ignored: frozenset[str] = frozenset()
    """Paths that count as absent: for the question "what if it were not there"."""

    def search(self, name: str, importer: str, *, flags: int = 0, context: Context | None = None) -> Decision:
        """Decide one name, as `importer` (a base name) asks for it."""
        decision = Decision(name, importer, flags & SEARCH_FLAGS)
        clean = name.replace("/", "\\").rstrip(" ")
        if self._api_set(decision, clean):
            return decision
        decision.resolved = resolved = with_extension(clean)
        bare = "\\" not in resolved and ":" not in resolved
        if self._redirected(decision, resolved, context or self.context):
            return decision
        loaded = self.loaded(resolved)
        if loaded is not None:
            decision.take(LOADED, loaded, result=Result.LOADED)
            return decision
        decision.note(LOADED, resolved, Outcome.NOT_THERE, "no loaded module has the name")
        if bare and self._known(decision, resolved):
            return decision
        if path_type(resolved) is not PathType.RELATIVE:
            self._full_path(decision, resolved)
            return decision
        for rule, folder in self.directories(decision):
            if self._try(decision, rule, folder, resolved):
                break
        return decision

    # ------------------------------------------------------------------------------------------------ rules

    def _api_set(self, decision: Decision, name: str) -> bool:
        """Apply the schema; True when that ends the search."""
        if "\\" in name or name[:4].lower() not in {"api-", "ext-"}:
            decision.note(API_SET, name, Outcome.PASSED, "the name does not begin with api- or ext-")
            return False
        host, exception = self.windows.contract(name, decision.importer)
        if host is None:
            decision.note(API_SET, name, Outcome.PASSED, "no such contract in the schema: an ordinary name")
            return False
        decision.resolved = host or name
        if not host:
            decision.note(API_SET, name, Outcome.REFUSED, "the contract has no host on this edition")
            decision.result, decision.rule = Result.NOT_HOSTED, API_SET
            return True
        because = f"exception for importer {decision.importer}" if exception else "default host"
        decision.note(API_SET, name, Outcome.RENAMED, f"to {host} in System32 ({because})")
        folder = self.windows.system32(self.machine)
        loaded = self.loaded(host)
        if loaded is not None:
            decision.take(LOADED, loaded, result=Result.LOADED)
            return True
        if not self._known(decision, host):
            self._try(decision, SYSTEM32_RULE, folder, host)
        return True

    def _redirected(self, decision: Decision, name: str, context: Context) -> bool:
        return self._local(decision, name) or self._side_by_side(decision, name, context)

    def _local(self, decision: Decision, name: str) -> bool:
        """`program.exe.local`, a directory or a file."""
        base = name.rpartition("\\")[2]
        folder = self.program.parent
        local = self.files.find(folder, self.program.name + ".local")
        if local is None:
            decision.note(LOCAL, f"{self.program}.local", Outcome.PASSED, "there is none")
            return False
        if self.has_manifest:
            because = "ignored: the program has a manifest (DevOverrideEnable off)"
            decision.note(LOCAL, str(local), Outcome.PASSED, because)
            return False
        if self.windows.is_known_dll(base):
            decision.note(LOCAL, str(local), Outcome.PASSED, "KnownDLLs are not redirected")
            return False
        place = local if local.is_dir() else folder
        return self._try(decision, LOCAL, Folder(str(place), place), base)

    def _side_by_side(self, decision: Decision, name: str, context: Context) -> bool:
        if "\\" in name:
            decision.note(SIDE_BY_SIDE, name, Outcome.PASSED, "only bare names are redirected")
            return False
        if not context.source:
            decision.note(SIDE_BY_SIDE, name, Outcome.PASSED, context.problem or "no manifest applies")
            return False
        for probe in context.probes:
            outcome = Outcome.TAKEN if probe.found else Outcome.NOT_THERE
            detail = f"assembly {probe.assembly}"
            if not probe.member:
                detail = f"WinSxS is consulted for {detail}"
            decision.steps.append(Step(SIDE_BY_SIDE, probe.place, outcome, detail, probe.folder, probe.member))
        claim = context.redirections.get(name.lower())
        if claim is None:
            decision.note(SIDE_BY_SIDE, context.source, Outcome.PASSED, "no assembly of the manifest has the file")
            return False
        decision.take(SIDE_BY_SIDE, claim.located, f"{claim.store}: {claim.assembly}")
        if claim.located.host is None and claim.store != "WinSxS":
            decision.note(SIDE_BY_SIDE, claim.located.path, Outcome.REFUSED, "the manifest names it; it is not there")
            decision.result, decision.located = Result.NOT_FOUND, None
        return True

    def _known(self, decision: Decision, name: str) -> bool:
        folder = self.windows.system32(self.machine)
        if self.windows.is_known_dll(name):
            located = self._find(folder, name)
            if located is not None:
                decision.take(KNOWN, located)
                return True
            decision.note(KNOWN, folder.below(name), Outcome.NOT_THERE, "listed, but this Windows has no such file")
            return False
        decision.note(KNOWN, name, Outcome.NOT_THERE, "not in the list")
        return False

    def _full_path(self, decision: Decision, name: str) -> None:
        r"""A name with its own directory: only paths below `C:\Windows` can be known here."""
        root = "c:\\windows\\"
        if name.lower().startswith(root):
            directory, _, last = name[len(root) :].rpartition("\\")
            folder = {
                "": self.windows.windows(), "system32": self.windows.system32(self.machine),
                "system": self.windows.system(),
            }.get(directory.lower())  # fmt: skip
            if folder is not None:
                self._try(decision, FULL_PATH, folder, last)
                return
        decision.note(FULL_PATH, name, Outcome.NOT_THERE, "a guest path; no host folder stands for it")

    # -------------------------------------------------------------------------------------------- directories

    def directories(self, decision: Decision) -> Iterator[tuple[str, Folder]]:
        """(rule, folder) in the order of the standard search, or as DependentLoadFlags say."""
        flags = decision.flags
        application = Folder(str(self.program.parent), self.program.parent)
        system32 = self.windows.system32(self.machine)
        if flags:
            because = f" (DependentLoadFlags 0x{flags:X})"
            if flags & DEFAULT_DIRS:
                flags |= APPLICATION_DIR | SYSTEM32
            if flags & APPLICATION_DIR:
                yield APPLICATION + because, application
            if flags & SYSTEM32:
                yield SYSTEM32_RULE + because, system32
            return
        current = self.settings.current or application
        yield APPLICATION, application
        if not self.settings.safe_search:
            yield f"{CURRENT} (SafeDllSearchMode off)", current
        yield SYSTEM32_RULE, system32
        yield "16-bit system directory", self.windows.system()
        yield "Windows directory", self.windows.windows()
        if self.settings.safe_search:
            yield CURRENT, current
        for folder in (*self.windows.path(self.machine), *self.settings.path):
            yield "PATH directory", folder

    def _try(self, decision: Decision, rule: str, folder: Folder, name: str) -> bool:
        located = self._find(folder, name)
        if located is None:
            decision.steps.append(Step(rule, folder.below(name), Outcome.NOT_THERE, "", folder, name))
            return False
        same = self.loaded(located.path)
        if same is not None:
            decision.take(rule, same, "the loaded module of that path", result=Result.LOADED)
            return True
        decision.steps.append(Step(rule, located.path, Outcome.TAKEN, located.note, folder, name))
        decision.result, decision.rule, decision.located = Result.FOUND, rule, located
        return True

    def _find(self, folder: Folder, name: str) -> Located | None:
        located = self.windows.find(folder, name)
        if located is None and folder.host is not None:
            found = self.files.file(folder.host, name)
            located = Located(str(found), found) if found is not None else None
        return located if located is None or located.path not in self.ignored else None


def with_extension(name: str) -> str:
    """The extension rule: `.DLL` where the last component has no dot; else trailing dots go."""
    last = name.rpartition("\\")[2]
    return name + ".DLL" if "." not in last else name.rstrip(".")
