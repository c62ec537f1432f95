"""dbghelp.dll: symbols and stack walks. No symbol files exist here: sessions can be opened, nothing is found."""

from ntos.dll.dbghelp import symbols

__all__ = ["symbols"]
