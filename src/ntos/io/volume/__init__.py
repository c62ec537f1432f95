"""Volumes: what files are stored on, with NTFS's rules whatever lies below.

Windows' NTFS keeps files by number; names are links to them, and each open shares or refuses by rules that
hold across all opens. Here a `Node` is the file (or directory) as stored, a `Link` one name of it, and the
driver `filesystem.FileSystem` applies the rules: sharing, byte-range locks, deletion, renaming, directory
queries, change notification. Where the bytes are is the business of a volume: `MemoryVolume` (nothing left on
the host), `HostVolume` (a folder of the host, never anything outside it), `OverlayVolume` (a read-only tree
of system files over one of the two).

Begin with `node`, then `link`, then `filesystem`; `mount.mount(kernel, letter, volume)` puts a volume into
the namespace.
"""

from ntos.io.volume.host import HostVolume
from ntos.io.volume.memory import MemoryVolume
from ntos.io.volume.node import Facts, Node, Volume
from ntos.io.volume.overlay import OverlayVolume
from ntos.io.volume.system import SystemTree

__all__ = ["Facts", "HostVolume", "MemoryVolume", "Node", "OverlayVolume", "SystemTree", "Volume"]
