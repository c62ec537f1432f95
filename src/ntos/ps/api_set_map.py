"""PEB.ApiSetMap: the API-set schema as one read-only view in every process (MmCreatePeb maps it).

Programs that resolve contracts themselves read it. The bytes are made when the first page of the view is touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import mm
from ntos.abi.apiset import SCHEMA_SIZE, build_schema
from ntos.abi.mm import PAGE_READONLY, SEC_COMMIT
from ntos.abi.status import STATUS, NtError

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.mm.section import Section


class SchemaBacking:
    """The schema as a section's content."""

    size = SCHEMA_SIZE
    identity = "API-set schema"
    path = "\\SystemRoot\\System32\\apisetschema.dll"

    def __init__(self) -> None:
        self._bytes = b""

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the schema, which is built on first use (14 ms)."""
        if not self._bytes:
            self._bytes = build_schema()
        return self._bytes[offset : offset + size]

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """Nobody changes it."""
        raise NtError(STATUS.ACCESS_DENIED)


class ApiSetMap:
    """The machine's one section of it."""

    section: Section | None = None


def map_api_sets(process: Process) -> int:
    """Show the schema in a process; gives its address."""
    kernel = process.kernel
    state = kernel.part(ApiSetMap)
    if state.section is None:
        state.section = mm.create_section(kernel, SchemaBacking(), SCHEMA_SIZE, PAGE_READONLY, SEC_COMMIT)
    return mm.map_view(process, state.section, protection=PAGE_READONLY, inherit=True)[0]
