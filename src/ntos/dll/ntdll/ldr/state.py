"""What the loader of one process keeps beside the bytes: modules under every key, settings, TLS,
notifications.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ntos.abi.layout.user import LDR_DATA_TABLE_ENTRY, LDR_DDAG_NODE, PEB_LDR_DATA
from ntos.rtl.text import upcase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ntos.abi.memory import Memory
    from ntos.abi.pe.directories import ImportedModule, TlsDirectory
    from ntos.abi.pe.headers import ImageHeaders
    from ntos.dll.ntdll.ldr.image import ExportTable

PINNED = 0xFFFF_FFFF
READY_TO_RUN = 9


@dataclass(slots=True, eq=False)
class Module:
    """A mapped module: its LDR_DATA_TABLE_ENTRY, and what was parsed out of the image."""

    base: int
    size: int
    path: str
    name: str
    entry: LDR_DATA_TABLE_ENTRY
    headers: ImageHeaders
    exports: ExportTable | None
    source: str
    """The rule that found the file."""
    imports: tuple[ImportedModule, ...] | None = None
    providers: list[Module] = field(default_factory=list)
    """Who serves each import descriptor, in link order; empty once snapped."""
    forwards: dict[str, Module] = field(default_factory=dict)
    """Targets of forwarders already followed, by the name the forwarder gives."""
    tls: TlsDirectory | None = None
    tls_index: int = -1
    tls_callbacks: tuple[int, ...] = ()
    dependent_load_flags: int = 0
    blocks: list[int] = field(default_factory=list)
    """Heap blocks to give back when the module goes."""

    @property
    def node(self) -> LDR_DDAG_NODE:
        """The dependency node the module belongs to."""
        return LDR_DDAG_NODE(self.entry.memory, int(self.entry.DdagNode))

    @property
    def entry_point(self) -> int:
        """DllMain, or 0."""
        return int(self.entry.EntryPoint)

    def contains(self, address: int) -> bool:
        """Whether the address lies in the image."""
        return self.base <= address < self.base + self.size


@dataclass(slots=True)
class SearchSettings:
    """What SetDllDirectory, AddDllDirectory, SetDefaultDllDirectories and the registry have said."""

    dll_directory: str | None = None
    user_directories: dict[int, str] = field(default_factory=dict)
    default_flags: int = 0
    asked: bool = False
    """Whether the registry has been asked for the two below."""
    safe_mode: bool = True
    cwd_illegal: int = 0
    """CWDIllegalInDLLSearch: 1 forbids a current directory on WebDAV, 2 any remote one, all ones any."""


@dataclass(slots=True)
class TlsState:
    """Static TLS: which index belongs to which module, and which threads have vectors."""

    modules: dict[int, Module] = field(default_factory=dict)
    capacity: int = 0
    threads: dict[int, int] = field(default_factory=dict)
    """TEB address to thread id, of every thread the loader has initialised."""


@dataclass(slots=True)
class Notification:
    """A callback of LdrRegisterDllNotification."""

    cookie: int
    function: int
    context: int


class Loader:
    """The loader of one process."""

    def __init__(self) -> None:
        self.phase = 0
        """0 not begun, 1 process initialisation running, 2 done, 3 failed (LdrpProcessInitialized)."""
        self.state = 0
        """LdrInitState: 0 until static imports are about to be mapped, 1, 2 before init routines, 3 done."""
        self.modules: dict[int, Module] = {}
        self.by_name: dict[str, list[Module]] = {}
        self.by_node: dict[int, Module] = {}
        self.exe: Module | None = None
        self.ntdll: Module | None = None
        self.kernel32: Module | None = None
        self.data = 0
        self.known_dlls = 0
        """Handle of the KnownDlls directory, 0 when there is none."""
        self.known_path = ""
        self.settings = SearchSettings()
        self.tls = TlsState()
        self.notifications: list[Notification] = []
        self.cookies = 1
        self.complete_event = 0
        self.base_thread_init_thunk = 0
        self.unloaded: list[tuple[int, int, str, int, int]] = []
        """(base, size, name, timestamp, checksum) of what was unloaded last (RtlGetUnloadEventTrace)."""
        self.unload_sequence = 0
        self.initial_context = 0
        self.show_snaps = False

    def peb_ldr(self, memory: Memory) -> PEB_LDR_DATA:
        """PEB.Ldr."""
        return PEB_LDR_DATA(memory, self.data)

    def add(self, module: Module) -> None:
        """Index a module."""
        self.modules[module.base] = module
        self.by_name.setdefault(upcase(module.name), []).append(module)
        self.by_node[int(module.entry.DdagNode)] = module

    def forget(self, module: Module) -> None:
        """Take a module out of the index."""
        self.modules.pop(module.base, None)
        named = self.by_name.get(upcase(module.name), [])
        if module in named:
            named.remove(module)
        self.by_node = {node: other for node, other in self.by_node.items() if other is not module}
        for other in self.modules.values():
            other.forwards = {key: target for key, target in other.forwards.items() if target is not module}

    def named(self, name: str) -> Module | None:
        """The module with that base name."""
        found = self.by_name.get(upcase(name))
        return found[0] if found else None

    def at_path(self, path: str) -> Module | None:
        """The module with that full path."""
        wanted = upcase(path)
        name = wanted.rpartition("\\")[2]
        return next((each for each in self.by_name.get(name, ()) if upcase(each.path) == wanted), None)

    def containing(self, address: int) -> Module | None:
        """The module whose image holds an address."""
        exact = self.modules.get(address)
        if exact is not None:
            return exact
        return next((each for each in self.modules.values() if each.contains(address)), None)

    def next_cookie(self) -> int:
        """A value that names something a caller may take back."""
        self.cookies += 1
        return self.cookies

    def __iter__(self) -> Iterator[Module]:
        return iter(list(self.modules.values()))
