"""One CreateProcess call as it was made: its strings read, its flags in words."""

from __future__ import annotations

from dataclasses import dataclass, field

from ntos.abi.layout.win32 import SECURITY_ATTRIBUTES, STARTUPINFOW
from ntos.abi.pointer import Ptr
from ntos.abi.types import DWORD, WCHAR
from ntos.abi.win32 import (
    CREATE_NEW_CONSOLE,
    CREATE_NEW_PROCESS_GROUP,
    CREATE_NO_WINDOW,
    DEBUG_ONLY_THIS_PROCESS,
    DEBUG_PROCESS,
    DETACHED_PROCESS,
    STARTF_USEHOTKEY,
    STARTF_USESTDHANDLES,
)
from ntos.dll.kernelbase.attribute_list import ATTRIBUTE
from ntos.dll.kernelbase.creation.convert import Wishes
from ntos.rtl.nls.codepage import ansi

STARTF_HASSHELLDATA = 0x400
HANDLE_FIELDS_TAKEN = STARTF_USEHOTKEY | STARTF_HASSHELLDATA
"""hStdInput and hStdOutput carry a hot key, or a monitor or an icon, and no handles."""


@dataclass
class Request:
    """One CreateProcess call, its strings read."""

    application: str | None
    command_line: str | None
    process_security: Ptr[SECURITY_ATTRIBUTES] | None
    thread_security: Ptr[SECURITY_ATTRIBUTES] | None
    inherit: bool
    flags: int
    environment: int
    directory: str | None
    startup: STARTUPINFOW
    narrow: bool
    token: int = 0
    lowbox: int = 0
    """The token made for SECURITY_CAPABILITIES."""
    wishes: Wishes = field(default_factory=Wishes)
    priority: int = 0
    """The priority class as the kernel numbers it; 0 where the caller named none."""
    privilege_borrowed: bool = False
    is_batch: bool = False
    """The program is a batch file: cmd.exe runs in its place."""
    elevation_settled: bool = False
    """The shell has asked the user: the program runs with the rights it is given."""
    skip_debugger: bool = False
    """The program is to be started itself, whatever its options say."""

    @property
    def console_flags(self) -> int:
        """Which console the child gets; CREATE_NO_WINDOW counts only alone."""
        return self.flags & (DETACHED_PROCESS | CREATE_NEW_CONSOLE) or self.flags & CREATE_NO_WINDOW

    @property
    def starts_group(self) -> bool:
        """Whether the child leads a process group; a new console has one of its own."""
        return self.flags & (CREATE_NEW_PROCESS_GROUP | CREATE_NEW_CONSOLE) == CREATE_NEW_PROCESS_GROUP

    @property
    def is_debugged(self) -> bool:
        """Whether the caller wants to debug the child."""
        return self.flags & (DEBUG_PROCESS | DEBUG_ONLY_THIS_PROCESS) != 0

    @property
    def uses_handles(self) -> bool:
        """Whether STARTUPINFO names the standard handles."""
        flags = int(self.startup.dwFlags)
        return flags & STARTF_USESTDHANDLES != 0 and not flags & HANDLE_FIELDS_TAKEN

    @property
    def handles_listed(self) -> bool:
        """Whether only some handles are to be inherited."""
        return ATTRIBUTE.HANDLE_LIST in self.wishes.present

    @property
    def inherits_all(self) -> bool:
        """Whether every inheritable handle of the parent comes to the child."""
        return self.inherit and not self.handles_listed

    def text(self, address: int) -> str | None:
        """A string of the STARTUPINFO."""
        if not address:
            return None
        memory = self.startup.memory.origin
        if self.narrow:
            return ansi(Ptr[DWORD](memory, address).string())
        return Ptr[WCHAR](memory, address).text()
