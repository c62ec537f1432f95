"""Who may do what with files: every open of a file or directory is checked against a descriptor.

NTFS keeps a descriptor with each file. A host folder has none that Windows would understand, so a node has the
one its place implies (Windows 10's own defaults: users read the Windows folder and change what is theirs) until
somebody sets another; what was set lives as long as the machine.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ntos.io.driver import FILE_MAPPING
from ntos.ob.manager import ObjectManager, grant_all
from ntos.rtl import sddl
from ntos.se.subject import access_check, subject

if TYPE_CHECKING:
    from ntos.io.volume.node import Node
    from ntos.ke.thread import Thread

SYSTEM_FILES = "O:SYG:SYD:PAI(A;;FA;;;SY)(A;;0x1200a9;;;BA)(A;;0x1200a9;;;BU)(A;;0x1200a9;;;AC)"
"""Files and folders of C:\\Windows (TrustedInstaller's full access is SYSTEM's here)."""
ORDINARY = "O:BAG:SYD:AI(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;AU)(A;;0x1200a9;;;BU)"
"""Everything else: a data volume's default, where authenticated users have full access."""


@cache
def _bytes(text: str) -> bytes:
    return sddl.parse(text).to_bytes()


def descriptor_of(node: Node) -> bytes:
    """The self-relative descriptor of a file or directory."""
    if node.descriptor is not None:
        return node.descriptor
    return _bytes(SYSTEM_FILES if node.belongs_to_windows else ORDINARY)


def check(thread: Thread | None, node: Node, access: int) -> int:
    """The rights the thread gets of what it asked (MAXIMUM_ALLOWED resolved); ACCESS_DENIED with the rule.

    The kernel itself (no thread) is not checked, and nobody is before security is up (phase 0).
    """
    if thread is None or thread.kernel[ObjectManager].check_access is grant_all:
        return access
    return access_check(subject(thread), descriptor_of(node), access, FILE_MAPPING)


__all__ = ["check", "descriptor_of"]
