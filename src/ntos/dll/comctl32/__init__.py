"""comctl32.dll: the common controls. This machine has no windows: nothing can be registered."""

from ntos.dll.comctl32 import classes

__all__ = ["classes"]
