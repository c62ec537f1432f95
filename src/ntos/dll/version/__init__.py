"""version.dll: the version resource of a file, and what stands in it.

On Windows it loads the file as data and copies its RT_VERSION resource; the buffer has room behind it where the
8-bit functions put the strings they convert. So here; the tree inside is read by `block`.

Begin with `information`.
"""

from ntos.dll.version import information

__all__ = ["information"]
