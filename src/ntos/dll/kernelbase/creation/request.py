"""One CreateProcess call as it was made: its strings read, its flags in words."""

from __future__ import annotations

from dataclasses import dataclass

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
    attributes: int = 0
    extended: int = 0
    """PROC_EXTENDED_FLAG_…"""
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

    def text(self, address: int) -> str | None:
        """A string of the STARTUPINFO."""
        if not address:
            return None
        memory = self.startup.memory.origin
        if self.narrow:
            return ansi(Ptr[DWORD](memory, address).string())
        return Ptr[WCHAR](memory, address).text()
